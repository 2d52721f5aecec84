"""Person deletion: only of those whom nothing refers to, softly or for good.

What it does: `delete_softly` marks a person as deleted, who can be restored for a month, and is
then removed by Time to Live; `erase` removes them at once, deleted softly or not.

Threat model: No attacker. Requests refer to a person while another one deletes them, and a deletion
is sent three times. An erasure that always fails would break the law.

What it guarantees:
- Nobody is deleted who has subscriptions or leads a team, however many requests race.
- Nobody who is deleted gets a subscription or the lead of a team.
- A person who was deleted softly can be erased at once, as an erasure request demands.
- Of three deletions at once, one is made; the others raise NoSuchPersonError.
- A person can be restored until `expires_at`, and not later.
- An item that lacks every optional attribute, as after a migration, is deleted like any other.
- A lost answer leaves the person and the counts in step.
- A host whose clock is 40 s wrong moves the end of the month by 40 s, and breaks nothing else.

What it leaves to you: who may delete whom, and what else holds personal data: audit logs, backups,
other services. Subscriptions that must go along with the person: see cascade_delete. Where the
person has a unique address, free it in the same transaction: see unique_email.

The tables: `people`, partition key `id`, Time to Live on `expires_at`; `teams`, partition key
`id`; `subscriptions`, partition key `person_id`, sort key `id`. Needs `pip install dynasafe`;
`python person_deletion.py` runs it in memory.
"""

# Made from examples/recipes/person_deletion.py by `make twins`: change that one.

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from dynasafe import Attr, DynamoDB, Item, Table, UpdateBuilder, attribute
from dynasafe.errors import ConditionalCheckFailedError, TransactionCanceledError
from dynasafe.sync import retry_conflicts, settle
from dynasafe.typing import Condition, Write

RESTORABLE = timedelta(days=30)


class Status(StrEnum):
    ACTIVE = "active"
    DELETED = "deleted"


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    status: Attr[Status] = attribute(default=Status.ACTIVE, patchable=False)
    subscriptions: Attr[int] = attribute(default=0, patchable=False)
    """How many there are; changed in the transactions that store and delete them."""
    teams_led: Attr[int] = attribute(default=0, patchable=False)
    """How many teams have them as leader; changed in the transaction that changes the leader."""
    expires_at: Attr[datetime | None] = attribute(default=None, ttl=True, patchable=False)


class Team(Item):
    id: Attr[str] = attribute(key="partition")
    leader_id: Attr[str] = attribute(patchable=False)


class Subscription(Item):
    person_id: Attr[str] = attribute(key="partition")
    id: Attr[str] = attribute(key="sort")


TABLES: dict[str, type[Item]] = {"people": Person, "teams": Team, "subscriptions": Subscription}


class NoSuchPersonError(Exception):
    """There is no such person, or they are deleted."""


class StillReferencedError(Exception):
    """The person has subscriptions, or leads a team. Fix: end that first."""


class SubscriptionConflictError(Exception):
    """The subscription is there already, or is not there to be ended."""


class TeamChangedError(Exception):
    """The team got another leader meanwhile. Fix: read again."""


class People:
    """People and what refers to them.

    Each write raises OutcomeUnknownError where DynamoDB cannot be reached: read before you repeat.
    """

    def __init__(self, db: DynamoDB) -> None:
        self._db = db
        self._people: Table[Person] = db.table("people", Person)
        self._teams: Table[Team] = db.table("teams", Team)
        self._subscriptions: Table[Subscription] = db.table("subscriptions", Subscription)

    def subscribe(self, person_id: str, subscription_id: str) -> None:
        """Give the person a subscription.

        Raises:
            NoSuchPersonError, SubscriptionConflictError
        """
        subscription = Subscription(person_id=person_id, id=subscription_id)
        is_new = Subscription.id.not_exists()
        counted = UpdateBuilder(Person).increment(Person.subscriptions, 1).condition(is_active())
        self._change_subscriptions(
            person_id, counted, self._subscriptions.put(subscription, condition=is_new)
        )

    def unsubscribe(self, person_id: str, subscription_id: str) -> None:
        """End the person's subscription.

        Raises:
            NoSuchPersonError, SubscriptionConflictError
        """
        key = {"person_id": person_id, "id": subscription_id}
        counted = UpdateBuilder(Person).increment(Person.subscriptions, -1).condition(is_active())
        self._change_subscriptions(
            person_id, counted, self._subscriptions.delete(key, condition=Subscription.id.exists())
        )

    def lead(self, team_id: str, person_id: str) -> None:
        """Make the person the leader of a team, which is created if it is not there.

        Raises:
            NoSuchPersonError, TeamChangedError
        """
        team = self._teams.get_item({"id": team_id}, consistent_read=True)
        if team is not None and team.leader_id == person_id:
            return
        is_as_read = Team.id.not_exists() if team is None else Team.leader_id == team.leader_id
        more = UpdateBuilder(Person).increment(Person.teams_led, 1).condition(is_active())
        writes = [
            self._people.update({"id": person_id}, more),
            self._teams.put(Team(id=team_id, leader_id=person_id), condition=is_as_read),
        ]
        if team is not None:
            less = UpdateBuilder(Person).increment(Person.teams_led, -1)
            less.condition(Person.id.exists() & (Person.teams_led > 0))
            writes.append(self._people.update({"id": team.leader_id}, less))
        failed = self._failed_conditions(writes)
        if 0 in failed:
            raise NoSuchPersonError(person_id)
        if failed:
            raise TeamChangedError(team_id)

    def delete_softly(self, person_id: str, *, now: datetime) -> None:
        """Mark the person as deleted, to be removed after a month.

        Raises:
            NoSuchPersonError, StillReferencedError
        """
        deleted = (
            UpdateBuilder(Person)
            .set(Person.status, Status.DELETED)
            .set(Person.expires_at, now + RESTORABLE)
            .condition(is_active() & is_free())
        )
        key = {"id": person_id}
        try:
            retry_conflicts(
                lambda: settle(lambda: self._people.update_item(key, deleted, exactly_once=True))
            )
        except ConditionalCheckFailedError as error:
            raise self._refusal(error) from error

    def erase(self, person_id: str) -> None:
        """Remove the person at once and for good, deleted softly or not.

        Raises:
            NoSuchPersonError, StillReferencedError
        """
        condition = Person.id.exists() & is_free()
        key = {"id": person_id}
        try:
            retry_conflicts(
                lambda: settle(
                    lambda: self._people.delete_item(key, condition=condition, exactly_once=True)
                )
            )
        except ConditionalCheckFailedError as error:
            if error.item is None:
                raise NoSuchPersonError from error
            raise StillReferencedError from error

    def restore(self, person_id: str, *, now: datetime) -> None:
        """Bring back a person who was deleted softly.

        Raises:
            NoSuchPersonError: there is nobody to bring back, or it is too late.
        """
        restored = (
            UpdateBuilder(Person)
            .set(Person.status, Status.ACTIVE)
            .remove(Person.expires_at)
            .condition((Person.status == Status.DELETED) & (Person.expires_at > now))
        )
        try:
            settle(lambda: self._people.update_item({"id": person_id}, restored, exactly_once=True))
        except ConditionalCheckFailedError as error:
            raise NoSuchPersonError from error

    def _refusal(self, error: ConditionalCheckFailedError) -> Exception:
        stored: Person | None = error.item
        if stored is None or stored.status is Status.DELETED:
            return NoSuchPersonError()
        return StillReferencedError()

    def _change_subscriptions(self, person_id: str, counted: UpdateBuilder, write: Write) -> None:
        failed = self._failed_conditions([self._people.update({"id": person_id}, counted), write])
        if 0 in failed:
            raise NoSuchPersonError(person_id)
        if failed:
            raise SubscriptionConflictError(person_id)

    def _failed_conditions(self, writes: Sequence[Write]) -> list[int]:
        """Make all the writes, or none: the places of those whose conditions did not hold."""
        try:
            retry_conflicts(lambda: settle(lambda: self._db.transact_write_items(writes)))
        except TransactionCanceledError as error:
            codes = [reason.code for reason in error.reasons]
            if "ConditionalCheckFailed" not in codes:
                raise
            return [index for index, code in enumerate(codes) if code == "ConditionalCheckFailed"]
        return []


# A comparison with an attribute that is absent is false, whatever the default in Python. Items of
# an older service may lack any of these.


def is_active() -> Condition:
    is_marked = Person.status == Status.ACTIVE
    return Person.id.exists() & (Person.status.not_exists() | is_marked)


def is_free() -> Condition:
    """That nothing refers to the person."""
    has_no_subscription = Person.subscriptions.not_exists() | (Person.subscriptions == 0)
    leads_no_team = Person.teams_led.not_exists() | (Person.teams_led == 0)
    return has_no_subscription & leads_no_team


def main() -> None:
    """Delete a person who has a subscription, on tables in memory."""
    from dynasafe.testing.sync import create_tables, fake_database

    db = fake_database()
    create_tables(db, TABLES)
    people, now = People(db), datetime(2026, 11, 24, tzinfo=UTC)
    db.table("people", Person).put_item(Person(id="p1", name="Ada"))
    people.subscribe("p1", "s1")
    try:
        people.delete_softly("p1", now=now)
    except StillReferencedError:
        print("Ada has a subscription")
    people.unsubscribe("p1", "s1")
    people.delete_softly("p1", now=now)
    people.erase("p1")
    print("erased")


if __name__ == "__main__":
    main()
