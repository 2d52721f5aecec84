"""Whatever an item has in it, a call lets others run.

Steps are lines of dynasafe that the thread of the event loop runs between two of its turns, counted
without a clock. The items are of about a tenth of the 400 KB that one may have.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.testing import fake_table
from dynasafe.values.whole_items import encode_item
from tests.hostile.test_bounded_work import forget, lines_between_turns, nested

MOST_LINES = 75_000
"""Which take Python some milliseconds, and compiled code far less."""


class Doc(Item):
    id: Attr[str] = attribute(key="partition")
    more: Attr[Any] = attribute(default=None)


SHAPES: dict[str, Callable[[], Any]] = {
    "truth values": lambda: [True, None] * 9_500,
    "numbers": lambda: [7] * 13_000,
    "fractions": lambda: [0.5] * 9_500,
    "texts": lambda: ["x"] * 19_000,
    "mixed": lambda: [1, "a", True, None, 0.5, {}, []] * 1_600,
    "empty lists": lambda: [[]] * 9_500,
    "small maps": lambda: [{"a": 1}] * 4_500,
    "small lists in small lists": lambda: [[[[1] * 11] * 11] * 11] * 11,
    "as deep as may be": lambda: [nested(28)] * 350,
    "keys": lambda: {f"k{each}": each for each in range(4_200)},
    "a set of texts": lambda: {f"t{each}" for each in range(6_000)},
    "a set of numbers": lambda: set(range(10_000)),
    "a set of fractions": lambda: {each + 0.5 for each in range(10_000)},
}


@pytest.fixture(params=[*SHAPES.values()], ids=[*SHAPES])
async def value(request: pytest.FixtureRequest) -> Any:
    """A value of a shape, all new to the caches, when everything is loaded."""
    first = UpdateBuilder(Doc).set(Doc.more, [[1]] * 5_000)
    await fake_table(Doc).update_item({"id": "first"}, first)
    forget()
    return request.param()


@asynccontextmanager
async def answering(answer: object) -> AsyncIterator[AsyncTable[Doc]]:
    """A table behind a server that has one answer."""
    async with database(answer) as db:
        yield db.table("docs", Doc)


@asynccontextmanager
async def database(answer: object) -> AsyncIterator[AsyncDynamoDB]:
    """A database whose server has one answer."""
    body = json.dumps(answer).encode()
    head = f"content-type: application/x-amz-json-1.0\r\ncontent-length: {len(body)}\r\n\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError):
            while request := await reader.readuntil(b"\r\n\r\n"):
                length = int(request.lower().partition(b"content-length:")[2].split()[0])
                await reader.readexactly(length)
                writer.write(b"HTTP/1.1 200 OK\r\n" + head.encode() + body)
        writer.close()
        await writer.wait_closed()

    tasks: list[Any] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    keys = SimpleNamespace(access_key="a", secret_key="b", token=None)
    async with AsyncDynamoDB.connect(
        region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{port}", credentials=keys
    ) as db:
        yield db
    await asyncio.gather(*tasks)
    server.close()
    await server.wait_closed()


async def test_page(value: Any) -> None:
    """A page is read beside the loop."""
    items = [encode_item(Doc(id=f"{each}", more=value)) for each in range(4)]
    async with answering({"Items": items, "Count": 4}) as table:
        pages = table.query(Doc.id == "x")
        longest, _ = await lines_between_turns(pages.to_list())
        assert longest <= MOST_LINES
        assert await table.query(Doc.id == "x").to_list() == [
            Doc(id=f"{each}", more=value) for each in range(4)
        ]


async def test_batch_get(value: Any) -> None:
    """The answer to a batch get is read beside the loop."""
    items = [encode_item(Doc(id=f"{each}", more=value)) for each in range(4)]
    async with answering({"Responses": {"docs": items}}) as table:
        get = table.batch_get_item([{"id": f"{each}"} for each in range(4)])
        longest, _ = await lines_between_turns(get)
        assert longest <= MOST_LINES


async def test_update(value: Any) -> None:
    """Building and sending a large update takes short steps."""
    update = UpdateBuilder(Doc).set(Doc.more, value)
    longest, _ = await lines_between_turns(fake_table(Doc).update_item({"id": "x"}, update))
    assert longest <= MOST_LINES


async def test_put(value: Any) -> None:
    """An item is written and checked beside the loop, and sent in steps."""
    async with answering({}) as table:
        longest, _ = await lines_between_turns(table.put_item(Doc(id="x", more=value)))
    assert longest <= MOST_LINES


async def test_batch_write(value: Any) -> None:
    """A batch writes its items beside the loop, whether it holds all of them or an iterator."""
    docs = [Doc(id=f"{each}", more=value) for each in range(4)]
    async with answering({}) as table:
        for put in (docs, iter(docs)):
            longest, _ = await lines_between_turns(table.batch_write_item(put=put))
            assert longest <= MOST_LINES


async def test_without_checks(value: Any) -> None:
    """What is not checked is sent in steps too."""
    update = UpdateBuilder(Doc).set(Doc.more, [value, value])
    async with database({}) as db:
        unchecked = db.table("docs", Doc, validate=False)
        longest, _ = await lines_between_turns(unchecked.update_item({"id": "x"}, update))
    assert longest <= MOST_LINES


async def test_transaction(value: Any) -> None:
    """Items of a transaction are checked and read beside the loop, and sent in steps."""
    docs = [Doc(id=f"{each}", more=value) for each in range(4)]
    items = [encode_item(each) for each in docs]
    async with database({}) as db:
        writes = [db.table("docs", Doc).put(each) for each in docs]
        longest, _ = await lines_between_turns(db.transact_write_items(writes))
    assert longest <= MOST_LINES
    async with database({"Responses": [{"Item": each} for each in items]}) as db:
        reads = [db.table("docs", Doc).get({"id": each.id}) for each in docs]
        longest, _ = await lines_between_turns(db.transact_get_items(reads))
    assert longest <= MOST_LINES
