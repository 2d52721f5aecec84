"""An AWS Lambda function that reports known DynamoDB errors in log groups each hour.

Environment: LOG_GROUPS (names, joined by commas), TOPIC (the ARN of an SNS topic), and optionally
BASELINE (a file beside this one, made by `dynasafe logs cloudwatch ... --format json`). What the
baseline has is not reported again.
"""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from typing import Any

import boto3

from dynasafe.cli import main

SINCE = "65m"  # five minutes more than the schedule: events may come late
SUBJECTS = {1: "DynamoDB errors in the logs", 2: "The logs could not be read completely"}


def handler(event: Any, context: Any) -> dict[str, int]:
    """Scan, and publish the report if there is something in it. No attribute value is in it."""
    arguments = ["logs", "cloudwatch", *os.environ["LOG_GROUPS"].split(","), "--since", SINCE]
    if os.environ.get("BASELINE"):
        arguments += ["--baseline", os.environ["BASELINE"]]
    report = io.StringIO()
    with redirect_stdout(report):
        status = main(arguments)
    if status != 0:
        boto3.client("sns").publish(
            TopicArn=os.environ["TOPIC"], Subject=SUBJECTS[status], Message=report.getvalue()
        )
    return {"status": status}
