"""A script that gives every person a name who has none; it may be stopped and run again.

python -m examples.sync.script people

A lost answer (OutcomeUnknownError) stops it too. A second run finds those that are still left.
"""

from __future__ import annotations

import sys

from dynasafe import DynamoDB, Table, UpdateBuilder
from dynasafe.errors import ConditionalCheckFailedError
from examples.sync.people import Person


def name_the_nameless(people: Table[Person], *, segments: int = 4) -> tuple[int, int]:
    """How many were named, and how many somebody else named meanwhile."""
    named = 0
    raced = 0
    update = UpdateBuilder(Person).set(Person.name, "unknown").condition(Person.name == "")
    for person in people.scan(filter=Person.name == "", total_segments=segments):
        try:
            people.update_item({"id": person.id}, update)
            named += 1
        except ConditionalCheckFailedError:
            raced += 1
    return named, raced


def main() -> None:
    with DynamoDB.connect() as db:
        named, raced = name_the_nameless(db.table(sys.argv[1], Person))
    print(f"{named:,} named; {raced:,} were named by others meanwhile")


if __name__ == "__main__":
    main()
