"""Tables from Item classes."""

from __future__ import annotations

from datetime import datetime

import pytest

from dynasafe import AsyncDynamoDB, Attr, Item, attribute
from dynasafe.errors import ServiceError
from dynasafe.testing import ManualClock, ScriptedTransport, create_tables, fake_database, ok


class Session(Item):
    id: Attr[str] = attribute(key="partition")
    person_id: Attr[str]
    expires_at: Attr[datetime] = attribute(name="expiresAt", ttl=True)


class Person(Item):
    id: Attr[str] = attribute(key="partition")


async def test_tables_are_created():
    """Keys, indexes and Time to Live are those of the classes."""
    db = fake_database()

    await create_tables(
        db,
        {"sessions": Session, "people": Person},
        indexes={"sessions": {"by_person": ("person_id",)}},
    )

    table = (await db.call("DescribeTable", {"TableName": "sessions"}))["Table"]
    assert [each["IndexName"] for each in table["GlobalSecondaryIndexes"]] == ["by_person"]
    found = {
        name: (await db.call("DescribeTimeToLive", {"TableName": name}))["TimeToLiveDescription"]
        for name in ("sessions", "people")
    }
    assert found == {
        "sessions": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expiresAt"},
        "people": {"TimeToLiveStatus": "DISABLED"},
    }


async def test_table_that_is_there():
    """A second table of one name is refused."""
    db = fake_database(people=Person)

    with pytest.raises(ServiceError, match="already exists"):
        await create_tables(db, {"people": Person})


async def test_description_has_no_ttl():
    """Of a description, Time to Live is left alone."""
    description = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    }
    active = ok({"Table": {"TableStatus": "ACTIVE"}})
    transport = ScriptedTransport([ok(), active])

    await create_tables(AsyncDynamoDB.over(transport, clock=ManualClock()), {"plain": description})

    assert [call.operation for call in transport.calls] == ["CreateTable", "DescribeTable"]
