"""The loop around every request: permits, attempts, delays, and the final result.

It is a generator without I/O. It yields commands, and is sent their results, with the time and, for
a failure, a random draw. So the async and the sync driver share all decisions, and tests use a
virtual clock.

    TakeSlot -> SlotTaken | Raised        a connection slot, after the circuit breaker's permit
    Send     -> Answered | Raised         one request
    Refresh  -> Refreshed | Raised        fresh credentials, after DynamoDB refused expired ones
    Sleep    -> Woke                      the delay before the next request

The generator returns a `Success`, or raises one of dynasafe's errors. A cancelled driver throws the
cancellation into the generator, which gives the permit back.

Sources: "Error handling with DynamoDB"; "TransactWriteItems", Amazon DynamoDB API Reference, for
the 10 minutes in which a ClientRequestToken is recognised.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from dynasafe.errors import (
    CancellationReason,
    CircuitOpenError,
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
from dynasafe.hooks import emit, is_logged
from dynasafe.limits import TOKEN_WINDOW_S
from dynasafe.resilience.boundary import NotSent
from dynasafe.resilience.outcomes import CircuitResult, ErrorClass, Outcome, outcome_of
from dynasafe.resilience.retry import RetryPolicy, RetryQuota, retry_cost

if TYPE_CHECKING:
    from dynasafe.events import CallEvent, Hook

_ITEM_TOO_LARGE = r"Item size (to update )?has exceeded the maximum allowed size"

_ATTEMPT_WITHOUT_LIMIT_S = 60.0
"""Seconds that a request with a token may take to arrive, where attempts have no limit."""

IN_PROGRESS_WAIT_S = 5.0
"""Seconds after the first request until a transaction in progress is sent once more."""

Resolution = Literal["applied", "unknown"]
Resolve = Callable[[Mapping[str, Any] | None], Resolution]


class Deadline:
    """The moment at which a call must be over, with all its attempts and delays."""

    __slots__ = ("at_s", "timeout_s")

    def __init__(self, at_s: float, timeout_s: float) -> None:
        self.at_s: Final = at_s
        """In seconds, on the clock of the loop."""
        self.timeout_s: Final = timeout_s

    def is_over(self, now_s: float) -> bool:
        return now_s >= self.at_s


class Call:
    """The facts that the loop needs about a request.

    Args:
        is_repeatable: whether a write may be sent again although it may have been applied, because
            it is idempotent or has a token.
        token_since_s: when an earlier call may have sent the first request with the token.
            Otherwise this call's own first request counts.
        may_be_applied: whether an earlier call with the same token may have applied it.
        resolve_condition_failure: decides, from the stored item in wire form, whether an earlier
            attempt of the same call made its condition fail.
    """

    __slots__ = (
        "client_request_token",
        "is_repeatable",
        "is_write",
        "may_be_applied",
        "operation",
        "resolve_condition_failure",
        "table_name",
        "token_since_s",
    )

    def __init__(
        self,
        *,
        operation: str,
        table_name: str | None,
        is_write: bool,
        is_repeatable: bool,
        client_request_token: str | None = None,
        token_since_s: float | None = None,
        may_be_applied: bool = False,
        resolve_condition_failure: Resolve | None = None,
    ) -> None:
        self.operation: Final = operation
        self.table_name: Final = table_name
        self.is_write: Final = is_write
        self.is_repeatable: Final = is_repeatable
        self.client_request_token: Final = client_request_token
        self.token_since_s: Final = token_since_s
        self.may_be_applied: Final = may_be_applied
        self.resolve_condition_failure: Final = resolve_condition_failure

    def under_token(self, since_s: float, *, may_be_applied: bool = False) -> Call:
        """The same call, with the time from which its token may have been sent."""
        return Call(
            operation=self.operation,
            table_name=self.table_name,
            is_write=self.is_write,
            is_repeatable=self.is_repeatable,
            client_request_token=self.client_request_token,
            token_since_s=since_s,
            may_be_applied=may_be_applied,
            resolve_condition_failure=self.resolve_condition_failure,
        )


class TakeSlot:
    """Wait for a connection slot, at most this long."""

    __slots__ = ("timeout_s",)

    def __init__(self, timeout_s: float | None) -> None:
        self.timeout_s: Final = timeout_s


class Send:
    """Send the request, give the slot back, and wait for the answer at most this long."""

    __slots__ = ("attempt", "timeout_s")

    def __init__(self, attempt: int, timeout_s: float | None) -> None:
        self.attempt: Final = attempt
        self.timeout_s: Final = timeout_s


class Refresh:
    """Fetch credentials again, within this time."""

    __slots__ = ("timeout_s",)

    def __init__(self, timeout_s: float | None) -> None:
        self.timeout_s: Final = timeout_s


class Sleep:
    """Wait before the next attempt."""

    __slots__ = ("delay_s",)

    def __init__(self, delay_s: float) -> None:
        self.delay_s: Final = delay_s


class SlotTaken:
    """The answer to TakeSlot."""

    __slots__ = ("now_s", "was_awaited")

    def __init__(self, now_s: float, was_awaited: bool) -> None:
        self.now_s: Final = now_s
        self.was_awaited: Final = was_awaited


class Answered:
    """The answer to Send if DynamoDB answered."""

    __slots__ = ("now_s", "response")

    def __init__(self, response: Mapping[str, Any], now_s: float) -> None:
        self.response: Final = response
        self.now_s: Final = now_s


class Raised:
    """The answer to a command that failed."""

    __slots__ = ("draw", "error", "now_s")

    def __init__(self, error: Exception, now_s: float, draw: float) -> None:
        self.error: Final = error
        self.now_s: Final = now_s
        self.draw: Final = draw


class Refreshed:
    """The answer to Refresh. `is_new`: the credentials differ from the refused ones."""

    __slots__ = ("is_new", "now_s")

    def __init__(self, is_new: bool, now_s: float) -> None:
        self.is_new: Final = is_new
        self.now_s: Final = now_s


class Woke:
    """The answer to Sleep."""

    __slots__ = ("now_s",)

    def __init__(self, now_s: float) -> None:
        self.now_s: Final = now_s


Command = TakeSlot | Send | Refresh | Sleep
Reply = SlotTaken | Answered | Raised | Refreshed | Woke


class Success:
    """The answer, and how many requests it took.

    `response` is None if the answer was lost and the stored item proved the write. `is_after_loss`
    says that an earlier attempt of the same call may have been applied too.
    """

    __slots__ = ("attempts", "is_after_loss", "response")

    def __init__(
        self, response: Mapping[str, Any] | None, attempts: int, is_after_loss: bool = False
    ) -> None:
        self.response: Final = response
        self.attempts: Final = attempts
        self.is_after_loss: Final = is_after_loss


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


class Progress(Protocol):
    """The requests and the time that a call has used, over several loops.

    Its events have this `call_id`.
    """

    attempts: int
    call_id: int
    now_s: float


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
    progress: Progress | None = None,
) -> Generator[Command, Any, Success]:
    """Make the call: see the module's docstring for the protocol.

    Raises:
        NotSentError: nothing was sent.
        ServiceError: DynamoDB refused it, and it was not applied.
        NoAnswerError: a read had no usable answer.
        OutcomeUnknownError: a write may or may not have been applied.
    """
    loop = _Attempts(call, now_s, policy, quota, deadline, attempt_timeout_s, hooks, progress)
    return loop.run(permits)


class FirstAttempt:
    """The first attempt of a call, without the loop. Most calls need only this one.

    A driver with a free slot takes this short path. It begins and sends, and then either reports
    the answer, or continues with a loop from that point. Permits, quota, counts, events and errors
    are the same as in the loop.

    Raises:
        CircuitOpenError: the circuit breaker refuses the call. The loop reports it.
    """

    __slots__ = ("permit", "permits", "progress", "quota", "sent_s")

    def __init__(
        self,
        permits: Permits | None,
        quota: RetryQuota | None,
        progress: Progress,
        now_s: float,
    ) -> None:
        self.permits: Permits | None = permits
        self.quota: RetryQuota | None = quota
        self.progress: Progress = progress
        self.sent_s: float = now_s
        self.permit: Any = None if permits is None else permits.acquire(now_s)
        progress.attempts += 1

    @staticmethod
    def suits(call: Call) -> bool:
        """Whether no earlier request of the call matters for the outcome."""
        return call.client_request_token is None and not call.may_be_applied

    def succeed(self, response: Mapping[str, Any], now_s: float) -> Success:
        """Report the answer."""
        self.progress.now_s = now_s
        if self.permits is not None:
            self.permits.record(self.permit, "success", now_s - self.sent_s, now_s)
        if self.quota is not None:
            self.quota.give_back(None)
        return Success(response, 1)

    def go_on(
        self, make_loop: Callable[[Permits | None], Generator[Command, Any, Success]]
    ) -> Generator[Command, Any, Success]:
        """A loop that continues from here, waiting for the answer to its Send.

        Args: make_loop: makes a loop with these permits, at the time `sent_s`.
        """
        self.progress.attempts -= 1  # the loop counts it
        loop = make_loop(None if self.permits is None else Held(self.permits, self.permit))
        next(loop)
        loop.send(SlotTaken(self.sent_s, was_awaited=False))
        return loop


class Held:
    """Permits whose first result is already known: given or refused."""

    __slots__ = ("_held", "_permits")

    def __init__(self, permits: Permits, held: Any) -> None:
        self._permits = permits
        self._held = held

    def record(
        self,
        permit: Any,
        result: CircuitResult,
        duration_s: float,
        now_s: float,
        draw: float = 0.5,
    ) -> None:
        self._permits.record(permit, result, duration_s, now_s, draw)

    def release(self, permit: Any) -> None:
        self._permits.release(permit)

    def acquire(self, now_s: float) -> Any:
        held, self._held = self._held, None
        if isinstance(held, CircuitOpenError):
            raise held
        return self._permits.acquire(now_s) if held is None else held


class _Attempts:
    """The state of one call, and its next commands."""

    __slots__ = (
        "attempt",
        "attempt_timeout_s",
        "call",
        "cause",
        "deadline",
        "duration_s",
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
        "progress",
        "quota",
        "sent",
        "token_since_s",
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
        progress: Progress | None,
    ) -> None:
        self.call = call
        self.now_s = now_s
        self.policy = policy
        self.quota = quota
        self.deadline = deadline
        self.attempt_timeout_s = attempt_timeout_s
        self.hooks = hooks
        self.is_observed = bool(hooks) or is_logged()
        self.progress = progress
        self.attempt = 0
        self.duration_s = 0.0  # of the last attempt
        self.sent = 0  # attempts of which bytes may have left
        self.first_sent_s = now_s
        self.token_since_s = call.token_since_s
        self.is_in_flight = False
        self.is_ambiguous = call.may_be_applied  # an earlier attempt may have been applied
        self.had_fresh_credentials = False
        self.last_cost: int | None = None
        # The last failure. One that did not reach DynamoDB does not replace one that did.
        self.outcome: Outcome | None = None
        self.cause: Exception | None = None

    def run(self, permits: Permits | None) -> Generator[Command, Any, Success]:
        try:
            while True:
                reply, outcome = yield from self._send(permits)
                if isinstance(reply, Answered):
                    if self.quota is not None:
                        self.quota.give_back(self.last_cost)
                    return Success(reply.response, self.sent, self.is_ambiguous)
                assert outcome is not None
                self._note(outcome, reply.error)
                if self._is_proven_applied(outcome):
                    if self.is_observed:
                        self._emit_failure(outcome, None)
                    return Success(None, self.sent, self.is_ambiguous)
                delay_s = self._retry_delay_s(outcome, reply.draw)
                if self.is_observed:
                    self._emit_failure(outcome, delay_s)
                if delay_s is None:
                    raise self._error() from self.cause
                if outcome.error_class is ErrorClass.CREDENTIALS:
                    yield from self._refresh()
                else:
                    woke: Woke = yield Sleep(delay_s)
                    self.now_s = woke.now_s
        except Exception:
            raise
        except BaseException as cancellation:
            # A transport reports whether it was cancelled before it sent anything.
            is_sent = self.is_in_flight and not isinstance(cancellation.__cause__, NotSent)
            cancellation.__cause__ = None
            may_be_applied = self.call.is_write and (is_sent or self.is_ambiguous)
            if may_be_applied and not isinstance(cancellation, GeneratorExit):
                raise cancellation from self._unknown("the caller cancelled the call")
            raise

    def _send(
        self, permits: Permits | None
    ) -> Generator[Command, Any, tuple[Answered | Raised, Outcome | None]]:
        """One attempt, with one permit and one result for the circuit breaker."""
        permit = self._acquire(permits)
        try:
            asked_s = self.now_s
            taken: SlotTaken | Raised = yield TakeSlot(self._remaining_s())
            self.now_s = taken.now_s
            if isinstance(taken, Raised):
                refusal = taken.error
                if not isinstance(refusal, NotSentError):
                    refusal = self._time_is_over("a connection slot")
                raise self._not_sent(refusal) from taken.error
            if taken.was_awaited and permits is not None:
                # The circuit may have opened during the wait.
                permits.release(permit)
                permit = None
                permit = self._acquire(permits)
            if self.deadline is not None and self.now_s >= self.deadline.at_s:
                raise self._not_sent(self._time_is_over("a connection slot"))
            sent_s = self.now_s
            if self.call.client_request_token is not None:
                self._require_token_window()
            self.attempt += 1
            self._count_sent(1)
            if self.attempt == 1:
                self.first_sent_s = sent_s
            if self.is_observed:
                from dynasafe.events import AttemptStarted

                waited_s = self.now_s - asked_s if taken.was_awaited else 0.0
                self.emit(AttemptStarted, attempt=self.attempt, waited_s=waited_s)
            self.is_in_flight = True
            reply: Answered | Raised = yield Send(self.attempt, self._timeout_s())
            self.is_in_flight = False
            self.now_s = reply.now_s
            if self.progress is not None:
                self.progress.now_s = reply.now_s
            duration_s = self.duration_s = reply.now_s - sent_s
            used, permit = permit, None
            if isinstance(reply, Answered):
                if permits is not None:
                    permits.record(used, "success", duration_s, reply.now_s)
                if self.is_observed:
                    from dynasafe.events import AttemptSucceeded

                    self.emit(
                        AttemptSucceeded,
                        attempt=self.attempt,
                        duration_s=duration_s,
                        consumed_capacity=_capacity_units(reply.response),
                    )
                return reply, None
            outcome = outcome_of(reply.error)
            if not outcome.reached_service:
                self._count_sent(-1)
            if permits is not None:
                permits.record(used, outcome.circuit_result, duration_s, reply.now_s, reply.draw)
            return reply, outcome
        finally:
            if permits is not None and permit is not None:
                permits.release(permit)

    def _count_sent(self, count: int) -> None:
        self.sent += count
        if self.progress is not None:
            self.progress.attempts += count

    def _acquire(self, permits: Permits | None) -> Any:
        if permits is None:
            return None
        try:
            return permits.acquire(self.now_s)
        except CircuitOpenError as error:
            raise self._not_sent(error) from self.cause

    def _refresh(self) -> Generator[Command, Any, None]:
        reply: Refreshed | Raised = yield Refresh(self._remaining_s())
        self.now_s = reply.now_s
        if isinstance(reply, Raised):
            failed = outcome_of(reply.error)
            error = self._error()
            error.add_note(f"Its credentials could not be refreshed: {failed.message}")
            if failed.not_sent is not None:
                raise error from self._not_sent_error(failed)
            raise error from reply.error
        if not reply.is_new:
            raise self._error() from self.cause

    def _remaining_s(self) -> float | None:
        return None if self.deadline is None else max(0.0, self.deadline.at_s - self.now_s)

    def _timeout_s(self) -> float | None:
        remaining_s = self._remaining_s()
        if remaining_s is None or self.attempt_timeout_s is None:
            return self.attempt_timeout_s if remaining_s is None else remaining_s
        return min(self.attempt_timeout_s, remaining_s)

    def _time_is_over(self, waiting_for: str) -> DeadlineExceededError:
        assert self.deadline is not None
        return DeadlineExceededError(self.call.operation, self.deadline.timeout_s, waiting_for)

    def _require_token_window(self) -> None:
        """Refuse to send with a token that DynamoDB may have forgotten.

        Checked right before each request, because delays take time. DynamoDB recognises a repeat
        within the window, and would apply it again after it. The transport may still have to
        connect, so the request may arrive only at the end of the attempt.
        """
        if self.token_since_s is None or not (self.sent or self.is_ambiguous):
            self.token_since_s = self.now_s  # nobody has used the token yet
        elif self.now_s + self._longest_attempt_s() >= self.token_since_s + TOKEN_WINDOW_S:
            reason = f"the {TOKEN_WINDOW_S:.0f} s in which its token is recognised are over"
            raise self._unknown(reason) from self.cause

    def _not_sent(self, error: DynasafeError) -> DynasafeError:
        """The error itself if it stopped the first attempt; else the error of the earlier
        attempt."""
        if self.outcome is not None:
            return self._error()
        return self._unknown(type(error).__name__) if self.is_ambiguous else error

    def _note(self, outcome: Outcome, error: Exception) -> None:
        if self.call.is_write and outcome.may_be_applied:
            self.is_ambiguous = True
        elif self.call.client_request_token is not None and _settles_token(outcome):
            self.is_ambiguous = False
        if outcome.reached_service or self.outcome is None or not self.outcome.reached_service:
            self.outcome = outcome
            self.cause = error

    def _is_proven_applied(self, outcome: Outcome) -> bool:
        """Whether the condition failed because this same call was applied before.

        By an earlier attempt, or by a second delivery of this one: the network may deliver a
        request twice.
        """
        resolve = self.call.resolve_condition_failure
        if outcome.error_class is not ErrorClass.CONDITION_FAILED or resolve is None:
            return False
        return resolve(outcome.item) == "applied"

    def _retry_delay_s(self, outcome: Outcome, draw: float) -> float | None:
        """Seconds until the next attempt, or None for no further attempt."""
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

    def _longest_attempt_s(self) -> float:
        timeout_s = self._timeout_s()
        return _ATTEMPT_WITHOUT_LIMIT_S if timeout_s is None else timeout_s

    def _is_in_time(self, delay_s: float) -> bool:
        next_s = self.now_s + delay_s
        # The window is measured from the first request, which is before its completion.
        if self.token_since_s is not None:
            last_s = self.token_since_s + TOKEN_WINDOW_S
            if next_s + self._longest_attempt_s() >= last_s:
                return False
        return self.deadline is None or next_s < self.deadline.at_s

    def _error(self) -> DynasafeError:
        """The error that the caller gets for the last failure."""
        outcome = self.outcome
        assert outcome is not None
        if self.is_ambiguous:
            return self._unknown(outcome.reason)
        match outcome.error_class:
            case ErrorClass.LOCAL | ErrorClass.NOT_CONNECTED:
                return self._not_sent_error(outcome)
            case _ if not outcome.is_answer:
                return NoAnswerError(
                    self.call.operation,
                    table_name=self.call.table_name,
                    attempts=self.sent,
                    reason=outcome.reason,
                )
            case _:
                return self._service_error(outcome)

    def _not_sent_error(self, outcome: Outcome) -> NotSentError:
        fact = outcome.not_sent
        assert fact is not None
        operation = self.call.operation
        if isinstance(fact, NotSentError):
            return fact
        if fact.provider is not None:
            return CredentialsError(operation, fact.provider, fact.reason)
        is_over = self.deadline is not None and self.deadline.is_over(self.now_s)
        if fact.limit is not None and is_over:
            return self._time_is_over("a connection")
        return ConnectionNotMadeError(operation, self.attempt, fact.reason, limit=fact.limit)

    def _service_error(self, outcome: Outcome) -> ServiceError:
        if outcome.code == "TransactionCanceledException":
            error_type: type[ServiceError] = TransactionCanceledError
        elif outcome.error_class is ErrorClass.CONDITION_FAILED:
            error_type = ConditionalCheckFailedError
        elif outcome.error_class is ErrorClass.THROTTLED:
            error_type = ThrottledError
        elif outcome.code == "ValidationException" and re.match(_ITEM_TOO_LARGE, outcome.message):
            error_type = ItemTooLargeError
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
            attempts=self.sent,
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
            attempts=self.sent,
            reason=reason,
            request_id=None if self.outcome is None else self.outcome.request_id,
            client_request_token=self.call.client_request_token,
            item=None if self.outcome is None else self.outcome.item,
        )

    def _emit_failure(self, outcome: Outcome, delay_s: float | None) -> None:
        from dynasafe.events import AttemptFailed, UnknownErrorCode

        if not outcome.is_known:
            self.emit(UnknownErrorCode, code=outcome.code, http_status=outcome.http_status)
        self.emit(
            AttemptFailed,
            attempt=self.attempt,
            error_class=outcome.error_class.value,
            code=outcome.code,
            delay_s=delay_s,
            duration_s=self.duration_s,
        )

    def emit(self, event_type: type[CallEvent], **facts: Any) -> None:
        call = self.call
        call_id = 0 if self.progress is None else self.progress.call_id
        event = event_type(
            operation=call.operation, table_name=call.table_name, call_id=call_id, **facts
        )
        emit(self.hooks, event)


def _capacity_units(response: Any) -> float | None:
    """The consumed capacity units in an answer, summed over its tables."""
    consumed = response.get("ConsumedCapacity") if isinstance(response, Mapping) else None
    if consumed is None:
        return None
    each = consumed if isinstance(consumed, Sequence) else (consumed,)
    return sum(float(one.get("CapacityUnits", 0)) for one in each)


def _settles_token(outcome: Outcome) -> bool:
    """Whether the answer to a repeat proves that the first request with its token was not applied.

    A repeat of a completed transaction succeeds. So if it is cancelled, no earlier request with the
    token was applied.
    """
    is_cancelled = outcome.code == "TransactionCanceledException"
    return is_cancelled and outcome.error_class is ErrorClass.FINAL
