"""Engines that run for the whole test session, and tables on them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from dynasafe import AsyncDynamoDB
from dynasafe.testing.engines import Engine, EngineName, EngineUnavailableError, start_engine
from tests.support import faces
from tests.support.faces import face, pytest_generate_tests
from tests.support.false_alarms import false_alarms

__all__ = ["face", "pytest_generate_tests"]

ALL: list[EngineName] = ["moto", "dynalite", "dynamodb-local"]
STRICT: list[EngineName] = ["dynalite", "dynamodb-local"]
CREDENTIALS = {
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
REGION = "us-east-1"

CreateTable = Callable[..., Awaitable[str]]


class Engines:
    """Starts each engine when it is first asked for."""

    def __init__(self, exit_stack: ExitStack) -> None:
        self._exit_stack = exit_stack
        self._running: dict[EngineName, Engine | EngineUnavailableError] = {}

    def get(self, name: EngineName) -> Engine:
        if name not in self._running:
            try:
                self._running[name] = self._exit_stack.enter_context(start_engine(name))
            except EngineUnavailableError as error:
                self._running[name] = error
        engine = self._running[name]
        if isinstance(engine, Engine):
            return engine
        if os.environ.get("CI") or os.environ.get("DYNASAFE_REQUIRE_ENGINES"):
            pytest.fail(str(engine))
        pytest.skip(str(engine))


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    with ExitStack() as exit_stack:
        yield Engines(exit_stack)


@pytest.fixture(params=ALL)
def engine(request: pytest.FixtureRequest, engines: Engines) -> Engine:
    """Each engine in turn."""
    return engines.get(request.param)


@pytest.fixture(params=STRICT)
def strict_engine(request: pytest.FixtureRequest, engines: Engines) -> Engine:
    """Each engine in turn that refuses what DynamoDB refuses."""
    return engines.get(request.param)


@pytest.fixture
def dynamodb_local(engines: Engines) -> Engine:
    """Amazon's own engine."""
    return engines.get("dynamodb-local")


@pytest.fixture
def dynalite(engines: Engines) -> Engine:
    """The engine whose authors recorded the service."""
    return engines.get("dynalite")


# What a guard in repair mode was given, and fixed before it was sent.
_REPAIRED = {"DYS103"}
# By a part of the test's name: the codes of what is found though a strict engine accepts it.
KNOWN_FALSE_ALARMS = {
    "test_repaired_": _REPAIRED,
    "test_repairs_expressions": {"DYS107", "DYS215", "DYS222"},
    # The names of a batch get without a projection.
    "test_repaired_parts": {*_REPAIRED, "DYS107"},
    "test_guards_aioboto3": _REPAIRED,
    # What a guard that only warns lets pass.
    "[docs/guides/guard.md": _REPAIRED,
    # A Table's values that look like typed maps: only the guard knows that they are not.
    "test_values_that_look_typed": {"DYS103", "DYS110", "DYS112"},
    # DynamoDB Local takes the reserved word SIZE for a name, as `size = :v`; the service does not.
    "test_recorded_verdicts": {"DYS215"},
}


@pytest.fixture(autouse=True)
def no_false_alarm(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test sends through a client, and a strict engine accepts, passes check_request."""
    with false_alarms() as alarms:
        yield
    known = [codes for part, codes in KNOWN_FALSE_ALARMS.items() if part in request.node.name]
    alarms.require_none(but=set[str]().union(*known))


def connect(engine: Engine, **options: Any) -> AsyncDynamoDB:
    """A database of the face that is tested."""
    return faces.connect(
        region_name=REGION,
        endpoint_url=engine.endpoint_url,
        client_options=CREDENTIALS,
        **options,
    )


def boto3_client(engine: Engine) -> Any:
    return boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=engine.endpoint_url,
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
        **CREDENTIALS,
    )


def boto3_resource(engine: Engine) -> Any:
    return boto3.resource(
        "dynamodb", region_name=REGION, endpoint_url=engine.endpoint_url, **CREDENTIALS
    )


def key_schema(**keys: str) -> dict[str, Any]:
    """`id="S"` for a partition key, `id="S", at="N"` for a sort key too."""
    roles = ("HASH", "RANGE")
    return {
        "KeySchema": [
            {"AttributeName": name, "KeyType": role}
            for name, role in zip(keys, roles, strict=False)
        ],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in keys.items()
        ],
    }


@pytest.fixture
async def db(engine: Engine) -> AsyncIterator[AsyncDynamoDB]:
    async with connect(engine) as db:
        yield db


@pytest.fixture
async def create_table(db: AsyncDynamoDB) -> AsyncIterator[CreateTable]:
    """Makes tables of unique names, which are dropped afterwards."""
    created: list[str] = []

    async def create(**keys: str) -> str:
        name = f"test-{uuid4()}"
        await db.call(
            "CreateTable",
            {
                "TableName": name,
                "BillingMode": "PAY_PER_REQUEST",
                **key_schema(**(keys or {"id": "S"})),
            },
        )
        created.append(name)
        # dynalite answers before the table is there. Each question takes a while by itself.
        for _ in range(1000):
            answer = await db.call("DescribeTable", {"TableName": name})
            if answer["Table"]["TableStatus"] == "ACTIVE":
                return name
        pytest.fail(f"the table {name} did not become active")

    yield create
    for name in created:
        await db.call("DeleteTable", {"TableName": name})
