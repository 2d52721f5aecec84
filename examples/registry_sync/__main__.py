"""The registry, on tables in memory."""

# Made from examples/registry/__main__.py by `make twins`: change that one.

from __future__ import annotations

from datetime import UTC, datetime

from dynasafe.testing.sync import create_tables, fake_database

from .errors import InUseError
from .models import INDEXES, TABLES, Person, Project
from .service import Registry


def main() -> None:
    db = fake_database()
    create_tables(db, TABLES, indexes=INDEXES)
    registry, now = Registry(db), datetime(2026, 11, 24, tzinfo=UTC)
    registry.people.create(Person(id="p1", name="Ada", created_at=now))
    registry.projects.create(Project(id="j1", owner_id="p1", name="Engine", created_at=now))
    print(registry.people.update("p1", {"name": "Ada L."}))
    try:
        registry.people.delete("p1")
    except InUseError as error:
        print(error)


if __name__ == "__main__":
    main()
