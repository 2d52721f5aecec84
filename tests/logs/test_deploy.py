"""`dynasafe logs deploy`: filters and alarms that the service takes, and that match."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dynasafe.findings.log_catalog import LOG_EXPLANATIONS
from dynasafe.logs import deploy
from dynasafe.logs.alarms import MAX_FILTERS, catalogue_version, deployment, metric_of
from dynasafe.logs.matching import matches
from dynasafe.logs.patterns import filter_patterns
from dynasafe.logs.records import Record
from dynasafe.logs.signatures import BY_CODE, SIGNATURES, Level
from dynasafe.logs.templates import WRITERS
from tests.logs.formats import lambda_json, lambda_text, plain, powertools
from tests.logs.provocations import Provoked

ROOT = Path(__file__).parent.parent.parent
GROUP = "/aws/lambda/people"
TOPIC = "arn:aws:sns:us-east-1:123456789012:ops"


def lets_through(pattern: str, message: str) -> bool:
    """A judge of patterns of the form `?"a b" ?"c"`: phrases of whole words, joined by or."""
    return _judge(pattern).search(message) is not None


@cache
def _judge(pattern: str) -> re.Pattern[str]:
    phrases = re.findall(r'\?"([^"]*)"', pattern)
    assert " ".join(f'?"{each}"' for each in phrases) == pattern
    joined = "|".join(map(re.escape, phrases))
    return re.compile(rf"(?<![A-Za-z0-9])(?:{joined})(?![A-Za-z0-9])")


def run(*arguments: str, client: Any = None) -> int:
    parser = argparse.ArgumentParser()
    deploy.add_arguments(parser)
    return deploy.run(parser.parse_args([GROUP, *arguments]), client=client)


@pytest.mark.parametrize("form", [plain, lambda_text, lambda_json, powertools])
def test_patterns_match(form: Any, provoked: dict[str, Provoked]) -> None:
    """The filter of a level lets through each event of its errors, at whole words."""
    patterns = {
        level: filter_patterns([each for each in SIGNATURES if each.level is level])
        for level in Level
    }
    texts = {name: form(it) for name, it in provoked.items()}
    missed = {
        name
        for name, it in provoked.items()
        if not any(lets_through(pattern, texts[name]) for pattern in patterns[level_of(it)])
    }
    # The class stands apart from the message in Lambda's JSON; others stand after "\\n".
    apart = {name for name in provoked if name.startswith("DYS465_")}
    after_newline = {"DYS472_no_plugin"}
    assert (
        missed
        == {
            plain: set(),
            lambda_text: set(),
            lambda_json: apart | after_newline,
            powertools: apart | after_newline,
        }[form]
    )


def level_of(provoked: Provoked) -> Level:
    return BY_CODE[provoked.code].level


def test_lines_alone_match(provoked: dict[str, Provoked]) -> None:
    """In a container's log each line is an event: one of them is enough."""
    patterns = filter_patterns(SIGNATURES)
    missed = {
        name
        for name, it in provoked.items()
        if not any(
            lets_through(pattern, line) for pattern in patterns for line in plain(it).splitlines()
        )
    }
    assert missed == set()


def test_own_logs_of_others_do_not_match() -> None:
    """What other services log lets no alarm go off."""
    for line in (
        "INFO GET /people 200",
        "ERROR mail to customer was not sent, will retry",
        "WARNING cache miss for key k1",
        "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied",
    ):
        assert not any(lets_through(each, line) for each in filter_patterns(SIGNATURES)), line


@pytest.mark.parametrize("per_code", [False, True])
def test_model(per_code: bool) -> None:
    """Within the service's limits: filters by group, names once, an alarm only for a metric."""
    model = deployment([GROUP, "/other"], topic=TOPIC, per_code=per_code)

    for group in (GROUP, "/other"):
        names = [each.name for each in model.filters if each.group == group]
        assert len(names) == len(set(names)) <= MAX_FILTERS
    metrics = {each.metric for each in model.filters}
    assert {each.metric for each in model.alarms} <= metrics
    assert max(len(each.pattern) for each in model.filters) <= 1024
    expected = set(BY_CODE) if per_code else {metric_of(level) for level in Level}
    assert metrics == expected


def test_too_many_groups() -> None:
    """More than a stack has room for is refused."""
    with pytest.raises(ValueError, match="Fix: give fewer log groups"):
        deployment([f"/g{n}" for n in range(60)])


def test_cfn_lint(tmp_path: Path) -> None:
    """cfn-lint has nothing to say about the templates, nor about that of the example."""
    paths = [ROOT / "examples" / "log_watch" / "template.json"]
    for options in ([], ["--per-code"], ["--own", "people", "--topic", TOPIC]):
        paths.append(tmp_path / f"alarms{len(paths)}.json")
        assert run("--output", str(paths[-1]), *options) == 0
    checked = subprocess.run(
        [Path(sys.executable).parent / "cfn-lint", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.stdout, checked.returncode) == ("", 0)


def test_same_in_all_forms() -> None:
    """The three forms have the same filters and alarms."""
    model = deployment([GROUP], topic=TOPIC, own="people")
    template = json.loads(WRITERS["cloudformation"](model))
    configuration = json.loads(WRITERS["terraform"](model))
    names: dict[str, Any] = {}
    construct = WRITERS["cdk"](model)
    exec(construct[construct.index("FILTERS =") : construct.index("class DynamoDBAlarms")], names)

    patterns = [each.pattern for each in model.filters]
    resources = template["Resources"].values()
    assert [
        each["Properties"]["FilterPattern"]
        for each in resources
        if each["Type"] == "AWS::Logs::MetricFilter"
    ] == patterns
    filters = configuration["resource"]["aws_cloudwatch_log_metric_filter"]
    assert [each["pattern"] for each in filters.values()] == patterns
    assert [each[3] for each in names["FILTERS"]] == patterns
    alarms = [each.name for each in model.alarms]
    assert [
        each["Properties"]["AlarmName"]
        for each in resources
        if each["Type"] == "AWS::CloudWatch::Alarm"
    ] == alarms
    assert [
        each["alarm_name"]
        for each in configuration["resource"]["aws_cloudwatch_metric_alarm"].values()
    ] == alarms
    assert [each[0] for each in names["ALARMS"]] == alarms
    assert names["TOPIC"] == TOPIC
    compile(construct, "alarms.py", "exec")
    assert "${" not in json.dumps(configuration)  # Terraform would read it as an expression
    assert catalogue_version() in construct


def test_diff(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing for the same file; what changed for an older one."""
    path = tmp_path / "alarms.json"
    run("--output", str(path))
    assert run("--diff", str(path)) == 0
    path.write_text(path.read_text().replace("dynasafe-leak", "dynasafe-old"))
    assert run("--diff", str(path)) == 1
    assert '+        "FilterName": "dynasafe-leak"' in capsys.readouterr().out.replace(
        "      +", "+"
    )


class Judge:
    """TestMetricFilter, by the judge above."""

    def __init__(self, forgets: str = "") -> None:
        self.messages = 0
        self._forgets = forgets

    def test_metric_filter(self, *, filterPattern: str, logEventMessages: list[str]) -> Any:
        """Those of the messages that the pattern lets through, as the service answers."""
        assert 0 < len(logEventMessages) <= 50
        self.messages += len(logEventMessages)
        return {
            "matches": [
                {"eventNumber": number, "eventMessage": each, "extractedValues": {}}
                for number, each in enumerate(logEventMessages, 1)
                if lets_through(filterPattern, each)
                and not (self._forgets and self._forgets in each)
            ]
        }


def test_verify(capsys: pytest.CaptureFixture[str]) -> None:
    """Each text of each pattern is put before TestMetricFilter, plain and in JSON."""
    judge = Judge()
    assert run("--verify", client=judge) == 0
    terms = sum(each.count('?"') for each in filter_patterns_of_levels())
    assert judge.messages == 2 * terms
    capsys.readouterr()
    assert run("--verify", client=Judge(forgets="reserved keyword")) == 1
    assert "not matched: " in capsys.readouterr().err


def filter_patterns_of_levels() -> list[str]:
    return [
        pattern
        for level in Level
        for pattern in filter_patterns([each for each in SIGNATURES if each.level is level])
    ]


def test_examples_of_pages() -> None:
    """The line on each page is matched by its own code, but where one line is not enough."""
    lines = {code: f"botocore {each.wrong} in dynamodb" for code, each in LOG_EXPLANATIONS.items()}
    silent = {
        code
        for code, line in lines.items()
        if code not in {each.signature.code for each in matches(Record(line))}
    }
    assert silent == {"DYS401", "DYS428"}
