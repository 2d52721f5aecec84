"""The incident, end to end: the service writes its log, and each tool shows the fault."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import boto3
import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.cli import main
from dynasafe.errors import InvalidRequestError
from tests.logs.provocations import CREDENTIALS, Bench
from tests.logs.test_deploy import lets_through
from tests.observability.test_opentelemetry import Telemetry

RESERVED = {"name", "status"}
GROUP = "/aws/lambda/people"


def contact(table: Any, fields: dict[str, Any]) -> None:
    """The service's own way to make an update: names are None where none is reserved."""
    names = {f"#{field}": field for field in fields if field in RESERVED}
    sets = [f"{'#' if field in RESERVED else ''}{field} = :{field}" for field in fields]
    table.update_item(
        Key={"id": "u1"},
        UpdateExpression=f"SET {', '.join(sets)}",
        ExpressionAttributeNames=names if names else None,
        ExpressionAttributeValues={f":{field}": value for field, value in fields.items()},
        ConditionExpression=boto3.dynamodb.conditions.Attr("id").exists(),
    )


def test_incident(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`scan` names DYS401 with its place, and the deployed filter of bugs matches the line."""
    log = tmp_path / "service.log"
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.Logger("people")
    logger.addHandler(handler)
    for fields in ({"email": "ada@secret.example"}, {"phone": "1"}):
        logger.info("update of %s", sorted(fields))
        try:
            contact(bench.table, fields)
        except AttributeError:
            logger.exception("contact failed")
    handler.close()

    assert main(["logs", "scan", str(log), "--format", "json"]) == 1
    out = capsys.readouterr().out
    (group,) = json.loads(out)["groups"]
    assert (group["code"], group["operation"], group["count"]) == ("DYS401", "UpdateItem", 2)
    assert group["place"] == "logs/test_incident.py:contact"
    assert "secret" not in out

    assert main(["logs", "deploy", GROUP]) == 0
    resources = json.loads(capsys.readouterr().out)["Resources"].values()
    filters = [each["Properties"] for each in resources if "FilterPattern" in each["Properties"]]
    lines = log.read_text().splitlines()
    matched = {
        each["MetricTransformations"][0]["MetricName"]: [
            line for line in lines if lets_through(each["FilterPattern"], line)
        ]
        for each in filters
        if any(lets_through(each["FilterPattern"], line) for line in lines)
    }
    assert set(matched) == {"DynamoDBBug"}
    assert "AttributeError: 'NoneType' object has no attribute 'update'" in matched["DynamoDBBug"]


async def test_trace_of_the_incident(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through dynasafe the same request fails before it is sent, and the trace shows the call."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name.upper(), value)
    telemetry = Telemetry()
    request = {
        "TableName": "people",
        "Key": {"id": {"S": "u1"}},
        "UpdateExpression": "SET email = :email",
        "ExpressionAttributeNames": {},
        "ExpressionAttributeValues": {":email": {"S": "ada@secret.example"}},
    }
    async with AsyncDynamoDB.connect(
        region_name="us-east-1", endpoint_url=bench.endpoint_url, hooks=[telemetry.hook]
    ) as db:
        with pytest.raises(InvalidRequestError, match="DYS103"):
            await db.call("UpdateItem", request)

    (call,) = telemetry.spans  # no attempt: nothing was sent
    assert call.name == "UpdateItem people"
    assert (call.attributes or {})["error.type"] == "InvalidRequestError"
    assert "secret" not in call.to_json()
