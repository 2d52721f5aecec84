"""An increment whose answer is lost: how often each client sends it, and the caller's result.

    python -m benchmarks.lost_answers

A server on loopback counts the increment, and closes the connection without an answer; it answers
what comes after that. It knows a repeat by its token, as DynamoDB does, and counts that once.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from zlib import crc32

from benchmarks.work import REGION, TABLE_NAME
from dynasafe import guard

CREDENTIALS = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
INCREMENT: dict[str, Any] = {
    "UpdateExpression": "ADD visits :one",
    "ExpressionAttributeValues": {":one": 1},
}
_TOKEN = re.compile(rb'"ClientRequestToken": ?"([^"]+)"')
_ANSWER = json.dumps({"Attributes": {"id": {"S": "p1"}, "visits": {"N": "1"}}}).encode()


class LosingServer(ThreadingHTTPServer):
    """Applies each write, and loses the first answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sent = 0
        self.counted = 0
        self._tokens: set[bytes] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def apply(self, body: bytes) -> bool:
        """Count the increment; whether it is answered."""
        self.sent += 1
        token = _TOKEN.search(body)
        if token is None or token[1] not in self._tokens:
            self.counted += 1
        if token is not None:
            self._tokens.add(token[1])
        return self.sent > 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server: LosingServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.server.apply(body):
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(_ANSWER)))
        self.send_header("x-amz-crc32", str(crc32(_ANSWER)))
        self.end_headers()
        self.wfile.write(_ANSWER)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what is printed is the outcome."""


@contextmanager
def losing_server() -> Iterator[LosingServer]:
    with LosingServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def options(url: str) -> dict[str, Any]:
    return {"region_name": REGION, "endpoint_url": url, **CREDENTIALS}


async def by_boto3(url: str, *, guarding: bool = False, mode: str | None = None) -> None:
    import boto3
    from botocore.config import Config

    resource: Any = boto3.resource("dynamodb", config=Config(**_retries(mode)), **options(url))
    table = resource.Table(TABLE_NAME)
    if guarding:
        guard(table)
    await asyncio.to_thread(table.update_item, Key={"id": "p1"}, **INCREMENT)


async def by_aioboto3(url: str, *, guarding: bool = False, mode: str | None = None) -> None:
    import aioboto3
    from aiobotocore.config import AioConfig

    session = aioboto3.Session()
    made = session.resource("dynamodb", config=AioConfig(**_retries(mode)), **options(url))
    async with made as resource:
        table = await resource.Table(TABLE_NAME)
        if guarding:
            guard(table)
        await table.update_item(Key={"id": "p1"}, **INCREMENT)


def _retries(mode: str | None) -> dict[str, Any]:
    return {} if mode is None else {"retries": {"mode": mode}}


async def by_pynamodb(url: str) -> None:
    from pynamodb.attributes import NumberAttribute, UnicodeAttribute
    from pynamodb.models import Model

    class Person(Model):  # type: ignore[misc]
        class Meta:
            table_name = TABLE_NAME
            region = REGION
            host = url
            aws_access_key_id = "a"
            aws_secret_access_key = "b"

        id = UnicodeAttribute(hash_key=True)
        visits = NumberAttribute(default=0)

    await asyncio.to_thread(Person("p1").update, [Person.visits.add(1)])


async def by_aiodynamo(url: str) -> None:
    from aiodynamo.client import Client
    from aiodynamo.credentials import Key, StaticCredentials
    from aiodynamo.expressions import F
    from aiodynamo.http.aiohttp import AIOHTTP
    from aiohttp import ClientSession
    from yarl import URL

    async with ClientSession() as session:
        client = Client(AIOHTTP(session), StaticCredentials(Key("a", "b")), REGION, URL(url))
        await client.table(TABLE_NAME).update_item({"id": "p1"}, F("visits").add(1))


async def by_pydynox(url: str) -> None:
    from pydynox import DynamoDBClient

    client = DynamoDBClient(region=REGION, access_key="a", secret_key="b", endpoint_url=url)
    await client.update_item(
        TABLE_NAME,
        {"id": "p1"},
        update_expression="ADD visits :one",
        expression_attribute_values={":one": 1},
    )


async def by_dynasafe(url: str, *, exactly_once: bool = False) -> None:
    from dynasafe import AsyncDynamoDB, UpdateBuilder

    connection = AsyncDynamoDB.connect(
        region_name=REGION, endpoint_url=url, client_options=CREDENTIALS
    )
    async with connection as db:
        update = UpdateBuilder().increment("visits", 1)
        await db.table(TABLE_NAME).update_item({"id": "p1"}, update, exactly_once=exactly_once)


async def by_dynasafe_exactly_once(url: str) -> None:
    await by_dynasafe(url, exactly_once=True)


CLIENTS: dict[str, Callable[[str], Awaitable[None]]] = {
    "boto3": by_boto3,
    "aioboto3": by_aioboto3,
    **{
        f"{name}, guarded ({mode})": partial(increment, guarding=True, mode=mode)
        for name, increment in (("boto3", by_boto3), ("aioboto3", by_aioboto3))
        for mode in ("legacy", "standard", "adaptive")
    },
    "PynamoDB": by_pynamodb,
    "aiodynamo": by_aiodynamo,
    "pydynox": by_pydynox,
    "dynasafe": by_dynasafe,
    "dynasafe, exactly once": by_dynasafe_exactly_once,
}


class Outcome(NamedTuple):
    sent: int
    counted: int
    reported: str


async def outcome(increment: Callable[[str], Awaitable[None]]) -> Outcome:
    """The outcome of one increment whose answer is lost."""
    with losing_server() as server:
        try:
            await asyncio.wait_for(increment(server.url), 120)
            reported = "success"
        except Exception as error:  # each library has its own
            reported = type(error).__name__
        return Outcome(server.sent, server.counted, reported)


async def main() -> None:
    print(f"{'client':28} {'sent':4} {'counted':7}  the caller gets")
    for name, increment in CLIENTS.items():
        sent, counted, reported = await outcome(increment)
        print(f"{name:28} {sent:4} {counted:7}  {reported}")


if __name__ == "__main__":
    asyncio.run(main())
