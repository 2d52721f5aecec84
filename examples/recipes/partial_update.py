"""Partial update: the body of a PATCH changes what it names, and nothing else.

What it does: a field that is left out stays, a value replaces, and null takes the attribute away
where it may be missing.

What it guarantees: pydantic decides what may come in (an unknown field, a wrong type and a null
where there must be a value are refused), and the Item class what may be changed: keys and
`patchable=False` never are. A person who is not there is not created. To send it twice does no
harm, so a lost answer is asked for again.

What it does not: guard against two people who edit at the same time; see optimistic_locking.

The table: `people`, partition key `id`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dynasafe import AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import ConditionalCheckFailedError


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    phone: Attr[str | None] = attribute(default=None)
    tags: Attr[set[str]] = attribute(default_factory=set)
    is_admin: Attr[bool] = attribute(default=False, patchable=False)


class PersonPatch(BaseModel):
    """What may be changed from outside.

    Each field has a default, so that it may be left out; what is left out is not looked at. Only
    a type with None lets null in: a person without a name could not be read again.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)] = ""
    phone: Annotated[str, Field(max_length=30)] | None = None
    tags: Annotated[set[str], Field(min_length=1, max_length=20)] | None = None


async def patch_person(
    people: AsyncTable[Person], person_id: str, patch: PersonPatch
) -> Person | None:
    """The person after the change, or None if there is none.

    Raises:
        OutcomeUnknownError: DynamoDB cannot be reached; to send the patch again is safe.
    """
    update = UpdateBuilder(Person).patch(patch, none="remove")
    if update.is_empty:
        return await people.get_item({"id": person_id}, consistent_read=True)
    try:
        result = await people.update_item(
            {"id": person_id}, update, condition=Person.id.exists(), return_values="ALL_NEW"
        )
    except ConditionalCheckFailedError:
        return None
    return result.attributes
