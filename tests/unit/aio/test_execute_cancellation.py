"""A call that is cancelled at any await leaves nothing behind, and says what it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dynasafe import AsyncTable, CircuitBreaker, UpdateBuilder
from dynasafe.errors import BatchIncompleteError, DynasafeError, OutcomeUnknownError
from dynasafe.resilience.circuit_breaker import CircuitState, CountWindow
from dynasafe.testing import ManualClock, ScriptedTransport, ok, throttled, timed_out
from dynasafe.testing.scripted import Reply, ScriptedCall
from tests.support.people import Order, Person

KEY = {"id": "p1"}


OPERATIONS: dict[str, tuple[Callable[[AsyncTable[Any]], Awaitable[object]], bool]] = {
    "get": (lambda t: t.get_item(KEY), False),
    "put": (lambda t: t.put_item(Person(id="p1", name="x")), True),
    "update": (lambda t: t.update_item(KEY, UpdateBuilder(Person).set(Person.name, "x")), True),
    "increment": (
        lambda t: t.update_item(KEY, UpdateBuilder(Person).increment(Person.visits, 1)),
        True,
    ),
    "delete": (lambda t: t.delete_item(KEY), True),
    "exactly once": (lambda t: t.delete_item(KEY, exactly_once=True), True),
    "query": (lambda t: t.query(Person.id == "p1").to_list(), False),
    "scan": (lambda t: t.scan(total_segments=3).to_list(), False),
    "batch get": (lambda t: t.batch_get_item([KEY]), False),
    "batch write": (lambda t: t.batch_write_item(put=[Person(id="p1", name="x")]), True),
}
# Throttled, lost, and at last answered: waits of every kind.
SCRIPT: list[Reply] = [throttled(), throttled(), timed_out(), ok(), ok(), ok()]


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def cancellation_of(task: asyncio.Task[Any]) -> asyncio.CancelledError | None:
    """The task's, or None if it has ended by itself. `gather` would give one without a cause."""
    task.cancel()
    try:
        await task
    except asyncio.CancelledError as cancellation:
        return cancellation
    except DynasafeError:
        pass
    return None


@pytest.mark.parametrize("name", OPERATIONS)
async def test_cancelled_at_any_await(name: str) -> None:
    """A call that is cancelled at any await gives back its slot, permit and tasks."""
    call, is_write = OPERATIONS[name]
    ended_by_itself = False
    for turn in range(200):
        transport = ScriptedTransport(SCRIPT, otherwise=ok())
        clock = ManualClock()
        breaker = CircuitBreaker(
            window=CountWindow(1), minimum_calls=1, half_open_permits=1, clock=clock, open_jitter=0
        )
        breaker.open(clock.now_s())
        clock.advance(5)  # half-open: a permit that is not given back would be missed
        table = AsyncTable(
            "people",
            Person,
            transport=transport,
            clock=clock,
            breaker=None if name == "scan" else breaker,
            max_connections=3,
        )
        before = asyncio.all_tasks()
        task = asyncio.ensure_future(call(table))
        await turns(turn)
        in_flight = len(transport.calls)
        cancellation = await cancellation_of(task)

        assert asyncio.all_tasks() == before
        assert table._executor.slots.in_flight == 0
        if cancellation is None:
            ended_by_itself = True
            break
        unknown = cancellation.__cause__
        assert unknown is None or isinstance(unknown, OutcomeUnknownError)
        if not is_write or in_flight == 0:
            assert unknown is None
        if breaker.state is CircuitState.HALF_OPEN:
            breaker.release(breaker.acquire(clock.now_s()))
    assert ended_by_itself


async def test_cancelled_write_is_unknown() -> None:
    """The cancellation of a write in flight has the unknown outcome as its cause."""
    for exactly_once in (False, True):
        table = AsyncTable(
            "people", Person, transport=ScriptedTransport([ok()]), clock=ManualClock()
        )
        task = asyncio.ensure_future(table.delete_item(KEY, exactly_once=exactly_once))
        await turns(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task

        unknown = caught.value.__cause__
        assert isinstance(unknown, OutcomeUnknownError)
        assert (unknown.client_request_token is not None) is exactly_once


async def test_cancelled_before_reading_back() -> None:
    """A write that is cancelled while it is read back has a cause that can be resolved."""
    item = Person(id="p1", name="x").__dynasafe_encode__()
    transport = ScriptedTransport([ok(), ok(), ok(), ok({"Item": item})])
    table = AsyncTable("people", Person, transport=transport, clock=ManualClock())
    update = UpdateBuilder(Person).increment(Person.visits, 1)
    task = asyncio.ensure_future(
        table.update_item(KEY, update, exactly_once=True, return_values="ALL_NEW")
    )
    while len(transport.calls) < 2:
        await turns(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task

    assert transport.calls[1].operation == "GetItem"
    assert isinstance(caught.value.__cause__, OutcomeUnknownError)
    assert (await caught.value.__cause__.resolve()).attributes.name == "x"


def number_of(order: Any) -> int:
    number: int = order.number
    return number


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_cancelled_batch_says_what_was_done(is_streamed: bool) -> None:
    """The cause of a cancelled batch has each entry as processed, unprocessed or unknown."""
    orders = [Order(customer="c", number=number) for number in range(60)]
    ended_by_itself = False
    for turn in range(1, 200):
        applied: set[int] = set()

        def apply(call: ScriptedCall, applied: set[int] = applied) -> dict[str, Any]:
            """All but number 7 the first time."""
            writes = call.params["RequestItems"]["orders"]
            numbers = [int(write["PutRequest"]["Item"]["number"]["N"]) for write in writes]
            handed_back = [write for write, n in zip(writes, numbers, strict=True) if n == 7]
            is_first = 0 in numbers
            applied.update(n for n in numbers if n != 7 or not is_first)
            return {"UnprocessedItems": {"orders": handed_back if is_first else []}}

        transport = ScriptedTransport(otherwise=apply)
        table = AsyncTable("orders", Order, transport=transport, clock=ManualClock())
        put = iter(orders) if is_streamed else orders
        task = asyncio.ensure_future(table.batch_write_item(put=put))
        await turns(turn)
        cancellation = await cancellation_of(task)

        if cancellation is None:
            ended_by_itself = True
            break
        error = cancellation.__cause__
        if not transport.calls:
            assert error is None  # a collection is looked at as a whole first
            continue
        assert isinstance(error, BatchIncompleteError)
        assert error.__cause__ is None or isinstance(error.__cause__, OutcomeUnknownError)
        assert bool(error.unknown) is (error.__cause__ is not None)
        unprocessed, unknown = (
            set(map(number_of, error.unprocessed)),
            set(map(number_of, error.unknown)),
        )
        assert not unprocessed & applied
        assert error.processed_count == len(applied - unknown)
        left = set(map(number_of, put)) if is_streamed else set()
        assert applied | unprocessed | unknown | left == set(range(60))
        assert set(map(number_of, error.processed)) == (set() if is_streamed else applied - unknown)
    assert ended_by_itself
    assert applied == set(range(60))


async def test_cancelled_batch_get_has_what_was_found() -> None:
    """The cause of a cancelled batch get has the items that were found."""

    def answer(call: ScriptedCall) -> dict[str, Any]:
        return {"Responses": {"orders": call.params["RequestItems"]["orders"]["Keys"]}}

    transport = ScriptedTransport(otherwise=answer)
    table = AsyncTable("orders", Order, transport=transport, clock=ManualClock())
    keys = [{"customer": "c", "number": number} for number in range(250)]
    task = asyncio.ensure_future(table.batch_get_item(keys))
    while len(transport.calls) < 2:
        await turns(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task

    error = caught.value.__cause__
    assert isinstance(error, BatchIncompleteError)
    assert [order.number for order in error.items] == list(range(100))
    assert error.processed == tuple(keys[:100])
    assert error.unprocessed == tuple(keys[100:])


async def test_cancelled_in_a_retry_delay() -> None:
    """A throttled write that is cancelled in its delay has no unknown outcome."""

    class Waiting(ManualClock):
        async def sleep(self, delay_s: float) -> None:
            await asyncio.Event().wait()

    transport = ScriptedTransport([throttled()])
    table = AsyncTable("people", Person, transport=transport, clock=Waiting())
    task = asyncio.ensure_future(table.delete_item(KEY))
    await turns(4)
    task.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await task

    assert len(transport.calls) == 1
    assert caught.value.__cause__ is None


async def test_cancelled_write_with_a_token_is_resolved() -> None:
    """The unknown outcome of a cancelled write resolves with its token."""
    transport = ScriptedTransport([ok(), ok()])
    table = AsyncTable("people", Person, transport=transport, clock=ManualClock())
    task = asyncio.ensure_future(table.delete_item(KEY, exactly_once=True))
    await turns(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert isinstance(caught.value.__cause__, OutcomeUnknownError)

    result = await caught.value.__cause__.resolve()

    assert result.attempts == 1
    tokens = {call.params["ClientRequestToken"] for call in transport.calls}
    assert len(tokens) == 1


async def test_timeout_of_the_caller() -> None:
    """The TimeoutError of a caller's timeout is chained to the cancellation."""

    class Silent:
        async def send(self, operation: str, params: Any, *, timeout_s: float | None) -> Any:
            await asyncio.Event().wait()

    table = AsyncTable("orders", Order, transport=Silent())

    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(0):
            await table.delete_item({"customer": "c", "number": 1})

    assert isinstance(caught.value.__cause__, asyncio.CancelledError)
