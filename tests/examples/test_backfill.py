"""The backfill: every item, once, from where the last run stopped."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, UpdateBuilder
from dynasafe.errors import DynasafeError
from dynasafe.testing import ManualClock, MemoryTransport, fake_database
from examples.recipes.backfill import TABLES, Backfill, Person
from tests.examples.conftest import (
    MakeDatabase,
    Rough,
    outcomes,
    rough_database,
    strip_optional,
)


async def add(db: AsyncDynamoDB, number: int) -> AsyncDynamoDB:
    for each in range(number):
        person = Person(id=f"p{each:03}", first_name="Ada", last_name=f"{each}")
        await db.table("people", Person).put_item(person)
    return db


async def full_names(db: AsyncDynamoDB) -> list[str | None]:
    people = await db.table("people", Person).scan(consistent_read=True).to_list()
    return [each.full_name for each in sorted(people, key=lambda each: each.id)]


def expected(number: int) -> list[str]:
    return [f"Ada {each}" for each in range(number)]


async def no_wait(delay_s: float) -> None:
    pass


class StoppedError(Exception):
    pass


class StopsAfter:
    """Waits not, and stops the run after so many pages."""

    def __init__(self, pages: int) -> None:
        self.pages = pages

    async def __call__(self, delay_s: float) -> None:
        self.pages -= 1
        if self.pages < 0:
            raise StoppedError


async def test_stopped(database: MakeDatabase) -> None:
    """Each item that is there from beginning to end is changed, however often the run is
    stopped."""
    db = await add(await database(**TABLES), 25)
    runs = 0
    while True:
        runs += 1
        try:
            done = await Backfill(db, "job", page_size=3, sleep=StopsAfter(2)).run()
        except StoppedError:
            continue
        break

    assert await full_names(db) == expected(25)
    assert (done.is_done, done.changed, runs > 2) == (True, 25, True)


async def test_checkpoints() -> None:
    """A run that is started again goes on behind the last checkpoint, and a finished one does
    nothing."""
    transport = MemoryTransport(TABLES)
    db = await add(AsyncDynamoDB.over(transport), 10)
    with pytest.raises(StoppedError):
        await Backfill(db, "job", page_size=4, sleep=StopsAfter(1)).run()
    transport.calls.clear()

    await Backfill(db, "job", page_size=4, sleep=no_wait).run()
    scans = [call.params for call in transport.calls if call.operation == "Scan"]
    assert "ExclusiveStartKey" in scans[0]
    transport.calls.clear()
    await Backfill(db, "job", page_size=4, sleep=no_wait).run()

    assert [call.operation for call in transport.calls] == ["GetItem"]
    assert await full_names(db) == expected(10)


async def test_two_runs() -> None:
    """Two runs at once do no harm: a change is conditional, and changes nothing the second time."""
    db = await add(fake_database(**TABLES), 60)

    runs = [Backfill(db, "job", page_size=7, sleep=no_wait).run for _ in range(2)]
    await outcomes(runs, at_once=2)

    assert await full_names(db) == expected(60)


class Meanwhile(MemoryTransport):
    """Tables in memory, in which something happens to a person before they are changed."""

    happens: Any = None

    async def send(self, operation: str, params: Any, *, timeout_s: float | None) -> Any:
        if operation == "UpdateItem" and (happens := self.happens) is not None:
            self.happens = None
            await happens()
        return await super().send(operation, params, timeout_s=timeout_s)


async def test_changed_meanwhile() -> None:
    """An item that somebody else changed meanwhile is not overwritten; it is read again and
    changed."""
    transport = Meanwhile(TABLES)
    db = await add(AsyncDynamoDB.over(transport), 1)
    renamed = UpdateBuilder(Person).set(Person.first_name, "Grace")
    transport.happens = partial(db.table("people", Person).update_item, {"id": "p000"}, renamed)

    await Backfill(db, "job", sleep=no_wait).run()

    assert await full_names(db) == ["Grace 0"]


async def test_deleted_meanwhile() -> None:
    """An item that was deleted meanwhile does not come back."""
    transport = Meanwhile(TABLES)
    db = await add(AsyncDynamoDB.over(transport), 1)
    transport.happens = partial(db.table("people", Person).delete_item, {"id": "p000"})

    done = await Backfill(db, "job", sleep=no_wait).run()

    assert (await full_names(db), done.changed) == ([], 0)


async def test_rate() -> None:
    """No more than `per_second` items are changed in a second."""
    db, clock = await add(fake_database(**TABLES), 95), ManualClock()

    await Backfill(db, "job", per_second=20, page_size=10, sleep=clock.sleep).run()

    assert clock.sleeps_s == [0.5] * 9
    with pytest.raises(ValueError, match="1 or more"):
        Backfill(db, "job", per_second=0)


async def test_unreadable(caplog: pytest.LogCaptureFixture) -> None:
    """An item that cannot be read is skipped and counted, and stops nothing."""
    db = await add(fake_database(**TABLES), 3)
    await db.table("people").put_item({"id": "p001", "first_name": 7, "last_name": "secret"})

    done = await Backfill(db, "job", sleep=no_wait).run()

    assert (done.changed, done.skipped) == (2, 1)
    assert "An item was skipped" in caplog.text
    assert "secret" not in caplog.text


async def test_faults() -> None:
    """Lost answers and conflicts change none of this."""
    transport = Rough(TABLES, rate=0.4)
    db = await add(fake_database(**TABLES), 0)
    db = rough_database(transport)
    for each in range(40):
        transport.put(
            "people",
            {"id": {"S": f"p{each:03}"}, "first_name": {"S": "Ada"}, "last_name": {"S": f"{each}"}},
        )
    while True:
        try:
            await Backfill(db, "job", page_size=8, sleep=no_wait).run()
        except DynasafeError:
            continue
        break

    assert await full_names(db) == expected(40)
    assert transport.lost > 5


async def test_migrated() -> None:
    """A person that lacks every optional attribute gets an empty name, once."""
    transport = Rough(TABLES)
    db = rough_database(transport)
    transport.put("people", {"id": {"S": "p0"}})
    strip_optional(transport, TABLES)

    done = await Backfill(db, "job", sleep=no_wait).run()

    assert (await full_names(db), done.changed) == ([""], 1)
