"""Unique e-mail addresses: one address, one person, through races and faults."""

from __future__ import annotations

from functools import partial

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.errors import ServiceError
from examples.recipes.unique_email import (
    Email,
    EmailTakenError,
    People,
    Person,
    PersonChangedError,
    PersonExistsError,
)
from tests.examples.conftest import MakeDatabase, MakeFaulty, count, outcomes

TABLES = {"people": Person, "emails": Email}


def people_of(db: AsyncDynamoDB) -> People:
    return People(db, db.table("people", Person), db.table("emails", Email))


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    return await database(**TABLES)


async def require_markers_fit(db: AsyncDynamoDB) -> None:
    """Each person has their marker, and each marker its person."""
    people = await db.table("people", Person).scan(consistent_read=True).to_list()
    markers = await db.table("emails", Email).scan(consistent_read=True).to_list()
    assert sorted((each.email.strip().casefold(), each.id) for each in people) == sorted(
        (each.email, each.person_id) for each in markers
    )


async def test_given_an_address_in_use_then_nobody_else_gets_it(db: AsyncDynamoDB) -> None:
    people = people_of(db)
    await people.register(Person(id="p1", email="Ada@Example.org"))

    with pytest.raises(EmailTakenError):
        await people.register(Person(id="p2", email=" ada@example.ORG "))
    with pytest.raises(PersonExistsError):
        await people.register(Person(id="p1", email="other@example.org"))

    assert await people.find("ADA@example.org") == Person(id="p1", email="Ada@Example.org")
    assert await people.find("other@example.org") is None
    await require_markers_fit(db)


async def test_given_a_change_then_the_old_address_is_free(db: AsyncDynamoDB) -> None:
    people = people_of(db)
    await people.register(Person(id="p1", email="ada@example.org"))
    await people.register(Person(id="p2", email="grace@example.org"))

    with pytest.raises(EmailTakenError):
        await people.change_email("p2", "ADA@example.org")
    await people.change_email("p1", "lovelace@example.org")
    await people.change_email("p2", "ada@example.org")
    await people.change_email("p2", "Ada@example.org")
    with pytest.raises(PersonChangedError):
        await people.change_email("p9", "x@example.org")

    found = await people.find("ada@example.org")
    assert found == Person(id="p2", email="Ada@example.org")
    await require_markers_fit(db)


async def test_given_a_person_when_removed_then_their_address_is_free(db: AsyncDynamoDB) -> None:
    people = people_of(db)
    await people.register(Person(id="p1", email="ada@example.org"))

    await people.remove("p1")
    await people.remove("p1")

    assert await people.find("ada@example.org") is None
    await people.register(Person(id="p2", email="ada@example.org"))
    await require_markers_fit(db)


async def test_given_many_who_ask_at_once_and_faults_then_one_gets_the_address(
    faulty: MakeFaulty,
) -> None:
    db, calm, _ = await faulty(**TABLES)
    people = people_of(db)
    for number in range(15):
        email = f"{number}@example.org"
        found = await outcomes(
            partial(people.register, Person(id=f"{number}-{rival}", email=email))
            for rival in range(6)
        )
        assert count(found, None) == 1
        assert count(found, EmailTakenError) + count(found, ServiceError) == 5

    moved = await outcomes(
        partial(people.change_email, person.id, f"{number % 3}@example.com")
        for number, person in enumerate(await calm.table("people", Person).scan().to_list())
    )

    assert count(moved, None) == 3
    await require_markers_fit(calm)
