"""The items that most tests are about."""

from __future__ import annotations

from datetime import datetime

from dynasafe import Attr, Item, attribute


class Address(Item):
    city: Attr[str]


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    email: Attr[str | None] = attribute(default=None)
    first_name: Attr[str] = attribute(name="firstName", default="")
    is_admin: Attr[bool] = attribute(default=False, patchable=False)
    visits: Attr[int] = attribute(default=0)
    tags: Attr[set[str]] = attribute(default_factory=set)
    address: Attr[Address | None] = attribute(default=None)
    scores: Attr[list[int]] = attribute(default_factory=list)
    expires_at: Attr[datetime | None] = attribute(default=None, ttl=True)
    version: Attr[int] = attribute(default=0, version=True)


class Order(Item):
    """Without a version, and with a sort key."""

    customer: Attr[str] = attribute(key="partition")
    number: Attr[int] = attribute(key="sort")
    status: Attr[str] = attribute(default="new")
    lines: Attr[list[str]] = attribute(default_factory=list)
    total: Attr[int] = attribute(default=0)
