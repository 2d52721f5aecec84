"""The evaluator and the engines on generated items, updates and conditions: the same everywhere."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from dynasafe import check_request
from dynasafe.attribute_value import bytes_of
from dynasafe.errors import InvalidRequestError
from dynasafe.expressions import evaluate
from dynasafe.expressions.nodes import Update, Value
from dynasafe.expressions.parse import parse_condition, parse_update
from dynasafe.testing.engines import Engine
from tests.support.requests import HEADERS
from tests.support.triples import Triples

PARTS = 10
TRIPLES_IN_A_PART = 2000
KEY = {"pk": {"S": "k"}}
# The emulator's words; the service's are those that it uses for every number.
DIGITS = "DynamoDB only supports precision up to 38 digits"

Outcome = tuple[str, Any]


class Table:
    """A table on an engine, over one connection."""

    def __init__(self, engine: Engine) -> None:
        self.name = f"triples-{uuid4()}"
        host = engine.endpoint_url.removeprefix("http://")
        self.connection = http.client.HTTPConnection(host, timeout=30)
        self.send(
            "CreateTable",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        )

    def send(self, operation: str, **members: Any) -> Outcome:
        """The answer's Attributes, or the error's code and message."""
        headers = {**HEADERS, "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        body = json.dumps({"TableName": self.name, **members})
        self.connection.request("POST", "/", body, headers)
        response = self.connection.getresponse()
        answer = json.loads(response.read() or b"{}")
        if response.status == 200:
            return "ok", comparable_map(answer.get("Attributes", {}))
        code = answer["__type"].split("#")[-1]
        message = answer.get("message", answer.get("Message"))
        return code, evaluate_words(message)

    def close(self) -> None:
        self.send("DeleteTable")
        self.connection.close()


def evaluate_words(message: str) -> str:
    same = "Attempting to store more than 38 significant digits in a Number"
    return same if message == DIGITS else message


def comparable(value: dict[str, Any]) -> Any:
    """Equal for equal values, whatever the spelling of numbers and the order of sets."""
    ((type_name, content),) = value.items()
    match type_name:
        case "N" | "S":
            return type_name, evaluate.sort_key(value)
        case "B":
            return "B", bytes_of(content)
        case "SS" | "NS" | "BS":
            members = (evaluate.sort_key({type_name[0]: each}) for each in content)
            return type_name, frozenset(members)
        case "L":
            return "L", [comparable(each) for each in content]
        case "M":
            return "M", comparable_map(content)
        case _:
            return type_name, content


def comparable_map(item: Any) -> dict[str, Any]:
    return {name: comparable(value) for name, value in item.items()}


def evaluated(
    item: dict[str, Any] | None, params: dict[str, Any], *, whole_attributes: bool
) -> Outcome:
    """What the evaluator makes of the request, in the form of the engine's answer."""
    values = params.get("ExpressionAttributeValues", {})
    old = item or {}
    condition = params.get("ConditionExpression")
    if condition is not None and not evaluate.holds(parse_condition(condition, {}, values), old):
        return "ConditionalCheckFailedException", "The conditional request failed"
    text = params.get("UpdateExpression")
    update = Update() if text is None else parse_update(text, {}, values)
    try:
        new = evaluate.apply(update, {**KEY, **old})
    except InvalidRequestError as error:
        return "ValidationException", error.findings[0].message
    wanted = params["ReturnValues"]
    whole = old if wanted in ("ALL_OLD", "UPDATED_OLD") else new
    returned = dict(whole)
    if wanted in ("UPDATED_OLD", "UPDATED_NEW"):
        returned = evaluate.changed_attributes(update, whole)
        if whole_attributes:
            returned = {name: whole[name] for name in returned}
    return "ok", comparable_map(returned)


def requests(random: Random) -> Iterator[tuple[dict[str, Any] | None, dict[str, Any]]]:
    """Items, some of which are not there, and updates of them that can only fail by the item."""
    while True:
        triples = Triples(random)
        attributes = triples.item()
        item = {**KEY, **attributes} if random.random() < 0.9 else None
        params: dict[str, Any] = {"Key": KEY, "ReturnValues": "ALL_NEW"}
        if random.random() < 0.85:
            params["UpdateExpression"] = triples.update(attributes)
            params["ReturnValues"] = random.choice(
                ["ALL_NEW", "ALL_OLD", "UPDATED_OLD", "UPDATED_NEW"]
            )
        if "UpdateExpression" not in params or random.random() < 0.4:
            params["ConditionExpression"] = triples.condition(attributes)
        if triples.values:
            params["ExpressionAttributeValues"] = triples.values
        if not check_request("UpdateItem", {"TableName": "some-table", **params}):
            yield item, params


def judged(table: Table, item: dict[str, Any] | None, params: dict[str, Any]) -> Outcome:
    if item is None:
        table.send("DeleteItem", Key=KEY)
    else:
        assert table.send("PutItem", Item=item)[0] == "ok"
    return table.send("UpdateItem", **params)


@pytest.mark.parametrize("part", range(PARTS))
def test_given_many_triples_then_items_returns_and_errors_are_dynamodb_locals(
    dynamodb_local: Engine, part: int
) -> None:
    """UPDATED_OLD and UPDATED_NEW: the emulator returns whole attributes, the service only the
    changed parts of them, as the next test has it.
    """
    outcomes: Counter[str] = Counter()
    with closing(Table(dynamodb_local)) as table:
        for number, (item, params) in enumerate(requests(Random(part))):
            if number == TRIPLES_IN_A_PART:
                break
            theirs = judged(table, item, params)
            ours = evaluated(item, params, whole_attributes=True)
            assert ours == theirs, (item, params)
            outcomes[theirs[0]] += 1

    assert all(outcomes[code] > 100 for code in outcomes)
    assert outcomes.keys() == {"ok", "ValidationException", "ConditionalCheckFailedException"}


def test_given_updates_then_the_changed_parts_are_returned_as_dynalite_does(
    dynalite: Engine,
) -> None:
    """dynalite's authors recorded the service. It dies of some updates that copy attributes."""
    compared = 0
    with closing(Table(dynalite)) as table:
        for item, params in requests(Random(0)):
            if compared == 1000:
                break
            if not params["ReturnValues"].startswith("UPDATED") or "ConditionExpression" in params:
                continue
            update = parse_update(
                params["UpdateExpression"], {}, params.get("ExpressionAttributeValues", {})
            )
            ours = evaluated(item, params, whole_attributes=False)
            if ours[0] == "ok" and all(isinstance(each.value, Value) for each in update.set):
                assert judged(table, item, params) == ours, (item, params)
                compared += 1
