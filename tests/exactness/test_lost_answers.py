"""Random updates under random conditions, with lost answers and another writer, on DynamoDB Local.

The transport below knows which attempts were applied. So each verdict can be judged: "refused"
means that none was, and a success means that the update was applied as if once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.errors import NotSentError, OutcomeUnknownError, ServiceError
from dynasafe.resilience.boundary import Lost
from dynasafe.values.wire import fingerprint
from tests.integration.conftest import CREDENTIALS, REGION, Engines, engines, key_schema
from tests.support import faces
from tests.support.faces import face, pytest_generate_tests

__all__ = ["engines", "face", "pytest_generate_tests"]

BOTH_FACES = {"test_verdicts_are_true"}

TABLE = "lost-answers"
KEY = {"pk": {"S": "k"}}
CASES = int(os.environ.get("DYNASAFE_LOST_ANSWERS", "400"))
SEED = int(os.environ.get("DYNASAFE_SEED", "20261126"))

NUMBERS = [{"N": "0"}, {"N": "1"}, {"N": "1.0"}, {"N": "2"}]
SETS = [{"SS": ["a"]}, {"SS": ["a", "b"]}, {"SS": ["b", "a"]}]
ITEMS = [
    {},
    {"a": {"N": "1"}, "n": {"N": "0"}},
    {"a": {"N": "1.0"}, "n": {"N": "5"}, "s": {"SS": ["a"]}},
    {"l": {"L": [{"N": "1"}, {"N": "2"}, {"M": {"b": {"N": "1"}}}]}, "n": {"N": "1"}},
    {"m": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}, "s": {"SS": ["a", "b"]}},
]
CLAUSES = [
    "SET a = :x",
    "SET a = :x, n = if_not_exists(n, :zero) + :one",
    "SET n = n + :one",
    "SET n = :x",
    "SET s = :s",
    "SET l[5] = :x",
    "SET l[0] = :x",
    "SET l = list_append(if_not_exists(l, :empty), :list)",
    "SET m.x = :x",
    "SET a = n",
    "REMOVE l[0]",
    "REMOVE l[2].b, l[0]",
    "REMOVE a",
    "REMOVE m.x",
    "ADD n :one",
    "ADD s :s",
    "DELETE s :s",
    "SET a = :x ADD n :one",
    "SET s = :s ADD n :one",
    "REMOVE a ADD n :one",
]
CONDITIONS = [
    None,
    None,
    "attribute_exists(a)",
    "attribute_not_exists(a)",
    "attribute_exists(l[0])",
    "attribute_not_exists(l[5])",
    "attribute_exists(l[2].b)",
    "attribute_not_exists(m.x)",
    "a = :old",
    "s = :olds",
    "n < :two",
    "n = :zero",
    "l[0] = :old",
    "a <> :x",
    "attribute_not_exists(a) OR a = :old",
]
VALUES = {
    ":zero": {"N": "0"},
    ":one": {"N": "1"},
    ":two": {"N": "2"},
    ":empty": {"L": []},
    ":list": {"L": [{"S": "z"}]},
}


def calm(engines: Engines) -> AsyncDynamoDB:
    """The engine itself."""
    return AsyncDynamoDB.connect(
        region_name=REGION,
        endpoint_url=engines.get("dynamodb-local").endpoint_url,
        client_options=CREDENTIALS,
    )


class LosingTransport:
    """Sends to the engine, loses answers, and lets another writer come before a repeat."""

    is_bound_to_loop = False

    def __init__(self, engine: AsyncDynamoDB, random: Random) -> None:
        self.inner: Any = engine._transport
        self.engine = engine
        self.random = random
        self.sent = 0
        self.applied = 0
        self.is_repeat_visible = False  # a second application changed the item by itself

    async def refresh_credentials(self) -> bool:
        return False

    async def stored(self) -> Any:
        answer = await self.engine.call("GetItem", {"TableName": TABLE, "Key": KEY})
        return fingerprint(answer.get("Item", {}))

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        came_between = False
        if self.sent and self.random.random() < 0.4:
            came_between = True
            clause = self.random.choice(["SET a = :x", "REMOVE a", "ADD n :x", "SET l = :l"])
            values = {":x": self.random.choice(NUMBERS), ":l": {"L": [{"N": "7"}]}}
            used = {name: value for name, value in values.items() if name in clause}
            raw = {"TableName": TABLE, "Key": KEY, "UpdateExpression": clause}
            if used:
                raw["ExpressionAttributeValues"] = used
            await self.engine.call("UpdateItem", raw)
        self.sent += 1
        before = await self.stored()
        answer: Mapping[str, Any] = await self.inner.send(operation, params, timeout_s=timeout_s)
        after = await self.stored()
        self.applied += 1
        if self.applied > 1 and before != after and not came_between:
            self.is_repeat_visible = True
        if self.random.random() < 0.6:
            raise Lost("the test loses it")
        return answer


def request(random: Random) -> dict[str, Any]:
    """An update that the engine takes for most of the items."""
    update, condition = random.choice(CLAUSES), random.choice(CONDITIONS)
    values = {
        **VALUES,
        ":x": random.choice(NUMBERS),
        ":old": random.choice(NUMBERS),
        ":s": random.choice(SETS),
        ":olds": random.choice(SETS),
    }
    text = f"{update} {condition or ''} "
    used = {
        name: value
        for name, value in values.items()
        if any(
            text[at + len(name)] in " ,)" for at in range(len(text)) if text.startswith(name, at)
        )
    }
    params: dict[str, Any] = {"TableName": TABLE, "Key": KEY, "UpdateExpression": update}
    if condition is not None:
        params["ConditionExpression"] = condition
    if used:
        params["ExpressionAttributeValues"] = used
    return params


async def test_verdicts_are_true(engines: Engines) -> None:
    """No update is reported as refused though it was applied, nor counted twice with success."""
    random = Random(SEED)
    verdicts = {"success": 0, "refused": 0, "unknown": 0, "repeated": 0}
    async with calm(engines) as engine:
        await engine.call(
            "CreateTable",
            {"TableName": TABLE, "BillingMode": "PAY_PER_REQUEST", **key_schema(pk="S")},
        )
        for case in range(CASES if faces.library() == "aioboto3" else CASES // 4):
            item = {**KEY, **random.choice(ITEMS)}
            await engine.call("PutItem", {"TableName": TABLE, "Item": item})
            params = request(random)
            transport = LosingTransport(engine, random)
            db = faces.over(transport, breaker=None)
            try:
                await db.call("UpdateItem", params)
            except OutcomeUnknownError:
                verdicts["unknown"] += 1
            except (ServiceError, NotSentError):
                verdicts["refused"] += 1
                assert transport.applied == 0, (case, params)
            else:
                verdicts["success"] += 1
                assert transport.applied >= 1, (case, params)
                assert not transport.is_repeat_visible, (case, item, params)
            verdicts["repeated"] += transport.sent > 1
        await engine.call("DeleteTable", {"TableName": TABLE})
    assert all(verdicts.values()), verdicts


async def test_the_search_finds_a_repeat_that_is_none(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If every update counted as repeatable, the same search would find the double count."""
    from dynasafe.calls import handwritten

    monkeypatch.setattr(handwritten, "_is_idempotent_update", lambda params: True)
    with pytest.raises(AssertionError):
        await test_verdicts_are_true(engines)
    async with calm(engines) as engine:
        await engine.call("DeleteTable", {"TableName": TABLE})
