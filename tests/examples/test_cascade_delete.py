"""Cascade delete: a project goes with all its tasks, whenever it is stopped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.testing import fake_database, table_description
from examples.recipes.cascade_delete import (
    INDEXES,
    TABLES,
    NoSuchProjectError,
    Project,
    Projects,
    Task,
    TaskExistsError,
)
from tests.examples.conftest import (
    MakeDatabase,
    Rough,
    count,
    outcomes,
    rough_database,
    strip_optional,
)

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
DESCRIBED = {
    name: table_description(item_class, indexes=INDEXES.get(name))
    for name, item_class in TABLES.items()
}


async def begin(db: AsyncDynamoDB, *, tasks: int = 0, id_: str = "j1") -> Projects:
    await db.table("projects", Project).put_item(Project(id=id_, name="x"))
    every = [Task(project_id=id_, id=f"t{each:04}") for each in range(tasks)]
    await db.table("tasks", Task).batch_write_item(put=every)
    return Projects(db)


async def left(db: AsyncDynamoDB) -> list[str]:
    projects = await db.table("projects", Project).scan(consistent_read=True).to_list()
    tasks = await db.table("tasks", Task).scan(consistent_read=True).to_list()
    return sorted([each.id for each in projects] + [each.project_id for each in tasks])


@pytest.fixture
def memory() -> AsyncDynamoDB:
    return fake_database(**DESCRIBED)


async def test_race(database: MakeDatabase) -> None:
    """Once a deletion has begun, the project gets no new task, however many requests race."""
    db = await database(indexes=INDEXES, **TABLES)
    projects = await begin(db)
    adding = [
        partial(projects.add_task, Task(project_id="j1", id=f"t{each}")) for each in range(49)
    ]

    found = await outcomes(
        [*adding[:25], partial(projects.delete, "j1", now=NOW), *adding[25:]], at_once=50
    )

    assert count(found, None) + count(found, int) + count(found, NoSuchProjectError) == 50
    assert await left(db) == []


async def test_stopped() -> None:
    """No task is left without its project, whenever the deletion stops."""
    for stops_after in range(12):
        transport = StopsAfter(DESCRIBED)
        db = AsyncDynamoDB.over(transport)
        projects = await begin(db, tasks=160)
        transport.requests = stops_after

        await outcomes([partial(projects.delete, "j1", now=NOW)], at_once=1)

        transport.requests = 10**6
        there = await left(db)
        assert there == [] or there.count("j1") >= 1
        tasks = await db.table("tasks", Task).scan().count()
        project = await db.table("projects", Project).get_item({"id": "j1"})
        assert project is not None or tasks == 0


class StopsAfter(Rough):
    """Tables in memory of a process that dies after so many requests."""

    requests = 10**6

    async def send(self, operation: str, params: Any, *, timeout_s: float | None) -> Any:
        self.requests -= 1
        if self.requests < 0:
            raise StoppedError
        return await super().send(operation, params, timeout_s=timeout_s)


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("finish", ["resume", "delete"])
async def test_resumed(finish: str) -> None:
    """A deletion that was stopped, by a crash or an error, is finished by `resume`, or by
    `delete`."""
    transport = StopsAfter(DESCRIBED)
    db = AsyncDynamoDB.over(transport)
    projects = await begin(db, tasks=160)
    transport.requests = 4
    await outcomes([partial(projects.delete, "j1", now=NOW)], at_once=1)
    transport.requests = 10**6
    assert 0 < len(await left(db)) < 161

    if finish == "resume":
        assert [await projects.resume(before=LATER) for _ in range(2)] == [1, 0]
    else:
        await projects.delete("j1", now=LATER)

    assert await left(db) == []


async def test_several(memory: AsyncDynamoDB) -> None:
    """Several deletions of one project at once do no harm."""
    projects = await begin(memory, tasks=60)

    found = await outcomes([partial(projects.delete, "j1", now=NOW)] * 10, at_once=10)

    assert count(found, int) + count(found, NoSuchProjectError) == 10
    assert await left(memory) == []
    with pytest.raises(NoSuchProjectError):
        await projects.delete("j1", now=NOW)


async def test_others(memory: AsyncDynamoDB) -> None:
    """A task of another project is never deleted."""
    projects = await begin(memory, tasks=30)
    await begin(memory, tasks=3, id_="j10")

    assert await projects.delete("j1", now=NOW) == 30

    assert await left(memory) == ["j10"] * 4
    with pytest.raises(NoSuchProjectError):
        await projects.add_task(Task(project_id="j1", id="t"))
    with pytest.raises(TaskExistsError):
        await projects.add_task(Task(project_id="j10", id="t0000"))


async def test_migrated() -> None:
    """A project that lacks every optional attribute, as after a migration, is deleted like any
    other."""
    transport = Rough(DESCRIBED)
    db = rough_database(transport)
    projects = await begin(db, tasks=3)
    strip_optional(transport, TABLES)
    await projects.add_task(Task(project_id="j1", id="t"))

    assert await projects.delete("j1", now=NOW) == 4
    assert await left(db) == []


async def test_clocks(memory: AsyncDynamoDB) -> None:
    """Clocks decide only when `resume` looks after a deletion; two at once do no harm."""
    projects = await begin(memory, tasks=40)
    await projects.begin("j1", now=NOW + timedelta(hours=1))  # a host that is ahead
    assert await projects.resume(before=LATER) == 0
    await projects.begin("j1", now=NOW - timedelta(hours=1))

    found = await outcomes([partial(projects.resume, before=LATER)] * 2, at_once=2)

    assert count(found, int) == 2
    assert await left(memory) == []


async def test_faults() -> None:
    """Through lost answers and conflicts, nothing is left in the end."""
    transport = Rough(DESCRIBED)
    db = rough_database(transport)
    projects = await begin(db, tasks=160)
    transport.rate = 0.4
    while await left(db):
        await outcomes([partial(projects.delete, "j1", now=NOW)], at_once=1)

    assert transport.lost >= 1
