"""Subscriptions: create, get, update, list those of a person, and delete."""

# Made from examples/registry/subscriptions.py by `make twins`: change that one.

from __future__ import annotations

from collections.abc import Mapping

from dynasafe import Table, UpdateBuilder
from dynasafe.errors import ConditionalCheckFailedError

from .errors import AlreadyExistsError, NotFoundError
from .holdings import Holdings
from .models import Subscription
from .paging import PageOf, first_page, read_cursor


class Subscriptions:
    """The subscriptions of the registry, each of which belongs to a person.

    What stays unknown of a write reaches the caller as OutcomeUnknownError: read the subscription
    before you repeat it.
    """

    def __init__(self, table: Table[Subscription], holdings: Holdings) -> None:
        self._table = table
        self._holdings = holdings

    def create(self, subscription: Subscription) -> None:
        """Store a subscription of a new id, of a person who is there.

        Raises:
            NotFoundError: there is no such person.
            AlreadyExistsError: the person has a subscription of this id.
        """
        put = self._table.put(subscription, condition=Subscription.id.not_exists())
        if not self._holdings.change(subscription.person_id, +1, put):
            raise AlreadyExistsError("subscription", subscription.id)

    def get(self, person_id: str, subscription_id: str) -> Subscription:
        """The subscription as of the last write.

        Raises:
            NotFoundError
        """
        key = {"person_id": person_id, "id": subscription_id}
        subscription = self._table.get_item(key, consistent_read=True)
        if subscription is None:
            raise NotFoundError("subscription", subscription_id)
        return subscription

    def update(
        self, person_id: str, subscription_id: str, patch: Mapping[str, object]
    ) -> Subscription:
        """Change what the patch names, and nothing else: the subscription afterwards.

        Raises:
            NotFoundError
            InvalidRequestError: the patch names what must not be changed, or taken away.
        """
        update = UpdateBuilder(Subscription).patch(patch, none="remove")
        if update.is_empty:
            return self.get(person_id, subscription_id)
        update.condition(Subscription.id.exists())
        key = {"person_id": person_id, "id": subscription_id}
        try:
            result = self._table.update_item(key, update, return_values="ALL_NEW")
        except ConditionalCheckFailedError as error:
            raise NotFoundError("subscription", subscription_id) from error
        return result.attributes

    def list(
        self, person_id: str, *, limit: int = 25, cursor: str | None = None
    ) -> PageOf[Subscription]:
        """A page of the person's subscriptions, in the order of their ids.

        Raises:
            BadCursorError
        """
        start = None
        if cursor is not None:
            start = read_cursor(cursor, "person_id", "id")
            start["person_id"] = person_id  # whatever the cursor says
        return first_page(
            self._table.query(
                Subscription.person_id == person_id, limit=limit, exclusive_start_key=start
            )
        )

    def delete(self, person_id: str, subscription_id: str) -> None:
        """Delete the subscription; one that is not there is no error."""
        key = {"person_id": person_id, "id": subscription_id}
        delete = self._table.delete(key, condition=Subscription.id.exists())
        self._holdings.change(person_id, -1, delete)
