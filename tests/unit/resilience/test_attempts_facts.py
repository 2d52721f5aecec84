"""The facts that errors, events, permits and results carry, each with its exact value."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe.errors import (
    CancellationReason,
    ConditionalCheckFailedError,
    ConnectionNotMadeError,
    DeadlineExceededError,
    NoAnswerError,
    OutcomeUnknownError,
    ServiceError,
    TransactionCanceledError,
)
from dynasafe.resilience.attempts import Answered, Deadline, Raised, SlotTaken, attempts
from dynasafe.resilience.boundary import Lost, NotSent
from dynasafe.resilience.circuit_breaker import (
    Circuit,
    CircuitState,
    CountWindow,
    TimeWindow,
)
from dynasafe.resilience.retry import RetryPolicy, RetryQuota
from tests.support.driving import IDEMPOTENT, READ, TOKEN, WRITE, Drive, service_error

POLICY = RetryPolicy()
CONFLICT = service_error("TransactionConflictException", message="busy")
E500 = service_error("InternalServerError", 500, message="oops")


def facts(error: BaseException | None) -> dict[str, Any]:
    assert error is not None
    return {name: fact for name, fact in vars(error).items() if not name.startswith("_")}


def test_facts_of_a_service_error() -> None:
    """All fields of an error that the service answered."""
    error = Drive()([CONFLICT] * 4, WRITE, policy=POLICY).error

    assert type(error) is ServiceError
    assert facts(error) == {
        "operation": "UpdateItem",
        "code": "TransactionConflictException",
        "message": "busy",
        "error_class": "conflict",
        "is_retryable": True,
        "table_name": "t",
        "http_status": 400,
        "request_id": "R1",
        "attempts": 4,
    }


def test_condition_error_has_the_item() -> None:
    """A failed condition's error has the stored item that the service returned."""
    item = {"id": {"S": "x"}}
    error = Drive()([service_error("ConditionalCheckFailedException", Item=item)], WRITE).error

    assert isinstance(error, ConditionalCheckFailedError)
    assert error.item is item


def test_facts_of_cancellation_reasons() -> None:
    """All fields of a cancelled transaction's reasons, also of an empty one."""
    reasons = [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "no", "Item": {"a": {"N": "1"}}},
        {},
    ]
    cancelled = service_error("TransactionCanceledException", CancellationReasons=reasons)
    error = Drive()([cancelled], TOKEN).error

    assert isinstance(error, TransactionCanceledError)
    assert error.reasons == (
        CancellationReason(operation="TransactWriteItems", code="None"),
        CancellationReason(
            operation="TransactWriteItems",
            code="ConditionalCheckFailed",
            message="no",
            item={"a": {"N": "1"}},
        ),
        CancellationReason(operation="TransactWriteItems", code="None"),
    )


def test_facts_of_an_unknown_outcome() -> None:
    """All fields of an unknown outcome, with the last reason and the stored item."""
    failed = service_error("ConditionalCheckFailedException", message="no", Item={"a": {"N": "1"}})
    error = Drive()([E500, failed], IDEMPOTENT, policy=POLICY).error

    assert isinstance(error, OutcomeUnknownError)
    assert facts(error) == {
        "operation": "UpdateItem",
        "table_name": "t",
        "attempts": 2,
        "reason": "ConditionalCheckFailedException: no",
        "request_id": "R1",
        "client_request_token": None,
        "item": {"a": {"N": "1"}},
        "key": None,
        "write_id": None,
    }


def test_facts_of_a_read_without_an_answer() -> None:
    """All fields of the error for a read that no attempt answered."""
    error = Drive()([Lost("late")] * 4, READ, policy=POLICY).error

    assert isinstance(error, NoAnswerError)
    assert facts(error) == {
        "operation": "GetItem",
        "table_name": "t",
        "attempts": 4,
        "reason": "late",
    }


def test_facts_of_a_connection_not_made() -> None:
    """All fields of the error for a call without a connection, its limit included."""
    refused = NotSent("no route", limit="connect_timeout_s")
    error = Drive()([refused] * 4, WRITE, policy=POLICY).error
    assert isinstance(error, ConnectionNotMadeError)
    assert facts(error) == {
        "operation": "UpdateItem",
        "attempts": 4,
        "reason": "no route",
        "limit": "connect_timeout_s",
    }


def test_facts_of_no_slot_in_time() -> None:
    """All fields of the error for a call that got no slot, its limit included."""
    deadline = Deadline(9.0, 9.0)
    loop = attempts(WRITE, now_s=0, deadline=deadline, attempt_timeout_s=3.0)
    next(loop)
    with pytest.raises(DeadlineExceededError) as caught:
        loop.send(Raised(TimeoutError(), 9.0, 0.0))
    assert facts(caught.value) == {
        "operation": "UpdateItem",
        "timeout_s": 9.0,
        "waiting_for": "a connection slot",
        "limit": "timeout_s",
    }


def test_reason_of_a_cancelled_call() -> None:
    """The unknown outcome of a cancelled call names the cancellation as its reason."""

    class Cancellation(BaseException):
        pass

    loop = attempts(WRITE, now_s=0)
    next(loop)
    loop.send(SlotTaken(0.0, was_awaited=False))
    with pytest.raises(Cancellation) as caught:
        loop.throw(Cancellation())
    assert isinstance(caught.value.__cause__, OutcomeUnknownError)
    assert caught.value.__cause__.reason == "the caller cancelled the call"


def test_answer_is_returned() -> None:
    """The result has the answer itself, not a copy."""
    answer = {"Item": {"a": {"N": "1"}}}
    drive = Drive()([E500, answer], READ, policy=POLICY)

    assert drive.result is not None
    assert drive.result.response is answer


class Permits:
    """Notes what becomes of each permit."""

    def __init__(self) -> None:
        self.given: list[object] = []
        self.told: list[tuple[Any, ...]] = []

    def acquire(self, now_s: float) -> object:
        self.given.append(object())
        return self.given[-1]

    def record(self, *facts: Any) -> None:
        self.told.append(facts)

    def release(self, permit: object) -> None:
        self.told.append((permit,))


def test_permits_get_result_and_time() -> None:
    """Each permit gets its own result, duration, time and random draw."""
    permits = Permits()
    Drive(now_s=1000.0, draw=0.25)([E500, {}], READ, policy=POLICY, permits=permits, duration_s=2.0)

    first, second = permits.given
    assert permits.told == [
        (first, "failure", 2.0, 1002.0, 0.25),
        (second, "success", 2.0, pytest.approx(1004.0, abs=0.1)),
    ]


def test_slot_wait_takes_a_new_permit() -> None:
    """After a wait for a slot, the first permit goes back and the call uses a new one."""
    permits = Permits()
    loop = attempts(READ, now_s=0, permits=permits)
    next(loop)
    loop.send(SlotTaken(1.0, was_awaited=True))
    with pytest.raises(StopIteration):
        loop.send(Answered({}, 2.0))

    first, second = permits.given
    assert permits.told == [(first,), (second, "success", 1.0, 2.0)]


def test_refresh_gives_no_token_back() -> None:
    """A success after refreshed credentials gives no retry token back."""
    quota = RetryQuota(100)
    quota.take(20)

    Drive()([service_error("ExpiredToken"), {}], READ, policy=POLICY, quota=quota)

    assert quota.available == 80


def test_delay_that_ends_at_the_deadline() -> None:
    """A delay that ends at the deadline is too late; one that ends just before it is not."""
    policy = RetryPolicy(base_delay_s=1.0)
    at_the_end = Drive()([E500], READ, policy=policy, deadline=Deadline(1.0, 1.0))
    just_before = Drive()([E500, {}], READ, policy=policy, deadline=Deadline(1.001, 1.001))

    assert at_the_end.delays_s == []
    assert just_before.delays_s == [1.0]


def test_retry_at_the_end_of_the_token_window() -> None:
    """A retry that may arrive at the end of the token's window is too late. Without a limit for
    attempts, it may take a minute."""
    policy = RetryPolicy(base_delay_s=1.0)
    at_the_end = Drive()([Lost("late")], TOKEN, policy=policy, duration_s=539.0)
    just_before = Drive()([Lost("late"), {}], TOKEN, policy=policy, duration_s=538.9)

    assert at_the_end.delays_s == []
    assert just_before.delays_s == [1.0]


def test_transaction_in_progress_near_deadline() -> None:
    """If 5 s are not left, a transaction in progress is repeated sooner."""
    in_progress = service_error("TransactionInProgressException")
    policy = RetryPolicy(max_attempts=2, throttle_base_delay_s=1.0)
    drive = Drive()([in_progress, {}], TOKEN, policy=policy, deadline=Deadline(3.0, 3.0))

    assert drive.delays_s == [1.0]


# The circuit's own facts


def test_defaults_of_a_circuit() -> None:
    """The defaults of all settings of a circuit."""
    circuit = Circuit()

    assert {
        name: getattr(circuit, name)
        for name in (
            *("name", "failure_rate", "slow_rate", "slow_call_s", "window", "minimum_calls"),
            *("open_s", "open_growth", "max_open_s", "open_jitter", "half_open_permits"),
            *("max_half_open_s", "hooks"),
        )
    } == {
        "name": "circuit",
        "failure_rate": 0.5,
        "slow_rate": 1.0,
        "slow_call_s": 60.0,
        "window": CountWindow(100),
        "minimum_calls": 100,
        "open_s": 5.0,
        "open_growth": 2.0,
        "max_open_s": 60.0,
        "open_jitter": 0.1,
        "half_open_permits": 10,
        "max_half_open_s": 60.0,
        "hooks": (),
    }


def test_slow_rate_itself_opens() -> None:
    """A circuit opens when the rate of slow calls reaches its limit."""
    circuit = Circuit(window=CountWindow(2), minimum_calls=2, slow_rate=0.5, slow_call_s=1.0)
    for duration_s in (0.5, 1.5):
        circuit.record(circuit.acquire(0.0), "success", duration_s, 0.0)

    assert circuit.state is CircuitState.OPEN


def test_permits_of_older_states() -> None:
    """A permit of an older state changes nothing, also after two resets."""
    circuit = Circuit(window=CountWindow(1), minimum_calls=1, half_open_permits=1)
    old = circuit.acquire(0.0)
    circuit.force_open()
    circuit.reset()
    mid = circuit.acquire(0.0)
    circuit.disable()
    circuit.reset()

    for permit in (old, mid):
        circuit.record(permit, "failure", 0.1, 0.0)

    assert circuit.state is CircuitState.CLOSED


def test_calls_share_their_second() -> None:
    """In a time window, the calls of one second leave together."""
    circuit = Circuit(window=TimeWindow(2), minimum_calls=100)
    for now_s in (10.0, 10.5, 10.9, 11.0):
        circuit.record(circuit.acquire(now_s), "failure", 0.1, now_s)

    assert circuit.metrics(11.9).buffered_calls == 4
    assert circuit.metrics(12.0).buffered_calls == 1
    assert circuit.metrics(13.0).buffered_calls == 0


def test_reset_ends_the_growth() -> None:
    """After a reset the next opening is as short as the first one."""
    circuit = Circuit(open_jitter=0.0, open_growth=3.0, name="by hand")
    for _ in range(2):
        circuit.open(0.0)
        assert circuit._open_until_s == 5.0
        circuit.reset()
