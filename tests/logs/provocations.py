"""Every error that a signature is for, provoked: the words of the libraries in use, not ours.

Each provocation is given a bench, and raises, or returns what the library logged. Values hold
SECRET, so that a report can be searched for it.
"""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import os
import subprocess
import sys
import threading
import traceback
import warnings
import zlib
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import aioboto3
import boto3
import botocore.handlers
import botocore.session
from aiobotocore.session import get_session
from boto3.dynamodb.conditions import Attr, ConditionExpressionBuilder, Key
from botocore.config import Config
from botocore.credentials import CredentialResolver

from dynasafe import AsyncDynamoDB, errors, guard, guard_process
from dynasafe.findings.finding import Finding, Where
from dynasafe.guard.settings import GuardMode

SECRET = "zq7-Ada-Lovelace"
TABLE = "people"
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
ONCE = Config(
    retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=0.2, connect_timeout=1
)
LEGACY = Config(retries={"max_attempts": 0}, read_timeout=0.2, connect_timeout=0.2)
FLOAT = 0.1


class Stub(ThreadingHTTPServer):
    """An endpoint that gives the answer it was given, as the service words it."""

    daemon_threads = True
    answer: tuple[int, dict[str, Any] | bytes, dict[str, str]] = (200, {}, {})
    behaviour = "answer"

    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def refuses(self, code: str, message: str, status: int = 400) -> None:
        kind = f"com.amazonaws.dynamodb.v20120810#{code}"
        self.answer = (status, {"__type": kind, "message": message}, {})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Stub

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.behaviour == "silent":
            self.server.released.wait(5)  # type: ignore[attr-defined]
            return
        if self.server.behaviour == "close":
            self.close_connection = True
            return
        status, body, headers = self.server.answer
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in {"x-amz-crc32": str(zlib.crc32(raw)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests read logs."""


@contextmanager
def stub() -> Iterator[Stub]:
    server = Stub(("127.0.0.1", 0), _Handler)
    server.released = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()


class Bench:
    """An engine with a table of (id, sk) and one of (id), and a stub."""

    def __init__(self, endpoint_url: str, server: Stub) -> None:
        self.endpoint_url = endpoint_url
        self.stub = server
        self.session = boto3.Session(region_name="us-east-1", **CREDENTIALS)
        self.resource = self.session.resource("dynamodb", endpoint_url=endpoint_url)
        self.client = self.session.client("dynamodb", endpoint_url=endpoint_url)
        self.table = self.resource.Table(TABLE)
        self.sorted = self.resource.Table("visits")

    def create_tables(self) -> None:
        for name, keys in ((TABLE, ("id",)), ("visits", ("id", "sk"))):
            self.client.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[
                    {"AttributeName": each, "AttributeType": "S"} for each in (*keys, "g")
                ],
                KeySchema=[
                    {"AttributeName": each, "KeyType": kind}
                    for each, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
                GlobalSecondaryIndexes=[
                    {
                        "IndexName": "by_g",
                        "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
            )
        self.table.put_item(Item={"id": "p1", "text": "x", "name": SECRET})

        self.aio = aioboto3.Session(region_name="us-east-1", **CREDENTIALS)
        self.stubbed_once = self.stubbed(ONCE)

    def stubbed(self, config: Config) -> Any:
        return self.session.client("dynamodb", endpoint_url=self.stub.url(), config=config)

    def aio_client(self) -> Any:
        return self.aio.client("dynamodb", endpoint_url=self.endpoint_url)

    def aio_resource(self) -> Any:
        return self.aio.resource("dynamodb", endpoint_url=self.endpoint_url)


Provoke = Callable[[Bench], Any]
PROVOCATIONS: dict[str, tuple[str, Provoke]] = {}


def provokes(code: str) -> Callable[[Provoke], Provoke]:
    def register(function: Provoke) -> Provoke:
        name = f"{code}_{function.__name__}"
        assert name not in PROVOCATIONS
        PROVOCATIONS[name] = (code, function)
        return function

    return register


def provokes_each(code: str, **functions: Provoke) -> None:
    for name, function in functions.items():
        assert f"{code}_{name}" not in PROVOCATIONS
        PROVOCATIONS[f"{code}_{name}"] = (code, function)


@dataclass(frozen=True)
class Provoked:
    """What a provocation gave: an error, or the text that a library logged."""

    name: str
    code: str
    error: BaseException | None
    logged: str

    @property
    def traceback(self) -> str:
        if self.error is None:
            return self.logged
        return "".join(traceback.format_exception(self.error)).rstrip("\n")


def _clear(error: BaseException | None) -> None:
    """Let go of what the frames of an error hold; the traceback still names their places."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def provoke(name: str, bench: Bench) -> Provoked:
    """Run one provocation."""
    code, function = PROVOCATIONS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is thrown away here is the point
        try:
            result = function(bench)
            if asyncio.iscoroutine(result):
                result = asyncio.run(result)
        except (Exception, asyncio.CancelledError) as error:
            _clear(error)
            return Provoked(name, code, error, "")
    assert isinstance(result, str), f"{name} provoked nothing, and returned {result!r}"
    assert result, f"{name} logged nothing"
    return Provoked(name, code, None, result)


# What boto3 and botocore refuse before anything is sent

KEY = {"id": "p1"}
WIRE_KEY = {"id": {"S": "p1"}}


def _update(bench: Bench, expression: str = "SET a = :a", **members: Any) -> Any:
    """An update of a Table; a member that is ... is left out."""
    given = {"ExpressionAttributeValues": {":a": SECRET}, **members}
    return bench.table.update_item(
        Key=KEY,
        UpdateExpression=expression,
        **{name: value for name, value in given.items() if value is not ...},
    )


provokes_each(
    "DYS401",
    names_none=lambda b: _update(
        b, ExpressionAttributeNames=None, ConditionExpression=Attr("a").eq(1)
    ),
    values_none=lambda b: b.table.update_item(
        Key=KEY,
        UpdateExpression="REMOVE a",
        ExpressionAttributeValues=None,
        ConditionExpression=Attr("a").eq(1),
    ),
)
provokes_each(
    "DYS402",
    none=lambda b: b.client.update_item(
        TableName=TABLE, Key=WIRE_KEY, UpdateExpression="REMOVE a", ExpressionAttributeNames=None
    ),
    value=lambda b: b.client.put_item(TableName=TABLE, Item={"id": SECRET}),
    condition=lambda b: b.table.query(KeyConditionExpression=False),
)
provokes_each(
    "DYS403", unknown=lambda b: b.client.put_item(TableName=TABLE, Item=WIRE_KEY, item={})
)
provokes_each("DYS404", missing=lambda b: b.client.put_item(TableName=TABLE))
provokes_each("DYS405", positional=lambda b: b.table.put_item({"id": SECRET}))
provokes_each("DYS406", float=lambda b: b.table.put_item(Item={"id": SECRET, "a": FLOAT}))
provokes_each(
    "DYS407",
    datetime=lambda b: b.table.put_item(Item={"id": SECRET, "a": datetime(2026, 1, 1)}),
    mixed=lambda b: b.table.put_item(Item={"id": "p", "a": {SECRET, 1}}),
)
provokes_each("DYS408", inexact=lambda b: b.table.put_item(Item={"id": "p", "a": Decimal(FLOAT)}))
provokes_each("DYS409", nan=lambda b: b.table.put_item(Item={"id": "p", "a": Decimal("NaN")}))

# What DynamoDB Local refuses

provokes_each(
    "DYS410",
    names=lambda b: _update(b, ExpressionAttributeNames={}),
    values=lambda b: _update(b, "REMOVE a", ExpressionAttributeValues={}),
)
provokes_each("DYS411", empty=lambda b: _update(b, ConditionExpression=""))
provokes_each("DYS412", reserved=lambda b: _update(b, "SET name = :a"))
provokes_each(
    "DYS413",
    token=lambda b: _update(b, f"SET a = '{SECRET}'", ExpressionAttributeValues=...),
    key=lambda b: _update(b, ExpressionAttributeValues={":first-name": SECRET}),
)
provokes_each(
    "DYS414",
    value=lambda b: _update(b, ExpressionAttributeValues={":a": SECRET, ":m": SECRET}),
    name=lambda b: _update(b, ExpressionAttributeNames={"#x": "x"}),
)
provokes_each(
    "DYS415",
    name=lambda b: _update(b, "SET #n = :a"),
    value=lambda b: _update(b, "SET a = :n", ExpressionAttributeValues=...),
)
provokes_each(
    "DYS416",
    overlap=lambda b: _update(b, "SET a = :a, a.b = :a"),
    conflict=lambda b: _update(b, "SET a.b = :a, a[0] = :a"),
    twice=lambda b: _update(b, "SET a = :a SET b = :a"),
)
provokes_each(
    "DYS417",
    missing=lambda b: b.sorted.get_item(Key={"id": SECRET}),
    wrong_type=lambda b: b.table.get_item(Key={"id": 1}),
    extra=lambda b: b.table.get_item(Key={"id": SECRET, "sk": SECRET}),
    attribute_value=lambda b: b.table.get_item(Key={"id": {"S": SECRET}}),
    other_name=lambda b: b.table.get_item(Key={"pk": SECRET}),
    item_without=lambda b: b.table.put_item(Item={"a": SECRET}),
    condition_type=lambda b: b.table.query(KeyConditionExpression=Key("id").eq(1)),
)
provokes_each("DYS418", empty=lambda b: b.table.get_item(Key={"id": ""}))
provokes_each("DYS419", path=lambda b: _update(b, "SET address.city = :a"))
provokes_each(
    "DYS420",
    attribute=lambda b: _update(b, "SET v = v + :a", ExpressionAttributeValues={":a": 1}),
)
provokes_each(
    "DYS421",
    stored=lambda b: _update(
        b,
        "SET #t = #t + :a",
        ExpressionAttributeNames={"#t": "text"},
        ExpressionAttributeValues={":a": 1},
    ),
    request=lambda b: _update(b, "ADD a :a"),
)
provokes_each(
    "DYS422",
    put=lambda b: b.table.put_item(Item={"id": "p", "a": SECRET * 40_000}),
    update=lambda b: _grown(b),
)
provokes_each(
    "DYS423",
    write=lambda b: b.client.batch_write_item(
        RequestItems={TABLE: [{"PutRequest": {"Item": {"id": {"S": f"{n}"}}}} for n in range(26)]}
    ),
    get=lambda b: b.client.batch_get_item(
        RequestItems={TABLE: {"Keys": [{"id": {"S": f"{n}"}} for n in range(101)]}}
    ),
)
provokes_each(
    "DYS424",
    batch=lambda b: b.client.batch_write_item(
        RequestItems={TABLE: [{"DeleteRequest": {"Key": WIRE_KEY}}] * 2}
    ),
    transaction=lambda b: b.client.transact_write_items(
        TransactItems=[{"Delete": {"TableName": TABLE, "Key": WIRE_KEY}}] * 2
    ),
)
provokes_each("DYS425", key=lambda b: _update(b, "SET id = :a"))
provokes_each(
    "DYS426",
    no_partition_key=lambda b: b.sorted.query(KeyConditionExpression=Key("sk").eq(SECRET)),
    operator=lambda b: b.table.query(KeyConditionExpression=Key("id").gt(SECRET)),
    filter=lambda b: b.sorted.query(
        KeyConditionExpression=Key("id").eq("a"), FilterExpression=Attr("sk").eq(SECRET)
    ),
    no_index=lambda b: b.table.query(IndexName="nope", KeyConditionExpression=Key("id").eq(SECRET)),
    consistent=lambda b: b.table.query(
        IndexName="by_g", KeyConditionExpression=Key("g").eq(SECRET), ConsistentRead=True
    ),
)
provokes_each(
    "DYS427",
    other=lambda b: b.sorted.scan(ExclusiveStartKey={"id": SECRET}),
    range=lambda b: b.sorted.query(
        KeyConditionExpression=Key("id").eq("a"),
        ExclusiveStartKey={"id": SECRET, "sk": "1"},
    ),
)
provokes_each("DYS429", other=lambda b: b.table.put_item(Item=KEY, ReturnValues="ALL_NEW"))
provokes_each(
    "DYS430",
    sync=lambda b: b.table.put_item(Item=KEY, ConditionExpression=Attr("id").not_exists()),
)
provokes_each(
    "DYS431",
    condition=lambda b: b.client.transact_write_items(
        TransactItems=[
            {
                "Put": {
                    "TableName": TABLE,
                    "Item": WIRE_KEY,
                    "ConditionExpression": "attribute_not_exists(id)",
                }
            },
            {"Put": {"TableName": TABLE, "Item": {"id": {"S": "other"}}}},
        ]
    ),
)
provokes_each(
    "DYS433",
    token=lambda b: [
        b.client.transact_write_items(
            ClientRequestToken="one-token",
            TransactItems=[{"Put": {"TableName": TABLE, "Item": {"id": {"S": text}}}}],
        )
        for text in ("a", "b")
    ],
)
provokes_each("DYS434", table=lambda b: b.resource.Table("nope").get_item(Key={"id": SECRET}))
provokes_each(
    "DYS438", set=lambda b: b.client.put_item(TableName=TABLE, Item={**WIRE_KEY, "s": {"NS": []}})
)


def _grown(bench: Bench) -> Any:
    bench.table.put_item(Item={"id": "large", "a": "x" * 300_000})
    return bench.table.update_item(
        Key={"id": "large"},
        UpdateExpression="SET b = :b",
        ExpressionAttributeValues={":b": SECRET * 20_000},
    )


# What the service answers, as its documentation and recordings have it

_RATE = "Throughput exceeds the current capacity of your table or index."
SERVICE: dict[str, tuple[str, str, str]] = {
    "schema": (
        "DYS417",
        "ValidationException",
        "The provided key element does not match the schema",
    ),
    "missing_key": (
        "DYS417",
        "ValidationException",
        "One or more parameter values were invalid: Missing the key id in the item",
    ),
    "key_type": (
        "DYS417",
        "ValidationException",
        "One or more parameter values were invalid: Type mismatch for key id expected: S actual: N",
    ),
    "update_too_large": (
        "DYS422",
        "ValidationException",
        "Item size to update has exceeded the maximum allowed size",
    ),
    "consistent": (
        "DYS426",
        "ValidationException",
        "Consistent reads are not supported on global secondary indexes",
    ),
    "starting_key": ("DYS427", "ValidationException", "The provided starting key is invalid"),
    "constraint": (
        "DYS428",
        "ValidationException",
        "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1",
    ),
    "conflict": ("DYS432", "TransactionConflictException", "Transaction is ongoing for the item"),
    "in_progress": (
        "DYS432",
        "TransactionInProgressException",
        "Transaction is already in progress",
    ),
    "replicated": ("DYS432", "ReplicatedWriteConflictException", "A replica was writing"),
    "denied": (
        "DYS435",
        "AccessDeniedException",
        f"User: arn:aws:sts::123456789012:assumed-role/r/{SECRET} is not authorized to perform: "
        "dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:123456789012:table/people "
        "because no identity-based policy allows the dynamodb:PutItem action",
    ),
    "bad_token": (
        "DYS436",
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    ),
    "expired": (
        "DYS436",
        "ExpiredTokenException",
        "The security token included in the request is expired",
    ),
    "signature": ("DYS436", "InvalidSignatureException", "Signature expired: now earlier"),
    "no_token": ("DYS436", "MissingAuthenticationTokenException", "Request is missing a token"),
    "collection": ("DYS437", "ItemCollectionSizeLimitExceededException", "Collection size."),
    "limit": ("DYS437", "LimitExceededException", "Too many operations for a given subscriber."),
    "provisioned": ("DYS440", "ProvisionedThroughputExceededException", "The level of ..."),
    "throttled": ("DYS440", "ThrottlingException", _RATE),
    "account": ("DYS440", "RequestLimitExceeded", "Throughput exceeds the current limit."),
}


def _answered(code: str, message: str) -> Provoke:
    def call(bench: Bench) -> Any:
        bench.stub.refuses(code, message)
        return bench.stubbed_once.put_item(TableName=TABLE, Item={"id": {"S": SECRET}})

    return call


for _name, (_code, _error, _message) in SERVICE.items():
    provokes_each(_code, **{f"service_{_name}": _answered(_error, _message)})


@provokes("DYS441")
def internal(bench: Bench) -> Any:
    bench.stub.refuses("InternalServerError", "Internal server error", 500)
    return bench.stubbed_once.put_item(TableName=TABLE, Item=WIRE_KEY)


@provokes("DYS441")
def unavailable(bench: Bench) -> Any:
    bench.stub.refuses("ServiceUnavailable", "Service is unavailable", 503)
    return bench.stubbed_once.put_item(TableName=TABLE, Item=WIRE_KEY)


def _empty_body(status: int) -> Provoke:
    def call(bench: Bench) -> Any:
        bench.stub.answer = (status, b"", {})
        return bench.stubbed_once.put_item(TableName=TABLE, Item=WIRE_KEY)

    return call


provokes_each(
    "DYS441", **{f"http_{status}": _empty_body(status) for status in (500, 502, 503, 504)}
)


# The network

provokes_each(
    "DYS442",
    refused=lambda b: b.session.client(
        "dynamodb", endpoint_url="http://127.0.0.1:1", config=ONCE
    ).list_tables(),
)


@provokes("DYS442")
def connect_timeout(bench: Bench) -> Any:
    # A listener whose queue is full: what comes after is not answered.
    import socket

    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        try:
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
            client = bench.session.client(
                "dynamodb", endpoint_url=f"http://127.0.0.1:{port}", config=LEGACY
            )
            return client.list_tables()
        finally:
            for each in waiting:
                each.close()


def _behaving(behaviour: str) -> Provoke:
    def call(bench: Bench) -> Any:
        bench.stub.behaviour = behaviour
        try:
            return bench.stubbed_once.put_item(TableName=TABLE, Item={"id": {"S": SECRET}})
        finally:
            bench.stub.behaviour = "answer"

    return call


provokes_each("DYS443", read_timeout=_behaving("silent"), closed=_behaving("close"))
provokes_each(
    "DYS444",
    tls=lambda b: b.session.client(
        "dynamodb", endpoint_url=b.endpoint_url.replace("http:", "https:"), config=ONCE
    ).list_tables(),
)


@provokes("DYS445")
def checksum(bench: Bench) -> Any:
    bench.stub.answer = (200, {}, {"x-amz-crc32": "1"})
    return bench.stubbed(LEGACY).put_item(TableName=TABLE, Item=WIRE_KEY)


@contextmanager
def logged(name: str = "", level: int = logging.WARNING) -> Iterator[io.StringIO]:
    """What a logger writes, formatted as logging.basicConfig does it."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.getLogger(name)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield text
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


@provokes("DYS446")
def pool_full(bench: Bench) -> str:
    bench.stub.answer = (200, {"TableNames": []}, {})
    client = bench.stubbed(Config(max_pool_connections=1, read_timeout=5))
    with logged("urllib3.connectionpool") as text:
        for _ in range(20):
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda _: client.list_tables(), range(16)))
            if "pool is full" in text.getvalue():
                break
    return text.getvalue().splitlines()[0]


@provokes("DYS436")
def no_region(bench: Bench) -> Any:
    return boto3.Session(**CREDENTIALS).client("dynamodb")


@provokes("DYS436")
def partial(bench: Bench) -> Any:
    return boto3.Session().client("dynamodb", region_name="us-east-1", aws_access_key_id="test")


@provokes("DYS436")
def no_credentials(bench: Bench) -> Any:
    session = botocore.session.Session()
    session.register_component("credential_provider", CredentialResolver([]))
    return session.create_client("dynamodb", region_name="us-east-1").list_tables()


# Async code


def _warned(act: Callable[[Bench], Coroutine[Any, Any, Any]]) -> Provoke:
    """The warning about a coroutine that was thrown away, as Python prints it."""

    def call(bench: Bench) -> str:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            asyncio.run(act(bench))
            gc.collect()
        return "\n".join(
            warnings.formatwarning(each.message, each.category, each.filename, each.lineno).strip()
            for each in caught
            if each.category is RuntimeWarning
        )

    return call


async def _table_call(bench: Bench) -> None:
    async with bench.aio_resource() as resource:
        table = await resource.Table(TABLE)
        table.put_item(Item={"id": SECRET})


async def _client_call(bench: Bench) -> None:
    async with bench.aio_client() as client:
        client.put_item(TableName=TABLE, Item=WIRE_KEY)


async def _table_itself(bench: Bench) -> None:
    async with bench.aio_resource() as resource:
        resource.Table(TABLE)


async def _batch_put(bench: Bench) -> None:
    async with bench.aio_resource() as resource:
        table = await resource.Table(TABLE)
        async with table.batch_writer() as batch:
            batch.put_item(Item={"id": SECRET})


async def _plain_for(bench: Bench) -> None:
    async with bench.aio_client() as client:
        for _ in client.get_paginator("scan").paginate(TableName=TABLE):
            pass


async def _own_table(bench: Bench) -> None:
    db = AsyncDynamoDB.connect(region_name="us-east-1", endpoint_url=bench.endpoint_url)
    db.table(TABLE).get_item({"id": SECRET})


async def _own_database(bench: Bench) -> None:
    db = AsyncDynamoDB.connect(region_name="us-east-1", endpoint_url=bench.endpoint_url)
    db.call("GetItem", {"TableName": TABLE, "Key": WIRE_KEY})


async def _save() -> None:
    """A function of the service."""


async def _own_function(bench: Bench) -> None:
    _save()


async def _not_entered(bench: Bench) -> None:
    get_session().create_client("dynamodb", region_name="us-east-1")


async def _async_mock(bench: Bench) -> None:
    AsyncMock()()


provokes_each(
    "DYS450",
    table_call=_warned(_table_call),
    client_call=_warned(_client_call),
    table=_warned(_table_itself),
    batch=_warned(_batch_put),
    pages=_warned(_plain_for),
    not_entered=_warned(_not_entered),
    own_table=_warned(_own_table),
    own_database=_warned(_own_database),
)
provokes_each("DYS461", own_function=_warned(_own_function))


def _on_coroutine(act: Callable[[Any], Any]) -> Provoke:
    async def call(bench: Bench) -> None:
        async with bench.aio_client() as client:
            answer = client.get_item(TableName=TABLE, Key=WIRE_KEY)
            try:
                act(answer)
            finally:
                await answer

    return call


provokes_each(
    "DYS451",
    attribute=_on_coroutine(lambda answer: answer.get("Item")),
    subscript=_on_coroutine(lambda answer: answer["Item"]),
    iterate=_on_coroutine(lambda answer: list(answer)),
    contains=_on_coroutine(lambda answer: "Item" in answer),
    json=_on_coroutine(json.dumps),
    length=_on_coroutine(len),
)


def _awaited(make: Callable[[Bench], Any]) -> Provoke:
    async def call(bench: Bench) -> Any:
        return await make(bench)

    return call


async def _gather(bench: Bench) -> Any:
    return await asyncio.gather(bench.table.get_item(Key=KEY))


async def _create_task(bench: Bench) -> Any:
    return asyncio.create_task(bench.table.get_item(Key=KEY))


async def _wait_for(bench: Bench) -> Any:
    return await asyncio.wait_for(bench.table.get_item(Key=KEY), 1)


provokes_each(
    "DYS452",
    dict=_awaited(lambda b: b.table.get_item(Key=KEY)),
    table=_awaited(lambda b: b.resource.Table(TABLE)),
    gather=_gather,
    create_task=_create_task,
    wait_for=_wait_for,
)


async def _assert_awaited(bench: Bench) -> None:
    AsyncMock(name="put_item").assert_awaited_once()


provokes_each(
    "DYS453",
    mock=_awaited(lambda b: Mock(return_value=Mock()).put_item()),
    magic_mock=_awaited(lambda b: MagicMock().put_item()),
    never_awaited=_warned(_async_mock),
    assert_awaited=_assert_awaited,
)


async def _enter_sync_client(bench: Bench) -> None:
    async with bench.client:
        pass


async def _creator(bench: Bench) -> Any:
    return bench.aio_client().put_item(TableName=TABLE, Item=WIRE_KEY)


async def _resource_creator(bench: Bench) -> Any:
    return bench.aio_resource().Table(TABLE)


async def _sync_with(bench: Bench) -> None:
    async with bench.aio_resource() as resource:
        table = await resource.Table(TABLE)
        with table.batch_writer():
            pass


async def _async_with_sync(bench: Bench) -> None:
    async with bench.table.batch_writer():
        pass


async def _async_for_sync(bench: Bench) -> None:
    async for _ in bench.client.get_paginator("scan").paginate(TableName=TABLE):
        pass


provokes_each(
    "DYS454",
    sync_client=_enter_sync_client,
    client=_creator,
    resource=_resource_creator,
    sync_with=_sync_with,
    async_with=_async_with_sync,
    async_for=_async_for_sync,
)


@provokes("DYS455")
def closed_loop(bench: Bench) -> None:
    kept: list[Any] = []

    async def make() -> None:
        context = bench.aio_client()
        client = await context.__aenter__()
        await client.list_tables()
        kept.extend((context, client))

    async def use() -> None:
        try:
            await kept[1].list_tables()
        finally:
            await kept[0].__aexit__(None, None, None)

    asyncio.run(make())
    asyncio.run(use())


@provokes("DYS455")
def open_loop(bench: Bench) -> None:
    other = asyncio.new_event_loop()
    future = other.create_future()

    async def use() -> None:
        await future

    try:
        asyncio.run(use())
    finally:
        other.close()


@provokes("DYS455")
def bound_lock(bench: Bench) -> None:
    lock = asyncio.Lock()

    async def contend() -> None:
        async with lock:
            await asyncio.wait_for(lock.acquire(), 0.001)

    async def hold() -> None:
        with suppress(TimeoutError):
            await contend()

    asyncio.run(hold())
    asyncio.run(contend())


@provokes("DYS456")
def unclosed(bench: Bench) -> str:
    async def make() -> None:
        client = await bench.aio_client().__aenter__()
        await client.list_tables()

    with logged("asyncio") as text, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        asyncio.run(make())
        gc.collect()
    return text.getvalue()


@provokes("DYS457")
def task_exception(bench: Bench) -> str:
    async def fail() -> None:
        bench.table.put_item(Item=KEY, ConditionExpression=Attr("id").not_exists())

    async def main() -> None:
        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        del task

    with logged("asyncio") as text:
        asyncio.run(main())
        gc.collect()
    return text.getvalue()


@provokes("DYS457")
def future_exception(bench: Bench) -> str:
    async def main() -> None:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(ValueError(SECRET))
        del future

    with logged("asyncio") as text:
        asyncio.run(main())
        gc.collect()
    return text.getvalue()


@provokes("DYS458")
def task_destroyed(bench: Bench) -> str:
    loop = asyncio.new_event_loop()
    with logged("asyncio") as text:
        task = loop.create_task(asyncio.sleep(60))
        loop.call_soon(loop.stop)
        loop.run_forever()
        task.get_coro().close()
        del task
        asyncio.set_event_loop(None)
        loop.close()
        loop._ready.clear()  # type: ignore[attr-defined]
        loop._scheduled.clear()  # type: ignore[attr-defined]
        gc.collect()
    return text.getvalue()


@provokes("DYS459")
async def run_in_loop(bench: Bench) -> None:
    coroutine = _save()
    try:
        asyncio.run(coroutine)
    finally:
        coroutine.close()


@provokes("DYS459")
async def already_running(bench: Bench) -> None:
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().run_until_complete(future)


@provokes("DYS455")
def no_loop(bench: Bench) -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    loop.call_soon(print)


@provokes("DYS460")
def slow_timer(bench: Bench) -> str:
    loop = asyncio.new_event_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0
    with logged("asyncio") as text:
        try:
            loop.call_later(0, lambda: bench.table.get_item(Key=KEY))
            loop.call_later(0.001, loop.stop)
            loop.run_forever()
        finally:
            loop.close()
    return next(line for line in text.getvalue().splitlines() if "TimerHandle" in line)


@provokes("DYS472")
def no_plugin(bench: Bench) -> str:
    with TemporaryDirectory() as folder:
        Path(folder, "test_a.py").write_text("async def test_a(): pass\n")
        # In CI pytest repeats the whole message in its summary, which it cuts elsewhere.
        environment = {k: v for k, v in os.environ.items() if k not in ("CI", "BUILD_NUMBER")}
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:asyncio",
                "-p",
                "no:anyio",
                "test_a.py",
            ],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        ).stdout


@provokes("DYS460")
def slow_callback(bench: Bench) -> str:
    async def slow() -> None:
        loop.slow_callback_duration = 0.0
        bench.table.get_item(Key=KEY)

    loop = asyncio.new_event_loop()
    loop.set_debug(True)
    with logged("asyncio") as text:
        try:
            loop.run_until_complete(slow())
        finally:
            loop.close()
    return text.getvalue()


# What code makes of answers


def _missing(member: str) -> Provoke:
    return lambda bench: bench.table.get_item(Key={"id": "nobody"})[member]


provokes_each(
    "DYS465",
    item=_missing("Item"),
    attributes=_missing("Attributes"),
    last_key=_missing("LastEvaluatedKey"),
)
provokes_each(
    "DYS466",
    decimal=lambda b: json.dumps({"a": Decimal(1)}),
    binary=lambda b: json.dumps({"a": boto3.dynamodb.types.Binary(b"a")}),
)
provokes_each("DYS467", times=lambda b: Decimal(1) * FLOAT, reversed=lambda b: FLOAT * Decimal(1))
provokes_each(
    "DYS468",
    table=lambda b: b.table.transact_write_items(),
    resource=lambda b: b.resource.put_item(),
    exceptions=lambda b: b.client.exceptions.ConditionalCheckFailed,
)
provokes_each(
    "DYS469",
    operand=lambda b: Attr("a").eq(1) & SECRET,
    key_type=lambda b: b.table.query(KeyConditionExpression=Attr("id").eq(SECRET)),
    needs_condition=lambda b: ConditionExpressionBuilder().build_expression(SECRET),
)


# dynasafe's own

_FINDING = Finding(
    code="DYS103",
    message="ExpressionAttributeNames must not be empty",
    where=Where(parameter="ExpressionAttributeNames"),
    fix="leave it out",
)
OWN: dict[str, tuple[str, errors.DynasafeError]] = {
    "unknown": (
        "DYS480",
        errors.OutcomeUnknownError("UpdateItem", table_name=TABLE, reason="ReadTimeoutError"),
    ),
    "circuit": ("DYS481", errors.CircuitOpenError("people.write", 12.5)),
    "invalid": ("DYS482", errors.InvalidRequestError("UpdateItem", [_FINDING])),
    "empty_update": ("DYS482", errors.EmptyUpdateError()),
    "deadline": ("DYS483", errors.DeadlineExceededError("UpdateItem", 2.0, "a connection")),
    "batch": (
        "DYS484",
        errors.BatchIncompleteError(
            "BatchWriteItem", table_name=TABLE, processed=[1], unprocessed=[SECRET]
        ),
    ),
    "connection": ("DYS485", errors.ConnectionNotMadeError("PutItem", 3, "connection refused")),
}


def _raised(error: BaseException) -> Provoke:
    def call(bench: Bench) -> None:
        raise error

    return call


OWN |= {
    f"invalid_{operation}": ("DYS482", errors.InvalidRequestError(operation, [_FINDING]))
    for operation in (
        *("GetItem", "PutItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem"),
        *("TransactGetItems", "TransactWriteItems"),
    )
}


def _guarded_update(client: Any) -> None:
    """An update with a fault that a guard can repair."""
    client.update_item(
        TableName=TABLE,
        Key={"id": {"S": SECRET}},
        UpdateExpression="SET a = :a",
        ExpressionAttributeNames={},
        ExpressionAttributeValues={":a": {"S": SECRET}},
    )


def _logged_by_a_guard(mode: GuardMode) -> Provoke:
    """A finding, or a repair, as it is logged at first."""

    def call(bench: Bench) -> str:
        bench.stub.answer = (200, {}, {})
        with logged("dynasafe") as text:
            _guarded_update(guard(bench.stubbed(ONCE), mode))
        return text.getvalue()

    return call


def _logged_at_the_end(mode: GuardMode) -> Provoke:
    """The same, as it is logged when a guard of the process ends."""

    def call(bench: Bench) -> str:
        bench.stub.answer = (200, {}, {})
        handlers = botocore.handlers.BUILTIN_HANDLERS
        before = list(handlers)
        try:
            with logged("dynasafe") as text, guard_process(mode):
                client = boto3.Session(region_name="us-east-1", **CREDENTIALS).client(
                    "dynamodb", endpoint_url=bench.stub.url(), config=ONCE
                )
                for _ in range(2):
                    with suppress(errors.InvalidRequestError):
                        _guarded_update(client)
        finally:
            handlers[:] = before
        return text.getvalue().splitlines()[-1]

    return call


provokes_each(
    "DYS486",
    warned=_logged_by_a_guard("warn"),
    repaired=_logged_by_a_guard("repair"),
    warned_twice=_logged_at_the_end("warn"),
    repaired_twice=_logged_at_the_end("repair"),
    refused_twice=_logged_at_the_end("raise"),
)

for _name, (_code, _own_error) in OWN.items():
    provokes_each(_code, **{_name: _raised(_own_error)})
