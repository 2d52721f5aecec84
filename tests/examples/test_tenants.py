"""Tenants: none sees another one's notes."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe import AsyncDynamoDB
from dynasafe.errors import InvalidRequestError
from dynasafe.testing import MemoryTransport, fake_database
from examples.recipes.tenants import TABLES, BadIdError, NoSuchNoteError, Note, Notes, policy
from tests.examples.conftest import (
    MakeDatabase,
    Rough,
    outcomes,
    rough_database,
    strip_optional,
)

IDS = st.text(max_size=12) | st.sampled_from(
    ["acme#n1", "../globex/n1", "globex", "n1\x00", "\ud800", "a" * 200, "*", "${aws:username}"]
)


@given(id_=IDS)
async def test_any_id(id_: str) -> None:
    """No id, whatever characters it has, reaches an item of another tenant."""
    db = fake_database(**TABLES)
    await Notes(db, "globex").store("n1", "secret")
    acme = Notes(db, "acme")

    for call in (
        partial(acme.store, id_, "mine"),
        partial(acme.get, id_),
        partial(acme.patch, id_, {"text": "x"}),
        partial(acme.list, after=id_),
        partial(acme.delete, id_),
    ):
        (found,) = await outcomes([call], at_once=1)
        assert "secret" not in repr(found)
        assert not isinstance(found, Exception) or isinstance(found, BadIdError | NoSuchNoteError)

    assert (await Notes(db, "globex").get("n1")).text == "secret"
    assert all(
        note.tenant_id in ("acme", "globex")
        for note in await db.table("notes", Note).scan().to_list()
    )


async def test_lists(database: MakeDatabase) -> None:
    """A list and its cursor show the tenant's own notes only, even with another tenant's cursor."""
    db = await database(**TABLES)
    acme, globex = Notes(db, "acme"), Notes(db, "globex")
    for number in range(5):
        await acme.store(f"a{number}", "x")
        await globex.store(f"b{number}", "x")

    first = await acme.list(limit=3)
    rest = await acme.list(limit=3, after=first[-1].id)
    assert [note.id for note in (*first, *rest)] == ["a0", "a1", "a2", "a3", "a4"]
    for after in ("a2", "b2"):
        assert {note.tenant_id for note in await globex.list(after=after)} <= {"globex"}


@pytest.mark.parametrize(
    "tenant_id", ["", "Acme", "a#b", "a b", "acme\n", "\u0430cme", "x" * 65, "*", "\ud800"]
)
def test_tenant_ids(tenant_id: str) -> None:
    """A tenant id that is empty, too long, or has other characters than a-z, 0-9 and "-" is
    refused."""
    with pytest.raises(BadIdError, match="A tenant id has"):
        Notes(fake_database(**TABLES), tenant_id)


async def test_policy() -> None:
    """The policy allows no Scan, and no index, and only the partition of the session's tenant."""
    (statement,) = policy("arn:table/notes")["Statement"]
    allowed = {each.removeprefix("dynamodb:") for each in statement["Action"]}
    transport = MemoryTransport(TABLES)
    notes = Notes(AsyncDynamoDB.over(transport), "acme")
    await notes.store("n1", "x")
    await notes.get("n1")
    await notes.patch("n1", {"text": "y"})
    await notes.list()
    await notes.delete("n1")

    assert {call.operation for call in transport.calls} <= allowed
    assert not allowed & {"Scan", "BatchGetItem", "BatchWriteItem", "PartiQLSelect"}
    assert statement["Resource"] == "arn:table/notes"
    assert statement["Condition"]["ForAllValues:StringEquals"] == {
        "dynamodb:LeadingKeys": ["${aws:PrincipalTag/tenant_id}"]
    }
    assert statement["Condition"]["Null"] == {"dynamodb:LeadingKeys": "false"}


@pytest.mark.parametrize("patch", [{"tenant_id": "globex"}, {"id": "n2"}, {"owner": "eve"}])
async def test_patches(patch: dict[str, object]) -> None:
    """A patch changes neither the tenant nor the id."""
    db = fake_database(**TABLES)
    await Notes(db, "acme").store("n1", "x")

    with pytest.raises(InvalidRequestError):
        await Notes(db, "acme").patch("n1", patch)

    assert await Notes(db, "acme").patch("n1", {}) == Note(tenant_id="acme", id="n1", text="x")


async def test_migrated() -> None:
    """A note that lacks every optional attribute, as after a migration, is served like any
    other."""
    transport = Rough(TABLES)
    notes = Notes(rough_database(transport), "acme")
    await notes.store("n1", "x")
    strip_optional(transport, TABLES)

    assert (await notes.get("n1")).text == ""
    assert (await notes.patch("n1", {"text": "y"})).text == "y"
    assert [note.id for note in await notes.list()] == ["n1"]
