"""Sharded counter: a number that more callers raise than one item can take.

What it does: `add` raises one of several items, drawn at random; `value` adds them up.

Threat model: No attacker. Many callers add at once, and answers are lost. Whoever may call `add`
can add what they like: limit them (see rate_limiting).

What it guarantees:
- The value is the sum of all that was added, however many callers add at once.
- An addition whose answer is lost counts once.
- With `exactly_once=False` an addition costs one write unit in place of two and meets no conflict;
  a lost answer is then reported as unknown.
- The number of shards may be raised at any time, and the value stays.
- `value` includes each addition that was reported before it was called.
- Clocks play no part.

What it leaves to you: `value` costs one read unit for each shard: keep it for some seconds where it
is shown. It is no snapshot: of additions under way it may have some and not others. For a number
that must not pass a limit, use one item and a condition (see rate_limiting).

The table: `counters`, partition key `shard` (the counter's name, "#", a number). Needs `pip install
dynasafe`; `python sharded_counter.py` runs it in memory.
"""

from __future__ import annotations

import asyncio
import secrets

from dynasafe import (
    AsyncDynamoDB,
    AsyncTable,
    Attr,
    Item,
    UpdateBuilder,
    attribute,
    retry_conflicts,
    settle,
)


class Shard(Item):
    shard: Attr[str] = attribute(key="partition")
    count: Attr[int] = attribute(default=0)


TABLES: dict[str, type[Item]] = {"counters": Shard}


class ShardedCounter:
    """A counter of so many shards.

    Args:
        name: of the counter, without a "#".
        shards: at least 1; each takes up to a thousand additions a second. Never lower it: what
            the others have counted would be left out.
        exactly_once: whether the request is sent again after a lost answer.
    """

    def __init__(
        self, db: AsyncDynamoDB, name: str, *, shards: int = 10, exactly_once: bool = True
    ) -> None:
        if not name or "#" in name or shards < 1:
            raise ValueError("A counter has a name without '#', and 1 shard or more.")
        self._table: AsyncTable[Shard] = db.table("counters", Shard)
        self._keys = [{"shard": f"{name}#{number}"} for number in range(shards)]
        self._is_exact = exactly_once

    async def add(self, number: int = 1) -> None:
        """Add the number, which may be below zero.

        Raises:
            OutcomeUnknownError: DynamoDB cannot be reached; it may have been added or not.
        """
        key = secrets.choice(self._keys)
        added = UpdateBuilder(Shard).increment(Shard.count, number)
        is_exact = self._is_exact
        await retry_conflicts(
            lambda: settle(self._table.update_item(key, added, exactly_once=is_exact))
        )

    async def value(self) -> int:
        """The sum of all additions."""
        shards = await self._table.batch_get_item(self._keys, consistent_read=True)
        return sum(shard.count for shard in shards)


async def main() -> None:
    """A hundred additions at once, on a table in memory."""
    from dynasafe.testing import create_tables, fake_database

    db = fake_database()
    await create_tables(db, TABLES)
    likes = ShardedCounter(db, "likes", shards=5)
    await asyncio.gather(*(likes.add() for _ in range(100)))
    print(await likes.value(), "in", await db.table("counters", Shard).scan().count(), "items")


if __name__ == "__main__":
    asyncio.run(main())
