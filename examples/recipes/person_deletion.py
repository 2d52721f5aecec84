"""Person deletion: only of those whom nothing refers to, softly or for good.

What it does: `delete_softly` marks a person as deleted, who can be restored for a month, and is
then removed by Time to Live; `delete` removes them at once.

What it guarantees: nobody is deleted who has subscriptions or leads their team, and nobody who is
deleted gets a subscription, however many requests race: what is checked and what is written are
one transaction. Subscriptions are counted on the person by the transaction that stores them.

What it does not: delete what else holds personal data (audit logs, backups, other services).

The tables: `people`, partition key `id`, Time to Live on `expires_at`; `teams`, partition key
`id`; `subscriptions`, partition key `person_id`, sort key `id`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.calls.requests import Write
from dynasafe.errors import OutcomeUnknownError, TransactionCanceledError
from dynasafe.items.conditions import Condition

T = TypeVar("T")

RESTORABLE = timedelta(days=30)


class Status(StrEnum):
    ACTIVE = "active"
    DELETED = "deleted"


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    team_id: Attr[str | None] = attribute(default=None)
    status: Attr[Status] = attribute(default=Status.ACTIVE)
    subscriptions: Attr[int] = attribute(default=0)
    """How many there are; changed in the transactions that store and delete them."""
    expires_at: Attr[datetime | None] = attribute(default=None, ttl=True)


class Team(Item):
    id: Attr[str] = attribute(key="partition")
    leader_id: Attr[str]


class Subscription(Item):
    person_id: Attr[str] = attribute(key="partition")
    id: Attr[str] = attribute(key="sort")


class NoSuchPersonError(Exception):
    """There is no such person, or they are deleted."""


class StillReferencedError(Exception):
    """Something refers to the person. Fix: end it first."""


class SubscriptionConflictError(Exception):
    """The subscription is there already, or is not there to be ended."""


class People:
    def __init__(
        self,
        db: AsyncDynamoDB,
        people: AsyncTable[Person],
        teams: AsyncTable[Team],
        subscriptions: AsyncTable[Subscription],
    ) -> None:
        self._db = db
        self._people = people
        self._teams = teams
        self._subscriptions = subscriptions

    async def subscribe(self, person_id: str, subscription_id: str) -> None:
        """Give the person a subscription.

        Raises:
            NoSuchPersonError, SubscriptionConflictError
            OutcomeUnknownError: DynamoDB cannot be reached; read before you repeat it.
        """
        await self._change_subscriptions(
            person_id,
            +1,
            self._subscriptions.put(
                Subscription(person_id=person_id, id=subscription_id),
                condition=Subscription.id.not_exists(),
            ),
        )

    async def unsubscribe(self, person_id: str, subscription_id: str) -> None:
        """End the person's subscription.

        Raises: as `subscribe`.
        """
        await self._change_subscriptions(
            person_id,
            -1,
            self._subscriptions.delete(
                {"person_id": person_id, "id": subscription_id},
                condition=Subscription.id.exists(),
            ),
        )

    async def delete_softly(self, person_id: str, *, now: datetime) -> None:
        """Mark the person as deleted, to be removed after a month.

        Raises:
            NoSuchPersonError, StillReferencedError
            OutcomeUnknownError: DynamoDB cannot be reached; read before you repeat it.
        """
        person = await self._active(person_id)
        deleted = (
            UpdateBuilder(Person)
            .set(Person.status, Status.DELETED)
            .set(Person.expires_at, now + RESTORABLE)
            .condition(is_free(person))
        )
        await self._delete(person, self._people.update({"id": person_id}, deleted))

    async def delete(self, person_id: str) -> None:
        """Remove the person at once, and for good.

        Raises: as `delete_softly`.
        """
        person = await self._active(person_id)
        removed = self._people.delete({"id": person_id}, condition=is_free(person))
        await self._delete(person, removed)

    async def restore(self, person_id: str) -> None:
        """Bring back a person who was deleted softly.

        Raises:
            ConditionalCheckFailedError: there is nobody to bring back.
        """
        restored = (
            UpdateBuilder(Person)
            .set(Person.status, Status.ACTIVE)
            .remove(Person.expires_at)
            .condition(Person.status == Status.DELETED)
        )
        await settle(self._people.update_item({"id": person_id}, restored, exactly_once=True))

    async def _active(self, person_id: str) -> Person:
        person = await self._people.get_item({"id": person_id}, consistent_read=True)
        if person is None or person.status is Status.DELETED:
            raise NoSuchPersonError(person_id)
        return person

    async def _delete(self, person: Person, write: Write) -> None:
        """Make the write, if the person leads no team."""
        writes = [write]
        if person.team_id is not None:
            # A team that is gone has no leader, and stands in nobody's way.
            leads_not = Team.id.not_exists() | (Team.leader_id != person.id)
            writes.append(self._teams.check({"id": person.team_id}, leads_not))
        failed = await self._failed_conditions(writes)
        if failed:
            raise StillReferencedError(person.id)

    async def _change_subscriptions(self, person_id: str, by: int, write: Write) -> None:
        counted = UpdateBuilder(Person).increment(Person.subscriptions, by)
        person = self._people.update(
            {"id": person_id}, counted, condition=Person.status == Status.ACTIVE
        )
        failed = await self._failed_conditions([person, write])
        if 0 in failed:
            raise NoSuchPersonError(person_id)
        if failed:
            raise SubscriptionConflictError(person_id)

    async def _failed_conditions(self, writes: Sequence[Write]) -> list[int]:
        """Make all the writes, or none: the places of those whose conditions did not hold."""
        try:
            await settle(self._db.transact_write_items(writes))
        except TransactionCanceledError as error:
            codes = [reason.code for reason in error.reasons]
            if "ConditionalCheckFailed" not in codes:
                raise
            return [index for index, code in enumerate(codes) if code == "ConditionalCheckFailed"]
        return []


def is_free(person: Person) -> Condition:
    """That nothing refers to the person, who is still as they were read."""
    is_same_team = (
        # None may be stored as NULL, or not at all.
        ~Person.team_id.is_type("S") if person.team_id is None else Person.team_id == person.team_id
    )
    return (Person.status == Status.ACTIVE) & (Person.subscriptions == 0) & is_same_team


async def settle(call: Awaitable[T]) -> T:
    """What a call under a token returns. If its answer is lost, it is asked for once more."""
    try:
        return await call
    except OutcomeUnknownError as error:
        result: T = await error.resolve()
        return result
