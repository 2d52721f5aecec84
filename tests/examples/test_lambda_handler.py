"""The Lambda handler: one loop and one client over all invocations, and answers in time."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, CircuitBreaker
from dynasafe.testing import (
    MemoryTransport,
    ScriptedTransport,
    refused,
    table_description,
    throttled,
    timed_out,
)
from dynasafe.testing.descriptions import create_table_params
from examples.recipes import lambda_handler
from examples.recipes.lambda_handler import Handler, Person
from tests.integration.conftest import Engines, boto3_client, connect

ADA = {"id": "p1", "name": "Ada", "email": "ada@example.org"}
STORED = {"id": {"S": "p1"}, "name": {"S": "Ada"}, "email": {"S": "ada@example.org"}}


@dataclass
class Context:
    remaining_ms: int = 3000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


def event(
    method: str, person_id: str | None = "p1", body: object = None, *, is_base64: bool = False
) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {
        "version": "2.0",
        "requestContext": {"http": {"method": method}},
        "pathParameters": None if person_id is None else {"id": person_id},
        "body": b64encode(text.encode()).decode() if is_base64 else text,
        "isBase64Encoded": is_base64,
    }


class Connections:
    """Makes databases over a transport, and remembers on which loop each was opened."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.made: list[AsyncDynamoDB] = []
        self.loops: set[int] = set()

    def __call__(self) -> AsyncDynamoDB:
        self.loops.add(id(asyncio.get_running_loop()))
        self.made.append(AsyncDynamoDB.over(self.transport))
        return self.made[-1]


@pytest.fixture
def connections() -> Connections:
    transport = MemoryTransport({"people": Person})
    transport.tables["people"].put(STORED)
    return Connections(transport)


@pytest.fixture
def handler(connections: Connections) -> Iterator[Handler]:
    handler = Handler(connections, "people")
    yield handler
    handler.close()


def test_given_many_invocations_then_one_client_serves_them(
    handler: Handler, connections: Connections
) -> None:
    for number in range(5):
        changed = handler(event("PATCH", body={"name": f"Ada {number}"}), Context())
        assert json.loads(changed["body"]) == {**ADA, "name": f"Ada {number}"}
        assert handler(event("GET"), Context()) == changed

    assert (len(connections.made), len(connections.loops)) == (1, 1)


def test_given_a_body_in_base64_then_it_is_read(handler: Handler) -> None:
    changed = handler(event("PATCH", body={"email": None}, is_base64=True), Context())

    assert json.loads(changed["body"]) == {**ADA, "email": None}


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (event("GET", "p9"), 404),
        (event("GET", None), 404),
        (event("PATCH", "p9", {"name": "Eve"}), 404),
        (event("PATCH", "p9", {}), 404),
        (event("PATCH", body={}), 200),
        (event("DELETE"), 405),
        (event("PATCH", body={"is_admin": True}), 422),
        (event("PATCH", body={"id": "p2"}), 422),
        (event("PATCH", body={"name": None}), 422),
        (event("PATCH", body={"name": 3}), 422),
        (event("PATCH", body=[]), 422),
        (event("PATCH", body="{"), 422),
    ],
)
def test_given_an_event_then_it_has_its_status_and_ada_stays(
    handler: Handler, given: dict[str, Any], status: int
) -> None:
    assert handler(given, Context())["statusCode"] == status
    assert json.loads(handler(event("GET"), Context())["body"]) == ADA


def test_given_no_time_then_nothing_is_sent(handler: Handler, connections: Connections) -> None:
    refused = handler(event("GET"), Context(remaining_ms=500))

    assert (refused["statusCode"], refused["headers"]["retry-after"]) == (503, "1")
    assert connections.transport.calls == []


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (timed_out(), 504),
        (throttled(), 429),
        (refused("AccessDeniedException", "no"), 500),
    ],
)
def test_given_a_failure_then_the_caller_is_told_honestly(answer: Any, status: int) -> None:
    transport = ScriptedTransport([answer] * 8)
    handler = Handler(lambda: AsyncDynamoDB.over(transport, retry=None, breaker=None), "people")

    told = handler(event("PATCH", body={"name": "Ada L."}), Context())
    handler.close()

    assert told["statusCode"] == status
    assert "Ada" not in told["body"]


def test_given_an_open_circuit_then_the_caller_is_told_to_wait() -> None:
    breaker = CircuitBreaker(name="people")
    breaker.force_open()
    handler = Handler(lambda: AsyncDynamoDB.over(ScriptedTransport([]), breaker=breaker), "people")

    told = handler(event("GET"), Context())
    handler.close()

    assert (told["statusCode"], told["headers"]["retry-after"]) == (503, "1")


def test_given_the_end_of_the_process_then_the_client_is_closed(engines: Engines) -> None:
    engine = engines.get("dynamodb-local")
    client = boto3_client(engine)
    client.create_table(**create_table_params("lambda-people", table_description(Person)))
    client.put_item(TableName="lambda-people", Item=STORED)
    told: list[str] = []

    @asynccontextmanager
    async def connecting() -> AsyncIterator[AsyncDynamoDB]:
        async with connect(engine) as db:
            told.append("opened")
            yield db
        told.append("closed")

    handler = Handler(connecting, "lambda-people")
    assert json.loads(handler(event("GET"), Context())["body"]) == ADA
    assert handler(event("PATCH", body={"name": "A."}), Context())["statusCode"] == 200
    assert told == ["opened"]
    handler.close()

    assert told == ["opened", "closed"]
    client.delete_table(TableName="lambda-people")
    client.close()


def test_given_a_process_that_was_never_invoked_then_closing_it_is_fine() -> None:
    Handler(lambda_handler.open_database, "people").close()


def test_given_the_module_then_its_handler_is_ready_and_has_no_client_yet() -> None:
    assert lambda_handler.handler(event("GET"), Context(remaining_ms=0))["statusCode"] == 503
