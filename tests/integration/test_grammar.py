"""The recorded verdicts on expression texts, asked of the running engine again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from dynasafe.testing.engines import Engine
from tests.integration.conftest import boto3_client, key_schema

VERDICTS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "data" / "grammar_verdicts.json").read_text()
)
VALUES: dict[str, Any] = {
    ":v": {"N": "1"},
    ":w": {"N": "2"},
    ":s": {"S": "x"},
    ":l": {"L": []},
    ":ns": {"NS": ["1"]},
}
TABLE = "grammar-verdicts"
KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}


def ask(client: Any, kind: str, text: str) -> str | None:
    names = {alias: f"nm{alias[1:]}" for alias in re.findall(r"#[A-Za-z0-9_]+", text)}
    values = {name: VALUES.get(name, {"N": "1"}) for name in re.findall(r":[A-Za-z0-9_]+", text)}
    members: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
    if values:
        members["ExpressionAttributeValues"] = values
    try:
        match kind:
            case "update":
                client.update_item(TableName=TABLE, Key=KEY, UpdateExpression=text, **members)
            case "condition":
                client.scan(TableName=TABLE, FilterExpression=text, **members)
            case "key condition":
                client.query(TableName=TABLE, KeyConditionExpression=text, **members)
            case _:
                client.get_item(TableName=TABLE, Key=KEY, ProjectionExpression=text, **members)
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return None


def test_recorded_verdicts(dynamodb_local: Engine) -> None:
    """The engine's verdict on each recorded text is the recorded one."""
    client = boto3_client(dynamodb_local)
    schema = key_schema(pk="S", sk="S")
    client.create_table(TableName=TABLE, BillingMode="PAY_PER_REQUEST", **schema)
    try:
        answers = [ask(client, verdict["kind"], verdict["text"]) for verdict in VERDICTS]
    finally:
        client.delete_table(TableName=TABLE)

    different = [
        (verdict["text"], answer, verdict["refusal"])
        for verdict, answer in zip(VERDICTS, answers, strict=True)
        if without_lists(answer) != without_lists(verdict["refusal"])
    ]
    assert different == []


def without_lists(message: str | None) -> str | None:
    """The engine lists types in an order that changes from run to run."""
    return None if message is None else re.sub(r"\{.*\}", "{...}", message)
