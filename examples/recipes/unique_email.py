"""Unique e-mail addresses: no two people with the same one.

What it does: stores a marker item for each address in use, in the same transaction that stores the
person, and finds a person by their address.

What it guarantees: of many who ask for one address, one gets it. A person and their marker come,
change and go together, whatever crashes in between.

What it does not: prove that the address is the person's (see email_verification), or know that two
spellings reach one mailbox. Addresses are compared without regard to case, although the part
before the @ might have one: no provider of note tells them apart, and people do not either.

The tables: `people`, partition key `id`; `emails`, partition key `email`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.calls.requests import Write
from dynasafe.errors import OutcomeUnknownError, TransactionCanceledError

T = TypeVar("T")


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    email: Attr[str] = attribute(patchable=False)
    """As it was typed; changed by `change_email` only."""


class Email(Item):
    """An address in use, and by whom."""

    email: Attr[str] = attribute(key="partition")
    """Normalised."""
    person_id: Attr[str]


class EmailTakenError(Exception):
    """Somebody has the address."""


class PersonExistsError(Exception):
    """There is a person of this id already."""


class PersonChangedError(Exception):
    """There is no such person, or their address was changed meanwhile. Fix: read again."""


class People:
    """People by id and by address.

    Each write raises OutcomeUnknownError where DynamoDB cannot be reached: read before you repeat.
    """

    def __init__(
        self, db: AsyncDynamoDB, people: AsyncTable[Person], emails: AsyncTable[Email]
    ) -> None:
        self._db = db
        self._people = people
        self._emails = emails

    async def register(self, person: Person) -> None:
        """Store a person of a new id, with an address that nobody has.

        Raises:
            EmailTakenError, PersonExistsError
        """
        writes = [
            self._take(person.email, person.id),
            self._people.put(person, condition=Person.id.not_exists()),
        ]
        taken, exists = await self._failed_conditions(writes)
        if exists:
            raise PersonExistsError(person.id)
        if taken:
            raise EmailTakenError

    async def change_email(self, person_id: str, email: str) -> None:
        """Give the person another address that nobody has.

        Raises:
            EmailTakenError, PersonChangedError
        """
        person = await self._people.get_item({"id": person_id}, consistent_read=True)
        if person is None:
            raise PersonChangedError(person_id)
        changed = UpdateBuilder(Person).set(Person.email, email)
        write = self._people.update(
            {"id": person_id}, changed, condition=Person.email == person.email
        )
        writes = [write]
        if normalised(email) != normalised(person.email):  # else it is another spelling only
            writes += [self._give_up(person), self._take(email, person_id)]
        failed = await self._failed_conditions(writes)
        if any(failed[:2]):
            raise PersonChangedError(person_id)
        if any(failed):
            raise EmailTakenError

    async def find(self, email: str) -> Person | None:
        """The person who has the address."""
        marker = await self._emails.get_item({"email": normalised(email)}, consistent_read=True)
        if marker is None:
            return None
        person = await self._people.get_item({"id": marker.person_id}, consistent_read=True)
        if person is None or normalised(person.email) != marker.email:
            return None  # changed between the two reads
        return person

    async def remove(self, person_id: str) -> None:
        """Delete the person, and free their address; one who is not there is no error.

        Raises:
            PersonChangedError
        """
        person = await self._people.get_item({"id": person_id}, consistent_read=True)
        if person is None:
            return
        gone = self._people.delete({"id": person_id}, condition=Person.email == person.email)
        if any(await self._failed_conditions([gone, self._give_up(person)])):
            raise PersonChangedError(person_id)

    def _take(self, email: str, person_id: str) -> Write:
        marker = Email(email=normalised(email), person_id=person_id)
        return self._emails.put(marker, condition=Email.email.not_exists())

    def _give_up(self, person: Person) -> Write:
        key = {"email": normalised(person.email)}
        return self._emails.delete(key, condition=Email.person_id == person.id)

    async def _failed_conditions(self, writes: Sequence[Write]) -> list[bool]:
        """Make all the writes, or none: whether the condition of each one failed."""
        try:
            await settle(self._db.transact_write_items(writes))
        except TransactionCanceledError as error:
            failed = [reason.code == "ConditionalCheckFailed" for reason in error.reasons]
            if not any(failed):
                raise
            return failed
        return [False] * len(writes)


def normalised(email: str) -> str:
    """What is the same for all spellings of one address."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()


async def settle(call: Awaitable[T]) -> T:
    """What a call under a token returns. If its answer is lost, it is asked for once more."""
    try:
        return await call
    except OutcomeUnknownError as error:
        result: T = await error.resolve()
        return result
