"""Partial update: the body of a PATCH changes what it names, and nothing else.

What it does: a field that is left out stays, a value replaces, and null takes the attribute away
where it may be missing.

Threat model: A client sends fields that it must not change, wrong types, or null; two clients write
at once, and an answer is lost between them.

What it guarantees:
- An unknown field, a wrong type, a blank name, and a null where there must be a value are refused.
- Keys and `patchable=False` attributes are never changed, even where the body model has them.
- A person who is not there is not created.
- After a lost answer the request is sent again under a token, so that a late repeat does not undo
  what another caller stored meanwhile.
- An item that lacks every optional attribute is patched like any other.

What it leaves to you: who may patch whom, and two people who edit at the same time: the last one
wins, field by field; see optimistic_locking. Limit the body before pydantic reads it.

The table: `people`, partition key `id`. Needs `pip install dynasafe pydantic`; `python
partial_update.py` runs it in memory.
"""

# Made from examples/recipes/partial_update.py by `make twins`: change that one.

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from dynasafe import Attr, DynamoDB, Item, Table, UpdateBuilder, attribute
from dynasafe.errors import ConditionalCheckFailedError
from dynasafe.sync import retry_conflicts, settle


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    phone: Attr[str | None] = attribute(default=None)
    tags: Attr[set[str]] = attribute(default_factory=set)
    is_admin: Attr[bool] = attribute(default=False, patchable=False)


TABLES: dict[str, type[Item]] = {"people": Person}

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=30)]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]


class PersonPatch(BaseModel):
    """What may be changed from outside.

    Each field has a default, so that it may be left out; what is left out is not looked at. Only
    a type with None lets null in: a person without a name could not be read again.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name = ""
    phone: Phone | None = None
    tags: Annotated[set[Tag], Field(min_length=1, max_length=20)] | None = None


class People:
    """People, by id."""

    def __init__(self, db: DynamoDB) -> None:
        self._table: Table[Person] = db.table("people", Person)

    def patch(self, person_id: str, patch: PersonPatch) -> Person | None:
        """The person after the change, or None if there is none.

        Raises:
            OutcomeUnknownError: DynamoDB cannot be reached; read before you repeat it.
        """
        update = UpdateBuilder(Person).patch(patch, none="remove")
        key = {"id": person_id}
        if update.is_empty:
            return self._table.get_item(key, consistent_read=True)
        update.condition(Person.id.exists())
        try:
            result = retry_conflicts(
                lambda: settle(
                    lambda: self._table.update_item(
                        key, update, return_values="ALL_NEW", exactly_once=True
                    )
                )
            )
        except ConditionalCheckFailedError:
            return None
        return result.attributes


def main() -> None:
    """Patch a person, on a table in memory."""
    from dynasafe.testing.sync import create_tables, fake_database

    db = fake_database()
    create_tables(db, TABLES)
    db.table("people", Person).put_item(Person(id="p1", name="Ada", phone="1"))
    patch = PersonPatch.model_validate_json('{"name": "Ada L.", "phone": null}')
    print(People(db).patch("p1", patch))


if __name__ == "__main__":
    main()
