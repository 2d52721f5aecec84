"""Field names: each side has its own, and nothing is lost between."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from dynasafe import AsyncDynamoDB
from examples.recipes.field_names import Person, get_person, patch_person, put_person
from tests.examples.conftest import MakeDatabase

ADA = {"id": "p1", "firstName": "Ada", "lastName": "Lovelace", "postalCode": "SW1"}


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    db = await database(people=Person)
    await put_person(db.table("people", Person), json.dumps(ADA))
    return db


async def test_given_a_person_then_json_and_table_are_in_camel_case(db: AsyncDynamoDB) -> None:
    read = await get_person(db.table("people", Person), "p1")
    assert read is not None
    assert json.loads(read) == ADA
    assert await db.table("people").get_item({"id": "p1"}) == ADA


async def test_given_a_patch_then_it_changes_the_stored_names(db: AsyncDynamoDB) -> None:
    people = db.table("people", Person)

    changed = await patch_person(people, "p1", '{"firstName": "A.", "postalCode": null}')

    assert changed is not None
    assert json.loads(changed) == {**ADA, "firstName": "A.", "postalCode": None}
    stored = await db.table("people").get_item({"id": "p1"}, consistent_read=True)
    assert stored == {"id": "p1", "firstName": "A.", "lastName": "Lovelace"}
    assert await patch_person(people, "p1", "{}") == changed
    assert await patch_person(people, "p9", '{"firstName": "A."}') is None
    assert await get_person(people, "p9") is None


@pytest.mark.parametrize(
    "patch",
    ['{"first_name": "A."}', '{"id": "p2"}', '{"lastName": null}', '{"lastName": ""}', "[]", "{"],
)
async def test_given_a_wrong_patch_then_it_is_refused(db: AsyncDynamoDB, patch: str) -> None:
    with pytest.raises(ValidationError):
        await patch_person(db.table("people", Person), "p1", patch)

    assert await db.table("people").get_item({"id": "p1"}, consistent_read=True) == ADA


async def test_given_an_attribute_that_the_class_does_not_know_then_it_stays(
    db: AsyncDynamoDB,
) -> None:
    await db.table("people").put_item({**ADA, "nickName": "Countess"})

    people = db.table("people", Person)
    person = await people.get_item({"id": "p1"}, consistent_read=True)
    assert person is not None
    person.first_name = "A."
    await people.put_item(person)

    stored = await db.table("people").get_item({"id": "p1"}, consistent_read=True)
    assert stored == {**ADA, "firstName": "A.", "nickName": "Countess"}
