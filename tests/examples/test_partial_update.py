"""Partial update: what is named changes, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dynasafe import AsyncDynamoDB, UpdateBuilder
from dynasafe.errors import InvalidRequestError
from dynasafe.testing import ManualClock, MemoryTransport, fake_database, timed_out
from examples.recipes.partial_update import TABLES, People, Person, PersonPatch
from tests.examples.conftest import MakeDatabase, Rough, rough_database, strip_optional


def ada() -> Person:
    return Person(id="p1", name="Ada", phone="123", tags={"a"}, is_admin=True)


@pytest.fixture
async def db(database: MakeDatabase) -> AsyncDynamoDB:
    db = await database(**TABLES)
    await db.table("people", Person).put_item(ada())
    return db


async def stored(db: AsyncDynamoDB) -> Person | None:
    return await db.table("people", Person).get_item({"id": "p1"}, consistent_read=True)


TEXTS = st.text(min_size=1, max_size=20).filter(str.strip)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXTS,
        "phone": st.none() | TEXTS,
        "tags": st.none() | st.sets(TEXTS, min_size=1, max_size=5),
    },
)


@given(body=BODIES)
async def test_any_body(body: dict[str, Any]) -> None:
    """A body changes what it names, and nothing else."""
    db = fake_database(**TABLES)
    await db.table("people", Person).put_item(ada())
    cleaned = PersonPatch.model_validate(body)
    named = {
        name: (None if name == "phone" else set()) if value is None else getattr(cleaned, name)
        for name, value in body.items()
    }

    changed = await People(db).patch("p1", cleaned)

    before = {"id": "p1", "name": "Ada", "phone": "123", "tags": {"a"}, "is_admin": True}
    assert changed == Person(**{**before, **named}) == await stored(db)


async def test_patch(db: AsyncDynamoDB) -> None:
    """What is left out stays, and null takes away."""
    patch = PersonPatch.model_validate_json('{"name": " Ada L. ", "phone": null}')

    changed = await People(db).patch("p1", patch)

    assert changed == Person(id="p1", name="Ada L.", tags={"a"}, is_admin=True)
    assert await People(db).patch("p1", PersonPatch()) == changed


async def test_nobody(db: AsyncDynamoDB) -> None:
    """A person who is not there is not created."""
    assert await People(db).patch("p9", PersonPatch(name="Eve")) is None
    assert await People(db).patch("p9", PersonPatch()) is None
    assert await db.table("people").scan(consistent_read=True).count() == 1


@pytest.mark.parametrize(
    "body",
    [
        '{"is_admin": true}',
        '{"id": "p2"}',
        '{"name": null}',
        '{"name": ""}',
        '{"name": " "}',
        '{"name": 3}',
        '{"phone": " "}',
        '{"tags": []}',
        '{"tags": [" "]}',
        json.dumps({"tags": ["x" * 51]}),
        json.dumps({"tags": [f"{number}" for number in range(21)]}),
        '{"name": "\\ud800"}',
        '{"name": NaN}',
        "[" * 20_000,
        "[]",
        "",
    ],
)
def test_bad_bodies(body: str) -> None:
    """An unknown field, a wrong type, a blank name, and a null where there must be a value are
    refused."""
    with pytest.raises(ValidationError):
        PersonPatch.model_validate_json(body)


class CarelessPatch(PersonPatch):
    id: str = ""
    is_admin: bool = False


@pytest.mark.parametrize("patch", [CarelessPatch(id="p2"), CarelessPatch(is_admin=True)])
async def test_not_patchable(patch: PersonPatch) -> None:
    """Keys and `patchable=False` attributes are never changed, even where the body model has
    them."""
    with pytest.raises(InvalidRequestError):
        await People(fake_database(**TABLES)).patch("p1", patch)


class Overtaken(MemoryTransport):
    """Tables in memory: the first answer is lost, and somebody else writes before the repeat."""

    is_first = True

    async def send(self, operation: str, params: Any, *, timeout_s: float | None) -> Any:
        answer = await super().send(operation, params, timeout_s=timeout_s)
        if self.is_first and operation == "TransactWriteItems":
            self.is_first = False
            others = UpdateBuilder(Person).set(Person.name, "Grace")
            request = others.build_client(table_name="people", key={"id": "p1"})
            await super().send("UpdateItem", request, timeout_s=timeout_s)
            raise timed_out()
        return answer


async def test_late_repeat() -> None:
    """After a lost answer the request is sent again under a token, so that a late repeat does not
    undo what another caller stored meanwhile."""
    transport = Overtaken(TABLES)
    db = AsyncDynamoDB.over(transport, clock=ManualClock())
    await db.table("people", Person).put_item(ada())

    await People(db).patch("p1", PersonPatch(name="Ada L."))

    person = await stored(db)
    assert person is not None
    assert person.name == "Grace"
    assert not transport.is_first


async def test_migrated() -> None:
    """An item that lacks every optional attribute is patched like any other."""
    transport = Rough(TABLES)
    db = rough_database(transport)
    await db.table("people", Person).put_item(ada())
    strip_optional(transport, TABLES)

    changed = await People(db).patch("p1", PersonPatch(tags={"b"}))

    assert changed == Person(id="p1", name="Ada", tags={"b"})
