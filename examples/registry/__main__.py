"""The registry, on tables in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from dynasafe.testing import create_tables, fake_database

from .errors import InUseError
from .models import INDEXES, TABLES, Person, Project
from .service import Registry


async def main() -> None:
    db = fake_database()
    await create_tables(db, TABLES, indexes=INDEXES)
    registry, now = Registry(db), datetime(2026, 11, 24, tzinfo=UTC)
    await registry.people.create(Person(id="p1", name="Ada", created_at=now))
    await registry.projects.create(Project(id="j1", owner_id="p1", name="Engine", created_at=now))
    print(await registry.people.update("p1", {"name": "Ada L."}))
    try:
        await registry.people.delete("p1")
    except InUseError as error:
        print(error)


if __name__ == "__main__":
    asyncio.run(main())
