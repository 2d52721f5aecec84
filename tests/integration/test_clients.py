"""Clients of one's own, clients that are made, and what is refused of both."""

from __future__ import annotations

import asyncio
import os
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import aioboto3
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioRefreshableCredentials
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import get_session
from botocore.config import Config
from botocore.validate import ParamValidationDecorator

from dynasafe import AsyncDynamoDB, AsyncTable, UpdateBuilder, client_config
from dynasafe.aio.aioboto import AiobotoTransport
from dynasafe.errors import (
    ClientClosedError,
    ClientRetriesError,
    DynasafeError,
    InvalidRequestError,
    InvalidValueError,
    OutcomeUnknownError,
    ServiceError,
    ValueOutOfRangeError,
)
from dynasafe.resilience.boundary import NotSent
from dynasafe.testing import Fault, FaultPlan, FaultProxy, ScriptedTransport, ok, refused
from dynasafe.testing.engines import Engine
from tests.integration.conftest import CREDENTIALS, REGION, CreateTable, boto3_client
from tests.integration.conftest import connect as connect_over_any
from tests.support import faces

BOTH_FACES = {
    "test_botocore_checks_other_operations",
    "test_calls_need_an_open_client",
    "test_missing_table_has_a_typed_error",
    "test_pool_of_the_config_is_kept",
    "test_raw_calls_are_retried_if_idempotent",
}


def client_of(engine: Engine, service: str = "dynamodb", **options: Any) -> Any:
    return aioboto3.Session().client(
        service,
        region_name=REGION,
        endpoint_url=engine.endpoint_url,
        **{"config": client_config(), **CREDENTIALS, **options},
    )


@pytest.fixture
def moto(engines: Any) -> Engine:
    engine: Engine = engines.get("moto")
    return engine


def test_closed_client_on_another_loop(moto: Engine) -> None:
    """A client that was closed is closed on another event loop too."""
    db = connect(moto)

    async def use() -> None:
        async with db:
            await db.call("ListTables", {})

    asyncio.run(use())
    with pytest.raises(ClientClosedError):
        asyncio.run(db.call("ListTables", {}))


async def test_clients_of_the_caller_stay_open(moto: Engine) -> None:
    """A client that the caller made stays open after the database is closed."""
    async with client_of(moto) as client:
        async with AsyncDynamoDB(client) as db:
            await db.call("ListTables", {})
        await AsyncDynamoDB(client, max_connections=3).call("ListTables", {})
        assert "TableNames" in await client.list_tables()


@pytest.mark.parametrize(
    "config",
    [
        None,
        AioConfig(retries={"mode": "standard"}),
        AioConfig(retries={"mode": "legacy", "max_attempts": 0}),
        AioConfig(retries={"mode": "adaptive", "total_max_attempts": 3}),
    ],
)
async def test_client_that_retries_is_refused(moto: Engine, config: Any) -> None:
    """A client that retries by itself is refused, and the error says how to fix it."""
    async with client_of(moto, config=config) as client:
        if config is not None and config.retries.get("total_max_attempts") == 1:
            AsyncDynamoDB(client)
            return
        with pytest.raises(ClientRetriesError, match="Fix: make it with config="):
            AsyncDynamoDB(client)


async def test_other_clients_are_refused(moto: Engine) -> None:
    """What is not an async client of DynamoDB is refused."""
    with pytest.raises(InvalidValueError, match="an aioboto3 or aiobotocore client of DynamoDB"):
        AsyncDynamoDB(boto3_client(moto))
    with pytest.raises(InvalidValueError, match="an aioboto3 or aiobotocore client of DynamoDB"):
        AsyncDynamoDB(object())
    async with client_of(moto, "sqs") as client:
        with pytest.raises(InvalidValueError, match="a client of DynamoDB, not of sqs"):
            AsyncDynamoDB(client)


async def test_calls_need_an_open_client(moto: Engine) -> None:
    """A call before opening or after closing raises, and a closed client can open again."""
    db = connect(moto)
    with pytest.raises(ClientClosedError):
        await db.call("ListTables", {})
    async with db:
        await db.call("ListTables", {})
    with pytest.raises(ClientClosedError):
        await db.call("ListTables", {})
    async with db:
        await db.call("ListTables", {})


def test_retries_in_client_config_are_refused() -> None:
    """client_config refuses retries."""
    with pytest.raises(ClientRetriesError):
        client_config(retries={"max_attempts": 3})


def connect(engine: Engine, **options: Any) -> AsyncDynamoDB:
    return connect_over_any(engine, **{"transport": faces.library(), **options})


def client_within(db: AsyncDynamoDB) -> Any:
    transport: Any = db._transport
    return transport._client


async def test_config_is_kept(moto: Engine) -> None:
    """The options of a config are kept, and the client still sends each request once."""

    class Session(AIOHTTPSession):
        pass

    config = AioConfig(
        {"keepalive_timeout": 3},
        http_session_cls=Session,
        read_timeout=7,
        retries={"mode": "legacy", "max_attempts": 0},
    )
    async with connect(moto, config=config, max_connections=4) as db:
        client = client_within(db)
        meta = client.meta.config
        assert (meta.read_timeout, meta.max_pool_connections) == (7, 4)
        assert meta.retries == {"mode": "standard", "total_max_attempts": 1}
        assert type(client._serializer) is not ParamValidationDecorator
        assert meta.connector_args == {"keepalive_timeout": 3}
        assert type(client._endpoint.http_session) is Session
        assert "TableNames" in await db.call("ListTables", {})


@pytest.mark.parametrize(
    ("config", "max_connections", "pool", "slots"),
    [
        (None, None, 50, 50),
        (None, 4, 4, 4),
        (AioConfig(read_timeout=3), None, 50, 50),
        (AioConfig(read_timeout=3), 4, 4, 4),
        (AioConfig(max_pool_connections=10), None, 10, 10),
        (AioConfig(max_pool_connections=10), 10, 10, 10),
        (Config(max_pool_connections=90), 10, 90, 10),
        (client_config(read_timeout=3), None, 50, 50),
        (client_config(max_pool_connections=20), None, 20, 20),
    ],
)
async def test_pool_of_the_config_is_kept(
    moto: Engine, config: Any, max_connections: int | None, pool: int, slots: int
) -> None:
    """The pool size of a config is kept, and it is the default number of slots."""
    async with connect(moto, config=config, max_connections=max_connections) as db:
        assert client_within(db).meta.config.max_pool_connections == pool
        assert db._executor.slots.count == slots


async def test_more_connections_than_the_pool(moto: Engine) -> None:
    """More connections than the pool has are refused: a call would wait inside the client."""
    with pytest.raises(ValueOutOfRangeError) as caught:
        AsyncDynamoDB.connect(
            config=AioConfig(max_pool_connections=10), max_connections=11, transport="aioboto3"
        )
    assert str(caught.value) == (
        "max_connections: 11, but the client's pool has 10 connections. Fix: "
        "client_config(max_pool_connections=11), or a lower max_connections"
    )
    async with client_of(moto) as client:
        with pytest.raises(ValueOutOfRangeError, match="11, but the client's pool has 10"):
            AsyncDynamoDB(client, max_connections=11)
        with pytest.raises(ValueOutOfRangeError, match="max_connections: at least 1"):
            AsyncDynamoDB(client, max_connections=0)
        AsyncDynamoDB(client, max_connections=10)


@pytest.mark.parametrize(
    "retries",
    [{"max_attempts": 9}, {"mode": "adaptive"}, {"total_max_attempts": 2, "max_attempts": 0}],
)
def test_config_that_retries_is_refused(retries: Any) -> None:
    """A config with retries is refused when a database connects."""
    with pytest.raises(ClientRetriesError, match="Fix: make it with config="):
        AsyncDynamoDB.connect(config=Config(retries=retries))


def test_other_configs_are_refused() -> None:
    """What is not a botocore Config is refused."""
    with pytest.raises(InvalidValueError, match="config: a botocore Config is expected, not dict"):
        AsyncDynamoDB.connect(config={"read_timeout": 3})


async def test_client_options_are_used(moto: Engine) -> None:
    """All client options are used, arguments of connect come first, and a config is refused."""
    options = {**CREDENTIALS, "region_name": REGION, "endpoint_url": moto.endpoint_url}
    async with AsyncDynamoDB.connect(client_options=options) as db:
        assert "TableNames" in await db.call("ListTables", {})
    elsewhere = {**options, "region_name": "eu-west-1"}
    async with AsyncDynamoDB.connect(
        region_name=REGION, client_options=elsewhere, transport="aioboto3"
    ) as db:
        assert client_within(db).meta.region_name == REGION
    with pytest.raises(InvalidValueError, match=r"Fix: connect\(config=\.\.\.\)"):
        AsyncDynamoDB.connect(client_options={"config": AioConfig()})


def user_agents_of(db: AsyncDynamoDB) -> list[str]:
    """What the database's client says of itself from now on."""
    sent: list[str] = []

    def look(request: Any, **_: Any) -> None:
        told = request.headers["User-Agent"]
        sent.append(told.decode() if isinstance(told, bytes) else told)

    client_within(db).meta.events.register("before-send.dynamodb", look)
    return sent


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, r"dynasafe aiobotocore/[\d.]+ python/[\d.]+( .*)?"),
        (AioConfig(user_agent_extra="mine"), r"dynasafe aiobotocore/.* mine( .*)?"),
        (AioConfig(user_agent="mine/1"), r"mine/1( .*)?"),
        (AioConfig(user_agent_appid="mine"), r"aiobotocore/.* app/mine( .*)?"),
        (Config(read_timeout=3), r"dynasafe aiobotocore/.*"),
    ],
)
async def test_user_agent(moto: Engine, config: Any, expected: str) -> None:
    """The user agent names dynasafe, unless the config has its own."""
    async with connect(moto, config=config) as db:
        sent = user_agents_of(db)
        await db.call("ListTables", {})
    assert len(sent) == 1
    assert re.fullmatch(expected, sent[0])


async def test_botocore_checks_other_operations(moto: Engine) -> None:
    """Wrong parameters raise before anything is sent, also in unchecked operations."""
    async with connect(moto) as db:
        sent = user_agents_of(db)
        with pytest.raises(InvalidRequestError, match=r"cannot be converted.*\n.*TableName"):
            await db.call("DescribeTable", {"TableName": 3})
        with pytest.raises(InvalidRequestError, match="TableName"):
            await db.call("UpdateItem", {"TableName": 3, "Key": {"pk": {"S": "a"}}})
        with pytest.raises(InvalidRequestError, match=r"Key\.pk"):
            await db.call("GetItem", {"TableName": "people", "Key": {"pk": "a"}})
        with pytest.raises(DynasafeError):
            await db.call("UpdateItem", {"TableName": "t", "Key": 3}, validate=False)
    assert sent == []


async def test_raw_calls_are_retried_if_idempotent(
    db: AsyncDynamoDB, create_table: CreateTable, engine: Engine
) -> None:
    """A raw update is retried after a lost answer only if its expression is idempotent."""
    table = await create_table(pk="S")
    plan = FaultPlan(script=(Fault.CLOSE_AFTER,), operations=frozenset({"UpdateItem"}))
    base = {"TableName": table, "Key": {"pk": {"S": "a"}}}
    one = {"ExpressionAttributeValues": {":v": {"N": "1"}}}

    async with FaultProxy(engine.endpoint_url, plan) as proxy:
        faulty = Engine(engine.name, proxy.endpoint_url, engine.is_strict)
        async with connect(faulty) as through:
            await through.call("UpdateItem", {**base, **one, "UpdateExpression": "SET n = :v"})
    async with FaultProxy(engine.endpoint_url, plan) as proxy:
        faulty = Engine(engine.name, proxy.endpoint_url, engine.is_strict)
        async with connect(faulty) as through:
            with pytest.raises(OutcomeUnknownError):
                await through.call("UpdateItem", {**base, **one, "UpdateExpression": "ADD n :v"})

    item = (await db.call("GetItem", {**base, "ConsistentRead": True}))["Item"]
    assert item["n"] == {"N": "2"}


async def test_missing_table_has_a_typed_error(db: AsyncDynamoDB) -> None:
    """A call on a missing table raises a ServiceError with its code, table and status."""
    with pytest.raises(ServiceError) as caught:
        await db.table("missing-table").get_item({"pk": "a"})

    assert caught.value.code == "ResourceNotFoundException"
    assert caught.value.table_name == "missing-table"
    assert caught.value.http_status == 400
    assert caught.value.__cause__ is not None


def count_descriptors() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))
    except FileNotFoundError:
        pytest.skip("this system has no /proc/self/fd to count descriptors in")


async def test_cancelled_calls_leave_no_descriptor(engines: Any) -> None:
    """Cancelled calls leave no file descriptor open and no slot taken."""
    engine = engines.get("dynamodb-local")
    chance = random.Random(5)
    async with connect(engine) as db:
        await db.call("ListTables", {})
    before = count_descriptors()
    async with connect(engine, max_connections=5) as db:
        table = db.table("missing-table")
        tasks = [
            asyncio.ensure_future(table.update_item({"pk": "a"}, UpdateBuilder().set("n", n)))
            for n in range(60)
        ]
        for task in tasks:
            for _ in range(chance.randrange(12)):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert db._executor.slots.in_flight == 0
    for _ in range(10):
        await asyncio.sleep(0)

    assert count_descriptors() <= before


# Credentials


async def test_expired_credentials_are_refreshed_once() -> None:
    """Expired credentials are refreshed once in a call."""

    class Refreshing(ScriptedTransport):
        refreshed = 0

        async def refresh_credentials(self) -> bool:
            self.refreshed += 1
            return True

    transport = Refreshing([refused("ExpiredTokenException"), ok()])
    await AsyncTable("table", transport=transport).get_item({"pk": "a"})
    assert transport.refreshed == 1

    again = Refreshing([refused("ExpiredTokenException")] * 2)
    with pytest.raises(ServiceError, match="ExpiredTokenException"):
        await AsyncTable("table", transport=again).get_item({"pk": "a"})
    assert again.refreshed == 1


async def test_failed_refresh_sends_nothing_more() -> None:
    """If fresh credentials are not found, nothing more is sent."""

    class Broken(ScriptedTransport):
        async def refresh_credentials(self) -> bool:
            raise NotSent("no metadata service", provider="iam-role")

    transport = Broken([refused("ExpiredTokenException")])
    with pytest.raises(ServiceError, match="ExpiredTokenException"):
        await AsyncTable("table", transport=transport).delete_item({"pk": "a"})
    assert len(transport.calls) == 1


async def test_static_credentials_are_not_sent_again() -> None:
    """After an expired token, fixed credentials are not sent again."""
    transport = ScriptedTransport([refused("ExpiredTokenException")])
    with pytest.raises(ServiceError, match="ExpiredTokenException"):
        await AsyncTable("table", transport=transport).get_item({"pk": "a"})
    assert len(transport.calls) == 1


async def test_five_refreshes_fetch_once(moto: Engine) -> None:
    """Five concurrent refreshes fetch credentials once, and fixed credentials are kept."""
    fetched = 0

    def metadata() -> dict[str, str]:
        expiry = datetime.now(UTC) + timedelta(hours=1)
        return {
            "access_key": f"key-{fetched}",
            "secret_key": "secret",
            "token": "token",
            "expiry_time": expiry.isoformat(),
        }

    async def fetch() -> dict[str, str]:
        nonlocal fetched
        fetched += 1
        return metadata()

    session = get_session()
    session._credentials = AioRefreshableCredentials.create_from_metadata(metadata(), fetch, "test")
    async with session.create_client(
        "dynamodb", region_name=REGION, endpoint_url=moto.endpoint_url, config=client_config()
    ) as client:
        transport = AiobotoTransport(client)
        await asyncio.gather(*(transport.refresh_credentials() for _ in range(5)))
        frozen = await session._credentials.get_frozen_credentials()
    async with client_of(moto) as client:
        await AiobotoTransport(client).refresh_credentials()  # fixed ones are left alone

    assert fetched == 1
    assert frozen.access_key == "key-1"
