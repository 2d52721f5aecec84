"""Optimistic locking: nobody overwrites what they have not seen.

What it does: `edit` reads a document, changes it and stores it, and starts again when another was
quicker; `save` stores what a human edited, if the document is still the one that they were shown.

Threat model: No attacker. People and jobs edit one document at once, and answers are lost. Each
must learn whether their edit was stored.

What it guarantees:
- Each stored version is made from the one before: no edit is lost, and none is there twice.
- Of 50 edits of one document at once, all are made: each waits a random while after a conflict.
- A write whose answer is lost is not taken for somebody else's change.
- A human who was slower is shown what is stored, and overwrites nothing.
- A document that is not there is not created by an edit.
- A document that lacks every optional attribute, as after a migration, is edited like any other.

What it leaves to you: who may edit, and merging two edits. Writers of one document wait for each
other: some tens of edits a second.

The table: `documents`, partition key `id`. Needs `pip install dynasafe`; `python
optimistic_locking.py` runs it in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dynasafe import (
    AsyncDynamoDB,
    AsyncTable,
    Attr,
    Item,
    attribute,
    retry_conflicts,
    settle,
)
from dynasafe.errors import ConditionalCheckFailedError


class Document(Item):
    id: Attr[str] = attribute(key="partition")
    title: Attr[str]
    lines: Attr[list[str]] = attribute(default_factory=list)
    version: Attr[int] = attribute(default=0, version=True)


TABLES: dict[str, type[Item]] = {"documents": Document}


class NoSuchDocumentError(Exception):
    """There is no document of this id."""


class DocumentExistsError(Exception):
    """There is a document of this id already."""


class DocumentChangedError(Exception):
    """The document was changed since it was shown: show `stored`, and let them edit that."""

    def __init__(self, stored: Document) -> None:
        super().__init__(stored.id)
        self.stored = stored


class Documents:
    """Documents with versions.

    Each write raises OutcomeUnknownError where DynamoDB cannot be reached: read before you repeat.
    """

    def __init__(self, db: AsyncDynamoDB) -> None:
        self._table: AsyncTable[Document] = db.table("documents", Document)

    async def create(self, document: Document) -> None:
        """Store a document of a new id.

        Raises:
            DocumentExistsError
        """
        is_new = Document.id.not_exists()
        try:
            await settle(self._table.put_item(document, condition=is_new, exactly_once=True))
        except ConditionalCheckFailedError as error:
            raise DocumentExistsError(document.id) from error

    async def get(self, document_id: str) -> Document:
        """The document as of the last write.

        Raises:
            NoSuchDocumentError
        """
        document = await self._table.get_item({"id": document_id}, consistent_read=True)
        if document is None:
            raise NoSuchDocumentError(document_id)
        return document

    async def edit(
        self, document_id: str, change: Callable[[Document], None], *, max_attempts: int = 30
    ) -> Document:
        """Change the document, as often as it takes: what is stored.

        Args:
            change: changes the document that it is given, and nothing else: it may be called
                several times.

        Raises:
            NoSuchDocumentError
            DocumentChangedError: others were quicker each time.
        """

        async def attempt() -> Document:
            document = await self.get(document_id)
            change(document)
            await self.save(document)
            return document

        return await retry_conflicts(attempt, on=DocumentChangedError, max_attempts=max_attempts)

    async def save(self, edited: Document) -> None:
        """Store what a human edited; `edited.version` is the one that they were shown.

        Raises:
            DocumentChangedError, NoSuchDocumentError
        """
        # The version is checked by itself; that the document is there is not: one of version 0
        # would be created.
        is_there = Document.id.exists()
        try:
            await settle(self._table.put_item(edited, condition=is_there, exactly_once=True))
        except ConditionalCheckFailedError as error:
            if error.item is None:
                raise NoSuchDocumentError(edited.id) from error
            raise DocumentChangedError(error.item) from error


async def main() -> None:
    """Ten edits at once, on a table in memory."""
    from dynasafe.testing import create_tables, fake_database

    db = fake_database()
    await create_tables(db, TABLES)
    documents = Documents(db)
    await documents.create(Document(id="d1", title="Notes"))

    async def append(number: int) -> None:
        await documents.edit("d1", lambda document: document.lines.append(str(number)))

    await asyncio.gather(*map(append, range(10)))
    stored = await documents.get("d1")
    print(f"version {stored.version}, lines {sorted(stored.lines, key=int)}")


if __name__ == "__main__":
    asyncio.run(main())
