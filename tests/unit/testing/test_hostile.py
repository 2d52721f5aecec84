"""Hostile tables in memory find bugs of handlers that friendly ones and engines overlook."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, DynamoDB, Item, UpdateBuilder, attribute
from dynasafe.errors import DynasafeError, OutcomeUnknownError, ValueOutOfRangeError
from dynasafe.testing import Fault, FaultPlan, ManualClock, MemoryTransport
from dynasafe.testing import sync as blocking


class Counter(Item):
    id: Attr[str] = attribute(key="partition")
    hits: Attr[int] = attribute(default=0)


HIT = UpdateBuilder(Counter).increment(Counter.hits, 1)


def database(**options: Any) -> AsyncDynamoDB:
    clock = ManualClock()
    transport = MemoryTransport({"counters": Counter}, clock=clock, **options)
    return AsyncDynamoDB.over(transport, clock=clock)


# Twice the same handler, without the bug and with it.


async def count_all(db: AsyncDynamoDB) -> int:
    return len([each async for each in db.table("counters", Counter).scan()])


async def count_first_page(db: AsyncDynamoDB) -> int:
    answer = await db.call("Scan", {"TableName": "counters"})
    return len(answer["Items"])


async def write_all(db: AsyncDynamoDB) -> None:
    items = [Counter(id=f"c{number}") for number in range(4)]
    await db.table("counters", Counter).batch_write_item(put=items)


async def write_some(db: AsyncDynamoDB) -> None:
    items = [{"id": {"S": f"c{number}"}} for number in range(4)]
    puts = [{"PutRequest": {"Item": item}} for item in items]
    await db.call("BatchWriteItem", {"RequestItems": {"counters": puts}})


async def hit_exactly_once(counters: AsyncTable[Counter]) -> None:
    await counters.update_item({"id": "c"}, HIT, exactly_once=True)


async def hit_again_and_again(counters: AsyncTable[Counter]) -> None:
    for _ in range(3):
        try:
            await counters.update_item({"id": "c"}, HIT)
        except DynasafeError:
            continue
        return


async def hit_by_update(counters: AsyncTable[Counter]) -> None:
    await counters.update_item({"id": "c"}, HIT)


async def hit_by_put(counters: AsyncTable[Counter]) -> None:
    counter = await counters.get_item({"id": "c"})
    hits = 0 if counter is None else counter.hits
    await counters.put_item(Counter(id="c", hits=hits + 1))


@pytest.mark.parametrize(
    ("count", "found"), [(count_all, 4), (count_first_page, 1)], ids=["right", "wrong"]
)
async def test_small_pages(count: Callable[[AsyncDynamoDB], Awaitable[int]], found: int) -> None:
    """What reads one page alone does not find all."""
    db = database(page_items=1)
    await write_all(db)

    assert await count(db) == found


@pytest.mark.parametrize(
    ("write", "stored"), [(write_all, 4), (write_some, 2)], ids=["right", "wrong"]
)
async def test_unprocessed(write: Callable[[AsyncDynamoDB], Awaitable[None]], stored: int) -> None:
    """What does not send again what was handed back has lost it."""
    db = database(faults=FaultPlan(script=(Fault.UNPROCESSED,)))

    await write(db)

    assert await count_all(db) == stored


@pytest.mark.parametrize(
    ("hit", "hits"), [(hit_exactly_once, 1), (hit_again_and_again, 2)], ids=["right", "wrong"]
)
async def test_lost_answers(hit: Any, hits: int) -> None:
    """What repeats a write by itself counts twice."""
    counters = database(faults=FaultPlan(script=(Fault.CLOSE_AFTER,))).table("counters", Counter)

    await hit(counters)

    counter = await counters.get_item({"id": "c"})
    assert counter is not None
    assert counter.hits == hits


@pytest.mark.parametrize(
    ("hit", "hits"), [(hit_by_update, 2), (hit_by_put, 1)], ids=["right", "wrong"]
)
async def test_stale_reads(hit: Any, hits: int) -> None:
    """What writes back what it has read loses the write before."""
    counters = database(stale_reads=True).table("counters", Counter)

    await hit(counters)
    await hit(counters)

    counter = await counters.get_item({"id": "c"}, consistent_read=True)
    assert counter is not None
    assert counter.hits == hits


@pytest.mark.parametrize("fault", list(Fault))
async def test_each_fault(fault: Fault) -> None:
    """A write that is lost after it was applied is stored, one that is lost before is not."""
    db = database(faults=FaultPlan(script=(fault,)))
    counters = db.table("counters", Counter)
    is_before = fault.name.endswith("_BEFORE")
    is_lost = is_before or fault.name.endswith("_AFTER")
    is_lost = is_lost or fault in (Fault.HANG, Fault.CUT_BODY, Fault.WRONG_CRC32)

    if is_lost:
        with pytest.raises(OutcomeUnknownError):
            await counters.update_item({"id": "c"}, HIT)
    else:
        await counters.update_item({"id": "c"}, HIT)

    counter = await counters.get_item({"id": "c"})
    stored = 0 if counter is None else counter.hits
    assert stored == (0 if is_before else 2 if fault is Fault.DUPLICATE else 1)


def test_hostile_tables_of_the_sync_face() -> None:
    """A hostile table works on the sync face, with one item on each page."""
    transport = blocking.MemoryTransport(
        {"counters": Counter}, page_items=1, faults=FaultPlan(script=(Fault.THROTTLE,))
    )
    db = DynamoDB.over(transport, clock=blocking.ManualClock())
    counters = db.table("counters", Counter)

    counters.batch_write_item(put=[Counter(id="a"), Counter(id="b")])

    assert [page.count for page in counters.scan().pages()] == [1, 1]


def test_a_page_has_an_item() -> None:
    """Pages without items are refused, since reading them would not end."""
    with pytest.raises(ValueOutOfRangeError, match="page_items: at least 1"):
        MemoryTransport({"counters": Counter}, page_items=0)
