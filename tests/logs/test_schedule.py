"""What people copy: the Lambda function, its template, the job of CI, the dashboards."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns import sns_backends

from dynasafe.cli import main
from dynasafe.integrations.emf import METRICS
from dynasafe.integrations.opentelemetry import METRICS as OTEL_METRICS
from dynasafe.logs import command
from examples.log_watch.handler import handler
from tests.logs.test_cloudwatch import EMPTY
from tests.support.dashboard_pictures import PICTURES, drawn

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "examples" / "log_watch"
GROUP = "/aws/lambda/people"


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("LOG_GROUPS", GROUP)
    with mock_aws():
        arn = boto3.client("sns").create_topic(Name="ops")["TopicArn"]
        monkeypatch.setenv("TOPIC", arn)
        yield sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].topics[arn]


def write(*messages: str) -> None:
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    now_ms = int(time.time() * 1000)
    logs.put_log_events(
        logGroupName=GROUP,
        logStreamName="s",
        logEvents=[{"timestamp": now_ms - 1000, "message": each} for each in messages],
    )


def test_handler_reports(
    topic: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error is published; one of the baseline is not."""
    write(f"[ERROR] ClientError: {EMPTY}", "INFO ok")

    assert handler({}, None) == {"status": 1}
    ((_, message, subject, *_),) = topic.sent_notifications
    assert subject == "DynamoDB errors in the logs"
    assert "DYS410" in message
    main(["logs", "cloudwatch", GROUP, "--since", "1h", "--format", "json"])
    baseline = tmp_path / "baseline.json"
    baseline.write_text(capsys.readouterr().out)
    monkeypatch.setenv("BASELINE", str(baseline))
    assert handler({}, None) == {"status": 0}
    assert len(topic.sent_notifications) == 1


def test_handler_says_incomplete(topic: Any) -> None:
    """A log group that cannot be read is reported as well."""
    assert handler({}, None) == {"status": 2}
    assert topic.sent_notifications[0][2] == "The logs could not be read completely"


def test_job() -> None:
    """The job's command has options that there are."""
    import argparse

    job = yaml.safe_load((FOLDER / "hourly.yml").read_text())
    words = shlex.split(job["jobs"]["watch"]["steps"][-1]["run"])
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)

    assert words[:2] == ["dynasafe", "logs"]
    assert parser.parse_args(words[2:]).format == "github"


@pytest.mark.parametrize("form", ["cloudwatch", "grafana"])
def test_dashboards(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The dashboards of the docs are what the command writes, and have every metric."""
    assert main(["logs", "dashboard", "--as", form]) == 0
    text = capsys.readouterr().out
    kept = ROOT / "docs" / "dashboards" / f"{form}.json"

    assert kept.read_text() == text, f"fix: dynasafe logs dashboard --as {form} > {kept}"
    json.loads(text)
    names = METRICS if form == "cloudwatch" else [each.replace(".", "_") for each in OTEL_METRICS]
    left_out = {"RequestRepaired"}  # of a guard, not of a service's health
    assert {each for each in names if each not in text} <= left_out


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(name: str) -> None:
    """The pictures in the docs have today's panels. `python -m tests.support.dashboard_pictures`
    draws them again.
    """
    assert (ROOT / "docs" / "dashboards" / name).read_text() == drawn()[name]
