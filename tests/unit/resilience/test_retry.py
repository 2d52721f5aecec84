"""The retry standard's own vectors, on a virtual clock with every draw at its most."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe.errors import InvalidValueError
from dynasafe.resilience.attempts import (
    Answered,
    Raised,
    Send,
    Sleep,
    SlotTaken,
    TakeSlot,
    Woke,
    attempts,
)
from dynasafe.resilience.retry import RetryPolicy, RetryQuota
from tests.support.driving import READ, Answer, Drive, service_error

OK: Answer = {}
E500 = service_error("InternalServerError", 500)
E502 = service_error("", 502)
THROTTLE = service_error("Throttling", 400)


def policy(**settings: Any) -> RetryPolicy:
    return RetryPolicy(**{"max_attempts": 3, "base_delay_s": 0.05, **settings})


def retry_after(value: str) -> Exception:
    return service_error("InternalServerError", 500, headers={"x-amz-retry-after": value})


T = E500
H = THROTTLE


@pytest.mark.parametrize(
    ("settings", "capacity", "answers", "quotas", "delays_ms", "last", "is_success"),
    [
        pytest.param({}, 500, [T, T, OK], [486, 472], [50, 100], 486, True, id="A1"),
        pytest.param({}, 500, [E502] * 3, [486, 472], [50, 100], 472, False, id="A2"),
        pytest.param({}, 14, [T, T], [0], [50], 0, False, id="A3"),
        pytest.param({}, 0, [T], [], [], 0, False, id="A4"),
        pytest.param(
            {"max_attempts": 5},
            500,
            [T] * 5,
            [486, 472, 458, 444],
            [50, 100, 200, 400],
            444,
            False,
            id="A5",
        ),
        pytest.param(
            {"max_attempts": 5, "max_delay_s": 0.2},
            500,
            [T] * 5,
            [486, 472, 458, 444],
            [50, 100, 200, 200],
            444,
            False,
            id="A6",
        ),
        pytest.param({"max_attempts": 5}, 20, [T, T], [6], [50], 6, False, id="A7"),
        pytest.param({}, 500, [H, OK], [495], [1000], 500, True, id="A9"),
        pytest.param(
            {"max_attempts": 4, "base_delay_s": 0.025},
            500,
            [T] * 4,
            [486, 472, 458],
            [25, 50, 100],
            458,
            False,
            id="A10",
        ),
        pytest.param({}, 500, [retry_after("1500"), OK], [486], [1500], 500, True, id="A11"),
        pytest.param({}, 500, [retry_after("0"), OK], [486], [50], 500, True, id="A12"),
        pytest.param({}, 500, [retry_after("10000"), OK], [486], [5050], 500, True, id="A13"),
        pytest.param({}, 500, [retry_after("invalid"), OK], [486], [50], 500, True, id="A14"),
        pytest.param({}, 500, [retry_after("-100"), OK], [486], [50], 500, True, id="A14-negative"),
        pytest.param(
            {"max_attempts": 8},
            500,
            [H, H, T, T, T, T, H, T],
            [495, 490, 476, 462, 448, 434, 429],
            [1000, 2000, 200, 400, 800, 1600, 20000],
            429,
            False,
            id="A15",
        ),
        pytest.param(
            {"max_attempts": 8},
            500,
            [T, H, H, H, H, T, H, T],
            [486, 481, 476, 471, 466, 452, 447],
            [50, 2000, 4000, 8000, 16000, 1600, 20000],
            447,
            False,
            id="A16",
        ),
        pytest.param(
            {},
            500,
            [TimeoutError(), TimeoutError(), OK],
            [486, 472],
            [50, 100],
            486,
            True,
            id="A18",
        ),
    ],
)
def test_vectors_of_the_standard(
    settings: dict[str, Any],
    capacity: int,
    answers: list[Answer],
    quotas: list[int],
    delays_ms: list[int],
    last: int,
    is_success: bool,
) -> None:
    """The standard's vectors A1 to A18 give its quotas, delays and results."""
    quota = RetryQuota(capacity)

    drive = Drive()(answers, policy=policy(**settings), quota=quota)

    assert drive.quotas == quotas
    assert [round(delay_s * 1000, 6) for delay_s in drive.delays_s] == delays_ms
    assert quota.available == last
    assert (drive.result is not None) is is_success
    assert len(drive.sends) == len(answers)


def test_a8_second_call_starts_with_the_rest() -> None:
    """A8: the second call starts with the quota that the first one left."""
    quota = RetryQuota(30)
    first = Drive()([T, T, OK], policy=policy(max_attempts=5), quota=quota)
    assert (first.quotas, quota.available) == ([16, 2], 16)

    second = Drive()([T, OK], policy=policy(max_attempts=5), quota=quota)

    assert (second.quotas, second.delays_s, quota.available) == ([2], [0.05], 16)


def test_a17_each_call_gives_its_last_cost_back() -> None:
    """A17: two concurrent calls that succeed each give their last cost back."""
    quota = RetryQuota()
    one = attempts(READ, now_s=0, policy=policy(), quota=quota)
    two = attempts(READ, now_s=0, policy=policy(), quota=quota)

    def fail(loop: Any) -> None:
        assert isinstance(loop.send(SlotTaken(0.0, was_awaited=False)), Send)
        assert isinstance(loop.send(Raised(T, 0.0, 1.0)), Sleep)

    def wake(loop: Any) -> None:
        assert isinstance(loop.send(Woke(0.0)), TakeSlot)

    for loop in (one, two):
        next(loop)
        fail(loop)
    wake(one)
    fail(one)
    assert quota.available == 500 - 3 * 14
    for loop in (two, one):
        wake(loop)
        loop.send(SlotTaken(0.0, was_awaited=False))
        with pytest.raises(StopIteration):
            loop.send(Answered({}, 0.0))

    assert quota.available == 486


def test_a19_18th_call_meets_the_quota() -> None:
    """A19: while the service is down, the 18th call has one retry, not two."""
    quota = RetryQuota()
    for _ in range(17):
        assert len(Drive()([E502] * 3, policy=policy(), quota=quota).sends) == 3
    assert quota.available == 500 - 476

    assert len(Drive()([E502] * 3, policy=policy(), quota=quota).sends) == 2


def test_a20_delays_double() -> None:
    """A20: the delays double up to the longest one."""
    delays_s = [policy().delay_s(retry, is_throttle=False, draw=1.0) for retry in range(11)]

    assert delays_s == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 20, 20]


def test_first_try_success_gives_one_token() -> None:
    """A first attempt that succeeds gives one token back."""
    quota = RetryQuota()
    quota.take(14)

    Drive()([OK], policy=policy(), quota=quota)

    assert quota.available == 487


@given(
    retry=st.integers(0, 10_000),
    draw=st.floats(0, 1, exclude_max=True),
    is_throttle=st.booleans(),
    wish=st.none() | st.text(max_size=30) | st.integers(0, 10**30).map(str),
)
def test_delay_is_within_its_limits(
    retry: int, draw: float, is_throttle: bool, wish: str | None
) -> None:
    """Any delay is at most 20 s, and a wish of the service adds at most 5 s."""
    plain_s = RetryPolicy().delay_s(retry, is_throttle=is_throttle, draw=draw)
    delay_s = RetryPolicy().delay_s(retry, is_throttle=is_throttle, draw=draw, retry_after=wish)

    assert 0 <= plain_s <= 20
    assert plain_s <= delay_s <= plain_s + 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_attempts": 0}, "RetryPolicy.max_attempts: at least 1 is expected, not 0"),
        (
            {"max_attempts": True},
            "RetryPolicy.max_attempts: a whole number is expected, not bool",
        ),
        (
            {"max_attempts": 2.5},
            "RetryPolicy.max_attempts: a whole number is expected, not float",
        ),
        ({"quota": -1}, "RetryPolicy.quota: at least 0 is expected, not -1"),
        ({"base_delay_s": -1}, "RetryPolicy.base_delay_s: 0 seconds or more are expected, not -1"),
        (
            {"throttle_base_delay_s": "1"},
            "RetryPolicy.throttle_base_delay_s: a number of seconds is expected, not str",
        ),
        (
            {"max_delay_s": float("nan")},
            "RetryPolicy.max_delay_s: 0 seconds or more are expected, not nan",
        ),
        (
            {"max_delay_s": float("inf")},
            "RetryPolicy.max_delay_s: 0 seconds or more are expected, not inf",
        ),
    ],
)
def test_wrong_setting_is_named(settings: dict[str, Any], message: str) -> None:
    """The error for a wrong setting names it and says what is expected."""
    with pytest.raises(InvalidValueError) as caught:
        RetryPolicy(**settings)

    assert str(caught.value) == message


def test_defaults() -> None:
    """The defaults of all settings are those for DynamoDB."""
    assert RetryPolicy() == RetryPolicy(
        max_attempts=4,
        base_delay_s=0.025,
        throttle_base_delay_s=1.0,
        max_delay_s=20.0,
        quota=500,
    )
