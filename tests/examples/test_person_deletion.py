"""Person deletion: nobody goes whom something refers to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.errors import DynasafeError
from dynasafe.testing import fake_database
from examples.recipes.person_deletion import (
    RESTORABLE,
    TABLES,
    NoSuchPersonError,
    People,
    Person,
    Status,
    StillReferencedError,
    Subscription,
    SubscriptionConflictError,
    Team,
    TeamChangedError,
)
from tests.examples.conftest import (
    MakeDatabase,
    MakeFaulty,
    Rough,
    count,
    outcomes,
    rough_database,
    strip_optional,
)

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
Delete = Callable[[People], Awaitable[None]]


async def stored(db: AsyncDynamoDB, person_id: str = "p1") -> Person | None:
    return await db.table("people", Person).get_item({"id": person_id}, consistent_read=True)


async def add(db: AsyncDynamoDB, *ids: str) -> None:
    for id_ in ids:
        await db.table("people", Person).put_item(Person(id=id_, name="Ada"))


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    db = await database(**TABLES)
    await add(db, "p1")
    return db


@pytest.fixture
async def memory() -> AsyncDynamoDB:
    db = fake_database(**TABLES)
    await add(db, "p1", "p2")
    return db


async def softly(people: People) -> None:
    await people.delete_softly("p1", now=NOW)


async def for_good(people: People) -> None:
    await people.erase("p1")


@pytest.mark.parametrize("delete", [softly, for_good])
async def test_references(db: AsyncDynamoDB, delete: Delete) -> None:
    """What refers to a person is to be ended first."""
    people = People(db)
    await people.subscribe("p1", "s1")
    with pytest.raises(SubscriptionConflictError):
        await people.subscribe("p1", "s1")

    with pytest.raises(StillReferencedError):
        await delete(people)
    await people.unsubscribe("p1", "s1")
    with pytest.raises(SubscriptionConflictError):
        await people.unsubscribe("p1", "s1")
    await delete(people)

    assert await db.table("subscriptions").scan(consistent_read=True).to_list() == []


@pytest.mark.parametrize("delete", [softly, for_good])
async def test_leaders(memory: AsyncDynamoDB, delete: Delete) -> None:
    """The leader of any team stays, until another one leads it."""
    people = People(memory)
    for team in ("t1", "t2"):
        await people.lead(team, "p1")
        await people.lead(team, "p1")
    with pytest.raises(StillReferencedError):
        await delete(people)
    await people.lead("t1", "p2")
    with pytest.raises(StillReferencedError):
        await delete(people)
    await people.lead("t2", "p2")

    await delete(people)

    teams = await memory.table("teams", Team).scan().to_list()
    assert {each.leader_id for each in teams} == {"p2"}


async def test_race(faulty: MakeFaulty) -> None:
    """Nobody is deleted who has subscriptions or leads a team, however many requests race."""
    db, calm, _ = await faulty(**TABLES)
    people = People(db)
    for number in range(10):
        id_ = f"p{number}"
        await add(calm, id_)
        calls = [
            partial(people.erase, id_),
            partial(people.subscribe, id_, "s1"),
            partial(people.lead, f"t{number}", id_),
        ]

        found = await outcomes(calls if number % 2 else reversed(calls))

        refusals = count(found, NoSuchPersonError) + count(found, StillReferencedError)
        assert count(found, None) + refusals + count(found, DynasafeError) == 3
        person = await stored(calm, id_)
        mine = Subscription.person_id == id_
        subscriptions = await calm.table("subscriptions", Subscription).query(mine).count()
        team = await calm.table("teams", Team).get_item({"id": f"t{number}"}, consistent_read=True)
        assert subscriptions == (0 if person is None else person.subscriptions)
        assert (team is not None) == (person is not None and person.teams_led == 1)


async def test_lost_answers() -> None:
    """A lost answer leaves the person and the counts in step."""
    transport = Rough(TABLES, rate=0.5)
    db = rough_database(transport)
    await outcomes(partial(add, db, f"p{number}") for number in range(10))
    people = People(db)

    await outcomes(
        partial(call, f"p{number % 10}", f"s{number % 3}")
        for number in range(200)
        for call in (people.subscribe, people.unsubscribe)
    )

    assert transport.lost > 20
    for number in range(10):
        person = await stored(db, f"p{number}")
        assert person is not None
        mine = Subscription.person_id == person.id
        count_stored = await db.table("subscriptions", Subscription).query(mine).count()
        assert person.subscriptions == count_stored


async def test_deleted_get_nothing(memory: AsyncDynamoDB) -> None:
    """Nobody who is deleted gets a subscription or the lead of a team."""
    people = People(memory)
    await softly(people)

    for person_id in ("p1", "p9"):
        with pytest.raises(NoSuchPersonError):
            await people.subscribe(person_id, "s1")
        with pytest.raises(NoSuchPersonError):
            await people.lead("t1", person_id)

    assert await memory.table("teams").scan().to_list() == []


async def test_team_changed() -> None:
    """Of two who take over one team at once, one does; counts stay right."""
    db = fake_database(**TABLES)
    ids = [f"p{number}" for number in range(20)]
    await add(db, *ids)
    people = People(db)
    await people.lead("t1", "p0")

    found = await outcomes((partial(people.lead, "t1", id_) for id_ in ids), at_once=20)

    assert count(found, None) + count(found, TeamChangedError) == 20
    led = {each.id: each.teams_led for each in await db.table("people", Person).scan().to_list()}
    (team,) = await db.table("teams", Team).scan().to_list()
    assert {id_ for id_, number in led.items() if number} == {team.leader_id}


async def test_erasure(db: AsyncDynamoDB) -> None:
    """A person who was deleted softly can be erased at once, as an erasure request demands."""
    await softly(People(db))
    deleted = await stored(db)
    assert deleted is not None
    assert (deleted.status, deleted.expires_at) == (Status.DELETED, NOW + RESTORABLE)

    await for_good(People(db))

    assert await stored(db) is None


@pytest.mark.parametrize("delete", [softly, for_good])
async def test_three_at_once(db: AsyncDynamoDB, delete: Delete) -> None:
    """Of three deletions at once, one is made; the others raise NoSuchPersonError."""
    found = await outcomes([partial(delete, People(db))] * 3)

    assert (count(found, None), count(found, NoSuchPersonError)) == (1, 2)


async def test_restore(memory: AsyncDynamoDB) -> None:
    """A person can be restored until `expires_at`, and not later."""
    people = People(memory)
    await softly(people)
    with pytest.raises(NoSuchPersonError):
        await people.restore("p1", now=NOW + RESTORABLE)

    await people.restore("p1", now=NOW + RESTORABLE - timedelta(seconds=1))

    assert await stored(memory) == Person(id="p1", name="Ada")
    for person_id in ("p1", "p9"):
        with pytest.raises(NoSuchPersonError):
            await people.restore(person_id, now=NOW)


@pytest.mark.parametrize("delete", [softly, for_good])
async def test_migrated(delete: Delete) -> None:
    """An item that lacks every optional attribute, as after a migration, is deleted like any
    other."""
    transport = Rough(TABLES)
    db = rough_database(transport)
    await add(db, "p1", "p2")
    strip_optional(transport, TABLES)
    people = People(db)

    await people.subscribe("p2", "s1")
    await people.lead("t1", "p2")
    await delete(people)

    person = await stored(db)
    assert person is None or person.status is Status.DELETED
    with pytest.raises(StillReferencedError):
        await people.erase("p2")


async def test_skew(memory: AsyncDynamoDB) -> None:
    """A host whose clock is 40 s wrong moves the end of the month by 40 s, and breaks nothing
    else."""
    people, skew = People(memory), timedelta(seconds=40)
    await people.delete_softly("p1", now=NOW + skew)
    await people.restore("p1", now=NOW + RESTORABLE)
    await people.delete_softly("p1", now=NOW - skew)

    with pytest.raises(NoSuchPersonError):
        await people.restore("p1", now=NOW + RESTORABLE)
    await people.restore("p1", now=NOW + RESTORABLE - skew - timedelta(seconds=1))


async def test_nobody(memory: AsyncDynamoDB) -> None:
    """A person who is not there, or deleted already, is no such person."""
    people = People(memory)
    await softly(people)
    with pytest.raises(NoSuchPersonError):
        await softly(people)
    await for_good(people)
    with pytest.raises(NoSuchPersonError):
        await for_good(people)
