"""Optimistic locking: no edit is lost."""

from __future__ import annotations

from functools import partial

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.errors import DynasafeError
from dynasafe.testing import fake_database
from examples.recipes.optimistic_locking import (
    TABLES,
    Document,
    DocumentChangedError,
    DocumentExistsError,
    Documents,
    NoSuchDocumentError,
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


async def begin(db: AsyncDynamoDB) -> Documents:
    documents = Documents(db)
    await documents.create(Document(id="d1", title="Notes"))
    return documents


@pytest.fixture
async def documents(database: MakeDatabase) -> Documents:
    return await begin(await database(**TABLES))


async def append(documents: Documents, number: int) -> int:
    await documents.edit("d1", lambda document: document.lines.append(f"{number}"))
    return number


async def test_create(documents: Documents) -> None:
    """A document of an id that is in use is refused."""
    with pytest.raises(DocumentExistsError):
        await documents.create(Document(id="d1", title="Other"))


async def test_race() -> None:
    """Of 50 edits of one document at once, all are made: each waits a random while after a
    conflict."""
    documents = await begin(fake_database(**TABLES))

    found = await outcomes((partial(append, documents, each) for each in range(50)), at_once=50)

    stored = await documents.get("d1")
    assert sorted(found) == sorted(map(int, stored.lines)) == list(range(50))
    assert stored.version == 51


async def test_faults(faulty: MakeFaulty) -> None:
    """Each stored version is made from the one before: no edit is lost, and none is there
    twice."""
    db, calm, proxy = await faulty(**TABLES)
    await begin(calm)

    found = await outcomes((partial(append, Documents(db), each) for each in range(40)), at_once=6)

    stored = await Documents(calm).get("d1")
    edited = [each for each in found if isinstance(each, int)]
    assert sorted(map(int, stored.lines)) == sorted(edited)
    assert stored.version == len(edited) + 1
    assert len(edited) + count(found, DynasafeError) == 40
    assert len({record.fault for record in proxy.log}) > 3


async def test_lost_answers() -> None:
    """A write whose answer is lost is not taken for somebody else's change."""
    transport = Rough(TABLES, rate=0.4)
    documents = await begin(rough_database(transport))

    for number in range(30):
        document = await documents.get("d1")
        document.title = f"{number}"
        await documents.save(document)

    assert transport.lost > 5
    assert (await documents.get("d1")).version == 31


async def test_two_people(documents: Documents) -> None:
    """A human who was slower is shown what is stored, and overwrites nothing."""
    mine, theirs = await documents.get("d1"), await documents.get("d1")
    mine.title, theirs.title = "mine", "theirs"

    await documents.save(mine)
    with pytest.raises(DocumentChangedError) as conflict:
        await documents.save(theirs)

    assert conflict.value.stored == mine == await documents.get("d1")
    mine.title = "mine again"
    await documents.save(mine)
    assert (await documents.get("d1")).version == 3


@pytest.mark.parametrize("version", [0, 1, 7])
async def test_not_there(documents: Documents, version: int) -> None:
    """A document that is not there is not created by an edit."""
    with pytest.raises(NoSuchDocumentError):
        await documents.save(Document(id="d9", title="x", version=version))
    with pytest.raises(NoSuchDocumentError):
        await documents.edit("d9", lambda document: None)


async def test_always_slower() -> None:
    """Where somebody is always quicker, the edit gives up after so many attempts."""
    documents = await begin(fake_database(**TABLES))
    calls = 0

    def change(document: Document) -> None:
        nonlocal calls
        calls += 1
        document.version -= 1  # as if another had been there in between

    with pytest.raises(DocumentChangedError):
        await documents.edit("d1", change, max_attempts=3)
    assert calls == 3


async def test_migrated() -> None:
    """A document that lacks every optional attribute, as after a migration, is edited like any
    other."""
    transport = Rough(TABLES)
    documents = await begin(rough_database(transport))
    strip_optional(transport, TABLES)

    await append(documents, 1)

    assert (await documents.get("d1")).lines == ["1"]
