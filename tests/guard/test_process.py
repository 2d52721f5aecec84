"""One guard for all clients that are made afterwards, by any package."""

from __future__ import annotations

import inspect
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aioboto3
import aiobotocore.session
import boto3
import botocore.handlers
import botocore.session
import pytest
from aiobotocore.config import AioConfig
from botocore.exceptions import EndpointConnectionError

from dynasafe import guard, guard_process, unguard, unguard_process
from dynasafe.errors import GuardUnavailableError, InvalidRequestError
from dynasafe.events import Event, RequestRefused

ROOT = Path(__file__).parent.parent.parent
OPTIONS: dict[str, Any] = {
    "region_name": "us-east-1",
    "endpoint_url": "http://127.0.0.1:1",
    "aws_access_key_id": "a",
    "aws_secret_access_key": "b",
    "config": AioConfig(retries={"mode": "standard", "total_max_attempts": 1}),
}
INVALID: dict[str, Any] = {
    "TableName": "people",
    "Key": {"id": {"S": "a"}},
    "ProjectionExpression": "a, a.b",
}


@pytest.fixture(autouse=True)
def a_process_without_a_guard() -> Iterator[None]:
    """Whatever ran before: an example of a page may have guarded it, which leaves a handler."""
    unguard_process()
    handlers = botocore.handlers.BUILTIN_HANDLERS
    handlers[:] = [each for each in handlers if each[1].__module__ != "dynasafe.guard.clients"]
    before = list(handlers)
    yield
    unguard_process()
    handlers[:] = before


@pytest.fixture
def no_default_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def is_guarded(client: Any) -> bool:
    """Whether it refuses an invalid request before it is sent: here nobody listens."""
    try:
        client.get_item(**INVALID)
    except InvalidRequestError:
        return True
    except EndpointConnectionError:
        return False
    raise AssertionError("nobody can have answered")


MAKERS = {
    "boto3.client": lambda: boto3.client("dynamodb", **OPTIONS),
    "boto3.resource": lambda: boto3.resource("dynamodb", **OPTIONS).meta.client,
    "boto3.Session": lambda: boto3.Session().client("dynamodb", **OPTIONS),
    "botocore": lambda: botocore.session.get_session().create_client("dynamodb", **OPTIONS),
}


@pytest.mark.parametrize("maker", MAKERS)
def test_sync_clients(maker: str, no_default_session: None) -> None:
    """Every sync client that is made afterwards is guarded, until the guard ends."""
    assert not is_guarded(MAKERS[maker]())

    guard_process("raise")
    client = MAKERS[maker]()

    assert is_guarded(client)
    unguard_process()
    assert not is_guarded(client)
    assert not is_guarded(MAKERS[maker]())


async def test_async_clients() -> None:
    """Every async client that is made afterwards is guarded, until the guard ends."""
    guard_process("raise")

    async with aioboto3.Session().client("dynamodb", **OPTIONS) as client:
        with pytest.raises(InvalidRequestError):
            await client.get_item(**INVALID)
    async with aioboto3.Session().resource("dynamodb", **OPTIONS) as resource:
        with pytest.raises(InvalidRequestError):
            await resource.meta.client.get_item(**INVALID)
    session = aiobotocore.session.get_session()
    async with session.create_client("dynamodb", **OPTIONS) as client:
        with pytest.raises(InvalidRequestError):
            await client.get_item(**INVALID)
        unguard_process()
        with pytest.raises(EndpointConnectionError):
            await client.get_item(**INVALID)


def test_other_services() -> None:
    """Clients of other services are left alone."""
    guard_process("raise")

    client = boto3.client("s3", **OPTIONS)

    assert type(client).__mro__[1].__module__ == "botocore.client"


def test_what_exists_already(no_default_session: None) -> None:
    """Clients and sessions that exist already are not covered, but for boto3's default session."""
    boto3.setup_default_session()
    client, session = boto3.client("dynamodb", **OPTIONS), boto3.Session()

    guard_process("raise")

    assert not is_guarded(client)
    assert not is_guarded(session.client("dynamodb", **OPTIONS))
    assert is_guarded(boto3.client("dynamodb", **OPTIONS))
    guard_process("raise")
    assert is_guarded(boto3.client("dynamodb", **OPTIONS))


def test_block(caplog: pytest.LogCaptureFixture) -> None:
    """A block brings back what was before, for clients that it made too."""
    with guard_process("raise"):
        client = boto3.Session().client("dynamodb", **OPTIONS)
        assert is_guarded(client)
        with guard_process("warn"):
            assert not is_guarded(client)
        assert is_guarded(client)
    assert not is_guarded(client)
    with pytest.raises(KeyError), guard_process("raise"):
        raise KeyError
    assert not is_guarded(client)


def test_own_settings_of_a_client() -> None:
    """The settings of a client or a session come before those of the process."""
    guard_process("raise")
    session = boto3.Session()
    warned = guard(session.client("dynamodb", **OPTIONS), "warn")
    freed = unguard(session.client("dynamodb", **OPTIONS))
    of_session = guard(boto3.Session(), "warn").client("dynamodb", **OPTIONS)

    assert [is_guarded(each) for each in (warned, freed, of_session)] == [False, False, False]
    guard(freed, "raise")
    unguard_process()
    assert is_guarded(freed)


def test_no_builtin_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """If botocore has no list of handlers, or no longer calls it, the guard raises."""
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", ())
    with pytest.raises(GuardUnavailableError, match="The process is not guarded: botocore 1"):
        guard_process()
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", [])
    monkeypatch.setattr(
        botocore.session.Session, "_register_builtin_handlers", lambda self, events: None
    )
    with pytest.raises(GuardUnavailableError):
        guard_process()
    assert botocore.handlers.BUILTIN_HANDLERS == []


def test_warns_once(caplog: pytest.LogCaptureFixture) -> None:
    """Each distinct finding is logged once for each place; events and the end tell the count."""
    seen: list[Event] = []
    guard_process("warn", hooks=[seen.append])
    client = boto3.Session().client("dynamodb", **OPTIONS)

    for _ in range(3):
        is_guarded(client)
    for _ in range(2):
        with pytest.raises(EndpointConnectionError):
            client.get_item(**INVALID)
    warned = [record.getMessage() for record in caplog.records if record.levelno > logging.INFO]

    assert len(warned) == 2
    for message in warned:
        assert message.startswith("DynamoDB guard: GetItem: ")
        assert "[DYS203]" in message
        assert f"\n  at {__file__}:" in message
    refused = [event for event in seen if isinstance(event, RequestRefused)]
    assert [event.count for event in refused] == [1, 2, 3, 1, 2]
    assert all(
        event.is_sent and event.place in warned[event.place == refused[-1].place]
        for event in refused
    )
    assert {(event.operation, event.table_name) for event in refused} == {("GetItem", "people")}
    assert {finding.code for event in refused for finding in event.findings} == {"DYS203"}

    caplog.clear()
    unguard_process()

    message = refused[0].findings[0].message
    assert [record.getMessage() for record in caplog.records] == [
        f"DynamoDB guard: GetItem: {message} [DYS203] at {refused[0].place}: 3 times",
        f"DynamoDB guard: GetItem: {message} [DYS203] at {refused[-1].place}: 2 times",
    ]


def test_logs_repairs_once(caplog: pytest.LogCaptureFixture) -> None:
    """Each repair is logged once for each place; the end tells the count."""
    guard_process("repair")
    client = boto3.Session().client("dynamodb", **OPTIONS)
    key = {"TableName": "people", "Key": {"id": {"S": "a"}}}

    for _ in range(3):
        with pytest.raises(EndpointConnectionError):
            client.get_item(**key, ExpressionAttributeNames={}, ProjectionExpression="name")
    line = inspect.currentframe().f_lineno - 1  # type: ignore[union-attr]
    with pytest.raises(EndpointConnectionError):
        client.get_item(**key, ExpressionAttributeNames={})

    logged = [
        f"GetItem repaired: ExpressionAttributeNames left out [DYS103] at {__file__}:{line}",
        "GetItem repaired: reserved words in ProjectionExpression replaced by placeholders "
        f"[DYS215] at {__file__}:{line}",
        f"GetItem repaired: ExpressionAttributeNames left out [DYS103] at {__file__}:{line + 3}",
    ]
    assert [(record.levelname, record.getMessage()) for record in own(caplog)] == [
        ("WARNING", f"DynamoDB guard: {each}") for each in logged
    ]

    caplog.clear()
    unguard_process()

    assert [record.getMessage() for record in own(caplog)] == [
        f"DynamoDB guard: {each}: 3 times" for each in logged[:2]
    ]


def own(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What dynasafe has logged, but for events."""
    return [
        each for each in caplog.records if each.name == "dynasafe" and each.levelno > logging.DEBUG
    ]


def test_refused_event() -> None:
    """A refusal is an event, which no `except Exception` hides."""
    seen: list[Event] = []
    client = guard(boto3.client("dynamodb", **OPTIONS), hooks=[seen.append])

    assert is_guarded(client)

    (event,) = seen
    assert isinstance(event, RequestRefused)
    assert not event.is_sent
    assert event.findings[0].code == "DYS203"


def test_threads() -> None:
    """Guarding from many threads at once adds one handler."""
    before = len(botocore.handlers.BUILTIN_HANDLERS)
    threads = [threading.Thread(target=guard_process) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(botocore.handlers.BUILTIN_HANDLERS) == before + 1


SCRIPT = """
import dynasafe.autoguard
import boto3
from botocore.config import Config
from dynasafe.errors import InvalidRequestError
client = boto3.client(
    "dynamodb", region_name="us-east-1", endpoint_url="http://127.0.0.1:1",
    aws_access_key_id="a", aws_secret_access_key="b",
    config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
)
try:
    client.get_item(
        TableName="people", Key={"id": {"S": "a"}}, ProjectionExpression="a, a.b"
    )
except InvalidRequestError:
    print("refused")
except Exception:
    print("sent")
"""


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("raise", "refused"),
        (" WARN ", "sent"),
        *((word, "sent") for word in ("off", "", "0", "False", "NO", "none", None)),
    ],
)
def test_autoguard(mode: str | None, expected: str) -> None:
    """The environment says whether and how the process is guarded."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("DYNASAFE_GUARD", None)
    if mode is not None:
        environment["DYNASAFE_GUARD"] = mode
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )

    assert result.stdout == f"{expected}\n"
    assert ("[DYS203]" in result.stderr) is (mode == " WARN ")


@pytest.mark.parametrize("word", ["Yes", "1", "loud"])
def test_autoguard_with_nonsense(word: str) -> None:
    """An unknown mode is an error that names the variable, not a process without a guard."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DYNASAFE_GUARD": word}
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False
    )

    assert result.stderr.splitlines()[-1] == (
        "dynasafe.errors.ValueOutOfRangeError: "
        f"DYNASAFE_GUARD: 'warn', 'raise', 'repair' or 'off' is expected, not '{word}'"
    )
