"""The audit log: 1, 2, 3, and a chain that shows what is missing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from dynasafe import AsyncDynamoDB, UpdateBuilder
from dynasafe.errors import DynasafeError, OutcomeUnknownError
from dynasafe.testing import MemoryTransport, fake_database
from examples.recipes.audit_log import TABLES, AuditLog, BrokenChainError, Entry, Head
from tests.examples.conftest import MakeDatabase, MakeFaulty, count, outcomes
from tests.examples.faults import WRITES

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
KEY = b"the key of the chain"
Attack = Callable[[AsyncDynamoDB], Awaitable[object]]


def log_of(db: AsyncDynamoDB, key: bytes = KEY) -> AuditLog:
    return AuditLog(db, key=key)


@pytest.fixture
async def memory() -> AsyncDynamoDB:
    return fake_database(**TABLES)


async def test_order(database: MakeDatabase) -> None:
    """The entries of a stream are numbered 1, 2, 3 and so on by the order in which they were
    stored."""
    log = log_of(await database(**TABLES))
    for number in range(1, 4):
        assert await log.append("p1", actor="ada", action=f"a{number}", at=NOW) == number
    assert await log.append("p2", actor="ada", action="b", at=NOW, details={"ip": "::1"}) == 1

    assert [entry.action async for entry in log.entries("p1")] == ["a1", "a2", "a3"]
    assert [entry.sequence async for entry in log.entries("p1", after=1)] == [2, 3]
    assert [entry.details async for entry in log.entries("p2")] == [{"ip": "::1"}]
    assert (await log.verify("p1")).sequence == 3
    assert await log.verify("p9") == Head(sequence=0, digest=b"")


async def test_race(memory: AsyncDynamoDB) -> None:
    """Of 50 appends at once, each is stored once, and no number is left out."""
    log = log_of(memory)

    found = await outcomes(
        (
            partial(log_of(memory).append, "p1", actor="ada", action=f"{number}", at=NOW)
            for number in range(50)
        ),
        at_once=50,
    )

    assert sorted(each for each in found if isinstance(each, int)) == list(range(1, 51))
    stored = [entry.action async for entry in log.entries("p1")]
    assert sorted(stored, key=int) == [f"{number}" for number in range(50)]
    assert (await log.verify("p1")).sequence == 50


async def test_faults(faulty: MakeFaulty) -> None:
    """An append whose answer is lost is neither stored twice nor reported as another's."""
    db, calm, proxy = await faulty(**TABLES)
    log = log_of(db)
    appended: dict[str, tuple[str, int]] = {}

    async def append(number: int) -> None:
        stream = f"p{number % 4}"
        sequence = await log.append(stream, actor="ada", action=f"{number}", at=NOW)
        appended[f"{number}"] = (stream, sequence)

    found = await outcomes((partial(append, number) for number in range(120)), at_once=12)

    assert count(found, OutcomeUnknownError) == 0
    assert count(found, None) + count(found, DynasafeError) == 120
    stored = {}
    for stream in ("p0", "p1", "p2", "p3"):
        await log_of(calm).verify(stream)
        entries = [entry async for entry in log_of(calm).entries(stream)]
        stored.update({entry.action: (stream, entry.sequence) for entry in entries})
        assert len(entries) == sum(place == stream for place, _ in appended.values())
    assert stored == appended
    assert sum(record.is_applied for record in proxy.log) > len(appended)


async def five_entries(db: AsyncDynamoDB) -> Head:
    for number in range(5):
        await log_of(db).append("p1", actor="ada", action=f"{number}", at=NOW)
    return await log_of(db).verify("p1")


async def change(db: AsyncDynamoDB) -> None:
    changed = UpdateBuilder(Entry).set(Entry.actor, "eve")
    await db.table("audit", Entry).update_item({"stream": "p1", "sequence": 3}, changed)


async def overwrite(db: AsyncDynamoDB) -> None:
    """With PutItem alone, which no policy can take away from a log."""
    forged = {"stream": "p1", "sequence": 3, "at": NOW.isoformat(), "actor": "eve", "action": "x"}
    await db.table("audit").put_item({**forged, "digest": b"0" * 32})


async def take_out(db: AsyncDynamoDB) -> None:
    await db.table("audit", Entry).delete_item({"stream": "p1", "sequence": 3})


async def add(db: AsyncDynamoDB) -> None:
    await log_of(db, b"another key").append("p1", actor="eve", action="x", at=NOW)


async def swap(db: AsyncDynamoDB) -> None:
    table = db.table("audit")
    third = await table.get_item({"stream": "p1", "sequence": 3})
    fourth = await table.get_item({"stream": "p1", "sequence": 4})
    assert third is not None
    assert fourth is not None
    await table.put_item({**third, "sequence": 4})
    await table.put_item({**fourth, "sequence": 3})


@pytest.mark.parametrize(
    ("attack", "sequence"),
    [(change, 3), (overwrite, 3), (take_out, 3), (add, 6), (swap, 3)],
)
async def test_attacks(memory: AsyncDynamoDB, attack: Attack, sequence: int) -> None:
    """`verify` finds an entry that was changed, overwritten, added, or taken out between others:
    each carries a digest of itself and of the one before, under a key that the database does not
    have."""
    await five_entries(memory)

    await attack(memory)

    with pytest.raises(BrokenChainError) as broken:
        await log_of(memory).verify("p1")
    assert broken.value.sequence == sequence


async def test_end_taken(memory: AsyncDynamoDB) -> None:
    """With a head that you kept elsewhere, `verify` finds entries taken from the end too, and
    their numbers used again."""
    known = await five_entries(memory)
    table = memory.table("audit", Entry)
    for sequence in (4, 5):
        await table.delete_item({"stream": "p1", "sequence": sequence})

    assert (await log_of(memory).verify("p1")).sequence == 3  # without the head, nobody sees it
    with pytest.raises(BrokenChainError, match="entry 4: is missing"):
        await log_of(memory).verify("p1", known=known)
    for number in range(3):
        await log_of(memory).append("p1", actor="ada", action=f"again {number}", at=NOW)
    assert (await log_of(memory).verify("p1")).sequence == 6
    with pytest.raises(BrokenChainError, match="entry 5: is another than the known one"):
        await log_of(memory).verify("p1", known=known)


async def test_clocks(memory: AsyncDynamoDB) -> None:
    """Clocks of the writers decide nothing: they may disagree or jump."""
    log = log_of(memory)
    for number, seconds in enumerate((0, -40, 40, -86_400 * 365), start=1):
        at = NOW + timedelta(seconds=seconds, microseconds=7)
        assert await log.append("p1", actor="ada", action="x", at=at) == number

    assert (await log.verify("p1")).sequence == 4


async def test_turns() -> None:
    """The appends of one process wait for each other, and cost one write each."""
    transport = MemoryTransport(TABLES)
    log = log_of(AsyncDynamoDB.over(transport))

    found = await outcomes(
        (partial(log.append, "p1", actor="ada", action=f"{n}", at=NOW) for n in range(50)),
        at_once=50,
    )

    assert sorted(found) == list(range(1, 51))
    assert sum(call.operation in WRITES for call in transport.calls) == 50
