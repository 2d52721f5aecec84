"""The contenders whose libraries are here do the same work, and reach the stub server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

import pytest

from benchmarks import memory, soak
from benchmarks.agreement import require_same_work
from benchmarks.calls import cpu_per_call_us
from benchmarks.contenders import load
from benchmarks.stub_server import CROWD_SIZE, answer, stub_server
from benchmarks.work import ITEM, WIRE_ITEM, new_names


@pytest.fixture(scope="module")
def stub_url() -> Iterator[str]:
    with stub_server() as url:
        yield url


def test_same_work_as_by_hand() -> None:
    """Requests by dynasafe and by hand are equal."""
    require_same_work(builders=("by_dynasafe", "by_hand"), serializers=("by_dynasafe", "by_hand"))


def test_contender_that_does_less_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A contender whose request differs is refused by its name."""
    monkeypatch.setattr("benchmarks.contenders.by_hand.expression", lambda names: "REMOVE email")

    with pytest.raises(AssertionError, match="by_hand"):
        require_same_work(builders=("by_hand",), serializers=())


def test_new_names_do_not_repeat() -> None:
    """Names that no request had before do not repeat, also in a second series."""
    first, second = new_names(), new_names()

    taken = [names for _, names in (next(first), next(second), next(first))]

    assert len({name for names in taken for name in names}) == 12


@pytest.mark.parametrize("where", ["by_dynasafe:connect", "by_hand:connect_table"])
async def test_plain_contenders_read_the_items(where: str, stub_url: str) -> None:
    """A contender with plain values reads the items of the stub."""
    async with load(where)(stub_url) as calls:
        await calls.update(1)
        await calls.put(1)
        item, items = await calls.get(1), await calls.query(1)

    assert item == ITEM
    assert items == [{**ITEM, "id": f"p{turn}"} for turn in range(100)]


async def test_typed_items_are_the_stubs(stub_url: str) -> None:
    """Typed items have the values of the stub."""
    async with load("by_dynasafe:connect_typed")(stub_url) as calls:
        await calls.update(1)
        await calls.put(1)
        person, people = await calls.get(1), await calls.query(1)

    assert (person.balance, person.address.city) == (ITEM["balance"], "London")
    assert [each.id for each in people] == [f"p{turn}" for turn in range(100)]


async def test_bare_client_reads_the_items(stub_url: str) -> None:
    """The client alone reads the items of the stub in wire form."""
    async with load("by_hand:connect_client")(stub_url) as calls:
        await calls.update(1)
        await calls.put(1)
        assert await calls.get(1) == WIRE_ITEM
        assert len(await calls.query(1)) == 100


@pytest.mark.parametrize("where", ["by_http:connect_aiohttp", "by_http:connect_protocol"])
async def test_bare_posts_are_answered(where: str, stub_url: str) -> None:
    """Bare HTTP requests of 32 callers are each answered."""
    async with load(where)(stub_url) as calls:
        bodies = await asyncio.gather(*map(calls.update, range(32)))

    assert all(body.endswith(b"{}") for body in bodies)


@pytest.mark.parametrize("callers", [1, 32])
async def test_each_call_is_made_once(callers: int) -> None:
    """A measurement makes each of its calls once, with any number of callers."""
    made: list[int] = []

    async def call(turn: int) -> None:
        made.append(turn)

    await cpu_per_call_us(call, calls=64, callers=callers)

    assert sorted(made) == list(range(64))


def test_stub_answers_a_request_in_pieces(stub_url: str) -> None:
    """The stub answers requests that arrive in pieces, each once."""
    address = urlsplit(stub_url)
    request = (
        b"POST / HTTP/1.1\r\nx-amz-target: DynamoDB_20120810.GetItem\r\n"
        b"Content-Length: 19\r\n\r\n"
        b'{"TableName": "a" }'
    )
    expected = answer("GetItem", is_crowd=False)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(request[:50])
        connection.sendall(request[50:] + request)
        with connection.makefile("rb") as reader:
            received = reader.read(2 * len(expected))

    assert received == 2 * expected


@pytest.mark.parametrize("operation", ["GetItem", "PutItem", "UpdateItem", "Query"])
def test_answer_of_the_stub_has_its_headers(operation: str) -> None:
    """The headers of the stub's answers have the length and the checksum of the body."""
    head, _, body = answer(operation, is_crowd=False).partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])

    assert int(headers["Content-Length"]) == len(body)
    assert int(headers["x-amz-crc32"]) == crc32(body)


@pytest.mark.parametrize(
    ("task", "size"),
    [
        *(("query-ours", size) for size in (1, CROWD_SIZE + 1)),
        *(("query-theirs", size) for size in (1, CROWD_SIZE + 1)),
        *(("write-ours", 50), ("write-theirs", 50)),
    ],
)
def test_peak_of_a_long_call(task: str, size: int, stub_url: str) -> None:
    """A long read or write ends, and its peak of memory is reported."""
    assert memory.risen_mib(task, size, stub_url) >= 0


async def test_soak_reports_each_tenth(stub_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A short soak reports each tenth of its calls."""
    marks: list[Any] = await soak.soak(320, stub_url, deadline_s=float("inf"))

    assert [line.split(" calls")[0].strip() for line in capsys.readouterr().out.splitlines()] == [
        str(calls) for calls in range(32, 321, 32)
    ]
    assert len(marks) == 10


async def test_soak_without_time_begins_no_tenth(stub_url: str) -> None:
    """A soak whose time is over makes no call."""
    assert await soak.soak(320, stub_url, deadline_s=0) == []
