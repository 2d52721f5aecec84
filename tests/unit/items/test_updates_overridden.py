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


def test_given_a_bases_attribute_then_an_update_writes_what_the_class_can_read() -> None:
    for _ in range(2):
        update: Any = UpdateBuilder(Business).set(Account.limit, 3)
        assert update.expressions()["ExpressionAttributeValues"] == {":limit": {"N": "3"}}
        with pytest.raises(InvalidValueError, match="limit: int is expected, not NoneType"):
            UpdateBuilder(Business).set(Account.limit, None)


def test_given_what_is_inside_a_bases_attribute_then_it_is_that_of_the_class() -> None:
    update = UpdateBuilder(Business).set(Account.place[Place.city], "Ely")
    assert update.expressions()["UpdateExpression"] == "SET place.city = :city"
    with pytest.raises(InvalidValueError, match=r"place.city: str is expected, not int"):
        UpdateBuilder(Business).set(Account.place[Place.city], 3)  # type: ignore[misc]
