"""`dynasafe logs deploy`: metric filters and alarms as a file. It changes nothing in AWS."""

from __future__ import annotations

import argparse
import json
import sys
from difflib import unified_diff
from pathlib import Path
from typing import Any

from dynasafe.logs.alarms import Deployment, deployment
from dynasafe.logs.fetch import logs_client
from dynasafe.logs.templates import WRITERS

MAX_MESSAGES = 50
"""The most messages in one call of TestMetricFilter."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("groups", nargs="+", metavar="GROUP", help="log groups by name")
    parser.add_argument("--as", dest="form", choices=sorted(WRITERS), default="cloudformation")
    parser.add_argument("--topic", metavar="ARN", help="the SNS topic that alarms notify")
    parser.add_argument("--per-code", action="store_true", help="a metric for each code")
    parser.add_argument("--own", metavar="SERVICE", help="alarms on the metrics of EmfHook too")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    parser.add_argument("--diff", type=Path, metavar="FILE", help="compare with an earlier file")
    parser.add_argument(
        "--verify", action="store_true", help="test the patterns with TestMetricFilter"
    )
    parser.add_argument("--profile")
    parser.add_argument("--region")


def run(given: argparse.Namespace, *, client: Any = None) -> int:
    """Write the file. Returns 1 if it differs from the earlier one, or a pattern does not match."""
    model = deployment(given.groups, topic=given.topic, per_code=given.per_code, own=given.own)
    text = WRITERS[given.form](model)
    if given.verify:
        if client is None:
            client = logs_client(profile=given.profile, region=given.region)
        missed = unmatched(client, model)
        sys.stderr.writelines(f"not matched: {each}\n" for each in missed)
        sys.stderr.write(f"{len(model.filters)} patterns tested, {len(missed)} texts missed.\n")
        if missed:
            return 1
    if given.diff is not None:
        before = given.diff.read_text("utf-8")
        changes = list(
            unified_diff(
                before.splitlines(keepends=True),
                text.splitlines(keepends=True),
                str(given.diff),
                "now",
            )
        )
        sys.stdout.writelines(changes)
        return 1 if changes else 0
    if given.output is not None:
        given.output.write_text(text, "utf-8")
        sys.stderr.write(
            f"{given.output}: {len(model.filters)} metric filters, {len(model.alarms)} alarms.\n"
        )
    else:
        sys.stdout.write(text)
    return 0


def unmatched(client: Any, model: Deployment) -> list[str]:
    """The texts that a pattern does not match, according to TestMetricFilter."""
    missed: list[str] = []
    for pattern in dict.fromkeys(each.pattern for each in model.filters):
        texts = [part.strip('"') for part in pattern[1:].split(" ?")]
        messages = [f"2026-11-26 10:00:00 ERROR people: {text} (1)" for text in texts]
        messages += [json.dumps({"level": "ERROR", "message": message}) for message in messages]
        for start in range(0, len(messages), MAX_MESSAGES):
            part = messages[start : start + MAX_MESSAGES]
            answer = client.test_metric_filter(filterPattern=pattern, logEventMessages=part)
            numbers = {each["eventNumber"] for each in answer["matches"]}
            missed += [each for number, each in enumerate(part, 1) if number not in numbers]
    return missed
