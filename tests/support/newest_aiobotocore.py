"""Calls through `transport="aioboto3"` with an aiobotocore that no aioboto3 takes.

    python -m tests.support.newest_aiobotocore http://127.0.0.1:8000

It prints what it found as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from typing import Any

import aiobotocore

from dynasafe import AsyncDynamoDB, Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import OutcomeUnknownError
from dynasafe.testing import Fault, FaultPlan, FaultProxy, create_tables

sys.modules["aioboto3"] = None  # type: ignore[assignment]  # as if it were not installed
PEOPLE = f"people-{uuid.uuid4()}"  # engines in one process share their tables
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    visits: Attr[int] = attribute(default=0)


VISIT = UpdateBuilder(Person).increment(Person.visits, 1)


def connect(url: str) -> AsyncDynamoDB:
    return AsyncDynamoDB.connect(
        region_name="us-east-1",
        endpoint_url=url,
        transport="aioboto3",
        client_options=CREDENTIALS,
    )


async def calls(url: str) -> list[Any]:
    """What each operation gives."""
    async with connect(url) as db:
        await create_tables(db, {PEOPLE: Person})
        people = db.table(PEOPLE, Person)
        await people.put_item(Person(id="p1"))
        await people.update_item({"id": "p1"}, VISIT)
        await people.batch_write_item(put=[Person(id="p2")])
        await db.transact_write_items([people.update({"id": "p2"}, VISIT)])
        (first,) = await people.query(Person.id == "p1").to_list()
        found = await people.batch_get_item([{"id": "p1"}, {"id": "p2"}])
        await people.delete_item({"id": "p2"})
        return [first.visits, len(found), await people.scan().count()]


async def faults(url: str) -> dict[str, str]:
    """How an increment ends, by the fault."""
    ended = {}
    for fault in (Fault.RESET_BEFORE, Fault.CLOSE_AFTER, Fault.THROTTLE, Fault.CUT_BODY):
        proxy = FaultProxy(url, FaultPlan(script=(fault,)))
        async with proxy, connect(proxy.endpoint_url) as db:
            try:
                await db.table(PEOPLE, Person).update_item({"id": "p1"}, VISIT)
                ended[fault.name] = "applied"
            except OutcomeUnknownError:
                ended[fault.name] = "unknown"
    return ended


async def main(url: str) -> None:
    answer = {
        "version": aiobotocore.__version__,
        "calls": await calls(url),
        "faults": await faults(url),
    }
    async with connect(url) as db:
        await db.call("DeleteTable", {"TableName": PEOPLE})
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
