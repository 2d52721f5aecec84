"""Cascade delete: a project goes with all its tasks, however many, and a crash is made up for.

What it does: `delete` marks the project, deletes its tasks page by page, then the project. `resume`
goes on with what was begun and not finished.

Threat model: No attacker. Requests add tasks while the project is being deleted, and the process
stops at any point. What stays behind would be data that nobody finds again.

What it guarantees:
- Once a deletion has begun, the project gets no new task, however many requests race.
- No task is left without its project, whenever the deletion stops.
- A deletion that was stopped, by a crash or an error, is finished by `resume`, or by `delete`.
- Several deletions of one project at once do no harm.
- A task of another project is never deleted.
- A project that lacks every optional attribute, as after a migration, is deleted like any other.
- Clocks decide only when `resume` looks after a deletion; two at once do no harm.

What it leaves to you: who may delete what, a schedule for `resume`, and time: thousands of tasks
take some minutes, so begin in the request and finish in a job. While a deletion runs, readers still
find tasks: let them look at the project's status. There is no way back.

The tables: `projects`, partition key `id`, with the index `by_deletion` (`deleting`, `begun_at`),
which holds only what is being deleted; `tasks`, partition key `project_id`, sort key `id`. Needs
`pip install dynasafe`; `python cascade_delete.py` runs it in memory.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from dynasafe import (
    AsyncDynamoDB,
    AsyncTable,
    Attr,
    Item,
    UpdateBuilder,
    attribute,
    retry_conflicts,
    settle,
)
from dynasafe.errors import ConditionalCheckFailedError, TransactionCanceledError

PAGE_SIZE = 100


class Project(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str] = attribute(default="")
    deleting: Attr[str | None] = attribute(default=None, patchable=False)
    """"yes" from the beginning of its deletion on; else absent, so that the index is small."""
    begun_at: Attr[datetime | None] = attribute(default=None, patchable=False)


class Task(Item):
    project_id: Attr[str] = attribute(key="partition")
    id: Attr[str] = attribute(key="sort")
    text: Attr[str] = attribute(default="")


TABLES: dict[str, type[Item]] = {"projects": Project, "tasks": Task}
INDEXES = {"projects": {"by_deletion": ("deleting", "begun_at")}}


class NoSuchProjectError(Exception):
    """There is no such project, or it is being deleted."""


class TaskExistsError(Exception):
    """The project has a task of this id."""


class Projects:
    """Projects and their tasks.

    Each write raises OutcomeUnknownError where DynamoDB cannot be reached: to repeat it is safe.
    """

    def __init__(self, db: AsyncDynamoDB) -> None:
        self._db = db
        self._projects: AsyncTable[Project] = db.table("projects", Project)
        self._tasks: AsyncTable[Task] = db.table("tasks", Task)

    async def add_task(self, task: Task) -> None:
        """Store a task of a project that is there.

        Raises:
            NoSuchProjectError, TaskExistsError
        """
        is_open = Project.id.exists() & Project.deleting.not_exists()
        writes = [
            self._projects.check({"id": task.project_id}, is_open),
            self._tasks.put(task, condition=Task.id.not_exists()),
        ]
        try:
            await retry_conflicts(lambda: settle(self._db.transact_write_items(writes)))
        except TransactionCanceledError as error:
            closed, exists = (reason.code == "ConditionalCheckFailed" for reason in error.reasons)
            if closed:
                raise NoSuchProjectError(task.project_id) from error
            if exists:
                raise TaskExistsError(task.id) from error
            raise

    async def delete(self, project_id: str, *, now: datetime) -> int:
        """Delete the project and its tasks. Returns how many tasks this call deleted.

        Raises:
            NoSuchProjectError: there is none any more.
        """
        await self.begin(project_id, now=now)
        return await self._finish(project_id)

    async def begin(self, project_id: str, *, now: datetime) -> None:
        """Close the project, so that `resume` deletes it.

        Raises:
            NoSuchProjectError: there is none any more.
        """
        begun = UpdateBuilder(Project)
        begun.set(Project.deleting, "yes").set(Project.begun_at, now)
        begun.condition(Project.id.exists())
        try:
            await retry_conflicts(lambda: self._projects.update_item({"id": project_id}, begun))
        except ConditionalCheckFailedError as error:
            raise NoSuchProjectError(project_id) from error

    async def resume(self, *, before: datetime) -> int:
        """Finish what was begun before a time: how many projects."""
        begun = (Project.deleting == "yes") & (Project.begun_at < before)
        finished = 0
        async for project in self._projects.query(begun, index_name="by_deletion"):
            await self._finish(project.id)
            finished += 1
        return finished

    async def _finish(self, project_id: str) -> int:
        # Closed before: a consistent read finds all tasks that there will ever be.
        tasks = self._tasks.query(
            Task.project_id == project_id, consistent_read=True, limit=PAGE_SIZE
        )
        deleted = 0
        async for page in tasks.pages():
            keys = [{"project_id": task.project_id, "id": task.id} for task in page.items]
            await self._tasks.batch_write_item(delete=keys)
            deleted += len(keys)
        # Last, so that a crash leaves the project to be found.
        await retry_conflicts(lambda: self._projects.delete_item({"id": project_id}))
        return deleted


async def main() -> None:
    """Delete a project with 150 tasks, after a crash, on tables in memory."""
    from dynasafe.testing import create_tables, fake_database

    db = fake_database()
    await create_tables(db, TABLES, indexes=INDEXES)
    projects, now = Projects(db), datetime(2026, 11, 24, tzinfo=UTC)
    await db.table("projects", Project).put_item(Project(id="j1"))
    for number in range(150):
        await projects.add_task(Task(project_id="j1", id=f"t{number}"))
    await projects.begin("j1", now=now)
    print("begun; and then a crash")
    print("resumed:", await projects.resume(before=now + timedelta(minutes=1)))
    print(await db.table("tasks", Task).scan().count(), "tasks left")


if __name__ == "__main__":
    asyncio.run(main())
