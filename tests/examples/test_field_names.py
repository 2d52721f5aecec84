"""Field names: each side has its own, and nothing is lost between."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from dynasafe import AsyncDynamoDB
from dynasafe.testing import fake_database
from examples.recipes.field_names import TABLES, People, Person
from tests.examples.conftest import MakeDatabase

ADA = {"id": "p1", "firstName": "Ada", "lastName": "Lovelace", "postalCode": "SW1"}


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    db = await database(**TABLES)
    await People(db).store(json.dumps(ADA))
    return db


async def test_names(db: AsyncDynamoDB) -> None:
    """Conditions, updates, projections and patches use the stored names, as they are written with
    the attributes of the class."""
    people = People(db)
    read = await people.get("p1")
    assert read is not None
    assert json.loads(read) == ADA
    assert await db.table("people").get_item({"id": "p1"}, consistent_read=True) == ADA

    changed = await people.patch("p1", '{"firstName": "A.", "postalCode": null}')

    assert changed is not None
    assert json.loads(changed) == {**ADA, "firstName": "A.", "postalCode": None}
    stored = await db.table("people").get_item({"id": "p1"}, consistent_read=True)
    assert stored == {"id": "p1", "firstName": "A.", "lastName": "Lovelace"}
    assert await people.patch("p1", "{}") == changed


async def test_nobody(db: AsyncDynamoDB) -> None:
    """A person who is not there is not created by a patch."""
    assert await People(db).patch("p9", '{"firstName": "A."}') is None
    assert await People(db).patch("p9", "{}") is None
    assert await People(db).get("p9") is None


@pytest.mark.parametrize(
    "patch",
    [
        '{"first_name": "A."}',
        '{"id": "p2"}',
        '{"lastName": null}',
        '{"lastName": ""}',
        '{"lastName": "\\ud800"}',
        "[" * 20_000,
        "[]",
        "{",
    ],
)
async def test_bad_json(patch: str) -> None:
    """JSON that does not fit is refused by pydantic, before anything is sent."""
    db = fake_database(**TABLES)
    await People(db).store(json.dumps(ADA))
    with pytest.raises(ValidationError):
        await People(db).patch("p1", patch)
    with pytest.raises(ValidationError):
        await People(db).store(patch)

    assert await db.table("people").get_item({"id": "p1"}, consistent_read=True) == ADA


async def test_unknown_attributes(db: AsyncDynamoDB) -> None:
    """Attributes that the class does not know, which an older or a newer service stored, survive
    reading, storing and patching."""
    await db.table("people").put_item({**ADA, "nickName": "Countess"})
    table = db.table("people", Person)
    person = await table.get_item({"id": "p1"}, consistent_read=True)
    assert person is not None
    person.first_name = "A."

    await table.put_item(person)
    await People(db).store(json.dumps({**ADA, "postalCode": None}))
    await People(db).patch("p1", '{"lastName": "King"}')

    stored = await db.table("people").get_item({"id": "p1"}, consistent_read=True)
    assert stored == {"id": "p1", "firstName": "Ada", "lastName": "King", "nickName": "Countess"}
