"""Every signature is found in what the libraries of today write, in every format of logs."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

import botocore
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynasafe.findings.log_catalog import LOG_EXPLANATIONS
from dynasafe.logs.gate import may_match
from dynasafe.logs.grouping import Tally
from dynasafe.logs.matching import matches
from dynasafe.logs.operation_names import ONLY_DYNAMODB, SHARED
from dynasafe.logs.records import Record
from dynasafe.logs.reports import github_report, json_report, text_report
from dynasafe.logs.scanning import scan_blocks
from dynasafe.logs.signatures import BY_CODE, SIGNATURES, Evidence, Level
from tests.logs.formats import FORMATS
from tests.logs.provocations import PROVOCATIONS, SECRET, Provoked

NOT_PROVOKED = {
    # Python 3.14
    "'dict' object can't be awaited",
    "'Mock' object can't be awaited",
    "'MagicMock' object can't be awaited",
    # AWS Lambda
    "Task timed out after ... seconds",
    "Runtime exited with error: signal: killed",
}
BESIDES = {
    "DYS457_task_exception": {"DYS430"},  # the cause follows
}
TWICE = Counter(DYS430=1, DYS456=1, DYS460=1)
"""The cause of another one; what asyncio and aiohttp log in two records."""
SURE = {Evidence.WORDS, Evidence.OPERATION, Evidence.PARAMETER}
ALL_CODES = frozenset(BY_CODE)


def scan(text: str) -> Tally:
    tally = Tally(ALL_CODES)
    scan_blocks([text.encode("utf-8", "surrogatepass"), b"\n"], tally, stream="a.log")
    return tally


def codes(tally: Tally) -> set[str]:
    return {group.signature.code for group in tally.groups.values()}


@pytest.mark.parametrize("name", PROVOCATIONS)
def test_found(name: str, provoked: dict[str, Provoked]) -> None:
    """An error is found by its own code and no other, and is certain where it can be."""
    it = provoked[name]
    found = {each.signature.code: each.is_certain for each in matches(Record(it.traceback))}

    assert set(found) == {it.code} | BESIDES.get(name, set()), it.traceback
    if BY_CODE[it.code].evidence in SURE:
        assert found[it.code]


@pytest.mark.parametrize("form", FORMATS)
def test_found_in_every_format(form: str, provoked: dict[str, Provoked]) -> None:
    """Each format has each error, and its place in the code where the format has it."""
    for name, it in provoked.items():
        text = FORMATS[form](it)
        tally = scan(f"2026-11-26 10:00:00 INFO started\n{text}\n2026-11-26 10:00:01 INFO ok")

        assert codes(tally) == {it.code} | BESIDES.get(name, set()), text
        if it.error is not None and it.error.__traceback__ is not None:
            places = {group.place or "" for group in tally.groups.values()}
            assert any(place.startswith("logs/provocations.py:") for place in places), text


def bare(provoked: Provoked) -> str:
    """What a guard logs, as a process without a configured logger writes it."""
    return provoked.logged[provoked.logged.index("DynamoDB guard:") :]


@pytest.mark.parametrize("form", [*FORMATS, "bare"])
def test_lines_of_a_guard(form: str, provoked: dict[str, Provoked]) -> None:
    """Each line of a guard has its operation, its place, the finding's code and its line number."""
    lines = [it for it in provoked.values() if it.code == "DYS486"]
    assert len(lines) == 5
    for it in lines:
        text = {**FORMATS, "bare": bare}[form](it)
        found = re.search(r"at \S*provocations\.py:(\d+)", it.logged)
        assert found is not None
        (group,) = scan(f"2026-11-26 10:00:00 INFO started\n{text}\n").groups.values()

        assert group.key == "DYS486 UpdateItem - logs/provocations.py", text
        assert group.line == int(found[1])
        assert group.slots == {("finding", f"DYS103 at line {found[1]}"): 1}
        assert (group.count, group.is_certain) == (1, True)


def test_lines_of_a_guard_in_a_report(provoked: dict[str, Provoked]) -> None:
    """The report counts each finding of a file by its code and line."""
    others = [
        "WARNING DynamoDB guard: UpdateItem: x [DYS103]\n  in x\n  Fix: x\n  at /a/app/orders.py:9",
        "WARNING DynamoDB guard: UpdateItem: x [DYS222] at /a/app/orders.py:12: 3 times",
        "WARNING DynamoDB guard: UpdateItem repaired: x [DYS222] at C:\\a b\\app\\orders.py:12",
        "WARNING DynamoDB guard: Query: x [DYS157] at an unknown place",
        "WARNING DynamoDB guard: on",
    ]
    report = text_report(scan("\n".join(others)), min_count=1, baseline=None, days=1, source="")

    assert report.splitlines()[:7] == [
        "DYS486  dynasafe: found by a guard                                 own        4",
        "        UpdateItem in app/orders.py:12: 3",
        "        finding DYS222 at line 12 (2)",
        "        finding DYS103 at line 9 (1)",
        "        Query: 1",
        "        finding DYS157 (1)",
        f"        Fix: {BY_CODE['DYS486'].fix}",
    ]


def test_found_one_after_the_other(provoked: dict[str, Provoked]) -> None:
    """All errors in one file, each as often as it was logged."""
    tally = scan("\n".join(FORMATS["plain"](it) for it in provoked.values()))
    counts: Counter[str] = Counter()
    for group in tally.groups.values():
        counts[group.signature.code] += group.count
    once = Counter(it.code for it in provoked.values())

    assert counts - once == TWICE
    assert once - counts == Counter()


def test_found_by_message_alone(provoked: dict[str, Provoked]) -> None:
    """`logger.error("failed: %s", error)` is enough, but where a message says nothing."""
    silent = {
        name
        for name, it in provoked.items()
        if it.error is not None and it.code not in codes(scan(f"ERROR failed: {it.error}"))
    }
    assert silent == {
        "DYS401_names_none",
        "DYS401_values_none",
        "DYS452_gather",
        "DYS465_item",
        "DYS465_attributes",
        "DYS465_last_key",
    }


def test_every_needle_was_provoked(provoked: dict[str, Provoked]) -> None:
    """Each needle is of today's words, but for those that cannot be provoked here."""
    texts = [it.traceback for it in provoked.values()]
    missing = {
        " ... ".join(needle)
        for signature in SIGNATURES
        for needle in signature.needles
        if not any(all(part in text for part in needle) for text in texts)
    }
    assert missing == NOT_PROVOKED


def test_needles() -> None:
    """A needle passes the gate, stands on one line, and has nothing that JSON escapes."""
    for signature in SIGNATURES:
        for needle in signature.needles:
            assert any(may_match(part) for part in needle), needle
            assert not any(set('"\\\n') & set(part) for part in needle), needle


def test_codes() -> None:
    """The catalogue and its explanations have the same codes, in order, and all levels."""
    assert [each.code for each in SIGNATURES] == sorted(LOG_EXPLANATIONS)
    assert {each.level for each in SIGNATURES} == set(Level)
    assert all(each.unless <= set(BY_CODE) for each in SIGNATURES)


def test_operations() -> None:
    """Which operations only DynamoDB has is what botocore's models say."""
    of_others: set[str] = set()
    own: set[str] = set()
    for folder in (Path(botocore.__file__).parent / "data").iterdir():
        models = sorted(folder.glob("*/service-2.json.gz")) if folder.is_dir() else []
        if models:
            text = gzip.decompress(models[-1].read_bytes()).decode()
            names = set(re.findall(r'\n    "(\w+)":\{\n      "name":"', text))
            if folder.name == "dynamodb":
                own = names
            else:
                of_others |= names
    assert own - of_others == ONLY_DYNAMODB
    assert own & of_others == SHARED


def test_values_are_not_shown(provoked: dict[str, Provoked]) -> None:
    """No report has the value that nearly every error was provoked with."""
    assert sum(SECRET in it.traceback for it in provoked.values()) > 5
    for form in FORMATS.values():
        tally = scan("\n".join(form(it) for it in provoked.values()))
        reports = [
            text_report(tally, min_count=1, baseline={}, days=1, source=""),
            json_report(tally, min_count=1, days=1),
            github_report(tally, min_count=1, fail_on=frozenset(Level)),
        ]
        assert not [each for each in reports if SECRET in each]


PERSONAL = st.text(min_size=4, max_size=40).map(lambda text: f"zq7{text}zq7")


@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(value=PERSONAL, form=st.sampled_from(sorted(FORMATS)))
def test_no_value_is_shown(value: str, form: str, provoked: dict[str, Provoked]) -> None:
    """Whatever the value in a message is, and whatever the format, no report has it."""
    planted = [
        Provoked(it.name, it.code, None, it.traceback.replace(SECRET, value))
        for it in provoked.values()
        if SECRET in it.traceback
    ]
    tally = scan("\n".join(FORMATS[form](it) for it in planted))

    assert tally.groups
    for report in (
        text_report(tally, min_count=1, baseline={}, days=1, source=""),
        json_report(tally, min_count=1, days=1),
        github_report(tally, min_count=1, fail_on=frozenset(Level)),
    ):
        assert "zq7" not in report
