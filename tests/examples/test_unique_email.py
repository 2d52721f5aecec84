"""Unique e-mail addresses: one address, one person, through races and faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.errors import DynasafeError
from dynasafe.testing import fake_database
from examples.recipes.unique_email import (
    TABLES,
    BadEmailError,
    Email,
    EmailTakenError,
    People,
    Person,
    PersonChangedError,
    PersonExistsError,
    normalised,
)
from tests.examples.conftest import MakeDatabase, MakeFaulty, count, outcomes

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    return await database(**TABLES)


async def register(db: AsyncDynamoDB, id_: str, email: str, now: datetime = NOW) -> None:
    await People(db).register(Person(id=id_, email=email), now=now)


async def require_markers_fit(db: AsyncDynamoDB) -> None:
    """Each person has their marker, and each marker its person."""
    people = await db.table("people", Person).scan(consistent_read=True).to_list()
    markers = await db.table("emails", Email).scan(consistent_read=True).to_list()
    assert sorted((normalised(each.email), each.id) for each in people) == sorted(
        (each.email, each.person_id) for each in markers
    )


async def test_race(db: AsyncDynamoDB) -> None:
    """Of 50 who ask for one address at once, one gets it."""
    found = await outcomes(
        (partial(register, db, f"p{number}", "ada@example.org") for number in range(50)),
        at_once=50,
    )

    assert (count(found, None), count(found, EmailTakenError)) == (1, 49)
    await require_markers_fit(db)


async def test_together(db: AsyncDynamoDB) -> None:
    """A person and their marker come, change and go together, whatever crashes in between."""
    people = People(db)
    await register(db, "p1", "ada@example.org")
    await register(db, "p2", "grace@example.org")

    with pytest.raises(PersonExistsError):
        await register(db, "p1", "other@example.org")
    with pytest.raises(EmailTakenError):
        await people.change_email("p2", "ADA@example.org", now=NOW)
    await people.change_email("p1", "lovelace@example.org", now=NOW)
    await people.change_email("p2", "ada@example.org", now=NOW)
    await people.change_email("p2", "Ada@example.org", now=NOW)
    with pytest.raises(PersonChangedError):
        await people.change_email("p9", "x@example.org", now=NOW)
    found = await people.find("ada@example.org", now=NOW)
    assert found == Person(id="p2", email="Ada@example.org")
    await require_markers_fit(db)

    await people.remove("p2")
    await people.remove("p2")
    assert await people.find("ada@example.org", now=NOW) is None
    await register(db, "p3", "ada@example.org")
    await require_markers_fit(db)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Example.org", " ada@example.ORG "),
        ("stra\u00dfe@example.org", "STRASSE@example.org"),
        ("caf\u00e9@example.org", "cafe\u0301@example.org"),
        ("\uff41da@example.org", "ada@example.org"),
        ("ada@b\u00fccher.example", "ada@xn--bcher-kva.example"),
        ("\u1fb3@example.org", "\u03b1\u03b9@example.org"),
        ("\u0390@example.org", "\u1fd3@example.org"),
    ],
)
async def test_spellings(one: str, other: str) -> None:
    """Spellings of one address count as one: case, Unicode forms, and the two forms of a
    domain."""
    db = fake_database(**TABLES)
    await register(db, "p1", one)

    with pytest.raises(EmailTakenError):
        await register(db, "p2", other)

    assert normalised(normalised(one)) == normalised(one)
    assert await People(db).find(other, now=NOW) == Person(id="p1", email=one)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "ada",
        "ada@",
        "@example.org",
        "ada@example",
        "ada@@example.org",
        "ada@example.org@example.org",
        "Ada <ada@x.org>, eve@x",
        "ada@x.org, eve@x.org",
        "ada lovelace@x.org",
        "ad\u200ba@x.org",
        "ad\ufeffa@x.org",
        "ada@x.org\n.org",
        "ad\x00a@x.org",
        "ad\ud800a@x.org",
        "ada@x..org",
        "ada@x.org.",
        f"ada@{'x' * 64}.org",
        "a" * 250 + "@x.org",
    ],
)
async def test_not_an_address(text: str) -> None:
    """What is not exactly one address is refused: names, lists, spaces and invisible
    characters."""
    db = fake_database(**TABLES)
    await register(db, "p1", "ada@example.org")

    with pytest.raises(BadEmailError, match="This is not an e-mail address"):
        await register(db, "p2", text)
    with pytest.raises(BadEmailError):
        await People(db).change_email("p1", text, now=NOW)

    await require_markers_fit(db)


async def test_removed_later(db: AsyncDynamoDB) -> None:
    """A person who is removed later, by Time to Live, keeps the address until then and not
    longer."""
    people = People(db)
    await register(db, "p1", "ada@example.org")
    gone = NOW + timedelta(days=30)
    await people.remove_at("p1", gone)

    with pytest.raises(EmailTakenError):
        await register(db, "p2", "ada@example.org", gone - timedelta(seconds=1))
    await people.remove_at("p1", None)
    with pytest.raises(EmailTakenError):
        await register(db, "p2", "ada@example.org", gone)
    await people.remove_at("p1", gone)
    # Time to Live has removed the person, and not the marker yet.
    await db.table("people", Person).delete_item({"id": "p1"})

    await register(db, "p2", "ada@example.org", gone)

    assert await people.find("ada@example.org", now=gone) == Person(
        id="p2", email="ada@example.org"
    )
    with pytest.raises(PersonChangedError):
        await people.remove_at("p1", gone)


async def test_skew() -> None:
    """A host whose clock is 40 s wrong frees such an address 40 s early or late, and nothing
    else."""
    db, gone, skew = fake_database(**TABLES), NOW + timedelta(days=30), timedelta(seconds=40)
    await register(db, "p1", "ada@example.org")
    await register(db, "p2", "grace@example.org")
    await People(db).remove_at("p1", gone)

    with pytest.raises(EmailTakenError):
        await register(db, "p3", "ada@example.org", gone - skew)
    with pytest.raises(EmailTakenError):
        await register(db, "p3", "grace@example.org", gone + skew)
    await register(db, "p3", "ada@example.org", gone - timedelta(seconds=1) + skew)


async def test_faults(faulty: MakeFaulty) -> None:
    """Through faults too, one gets the address, and each person has their marker."""
    db, calm, _ = await faulty(**TABLES)
    for number in range(10):
        found = await outcomes(
            partial(register, db, f"{number}-{rival}", f"{number}@example.org")
            for rival in range(6)
        )
        assert count(found, None) == 1
        assert count(found, EmailTakenError) + count(found, DynasafeError) == 5

    moved = await outcomes(
        partial(People(db).change_email, person.id, f"{number % 3}@example.com", now=NOW)
        for number, person in enumerate(await calm.table("people", Person).scan().to_list())
    )

    assert count(moved, None) == 3
    await require_markers_fit(calm)
