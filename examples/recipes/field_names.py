"""Field names: snake_case in Python, camelCase in JSON and in DynamoDB, mapped in one place each.

What it does: `attribute(name=...)` gives each attribute its name in the table, and pydantic names
each field as the JSON has it. The code between says `first_name` only.

What it guarantees: conditions, updates, projections and patches use the stored names, since they
are written with the attributes of the class. Attributes that the class does not know, which an
older or a newer service has stored, survive reading and writing.

What it does not: rename what is stored. To rename an attribute, write both names first, then move
the items, then read the new name.

The table: `people`, partition key `id`.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from dynasafe import AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import ConditionalCheckFailedError


class Person(Item):
    """As it is stored."""

    id: Attr[str] = attribute(key="partition")
    first_name: Attr[str] = attribute(name="firstName")
    last_name: Attr[str] = attribute(name="lastName")
    postal_code: Attr[str | None] = attribute(name="postalCode", default=None)


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


async def put_person(people: AsyncTable[Person], json: str) -> None:
    """Store the person of a JSON text, in place of the one of that id.

    Raises:
        ValidationError: pydantic refuses the text.
        OutcomeUnknownError: DynamoDB cannot be reached; to put it again is safe.
    """
    body = PersonBody.model_validate_json(json)
    await people.put_item(Person(**body.model_dump()))


async def get_person(people: AsyncTable[Person], person_id: str) -> str | None:
    """The person as a JSON text."""
    person = await people.get_item({"id": person_id}, consistent_read=True)
    return None if person is None else body_of(person)


async def patch_person(people: AsyncTable[Person], person_id: str, json: str) -> str | None:
    """Change the fields of the JSON text: the person afterwards, or None if there is none.

    Raises: as `put_person`.
    """
    patch = PersonPatch.model_validate_json(json)
    update = UpdateBuilder(Person).patch(patch, none="remove")
    if update.is_empty:
        return await get_person(people, person_id)
    try:
        result = await people.update_item(
            {"id": person_id}, update, condition=Person.id.exists(), return_values="ALL_NEW"
        )
    except ConditionalCheckFailedError:
        return None
    return body_of(result.attributes)


def body_of(person: Person) -> str:
    # An Item has its values as attributes, by their names in Python.
    return PersonBody.model_validate(person, by_name=True).model_dump_json(by_alias=True)
