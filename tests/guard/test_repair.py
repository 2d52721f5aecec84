"""Mode "repair": broken calls of kinds that real code has, and what is sent in their place."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import boto3
import pytest

from dynasafe import check_request, guard
from dynasafe.events import Event, RequestRefused, RequestRepaired

KEY = {"id": {"S": "a"}}
VALUES = {":v": {"S": "x"}}
SET = {
    "TableName": "people",
    "Key": KEY,
    "UpdateExpression": "SET email = :v",
    "ExpressionAttributeValues": VALUES,
}
RESERVED = {**SET, "UpdateExpression": "SET status = :v"}
GET = {"TableName": "people", "Key": KEY}
KEYS = [KEY, {"id": {"S": "b"}}]


def batch(**members: Any) -> dict[str, Any]:
    return {"RequestItems": {"people": {"Keys": KEYS, **members}}}


def transaction(update: dict[str, Any]) -> dict[str, Any]:
    return {"TransactItems": [{"Delete": GET | {"Key": KEYS[1]}}, {"Update": update}]}


PLACEHOLDERS = "reserved words in {} replaced by placeholders [DYS215]"
# What is logged of each kind.
LOGGED: dict[str, list[str]] = {
    "empty names": ["ExpressionAttributeNames left out [DYS103]"],
    "names that are None": ["ExpressionAttributeNames left out [DYS103]"],
    "a condition that is None": ["ConditionExpression left out [DYS103]"],
    "a start key that is None": [
        "ExclusiveStartKey left out [DYS103]",
        "Limit left out [DYS103]",
    ],
    "a missing alias": [PLACEHOLDERS.format("UpdateExpression")],
    "a value that nothing uses": ["unused entries of ExpressionAttributeValues left out [DYS222]"],
    "names that nothing uses": ["ExpressionAttributeNames left out [DYS222]"],
    "names without an expression": ["ExpressionAttributeNames left out [DYS107]"],
    "a missing alias in a transaction": [
        PLACEHOLDERS.format("TransactItems[1].Update.UpdateExpression")
    ],
    "a missing alias in a batch": [PLACEHOLDERS.format("RequestItems.people.ProjectionExpression")],
    "a key twice in a batch": ["repeated keys of RequestItems.people.Keys left out [DYS172]"],
}
# The kind; the operation, the broken call, what is sent, and the members that were changed.
CALLS: dict[str, tuple[str, dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "empty names": (
        "UpdateItem",
        {**SET, "ExpressionAttributeNames": {}},
        SET,
        ("ExpressionAttributeNames",),
    ),
    "names that are None": (
        "UpdateItem",
        {**SET, "ExpressionAttributeNames": None},
        SET,
        ("ExpressionAttributeNames",),
    ),
    "a condition that is None": (
        "UpdateItem",
        {**SET, "ConditionExpression": None},
        SET,
        ("ConditionExpression",),
    ),
    "a start key that is None": (
        "Scan",
        {"TableName": "people", "ExclusiveStartKey": None, "Limit": None},
        {"TableName": "people"},
        ("ExclusiveStartKey", "Limit"),
    ),
    "a missing alias": (
        "UpdateItem",
        RESERVED,
        {
            **RESERVED,
            "UpdateExpression": "SET #status = :v",
            "ExpressionAttributeNames": {"#status": "status"},
        },
        ("UpdateExpression", "ExpressionAttributeNames"),
    ),
    "a value that nothing uses": (
        "UpdateItem",
        {**SET, "ExpressionAttributeValues": {**VALUES, ":w": {"S": "y"}}},
        SET,
        ("ExpressionAttributeValues",),
    ),
    "names that nothing uses": (
        "UpdateItem",
        {**SET, "ExpressionAttributeNames": {"#n": "name"}},
        SET,
        ("ExpressionAttributeNames",),
    ),
    "names without an expression": (
        "GetItem",
        {**GET, "ExpressionAttributeNames": {"#n": "name"}},
        GET,
        ("ExpressionAttributeNames",),
    ),
    "a missing alias in a transaction": (
        "TransactWriteItems",
        transaction(RESERVED),
        transaction(
            {
                **RESERVED,
                "UpdateExpression": "SET #status = :v",
                "ExpressionAttributeNames": {"#status": "status"},
            }
        ),
        (
            "TransactItems[1].Update.UpdateExpression",
            "TransactItems[1].Update.ExpressionAttributeNames",
        ),
    ),
    "a missing alias in a batch": (
        "BatchGetItem",
        batch(ProjectionExpression="name"),
        batch(ProjectionExpression="#name", ExpressionAttributeNames={"#name": "name"}),
        (
            "RequestItems.people.ProjectionExpression",
            "RequestItems.people.ExpressionAttributeNames",
        ),
    ),
    "a key twice in a batch": (
        "BatchGetItem",
        batch(Keys=[*KEYS, KEY]),
        batch(),
        ("RequestItems.people.Keys",),
    ),
}
# What has more than one meaning, or none, is sent as it is.
LEFT: dict[str, tuple[str, dict[str, Any]]] = {
    "an update without an expression": ("UpdateItem", {**GET, "UpdateExpression": ""}),
    "a name that is not defined": ("UpdateItem", {**SET, "UpdateExpression": "SET #e = :v"}),
    "one path twice": ("UpdateItem", {**SET, "UpdateExpression": "SET a = :v, a = :v"}),
    "an empty key": ("GetItem", {**GET, "Key": {"id": {"S": ""}}}),
    "a put twice in a batch": (
        "BatchWriteItem",
        {"RequestItems": {"people": [{"PutRequest": {"Item": KEY}}] * 2}},
    ),
}


def guarded(seen: list[Event], sent: list[Any]) -> Any:
    """A client whose requests are not sent, but kept."""
    client = boto3.client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )

    class NotSentError(Exception):
        pass

    def keep(params: dict[str, Any], **_: Any) -> None:
        sent.append(deepcopy(params))
        raise NotSentError

    guard(client, "repair", hooks=[seen.append])
    client.meta.events.register_last("before-parameter-build.dynamodb", keep)
    client.not_sent = NotSentError
    return client


def call(client: Any, operation: str, params: dict[str, Any]) -> None:
    with pytest.raises(client.not_sent):
        client._make_api_call(operation, {**params})  # as **kwargs are


@pytest.mark.parametrize("kind", CALLS)
def test_repaired(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """A call of the kind is refused, and what is sent in its place is not. Each repair is logged
    with its place."""
    operation, broken, expected, members = CALLS[kind]
    seen: list[Event] = []
    sent: list[Any] = []
    before = deepcopy(broken)

    call(guarded(seen, sent), operation, broken)

    (repaired,) = sent
    repaired.pop("ClientRequestToken", None)  # which botocore gives a transaction
    assert repaired == expected
    assert check_request(operation, broken, form="client") != ()
    assert check_request(operation, expected, form="client") == ()
    assert broken == before  # the caller's own
    assert [event.members for event in seen if isinstance(event, RequestRepaired)] == [members]
    assert not any(isinstance(event, RequestRefused) for event in seen)
    logged = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    for line, text in zip(logged, LOGGED[kind], strict=True):
        assert re.fullmatch(
            re.escape(f"DynamoDB guard: {operation} repaired: {text} at {__file__}:") + r"\d+", line
        )


def test_repairs_of_one_table_only(caplog: pytest.LogCaptureFixture) -> None:
    """A table whose name is the start of another's is not reported with it."""
    tables = {"people": {"Keys": [KEY]}, "people2": {"Keys": [KEY, KEY]}}

    call(guarded([], []), "BatchGetItem", {"RequestItems": tables})

    (line,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert "repeated keys of RequestItems.people2.Keys left out [DYS172]" in line


@pytest.mark.parametrize("kind", LEFT)
def test_left(kind: str) -> None:
    """A call of the kind is sent as it is, and its findings are events."""
    operation, broken = LEFT[kind]
    seen: list[Event] = []
    sent: list[Any] = []

    call(guarded(seen, sent), operation, broken)

    assert sent == [broken]
    assert [type(event) for event in seen] == [RequestRefused]
