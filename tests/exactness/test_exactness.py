"""The books balance: what was reported, what is stored, and what is unknown.

`make soak` runs the counter with ten times as many increments.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.testing import Fault, FaultProxy
from dynasafe.testing.engines import Engine
from tests.exactness.workload import (
    MIX,
    Account,
    appends,
    connect,
    counter,
    creations,
    plan,
    set_members,
    versions,
)
from tests.integration.conftest import (
    Engines,
    boto3_client,
    engines,
    key_schema,
)
from tests.integration.conftest import connect as calm
from tests.support import faces
from tests.support.faces import face, pytest_generate_tests

__all__ = ["engines", "face", "pytest_generate_tests"]

EVERY_TRANSPORT = True

# `make soak` makes 100,000, on both faces, over connections of our own.
INCREMENTS = int(os.environ.get("DYNASAFE_INCREMENTS", "10000"))
SEED = int(os.environ.get("DYNASAFE_SEED", "20261123"))


@pytest.fixture
def tables(engines: Engines) -> Iterator[Engine]:
    engine = engines.get("dynamodb-local")
    client = boto3_client(engine)
    for name, keys in (("plain", {"pk": "S"}), ("accounts", {"id": "S"})):
        client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **key_schema(**keys))
    yield engine
    for name in ("plain", "accounts"):
        client.delete_table(TableName=name)


@pytest.fixture
async def proxy(tables: Engine) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(tables.endpoint_url, plan(SEED)) as proxy:
        yield proxy


@pytest.fixture
async def db(proxy: FaultProxy) -> AsyncIterator[AsyncDynamoDB]:
    async with connect(proxy) as db:
        yield db


def budget(count: int) -> int:
    """So many calls, or a sixth of them through a client of botocore, whose calls cost the more."""
    return count // 6 if faces.is_through_client() else count


def applied(proxy: FaultProxy) -> int:
    return sum(record.is_applied for record in proxy.log if record.index >= 0)


@pytest.mark.timeout(3600)
async def test_exactly_once_incrementing_through_faults(
    db: AsyncDynamoDB, proxy: FaultProxy, record_property: Any
) -> None:
    """Through all faults, the stored number is that of the increments that succeeded."""
    increments = budget(INCREMENTS)
    books, stored = await counter(db.table("plain"), increments, SEED, exactly_once=True)

    record_property("books", str(books.__dict__)[:200])
    assert all(proxy.count(fault) > 0 for fault in MIX)
    assert books.started == increments
    assert books.unknown == 0
    assert stored == books.succeeded
    assert books.succeeded + books.refused == increments
    # The faults were there: many an answer was lost after it had been applied.
    assert applied(proxy) > stored


@pytest.mark.timeout(600)
async def test_plain_increments_do_not_count_twice(tables: Engine) -> None:
    """Without exactly_once no increment counts twice: at most the unknown ones are added."""
    mix = {fault: rate for fault, rate in MIX.items() if fault is not Fault.DUPLICATE}
    async with FaultProxy(tables.endpoint_url, plan(SEED, mix)) as proxy, connect(proxy) as db:
        books, stored = await counter(db.table("plain"), budget(3000), SEED, exactly_once=False)
        # What the caller gave up may still be on its way.
        later = applied(proxy)

    assert books.unknown > 0
    assert books.succeeded <= stored <= books.succeeded + books.unknown
    assert later <= books.succeeded + books.unknown


@pytest.mark.timeout(600)
async def test_exactly_once_appends_each_entry_once(db: AsyncDynamoDB) -> None:
    """With exactly_once each appended entry is stored once."""
    books, entries = await appends(db.table("plain"), budget(1500), SEED)

    assert books.unknown == 0
    assert sorted(entries) == sorted(books.succeeded_ids)


@pytest.mark.timeout(600)
async def test_set_members_are_not_lost(db: AsyncDynamoDB) -> None:
    """Members that were added to a set are stored, and no others but the unknown ones."""
    books, members = await set_members(db.table("plain"), budget(1500), SEED)

    assert set(books.succeeded_ids) <= members
    assert members <= {*books.succeeded_ids, *books.unknown_ids}


@pytest.mark.timeout(600)
async def test_at_most_one_creation_succeeds(db: AsyncDynamoDB) -> None:
    """Of rivals that create one item, at most one succeeds, and the item is its own."""
    books, owners = await creations(db.table("accounts", Account), budget(2000), SEED)

    for key, own in books.items():
        assert own.succeeded <= 1, key
        if own.succeeded:
            assert owners[key] == own.succeeded_ids[0], key
        elif key in owners:
            assert owners[key] in own.unknown_ids, key
    assert sum(own.succeeded for own in books.values()) > budget(300)


@pytest.mark.timeout(600)
async def test_versions_are_not_overwritten(
    db: AsyncDynamoDB, proxy: FaultProxy, tables: Engine
) -> None:
    """Each write of a versioned item advances the version once, and none is overwritten."""
    async with calm(tables) as direct:
        await direct.table("accounts", Account).put_item(Account(id="a"))

    books, advanced = await versions(db.table("accounts", Account), budget(1000), SEED)

    # The second delivery of a request may find the first one's version overwritten already.
    unseen = proxy.count(Fault.DUPLICATE)
    assert books.succeeded <= advanced <= books.succeeded + books.unknown + unseen
    assert books.succeeded > budget(50)


@pytest.mark.timeout(600)
async def test_batches_through_faults_are_complete(db: AsyncDynamoDB) -> None:
    """A batch that is written through faults stores every item."""
    table = db.table("plain")
    items = [{"pk": f"b-{number}", "n": number} for number in range(budget(1000))]

    await table.batch_write_item(put=items)

    found = await table.batch_get_item([{"pk": item["pk"]} for item in items])
    assert found == items
