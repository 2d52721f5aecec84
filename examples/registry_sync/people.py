"""People: create, get, update, list and delete."""

# Made from examples/registry/people.py by `make twins`: change that one.

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from dynasafe import Table, UpdateBuilder
from dynasafe.errors import ConditionalCheckFailedError
from dynasafe.sync import retry_conflicts, settle

from .errors import AlreadyExistsError, InUseError, NotFoundError
from .models import Person
from .paging import PageOf, first_page, read_cursor


class People:
    """The people of the registry.

    A write whose answer was lost is sent again where that is safe. What stays unknown reaches the
    caller as OutcomeUnknownError: read the person before you repeat the write.
    """

    def __init__(self, table: Table[Person]) -> None:
        self._table = table

    def create(self, person: Person) -> None:
        """Store a person of a new id.

        It is sent under a token, so that a lost answer is not taken for a person who was there.

        Raises:
            AlreadyExistsError: the id is in use.
        """
        try:
            settle(
                lambda: self._table.put_item(
                    person, condition=Person.id.not_exists(), exactly_once=True
                )
            )
        except ConditionalCheckFailedError as error:
            raise AlreadyExistsError("person", person.id) from error

    def get(self, person_id: str) -> Person:
        """The person as of the last write.

        Raises:
            NotFoundError
        """
        person = self._table.get_item({"id": person_id}, consistent_read=True)
        if person is None:
            raise NotFoundError("person", person_id)
        return person

    def update(self, person_id: str, patch: Mapping[str, object]) -> Person:
        """Change what the patch names, and nothing else: the person afterwards.

        Raises:
            NotFoundError
            InvalidRequestError: the patch names what must not be changed, or taken away.
        """
        update = UpdateBuilder(Person).patch(patch, none="remove")
        if update.is_empty:
            return self.get(person_id)
        update.condition(Person.id.exists())  # without it, an update creates a missing person
        try:
            result = self._table.update_item({"id": person_id}, update, return_values="ALL_NEW")
        except ConditionalCheckFailedError as error:
            raise NotFoundError("person", person_id) from error
        return result.attributes

    def list(self, *, limit: int = 25, cursor: str | None = None) -> PageOf[Person]:
        """A page of all people, in no order.

        Raises:
            BadCursorError
        """
        start = None if cursor is None else read_cursor(cursor, "id")
        return first_page(self._table.scan(limit=limit, exclusive_start_key=start))

    def delete(self, person_id: str) -> None:
        """Delete the person; one who is not there is no error.

        Raises:
            InUseError: they have projects or subscriptions.
        """
        # A comparison with an absent attribute is false: a person without holdings is free too.
        has_none = Person.holdings.not_exists() | (Person.holdings == 0)
        is_free = Person.id.not_exists() | has_none
        delete = partial(
            self._table.delete_item, {"id": person_id}, condition=is_free, exactly_once=True
        )
        try:
            retry_conflicts(lambda: settle(lambda: delete()))
        except ConditionalCheckFailedError as error:
            raise InUseError("person", person_id) from error
