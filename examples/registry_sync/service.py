"""The registry as a whole: one client, which all its resources share."""

# Made from examples/registry/service.py by `make twins`: change that one.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dynasafe import DynamoDB

from .holdings import Holdings
from .models import Person, Project, Subscription
from .people import People
from .projects import Projects
from .subscriptions import Subscriptions


class Registry:
    """The resources over a database that is open."""

    def __init__(self, db: DynamoDB) -> None:
        people = db.table("people", Person)
        self.people = People(people)
        holdings = Holdings(db, people)
        self.projects = Projects(db.table("projects", Project), holdings)
        self.subscriptions = Subscriptions(db.table("subscriptions", Subscription), holdings)


@contextmanager
def open_registry(region_name: str) -> Iterator[Registry]:
    """The registry on DynamoDB, for as long as the process serves: open it once."""
    with DynamoDB.connect(region_name=region_name, timeout_s=5.0) as db:
        yield Registry(db)
