"""Optimistic locking: nobody overwrites what they have not seen.

What it does: `edit` reads a document, changes it and stores it, and begins anew when another was
quicker; `save` stores what a human edited, if the document is still the one that they were shown.

What it guarantees: each stored version is made from the one before. A write is sent under a token,
so that a lost answer is not taken for somebody else's change.

What it does not: merge two edits, or keep many writers of one document from waiting for each other.

The table: `documents`, partition key `id`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from dynasafe import AsyncTable, Attr, Item, attribute
from dynasafe.errors import ConditionalCheckFailedError, OutcomeUnknownError

T = TypeVar("T")


class Document(Item):
    id: Attr[str] = attribute(key="partition")
    title: Attr[str]
    lines: Attr[list[str]] = attribute(default_factory=list)
    version: Attr[int] = attribute(default=0, version=True)


class NoSuchDocumentError(Exception):
    """There is no document of this id."""


class DocumentChangedError(Exception):
    """The document was changed since it was shown: show `stored`, and let them edit that."""

    def __init__(self, stored: Document) -> None:
        super().__init__(stored.id)
        self.stored = stored


class Documents:
    """Documents with versions.

    Each write raises OutcomeUnknownError where DynamoDB cannot be reached: read before you repeat.
    """

    def __init__(self, table: AsyncTable[Document]) -> None:
        self._table = table

    async def create(self, document: Document) -> None:
        """Store a document of a new id.

        Raises:
            ConditionalCheckFailedError: there is one.
        """
        await settle(
            self._table.put_item(document, condition=Document.id.not_exists(), exactly_once=True)
        )

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
        self, document_id: str, change: Callable[[Document], None], *, attempts: int = 5
    ) -> Document:
        """Change the document, as often as it takes: what is stored.

        Args:
            change: changes the document that it is given, and nothing else: it may be called
                several times.

        Raises:
            NoSuchDocumentError
            VersionConflictError: others were quicker each time.
            TransactionCanceledError: so many write at once that there was no turn.
        """
        while True:
            document = await self.get(document_id)
            change(document)
            attempts -= 1
            try:
                await self._replace(document)
            except ConditionalCheckFailedError:
                if attempts < 1:
                    raise
            else:
                return document

    async def save(self, edited: Document) -> None:
        """Store what a human edited; `edited.version` is the one that they were shown.

        Raises:
            DocumentChangedError, NoSuchDocumentError
        """
        try:
            await self._replace(edited)
        except ConditionalCheckFailedError as error:
            if error.item is None:
                raise NoSuchDocumentError(edited.id) from error
            raise DocumentChangedError(error.item) from error

    async def _replace(self, document: Document) -> None:
        # The version is checked by itself; that the document is there is not: one of version 0
        # would be created.
        there = Document.id.exists()
        await settle(self._table.put_item(document, condition=there, exactly_once=True))


async def settle(call: Awaitable[T]) -> T:
    """What a call under a token returns. If its answer is lost, it is asked for once more."""
    try:
        return await call
    except OutcomeUnknownError as error:
        result: T = await error.resolve()
        return result
