"""The sharded counter: the value is the sum."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.errors import OutcomeUnknownError
from dynasafe.testing import MemoryTransport, fake_database
from examples.recipes.sharded_counter import TABLES, ShardedCounter
from tests.examples.conftest import (
    MakeDatabase,
    MakeFaulty,
    Rough,
    count,
    outcomes,
    rough_database,
    strip_optional,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)


async def test_race(database: MakeDatabase) -> None:
    """The value is the sum of all that was added, however many callers add at once."""
    likes = ShardedCounter(await database(**TABLES), "likes", shards=5)
    assert await likes.value() == 0

    found = await outcomes((partial(likes.add, each - 10) for each in range(50)), at_once=50)

    assert found == [None] * 50
    assert await likes.value() == sum(range(50)) - 500


async def test_faults(faulty: MakeFaulty) -> None:
    """An addition whose answer is lost counts once."""
    db, calm, proxy = await faulty(**TABLES)
    likes = ShardedCounter(db, "likes", shards=3)

    found = await outcomes([likes.add] * 100)

    assert await ShardedCounter(calm, "likes", shards=3).value() == count(found, None)
    assert sum(record.is_applied for record in proxy.log) > count(found, None)


async def test_plain() -> None:
    """With `exactly_once=False` an addition costs one write unit in place of two and meets no
    conflict; a lost answer is then reported as unknown."""
    transport = MemoryTransport(TABLES)
    await ShardedCounter(AsyncDynamoDB.over(transport), "likes", exactly_once=False).add()
    assert [call.operation for call in transport.calls] == ["UpdateItem"]

    lossy = ShardedCounter(rough_database(Rough(TABLES, rate=0.5)), "likes", exactly_once=False)
    found = await outcomes([lossy.add] * 60, at_once=1)

    assert count(found, OutcomeUnknownError) > 5
    assert count(found, None) <= await lossy.value() <= 60


async def test_more_shards() -> None:
    """The number of shards may be raised at any time, and the value stays."""
    db = fake_database(**TABLES)
    await outcomes([ShardedCounter(db, "likes", shards=2).add] * 20)

    more = ShardedCounter(db, "likes", shards=150)

    assert await more.value() == 20
    await outcomes([more.add] * 20)
    assert await more.value() == 40
    assert await ShardedCounter(db, "other").value() == 0


async def test_reported(database: MakeDatabase) -> None:
    """`value` includes each addition that was reported before it was called."""
    likes = ShardedCounter(await database(**TABLES), "likes", shards=3)

    for number in range(1, 8):
        await likes.add()
        assert await likes.value() == number


def test_clocks() -> None:
    """Clocks play no part."""
    assert not any("now" in name for name in ShardedCounter.add.__code__.co_varnames)
    assert not any("now" in name for name in ShardedCounter.value.__code__.co_varnames)


async def test_migrated() -> None:
    """A shard without a count, as after a migration, counts from 0."""
    transport = Rough(TABLES)
    likes = ShardedCounter(rough_database(transport), "likes", shards=1)
    await likes.add()
    strip_optional(transport, TABLES)

    assert await likes.value() == 0
    await likes.add()
    assert await likes.value() == 1


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "a#b"}, {"name": "a", "shards": 0}])
def test_settings(wrong: dict[str, Any]) -> None:
    """A counter without a name, or without shards, is refused."""
    with pytest.raises(ValueError, match="1 shard or more"):
        ShardedCounter(fake_database(**TABLES), **wrong)
