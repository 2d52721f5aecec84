"""Large items are converted beside the event loop: in another thread, one after the other."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import pytest

from dynasafe import Attr, Item, UpdateBuilder, attribute
from dynasafe.aio import aside as module
from dynasafe.aio.aside import aside
from dynasafe.errors import InvalidValueError, StoredValueError
from dynasafe.testing import fake_table
from dynasafe.values.whole_items import is_large

MANY = 10_000
WAIT_S = 60.0
request_id: ContextVar[str] = ContextVar("request_id", default="none")


class Mark:
    """A value whose codec notes where it ran."""


class MarkCodec:
    """Notes the thread and the context; on demand, waits until the event loop has turned."""

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.contexts: list[str] = []
        self.turned: threading.Event | None = None
        self.begun = asyncio.Event()
        self.error: Exception | None = None

    def wait_for_loop(self) -> threading.Event:
        """From now on, each conversion waits for the event; the first one sets `begun`."""
        self.loop = asyncio.get_running_loop()
        self.turned = threading.Event()
        self.begun.clear()
        return self.turned

    def encode(self, value: Any) -> str:
        self._note()
        return "mark"

    def decode(self, stored: Any) -> Mark:
        self._note()
        return Mark()

    def _note(self) -> None:
        self.threads.append(threading.get_ident())
        self.contexts.append(request_id.get())
        if self.turned is not None:
            self.loop.call_soon_threadsafe(self.begun.set)
            assert self.turned.wait(WAIT_S), "the event loop is blocked"
        if self.error is not None:
            raise self.error


CODEC = MarkCodec()


class Doc(Item):
    id: Attr[str] = attribute(key="partition")
    mark: Attr[Mark] = attribute(codec=CODEC)
    more: Attr[Any] = attribute(default=None)


LARGE: list[Any] = [[]] * MANY


@pytest.fixture(autouse=True)
def codec() -> Iterator[MarkCodec]:
    """The codec, as it was before."""
    CODEC.__init__()  # type: ignore[misc]
    yield CODEC
    CODEC.__init__()  # type: ignore[misc]


async def test_large_items_are_converted_beside_the_loop(codec: MarkCodec) -> None:
    """The loop runs on while an item is written and read, with the context of the task."""
    docs = fake_table(Doc)
    request_id.set("r1")
    calls = (
        lambda: docs.put_item(Doc(id="1", mark=Mark(), more=LARGE)),
        lambda: docs.get_item({"id": "1"}),
        lambda: docs.scan().to_list(),
        lambda: docs.batch_get_item([{"id": "1"}]),
        lambda: docs.batch_write_item(put=[Doc(id="1", mark=Mark(), more=LARGE)]),
        lambda: docs.batch_write_item(put=iter([Doc(id="1", mark=Mark(), more=LARGE)])),
    )
    for call in calls:
        codec.threads.clear()
        codec.contexts.clear()
        turned = codec.wait_for_loop()
        task = asyncio.ensure_future(call())
        await codec.begun.wait()
        turned.set()
        await task
        assert threading.get_ident() not in codec.threads
        assert {*codec.contexts} == {"r1"}


async def test_small_items_are_converted_at_once(codec: MarkCodec) -> None:
    """Small items stay in the thread of the loop, where they cost no switch."""
    docs = fake_table(Doc)
    await docs.put_item(Doc(id="1", mark=Mark(), more=[[]] * 100))
    await docs.get_item({"id": "1"})
    assert {*codec.threads} == {threading.get_ident()}


async def test_what_an_update_returns_is_read_beside_the_loop(codec: MarkCodec) -> None:
    """So is an update of no class whose values the class of the table must be able to read."""
    docs = fake_table(Doc)
    await docs.put_item(Doc(id="1", mark=Mark(), more=LARGE))
    untyped = UpdateBuilder().set("mark", "x").set("more", LARGE)
    for update, values in (
        (untyped, "NONE"),
        (UpdateBuilder(Doc).remove(Doc.more), "ALL_OLD"),
    ):
        codec.threads.clear()
        await docs.update_item({"id": "1"}, update, return_values=values)  # type: ignore[call-overload]
        assert codec.threads
        assert threading.get_ident() not in codec.threads


async def test_errors_come_as_they_are(codec: MarkCodec) -> None:
    """An error of the conversion is raised by the call, with its place; nothing is sent."""
    docs = fake_table(Doc)
    with pytest.raises(InvalidValueError) as caught:
        await docs.put_item(Doc(id="1", mark=Mark(), more=[*LARGE, object()]))
    assert caught.value.path == f"more[{MANY}]"
    assert await docs.scan().count() == 0
    await docs.put_item(Doc(id="1", mark=Mark(), more=LARGE))
    codec.error = ValueError("no mark")
    with pytest.raises(StoredValueError):
        await docs.get_item({"id": "1"})


async def test_a_cancelled_call_sends_nothing(codec: MarkCodec) -> None:
    """A call that is cancelled while its item is converted ends at once, and nothing was sent."""
    docs = fake_table(Doc)
    turned = codec.wait_for_loop()
    task = asyncio.ensure_future(docs.put_item(Doc(id="1", mark=Mark(), more=LARGE)))
    await codec.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.__cause__ is None
    turned.set()
    codec.turned = None
    assert await docs.scan().count() == 0
    await docs.put_item(Doc(id="2", mark=Mark(), more=LARGE))
    assert await docs.scan().count() == 1


async def test_without_threads_the_work_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started, as while the interpreter ends, the work is still done."""

    class NoThreads:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def submit(self, *_: Any) -> None:
            raise RuntimeError("can't start new thread")

        def shutdown(self, *, wait: bool) -> None:
            pass

    monkeypatch.setattr(module, "ThreadPoolExecutor", NoThreads)
    assert await aside(threading.get_ident) == threading.get_ident()


async def test_a_codec_that_raises_stop_iteration_ends_the_call(codec: MarkCodec) -> None:
    """No future can hold a StopIteration: the call would wait for a result that cannot come."""
    codec.error = StopIteration()
    with pytest.raises(RuntimeError, match="StopIteration"):
        await asyncio.wait_for(
            fake_table(Doc).put_item(Doc(id="1", mark=Mark(), more=LARGE)), WAIT_S
        )


async def test_no_thread_is_left() -> None:
    """The thread ends with its last work; tasks that wait at once share one."""
    threads = await asyncio.gather(*(aside(threading.current_thread) for _ in range(5)))
    (thread,) = {*threads}
    thread.join(WAIT_S)
    assert not thread.is_alive()
    assert await aside(threading.current_thread) is not thread


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_process_has_its_own_thread() -> None:
    """After a fork, the thread of the parent is not waited for."""

    async def thread() -> int:
        return await aside(threading.get_ident)

    assert asyncio.run(thread()) != threading.get_ident()
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def child() -> None:
        done = asyncio.new_event_loop().run_until_complete(thread())
        sender.send(done != threading.get_ident())
        os._exit(0)

    process = context.Process(target=child)
    process.start()
    assert receiver.poll(WAIT_S)
    assert receiver.recv() is True
    process.join()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["x"] * 10, False),
        (["x" * 400_000], False),
        ([["x"] * 70] * 70, True),
        ({"a": {"b": dict.fromkeys(range(MANY), 1)}}, True),
        ({*range(MANY)}, True),
        (tuple(range(MANY)), True),
        (Doc(id="1", mark=Mark(), more=LARGE), True),
        (Doc(id="1", mark=Mark(), more=[Doc]), False),
        ([SimpleNamespace(a=LARGE)], False),  # not a value that can be stored
        (None, False),
    ],
    ids=range(10),
)
def test_large_values_are_known(value: Any, expected: bool) -> None:
    """What holds many values, at any level, is large; long text is not."""
    assert is_large(value) is expected


def test_a_value_that_holds_itself_is_large() -> None:
    """It has no end, and its refusal is the work."""
    value: list[Any] = []
    value.append(value)
    assert is_large(value) is True
