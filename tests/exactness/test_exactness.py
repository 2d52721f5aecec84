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

BOTH_FACES = True

# `make soak` makes 100,000, on both faces.
INCREMENTS = int(os.environ.get("DYNASAFE_INCREMENTS", "10000"))
SYNC_INCREMENTS = int(os.environ.get("DYNASAFE_INCREMENTS", "2000"))
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


def applied(proxy: FaultProxy) -> int:
    return sum(record.is_applied for record in proxy.log if record.index >= 0)


@pytest.mark.timeout(3600)
async def test_given_exactly_once_when_incrementing_through_faults_then_stored_is_succeeded(
    db: AsyncDynamoDB, proxy: FaultProxy, record_property: Any
) -> None:
    increments = INCREMENTS if isinstance(db, AsyncDynamoDB) else SYNC_INCREMENTS
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
async def test_given_the_clients_of_boto3_when_incrementing_through_faults_then_the_same_holds(
    proxy: FaultProxy,
) -> None:
    """Over aioboto3, or boto3 for the sync face: the books balance, with a smaller budget."""
    async with connect(proxy, transport=faces.library()) as db:
        books, stored = await counter(db.table("plain"), INCREMENTS // 30, SEED, exactly_once=True)

    assert books.unknown == 0
    assert stored == books.succeeded
    assert books.succeeded + books.refused == INCREMENTS // 30
    assert applied(proxy) > stored


@pytest.mark.timeout(600)
async def test_given_the_plain_mode_when_incrementing_then_nothing_counts_twice(
    tables: Engine,
) -> None:
    mix = {fault: rate for fault, rate in MIX.items() if fault is not Fault.DUPLICATE}
    async with FaultProxy(tables.endpoint_url, plan(SEED, mix)) as proxy, connect(proxy) as db:
        books, stored = await counter(db.table("plain"), 3000, SEED, exactly_once=False)
        # What the caller gave up may still be on its way.
        later = applied(proxy)

    assert books.unknown > 0
    assert books.succeeded <= stored <= books.succeeded + books.unknown
    assert later <= books.succeeded + books.unknown


@pytest.mark.timeout(600)
async def test_given_exactly_once_when_appending_then_each_entry_is_there_once(
    db: AsyncDynamoDB,
) -> None:
    books, entries = await appends(db.table("plain"), 1500, SEED)

    assert books.unknown == 0
    assert sorted(entries) == sorted(books.succeeded_ids)


@pytest.mark.timeout(600)
async def test_given_the_plain_mode_when_adding_to_a_set_then_no_member_is_lost(
    db: AsyncDynamoDB,
) -> None:
    books, members = await set_members(db.table("plain"), 1500, SEED)

    assert set(books.succeeded_ids) <= members
    assert members <= {*books.succeeded_ids, *books.unknown_ids}


@pytest.mark.timeout(600)
async def test_given_rivals_when_creating_then_at_most_one_is_told_that_it_did(
    db: AsyncDynamoDB,
) -> None:
    books, owners = await creations(db.table("accounts", Account), 2000, SEED)

    for key, own in books.items():
        assert own.succeeded <= 1, key
        if own.succeeded:
            assert owners[key] == own.succeeded_ids[0], key
        elif key in owners:
            assert owners[key] in own.unknown_ids, key
    assert sum(own.succeeded for own in books.values()) > 300


@pytest.mark.timeout(600)
async def test_given_versions_when_writing_then_none_is_overwritten(
    db: AsyncDynamoDB, proxy: FaultProxy, tables: Engine
) -> None:
    async with calm(tables) as direct:
        await direct.table("accounts", Account).put_item(Account(id="a"))

    books, advanced = await versions(db.table("accounts", Account), 1000, SEED)

    # The second delivery of a request may find the first one's version overwritten already.
    unseen = proxy.count(Fault.DUPLICATE)
    assert books.succeeded <= advanced <= books.succeeded + books.unknown + unseen
    assert books.succeeded > 50


@pytest.mark.timeout(600)
async def test_given_batches_when_written_through_faults_then_every_item_is_there(
    db: AsyncDynamoDB,
) -> None:
    table = db.table("plain")
    items = [{"pk": f"b-{number}", "n": number} for number in range(1000)]

    await table.batch_write_item(put=items)

    found = await table.batch_get_item([{"pk": item["pk"]} for item in items])
    assert found == items
