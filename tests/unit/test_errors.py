"""Every error is one tree, survives pickle, and can be shown."""

from __future__ import annotations

import copy
import inspect
import math
import pickle

import pytest

from dynasafe import errors
from dynasafe.errors import (
    BatchIncompleteError,
    CancellationReason,
    CircuitOpenError,
    ClientClosedError,
    ClientRetriesError,
    ConditionalCheckFailedError,
    ConnectionNotMadeError,
    CredentialsError,
    DeadlineExceededError,
    DynasafeError,
    EmptyUpdateError,
    ExpressionSyntaxError,
    ForkedProcessError,
    GuardUnavailableError,
    InvalidPatchError,
    InvalidPathError,
    InvalidRequestError,
    InvalidValueError,
    ItemTooLargeError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    ServiceError,
    StoredValueError,
    ThrottledError,
    TransactionCanceledError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
    VersionConflictError,
    WrongEventLoopError,
)
from dynasafe.findings.finding import Finding, Where

FINDING = Finding(
    code="DYS203",
    message="Two document paths overlap",
    where=Where(parameter="UpdateExpression", text="SET a = :a, a.b = :b", span=(12, 15)),
    fix="set the whole attribute once",
)


def service(cls: type[ServiceError]) -> ServiceError:
    return cls(
        "UpdateItem",
        "SomeException",
        "said",
        error_class="final",
        table_name="t",
        http_status=400,
        request_id="R",
        attempts=2,
    )


def with_facts() -> list[DynasafeError]:
    condition = service(ConditionalCheckFailedError)
    assert isinstance(condition, ConditionalCheckFailedError)
    condition.item = {"a": 1}
    version = service(VersionConflictError)
    assert isinstance(version, VersionConflictError)
    version.expected_version, version.stored_version = 1, 2
    cancelled = service(TransactionCanceledError)
    assert isinstance(cancelled, TransactionCanceledError)
    cancelled.reasons = (CancellationReason(operation="Put", code="None"),)
    throttled = service(ThrottledError)
    assert isinstance(throttled, ThrottledError)
    throttled.reasons = ("TableWriteKeyRangeThroughputExceeded",)
    return [
        DynasafeError("x"),
        NotSentError("x"),
        InvalidValueError("a.b", "why"),
        UnsupportedTypeError("a.b", "why"),
        ValueOutOfRangeError("", "why"),
        InvalidPathError("", "why"),
        InvalidPatchError(
            [Finding(code="DYS141", message="m", where=Where(parameter="patch"), fix="f")],
            {"a": "why"},
        ),
        StoredValueError("a", "why"),
        InvalidRequestError("UpdateItem", [FINDING]),
        ExpressionSyntaxError("why", "a = b", (2, 3), "so"),
        EmptyUpdateError(),
        CircuitOpenError("t/write", 1.5),
        DeadlineExceededError("GetItem", 2.0, "a connection slot"),
        ConnectionNotMadeError("GetItem", 3, "refused", limit="connect_timeout_s"),
        CredentialsError("GetItem", "assume-role", "denied"),
        ForkedProcessError(),
        ClientRetriesError("{}"),
        WrongEventLoopError(),
        ClientClosedError(),
        GuardUnavailableError("1.40.61"),
        service(ServiceError),
        condition,
        version,
        cancelled,
        throttled,
        service(ItemTooLargeError),
        NoAnswerError("GetItem", table_name="t", attempts=2, reason="why"),
        OutcomeUnknownError("PutItem", table_name="t", reason="why", client_request_token="x"),
        BatchIncompleteError(
            "BatchWriteItem", table_name="t", processed=[1], unprocessed=[2, 3], unknown=[4]
        ),
    ]


RETRYABLE = {
    CircuitOpenError,
    ConnectionNotMadeError,
    DeadlineExceededError,
    NoAnswerError,
}


def test_retryable_errors() -> None:
    """A generic retry may repeat these; never what is invalid, refused for good, or unknown."""
    assert {type(error) for error in with_facts() if error.is_retryable} == RETRYABLE
    refusals = {
        name: ServiceError("PutItem", "X", "m", error_class=name).is_retryable
        for name in ("throttled", "conflict", "condition_failed", "credentials", "final")
    }
    assert [name for name, is_retryable in refusals.items() if is_retryable] == [
        "throttled",
        "conflict",
    ]


def test_notes_survive_pickle() -> None:
    """What was noted on an error is there after it went through a queue."""
    error = NotSentError("x")
    error.add_note("seen by the worker")

    assert pickle.loads(pickle.dumps(error)).__notes__ == ["seen by the worker"]


def test_every_error_is_tried_here() -> None:
    """Each public error class has an instance in this file's tests."""
    public = {
        cls
        for _, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, DynasafeError) and not cls.__name__.startswith("_")
    }
    assert {type(error) for error in with_facts()} == public


@pytest.mark.parametrize("error", with_facts(), ids=lambda error: type(error).__name__)
def test_facts_survive_pickle_and_copy(error: DynasafeError) -> None:
    """A pickled or copied error has the same type, text and fields."""
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        facts = {name: fact for name, fact in vars(error).items() if not name.startswith("_")}
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert {n: f for n, f in vars(twin).items() if not n.startswith("_")} == facts


async def test_unpickled_unknown_stays_unknown() -> None:
    """Resolving an unpickled unknown outcome raises it again."""
    error = OutcomeUnknownError("PutItem", reason="why", client_request_token="x")
    twin: OutcomeUnknownError = pickle.loads(pickle.dumps(error))
    with pytest.raises(OutcomeUnknownError):
        await twin.resolve()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            InvalidRequestError("UpdateItem", [FINDING]),
            "UpdateItem was not sent.\n"
            "Two document paths overlap [DYS203]\n"
            "  in UpdateExpression\n"
            "    SET a = :a, a.b = :b\n"
            "                ^^^\n"
            "  Fix: set the whole attribute once",
        ),
        (
            service(ServiceError),
            "UpdateItem on table 't' was refused: SomeException: said (attempts: 2, request id: R)",
        ),
        (
            OutcomeUnknownError("PutItem", table_name="t", attempts=2, reason="reset"),
            "PutItem on table 't' was sent 2 time(s) and may or may not have been applied: reset. "
            "Fix: read the item before you repeat the write, or use exactly_once=True.",
        ),
        (
            OutcomeUnknownError("PutItem", reason="reset", client_request_token="x"),
            "PutItem was sent 1 time(s) and may or may not have been applied: reset. "
            "Fix: db.resolve(error) finds out.",
        ),
        (
            ClientRetriesError("legacy"),
            "This client repeats requests by itself (retries=legacy), which would apply a "
            "timed-out increment twice. Fix: make it with config=dynasafe.client_config(), or "
            "use connect().",
        ),
    ],
)
def test_messages_say_how_to_fix_it(error: DynasafeError, message: str) -> None:
    """The whole text of each error: what happened, where, and how to fix it."""
    assert str(error) == message


def test_circuit_opened_by_hand_promises_no_time() -> None:
    """The error of a circuit that was opened by hand names no time for a retry."""
    assert str(CircuitOpenError("t/write", math.inf)) == (
        "Call not sent: the circuit 't/write' was opened by hand. "
        "Fix: serve a fallback, or reset() it."
    )


RETRYABLE = {
    CircuitOpenError,
    ConnectionNotMadeError,
    DeadlineExceededError,
    NoAnswerError,
}
"""Classes of which each error may be followed by the same call again, a little later."""


@pytest.mark.parametrize("error", with_facts(), ids=lambda error: type(error).__name__)
def test_is_retryable(error: DynasafeError) -> None:
    """Nothing that may count twice, and nothing that is refused again."""
    assert error.is_retryable is (type(error) in RETRYABLE)


@pytest.mark.parametrize(
    ("error_class", "expected"),
    [("throttled", True), ("conflict", True), ("final", False), ("credentials", False)],
)
def test_refusals_that_are_retryable(error_class: str, expected: bool) -> None:
    """A refusal says by its class whether it holds a moment later too."""
    error = ThrottledError("UpdateItem", "SomeException", "said", error_class=error_class)
    assert error.is_retryable is expected
