"""Partial update: what is named changes, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dynasafe import AsyncTable
from dynasafe.testing import fake_table
from examples.recipes.partial_update import Person, PersonPatch, patch_person
from tests.examples.conftest import MakeDatabase


def ada() -> Person:
    return Person(id="p1", name="Ada", phone="123", tags={"a"}, is_admin=True)


@pytest.fixture
async def people(database: MakeDatabase) -> AsyncTable[Person]:
    people = (await database(people=Person)).table("people", Person)
    await people.put_item(ada())
    return people


BODIES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(min_size=1, max_size=20),
        "phone": st.none() | st.text(max_size=20),
        "tags": st.none() | st.sets(st.text(min_size=1, max_size=5), min_size=1, max_size=5),
    },
)


@given(body=BODIES)
async def test_given_any_body_then_only_what_it_names_is_changed(body: dict[str, Any]) -> None:
    people = fake_table(Person, items=[ada()])
    defaults = {"phone": None, "tags": set()}
    named = {name: defaults[name] if value is None else value for name, value in body.items()}

    changed = await patch_person(people, "p1", PersonPatch.model_validate(body))

    assert changed == Person(
        **{"id": "p1", "name": "Ada", "phone": "123", "tags": {"a"}, "is_admin": True, **named}
    )
    assert await people.get_item({"id": "p1"}) == changed


async def test_given_a_body_when_patched_then_the_rest_stays(people: AsyncTable[Person]) -> None:
    patch = PersonPatch.model_validate_json('{"name": "Ada L.", "phone": null}')

    changed = await patch_person(people, "p1", patch)

    assert changed == Person(id="p1", name="Ada L.", tags={"a"}, is_admin=True)
    assert await patch_person(people, "p1", PersonPatch()) == changed


async def test_given_nobody_then_nobody_is_created(people: AsyncTable[Person]) -> None:
    assert await patch_person(people, "p9", PersonPatch(name="Eve")) is None
    assert await patch_person(people, "p9", PersonPatch()) is None
    assert await people.scan(consistent_read=True).count() == 1


@pytest.mark.parametrize(
    "body",
    [
        '{"is_admin": true}',
        '{"id": "p2"}',
        '{"name": null}',
        '{"name": ""}',
        '{"name": 3}',
        '{"tags": []}',
        "[]",
    ],
)
def test_given_a_body_with_what_must_not_come_in_then_it_is_refused(body: str) -> None:
    with pytest.raises(ValidationError):
        PersonPatch.model_validate_json(body)
