"""The evaluator and the engines on generated items, updates and conditions: the same everywhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from random import Random
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe import check_request
from dynasafe.errors import InvalidRequestError
from dynasafe.expressions import evaluate
from dynasafe.expressions.nodes import Value
from dynasafe.expressions.parser import parse_condition, parse_update
from dynasafe.testing import strategies
from dynasafe.testing.engines import Engine
from dynasafe.values.convert import to_attribute_map
from dynasafe.values.wire import bytes_of, sort_key
from tests.integration.conftest import Engines
from tests.support.budgets import examples
from tests.support.requests import Connection
from tests.support.triples import Triples

PARTS = 10
TRIPLES_IN_A_PART = examples(20_000) // PARTS
AT_ONCE = 25
# The emulator's words; the service's are those that it uses for every number.
DIGITS = "DynamoDB only supports precision up to 38 digits"

AttributeMap = dict[str, Any]
Outcome = tuple[str, Any]


class Table:
    """A table on an engine, over one connection."""

    def __init__(self, engine: Engine) -> None:
        self.name = f"triples-{uuid4()}"
        self.connection = Connection(engine.endpoint_url)
        self.send(
            "CreateTable",
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        )

    def send(self, operation: str, **members: Any) -> tuple[int, AttributeMap]:
        (answer,) = self.connection.exchange(operation, members)
        return answer

    def update(self, *requests: AttributeMap) -> list[Outcome]:
        """Of each answer its Attributes, or the error's code and message."""
        bodies = [{**params, "TableName": self.name} for params in requests]
        return [outcome(*each) for each in self.connection.exchange("UpdateItem", *bodies)]

    def put(self, items: list[AttributeMap]) -> None:
        writes = [{"PutRequest": {"Item": item}} for item in items]
        status, answer = self.send("BatchWriteItem", RequestItems={self.name: writes})
        assert (status, answer["UnprocessedItems"]) == (200, {})

    def get(self, keys: list[AttributeMap]) -> dict[str, AttributeMap]:
        """The items that are there, by their keys."""
        entry = {"Keys": keys, "ConsistentRead": True}
        status, answer = self.send("BatchGetItem", RequestItems={self.name: entry})
        assert (status, answer["UnprocessedKeys"]) == (200, {})
        return {item["pk"]["S"]: comparable_map(item) for item in answer["Responses"][self.name]}

    def close(self) -> None:
        self.send("DeleteTable", TableName=self.name)
        self.connection.close()


def outcome(status: int, answer: AttributeMap) -> Outcome:
    if status == 200:
        return "ok", comparable_map(answer.get("Attributes", {}))
    message = answer.get("message", answer.get("Message"))
    if message == DIGITS:
        message = "Attempting to store more than 38 significant digits in a Number"
    return answer["__type"].split("#")[-1], message


def comparable(value: AttributeMap) -> Any:
    """Equal for equal values, whatever the spelling of numbers and the order of sets."""
    ((type_name, content),) = value.items()
    match type_name:
        case "N" | "S":
            return type_name, sort_key(value)
        case "B":
            return "B", bytes_of(content)
        case "SS" | "NS" | "BS":
            members = (sort_key({type_name[0]: each}) for each in content)
            return type_name, frozenset(members)
        case "L":
            return "L", [comparable(each) for each in content]
        case "M":
            return "M", comparable_map(content)
        case _:
            return type_name, content


def comparable_map(item: AttributeMap) -> AttributeMap:
    return {name: comparable(value) for name, value in item.items()}


class Triple(NamedTuple):
    """An item, which may not be there, with an update and a condition in one request."""

    item: AttributeMap | None
    params: AttributeMap

    def alone(self) -> Triple:
        """The update without the condition."""
        params = {name: self.params[name] for name in ("Key", "ReturnValues", "UpdateExpression")}
        used = set(re.findall(r"[#:]\w+", params["UpdateExpression"]))
        for member in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
            given = self.params.get(member, {})
            if used & given.keys():
                params[member] = {name: given[name] for name in given if name in used}
        return Triple(self.item, params)


RETURN_VALUES = ("ALL_NEW", "ALL_OLD", "UPDATED_OLD", "UPDATED_NEW")


def triples(random: Random, return_values: Sequence[str] = RETURN_VALUES) -> Iterator[Triple]:
    """Those whose requests can fail by the item only."""
    number = 0
    while True:
        made = Triples(random)
        attributes = made.item()
        key = {"pk": {"S": str(number)}}
        params: AttributeMap = {
            "Key": key,
            "ReturnValues": random.choice(return_values),
            "UpdateExpression": made.update(attributes),
            "ConditionExpression": made.condition(attributes),
        }
        if made.names:
            params["ExpressionAttributeNames"] = made.names
        if made.values:
            params["ExpressionAttributeValues"] = made.values
        wire = {"TableName": "some-table", **params}
        if not check_request("UpdateItem", wire, form="wire"):
            number += 1
            yield Triple({**key, **attributes} if random.random() < 0.9 else None, params)


def evaluated(triple: Triple, *, whole_attributes: bool) -> tuple[Outcome, AttributeMap | None]:
    """What the evaluator makes of the request: the engine's answer, and the item afterwards."""
    item, params = triple
    placeholders = (
        params.get("ExpressionAttributeNames", {}),
        params.get("ExpressionAttributeValues", {}),
    )
    old = item or {}
    unchanged = None if item is None else comparable_map(item)
    condition = params.get("ConditionExpression")
    if condition is not None and not evaluate.holds(parse_condition(condition, *placeholders), old):
        failed = ("ConditionalCheckFailedException", "The conditional request failed")
        return failed, unchanged
    update = parse_update(params["UpdateExpression"], *placeholders)
    try:
        new = evaluate.apply(update, {**params["Key"], **old})
    except InvalidRequestError as error:
        return ("ValidationException", error.findings[0].message), unchanged
    wanted = params["ReturnValues"]
    whole = old if wanted in ("ALL_OLD", "UPDATED_OLD") else new
    returned = dict(whole)
    if wanted in ("UPDATED_OLD", "UPDATED_NEW"):
        returned = evaluate.changed_attributes(update, whole)
        if whole_attributes:
            returned = {name: whole[name] for name in returned}
    return ("ok", comparable_map(returned)), comparable_map(new)


def judge(table: Table, part: list[Triple], *, whole_attributes: bool) -> list[str]:
    """Send all requests, and compare each answer, and each item afterwards, with the evaluator's.

    Returns:
        The code of each answer.
    """
    if not part:
        return []
    table.put([triple.item for triple in part if triple.item is not None])
    answers = table.update(*(triple.params for triple in part))
    stored = table.get([triple.params["Key"] for triple in part])
    for triple, theirs in zip(part, answers, strict=True):
        ours, expected = evaluated(triple, whole_attributes=whole_attributes)
        assert ours == theirs, triple
        assert stored.get(triple.params["Key"]["pk"]["S"]) == expected, triple
    return [code for code, _ in answers]


@pytest.mark.parametrize("part", range(PARTS))
def test_memory_agrees_with_dynamodb_local(dynamodb_local: Engine, part: int) -> None:
    """Items, returned attributes and errors are those of DynamoDB Local.

    An update whose condition does not hold is judged again without it. The emulator returns whole
    attributes for UPDATED_OLD and UPDATED_NEW; the service returns the changed parts only, which
    the next test compares.
    """
    outcomes: Counter[str] = Counter()
    generated = islice(triples(Random(part)), TRIPLES_IN_A_PART)
    with closing(Table(dynamodb_local)) as table:
        while some := list(islice(generated, AT_ONCE)):
            codes = judge(table, some, whole_attributes=True)
            refused = [
                triple.alone()
                for triple, code in zip(some, codes, strict=True)
                if code.startswith("Conditional")
            ]
            outcomes.update(codes + judge(table, refused, whole_attributes=True))

    assert outcomes["ok"] > TRIPLES_IN_A_PART / 4
    assert outcomes["ValidationException"] > TRIPLES_IN_A_PART / 4
    assert outcomes["ConditionalCheckFailedException"] > TRIPLES_IN_A_PART / 4
    assert outcomes.total() > TRIPLES_IN_A_PART


def test_memory_returns_changed_parts(dynalite: Engine) -> None:
    """The changed parts are returned as by dynalite, whose authors recorded the service.

    dynalite crashes on some updates that copy attributes: these are left out.
    """
    alone = (triple.alone() for triple in triples(Random(0), ("UPDATED_OLD", "UPDATED_NEW")))
    generated = islice(filter(_returns_changed_parts, alone), examples(1000))
    with closing(Table(dynalite)) as table:
        while some := list(islice(generated, AT_ONCE)):
            judge(table, some, whole_attributes=False)


def _returns_changed_parts(triple: Triple) -> bool:
    """Whether it succeeds, and sets values that stand in the request."""
    (code, _), _ = evaluated(triple, whole_attributes=False)
    placeholders = (
        triple.params.get("ExpressionAttributeNames", {}),
        triple.params.get("ExpressionAttributeValues", {}),
    )
    update = parse_update(triple.params["UpdateExpression"], *placeholders)
    return code == "ok" and all(isinstance(each.value, Value) for each in update.set)


@given(data=st.data())
def test_dynamodb_local_takes_generated_updates(engines: Engines, data: st.DataObject) -> None:
    """DynamoDB Local gives the same result as we do for generated updates and conditions."""
    key = {"pk": "k"}
    item = data.draw(strategies.items(key=key))
    condition = data.draw(strategies.conditions(item))
    update = data.draw(strategies.updates(item, key=key)).condition(condition)
    params = update.build_client(table_name="given below", key=key, return_values="ALL_NEW")
    with closing(Table(engines.get("dynamodb-local"))) as table:
        table.put([to_attribute_map(item)])
        ((code, answer),) = table.update(params)

    assert code == ("ok" if condition.matches(item) else "ConditionalCheckFailedException")
    if code == "ok":
        assert answer == comparable_map(to_attribute_map(update.apply(item)))
