"""What belongs to a person, who cannot be deleted as long as they have it."""

# Made from examples/registry/holdings.py by `make twins`: change that one.

from __future__ import annotations

from dynasafe import DynamoDB, Table, UpdateBuilder
from dynasafe.errors import TransactionCanceledError
from dynasafe.sync import retry_conflicts, settle
from dynasafe.typing import Write

from .errors import NotFoundError
from .models import Person


class Holdings:
    """Stores and deletes what belongs to people, and counts it on them in the same transaction.

    So no project and no subscription is ever left without its person, however many requests race.
    """

    def __init__(self, db: DynamoDB, people: Table[Person]) -> None:
        self._db = db
        self._people = people

    def change(self, person_id: str, by: int, write: Write) -> bool:
        """Make the write and count it, or neither: whether the write's own condition held.

        Raises:
            NotFoundError: there is no such person.
            OutcomeUnknownError: read before you repeat it.
        """
        counted = UpdateBuilder(Person).increment(Person.holdings, by)
        person = self._people.update({"id": person_id}, counted, condition=Person.id.exists())
        try:
            retry_conflicts(lambda: settle(lambda: self._db.transact_write_items([person, write])))
        except TransactionCanceledError as error:
            is_nobody, is_refused = (
                reason.code == "ConditionalCheckFailed" for reason in error.reasons
            )
            if is_nobody:
                raise NotFoundError("person", person_id) from error
            if is_refused:
                return False
            raise
        return True
