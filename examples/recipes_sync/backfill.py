"""Backfill: change every item of a table, at a rate, from where the last run stopped.

What it does: gives each person a `full_name`, made of two older attributes, page by page. After
each page it stores a checkpoint.

Threat model: No attacker. The job races with the service's own writes, is stopped at any point,
runs twice at once, and meets items that it cannot read. It must not undo anybody's write, nor take
the capacity that users need.

What it guarantees:
- Each item that is there from beginning to end is changed, however often the run is stopped.
- A run that is started again goes on behind the last checkpoint, and a finished one does nothing.
- Two runs at once do no harm: a change is conditional, and changes nothing the second time.
- An item that somebody else changed meanwhile is not overwritten; it is read again and changed.
- An item that was deleted meanwhile does not come back.
- No more than `per_second` items are changed in a second.
- An item that cannot be read is skipped and counted, and stops nothing.
- Lost answers and conflicts change none of this.

What it leaves to you: writers that set the new attribute themselves must be live before it starts,
or items which they store meanwhile are missed. A run reads the whole table; the rate bounds what it
takes from the others. Clocks of hosts play no part.

The tables: `people`, partition key `id`; `checkpoints`, partition key `job`. Needs `pip
install dynasafe`; `python backfill.py` runs it in memory.
"""

# Made from examples/recipes/backfill.py by `make twins`: change that one.

from __future__ import annotations

import logging
import time
from contextlib import closing
from typing import Protocol

from dynasafe import Attr, DynamoDB, Item, Table, UpdateBuilder, attribute
from dynasafe.errors import ConditionalCheckFailedError, StoredValueError
from dynasafe.sync import retry_conflicts

logger = logging.getLogger(__name__)


class Sleep(Protocol):
    """Waits for some seconds."""

    def __call__(self, delay_s: float, /) -> None: ...


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    first_name: Attr[str] = attribute(default="")
    last_name: Attr[str] = attribute(default="")
    full_name: Attr[str | None] = attribute(default=None)
    """The new one."""


class Checkpoint(Item):
    """How far the job is."""

    job: Attr[str] = attribute(key="partition")
    last_id: Attr[str | None] = attribute(default=None)
    is_done: Attr[bool] = attribute(default=False)
    changed: Attr[int] = attribute(default=0)
    skipped: Attr[int] = attribute(default=0)


TABLES: dict[str, type[Item]] = {"people": Person, "checkpoints": Checkpoint}


class Backfill:
    """One job over the table.

    Args:
        job: its name; another one starts again.
        per_second: how many items are changed in a second, at most.
        page_size: how many are changed at once, between two checkpoints.
        sleep: waits for some seconds.
    """

    def __init__(
        self,
        db: DynamoDB,
        job: str,
        *,
        per_second: int = 200,
        page_size: int = 50,
        sleep: Sleep = time.sleep,
    ) -> None:
        if per_second < 1 or page_size < 1:
            raise ValueError("The rate and the page size are 1 or more.")
        self._people: Table[Person] = db.table("people", Person)
        self._ids = db.table("people")
        self._checkpoints: Table[Checkpoint] = db.table("checkpoints", Checkpoint)
        self._job = job
        self._page_size = page_size
        self._page_s = page_size / per_second
        self._sleep = sleep

    def run(self) -> Checkpoint:
        """Change what is left: how far the job is, which is done.

        Raises:
            OutcomeUnknownError or another DynasafeError: it stopped. Run it again.
        """
        stored = self._checkpoints.get_item({"job": self._job}, consistent_read=True)
        checkpoint = Checkpoint(job=self._job) if stored is None else stored
        while not checkpoint.is_done:
            self._page(checkpoint)
            self._checkpoints.put_item(checkpoint)
            if not checkpoint.is_done:
                self._sleep(self._page_s)
        return checkpoint

    def _page(self, checkpoint: Checkpoint) -> None:
        """Change the next page, and note it in the checkpoint."""
        last_id = checkpoint.last_id
        # As plain items: one that does not fit the class must not stop the scan.
        scan = self._ids.scan(
            limit=self._page_size,
            consistent_read=True,
            exclusive_start_key=None if last_id is None else {"id": last_id},
        )
        with closing(scan.pages()) as pages:
            page = next(pages)
        changes = [self._fill(item["id"]) for item in page.items]
        checkpoint.changed += changes.count(True)
        checkpoint.skipped += changes.count(None)
        if page.last_evaluated_key is None:
            checkpoint.is_done = True
        else:
            checkpoint.last_id = page.last_evaluated_key["id"]

    def _fill(self, person_id: str) -> bool | None:
        """Whether the item was changed; None if it cannot be read."""
        return retry_conflicts(lambda: self._fill_once(person_id), on=ChangedError)

    def _fill_once(self, person_id: str) -> bool | None:
        key = {"id": person_id}
        try:
            person = self._people.get_item(key, consistent_read=True)
        except StoredValueError as error:
            logger.error("An item was skipped: %s", error)
            return None
        if person is None or person.full_name is not None:
            return False
        names = [person.first_name, person.last_name]
        filled = UpdateBuilder(Person).set(Person.full_name, " ".join(filter(None, names)))
        # As they were read; what is empty may be absent.
        for attribute_, value in zip((Person.first_name, Person.last_name), names, strict=True):
            is_same = attribute_ == value
            filled.condition(is_same if value else is_same | attribute_.not_exists())
        filled.condition(Person.id.exists() & (Person.full_name == None))  # noqa: E711
        try:
            self._people.update_item(key, filled)
        except ConditionalCheckFailedError as error:
            raise ChangedError from error
        return True


class ChangedError(Exception):
    """Somebody changed the item meanwhile, or an answer was lost. It is read again."""


def main() -> None:
    """Fill three names, with a run that stops, on tables in memory."""
    from dynasafe.testing.sync import create_tables, fake_database

    class StoppedError(Exception):
        pass

    def stop(delay_s: float) -> None:
        raise StoppedError

    db = fake_database()
    create_tables(db, TABLES)
    people = db.table("people", Person)
    for number in range(3):
        people.put_item(Person(id=f"p{number}", first_name="Ada", last_name=f"{number}"))
    try:
        Backfill(db, "full-names", page_size=1, sleep=stop).run()
    except StoppedError:
        print("stopped")
    print(Backfill(db, "full-names", page_size=1).run())
    print(sorted(str(person.full_name) for person in people.scan().to_list()))


if __name__ == "__main__":
    main()
