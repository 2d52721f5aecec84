"""Person deletion: nobody goes whom something refers to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, UpdateBuilder
from dynasafe.errors import ConditionalCheckFailedError, ServiceError
from dynasafe.testing import MemoryTransport
from examples.recipes.person_deletion import (
    RESTORABLE,
    NoSuchPersonError,
    People,
    Person,
    Status,
    StillReferencedError,
    Subscription,
    SubscriptionConflictError,
    Team,
)
from tests.examples.conftest import MakeDatabase, MakeFaulty, count, outcomes

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
TABLES = {"people": Person, "teams": Team, "subscriptions": Subscription}
Delete = Callable[[People], Awaitable[None]]


def people_of(db: AsyncDynamoDB) -> People:
    return People(
        db,
        db.table("people", Person),
        db.table("teams", Team),
        db.table("subscriptions", Subscription),
    )


async def stored(db: AsyncDynamoDB, person_id: str = "p1") -> Person | None:
    return await db.table("people", Person).get_item({"id": person_id}, consistent_read=True)


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    db = await database(**TABLES)
    await db.table("people", Person).put_item(Person(id="p1", name="Ada", team_id="t1"))
    await db.table("teams", Team).put_item(Team(id="t1", leader_id="p2"))
    return db


async def softly(people: People) -> None:
    await people.delete_softly("p1", now=NOW)


async def for_good(people: People) -> None:
    await people.delete("p1")


async def test_given_a_person_when_deleted_softly_then_they_can_come_back(
    db: AsyncDynamoDB,
) -> None:
    people = people_of(db)

    await softly(people)
    deleted = await stored(db)
    assert deleted is not None
    assert (deleted.status, deleted.expires_at) == (Status.DELETED, NOW + RESTORABLE)
    with pytest.raises(NoSuchPersonError):
        await people.subscribe("p1", "s1")
    await people.restore("p1")

    assert await stored(db) == Person(id="p1", name="Ada", team_id="t1")
    with pytest.raises(ConditionalCheckFailedError):
        await people.restore("p1")


async def test_given_a_person_when_deleted_for_good_then_they_are_gone(db: AsyncDynamoDB) -> None:
    await people_of(db).delete("p1")

    assert await stored(db) is None
    with pytest.raises(ConditionalCheckFailedError):
        await people_of(db).restore("p1")


@pytest.mark.parametrize("delete", [softly, for_good])
async def test_given_a_subscription_then_it_is_to_be_ended_first(
    db: AsyncDynamoDB, delete: Delete
) -> None:
    people = people_of(db)
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
async def test_given_the_leader_of_a_team_then_they_stay(db: AsyncDynamoDB, delete: Delete) -> None:
    await db.table("teams", Team).put_item(Team(id="t1", leader_id="p1"))

    with pytest.raises(StillReferencedError):
        await delete(people_of(db))

    assert await stored(db) == Person(id="p1", name="Ada", team_id="t1")


@pytest.mark.parametrize("delete", [softly, for_good])
@pytest.mark.parametrize("team", ["gone", "null", "missing"])
async def test_given_no_team_then_it_stands_in_nobodys_way(
    db: AsyncDynamoDB, delete: Delete, team: str
) -> None:
    table = db.table("people", Person)
    if team == "gone":
        await db.table("teams", Team).delete_item({"id": "t1"})
    elif team == "null":
        await table.put_item(Person(id="p1", name="Ada"))
    else:
        await table.update_item({"id": "p1"}, UpdateBuilder(Person).remove(Person.team_id))

    await delete(people_of(db))

    person = await stored(db)
    assert person is None or person.status is Status.DELETED


class Meanwhile(MemoryTransport):
    """Tables in memory in which somebody moves to a team of their own, once they were read."""

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        answer = await super().send(operation, params, timeout_s=timeout_s)
        if operation == "GetItem":
            moved = UpdateBuilder(Person).set(Person.team_id, "t2")
            request = moved.build_client(table_name="people", key={"id": "p1"})
            await super().send("UpdateItem", request, timeout_s=timeout_s)
        return answer


@pytest.mark.parametrize("delete", [softly, for_good])
@pytest.mark.parametrize("team_id", [None, "t1"])
async def test_given_a_person_who_moves_between_read_and_write_then_they_stay(
    delete: Delete, team_id: str | None
) -> None:
    db = AsyncDynamoDB.over(Meanwhile(TABLES))
    await db.table("people", Person).put_item(Person(id="p1", name="Ada", team_id=team_id))
    await db.table("teams", Team).put_item(Team(id="t2", leader_id="p1"))

    with pytest.raises(StillReferencedError):
        await delete(people_of(db))


async def test_given_nobody_then_it_says_so(db: AsyncDynamoDB) -> None:
    people = people_of(db)
    await softly(people)
    for delete in (softly, for_good):
        with pytest.raises(NoSuchPersonError):
            await delete(people)
    with pytest.raises(NoSuchPersonError):
        await people.delete("p9")


async def test_given_subscribers_and_deleters_at_once_then_none_is_left_without_a_person(
    faulty: MakeFaulty,
) -> None:
    db, calm, _ = await faulty(**TABLES)
    people = people_of(db)
    for number in range(15):
        id_ = f"p{number}"
        await calm.table("people", Person).put_item(Person(id=id_, name="x"))
        calls = [
            partial(people.delete, id_),
            partial(people.subscribe, id_, "s1"),
            partial(people.subscribe, id_, "s2"),
        ]

        found = await outcomes(calls if number % 2 else reversed(calls))

        refusals = count(found, NoSuchPersonError) + count(found, StillReferencedError)
        assert count(found, None) + refusals + count(found, ServiceError) == 3
        person = await stored(calm, id_)
        subscriptions = (
            await calm.table("subscriptions", Subscription)
            .query(Subscription.person_id == id_, consistent_read=True)
            .count()
        )
        assert subscriptions == (0 if person is None else person.subscriptions)
