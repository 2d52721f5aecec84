"""The work that every contender does: an update, an item, and calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from itertools import count
from typing import Any, NamedTuple

from dynasafe.values.convert import to_attribute_map

TABLE_NAME = "people"
REGION = "us-east-1"
MOST_CONNECTIONS = 50
"""The pool size of every contender, so that 32 callers do not wait for connections."""

ITEM: dict[str, Any] = {
    "id": "p1",
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "nickname": None,
    "is_admin": False,
    "visits": 1815,
    "balance": Decimal("1234.56"),
    "tags": {"mathematics", "engines", "poetry"},
    "scores": [3, 1, 4, 1, 5],
    "address": {"street": "12 St James's Square", "city": "London", "floor": 2},
    "orders": [
        {"sku": "paper", "quantity": 500, "price": Decimal("9.99")},
        {"sku": "ink", "quantity": 3, "price": Decimal("4.5")},
    ],
    "settings": {"theme": "dark", "alerts": {"mail": True, "post": False}},
}
"""Twelve attributes, five of them nested."""

WIRE_ITEM: dict[str, Any] = to_attribute_map(ITEM)

TEXT_ITEM: dict[str, Any] = {
    "id": "p1",
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "phone": "+44 20 7946 0000",
    "status": "active",
    "created_at": "2026-11-24T12:00:00.000000Z",
    "updated_at": "2026-11-24T12:00:00.000000Z",
    "is_admin": False,
    "visits": 12,
    "address": {"street": "12 St James's Square", "city": "London", "country": "GB"},
    "roles": ["reader", "editor"],
    "settings": {"theme": "dark", "language": "en"},
}
"""Twelve typical attributes: all are strings except two."""

TEXT_WIRE_ITEM: dict[str, Any] = to_attribute_map(TEXT_ITEM)


class Change(NamedTuple):
    """The values of one update with four actions: set, increment, remove and add."""

    key: str
    name: str
    amount: int
    tags: set[str]


def changes() -> Iterator[Change]:
    """Changes of one shape that differ in all their values."""
    for turn in count():
        yield Change(f"p{turn}", f"Ada {turn}", turn % 100 + 1, {f"tag{turn}"})


class NewNames(NamedTuple):
    """Four attribute names that no earlier request had."""

    name: str
    visits: str
    email: str
    tags: str


OLD_NAMES = NewNames("name", "visits", "email", "tags")

_turns = count()


def new_names() -> Iterator[tuple[Change, NewNames]]:
    """Changes of shapes that were never seen."""
    for change, turn in zip(changes(), _turns, strict=False):
        yield change, NewNames(f"name{turn}", f"visits{turn}", f"email{turn}", f"tags{turn}")


class Calls(NamedTuple):
    """A contender's calls over a socket. The number makes each call different."""

    update: Callable[[int], Awaitable[object]]
    get: Callable[[int], Awaitable[object]] | None = None
    put: Callable[[int], Awaitable[object]] | None = None
    query: Callable[[int], Awaitable[object]] | None = None
