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
    method: str,
    person_id: str | None = "p1",
    body: object = None,
    *,
    is_base64: bool = False,
    caller: object = "same",
) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    claims = {"sub": (person_id or "p1") if caller == "same" else caller}
    return {
        "version": "2.0",
        "requestContext": {"http": {"method": method}, "authorizer": {"jwt": {"claims": claims}}},
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


def test_one_client(handler: Handler, connections: Connections) -> None:
    """One client serves all invocations of a process; it is opened when the module is loaded."""
    assert connections.made == []
    handler.open()
    assert len(connections.made) == 1
    for number in range(5):
        changed = handler(event("PATCH", body={"name": f"Ada {number}"}), Context())
        assert json.loads(changed["body"]) == {**ADA, "name": f"Ada {number}"}
        assert handler(event("GET"), Context()) == changed

    assert (len(connections.made), len(connections.loops)) == (1, 1)


def test_body_in_base64(handler: Handler) -> None:
    """A body in base64 is decoded."""
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
def test_status_of_each_event(handler: Handler, given: dict[str, Any], status: int) -> None:
    """Each event has its status and leaves the item as it was."""
    assert handler(given, Context())["statusCode"] == status
    assert json.loads(handler(event("GET"), Context())["body"]) == ADA


def test_no_time_left(handler: Handler, connections: Connections) -> None:
    """Without enough time nothing is sent, and the answer says when to retry."""
    refused = handler(event("GET"), Context(remaining_ms=500))

    assert (refused["statusCode"], refused["headers"]["retry-after"]) == (503, "1")
    assert connections.transport.calls == []


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (timed_out(), 504),
        (throttled(), 503),
        (refused("AccessDeniedException", "no"), 500),
    ],
)
def test_failures(answer: Any, status: int) -> None:
    """The answer to a failure has its status and shows no value."""
    transport = ScriptedTransport([answer] * 8)
    handler = Handler(lambda: AsyncDynamoDB.over(transport, retry=None, breaker=None), "people")

    answered = handler(event("PATCH", body={"name": "Ada L."}), Context())
    handler.close()

    assert answered["statusCode"] == status
    assert "Ada" not in answered["body"]


def test_open_circuit() -> None:
    """While the circuit is open, the answer says when to come back."""
    breaker = CircuitBreaker(name="people")
    breaker.force_open()
    handler = Handler(lambda: AsyncDynamoDB.over(ScriptedTransport([]), breaker=breaker), "people")

    answered = handler(event("GET"), Context())
    handler.close()

    assert (answered["statusCode"], answered["headers"]["retry-after"]) == (503, "1")


def test_client_is_closed_at_the_end(engines: Engines) -> None:
    """The client is opened at the first event and closed at the end of the process."""
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


def test_close_without_an_event() -> None:
    """A handler that was not called can be closed."""
    Handler(lambda_handler.open_database, "people").close()


def test_module_has_a_handler_without_a_client() -> None:
    """The module has its handler, which sends nothing without time."""
    assert lambda_handler.handler(event("GET"), Context(remaining_ms=0))["statusCode"] == 503


@pytest.mark.parametrize(
    ("caller", "status"),
    [("p1", 200), ("p2", 403), ("", 401), (None, 401), (3, 401), ({"sub": "p1"}, 401)],
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_authentication(handler: Handler, method: str, caller: object, status: int) -> None:
    """Without claims of the authorizer the answer is 401, and about another person it is 403."""
    given = event(method, body={"name": "Ada"}, caller=caller)

    assert handler(given, Context())["statusCode"] == status


@pytest.mark.parametrize("authorizer", [None, {}, {"jwt": None}, {"lambda": {"sub": "p1"}}])
def test_no_authorizer(handler: Handler, authorizer: object) -> None:
    """A function that lost its authorizer answers nobody, and says so."""
    given = event("GET")
    given["requestContext"]["authorizer"] = authorizer
    assert handler(given, Context())["statusCode"] == 401
    del given["requestContext"]["authorizer"]

    assert handler(given, Context())["statusCode"] == 401


@pytest.mark.parametrize(
    "body",
    [
        "[" * 20_000,
        '{"a":' * 9_000,
        " " * 70_000,
        '{"name": NaN}',
        '{"name": "\\ud800"}',
        '{"email": {"a": 1}}',
        "3",
        "null",
    ],
)
@pytest.mark.parametrize("is_base64", [True, False])
def test_bad_bodies(handler: Handler, body: str, is_base64: bool) -> None:
    """A body that is malformed, too long or too deep is answered with 422, and changes nothing."""
    given = event("PATCH", body=body, is_base64=is_base64)

    assert handler(given, Context())["statusCode"] == 422
    assert json.loads(handler(event("GET"), Context())["body"]) == ADA


def test_bad_base64(handler: Handler) -> None:
    """A body that says it is base64, and is not, is answered with 422."""
    given = {**event("PATCH", body="x"), "isBase64Encoded": True}

    assert handler(given, Context())["statusCode"] == 422


class Hanging:
    """A client that never connects, or a transport that never answers."""

    async def __aenter__(self) -> AsyncDynamoDB:
        await asyncio.Event().wait()
        raise AssertionError

    async def __aexit__(self, *error: object) -> None:
        raise AssertionError

    async def send(self, operation: str, params: Any, *, timeout_s: float | None) -> Any:
        await asyncio.Event().wait()


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize("hangs", ["connecting", "answering"])
def test_deadline(method: str, hangs: str) -> None:
    """An answer is given before the invocation's time ends, whatever hangs: a cold start,
    connecting, DynamoDB."""
    hanging: Any = Hanging()
    handler = Handler(
        (lambda: hanging) if hangs == "connecting" else (lambda: AsyncDynamoDB.over(hanging)),
        "people",
    )

    answered = handler(event(method, body={"name": "x"}), Context(remaining_ms=600))
    handler.close()

    assert answered["statusCode"] == 504
    assert ("not known" in answered["body"]) == (method == "PATCH")


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_unknown(method: str) -> None:
    """A change that may have been made is answered as unknown; a read never says that."""
    handler = Handler(
        lambda: AsyncDynamoDB.over(ScriptedTransport([timed_out()]), retry=None), "people"
    )

    answered = handler(event(method, body={"name": "x"}), Context())
    handler.close()

    assert answered["statusCode"] == 504
    assert ("whether the change was made" in answered["body"]) == (method == "PATCH")


def test_missing_region(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A missing region is answered with 500 and logged, early and at each invocation."""
    monkeypatch.delenv("AWS_REGION", raising=False)
    handler = Handler(lambda_handler.open_database, "people")

    handler.open()
    answered = handler(event("GET"), Context())
    handler.close()

    assert answered["statusCode"] == 500
    assert [each.message for each in caplog.records] == [
        "Not connected yet: SettingMissingError: The environment variable AWS_REGION is not set. "
        "Fix: set it.",
        "The environment variable AWS_REGION is not set. Fix: set it.",
    ]


def test_wrong_table_name(connections: Connections, caplog: pytest.LogCaptureFixture) -> None:
    """What is wrong on our side (a missing setting, a wrong table name) is answered with 500 and
    logged, and never blamed on the caller."""
    for table_name in ("people!", "no-such-table"):
        handler = Handler(connections, table_name)
        answered = handler(event("PATCH", body={"name": "x"}), Context())
        handler.close()
        assert answered["statusCode"] == 500

    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    "reply", [timed_out(), throttled(), refused("AccessDeniedException", "no")]
)
def test_no_values(reply: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """No answer and no log has an attribute's value."""
    secret = "top secret"
    handler = Handler(
        lambda: AsyncDynamoDB.over(ScriptedTransport([reply]), retry=None, breaker=None), "people"
    )
    answers = [
        handler(event("PATCH", body={"name": secret}), Context()),
        handler(event("PATCH", body={"is_admin": secret}), Context()),
        handler(event("PATCH", body={"email": [secret]}), Context()),
    ]
    handler.close()

    assert secret not in repr(answers)
    assert secret not in caplog.text


@pytest.mark.parametrize("person_id", ["", "x" * 129, "\ud800"])
def test_bad_ids(handler: Handler, person_id: str) -> None:
    """An id that no person has is not found."""
    assert handler(event("GET", person_id, caller=person_id), Context())["statusCode"] in (401, 404)
