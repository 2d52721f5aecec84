"""A write was applied, and its caller is stopped before it has the result."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import dynasafe
from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import (
    BatchIncompleteError,
    DynasafeError,
    OutcomeUnknownError,
    VersionConflictError,
)
from dynasafe.events import CallCancelled, Event
from dynasafe.testing import (
    Fault,
    FaultPlan,
    ManualClock,
    MemoryTransport,
    ScriptedTransport,
    condition_failed,
    connection_refused,
    connection_reset,
    fake_table,
    ok,
    refused,
    throttled,
    timed_out,
)
from dynasafe.testing import sync as testing_sync

SOURCES = str(Path(dynasafe.__file__).parent)
KITS = str(Path(dynasafe.__file__).parent / "testing")
KEY = {"id": "a"}


class Counter(Item):
    id: Attr[str] = attribute(key="partition")
    n: Attr[int] = attribute(default=0)
    texts: Attr[list[str]] = attribute(default_factory=list)


class Marked(Item):
    id: Attr[str] = attribute(key="partition")
    n: Attr[int] = attribute(default=0)
    version: Attr[int] = attribute(default=0, version=True)
    write_id: Attr[str] = attribute(default="", write_id=True)


def one_more() -> UpdateBuilder[Counter]:
    return UpdateBuilder(Counter).increment(Counter.n, 1)


# An exception from outside, in code that is not async


class SoftTimeLimit(Exception):
    """As Celery raises it in a signal handler."""


def interrupted(entry: int, kind: type[BaseException], *, has_hooks: bool, **options: Any) -> Any:
    """The exception of an update whose answer came, if one is raised as a function begins.

    CPython looks for signals where a function begins, among other places. None if it has fewer
    functions.
    """
    hooks = [lambda event: None] if has_hooks else []
    table = testing_sync.fake_table(Counter, hooks=hooks)
    table.put_item(Counter(id="a"))
    transport = table._executor._transport
    assert transport is not None
    send, count, is_raised = transport.send, itertools.count(), False
    is_answered = False

    def answer(*args: Any, **kwargs: Any) -> Mapping[str, Any]:
        nonlocal is_answered
        response = send(*args, **kwargs)
        is_answered = True
        return response

    def begin(frame: Any, event: str, _: Any) -> None:
        nonlocal is_raised
        place = frame.f_code.co_filename
        if event != "call" or not is_answered or is_raised:
            return
        if place.startswith(SOURCES) and not place.startswith(KITS) and next(count) == entry:
            is_raised = True
            raise kind

    transport.send = answer  # type: ignore[method-assign]
    sys.settrace(begin)
    try:
        table.update_item(KEY, one_more(), **options)
    except kind as interruption:
        sys.settrace(None)
        stored = table.get_item(KEY)
        assert stored is not None
        assert stored.n == 1
        assert table._executor.slots.in_flight == 0
        return interruption
    finally:
        sys.settrace(None)
    assert not is_raised or has_hooks  # a hook may swallow what is raised in it
    return None


@pytest.mark.parametrize("has_hooks", [False, True])
@pytest.mark.parametrize("options", [{}, {"return_values": "ALL_NEW"}, {"exactly_once": True}])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SoftTimeLimit])
def test_an_interruption_after_the_answer(
    kind: type[BaseException], options: dict[str, Any], has_hooks: bool
) -> None:
    """Wherever it comes between the answer and the caller, its cause says what happened."""
    entries = 0
    while (error := interrupted(entries, kind, has_hooks=has_hooks, **options)) is not None:
        assert isinstance(error.__cause__, OutcomeUnknownError)
        entries += 1
    assert entries > 5


# Cancelled while the answer is read aside


class Waiting:
    """Decodes a text after the task was cancelled."""

    def __init__(self) -> None:
        self.cancel: Callable[[], None] | None = None

    def encode(self, value: str) -> dict[str, Any]:
        return {"S": value}

    def decode(self, stored: Mapping[str, Any]) -> str:
        if self.cancel is not None:
            self.cancel()
        return str(stored["S"])


WAITING = Waiting()


class Long(Item):
    id: Attr[str] = attribute(key="partition")
    n: Attr[int] = attribute(default=0)
    mark: Attr[str] = attribute(default="", codec=WAITING)
    more: Attr[list[str]] = attribute(default_factory=list)


@pytest.mark.parametrize(
    "options",
    [
        {"return_values": "ALL_NEW"},
        {"return_values": "ALL_OLD"},
        {"return_values": "ALL_NEW", "exactly_once": True},
    ],
)
async def test_a_cancellation_while_the_answer_is_read(options: dict[str, Any]) -> None:
    """The update was applied, and a large answer is read in a thread when the task is cancelled."""
    events: list[Event] = []
    table = fake_table(Long, hooks=[events.append])
    await table.put_item(Long(id="a", mark="x", more=["text"] * 5_000))
    update = UpdateBuilder(Long).increment(Long.n, 1)
    task = asyncio.ensure_future(table.update_item(KEY, update, **options))
    loop = asyncio.get_running_loop()
    WAITING.cancel = lambda: asyncio.run_coroutine_threadsafe(cancel(task), loop).result()
    try:
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    finally:
        WAITING.cancel = None
    unknown = caught.value.__cause__
    assert isinstance(unknown, OutcomeUnknownError)
    assert unknown.key == KEY
    assert "; it was applied, but " in str(unknown)
    assert "may or may not" not in str(unknown)
    (ended,) = [each for each in events if isinstance(each, CallCancelled)]
    assert ended.may_be_applied
    stored = await table.get_item(KEY)
    assert stored is not None
    assert stored.n == 1


async def cancel(task: asyncio.Future[Any]) -> None:
    task.cancel()


class Raising(Waiting):
    """Decodes nothing."""

    def decode(self, stored: Mapping[str, Any]) -> str:
        raise OSError("of the codec") from KeyError("inner")


class Unreadable(Item):
    id: Attr[str] = attribute(key="partition")
    mark: Attr[str] = attribute(default="", codec=Raising())


async def test_a_codec_that_raises_after_the_answer() -> None:
    """Its exception says on both faces that the write was applied, and keeps its own cause."""
    update = UpdateBuilder(Unreadable).set(Unreadable.mark, "x")
    with pytest.raises(OSError, match="of the codec") as in_async:
        await fake_table(Unreadable).update_item(KEY, update.copy(), return_values="ALL_NEW")
    with pytest.raises(OSError, match="of the codec") as in_sync:
        testing_sync.fake_table(Unreadable).update_item(KEY, update.copy(), return_values="ALL_NEW")
    for caught in (in_async, in_sync):
        unknown = caught.value.__cause__
        assert isinstance(unknown, OutcomeUnknownError)
        assert unknown.key == KEY
        assert isinstance(unknown.__cause__, KeyError)


async def test_a_write_that_is_not_read_back_has_its_key() -> None:
    """The error of a failed read back names the item."""
    transport = ScriptedTransport([ok(), refused("AccessDeniedException")])
    table = AsyncDynamoDB.over(transport).table("counters", Counter)
    with pytest.raises(OutcomeUnknownError, match="not read back") as caught:
        await table.update_item(KEY, one_more(), exactly_once=True, return_values="ALL_NEW")
    assert caught.value.key == KEY


# A batch whose first request was applied, and its answer lost


class Losing(MemoryTransport):
    """Applies the first batch and loses its answer, hands the second back, and refuses the rest."""

    def __init__(self, after: Exception) -> None:
        super().__init__({"counters": Counter})
        self.after = after
        self.count = 0
        self.handed_back = asyncio.Event()

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        if operation != "BatchWriteItem":
            return await super().send(operation, params, timeout_s=timeout_s)
        self.count += 1
        if self.count == 1:
            await super().send(operation, params, timeout_s=timeout_s)
            raise connection_reset()
        if self.count == 2:
            self.handed_back.set()
            return {"UnprocessedItems": params["RequestItems"]}
        raise self.after


@pytest.mark.parametrize(
    "after",
    [throttled(), refused("AccessDeniedException"), connection_refused()],
    ids=["throttled", "refused", "not sent"],
)
async def test_a_batch_that_was_handed_back_after_a_loss(after: Exception) -> None:
    """The last request was refused or not sent; the first one may have been applied, and was."""
    table = AsyncDynamoDB.over(Losing(after), clock=ManualClock()).table("counters", Counter)

    with pytest.raises(OutcomeUnknownError, match="an earlier answer was lost") as caught:
        await table.batch_write_item(put=[Counter(id="a")])

    assert isinstance(caught.value.__cause__, DynasafeError)
    assert await table.get_item(KEY) is not None


async def test_a_batch_that_is_cancelled_after_a_loss() -> None:
    """Cancelled in the wait before the handed back entries are sent again."""
    events: list[Event] = []
    transport = Losing(throttled())
    db = AsyncDynamoDB.over(transport, hooks=[events.append])
    task = asyncio.ensure_future(
        db.table("counters", Counter).batch_write_item(put=[Counter(id="a")])
    )
    await transport.handed_back.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert isinstance(caught.value.__cause__, OutcomeUnknownError)
    (ended,) = [each for each in events if isinstance(each, CallCancelled)]
    assert ended.may_be_applied


@pytest.mark.parametrize("writes", [True, False], ids=["write", "read"])
async def test_the_event_of_a_batch_that_is_cancelled(writes: bool) -> None:
    """A batch that was partly written says so in its event; one that reads has written nothing."""
    events: list[Event] = []
    second = asyncio.Event()

    class Slow(MemoryTransport):
        count = 0

        async def send(
            self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
        ) -> Mapping[str, Any]:
            self.count += 1
            if self.count == 2:
                second.set()
                await asyncio.Event().wait()
            return await super().send(operation, params, timeout_s=timeout_s)

    table = AsyncDynamoDB.over(Slow({"counters": Counter}), hooks=[events.append]).table(
        "counters", Counter
    )
    call: Any = (
        table.batch_write_item(put=[Counter(id=str(i)) for i in range(30)])
        if writes
        else table.batch_get_item([{"id": str(i)} for i in range(130)])
    )
    task = asyncio.ensure_future(call)
    await second.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert isinstance(caught.value.__cause__, BatchIncompleteError)
    (ended,) = [each for each in events if isinstance(each, CallCancelled)]
    assert ended.may_be_applied is writes


# What an id proves


def faulty_table(fault: Fault) -> AsyncTable[Marked]:
    """A table that answers one request as it should, and then has a fault."""
    faults = FaultPlan(script=(Fault.NONE, fault))
    return AsyncDynamoDB.over(MemoryTransport({"marked": Marked}, faults=faults)).table(
        "marked", Marked
    )


async def test_a_cancelled_write_with_an_id_is_resolved() -> None:
    """The cause of a cancellation resolves as the error of a lost answer does."""
    sent = asyncio.Event()

    class Slow(MemoryTransport):
        async def send(
            self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
        ) -> Mapping[str, Any]:
            response = await super().send(operation, params, timeout_s=timeout_s)
            if operation == "UpdateItem":
                sent.set()
                await asyncio.Event().wait()
            return response

    db = AsyncDynamoDB.over(Slow({"marked": Marked}))
    table = db.table("marked", Marked)
    await table.put_item(Marked(id="a"))
    update = UpdateBuilder(Marked).increment(Marked.n, 1)
    task = asyncio.ensure_future(table.update_item(KEY, update, return_values="ALL_NEW"))
    await sent.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task

    unknown = caught.value.__cause__
    assert isinstance(unknown, OutcomeUnknownError)
    assert "Fix: db.resolve(error) finds out." in str(unknown)
    assert (await db.resolve(unknown)).attributes.n == 1
    assert (await unknown.resolve()).attributes.n == 1


async def test_old_values_are_not_resolved() -> None:
    """An id cannot bring back the old item, and the error does not say so."""
    table = faulty_table(Fault.CLOSE_AFTER)
    await table.put_item(Marked(id="a"))
    update = UpdateBuilder(Marked).increment(Marked.n, 1)
    with pytest.raises(OutcomeUnknownError) as caught:
        await table.update_item(KEY, update, return_values="ALL_OLD")
    assert "Fix: read the item before you repeat the write" in str(caught.value)


async def test_the_id_of_an_earlier_call_with_the_token_proves_nothing() -> None:
    """Calls with one token of the caller leave one id. The second call was not applied."""
    clock = ManualClock()
    losing = False

    class Losing(MemoryTransport):
        async def send(
            self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
        ) -> Mapping[str, Any]:
            if losing:
                raise timed_out()
            return await super().send(operation, params, timeout_s=timeout_s)

    db = AsyncDynamoDB.over(Losing({"marked": Marked}, clock=clock), clock=clock)
    table = db.table("marked", Marked)
    await table.put_item(Marked(id="a"))

    async def bonus() -> Any:
        update = UpdateBuilder(Marked).increment(Marked.n, 1)
        return await table.update_item(KEY, update, client_request_token="bonus")

    await bonus()
    clock.advance(86_400)
    losing = True
    with pytest.raises(OutcomeUnknownError) as caught:
        await bonus()
    losing = False
    clock.advance(700)

    with pytest.raises(OutcomeUnknownError):
        await db.resolve(caught.value)
    stored = await table.get_item(KEY)
    assert stored is not None
    assert stored.n == 1


@pytest.mark.parametrize("fault", [Fault.CLOSE_AFTER, Fault.DUPLICATE])
@pytest.mark.parametrize("return_values", ["UPDATED_NEW", "UPDATED_OLD", "ALL_OLD"])
async def test_attributes_that_were_lost_are_not_none(return_values: Any, fault: Fault) -> None:
    """The write was applied, and its attributes are lost: no success without them."""
    table = faulty_table(fault)
    item = Marked(id="a", n=5)
    await table.put_item(item)
    update = UpdateBuilder(Marked).set(Marked.n, Marked.n + 1)
    with pytest.raises(OutcomeUnknownError):
        await table.update_item(item, update, return_values=return_values)
    stored = await table.get_item(KEY)
    assert stored is not None
    assert stored.n == 6


@pytest.mark.parametrize("stored", [{"N": "1.5"}, {"N": "7.0"}, {"S": "x"}, {"NULL": True}])
async def test_a_version_that_another_writer_stored(stored: dict[str, Any]) -> None:
    """A stored version of another kind is a conflict, and no error of Python's."""
    item = {"id": {"S": "a"}, "version": stored}
    table = AsyncDynamoDB.over(ScriptedTransport([condition_failed(item)])).table("m", Marked)
    with pytest.raises(VersionConflictError):
        await table.put_item(Marked(id="a", version=3))


async def test_an_answered_write_is_no_outcome_of_the_next_call() -> None:
    """Only the call that is cancelled is looked at."""
    gate = asyncio.Event()

    class Slow(ScriptedTransport):
        async def send(
            self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
        ) -> Mapping[str, Any]:
            if operation == "GetItem":
                gate.set()
                await asyncio.Event().wait()
            return await super().send(operation, params, timeout_s=timeout_s)

    table = AsyncDynamoDB.over(Slow([ok()])).table("counters", Counter)
    await table.put_item(Counter(id="a"))
    task = asyncio.ensure_future(table.get_item(KEY))
    await gate.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.__cause__ is None
