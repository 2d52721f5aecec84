"""The items of the registry.

| table         | partition key | sort key | index                                       |
|---------------|---------------|----------|---------------------------------------------|
| people        | id            |          |                                             |
| projects      | id            |          | by_owner: owner_id, created_at; projects all |
| subscriptions | person_id     | id       |                                             |
"""

# Made from examples/registry/models.py by `make twins`: change that one.

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from dynasafe import Attr, Item, attribute


class Status(StrEnum):
    ACTIVE = "active"
    ENDED = "ended"


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    created_at: Attr[datetime] = attribute(patchable=False)
    email: Attr[str | None] = attribute(default=None)
    phone: Attr[str | None] = attribute(default=None)
    is_admin: Attr[bool] = attribute(default=False, patchable=False)
    holdings: Attr[int] = attribute(default=0, patchable=False)
    """How many projects and subscriptions are theirs; see holdings.py."""


class Project(Item):
    id: Attr[str] = attribute(key="partition")
    owner_id: Attr[str] = attribute(patchable=False)
    created_at: Attr[datetime] = attribute(patchable=False)
    name: Attr[str]
    description: Attr[str | None] = attribute(default=None)
    tags: Attr[set[str]] = attribute(default_factory=set)
    status: Attr[Status] = attribute(default=Status.ACTIVE)


class Subscription(Item):
    person_id: Attr[str] = attribute(key="partition")
    id: Attr[str] = attribute(key="sort")
    plan: Attr[str]
    price_cents: Attr[int] = attribute(patchable=False)
    """Money is counted in whole cents."""
    renews_on: Attr[date | None] = attribute(default=None)
    status: Attr[Status] = attribute(default=Status.ACTIVE)


TABLES: dict[str, type[Item]] = {
    "people": Person,
    "projects": Project,
    "subscriptions": Subscription,
}
INDEXES = {"projects": {"by_owner": ("owner_id", "created_at")}}
