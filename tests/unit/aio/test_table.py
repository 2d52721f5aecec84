"""AsyncTable's decisions, on a scripted transport and a clock moved by hand."""

from __future__ import annotations

import asyncio
import gc
import logging
import pickle
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from dynasafe import (
    AsyncDynamoDB,
    AsyncTable,
    Attr,
    CircuitBreaker,
    Item,
    RetryPolicy,
    UpdateBuilder,
    attr,
    attribute,
)
from dynasafe.errors import (
    BatchIncompleteError,
    CircuitOpenError,
    ConditionalCheckFailedError,
    DynasafeError,
    EmptyUpdateError,
    InvalidRequestError,
    InvalidValueError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    ServiceError,
    StoredValueError,
    ThrottledError,
    TransactionCanceledError,
    ValueOutOfRangeError,
    WrongEventLoopError,
)
from dynasafe.events import Event
from dynasafe.resilience.circuit_breaker import CircuitState, CountWindow
from dynasafe.testing import (
    ManualClock,
    ScriptedTransport,
    condition_failed,
    connection_closed,
    connection_refused,
    connection_reset,
    fake_table,
    ok,
    refused,
    server_error,
    throttled,
    timed_out,
    transaction_canceled,
)
from dynasafe.testing.scripted import Reply, ScriptedCall
from dynasafe.values import register_codec
from tests.support.people import Order, Person

KEY = {"id": "p1"}
ORDER = {"customer": "c", "number": 1}


class Account(Item):
    """With a version, and an id of the last write."""

    id: Attr[str] = attribute(key="partition")
    owner: Attr[str] = attribute(default="")
    version: Attr[int] = attribute(default=0, version=True)
    written_by: Attr[str] = attribute(default="", write_id=True)


def people(*replies: Reply, **options: Any) -> tuple[AsyncTable[Person], ScriptedTransport]:
    transport = ScriptedTransport(replies)
    return AsyncTable(
        "people", Person, transport=transport, clock=ManualClock(), **options
    ), transport


def set_name(name: str = "Ada") -> UpdateBuilder:
    return UpdateBuilder(Person).set(Person.name, name)


def increment() -> UpdateBuilder:
    return UpdateBuilder(Person).increment(Person.visits, 1)


async def test_retries_throttles() -> None:
    """Two throttles, then an answer: three attempts, two waits."""
    transport = ScriptedTransport([throttled(), throttled(), ok()])
    clock = ManualClock()
    orders = AsyncTable("orders", transport=transport, clock=clock)

    result = await orders.update_item({"pk": "o#1"}, UpdateBuilder().set("qty", 3))

    assert [call.operation for call in transport.calls] == ["UpdateItem"] * 3
    assert clock.sleeps_s == [0.5, 1.0]
    assert result.attempts == 3


# Idempotency decides

LOST = [server_error, timed_out, connection_closed, connection_reset]


@pytest.mark.parametrize("lost", LOST)
async def test_lost_idempotent_update_is_sent_again(lost: Callable[[], Exception]) -> None:
    """After a lost answer, an idempotent update is sent again unchanged."""
    table, transport = people(lost(), ok())

    await table.update_item(KEY, set_name())

    assert transport.calls[0] == transport.calls[1]


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize(
    "update",
    [
        increment,
        lambda: UpdateBuilder(Person).add(Person.visits, 1),
        lambda: UpdateBuilder(Person).append(Person.scores, [1]),
        lambda: UpdateBuilder(Person).set(Person.visits, Person.visits + 1),
        lambda: UpdateBuilder(Person).remove(Person.scores[0]),
    ],
)
async def test_lost_update_is_unknown(
    lost: Callable[[], Exception], update: Callable[[], UpdateBuilder]
) -> None:
    """After a lost answer, an update that is not idempotent has an unknown outcome."""
    table, transport = people(lost())

    with pytest.raises(OutcomeUnknownError) as caught:
        await table.update_item(KEY, update())

    assert len(transport.calls) == 1
    assert caught.value.client_request_token is None
    with pytest.raises(OutcomeUnknownError):
        await caught.value.resolve()


async def test_refused_connection_is_tried_again() -> None:
    """After a refused connection an increment is sent again."""
    table, transport = people(connection_refused(), throttled(), ok())

    await table.update_item(KEY, increment())

    assert len(transport.calls) == 3


async def test_condition_makes_a_retry_safe() -> None:
    """An increment with a condition on its old value is sent again after a lost answer."""
    table, transport = people(timed_out(), ok())

    await table.update_item(
        KEY,
        UpdateBuilder(Person).set(Person.visits, Person.visits + 1),
        condition=Person.visits == 4,
    )

    assert len(transport.calls) == 2


async def test_lost_update_with_old_values() -> None:
    """A lost update with old values is unknown: a retry would return its own values."""
    table, _transport = people(timed_out())

    with pytest.raises(OutcomeUnknownError):
        await table.update_item(KEY, set_name(), return_values="ALL_OLD")


async def test_lost_puts_and_deletes_are_sent_again() -> None:
    """Puts and deletes are sent again after a lost answer."""
    table, transport = people(timed_out(), ok(), timed_out(), ok())

    await table.put_item(Person(id="p1", name="Ada", version=1))
    await table.delete_item(KEY)

    assert [call.operation for call in transport.calls] == ["PutItem"] * 2 + ["DeleteItem"] * 2


# A lost attempt, and then a failed condition


def stored_account(**values: Any) -> dict[str, Any]:
    account = Account(**{"id": "a", "owner": "Ada", "version": 1, **values})
    return account.__dynasafe_encode__()


async def test_equal_item_proves_nothing() -> None:
    """After a lost create, a stored item that equals it does not prove that it was applied."""
    transport = ScriptedTransport(
        [timed_out(), condition_failed({"customer": {"S": "c"}, "number": {"N": "1"}})]
    )
    orders = AsyncTable("orders", transport=transport, clock=ManualClock())

    with pytest.raises(OutcomeUnknownError) as caught:
        await orders.put_item({"customer": "c", "number": 1}, condition=Order.customer.not_exists())

    assert caught.value.item == {"customer": {"S": "c"}, "number": {"N": "1"}}


async def test_own_write_id_proves_success() -> None:
    """A lost put succeeded if the stored item has its own write id."""

    def own(call: ScriptedCall) -> Exception:
        return condition_failed(call.params["Item"])

    transport = ScriptedTransport([timed_out(), own])
    accounts = AsyncTable("accounts", Account, transport=transport, clock=ManualClock())
    account = Account(id="a", owner="Ada")

    result = await accounts.put_item(account)

    assert result.attempts == 2
    assert account.version == 1
    assert account.written_by == transport.calls[0].params["Item"]["written_by"]["S"]


async def test_proven_write_is_read_back() -> None:
    """A lost update that was applied is read back consistently for ALL_NEW."""
    stored: dict[str, Any] = {}

    def own(call: ScriptedCall) -> Exception:
        values = call.params["ExpressionAttributeValues"]
        stored.update(stored_account(version=2, written_by=values[":written_by"]["S"]))
        return condition_failed(stored)

    transport = ScriptedTransport([timed_out(), own, lambda _: ok({"Item": stored})])
    accounts = AsyncTable("accounts", Account, transport=transport, clock=ManualClock())
    account = Account(id="a", owner="Ada", version=1)

    result = await accounts.update_item(
        account, UpdateBuilder(Account).set(Account.owner, "Eve"), return_values="ALL_NEW"
    )

    assert result.attributes.version == 2
    assert transport.calls[-1].params["ConsistentRead"] is True


@pytest.mark.parametrize(
    "stored",
    [
        {"version": 1},  # ours, or another's with the same contents
        {"version": 1, "owner": "Eve"},  # ours may lie below another's that keeps the version
        {"version": 2},  # ours may lie below
        {"version": 0, "owner": "Eve"},  # the item may have been made again
    ],
)
async def test_lost_versioned_put_stays_unknown(stored: dict[str, Any]) -> None:
    """No stored item proves that a lost write was not applied: versions need not only rise."""

    class Plain(Item):
        id: Attr[str] = attribute(key="partition")
        owner: Attr[str] = attribute(default="")
        version: Attr[int] = attribute(default=0, version=True)

    item = Plain(**{"id": "a", "owner": "Ada", **stored}).__dynasafe_encode__()
    transport = ScriptedTransport([timed_out(), condition_failed(item)])
    table = AsyncTable("plain", Plain, transport=transport, clock=ManualClock())

    with pytest.raises(OutcomeUnknownError) as caught:
        await table.put_item(Plain(id="a", owner="Ada"))

    assert caught.value.key == {"id": "a"}


# Exactly once


async def test_attempts_share_one_token() -> None:
    """With exactly_once all attempts of a write have one token."""
    table, transport = people(timed_out(), connection_reset(), ok())

    result = await table.update_item(KEY, increment(), exactly_once=True)

    tokens = {call.params["ClientRequestToken"] for call in transport.calls}
    assert len(tokens) == 1
    assert [call.operation for call in transport.calls] == ["TransactWriteItems"] * 3
    assert result.attempts == 3


async def test_unknown_resolves_with_its_token() -> None:
    """Resolving an unknown outcome sends its own token again and returns the result."""
    table, transport = people(*[timed_out()] * 4, ok(), ok({"Item": person_item(visits=1)}))

    with pytest.raises(OutcomeUnknownError) as caught:
        await table.update_item(KEY, increment(), exactly_once=True, return_values="ALL_NEW")
    result = await caught.value.resolve()

    assert result.attributes.visits == 1
    tokens = {
        call.params["ClientRequestToken"]
        for call in transport.calls
        if call.operation == "TransactWriteItems"
    }
    assert tokens == {caught.value.client_request_token}
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), OutcomeUnknownError)


async def test_late_resolve_sends_nothing() -> None:
    """An outcome is not resolved once the time of its token is over."""
    transport = ScriptedTransport([timed_out()])
    clock = ManualClock()
    table = AsyncTable("people", Person, transport=transport, clock=clock, retry=None)
    with pytest.raises(OutcomeUnknownError) as caught:
        await table.update_item(KEY, increment(), exactly_once=True)
    clock.advance(600)

    with pytest.raises(OutcomeUnknownError, match="the 600 s in which its token is recognised"):
        await caught.value.resolve()

    assert len(transport.calls) == 1


@pytest.mark.parametrize(
    "failure", [throttled(), timed_out(), connection_refused(), refused("AccessDeniedException")]
)
async def test_applied_write_that_is_not_read_back(failure: Exception) -> None:
    """A write that was applied but not read back has an unknown outcome, which resolves."""
    table, transport = people(ok(), failure, ok(), ok({"Item": person_item(visits=1)}), retry=None)

    with pytest.raises(OutcomeUnknownError) as caught:
        await table.update_item(KEY, increment(), exactly_once=True, return_values="ALL_NEW")

    assert caught.value.reason == (
        f"it was applied, but not read back: {type(caught.value.__cause__).__name__}"
    )
    result = await caught.value.resolve()
    assert result.attributes.visits == 1
    first, _, second, _ = transport.calls
    assert first == second
    assert first.params["ClientRequestToken"] == caught.value.client_request_token


async def test_proven_write_that_is_not_read_back() -> None:
    """A proven write that is not read back has an unknown outcome and the new version."""

    def own(call: ScriptedCall) -> Exception:
        written_by = call.params["ExpressionAttributeValues"][":written_by"]["S"]
        return condition_failed(stored_account(version=2, written_by=written_by))

    transport = ScriptedTransport([timed_out(), own, *[throttled()] * 4])
    accounts = AsyncTable("accounts", Account, transport=transport, clock=ManualClock())
    account = Account(id="a", owner="Ada", version=1)

    with pytest.raises(OutcomeUnknownError, match="it was applied, but not read back"):
        await accounts.update_item(
            account, UpdateBuilder(Account).set(Account.owner, "Eve"), return_values="ALL_NEW"
        )
    assert account.version == 2


async def test_token_of_the_caller_is_used() -> None:
    """A token of the caller makes one write a transaction with that token."""
    table, transport = people(ok())

    await table.delete_item(KEY, client_request_token="my token")

    assert transport.calls[0].params == {
        "TransactItems": [{"Delete": {"TableName": "people", "Key": {"id": {"S": "p1"}}}}],
        "ClientRequestToken": "my token",
    }


async def test_exactly_once_has_the_writes_error() -> None:
    """With exactly_once a failed condition raises the error of a single write, item included."""
    item = person_item(visits=3)
    table, _ = people(transaction_canceled("ConditionalCheckFailed", items=[item]))

    with pytest.raises(ConditionalCheckFailedError) as caught:
        await table.update_item(KEY, increment(), condition=Person.visits < 3, exactly_once=True)

    assert caught.value.item.visits == 3
    assert caught.value.operation == "UpdateItem"


def person_item(**values: Any) -> dict[str, Any]:
    return Person(**{"id": "p1", "name": "Ada", **values}).__dynasafe_encode__()


# Nothing is sent for bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.update_item(KEY, UpdateBuilder(Person)), "the update has no actions"),
        (lambda t: t.update_item({}, set_name()), "Key: the primary key of Person is id, but"),
        (lambda t: t.update_item({"id": 3}, set_name()), "id: str is expected, not int"),
        (lambda t: t.update_item({"id": "a", "x": 1}, set_name()), "give exactly its attributes"),
        (lambda t: t.update_item(KEY, {"name": "x"}), "an UpdateBuilder is expected, not dict"),
        (lambda t: t.put_item({"id": "a"}), "an instance of Person is expected, not dict"),
        (lambda t: t.put_item(Person(id="a", name=3)), "name: str is expected, not int"),
        (lambda t: t.get_item("p1"), "a mapping or an Item is expected, not str"),
        (lambda t: t.get_item(KEY, projection=[]), "projection: no attributes"),
        (lambda t: t.get_item(KEY, projection="name"), "Fix: projection=[attribute]"),
        (lambda t: t.get_item(KEY, timeout_s=0), "timeout_s: more than 0 seconds"),
        (lambda t: t.get_item(KEY, attempt_timeout_s="1"), "attempt_timeout_s: a number of"),
        (lambda t: t.get_item(KEY, retry=3), "retry: a RetryPolicy or None is expected, not int"),
        (
            lambda t: t.get_item(KEY, retires=3),
            "get_item(): no keyword 'retires'. Did you mean retry=?",
        ),
        (lambda t: t.get_item(KEY, breaker=3), "breaker: a CircuitBreaker, a factory or None"),
        (
            lambda t: t.put_item(
                Person(id="a", name="x"), exactly_once=True, return_values="ALL_OLD"
            ),
            "return_values: a transaction returns no ALL_OLD",
        ),
        (
            lambda t: t.delete_item(KEY, client_request_token="x" * 37),
            "client_request_token: a str of 1 to 36 characters",
        ),
        (lambda t: t.query(Person.id == "x", limit=0).to_list(), "limit: at least 1"),
        (lambda t: t.scan(max_items=-1).to_list(), "max_items: at least 1"),
        (lambda t: t.scan(total_segments=0).to_list(), "total_segments: at least 1"),
        (
            lambda t: t.query(Person.id == "x", exclusive_start_key={"nope": 1}).to_list(),
            "exclusive_start_key.nope: Person has no such attribute",
        ),
        (
            lambda t: t.scan(exclusive_start_key="p1").to_list(),
            "exclusive_start_key: a mapping is expected, not str",
        ),
        (lambda t: t.scan(total_segments=1_000_001).to_list(), "total_segments: at most 1000000"),
        (lambda t: t.get_item(KEY, hooks=print), "get_item(): no keyword 'hooks'"),
        (lambda t: t.get_item(KEY, hooks=iter([print])), "get_item(): no keyword 'hooks'"),
        (
            lambda t: t.get_item(KEY, breaker=lambda name: None),
            "breaker: the factory gives a CircuitBreaker, not NoneType",
        ),
        (lambda t: t.put_item(Person(id="a", name="x"), limit=3), "put_item(): no keyword 'limit'"),
        (
            lambda t: t.scan(scan_index_forward=True).to_list(),
            "scan(): no keyword 'scan_ind",
        ),
        (
            lambda t: t.query(Person.id == "x", total_segments=2).to_list(),
            "query(): no keyword 'total_segments'",
        ),
        (lambda t: t.delete_item(KEY, condition=True), "a condition is expected, not bool"),
        (
            lambda t: t.query(Person.id == "x", filter=Person.id.exists()).to_list(),
            "Filter Expression can only contain non-primary key attributes",
        ),
        (lambda t: t.query(Person.name == "x").to_list(), "Query condition missed key schema"),
        (lambda t: t.get_item({"id": ""}), "cannot contain an empty string value"),
        (lambda t: t.put_item(Person(id="", name="x")), "cannot contain an empty string value"),
        (
            lambda t: t.batch_write_item(put=[Person(id="a", name="x")], delete=[{"id": "a"}]),
            "a batch writes each item once",
        ),
    ],
)
async def test_bad_input_sends_nothing(call: Callable[[Any], Any], message: str) -> None:
    """A wrong argument raises a clear error and nothing is sent."""
    table, transport = people()

    async def attempt() -> None:
        await call(table)

    with pytest.raises(NotSentError) as caught:
        await attempt()

    assert message in str(caught.value)
    assert isinstance(caught.value, InvalidValueError | InvalidRequestError)
    assert transport.calls == []


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        (3, {}, "operation: a str is expected, not int"),
        ("UpdateItem", None, "params: a mapping is expected, not NoneType"),
        ("GetItem", [], "params: a mapping is expected, not list"),
        ("UpdateItem", {"UpdateExpression": 3}, "in UpdateExpression"),
        (
            "UpdateItem",
            {"UpdateExpression": "SET #a = :a", "ExpressionAttributeNames": 3},
            "in ExpressionAttributeNames",
        ),
        (
            "UpdateItem",
            {"UpdateExpression": "SET a = :a", "ExpressionAttributeValues": [1]},
            "in ExpressionAttributeValues",
        ),
        (
            "UpdateItem",
            {"UpdateExpression": "REMOVE a", "ConditionExpression": 3},
            "in ConditionExpression",
        ),
        ("PutItem", {"ReturnValues": ["ALL_OLD"]}, "in ReturnValues"),
    ],
)
async def test_bad_raw_call_sends_nothing(operation: Any, params: Any, message: str) -> None:
    """A raw call with wrong types raises a clear error and nothing is sent."""
    transport = ScriptedTransport()
    db = AsyncDynamoDB.over(transport, clock=ManualClock())
    whole = {"TableName": "people", "Key": {"id": {"S": "a"}}}
    if params:
        params = whole | params

    with pytest.raises(NotSentError) as caught:
        await db.call(operation, params)

    assert message in str(caught.value)
    assert transport.calls == []


async def test_sent_update_is_frozen() -> None:
    """An update that was sent refuses changes, and a copy of it takes them."""
    table, _ = people(ok(), ok())
    update = set_name()
    await table.update_item(KEY, update)

    with pytest.raises(TypeError, match="is frozen"):
        update.set(Person.email, "x")
    await table.update_item(KEY, update.copy().set(Person.email, "x"))


async def test_versioned_update_can_be_empty() -> None:
    """An update of a versioned item that has no actions of its own is still empty."""
    table, transport = people()

    with pytest.raises(EmptyUpdateError):
        await table.update_item(Person(id="p1", name="x"), UpdateBuilder(Person))

    assert transport.calls == []


# Answers


async def test_stored_value_of_another_type() -> None:
    """The error for a stored value of another type has its path and its annotation."""
    item = {**person_item(), "visits": {"S": "three"}}
    table, _ = people(ok({"Item": item}))

    with pytest.raises(StoredValueError) as caught:
        await table.get_item(KEY)

    assert str(caught.value) == (
        "visits: the stored value, of type S, does not fit the annotation: int"
    )


UNFIT: dict[str, Any] = {"id": {"S": "p1"}, "name": {"S": "x"}, "visits": {"S": "three"}}


@pytest.mark.parametrize("exactly_once", [False, True])
async def test_failed_condition_with_an_unreadable_item(exactly_once: bool) -> None:
    """A failed condition with an unreadable item stays a failed condition, with a note."""
    reply = condition_failed(UNFIT)
    if exactly_once:
        reply = transaction_canceled("ConditionalCheckFailed", items=[UNFIT])
    table, _ = people(reply)

    with pytest.raises(ConditionalCheckFailedError) as caught:
        await table.delete_item(KEY, condition=Person.visits == 3, exactly_once=exactly_once)

    assert caught.value.item is None
    assert caught.value.__notes__ == [
        "Its item cannot be read: visits: the stored value, of type S, does not fit the "
        "annotation: int"
    ]


async def test_canceled_transaction_unreadable_items() -> None:
    """A cancelled transaction stays cancelled if the items of its reasons are unreadable."""
    unreadable = {"code": {"S": "unreadable"}}
    items = [None, UNFIT, unreadable]
    transport = ScriptedTransport(
        [transaction_canceled("None", *["ConditionalCheckFailed"] * 2, items=items)]
    )
    db = AsyncDynamoDB.over(transport, clock=ManualClock())
    people, coded = db.table("people", Person), db.table("coded", Coded)

    with pytest.raises(TransactionCanceledError) as caught:
        await db.transact_write_items(
            [
                people.delete({"id": "p0"}),
                people.delete(KEY, condition=Person.visits == 3),
                coded.delete({"code": Code("c1")}, condition=Coded.size == 3),
            ]
        )

    assert [reason.item for reason in caught.value.reasons] == [None] * 3
    assert [note.partition(": ")[2][:7] for note in caught.value.__notes__] == [
        "visits:",
        "CodeErr",
    ]


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.get_item({"pk": "a"}),
        lambda t: t.get_item({"pk": "a"}, projection=["pk"]),
        lambda t: t.put_item({"pk": "a"}, return_values="ALL_OLD"),
        lambda t: t.update_item(
            {"pk": "a"}, UpdateBuilder().set("n", 1), return_values="UPDATED_NEW"
        ),
        lambda t: t.query(attr("pk") == "a").to_list(),
    ],
)
async def test_unknown_type_in_an_answer(call: Callable[[Any], Any]) -> None:
    """A value of an unknown type in an answer raises StoredValueError, in each method."""
    stored = {"pk": {"SDK_UNKNOWN_MEMBER": {"name": "Q"}}}
    answer = {"Item": stored, "Attributes": stored, "Items": [stored], "Count": 1}
    table = AsyncTable("table", transport=ScriptedTransport([ok(answer)]), clock=ManualClock())

    with pytest.raises(StoredValueError, match="not an AttributeValue"):
        await call(table)


async def test_read_without_an_answer() -> None:
    """A read that no attempt answered says how often it was sent."""
    table, _transport = people(*[timed_out()] * 4)

    with pytest.raises(NoAnswerError, match="was sent 4 time"):
        await table.get_item(KEY)


async def test_retry_none_sends_once() -> None:
    """With retry=None a throttled call is sent once."""
    table, _transport = people(throttled("TableReadAccountLimitExceeded"))

    with pytest.raises(ThrottledError) as caught:
        await table.get_item(KEY, retry=None)

    assert caught.value.reasons == ("TableReadAccountLimitExceeded",)


# Circuit breakers


async def test_breaker_stops_calls() -> None:
    """After failures the breaker opens and calls are not sent."""
    breaker = CircuitBreaker(window=CountWindow(4), minimum_calls=4, clock=ManualClock())
    table, transport = people(*[server_error()] * 4, breaker=breaker, retry=None)
    for _ in range(4):
        with pytest.raises(ServiceError):
            await table.get_item(KEY)

    with pytest.raises(CircuitOpenError):
        await table.get_item(KEY)

    assert len(transport.calls) == 4
    assert breaker.state is CircuitState.OPEN


async def test_breaker_factory_splits_reads_and_writes() -> None:
    """A breaker factory makes one breaker for writes and one for reads."""

    def factory(name: str) -> CircuitBreaker:
        made.append(name)
        return CircuitBreaker(name=name, window=CountWindow(2), minimum_calls=2)

    made: list[str] = []
    table, _transport = people(server_error(), server_error(), ok(), breaker=factory, retry=None)
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError):
            await table.delete_item(KEY)
    with pytest.raises(CircuitOpenError, match="'people/write'"):
        await table.delete_item(KEY)

    assert await table.get_item(KEY) is None
    assert made == ["people/write", "people/read"]


async def test_hot_key_does_not_open_the_breaker() -> None:
    """X6: throttles of a hot key do not open the breaker."""
    breaker = CircuitBreaker(window=CountWindow(4), minimum_calls=2)
    replies = [throttled("TableWriteKeyRangeThroughputExceeded")] * 20
    table, _transport = people(*replies, ok(), breaker=breaker, retry=None)
    for _ in range(20):
        with pytest.raises(ThrottledError):
            await table.delete_item(KEY)

    await table.delete_item(KEY)

    assert breaker.state is CircuitState.CLOSED


# Batches


def unprocessed(*numbers: int) -> dict[str, Any]:
    return {
        "UnprocessedItems": {
            "orders": [
                {"PutRequest": {"Item": Order(customer="c", number=n).__dynasafe_encode__()}}
                for n in numbers
            ]
        }
    }


def orders_table(*replies: Reply, **options: Any) -> tuple[AsyncTable[Order], ScriptedTransport]:
    transport = ScriptedTransport(replies)
    clock = ManualClock()
    return AsyncTable("orders", Order, transport=transport, clock=clock, **options), transport


async def test_unprocessed_items_are_sent_again() -> None:
    """A batch sends again only the items that were not processed."""
    table, transport = orders_table(ok(unprocessed(3, 1)), ok(unprocessed(1)), ok())

    await table.batch_write_item(put=[Order(customer="c", number=n) for n in range(5)])

    sent = [
        [
            entry["PutRequest"]["Item"]["number"]["N"]
            for entry in call.params["RequestItems"]["orders"]
        ]
        for call in transport.calls
    ]
    assert sent == [["0", "1", "2", "3", "4"], ["1", "3"], ["1"]]


async def test_unprocessed_items_at_the_end() -> None:
    """When its attempts are over, a batch reports what is not processed."""
    table, transport = orders_table(*[ok(unprocessed(1))] * 4)
    given = [Order(customer="c", number=n) for n in range(3)]

    with pytest.raises(BatchIncompleteError) as caught:
        await table.batch_write_item(put=given)

    assert caught.value.processed == (given[0], given[2])
    assert caught.value.unprocessed == (given[1],)
    assert isinstance(caught.value.__cause__, ThrottledError)
    assert len(transport.calls) == 4


async def test_batch_ends_before_its_deadline() -> None:
    """A batch whose next delay passes the deadline ends and reports what is not processed."""
    policy = RetryPolicy(max_attempts=9, throttle_base_delay_s=4.0)
    table, transport = orders_table(*[ok(unprocessed(1))] * 9, retry=policy, timeout_s=7.0)
    given = [Order(customer="c", number=n) for n in range(3)]

    with pytest.raises(BatchIncompleteError) as caught:
        await table.batch_write_item(put=given)

    # Delays of 2 and 4 s fit into 7 s, the next of 8 s does not.
    assert len(transport.calls) == 3
    assert caught.value.unprocessed == (given[1],)
    assert isinstance(caught.value.__cause__, ThrottledError)


async def test_slow_batch_is_not_sent_further() -> None:
    """When its time is over, a batch does not send its next request."""
    clock = ManualClock()

    def slow(call: ScriptedCall) -> dict[str, Any]:
        clock.advance(2.0)
        return {}

    transport = ScriptedTransport(otherwise=slow)
    table = AsyncTable("orders", Order, transport=transport, clock=clock, timeout_s=3.0)
    given = [Order(customer="c", number=n) for n in range(100)]

    with pytest.raises(BatchIncompleteError) as caught:
        await table.batch_write_item(put=given)

    assert len(transport.calls) == 2
    assert [call.timeout_s for call in transport.calls] == [3.0, 1.0]
    assert caught.value.processed == tuple(given[:50])
    assert caught.value.unprocessed == tuple(given[50:])
    assert isinstance(caught.value.__cause__, NotSentError)


async def test_lost_answer_in_a_batch() -> None:
    """Entries of a batch whose answer was lost are reported as unknown."""
    table, _ = orders_table(ok(), timed_out(), retry=None)
    given = [Order(customer="c", number=n) for n in range(30)]

    with pytest.raises(BatchIncompleteError) as caught:
        await table.batch_write_item(put=given)

    assert caught.value.processed == tuple(given[:25])
    assert caught.value.unknown == tuple(given[25:])
    assert caught.value.unprocessed == ()


async def test_refused_batch_has_a_plain_error() -> None:
    """A batch of one request that is refused raises the error of the service."""
    table, _ = orders_table(refused("ResourceNotFoundException"))

    with pytest.raises(ServiceError):
        await table.batch_write_item(put=[Order(customer="c", number=1)])


def orders(count: int, taken: list[int]) -> Iterator[Order]:
    for number in range(count):
        taken.append(number)
        yield Order(customer="c", number=number)


async def test_iterator_is_read_as_requests_have_room() -> None:
    """An iterator is read as far as the next request has room."""
    taken: list[int] = []
    at_call: list[int] = []

    def look(call: ScriptedCall) -> dict[str, Any]:
        at_call.append(len(taken))
        return unprocessed(30) if len(at_call) == 2 else {}

    transport = ScriptedTransport(otherwise=look)
    table = AsyncTable("orders", Order, transport=transport, clock=ManualClock())
    await table.batch_write_item(put=orders(60, taken))

    # The third request has room for 24 more beside the one that was handed back.
    assert at_call == [25, 50, 60]
    sizes = [len(call.params["RequestItems"]["orders"]) for call in transport.calls]
    assert sizes == [25, 25, 11]


async def test_iterator_may_write_an_item_again() -> None:
    """Of one request, two writes of an item are refused; of later ones the last one holds."""
    notes = fake_table(Person)
    ids = [str(number) for number in range(30)] + ["0"]
    items = [Person(id=each, name="n", visits=number) for number, each in enumerate(ids)]
    with pytest.raises(ValueOutOfRangeError, match="writes each item once"):
        await notes.batch_write_item(put=items)

    await notes.batch_write_item(put=iter(items))
    found = await notes.get_item({"id": "0"})
    assert found is not None
    assert found.visits == 30

    with pytest.raises(InvalidRequestError, match="contains duplicates"):
        await notes.batch_write_item(put=iter([items[0], items[30]]))


async def test_plain_table_knows_its_key_from_deletes() -> None:
    """A batch of plain dicts may write an item twice in two requests; with a delete it may not."""
    notes = fake_table({"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]})
    items = [{"id": str(number % 30), "n": number} for number in range(31)]
    await notes.batch_write_item(put=items)
    assert await notes.get_item({"id": "0"}) == {"id": "0", "n": 30}

    with pytest.raises(ValueOutOfRangeError, match="writes each item once"):
        await notes.batch_write_item(put=items, delete=[{"id": "x"}])


async def test_iterator_stops_with_the_batch() -> None:
    """When a batch stops, the iterator has the entries that the batch did not take."""
    table, _ = orders_table(ok(), ok(unprocessed(26)), refused("ResourceNotFoundException"))
    source = orders(100, [])

    with pytest.raises(BatchIncompleteError) as caught:
        await table.batch_write_item(put=source)

    error = caught.value
    assert (error.processed, error.processed_count) == ((), 49)
    assert [order.number for order in error.unprocessed] == [26, *range(50, 74)]
    assert [order.number for order in source] == list(range(74, 100))
    assert "49 processed, 25 not, 0 unknown" in str(error)


async def test_wrong_entry_of_an_iterator() -> None:
    """A wrong entry of an iterator raises with a report of the entries before it."""

    def bad_at(count: int) -> Iterator[Any]:
        yield from orders(count, [])
        yield "no order"

    table, transport = orders_table(ok())
    with pytest.raises(InvalidValueError):
        await table.batch_write_item(put=bad_at(3))
    assert transport.calls == []

    with pytest.raises(BatchIncompleteError) as caught:
        await table.batch_write_item(put=bad_at(27))
    assert caught.value.processed_count == 25
    assert caught.value.unprocessed[2:] == ("no order",)
    assert isinstance(caught.value.__cause__, InvalidValueError)


@pytest.mark.parametrize("count", [1, 24, 25, 26, 50])
@pytest.mark.parametrize("reply", [refused("ResourceNotFoundException"), timed_out(), "all again"])
async def test_first_request_fails(count: int, reply: Any) -> None:
    """If the first request fails, an iterator raises as a list does."""
    if reply == "all again":
        reply = ok(unprocessed(*range(25)))
    errors: list[Any] = []
    for put in (list(orders(count, [])), orders(count, [])):
        table, _ = orders_table(reply, retry=None)
        with pytest.raises(DynasafeError) as caught:
            await table.batch_write_item(put=put)
        errors.append(caught.value)

    of_list, of_iterator = errors
    assert type(of_iterator) is type(of_list)
    if count <= 25:
        assert not isinstance(of_iterator, BatchIncompleteError)
        return
    assert isinstance(of_iterator.__cause__, type(of_list.__cause__))
    assert of_iterator.unknown == of_list.unknown
    # The first 25, if they are not unknown, and the one that shows that there are more.
    told = len(of_iterator.unprocessed)
    assert told == 26 - len(of_iterator.unknown)
    assert of_iterator.unprocessed == of_list.unprocessed[:told]


async def test_iterator_that_raises() -> None:
    """An iterator that raises is the cause of a report of what was processed."""

    class LineError(Exception):
        pass

    def torn(count: int) -> Iterator[Order]:
        yield from orders(count, [])
        raise LineError

    table, transport = orders_table(ok(unprocessed(7)))
    with pytest.raises(LineError):
        await table.batch_write_item(put=torn(3))
    assert transport.calls == []

    with pytest.raises(BatchIncompleteError) as caught:
        await table.batch_write_item(put=torn(27))
    assert isinstance(caught.value.__cause__, LineError)
    assert caught.value.processed_count == 24
    assert [order.number for order in caught.value.unprocessed] == [7, 25, 26]
    assert caught.value.unknown == ()


async def test_iterator_that_raises_after_a_failure() -> None:
    """An iterator that raises after a failed request adds a note to that failure."""

    def torn() -> Iterator[Order]:
        yield from orders(25, [])
        raise LookupError("line 26")

    table, _ = orders_table(refused("ResourceNotFoundException"))
    with pytest.raises(BatchIncompleteError) as caught:
        await table.batch_write_item(put=torn())

    assert len(caught.value.unprocessed) == 25
    assert isinstance(caught.value.__cause__, ServiceError)
    assert caught.value.__cause__.__notes__ == ["Its iterator raised as well: LookupError"]


class CodeError(Exception):
    """Raised by a codec of the user's."""


@dataclass(frozen=True)
class Code:
    text: str

    def written(self) -> str:
        if self.text == "unwritable":
            raise CodeError
        return self.text

    @classmethod
    def read(cls, text: str) -> Code:
        if text == "unreadable":
            raise CodeError
        return cls(text)


register_codec(Code, encode=Code.written, decode=Code.read)


class Coded(Item):
    code: Attr[Code] = attribute(key="partition")
    size: Attr[int] = attribute(default=0)


def codes(count: int) -> list[Code]:
    return [Code(f"c{number}") for number in range(count)]


async def test_encoder_that_raises() -> None:
    """An encoder that raises stops a list before any request, and an iterator with a report."""
    given = [Coded(code=code) for code in [*codes(26), Code("unwritable"), *codes(3)]]
    transport = ScriptedTransport([ok()])
    table = AsyncTable("coded", Coded, transport=transport, clock=ManualClock())

    with pytest.raises(CodeError):
        await table.batch_write_item(put=given)
    with pytest.raises(CodeError):
        await table.batch_get_item(given)
    assert transport.calls == []
    with pytest.raises(BatchIncompleteError) as caught:
        await table.batch_write_item(put=iter(given))

    assert isinstance(caught.value.__cause__, CodeError)
    assert caught.value.processed_count == 25
    assert caught.value.unprocessed == tuple(given[25:27])


@pytest.mark.parametrize(
    ("unreadable", "cause"),
    [
        ({"code": {"S": "c120"}, "size": {"S": "large"}}, StoredValueError),
        ({"code": {"S": "unreadable"}}, CodeError),
    ],
)
async def test_unreadable_answer_in_a_batch_get(
    unreadable: dict[str, Any], cause: type[Exception]
) -> None:
    """An unreadable answer in a batch get raises with the items found before it."""

    def answer(call: ScriptedCall) -> dict[str, Any]:
        keys = call.params["RequestItems"]["coded"]["Keys"]
        items = [unreadable if key["code"] == unreadable["code"] else key for key in keys]
        return {"Responses": {"coded": items}}

    keys = [{"code": code} for code in codes(250)]
    keys[120] = {"code": Code(unreadable["code"]["S"])}
    transport = ScriptedTransport(otherwise=answer)
    table = AsyncTable("coded", Coded, transport=transport, clock=ManualClock())
    with pytest.raises(BatchIncompleteError) as caught:
        await table.batch_get_item(keys)

    assert isinstance(caught.value.__cause__, cause)
    assert caught.value.processed == tuple(keys[:100])
    assert [item.code for item in caught.value.items] == codes(100)
    assert caught.value.unknown == tuple(keys[100:200])
    assert caught.value.unprocessed == tuple(keys[200:])
    with pytest.raises(cause):
        await table.batch_get_item(keys[100:200])


async def test_wrong_entry_of_a_collection() -> None:
    """A collection with a wrong entry, or one item twice, is refused as a whole."""
    table, transport = orders_table()
    given: list[Any] = [*orders(60, []), "no order"]
    with pytest.raises(InvalidValueError):
        await table.batch_write_item(put=given)
    with pytest.raises(InvalidValueError, match="a batch writes each item once"):
        await table.batch_write_item(put=[*given[:60], given[0]])
    assert transport.calls == []


async def test_unprocessed_keys_keep_the_order() -> None:
    """Items of a batch get are in the order of its keys, also those that came later."""

    def items(*numbers: int) -> list[Any]:
        return [Order(customer="c", number=n).__dynasafe_encode__() for n in numbers]

    key = {"customer": {"S": "c"}, "number": {"N": "1"}}
    table, transport = orders_table(
        ok({"Responses": {"orders": items(2)}, "UnprocessedKeys": {"orders": {"Keys": [key]}}}),
        ok({"Responses": {"orders": items(1)}}),
    )

    found = await table.batch_get_item([{"customer": "c", "number": n} for n in (1, 2, 3)])

    assert [order.number for order in found] == [1, 2]
    assert transport.calls[1].params["RequestItems"]["orders"]["Keys"] == [key]


# Segments


@pytest.mark.parametrize("max_items", [None, 1])
@pytest.mark.parametrize("first", [refused("ResourceNotFoundException"), ok({"Count": 1})])
async def test_failing_segments_leave_no_exception(first: Reply, max_items: int | None) -> None:
    """Segments that fail together leave no exception that nobody retrieved."""
    told: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    table, _ = people(first, *[refused("ResourceNotFoundException")] * 3)

    with suppress(ServiceError):
        async for _ in table.scan(total_segments=4, max_items=max_items).pages():
            pass
    gc.collect()

    assert told == []


# Slots, deadlines and event loops


async def test_wait_for_a_connection_has_a_limit() -> None:
    """A call that waits longer than timeout_s for a connection is not sent."""
    gate = asyncio.Event()

    class Stuck:
        calls = 0

        async def send(self, operation: str, params: Any, *, timeout_s: float | None) -> Any:
            self.calls += 1
            await gate.wait()
            return {}

    stuck = Stuck()
    table = AsyncTable("table", transport=stuck, max_connections=1)
    first = asyncio.create_task(table.get_item({"pk": "a"}))
    await asyncio.sleep(0)

    with pytest.raises(NotSentError, match="waiting for a connection slot"):
        await table.get_item({"pk": "b"}, timeout_s=0.01)
    gate.set()
    await first

    assert stuck.calls == 1
    assert await table.get_item({"pk": "c"}) is None


def test_other_event_loop_is_refused() -> None:
    """A table with connections refuses a second event loop."""
    table, transport = people(ok(), ok())
    transport.is_bound_to_loop = True  # as that of a client with connections
    asyncio.run(table.get_item(KEY))

    with pytest.raises(WrongEventLoopError):
        asyncio.run(table.get_item(KEY))


def test_fakes_serve_any_loop() -> None:
    """A transport without connections is used from one loop after another."""
    table, transport = people(ok(), ok())
    asyncio.run(table.get_item(KEY))
    asyncio.run(table.get_item(KEY))

    assert len(transport.calls) == 2


# What is seen from outside


async def test_hooks_and_logs_have_no_values(caplog: pytest.LogCaptureFixture) -> None:
    """Events, logs and errors of a call have none of the values that it sends."""
    events: list[Event] = []
    table, _ = people(throttled(), ok(), server_error(), hooks=[events.append])
    secret = "ada@secret.example.org"

    with caplog.at_level(logging.DEBUG, logger="dynasafe"):
        await table.update_item(KEY, UpdateBuilder(Person).set(Person.email, secret))
        with pytest.raises(OutcomeUnknownError) as caught:
            await table.update_item(
                {"id": secret}, increment(), condition=Person.email == secret, retry=None
            )

    assert [type(each).__name__ for each in events] == [
        *("CallStarted", "AttemptStarted", "AttemptFailed"),
        *("AttemptStarted", "AttemptSucceeded", "CallSucceeded"),
        *("CallStarted", "AttemptStarted", "AttemptFailed", "CallFailed"),
    ]
    assert "AttemptFailed" in caplog.text
    assert secret not in caplog.text + str(events) + str(caught.value) + repr(caught.value)


def test_repr_of_a_table() -> None:
    """The repr of a table has its name and its item class."""
    table, _ = people(retry=RetryPolicy(max_attempts=2))

    assert repr(table) == "AsyncTable('people', Person)"


async def test_number_spelt_otherwise() -> None:
    """A batch get finds its item if DynamoDB spells the number in the key otherwise."""
    stored = {"pk": {"N": "0.0000000001"}, "a": {"S": "x"}}
    transport = ScriptedTransport([ok({"Responses": {"table": [stored]}})])
    table = AsyncTable("table", transport=transport, clock=ManualClock())

    found = await table.batch_get_item([{"pk": Decimal("1E-10")}])

    assert [item["a"] for item in found] == ["x"]


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ([{"pk": "a"}, {"qk": "b"}], "[1]"),
        ([{"pk": "a"}, {"pk": "b"}, {"pk": "c", "sk": 1}], "[2]"),
        ([*({"pk": "a", "sk": n} for n in range(100)), {"pk": "b"}], "[100]"),
    ],
)
@pytest.mark.parametrize("call", ["get", "delete"])
async def test_other_key_names_are_refused(
    keys: list[dict[str, Any]], place: str, call: str
) -> None:
    """A batch with plain keys of different names is refused with the entry's place."""
    transport = ScriptedTransport()
    table = AsyncTable("table", transport=transport, clock=ManualClock())

    with pytest.raises(ValueOutOfRangeError) as caught:
        await (table.batch_get_item(keys) if call == "get" else table.batch_write_item(delete=keys))

    assert str(caught.value).startswith(f"{place}: all keys of a table have the same names, and")
    assert transport.calls == []


async def test_entries_that_were_not_sent() -> None:
    """An answer that returns entries which were not sent makes the request's outcome unknown."""
    given = [Order(customer="c", number=n) for n in range(30)]
    table, _ = orders_table(ok(), ok(unprocessed(99)))

    with pytest.raises(BatchIncompleteError) as caught:
        await table.batch_write_item(put=given)
    assert caught.value.processed == tuple(given[:25])
    assert caught.value.unknown == tuple(given[25:])

    table, _ = orders_table(ok(unprocessed(99)))
    with pytest.raises(OutcomeUnknownError, match="unprocessed entries that were not sent"):
        await table.batch_write_item(put=given[:2])
