"""Unique e-mail addresses: no two people with the same one.

What it does: stores a marker item for each address in use, in the same transaction that stores the
person, and finds a person by their address.

Threat model: Two people register one address at once, or one person spells it in two ways to have
two accounts; a stranger sends what looks like one address and is two.

What it guarantees:
- Of 50 who ask for one address at once, one gets it.
- A person and their marker come, change and go together, whatever crashes in between.
- Spellings of one address count as one: case, Unicode forms, and the two forms of a domain.
- What is not exactly one address is refused: names, lists, spaces and invisible characters.
- A person who is removed later, by Time to Live, keeps the address until then and not longer.
- A host whose clock is 40 s wrong frees such an address 40 s early or late, and nothing else.

What it leaves to you: to prove that the address is the person's (see email_verification). That an
address is taken tells who has an account. Where nobody may know, answer every sign-up with "look
into your mailbox", and mail the owner of a taken address that somebody tried. Two mailboxes that
differ in case only cannot both register; no provider of note has such.

The tables: `people`, partition key `id`, and `emails`, partition key `email`, both with Time to
Live on `expires_at`. Needs `pip install dynasafe`; `python unique_email.py` runs it in memory.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

from dynasafe import (
    AsyncDynamoDB,
    AsyncTable,
    Attr,
    Item,
    UpdateBuilder,
    attribute,
    retry_conflicts,
    settle,
)
from dynasafe.errors import TransactionCanceledError
from dynasafe.typing import Write

MAX_LENGTH = 254
ODD = frozenset('<>()[]",;:\\')


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    email: Attr[str] = attribute(patchable=False)
    """As it was typed; changed by `change_email` only."""
    expires_at: Attr[datetime | None] = attribute(default=None, ttl=True, patchable=False)


class Email(Item):
    """An address in use, and by whom."""

    email: Attr[str] = attribute(key="partition")
    """Normalised."""
    person_id: Attr[str]
    expires_at: Attr[datetime | None] = attribute(default=None, ttl=True)
    """The person's. Afterwards the address is free, whether the marker is deleted yet or not."""


TABLES: dict[str, type[Item]] = {"people": Person, "emails": Email}


class BadEmailError(ValueError):
    """The text is not exactly one e-mail address."""

    def __str__(self) -> str:
        return "This is not an e-mail address. Fix: write one address, such as ada@example.org."


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

    def __init__(self, db: AsyncDynamoDB) -> None:
        self._db = db
        self._people: AsyncTable[Person] = db.table("people", Person)
        self._emails: AsyncTable[Email] = db.table("emails", Email)

    async def register(self, person: Person, *, now: datetime) -> None:
        """Store a person of a new id, with an address that nobody has.

        Raises:
            EmailTakenError, PersonExistsError, BadEmailError
        """
        writes = [
            self._take(person.email, person, now),
            self._people.put(person, condition=Person.id.not_exists()),
        ]
        taken, exists = await self._failed_conditions(writes)
        if exists:
            raise PersonExistsError(person.id)
        if taken:
            raise EmailTakenError

    async def change_email(self, person_id: str, email: str, *, now: datetime) -> None:
        """Give the person another address that nobody has.

        Raises:
            EmailTakenError, PersonChangedError, BadEmailError
        """
        normalised(email)
        person = await self._get(person_id)
        changed = UpdateBuilder(Person).set(Person.email, email)
        changed.condition(Person.email == person.email)
        writes = [self._people.update({"id": person_id}, changed)]
        if normalised(email) != normalised(person.email):  # else it is another spelling only
            writes += [self._give_up(person), self._take(email, person, now)]
        failed = await self._failed_conditions(writes)
        if any(failed[:2]):
            raise PersonChangedError(person_id)
        if any(failed):
            raise EmailTakenError

    async def find(self, email: str, *, now: datetime) -> Person | None:
        """The person who has the address."""
        marker = await self._emails.get_item({"email": normalised(email)}, consistent_read=True)
        if marker is None or is_over(marker.expires_at, now):
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
        try:
            person = await self._get(person_id)
        except PersonChangedError:
            return
        gone = self._people.delete({"id": person_id}, condition=Person.email == person.email)
        if any(await self._failed_conditions([gone, self._give_up(person)])):
            raise PersonChangedError(person_id)

    async def remove_at(self, person_id: str, time: datetime | None) -> None:
        """Have Time to Live remove the person and free the address then; None: not any more.

        Raises:
            PersonChangedError
        """
        person = await self._get(person_id)
        leave_person, leave_marker = UpdateBuilder(Person), UpdateBuilder(Email)
        if time is None:
            leave_person.remove(Person.expires_at)
            leave_marker.remove(Email.expires_at)
        else:
            leave_person.set(Person.expires_at, time)
            leave_marker.set(Email.expires_at, time)
        leave_person.condition(Person.email == person.email)
        leave_marker.condition(Email.person_id == person_id)
        marker_key = {"email": normalised(person.email)}
        writes = [
            self._people.update({"id": person_id}, leave_person),
            self._emails.update(marker_key, leave_marker),
        ]
        if any(await self._failed_conditions(writes)):
            raise PersonChangedError(person_id)

    async def _get(self, person_id: str) -> Person:
        person = await self._people.get_item({"id": person_id}, consistent_read=True)
        if person is None:
            raise PersonChangedError(person_id)
        return person

    def _take(self, email: str, person: Person, now: datetime) -> Write:
        marker = Email(email=normalised(email), person_id=person.id, expires_at=person.expires_at)
        is_free = Email.email.not_exists() | (Email.expires_at <= now)
        return self._emails.put(marker, condition=is_free)

    def _give_up(self, person: Person) -> Write:
        key = {"email": normalised(person.email)}
        return self._emails.delete(key, condition=Email.person_id == person.id)

    async def _failed_conditions(self, writes: Sequence[Write]) -> list[bool]:
        """Make all the writes, or none: whether the condition of each one failed."""
        try:
            await retry_conflicts(lambda: settle(self._db.transact_write_items(writes)))
        except TransactionCanceledError as error:
            failed = [reason.code == "ConditionalCheckFailed" for reason in error.reasons]
            if not any(failed):
                raise
            return failed
        return [False] * len(writes)


def is_over(time: datetime | None, now: datetime) -> bool:
    return time is not None and time <= now


def normalised(email: str) -> str:
    """The one form of all spellings of an address.

    Raises:
        BadEmailError: it is not exactly one address.
    """
    text = email.strip()
    # Case folding may leave the normal form, so it is restored afterwards.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # C is for control, format and surrogate characters, Z for spaces.
    has_odd = any(
        unicodedata.category(each)[0] in "CZ" or each in '<>()[]",;:\\' for each in folded
    )
    name, at, domain = folded.partition("@")
    if has_odd or not name or not at or "@" in domain or len(folded) > MAX_LENGTH:
        raise BadEmailError
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError as error:  # a label that is empty or too long
        raise BadEmailError from error
    if "." not in ascii_domain or ascii_domain.endswith("."):
        raise BadEmailError
    return f"{name}@{ascii_domain}"


async def main() -> None:
    """Register two people with one address, on tables in memory."""
    from dynasafe.testing import create_tables, fake_database

    db = fake_database()
    await create_tables(db, TABLES)
    people, now = People(db), datetime(2026, 11, 24, tzinfo=UTC)
    await people.register(Person(id="p1", email="Ada@Example.org"), now=now)
    try:
        await people.register(Person(id="p2", email="ada@example.ORG"), now=now)
    except EmailTakenError:
        print("taken by", await people.find("ada@example.org", now=now))


if __name__ == "__main__":
    asyncio.run(main())
