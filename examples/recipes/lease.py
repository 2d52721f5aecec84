"""Lease: one process at a time, with a fencing token for what it writes.

What it does: `acquire` takes a lease for a while, `renew` prolongs it, `release` gives it up.
`guarded` makes an update that only the latest holder can apply.

Threat model: No attacker. A process crashes, stands still for an hour between two lines, or has a
wrong clock, and still believes that it has the lease. A process that lies about its fence is beyond
this: it can write to the table as it likes.

What it guarantees:
- Of 50 who ask for a lease at once, one gets it.
- Each holder gets a fence, a number above those of all earlier holders.
- A guarded write of a holder who was overtaken is refused, whatever the clocks say: after the
  first guarded write of a later holder, no earlier one writes.
- A lease whose holder crashed can be taken after its time.
- Whoever lost a lease learns it from `renew` and `release`, which change nothing then.
- If the answer to `acquire` is lost, the request is sent again: no lease is blocked by a holder who
  does not know of it.
- A host whose clock is 40 s ahead may take a lease 40 s early; the fence keeps the writes apart.

What it leaves to you: to renew well before the time is over, to stop working when that fails, and
to send the fence along to whatever else is written: a lease alone protects nothing, since a process
may sleep for an hour between looking at the clock and writing.

The tables: `leases`, partition key `name` (no Time to Live: the fence must not be forgotten);
`reports`, partition key `id`, stands for what is protected. Needs `pip install dynasafe`; `python
lease.py` runs it in memory.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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
from dynasafe.errors import ConditionalCheckFailedError


class Lease(Item):
    name: Attr[str] = attribute(key="partition")
    fence: Attr[int] = attribute(default=0)
    """Goes up with each holder, and never down."""
    holder: Attr[str | None] = attribute(default=None)
    held_until: Attr[datetime | None] = attribute(default=None)


class Report(Item):
    """Something that one process at a time may write."""

    id: Attr[str] = attribute(key="partition")
    text: Attr[str] = attribute(default="")
    fence: Attr[int] = attribute(default=0)
    """Of the holder who wrote it last."""


TABLES: dict[str, type[Item]] = {"leases": Lease, "reports": Report}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A lease that was taken."""

    name: str
    holder: str
    fence: int


class LeaseTakenError(Exception):
    """Another process has the lease."""


class LeaseLostError(Exception):
    """The lease is another one's by now. Stop what it protects."""


class Leases:
    """Leases by name.

    Each write raises OutcomeUnknownError where DynamoDB cannot be reached: treat the lease as lost.

    Args:
        length: how long a lease is held without being renewed.
    """

    def __init__(self, db: AsyncDynamoDB, *, length: timedelta) -> None:
        self._table: AsyncTable[Lease] = db.table("leases", Lease)
        self._reports: AsyncTable[Report] = db.table("reports", Report)
        self._length = length

    async def acquire(self, name: str, *, now: datetime) -> Held:
        """Take the lease, if nobody has it.

        Raises:
            LeaseTakenError
        """
        holder = secrets.token_hex(16)
        taken = (
            UpdateBuilder(Lease)
            .increment(Lease.fence, 1)
            .set(Lease.holder, holder)
            .set(Lease.held_until, now + self._length)
            .condition(Lease.held_until.not_exists() | (Lease.held_until <= now))
        )
        key = {"name": name}
        try:
            await retry_conflicts(
                lambda: settle(self._table.update_item(key, taken, exactly_once=True))
            )
        except ConditionalCheckFailedError as error:
            raise LeaseTakenError(name) from error
        lease = await self._table.get_item(key, consistent_read=True)
        if lease is None or lease.holder != holder:
            raise LeaseTakenError(name)  # it was over before we learned of it
        return Held(name=name, holder=holder, fence=lease.fence)

    async def renew(self, held: Held, *, now: datetime) -> None:
        """Hold it from now on for the whole length.

        Raises:
            LeaseLostError
        """
        renewed = UpdateBuilder(Lease).set(Lease.held_until, now + self._length)
        renewed.condition(Lease.holder == held.holder)
        key = {"name": held.name}
        try:
            await retry_conflicts(
                lambda: settle(self._table.update_item(key, renewed, exactly_once=True))
            )
        except ConditionalCheckFailedError as error:
            raise LeaseLostError(held.name) from error

    async def release(self, held: Held) -> None:
        """Give it up.

        Raises:
            LeaseLostError
        """
        released = (
            UpdateBuilder(Lease)
            .remove(Lease.holder)
            .remove(Lease.held_until)
            .condition(Lease.holder == held.holder)
        )
        key = {"name": held.name}
        try:
            await retry_conflicts(
                lambda: settle(self._table.update_item(key, released, exactly_once=True))
            )
        except ConditionalCheckFailedError as error:
            raise LeaseLostError(held.name) from error

    async def write_report(self, held: Held, report_id: str, text: str) -> None:
        """Write what the lease protects.

        Raises:
            LeaseLostError: a later holder has written it.
        """
        written = guarded(UpdateBuilder(Report).set(Report.text, text), held)
        key = {"id": report_id}
        try:
            await retry_conflicts(
                lambda: settle(self._reports.update_item(key, written, exactly_once=True))
            )
        except ConditionalCheckFailedError as error:
            raise LeaseLostError(held.name) from error


def guarded(update: UpdateBuilder, held: Held) -> UpdateBuilder:
    """The same update, which is refused once a later holder has made one."""
    update.set(Report.fence, held.fence)
    return update.condition(Report.fence.not_exists() | (Report.fence <= held.fence))


async def main() -> None:
    """Two holders, of whom the first was too slow, on tables in memory."""
    from dynasafe.testing import create_tables, fake_database

    db = fake_database()
    await create_tables(db, TABLES)
    leases, now = Leases(db, length=timedelta(seconds=30)), datetime(2026, 11, 24, tzinfo=UTC)
    slow = await leases.acquire("nightly", now=now)
    quick = await leases.acquire("nightly", now=now + timedelta(minutes=1))
    await leases.write_report(quick, "r1", f"written under fence {quick.fence}")
    try:
        await leases.write_report(slow, "r1", f"written under fence {slow.fence}")
    except LeaseLostError:
        print("the slow one is refused")
    print(await db.table("reports", Report).get_item({"id": "r1"}))


if __name__ == "__main__":
    asyncio.run(main())
