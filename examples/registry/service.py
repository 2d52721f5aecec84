"""The registry as a whole: one client, which all its resources share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dynasafe import AsyncDynamoDB

from .holdings import Holdings
from .models import Person, Project, Subscription
from .people import People
from .projects import Projects
from .subscriptions import Subscriptions


class Registry:
    """The resources over a database that is open."""

    def __init__(self, db: AsyncDynamoDB) -> None:
        people = db.table("people", Person)
        self.people = People(people)
        holdings = Holdings(db, people)
        self.projects = Projects(db.table("projects", Project), holdings)
        self.subscriptions = Subscriptions(db.table("subscriptions", Subscription), holdings)


@asynccontextmanager
async def open_registry(region_name: str) -> AsyncIterator[Registry]:
    """The registry on DynamoDB, for as long as the process serves: open it once."""
    async with AsyncDynamoDB.connect(region_name=region_name, timeout_s=5.0) as db:
        yield Registry(db)
