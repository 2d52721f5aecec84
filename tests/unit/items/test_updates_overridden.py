"""An attribute of a base, in an update of a class that declares it again."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import InvalidValueError


class Place(Item):
    city: Attr[str]


class Account(Item):
    id: Attr[str] = attribute(key="partition")
    limit: Attr[int | None] = attribute(default=None)
    place: Attr[Place | None] = attribute(default=None)


class Business(Account):
    limit: Attr[int] = attribute(default=0)


def test_attribute_of_a_base() -> None:
    """An update with a base's attribute is written with the subclass's type."""
    for _ in range(2):
        update: Any = UpdateBuilder(Business).set(Account.limit, 3)
        assert update.expressions()["ExpressionAttributeValues"] == {":limit": {"N": "3"}}
        with pytest.raises(InvalidValueError, match="limit: int is expected, not NoneType"):
            UpdateBuilder(Business).set(Account.limit, None)


def test_path_inside_an_attribute_of_a_base() -> None:
    """A path inside a base's attribute has the subclass's type."""
    update = UpdateBuilder(Business).set(Account.place[Place.city], "Ely")
    assert update.expressions()["UpdateExpression"] == "SET place.city = :city"
    with pytest.raises(InvalidValueError, match=r"place.city: str is expected, not int"):
        UpdateBuilder(Business).set(Account.place[Place.city], 3)  # type: ignore[misc]
