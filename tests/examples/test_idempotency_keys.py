"""Idempotency keys: a request takes effect once, and has one response."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, Attr, Item, attribute
from dynasafe.errors import OutcomeUnknownError
from dynasafe.testing import fake_database
from dynasafe.typing import Write
from examples.recipes.idempotency_keys import (
    KEPT,
    LOCKED_FOR,
    TABLES,
    BadKeyError,
    IdempotencyKeys,
    InProgressError,
    KeyReusedError,
    Response,
)
from tests.examples.conftest import Rough, count, outcomes, rough_database

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
REQUEST = b"POST /orders {}"


class Order(Item):
    id: Attr[str] = attribute(key="partition")


ALL = {**TABLES, "orders": Order}


class Shop:
    """Places an order with each call of its work."""

    def __init__(self, db: AsyncDynamoDB) -> None:
        self.orders = db.table("orders", Order)
        self.keys = IdempotencyKeys(db)
        self.worked = 0

    async def work(self) -> tuple[Response, Sequence[Write]]:
        self.worked += 1
        order = Order(id=f"o{self.worked}")
        await asyncio.sleep(0)
        return Response(status=201, body=order.id), [self.orders.put(order)]

    async def post(
        self,
        key: str = "k1",
        *,
        request: bytes = REQUEST,
        caller: str = "ada",
        now: datetime = NOW,
        work: Any = None,
    ) -> Response:
        return await self.keys.run(caller, key, request, work or self.work, now=now)

    async def stored(self) -> int:
        return await self.orders.scan(consistent_read=True).count()


@pytest.fixture
def shop() -> Shop:
    return Shop(fake_database(**ALL))


async def test_race(shop: Shop) -> None:
    """Of 50 requests with one key at once, one does the work; each other one gets its response, or
    InProgressError while it is under way."""
    found = await outcomes([shop.post] * 50, at_once=50)

    responses = count(found, Response(status=201, body="o1"))
    assert responses >= 1
    assert responses + count(found, InProgressError) == 50
    assert (shop.worked, await shop.stored()) == (1, 1)


async def test_faults() -> None:
    """What the work writes and the response are stored in one transaction: no crash and no lost
    answer leaves one without the other, and no write is made twice."""
    transport = Rough(ALL, rate=0.5)
    shop = Shop(rough_database(transport))

    for number in range(25):
        responses: set[str] = set()
        while len(responses) < 1:
            found = await outcomes([partial(shop.post, f"k{number}")] * 3, at_once=3)
            responses |= {each.body for each in found if isinstance(each, Response)}
        assert len(responses) == 1

    assert transport.lost > 10
    assert await shop.stored() == 25


async def test_repeat(shop: Shop) -> None:
    """A repeat after the response was lost gets the same response, byte for byte."""
    first = await shop.post()

    assert [await shop.post(now=NOW + timedelta(hours=1)) for _ in range(3)] == [first] * 3
    assert await shop.stored() == 1
    assert (await shop.post(now=NOW + KEPT)).body == "o2"


async def test_reused(shop: Shop) -> None:
    """A key with another request is refused with KeyReusedError."""
    await shop.post()

    with pytest.raises(KeyReusedError):
        await shop.post(request=b"POST /orders {x}")


async def test_callers(shop: Shop) -> None:
    """The keys of one caller mean nothing for another caller."""
    pairs = [("a", "b#c"), ("a#b", "c"), ("a#", "b#c"), ("1#a", "b")]

    for caller, key in pairs:
        await shop.post(key, caller=caller)

    assert await shop.stored() == len(pairs)


async def test_crash(shop: Shop) -> None:
    """A worker that crashed blocks its key for LOCKED_FOR at most; one that was only slow, and
    comes late, writes nothing."""
    began, goes_on = asyncio.Event(), asyncio.Event()

    async def slow() -> tuple[Response, Sequence[Write]]:
        began.set()
        await goes_on.wait()
        return Response(status=201, body="late"), [shop.orders.put(Order(id="late"))]

    late = asyncio.create_task(shop.post(work=slow))
    await began.wait()
    with pytest.raises(InProgressError):
        await shop.post(now=NOW + LOCKED_FOR - timedelta(seconds=1))
    with pytest.raises(KeyReusedError):
        await shop.post(request=b"another", now=NOW + LOCKED_FOR)
    assert (await shop.post(now=NOW + LOCKED_FOR)).body == "o1"
    goes_on.set()

    with pytest.raises(InProgressError):
        await late
    assert [each.id for each in await shop.orders.scan().to_list()] == ["o1"]
    assert (await shop.post()).body == "o1"


async def test_skew(shop: Shop) -> None:
    """A host whose clock is 40 s wrong may let two do the work; only one of them writes."""

    async def while_another_comes() -> tuple[Response, Sequence[Write]]:
        await shop.post(now=NOW + LOCKED_FOR - timedelta(seconds=20) + timedelta(seconds=40))
        return Response(status=201, body="slow"), [shop.orders.put(Order(id="slow"))]

    with pytest.raises(InProgressError):
        await shop.post(work=while_another_comes)

    assert (shop.worked, await shop.stored()) == (1, 1)


async def test_errors(shop: Shop) -> None:
    """Work that raises an error frees its key at once, so that the request can be repeated."""

    async def fails() -> tuple[Response, Sequence[Write]]:
        raise LookupError

    with pytest.raises(LookupError):
        await shop.post(work=fails)

    assert (await shop.post()).body == "o1"


@pytest.mark.parametrize("key", ["", "x" * 256, "\n", "\ud800", "a\x00"])
async def test_bad_keys(shop: Shop, key: str) -> None:
    """A key that is empty, too long or not printable raises BadKeyError."""
    with pytest.raises(BadKeyError):
        await shop.post(key)

    assert shop.worked == 0


async def test_unknown() -> None:
    """Where DynamoDB cannot be reached, the outcome is reported as unknown."""
    shop = Shop(rough_database(Rough(ALL, rate=1.0, seed=5)))

    found = await outcomes([partial(shop.post, f"k{each}") for each in range(5)], at_once=1)

    assert count(found, Response) == 0
    assert count(found, OutcomeUnknownError) > 0
