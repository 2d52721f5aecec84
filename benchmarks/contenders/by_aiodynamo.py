"""aiodynamo, over aiohttp."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import reduce
from operator import and_
from typing import Any

from aiodynamo.client import Client
from aiodynamo.credentials import Key, StaticCredentials
from aiodynamo.expressions import F, HashKey, Parameters, UpdateExpression
from aiodynamo.utils import dy2py, py2dy

from benchmarks.work import (
    ITEM,
    MOST_CONNECTIONS,
    OLD_NAMES,
    REGION,
    TABLE_NAME,
    Calls,
    Change,
    NewNames,
)


def expression(change: Change, names: NewNames) -> Any:
    return (
        F(names.name).set(change.name)
        & F(names.visits).change(change.amount)  # it has no if_not_exists within a sum
        & F(names.email).remove()
        & F(names.tags).add(change.tags)
    )


def build_new(change: Change, names: NewNames) -> Mapping[str, Any]:
    return _request(change.key, expression(change, names))


def build_long(actions: int, turn: int) -> Mapping[str, Any]:
    sets = (F(f"attribute{turn}_{index}").set(turn) for index in range(actions))
    return _request("p1", reduce(and_, sets))


def _request(key: str, update: UpdateExpression) -> Mapping[str, Any]:
    # As Client.update_item does it, up to where it sends.
    parameters = Parameters()
    return {
        "TableName": TABLE_NAME,
        "Key": py2dy({"id": key}),
        "UpdateExpression": update.encode(parameters),
        "ReturnValues": "NONE",
        **parameters.to_request_payload(),
    }


def build(change: Change) -> Mapping[str, Any]:
    return build_new(change, OLD_NAMES)


def serialize(item: dict[str, Any]) -> dict[str, Any]:
    wire: dict[str, Any] = py2dy(item)
    return wire


def deserialize(item: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = dy2py(item, float)  # its default
    return plain


@asynccontextmanager
async def connect(endpoint_url: str, certificate: str | None = None) -> AsyncIterator[Calls]:
    import ssl

    from aiodynamo.http.aiohttp import AIOHTTP
    from aiohttp import ClientSession, TCPConnector
    from yarl import URL

    trust = True if certificate is None else ssl.create_default_context(cafile=certificate)
    connector = TCPConnector(limit=MOST_CONNECTIONS, ssl=trust)
    async with ClientSession(connector=connector) as session:
        credentials = StaticCredentials(Key("a", "b"))
        client = Client(AIOHTTP(session), credentials, REGION, URL(endpoint_url))
        table = client.table(TABLE_NAME)

        async def update(turn: int) -> object:
            change = Change(f"p{turn}", f"Ada {turn}", 1, {f"tag{turn}"})
            return await table.update_item({"id": change.key}, expression(change, OLD_NAMES))

        async def get(turn: int) -> object:
            return await table.get_item({"id": f"p{turn}"})

        async def put(turn: int) -> object:
            return await table.put_item({**ITEM, "id": f"p{turn}"})

        async def query(turn: int) -> object:
            return [item async for item in table.query(HashKey("id", f"p{turn}"))]

        yield Calls(update, get, put, query)
