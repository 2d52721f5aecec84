"""A registry of people: what dynasafe does for you, step by step, on an engine in this process.

Run it with `make demo`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pprint import pformat
from typing import Any

from dynasafe import AsyncDynamoDB, Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import (
    ConditionalCheckFailedError,
    InvalidRequestError,
    TransactionCanceledError,
    VersionConflictError,
)
from dynasafe.testing import create_tables, table_description
from dynasafe.testing.engines import start_engine


class Address(Item):
    city: Attr[str]


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    status: Attr[str] = attribute(default="new")
    email: Attr[str | None] = attribute(default=None)
    is_admin: Attr[bool] = attribute(default=False, patchable=False)
    visits: Attr[int] = attribute(default=0)
    address: Attr[Address | None] = attribute(default=None)
    expires_at: Attr[datetime | None] = attribute(default=None, ttl=True)
    version: Attr[int] = attribute(default=0, version=True)


def title(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}")


def show(params: Mapping[str, Any]) -> None:
    print(pformat(dict(params), sort_dicts=False, width=88))


async def main(endpoint_url: str) -> None:
    async with AsyncDynamoDB.connect(
        region_name="us-east-1",
        endpoint_url=endpoint_url,
        client_options={
            "aws_access_key_id": "demo",
            "aws_secret_access_key": "demo",  # nosec B105
        },
    ) as db:
        await create_tables(db, {"people": table_description(Person)})
        people = db.table("people", Person)

        title("1. Put a person, unless there is one")
        ada = Person(id="p1", name="Ada", address=Address(city="London"))
        await people.put_item(ada, condition=Person.id.not_exists())
        print(await people.get_item({"id": "p1"}, consistent_read=True))

        title("2. A typed update: `name` and `status` are reserved words, and nobody had to know")
        update = (
            UpdateBuilder(Person)
            .set(Person.name, "Ada Lovelace")
            .set(Person.status, "active")
            .set(Person.expires_at, datetime(2040, 1, 1, tzinfo=UTC))
            .increment(Person.visits, 1)
        )
        show(update.build(key={"id": "p1"}))
        result = await people.update_item({"id": "p1"}, update, return_values="ALL_NEW")
        print(f"visits: {result.attributes.visits}, requests: {result.attempts}")

        title("3. An update without a reserved word: no empty ExpressionAttributeNames is sent")
        plain = UpdateBuilder(Person).set(Person.email, "ada@example.org")
        show(plain.build(key={"id": "p1"}))
        await people.update_item({"id": "p1"}, plain)

        title("4. A patch from outside: what is not allowed is refused, by name")
        try:
            UpdateBuilder(Person).patch({"email": "eve@example.org", "is_admin": True})
        except InvalidRequestError as error:
            print(error)
        patch = UpdateBuilder(Person).patch({"name": "Ada L.", "email": None}, none="remove")
        show(patch.build(key={"id": "p1"}))
        await people.update_item({"id": "p1"}, patch)

        title("5. A condition that fails: the error has the stored item")
        try:
            await people.update_item(
                {"id": "p1"},
                UpdateBuilder(Person).set(Person.status, "gone").condition(Person.visits > 10),
            )
        except ConditionalCheckFailedError as error:
            if error.item:  # None if there is no such item
                print(f"not written; the stored visits are {error.item.visits}")

        title("6. Two editors, one version: the second gets an error")
        mine = await people.get_item({"id": "p1"})
        theirs = await people.get_item({"id": "p1"})
        assert mine is not None
        assert theirs is not None
        await people.update_item(mine, UpdateBuilder(Person).set(Person.status, "mine"))
        try:
            await people.update_item(theirs, UpdateBuilder(Person).set(Person.status, "theirs"))
        except VersionConflictError as conflict:
            print(
                f"expected version {conflict.expected_version}, "
                f"stored version {conflict.stored_version}"
            )

        title("7. Query")
        async for person in people.query(Person.id == "p1", filter=Person.visits.between(1, 9)):
            print(person)

        title("8. A transaction: both people, or none")
        grace = Person(id="p2", name="Grace")
        await db.transact_write_items(
            [
                people.put(grace, condition=Person.id.not_exists()),
                people.update({"id": "p1"}, UpdateBuilder(Person).increment(Person.visits, 1)),
            ]
        )
        try:
            await db.transact_write_items(
                [
                    people.put(Person(id="p2", name="Eve"), condition=Person.id.not_exists()),
                    people.delete({"id": "p1"}),
                ]
            )
        except TransactionCanceledError as error:
            print([f"{reason.operation}: {reason.code}" for reason in error.reasons])
        print(sorted(person.name for person in await people.scan().to_list()))

        title("9. An increment that counts once, whatever happens to its answer")
        counted = await people.update_item(
            {"id": "p1"},
            UpdateBuilder(Person).increment(Person.visits, 1),
            exactly_once=True,
            return_values="ALL_NEW",
        )
        print(f"visits: {counted.attributes.visits}")


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with start_engine("moto") as engine:
        asyncio.run(main(engine.endpoint_url))
