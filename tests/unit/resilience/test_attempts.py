from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import pytest

from dynasafe.errors import (
    CircuitOpenError,
    ClientClosedError,
    ConditionalCheckFailedError,
    ConnectionNotMadeError,
    CredentialsError,
    DeadlineExceededError,
    DynasafeError,
    ItemTooLargeError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    ServiceError,
    ThrottledError,
    TransactionCanceledError,
)
from dynasafe.events import AttemptFailed, AttemptStarted, AttemptSucceeded, Event, UnknownErrorCode
from dynasafe.resilience.attempts import (
    Answered,
    Call,
    Deadline,
    Raised,
    Refresh,
    Refreshed,
    Resolution,
    Send,
    SlotTaken,
    TakeSlot,
    Woke,
    attempts,
)
from dynasafe.resilience.boundary import Lost, NotSent, Refused
from dynasafe.resilience.retry import RetryPolicy, RetryQuota
from tests.support.driving import (
    IDEMPOTENT,
    READ,
    TOKEN,
    WRITE,
    Answer,
    Drive,
    resolving,
    service_error,
)

OK: Answer = {"Attributes": {}}
LOST = Lost("no answer in time")
RESET = Lost("the connection was reset")
REFUSED = NotSent("the connection was refused")
NO_CREDENTIALS = NotSent("none found", is_retryable=False, provider="env")
NOT_RETRYABLE = NotSent("the request cannot be signed", is_retryable=False)
CLOSED = ClientClosedError()
THROTTLED = service_error(
    "ThrottlingException",
    ThrottlingReasons=[{"reason": "TableWriteKeyRangeThroughputExceeded", "resource": "arn"}],
)
E500 = service_error("InternalServerError", 500)
INVALID = service_error("ValidationException", message="no")
TOO_LARGE = service_error(
    "ValidationException", message="Item size to update has exceeded the maximum allowed size"
)
CONFLICT = service_error("TransactionConflictException")
CONDITION = service_error("ConditionalCheckFailedException", Item={"id": {"S": "x"}})
IN_PROGRESS = service_error("TransactionInProgressException")
EXPIRED = service_error("ExpiredTokenException")
MYSTERY_400 = service_error("BrandNewException", 400)
MYSTERY_500 = service_error("BrandNewException", 599)
POLICY = RetryPolicy()


def canceled(*codes: str) -> Refused:
    return service_error(
        "TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes]
    )


CASES: list[tuple[str, Call, list[Answer], type[DynasafeError] | None]] = [
    # Not applied for sure: any write may be sent again.
    ("throttled, then fine", WRITE, [THROTTLED, OK], None),
    ("conflict, then fine", WRITE, [CONFLICT, OK], None),
    ("refused, then fine", WRITE, [REFUSED, OK], None),
    ("expired credentials, then fine", WRITE, [EXPIRED, OK], None),
    ("expired credentials twice", WRITE, [EXPIRED, EXPIRED], ServiceError),
    ("throttled to the end", WRITE, [THROTTLED] * 4, ThrottledError),
    ("conflict to the end", WRITE, [CONFLICT] * 4, ServiceError),
    ("refused to the end", WRITE, [REFUSED] * 4, ConnectionNotMadeError),
    ("throttled, then refused", WRITE, [THROTTLED, REFUSED, REFUSED, REFUSED], ThrottledError),
    # Perhaps applied: only what is idempotent, or carries a token, may be sent again.
    ("lost write", WRITE, [LOST], OutcomeUnknownError),
    ("reset write", WRITE, [RESET], OutcomeUnknownError),
    ("write and 500", WRITE, [E500], OutcomeUnknownError),
    ("write and an unknown 599", WRITE, [MYSTERY_500], OutcomeUnknownError),
    ("throttled, then lost", WRITE, [THROTTLED, LOST], OutcomeUnknownError),
    ("lost idempotent write, then fine", IDEMPOTENT, [LOST, OK], None),
    ("lost idempotent write to the end", IDEMPOTENT, [LOST] * 4, OutcomeUnknownError),
    ("lost, then refused", IDEMPOTENT, [LOST, INVALID], OutcomeUnknownError),
    ("lost, then throttled", IDEMPOTENT, [LOST, *[THROTTLED] * 3], OutcomeUnknownError),
    ("lost, then not connected", IDEMPOTENT, [LOST, *[REFUSED] * 3], OutcomeUnknownError),
    ("lost, then condition failed", IDEMPOTENT, [LOST, CONDITION], OutcomeUnknownError),
    ("lost, then no credentials", IDEMPOTENT, [LOST, NO_CREDENTIALS], OutcomeUnknownError),
    # Final answers.
    ("condition failed", WRITE, [CONDITION], ConditionalCheckFailedError),
    (
        "throttled, then condition failed",
        WRITE,
        [THROTTLED, CONDITION],
        ConditionalCheckFailedError,
    ),
    ("invalid", WRITE, [INVALID], ServiceError),
    ("an unknown refusal", WRITE, [MYSTERY_400], ServiceError),
    ("no credentials", WRITE, [NO_CREDENTIALS], CredentialsError),
    ("cannot be sent", WRITE, [NOT_RETRYABLE], ConnectionNotMadeError),
    ("closed meanwhile", WRITE, [CLOSED], ClientClosedError),
    ("lost, then closed", IDEMPOTENT, [LOST, CLOSED], OutcomeUnknownError),
    ("an exception that no transport should raise", WRITE, [RuntimeError()], OutcomeUnknownError),
    ("too large", WRITE, [TOO_LARGE], ItemTooLargeError),
    # Reads change nothing.
    ("lost read, then fine", READ, [LOST, E500, RESET, OK], None),
    ("lost read to the end", READ, [LOST] * 4, NoAnswerError),
    ("read and 500 to the end", READ, [E500] * 4, ServiceError),
    ("lost read, then refused", READ, [LOST, INVALID], ServiceError),
    # Transactions.
    ("lost transaction, then fine", TOKEN, [LOST, LOST, OK], None),
    ("lost transaction to the end", TOKEN, [LOST] * 4, OutcomeUnknownError),
    ("in progress, then fine", TOKEN, [LOST, IN_PROGRESS, OK], None),
    ("in progress to the end", TOKEN, [IN_PROGRESS] * 4, OutcomeUnknownError),
    ("cancelled by a conflict", TOKEN, [canceled("None", "TransactionConflict"), OK], None),
    ("cancelled by a throttle", TOKEN, [canceled("ThrottlingError", "None"), OK], None),
    (
        "cancelled by a condition",
        TOKEN,
        [canceled("None", "ConditionalCheckFailed", "TransactionConflict")],
        TransactionCanceledError,
    ),
    # A completed transaction answers its repeat with success, so a cancelled repeat settles it.
    (
        "lost, then cancelled for good",
        TOKEN,
        [LOST, canceled("ConditionalCheckFailed")],
        TransactionCanceledError,
    ),
    (
        "lost, then cancelled by conflicts to the end",
        TOKEN,
        [LOST, *[canceled("TransactionConflict")] * 3],
        OutcomeUnknownError,
    ),
    (
        "cancelled to the end",
        TOKEN,
        [canceled("TransactionConflict")] * 4,
        TransactionCanceledError,
    ),
    (
        "another's token",
        TOKEN,
        [service_error("IdempotentParameterMismatchException")],
        ServiceError,
    ),
]


@pytest.mark.parametrize(
    ("call", "answers", "error_type"),
    [pytest.param(*case[1:], id=case[0]) for case in CASES],
)
def test_each_answer_leads_to_its_verdict(
    call: Call, answers: list[Answer], error_type: type[DynasafeError] | None
) -> None:
    """Each list of answers leads to so many attempts, and to this result or error."""
    drive = Drive()(answers, call, policy=POLICY, quota=RetryQuota())

    assert len(drive.sends) == len(answers)
    if error_type is None:
        assert drive.result is not None
        sent = [each for each in answers if not isinstance(each, NotSent | NotSentError)]
        assert drive.result.attempts == len(sent)
    else:
        assert type(drive.error) is error_type
        assert drive.error in answers or drive.error.__cause__ in answers
        assert str(pickle.loads(pickle.dumps(drive.error))) == str(drive.error)


def test_without_policy_a_call_is_sent_once() -> None:
    """Without a retry policy a throttled read is sent once."""
    drive = Drive()([THROTTLED], policy=None)

    assert len(drive.sends) == 1
    assert isinstance(drive.error, ThrottledError)
    assert drive.error.reasons == ("TableWriteKeyRangeThroughputExceeded",)


def test_service_error_has_its_facts() -> None:
    """A refused write raises the service's code, its request id and the number of attempts."""
    error = Drive()([THROTTLED, INVALID], WRITE, policy=POLICY).error

    assert isinstance(error, ServiceError)
    assert (error.operation, error.table_name, error.code) == (
        "UpdateItem",
        "t",
        "ValidationException",
    )
    assert (error.http_status, error.request_id, error.attempts) == (400, "R1", 2)
    assert error.error_class == "final"


def test_cancellation_reasons_keep_their_order() -> None:
    """The reasons of a cancelled transaction are in the order of its requests."""
    error = Drive()([canceled("None", "ConditionalCheckFailed")], TOKEN).error

    assert isinstance(error, TransactionCanceledError)
    assert [reason.code for reason in error.reasons] == ["None", "ConditionalCheckFailed"]


def test_unknown_outcome_has_its_token() -> None:
    """An unknown outcome has the client request token that was sent."""
    error = Drive()([LOST], TOKEN).error

    assert isinstance(error, OutcomeUnknownError)
    assert error.client_request_token == "token-1"


@pytest.mark.parametrize(
    ("resolution", "expected"),
    [
        ("applied", None),
        ("unknown", OutcomeUnknownError),
    ],
)
def test_stored_item_settles_a_lost_write(
    resolution: Resolution, expected: type[DynasafeError] | None
) -> None:
    """After a lost attempt and a failed condition, the stored item decides what happened."""
    seen: list[Mapping[str, Any] | None] = []

    def resolve(item: Mapping[str, Any] | None) -> Resolution:
        seen.append(item)
        return resolution

    call = resolving(resolve)

    drive = Drive()([LOST, CONDITION], call, policy=POLICY)

    assert seen == [{"id": {"S": "x"}}]
    if expected is None:
        assert drive.result is not None
        assert drive.result.response is None
    else:
        assert type(drive.error) is expected


def test_first_attempt_condition_failed() -> None:
    """A condition that fails at the first attempt raises, even if the item proves nothing."""
    call = resolving(lambda item: "unknown")

    assert isinstance(Drive()([CONDITION], call).error, ConditionalCheckFailedError)


def test_write_delivered_twice_succeeded() -> None:
    """A failed condition is a success if the stored item proves that the write was applied."""
    call = resolving(lambda item: "applied")

    assert Drive()([CONDITION], call).result is not None


# Deadlines


def test_delay_past_the_deadline_raises_at_once() -> None:
    """A retry whose delay would pass the deadline is not waited for and costs no quota."""
    deadline = Deadline(0.5, 0.5)
    quota = RetryQuota()

    drive = Drive()([THROTTLED], WRITE, policy=POLICY, deadline=deadline, quota=quota)

    assert isinstance(drive.error, ThrottledError)
    assert drive.delays_s == []
    assert quota.available == 500


def test_smaller_timeout_counts() -> None:
    """Each attempt has the time of an attempt or what is left of the call, if that is less."""
    deadline = Deadline(2.5, 2.5)

    drive = Drive()(
        [LOST, LOST, OK],
        READ,
        policy=POLICY,
        deadline=deadline,
        attempt_timeout_s=1.0,
        duration_s=1.0,
    )

    assert [send.timeout_s for send in drive.sends[:2]] == [1.0, 1.0]
    assert drive.sends[2].timeout_s == pytest.approx(0.425)


def test_no_slot_in_time() -> None:
    """If no connection slot comes in time, the error says that nothing was sent."""
    loop = attempts(WRITE, now_s=0, deadline=Deadline(2, 2), attempt_timeout_s=1)
    assert _is(
        next(loop), TakeSlot, timeout_s=2
    )  # a wait for a slot counts against the whole call alone

    with pytest.raises(DeadlineExceededError) as caught:
        loop.send(Raised(TimeoutError(), 2.0, 0.0))

    assert str(caught.value) == (
        "UpdateItem was not sent: timeout_s=2 ran out waiting for a connection slot. "
        "Fix: raise timeout_s or max_connections, or send less at once."
    )


def test_no_slot_after_a_lost_attempt() -> None:
    """If no slot comes after a lost attempt, the outcome is unknown."""
    deadline = Deadline(1, 1)
    loop = attempts(IDEMPOTENT, now_s=0, policy=POLICY, deadline=deadline)
    next(loop)
    loop.send(SlotTaken(0.0, was_awaited=False))
    loop.send(Raised(LOST, 0.0, 0.0))
    loop.send(Woke(0.0))

    with pytest.raises(OutcomeUnknownError):
        loop.send(Raised(TimeoutError(), 1.0, 0.0))


def test_transaction_in_progress_waits_5_s() -> None:
    """One retry of a transaction in progress comes 5 s after its first attempt."""
    drive = Drive(draw=0.0)([IN_PROGRESS] * 3 + [OK], TOKEN, policy=POLICY, duration_s=0.1)

    assert drive.result is not None
    assert drive.delays_s[:2] == [0.0, 0.0]
    assert drive.delays_s[2] == pytest.approx(5.0 - 0.3)


def test_token_expires_after_ten_minutes() -> None:
    """After ten minutes a lost transaction is not sent again with its token."""
    drive = Drive()([LOST, LOST], TOKEN, policy=POLICY, duration_s=300.0)

    assert len(drive.sends) == 2
    assert isinstance(drive.error, OutcomeUnknownError)


def test_expired_credentials_are_refreshed() -> None:
    """After expired credentials, the call is sent again at once with fresh ones."""
    drive = Drive()([EXPIRED, OK], WRITE, policy=POLICY)

    assert (len(drive.sends), drive.refreshes, drive.delays_s) == (2, 1, [])


def test_static_credentials_are_not_sent_twice() -> None:
    """Where the credentials cannot change, the refusal is final."""
    drive = Drive(is_fresh=False)([EXPIRED], WRITE, policy=POLICY)

    assert (len(drive.sends), drive.refreshes) == (1, 1)
    assert isinstance(drive.error, ServiceError)
    assert drive.error.code == "ExpiredTokenException"


def test_failed_refresh_is_named() -> None:
    """The refusal stays the error; the failed refresh is its cause and a note."""
    loop = attempts(WRITE, now_s=0, policy=POLICY, deadline=Deadline(9, 9))
    next(loop)
    loop.send(SlotTaken(0.0, was_awaited=False))
    assert _is(loop.send(Raised(EXPIRED, 1.0, 0.0)), Refresh, timeout_s=8.0)

    with pytest.raises(ServiceError) as caught:
        loop.send(Raised(NotSent("denied", is_retryable=False, provider="assume-role"), 2.0, 0.0))

    assert caught.value.attempts == 1
    assert isinstance(caught.value.__cause__, CredentialsError)
    assert caught.value.__cause__.provider == "assume-role"
    assert caught.value.__notes__ == ["Its credentials could not be refreshed: denied"]


def test_refresh_counts_against_the_deadline() -> None:
    """After a refresh that took all the time, nothing is sent."""
    loop = attempts(WRITE, now_s=0, policy=POLICY, deadline=Deadline(2, 2))
    next(loop)
    loop.send(SlotTaken(0.0, was_awaited=False))
    loop.send(Raised(EXPIRED, 1.0, 0.0))
    assert _is(loop.send(Refreshed(True, 2.5)), TakeSlot, timeout_s=0.0)

    with pytest.raises(ServiceError):
        loop.send(Raised(TimeoutError(), 2.5, 0.0))


# What was sent under a token before


RESOLVING = TOKEN.under_token(0.0, may_be_applied=True)


@pytest.mark.parametrize(
    ("answers", "error_type"),
    [
        ([OK], None),
        ([THROTTLED] * 4, OutcomeUnknownError),
        ([REFUSED] * 4, OutcomeUnknownError),
        ([INVALID], OutcomeUnknownError),
        ([NO_CREDENTIALS], OutcomeUnknownError),
        ([canceled("ConditionalCheckFailed")], TransactionCanceledError),
    ],
)
def test_resolving_says_refused_only_if_it_was(
    answers: list[Answer], error_type: type[DynasafeError] | None
) -> None:
    """A repeat that is not sent, or refused for itself, says nothing of the first request."""
    drive = Drive()(answers, RESOLVING, policy=POLICY)

    assert (None if drive.error is None else type(drive.error)) is error_type


@pytest.mark.parametrize(
    ("limit_s", "now_s", "count"),
    [(5.0, 594.9, 1), (5.0, 595.0, 0), (None, 539.9, 1), (None, 540.0, 0), (5.0, 700.0, 0)],
)
def test_token_window_counts_from_the_first_call(
    limit_s: float | None, now_s: float, count: int
) -> None:
    """Ten minutes after the first call DynamoDB may have forgotten the token. Nothing is sent that
    may arrive later: a request may arrive as late as its attempt may take."""
    drive = Drive(now_s=now_s)([OK] * count, RESOLVING, policy=POLICY, attempt_timeout_s=limit_s)

    assert len(drive.sends) == count
    assert isinstance(drive.error, OutcomeUnknownError) is (count == 0)


def test_token_window_ends_during_a_slot_wait() -> None:
    """If the wait for a slot takes what is left of the ten minutes, nothing is sent."""
    loop = attempts(RESOLVING, now_s=500.0)
    next(loop)

    with pytest.raises(OutcomeUnknownError):
        loop.send(SlotTaken(540.0, was_awaited=True))


def test_token_window_begins_with_the_first_request() -> None:
    """A token that no request had is not forgotten, however long the wait for a slot took."""
    loop = attempts(TOKEN.under_token(0.0), now_s=0.0)
    next(loop)

    assert isinstance(loop.send(SlotTaken(700.0, was_awaited=True)), Send)


@pytest.mark.parametrize(
    ("limit", "now_s", "error_type"),
    [
        ("attempt_timeout_s", 5.0, ConnectionNotMadeError),
        ("attempt_timeout_s", 9.0, DeadlineExceededError),
        ("connect_timeout_s", 3.1, ConnectionNotMadeError),
        (None, 9.0, ConnectionNotMadeError),
    ],
)
def test_error_names_the_limit(
    limit: str | None, now_s: float, error_type: type[DynasafeError]
) -> None:
    """The setting that ran out is named: that of the attempt, or of the whole call."""
    answer = NotSent("no connection", limit=limit)
    deadline = Deadline(9.0, 9.0)
    error = Drive()([answer], WRITE, deadline=deadline, duration_s=now_s).error

    assert type(error) is error_type
    if isinstance(error, ConnectionNotMadeError):
        assert error.limit == limit


# The circuit breaker's side


class Ledger:
    """Counts permits, and refuses when asked to."""

    def __init__(self) -> None:
        self.held = 0
        self.results: list[tuple[str, float]] = []
        self.is_open = False

    def acquire(self, now_s: float) -> object:
        if self.is_open:
            raise CircuitOpenError("t", 1.0)
        self.held += 1
        return object()

    def record(
        self, permit: Any, result: Any, duration_s: float, now_s: float, draw: float = 0.0
    ) -> None:
        self.held -= 1
        self.results.append((result, duration_s))

    def release(self, permit: Any) -> None:
        self.held -= 1


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (OK, "success"),
        (CONDITION, "success"),
        (INVALID, "success"),
        (CONFLICT, "success"),
        (THROTTLED, "ignored"),
        (EXPIRED, "ignored"),
        (NO_CREDENTIALS, "ignored"),
        (REFUSED, "failure"),
        (LOST, "failure"),
        (E500, "failure"),
    ],
)
def test_breaker_gets_one_result(answer: Answer, result: str) -> None:
    """The circuit breaker gets one result for an answer, with its duration."""
    ledger = Ledger()

    Drive()([answer], WRITE, permits=ledger, duration_s=0.5)

    assert ledger.results == [(result, 0.5)]
    assert ledger.held == 0


def test_each_attempt_has_its_permit() -> None:
    """Each attempt has its own permit and its own result."""
    ledger = Ledger()

    Drive()([LOST, THROTTLED, OK], READ, permits=ledger, policy=POLICY)

    assert [result for result, _ in ledger.results] == ["failure", "ignored", "success"]
    assert ledger.held == 0


def test_open_circuit_sends_nothing() -> None:
    """While the circuit is open, a call is not sent."""
    ledger = Ledger()
    ledger.is_open = True

    drive = Drive()([], WRITE, permits=ledger)

    assert isinstance(drive.error, CircuitOpenError)
    assert drive.sends == []


def test_circuit_opens_between_attempts() -> None:
    """If the circuit opens between two attempts, the first one's failure is raised."""

    class OpensLater(Ledger):
        def record(self, *args: Any, **kwargs: Any) -> None:
            super().record(*args, **kwargs)
            self.is_open = True

    drive = Drive()([E500], READ, permits=OpensLater(), policy=POLICY)
    assert type(drive.error) is ServiceError

    drive = Drive()([LOST], IDEMPOTENT, permits=OpensLater(), policy=POLICY)
    assert type(drive.error) is OutcomeUnknownError


def test_circuit_opens_during_a_slot_wait() -> None:
    """If the circuit opens while the call waits for a slot, nothing is sent."""
    ledger = Ledger()
    loop = attempts(WRITE, now_s=0, permits=ledger, deadline=Deadline(2, 2))
    next(loop)
    ledger.is_open = True

    with pytest.raises(CircuitOpenError):
        loop.send(SlotTaken(1.0, was_awaited=True))

    assert ledger.held == 0


def test_deadline_passes_during_a_slot_wait() -> None:
    """If the deadline passes while the call waits for a slot, nothing is sent."""
    ledger = Ledger()
    loop = attempts(WRITE, now_s=0, permits=ledger, deadline=Deadline(2, 2))
    next(loop)

    with pytest.raises(DeadlineExceededError):
        loop.send(SlotTaken(2.0, was_awaited=True))

    assert ledger.held == 0


# Cancellation


class Cancellation(BaseException):
    """Stands for asyncio.CancelledError."""


def test_cancelled_while_waiting_for_a_slot() -> None:
    """A call that is cancelled before it has a slot has no unknown outcome."""
    ledger = Ledger()
    loop = attempts(WRITE, now_s=0, permits=ledger)
    next(loop)

    with pytest.raises(Cancellation) as caught:
        loop.throw(Cancellation())

    assert caught.value.__cause__ is None
    assert (ledger.held, ledger.results) == (0, [])


def test_cancelled_before_the_handover() -> None:
    """A transport that was cancelled before it sent a byte says so in the cause."""
    loop = attempts(WRITE, now_s=0)
    next(loop)
    loop.send(SlotTaken(0.0, was_awaited=False))
    cancellation = Cancellation()
    cancellation.__cause__ = NotSent("cancelled before it was sent")

    with pytest.raises(Cancellation) as caught:
        loop.throw(cancellation)

    assert caught.value.__cause__ is None


@pytest.mark.parametrize(("call", "may_be_applied"), [(WRITE, True), (READ, False), (TOKEN, True)])
def test_cancelled_in_flight(call: Call, may_be_applied: bool) -> None:
    """A cancelled write has an unknown outcome as its cause, a cancelled read has none."""
    ledger = Ledger()
    loop = attempts(call, now_s=0, permits=ledger)
    next(loop)
    loop.send(SlotTaken(0.0, was_awaited=False))

    with pytest.raises(Cancellation) as caught:
        loop.throw(Cancellation())

    assert isinstance(caught.value.__cause__, OutcomeUnknownError) is may_be_applied
    assert (ledger.held, ledger.results) == (0, [])


def test_stopped_driver_gives_its_permit_back() -> None:
    """A driver that stops in flight gives its permit back."""
    ledger = Ledger()
    loop = attempts(WRITE, now_s=0, permits=ledger)
    next(loop)
    loop.send(SlotTaken(0.0, was_awaited=False))

    loop.close()

    assert ledger.held == 0


# Events


def test_events_of_a_retry() -> None:
    """The events of a retry, in their order and with all their fields."""
    events: list[Event] = []

    Drive()([MYSTERY_500, OK], READ, policy=POLICY, hooks=[events.append])

    facts: dict[str, Any] = {"operation": "GetItem", "table_name": "t"}
    assert events == [
        AttemptStarted(**facts, attempt=1, waited_s=0.0),
        UnknownErrorCode(**facts, code="BrandNewException", http_status=599),
        AttemptFailed(
            **facts, attempt=1, error_class="ambiguous", code="BrandNewException", delay_s=0.025
        ),
        AttemptStarted(**facts, attempt=2, waited_s=0.0),
        AttemptSucceeded(**facts, attempt=2, duration_s=0.0),
    ]


def test_raising_hook_does_not_stop_the_call(caplog: pytest.LogCaptureFixture) -> None:
    """A hook that raises is logged, and the call goes on."""

    def hook(event: Event) -> None:
        raise RuntimeError("a hook's own fault")

    drive = Drive()([THROTTLED, OK], READ, policy=POLICY, hooks=[hook])

    assert drive.result is not None
    assert "A dynasafe hook raised on AttemptFailed" in caplog.text


def test_driven_by_hand() -> None:
    """A driver gets a slot request, a send, and the result with its number of attempts."""
    loop = attempts(READ, now_s=0)

    assert _is(next(loop), TakeSlot, timeout_s=None)
    sent = loop.send(SlotTaken(0.0, was_awaited=False))
    assert _is(sent, Send, attempt=1, timeout_s=None)
    with pytest.raises(StopIteration) as stop:
        loop.send(Answered({}, 0.0))
    assert stop.value.value.attempts == 1


def test_not_sent_errors() -> None:
    """What was not sent raises a NotSentError."""
    for answer in (REFUSED, NO_CREDENTIALS):
        assert isinstance(Drive()([answer], WRITE).error, NotSentError)


def _is(command: object, kind: type[object], **facts: object) -> bool:
    """Whether a command is of this kind, with these facts."""
    return type(command) is kind and {name: getattr(command, name) for name in facts} == facts
