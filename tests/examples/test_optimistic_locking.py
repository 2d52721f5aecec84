"""Optimistic locking: no edit is lost."""

from __future__ import annotations

from functools import partial

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.errors import ConditionalCheckFailedError, ServiceError, VersionConflictError
from examples.recipes.optimistic_locking import (
    Document,
    DocumentChangedError,
    Documents,
    NoSuchDocumentError,
)
from tests.examples.conftest import MakeDatabase, MakeFaulty, count, outcomes


def documents_of(db: AsyncDynamoDB) -> Documents:
    return Documents(db.table("documents", Document))


@pytest.fixture
async def documents(database: MakeDatabase) -> Documents:
    documents = documents_of(await database(documents=Document))
    await documents.create(Document(id="d1", title="Notes"))
    return documents


async def test_given_a_document_when_created_again_then_it_is_refused(
    documents: Documents,
) -> None:
    with pytest.raises(ConditionalCheckFailedError):
        await documents.create(Document(id="d1", title="Other"))


async def test_given_two_people_who_edit_then_the_second_is_shown_the_first_ones_work(
    documents: Documents,
) -> None:
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
async def test_given_no_document_then_it_is_not_created(documents: Documents, version: int) -> None:
    with pytest.raises(NoSuchDocumentError):
        await documents.save(Document(id="d9", title="x", version=version))
    with pytest.raises(NoSuchDocumentError):
        await documents.edit("d9", lambda document: None)


async def test_given_somebody_who_is_always_quicker_then_the_edit_gives_up(
    database: MakeDatabase,
) -> None:
    table = (await database(documents=Document)).table("documents", Document)
    documents = Documents(table)
    await documents.create(Document(id="d1", title="Notes"))
    calls = 0

    def change(document: Document) -> None:
        nonlocal calls
        calls += 1
        document.version -= 1  # as if another had been there in between

    with pytest.raises(VersionConflictError):
        await documents.edit("d1", change, attempts=3)
    assert calls == 3


async def test_given_edits_at_once_and_faults_then_each_is_there_once(faulty: MakeFaulty) -> None:
    db, calm, proxy = await faulty(documents=Document)
    await documents_of(calm).create(Document(id="d1", title="Notes"))

    async def edit(number: int) -> str:
        await documents_of(db).edit(
            "d1", lambda document: document.lines.append(str(number)), attempts=200
        )
        return str(number)

    found = await outcomes((partial(edit, number) for number in range(60)), at_once=6)

    stored = await documents_of(calm).get("d1")
    told = [each for each in found if isinstance(each, str)]
    assert sorted(stored.lines) == sorted(told)
    assert stored.version == len(told) + 1
    assert len(told) + count(found, ServiceError) == 60
    assert len({record.fault for record in proxy.log}) > 3
