"""The one loop around every request: permits, attempts, waits, and the verdict at the end.

It is a generator without I/O. It yields what to do next, and is sent what came of it, with the
time and, for a failure, a random draw. So an async driver and a sync one share every decision,
and a test drives it on a virtual clock.

    TakeSlot -> SlotTaken | Raised        a connection slot, before the circuit breaker's permit
    Send     -> Answered | Raised         one request
    Sleep    -> Woke                      the delay before the next one

The generator returns a `Success`, or raises one of dynasafe's errors. A driver that is cancelled
throws the cancellation in, so that the permit goes back.

Sources: "Error handling with DynamoDB"; "TransactWriteItems", Amazon DynamoDB API Reference, for
the 10 minutes that a ClientRequestToken is good for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from dynasafe.errors import (
    CancellationReason,
    CircuitOpenError,
    ConditionalCheckFailedError,
    ConnectionNotMadeError,
    DeadlineExceededError,
    DynasafeError,
    InvalidRequestError,
    NoAnswerError,
    OutcomeUnknownError,
    ServiceError,
    ThrottledError,
    TransactionCanceledError,
)
from dynasafe.events import (
    AttemptFailed,
    CallCancelled,
    CallEvent,
    CallFailed,
    CallSucceeded,
    Hook,
    UnknownErrorCode,
    emit,
    logger,
)
from dynasafe.findings.finding import Finding, Where
from dynasafe.limits import TOKEN_WINDOW_S
from dynasafe.resilience.deadline import Deadline
from dynasafe.resilience.outcomes import (
    CircuitResult,
    ConnectionSlotTimeout,
    ErrorClass,
    Outcome,
    outcome_of,
)
from dynasafe.resilience.retry import RetryPolicy, RetryQuota, retry_cost

IN_PROGRESS_WAIT_S = 5.0
"""How long after its first request a transaction in progress is asked for once more."""

Resolution = Literal["applied", "not_applied", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the loop must know of a request.

    Args:
        is_repeatable: a write that may be sent again when it may have been applied already,
            since it is idempotent or carries a token.
        resolve_condition_failure: decides, from the stored item in wire form, whether an earlier
            attempt of this very call made its condition fail.
    """

    operation: str
    table_name: str | None
    is_write: bool
    is_repeatable: bool
    client_request_token: str | None = None
    resolve_condition_failure: Callable[[Mapping[str, Any] | None], Resolution] | None = None


@dataclass(frozen=True, slots=True)
class TakeSlot:
    """Wait for a connection slot, at most this long."""

    timeout_s: float | None


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request, give the slot back, and wait for the answer at most this long."""

    attempt: int
    timeout_s: float | None
    with_fresh_credentials: bool = False


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait before the next attempt."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class SlotTaken:
    now_s: float
    was_awaited: bool


@dataclass(frozen=True, slots=True)
class Answered:
    response: Mapping[str, Any]
    now_s: float


@dataclass(frozen=True, slots=True)
class Raised:
    error: Exception
    now_s: float
    draw: float


@dataclass(frozen=True, slots=True)
class Woke:
    now_s: float


Command = TakeSlot | Send | Sleep
Reply = SlotTaken | Answered | Raised | Woke


@dataclass(frozen=True, slots=True)
class Success:
    """The answer, and how many requests it took.

    `response` is None where the answer was lost, and the stored item proved the write.
    """

    response: Mapping[str, Any] | None
    attempts: int


class Permits(Protocol):
    """A circuit breaker, as the loop sees it."""

    def acquire(self, now_s: float) -> Any: ...

    def record(
        self,
        permit: Any,
        result: CircuitResult,
        duration_s: float,
        now_s: float,
        draw: float = 0.0,
    ) -> None: ...

    def release(self, permit: Any) -> None: ...


def attempts(
    call: Call,
    *,
    now_s: float,
    policy: RetryPolicy | None = None,
    quota: RetryQuota | None = None,
    permits: Permits | None = None,
    deadline: Deadline | None = None,
    attempt_timeout_s: float | None = None,
    hooks: Sequence[Hook] = (),
) -> Generator[Command, Any, Success]:
    """Make the call: see the module's docstring for the protocol.

    Raises:
        NotSentError: nothing was sent.
        ServiceError: DynamoDB refused it, and it was not applied.
        NoAnswerError: a read had no usable answer.
        OutcomeUnknownError: a write may or may not have been applied.
    """
    loop = _Attempts(call, now_s, policy, quota, deadline, attempt_timeout_s, hooks)
    try:
        success = yield from loop.run(permits)
    except DynasafeError as error:
        if loop.is_observed:
            loop.emit(
                CallFailed,
                attempts=loop.attempt,
                duration_s=loop.now_s - now_s,
                error=type(error).__name__,
            )
        raise
    if loop.is_observed:
        loop.emit(CallSucceeded, attempts=success.attempts, duration_s=loop.now_s - now_s)
    return success


class _Attempts:
    """The state of one call, and what follows from it."""

    __slots__ = (
        "attempt",
        "attempt_timeout_s",
        "call",
        "cause",
        "deadline",
        "first_sent_s",
        "had_fresh_credentials",
        "hooks",
        "is_ambiguous",
        "is_in_flight",
        "is_observed",
        "last_cost",
        "now_s",
        "outcome",
        "policy",
        "quota",
    )

    def __init__(
        self,
        call: Call,
        now_s: float,
        policy: RetryPolicy | None,
        quota: RetryQuota | None,
        deadline: Deadline | None,
        attempt_timeout_s: float | None,
        hooks: Sequence[Hook],
    ) -> None:
        self.call = call
        self.now_s = now_s
        self.policy = policy
        self.quota = quota
        self.deadline = deadline
        self.attempt_timeout_s = attempt_timeout_s
        self.hooks = hooks
        self.is_observed = bool(hooks) or logger.isEnabledFor(logging.DEBUG)
        self.attempt = 0
        self.first_sent_s = now_s
        self.is_in_flight = False
        self.is_ambiguous = False  # an earlier attempt may have been applied
        self.had_fresh_credentials = False
        self.last_cost: int | None = None
        # The last failure; one that reached DynamoDB is not replaced by one that did not.
        self.outcome: Outcome | None = None
        self.cause: Exception | None = None

    def run(self, permits: Permits | None) -> Generator[Command, Any, Success]:
        try:
            while True:
                reply = yield from self._send(permits)
                if isinstance(reply, Answered):
                    if self.quota is not None:
                        self.quota.give_back(self.last_cost)
                    return Success(reply.response, self.attempt)
                outcome = outcome_of(reply.error)
                self._note(outcome, reply.error)
                if self._is_proven_applied(outcome):
                    return Success(None, self.attempt)
                delay_s = self._retry_delay_s(outcome, reply.draw)
                if self.is_observed:
                    self._emit_failure(outcome, delay_s)
                if delay_s is None:
                    raise self._error() from self.cause
                woke: Woke = yield Sleep(delay_s)
                self.now_s = woke.now_s
        except Exception:
            raise
        except BaseException as cancellation:
            may_be_applied = self.call.is_write and (self.is_in_flight or self.is_ambiguous)
            self.emit(CallCancelled, attempts=self.attempt, may_be_applied=may_be_applied)
            if may_be_applied and not isinstance(cancellation, GeneratorExit):
                raise cancellation from self._unknown("the caller cancelled the call")
            raise

    def _send(self, permits: Permits | None) -> Generator[Command, Any, Answered | Raised]:
        """One attempt, under one permit, with one result for the circuit breaker."""
        permit = self._acquire(permits)
        try:
            taken: SlotTaken | Raised = yield TakeSlot(self._timeout_s())
            self.now_s = taken.now_s
            if isinstance(taken, Raised):
                raise self._not_sent(self._slot_error()) from taken.error
            if taken.was_awaited:
                if permits is not None:
                    # The circuit may have opened during the wait.
                    permits.release(permit)
                    permit = None
                    permit = self._acquire(permits)
                if self.deadline is not None and self.deadline.is_over(self.now_s):
                    raise self._not_sent(self._slot_error())
            sent_s = self.now_s
            self.attempt += 1
            if self.attempt == 1:
                self.first_sent_s = sent_s
            self.is_in_flight = True
            reply: Answered | Raised = yield Send(
                self.attempt, self._timeout_s(), self._wants_fresh_credentials()
            )
            self.is_in_flight = False
            self.now_s = reply.now_s
            if permits is not None:
                used, permit = permit, None
                if isinstance(reply, Answered):
                    permits.record(used, "success", reply.now_s - sent_s, reply.now_s)
                else:
                    result = outcome_of(reply.error).circuit_result
                    duration_s = reply.now_s - sent_s
                    permits.record(used, result, duration_s, reply.now_s, reply.draw)
            return reply
        finally:
            if permits is not None and permit is not None:
                permits.release(permit)

    def _acquire(self, permits: Permits | None) -> Any:
        if permits is None:
            return None
        try:
            return permits.acquire(self.now_s)
        except CircuitOpenError as error:
            raise self._not_sent(error) from self.cause

    def _wants_fresh_credentials(self) -> bool:
        return self.outcome is not None and self.outcome.error_class is ErrorClass.CREDENTIALS

    def _timeout_s(self) -> float | None:
        if self.deadline is None:
            return self.attempt_timeout_s
        remaining_s = self.deadline.remaining_s(self.now_s)
        if self.attempt_timeout_s is None:
            return remaining_s
        return min(self.attempt_timeout_s, remaining_s)

    def _slot_error(self) -> DeadlineExceededError:
        timeout_s = self.deadline.timeout_s if self.deadline else self.attempt_timeout_s or 0.0
        return DeadlineExceededError(self.call.operation, timeout_s, "a connection slot")

    def _not_sent(self, error: DynasafeError) -> DynasafeError:
        """The error itself where it stopped the first attempt; else what came before it."""
        return error if self.outcome is None else self._error()

    def _note(self, outcome: Outcome, error: Exception) -> None:
        if self.call.is_write and outcome.may_be_applied:
            self.is_ambiguous = True
        elif self.call.client_request_token is not None and _settles_token(outcome):
            self.is_ambiguous = False
        if outcome.reached_service or self.outcome is None or not self.outcome.reached_service:
            self.outcome = outcome
            self.cause = error

    def _is_proven_applied(self, outcome: Outcome) -> bool:
        """Whether the condition failed since this very call had been applied before.

        By an earlier attempt, or by a delivery of this one: what is between here and DynamoDB may
        deliver a request twice.
        """
        resolve = self.call.resolve_condition_failure
        if outcome.error_class is not ErrorClass.CONDITION_FAILED or resolve is None:
            return False
        resolution = resolve(outcome.item)
        if resolution == "not_applied":
            self.is_ambiguous = False
        return resolution == "applied"

    def _retry_delay_s(self, outcome: Outcome, draw: float) -> float | None:
        """Seconds until the next attempt, or None where there is to be none."""
        policy = self.policy
        if policy is None or self.attempt >= policy.max_attempts:
            return None
        match outcome.error_class:
            case ErrorClass.CONDITION_FAILED | ErrorClass.FINAL | ErrorClass.LOCAL:
                return None
            case ErrorClass.AMBIGUOUS if self.call.is_write and not self.call.is_repeatable:
                return None
            case ErrorClass.CREDENTIALS:
                if self.had_fresh_credentials:
                    return None
                self.had_fresh_credentials = True
                self.last_cost = 0
                return 0.0
            case _:
                pass
        delay_s = policy.delay_s(
            self.attempt - 1,
            is_throttle=outcome.is_throttle,
            draw=draw,
            retry_after=outcome.retry_after,
        )
        if outcome.error_class is ErrorClass.IN_PROGRESS:
            delay_s = self._in_progress_delay_s(delay_s, policy)
        if not self._is_in_time(delay_s):
            return None
        cost = retry_cost(is_throttle=outcome.is_throttle)
        if self.quota is not None and not self.quota.take(cost):
            return None
        self.last_cost = cost
        return delay_s

    def _in_progress_delay_s(self, delay_s: float, policy: RetryPolicy) -> float:
        if self.attempt < policy.max_attempts - 1:
            return delay_s
        longer_s = max(delay_s, self.first_sent_s + IN_PROGRESS_WAIT_S - self.now_s)
        return longer_s if self._is_in_time(longer_s) else delay_s

    def _is_in_time(self, delay_s: float) -> bool:
        next_s = self.now_s + delay_s
        # The window is counted from the first request, which is earlier than its completion.
        if self.call.client_request_token and next_s >= self.first_sent_s + TOKEN_WINDOW_S:
            return False
        return self.deadline is None or next_s < self.deadline.at_s

    def _error(self) -> DynasafeError:
        """What the caller is told of the last failure."""
        outcome = self.outcome
        assert outcome is not None
        if self.is_ambiguous:
            return self._unknown(f"{outcome.code}: {outcome.message}")
        match outcome.error_class:
            case ErrorClass.LOCAL if outcome.code == ConnectionSlotTimeout.__name__:
                return self._slot_error()
            case ErrorClass.LOCAL if outcome.code == "ParamValidationError":
                return InvalidRequestError(self.call.operation, [_param_finding(outcome)])
            case ErrorClass.LOCAL | ErrorClass.NOT_CONNECTED:
                return ConnectionNotMadeError(self.call.operation, self.attempt, outcome.message)
            case _ if not outcome.is_answer:
                return NoAnswerError(
                    self.call.operation,
                    table_name=self.call.table_name,
                    attempts=self.attempt,
                    reason=f"{outcome.code}: {outcome.message}",
                )
            case _:
                return self._service_error(outcome)

    def _service_error(self, outcome: Outcome) -> ServiceError:
        if outcome.code == "TransactionCanceledException":
            error_type: type[ServiceError] = TransactionCanceledError
        elif outcome.error_class is ErrorClass.CONDITION_FAILED:
            error_type = ConditionalCheckFailedError
        elif outcome.error_class is ErrorClass.THROTTLED:
            error_type = ThrottledError
        else:
            error_type = ServiceError
        error = error_type(
            self.call.operation,
            outcome.code,
            outcome.message,
            error_class=outcome.error_class.value,
            table_name=self.call.table_name,
            http_status=outcome.http_status,
            request_id=outcome.request_id,
            attempts=self.attempt,
        )
        if isinstance(error, ConditionalCheckFailedError):
            error.item = outcome.item
        elif isinstance(error, ThrottledError):
            error.reasons = outcome.throttling_reasons
        elif isinstance(error, TransactionCanceledError):
            error.reasons = tuple(
                CancellationReason(
                    operation=self.call.operation,
                    code=str(reason.get("Code", "None")),
                    message=reason.get("Message"),
                    item=reason.get("Item"),
                )
                for reason in outcome.cancellation_reasons
            )
        return error

    def _unknown(self, reason: str) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            self.call.operation,
            table_name=self.call.table_name,
            attempts=self.attempt,
            reason=reason,
            request_id=None if self.outcome is None else self.outcome.request_id,
            client_request_token=self.call.client_request_token,
            item=None if self.outcome is None else self.outcome.item,
        )

    def _emit_failure(self, outcome: Outcome, delay_s: float | None) -> None:
        if not outcome.is_known:
            self.emit(UnknownErrorCode, code=outcome.code, http_status=outcome.http_status)
        self.emit(
            AttemptFailed,
            attempt=self.attempt,
            error_class=outcome.error_class.value,
            code=outcome.code,
            delay_s=delay_s,
        )

    def emit(self, event_type: type[CallEvent], **facts: Any) -> None:
        call = self.call
        event = event_type(operation=call.operation, table_name=call.table_name, **facts)
        emit(self.hooks, event)


def _settles_token(outcome: Outcome) -> bool:
    """Whether the answer to a repeat says that the first request under its token was not applied.

    A repeat of a completed transaction succeeds. So one that is cancelled for good was the first
    of its token to be decided.
    """
    is_cancelled = outcome.code == "TransactionCanceledException"
    return is_cancelled and outcome.error_class is ErrorClass.FINAL


def _param_finding(outcome: Outcome) -> Finding:
    return Finding(
        code="DYS101",
        message=outcome.message,
        where=Where(parameter="parameters"),
        fix="give the members that the operation has, each of its type",
    )
