"""The testing kit's sync face, and the circuit breaker around code that is not async."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import Attr, DynamoDB, Item, Table, UpdateBuilder, attribute
from dynasafe.errors import ConditionalCheckFailedError, OutcomeUnknownError, UnsupportedTypeError
from dynasafe.sync import retry_conflicts, settle
from dynasafe.testing import (
    BlockingCallError,
    Fault,
    FaultPlan,
    forbid_blocking,
    ok,
    spec_mock,
    throttled,
    timed_out,
)
from dynasafe.testing import transaction_canceled as canceled
from dynasafe.testing.sync import ManualClock, ScriptedTransport, fake_database, fake_table


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    visits: Attr[int] = attribute(default=0)


VISIT = UpdateBuilder(Person).increment(Person.visits, 1)


def test_retries_throttles() -> None:
    """Two throttles, then an answer: three attempts, two waits."""
    transport = ScriptedTransport([throttled(), throttled(), ok()])
    clock = ManualClock()
    people = Table("people", Person, transport=transport, clock=clock)

    result = people.update_item({"id": "p1"}, VISIT)

    assert result.attempts == 3
    assert [call.operation for call in transport.calls] == ["UpdateItem"] * 3
    assert clock.sleeps_s == [0.5, 1.0]


def test_fake_table() -> None:
    """Items, conditions, pages and counts, without a network."""
    people = fake_table(
        Person, items=[Person(id=f"p{number}", visits=number) for number in range(9)]
    )
    people.update_item({"id": "p1"}, VISIT)
    assert people.get_item({"id": "p1"}) == Person(id="p1", visits=2)
    with pytest.raises(ConditionalCheckFailedError):
        people.put_item(Person(id="p1"), condition=Person.id.not_exists())
    assert people.scan(total_segments=4).count() == 9
    assert sorted(person.id for person in people.scan(limit=2)) == [f"p{n}" for n in range(9)]
    first = people.query(Person.id == "p3").first()
    assert first == Person(id="p3", visits=3)
    assert [page.count for page in people.scan(limit=4).pages()] == [4, 4, 1]
    assert len(people.scan(limit=2, max_items=3).to_list()) == 3


def test_fake_database() -> None:
    """Transactions over two tables, and a lost answer that is resolved."""
    db = fake_database(people=Person, guests=Person)
    people, guests = db.table("people", Person), db.table("guests", Person)
    db.transact_write_items([people.put(Person(id="a")), guests.update({"id": "b"}, VISIT)])
    found = db.transact_get_items([people.get({"id": "a"}), guests.get({"id": "b"})])
    assert found == [Person(id="a"), Person(id="b", visits=1)]


def test_settle_and_retry_conflicts() -> None:
    """A lost answer: the request is sent again under the same token; a conflict is tried again."""
    lost = [timed_out()] * 4
    conflict = canceled("TransactionConflict")
    transport = ScriptedTransport([*lost, ok(), conflict, ok()])
    clock = ManualClock()
    db = DynamoDB.over(transport, clock=clock, retry=None)
    people = db.table("people", Person)

    with pytest.raises(OutcomeUnknownError) as unknown:
        people.update_item({"id": "a"}, VISIT, exactly_once=True)
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError):
            db.resolve(unknown.value)
    result: Any = settle(lambda: people.update_item({"id": "a"}, VISIT, exactly_once=True))
    assert result.attempts == 1
    retry_conflicts(lambda: people.update_item({"id": "a"}, VISIT, exactly_once=True), clock=clock)

    tokens = [call.params["ClientRequestToken"] for call in transport.calls]
    assert len(set(tokens[:3])) == 1
    assert tokens[3] == tokens[4]
    assert len(set(tokens)) == 4


def test_spec_mock() -> None:
    """A mock's methods are those of the class: no awaits, the same signatures."""
    person = Person(id="a")
    people = spec_mock(Table, get_item=person, query=[person], scan=[])
    assert people.get_item({"id": "a"}) is person
    assert list(people.query(Person.id == "a")) == [person]
    assert people.query(Person.id == "a").to_list() == [person]
    assert [page.items for page in people.query(Person.id == "a").pages()] == [(person,)]
    assert list(people.scan()) == []
    with pytest.raises(TypeError):
        people.get_item({"id": "a"}, consistant_read=True)
    with pytest.raises(UnsupportedTypeError):
        spec_mock(Table, query=person)
    db = spec_mock(DynamoDB)
    assert isinstance(db.table("people", Person), Table)


async def test_forbid_blocking() -> None:
    """A DynamoDB on the event loop's thread stops the loop."""
    with (
        DynamoDB.connect(
            region_name="us-east-1",
            endpoint_url="http://127.0.0.1:9",
            client_options={"aws_access_key_id": "a", "aws_secret_access_key": "b"},
        ) as db,
        pytest.raises(BlockingCallError, match=r"called with dynasafe\.DynamoDB on the event loop"),
        forbid_blocking(),
    ):
        db.table("people").get_item({"id": "a"})


def test_fixtures(dynamodb_sync_table: Any) -> None:
    """A table of its own on the plugin's engine."""
    people = dynamodb_sync_table(Person)
    people.put_item(Person(id="a"))
    assert people.update_item({"id": "a"}, VISIT, return_values="ALL_NEW").attributes.visits == 1


def test_fixture_of_faults(dynamodb_sync_table: Any, dynamodb_sync_faults: Any) -> None:
    """A database whose answers get lost, and what the proxy injected."""
    name = dynamodb_sync_table(Person).name
    plan = FaultPlan(script=(Fault.RESET_AFTER,))
    db, proxy = dynamodb_sync_faults(plan)
    with pytest.raises(OutcomeUnknownError):
        db.table(name, Person).update_item({"id": "a"}, VISIT)
    assert [record.is_applied for record in proxy.log] == [True]
    assert db.table(name, Person).get_item({"id": "a"}) == Person(id="a", visits=1)
