"""Field names: snake_case in Python, camelCase in JSON and in DynamoDB, mapped in one place each.

What it does: `attribute(name=...)` gives each attribute its name in the table, and pydantic names
each field as the JSON has it. The code between says `first_name` only.

Threat model: No attacker. An older and a newer service write the same items, with attributes that
this one does not know; bodies come from clients and may hold anything.

What it guarantees:
- Conditions, updates, projections and patches use the stored names, as they are written with the
  attributes of the class.
- Attributes that the class does not know, which an older or a newer service stored, survive
  reading, storing and patching.
- A person who is not there is not created by a patch.
- JSON that does not fit is refused by pydantic, before anything is sent.

What it leaves to you: who may change whom. To rename an attribute that is stored, write both names
first, then move the items (see backfill), then read the new name.

The table: `people`, partition key `id`. Needs `pip install dynasafe pydantic`; `python
field_names.py` runs it in memory.
"""

# Made from examples/recipes/field_names.py by `make twins`: change that one.

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from dynasafe import Attr, DynamoDB, Item, Table, UpdateBuilder, attribute
from dynasafe.errors import ConditionalCheckFailedError
from dynasafe.sync import retry_conflicts


class Person(Item):
    """As it is stored."""

    id: Attr[str] = attribute(key="partition")
    first_name: Attr[str] = attribute(name="firstName")
    last_name: Attr[str] = attribute(name="lastName")
    postal_code: Attr[str | None] = attribute(name="postalCode", default=None)


TABLES: dict[str, type[Item]] = {"people": Person}


class PersonBody(BaseModel):
    """As it is in JSON."""

    model_config = ConfigDict(alias_generator=to_camel, from_attributes=True, extra="forbid")

    id: str = Field(min_length=1)
    first_name: str
    last_name: str
    postal_code: str | None = None


class PersonPatch(BaseModel):
    """The fields of a change: those that are left out stay as they are."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    first_name: str = Field(default="", min_length=1)
    last_name: str = Field(default="", min_length=1)
    postal_code: str | None = None


class People:
    """People as JSON texts.

    Each write raises OutcomeUnknownError where DynamoDB cannot be reached; to send it again is
    safe, unless somebody else may have changed the person meanwhile.
    """

    def __init__(self, db: DynamoDB) -> None:
        self._table: Table[Person] = db.table("people", Person)

    def store(self, json: str) -> None:
        """Store all fields of the JSON text, and keep the attributes that it does not know.

        Raises:
            ValidationError: pydantic refuses the text.
        """
        # A put would replace the item, with all that this class does not know of.
        body = PersonBody.model_validate_json(json)
        fields = body.model_dump(exclude={"id"})
        update = UpdateBuilder(Person).patch(fields, none="remove")
        retry_conflicts(lambda: self._table.update_item({"id": body.id}, update))

    def get(self, person_id: str) -> str | None:
        """The person as a JSON text."""
        person = self._table.get_item({"id": person_id}, consistent_read=True)
        return None if person is None else body_of(person)

    def patch(self, person_id: str, json: str) -> str | None:
        """Change the fields of the JSON text: the person afterwards, or None if there is none.

        Raises:
            ValidationError: pydantic refuses the text.
        """
        patch = PersonPatch.model_validate_json(json)
        update = UpdateBuilder(Person).patch(patch, none="remove")
        if update.is_empty:
            return self.get(person_id)
        update.condition(Person.id.exists())
        try:
            result = retry_conflicts(
                lambda: self._table.update_item({"id": person_id}, update, return_values="ALL_NEW")
            )
        except ConditionalCheckFailedError:
            return None
        return body_of(result.attributes)


def body_of(person: Person) -> str:
    # An Item has its values as attributes, by their names in Python.
    return PersonBody.model_validate(person, by_name=True).model_dump_json(by_alias=True)


def main() -> None:
    """Store a person, and show the names in the table, in memory."""
    from dynasafe.testing.sync import create_tables, fake_database

    db = fake_database()
    create_tables(db, TABLES)
    people = People(db)
    people.store('{"id": "p1", "firstName": "Ada", "lastName": "Lovelace"}')
    print(people.get("p1"))
    print(db.table("people").get_item({"id": "p1"}))


if __name__ == "__main__":
    main()
