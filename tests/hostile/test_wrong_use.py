"""Settings that would disarm what they set are refused, or work."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import ref

import pytest

from dynasafe import (
    AsyncTable,
    Attr,
    CircuitBreaker,
    Item,
    RetryPolicy,
    UpdateBuilder,
    attribute,
)
from dynasafe.aio.clock import SystemClock
from dynasafe.calls.plans import BreakerMap
from dynasafe.errors import InvalidPatchError, InvalidValueError, UnsupportedTypeError
from dynasafe.expressions.nodes import Value
from dynasafe.expressions.render import Rendered
from dynasafe.testing import ManualClock, ScriptedTransport, ok
from tests.support.people import Person


async def async_hook(event: object) -> None:
    raise AssertionError("never awaited")


class AsyncHook:
    async def __call__(self, event: object) -> None:
        raise AssertionError("never awaited")


@pytest.mark.parametrize("hook", [async_hook, AsyncHook()])
def test_async_hooks_are_refused(hook: Any) -> None:
    """An async hook is refused, since nobody would await it."""
    for make in (
        lambda: AsyncTable("t", transport=ScriptedTransport(), hooks=[hook]),
        lambda: CircuitBreaker(hooks=[hook]),
    ):
        with pytest.raises(UnsupportedTypeError, match="hooks: a hook must be a plain function"):
            make()


async def test_hook_that_returns_a_coroutine_is_logged(caplog: Any) -> None:
    """A hook that returns a coroutine is logged; the call succeeds and no coroutine is left."""
    hook: Any = lambda event: async_hook(event)  # noqa: E731
    table = AsyncTable("t", transport=ScriptedTransport([ok()]), hooks=[hook], clock=ManualClock())
    assert await table.get_item({"pk": "a"}) is None
    assert "A dynasafe hook is async, and did not run" in caplog.text


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, BaseException])
async def test_a_hook_may_raise_anything(error: type[BaseException], caplog: Any) -> None:
    """What a hook raises is logged, and the call goes on."""

    def hook(event: object) -> None:
        raise error

    table = AsyncTable("t", transport=ScriptedTransport([ok()]), hooks=[hook], clock=ManualClock())
    assert (await table.put_item({"pk": "a"})).attempts == 1
    assert "A dynasafe hook raised" in caplog.text


def test_a_hook_may_end_the_process() -> None:
    """A KeyboardInterrupt in a hook is raised, not logged."""

    def hook(event: object) -> None:
        raise KeyboardInterrupt

    breaker = CircuitBreaker(hooks=[hook])
    with pytest.raises(KeyboardInterrupt):
        breaker.force_open()


def test_a_factory_of_each_call_is_one_factory() -> None:
    """`breaker=lambda name: ...` in each call gives one breaker, unless its settings differ."""
    breakers = BreakerMap()
    made = [breakers.get(lambda name: CircuitBreaker(name=name), "t/write") for _ in range(3)]
    assert made[0] is made[1] is made[2]
    other = breakers.get(lambda name: CircuitBreaker(name=name, minimum_calls=3), "t/write")
    assert other is not made[0]
    assert len(breakers) == 2


@pytest.mark.parametrize(
    "make",
    [
        lambda: AsyncTable("t", transport=ScriptedTransport(), timeout_s=10**400),
        lambda: RetryPolicy(base_delay_s=10**400),
        lambda: CircuitBreaker(open_growth=10**400),
        lambda: CircuitBreaker(open_s=10**5000),
    ],
)
def test_numbers_above_all_floats_are_refused(make: Any) -> None:
    """A setting that is too large for a float is refused."""
    with pytest.raises(InvalidValueError, match="the number is too large"):
        make()


def test_openings_grow_to_the_longest() -> None:
    """Openings in a row grow to the longest one, however large the factor is."""
    circuit = CircuitBreaker(open_growth=1e10, open_s=1.0, max_open_s=60.0, open_jitter=0.0)
    for _ in range(100):
        circuit._open(0.0, 0.0)
    assert circuit._open_until_s == 60.0


def test_time_of_sleep_counts() -> None:
    """The time of a suspended machine counts, and the clock does not go back."""
    clock = SystemClock()
    monotonic_s, wall_s = clock._monotonic_s, clock._wall_s
    assert clock._now_s(monotonic_s + 1, wall_s + 1) == pytest.approx(monotonic_s + 1)
    asleep_s = clock._now_s(monotonic_s + 2, wall_s + 602)
    assert asleep_s == pytest.approx(monotonic_s + 602)
    assert clock._now_s(monotonic_s + 3, wall_s - 1000) == pytest.approx(asleep_s + 1)
    assert clock.now_s() <= clock.now_s()


def test_what_is_rendered_shows_no_values() -> None:
    """The repr of a rendered expression shows no value, since logs may have it."""
    rendered = Rendered(text="a = :a", names={}, values={":a": {"S": "secret"}})
    assert "secret" not in repr(rendered)
    assert "secret" not in repr(Value({"S": "secret"}))


class Liar(str):
    """It is equal to anything, and is found as `name` is."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash("name")


def test_a_subclass_of_str_is_its_text() -> None:
    """A str subclass is checked by the text that it holds, whatever it says it equals."""
    with pytest.raises(InvalidPatchError, match="not allowed: 'is_admin'"):
        UpdateBuilder.from_patch({Liar("is_admin"): True}, allow={"name"})
    with pytest.raises(InvalidPatchError, match="not allowed: 'is_admin'"):
        UpdateBuilder.from_patch({"is_admin": True}, allow={Liar("name")})
    with pytest.raises(InvalidPatchError, match="not allowed: 'is_admin'"):
        UpdateBuilder(Person).patch({Liar("is_admin"): True})


class Large:
    """Something that a function holds."""


def test_local_item_class_keeps_no_function() -> None:
    """A local Item class keeps alive only what its annotations name."""

    def define() -> tuple[type[Item], ref[Large]]:
        large = Large()
        Text = str

        class Note(Item):
            id: Attr[str] = attribute(key="partition")
            text: Attr[Text]

        return Note, ref(large)

    note, large = define()
    assert large() is None
    assert note(id="a", text="b").to_dict() == {"id": "a", "text": "b"}
