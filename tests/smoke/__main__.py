"""Ten calls against a real account, over connections of our own: `make smoke-aws`.

Makes an on-demand table, uses it, deletes it, and says what that cost. Nothing else is touched.
CI does not run it; a maintainer with an account does, before a release.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any
from uuid import uuid4

from dynasafe import AsyncDynamoDB, UpdateBuilder, attr
from dynasafe.errors import ConditionalCheckFailedError

_WRITE_USD, _READ_USD = 0.625 / 1e6, 0.125 / 1e6  # per request unit, us-east-1, on demand


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


async def smoke() -> None:
    name = f"dynasafe-smoke-{uuid4().hex[:12]}"
    async with AsyncDynamoDB.connect() as db:
        await db.call(
            "CreateTable",
            {
                "TableName": name,
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
            },
        )
        say(f"table {name}: made")
        try:
            await _active(db, name)
            await _calls(db, name)
        finally:
            await db.call("DeleteTable", {"TableName": name})
            say(f"table {name}: deleted")
    say(f"cost: about {8 * _WRITE_USD + 4 * _READ_USD:.6f} USD")


async def _active(db: AsyncDynamoDB, name: str) -> None:
    for _ in range(60):
        found = await db.call("DescribeTable", {"TableName": name})
        if found["Table"]["TableStatus"] == "ACTIVE":
            return
        await asyncio.sleep(1)
    raise TimeoutError("the table did not become active within a minute")


async def _calls(db: AsyncDynamoDB, name: str) -> None:
    things: Any = db.table(name)
    key = {"id": "a"}
    await things.put_item({"id": "a", "n": 1, "bytes": b"\0\xff"})
    one = UpdateBuilder().increment("n", 1)
    await things.update_item(key, one)
    await things.update_item(key, one, exactly_once=True)
    found = await things.get_item(key, consistent_read=True)
    assert found == {"id": "a", "n": 3, "bytes": b"\0\xff"}, "an increment was lost or doubled"
    try:
        await things.put_item({"id": "a"}, condition=attr("id").not_exists())
    except ConditionalCheckFailedError:
        say("a false condition: refused")
    else:
        raise AssertionError("a false condition held")
    await things.batch_write_item(put=[{"id": "b"}, {"id": "c"}])
    assert len(await things.query(attr("id") == "a").to_list()) == 1
    assert len(await things.scan().to_list()) == 3
    await db.transact_write_items([things.put({"id": "d"})])
    await things.delete_item(key)
    say("ten calls: right")


if __name__ == "__main__":
    asyncio.run(smoke())
