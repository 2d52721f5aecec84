"""Transactions: all or nothing, with a token by which DynamoDB recognises a repeat.

Source: "Amazon DynamoDB Transactions: How it works", section "Idempotency".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar
from uuid import NAMESPACE_OID, uuid5

from dynasafe.calls.plans import Aside, CallState, Plan
from dynasafe.calls.requests import Request, Table, present
from dynasafe.calls.writes import (
    Write,
    WriteResult,
    explained,
    finish_plan,
    settle_plan,
    write_plan,
)
from dynasafe.errors import (
    CancellationReason,
    ConditionalCheckFailedError,
    DynasafeError,
    NotSentError,
    OutcomeUnknownError,
    TransactionCanceledError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.limits import MAX_CLIENT_REQUEST_TOKEN_LENGTH, TOKEN_WINDOW_S
from dynasafe.resilience.attempts import Call
from dynasafe.values.whole_items import is_large

T = TypeVar("T")


def token_of(given: str | None, state: CallState) -> str:
    """The caller's ClientRequestToken, or a new one.

    Raises:
        ValueOutOfRangeError: it is empty, or longer than 36 characters.
    """
    if given is None:
        return state.new_id()
    if not isinstance(given, str) or not 1 <= len(given) <= MAX_CLIENT_REQUEST_TOKEN_LENGTH:
        raise ValueOutOfRangeError(
            "client_request_token",
            f"a str of 1 to {MAX_CLIENT_REQUEST_TOKEN_LENGTH} characters is expected",
        )
    return given


def transact_write_request(
    writes: Sequence[Write[Any]], token: str, members: Mapping[str, str | None]
) -> Request:
    """TransactWriteItems with a token."""
    tables = {write.table_name for write in writes}
    return Request(
        {
            "TransactItems": [{write.kind: dict(write.params)} for write in writes],
            "ClientRequestToken": token,
            **present(members),
        },
        Call(
            operation="TransactWriteItems",
            table_name=tables.pop() if len(tables) == 1 else None,
            is_write=True,
            is_repeatable=True,
            client_request_token=token,
        ),
        {write.table_name: write.shape.item_class for write in writes},
    )


def resolvable(
    run: Callable[[Request, CallState], Plan[T]], request: Request, state: CallState
) -> Plan[T]:
    """Run a request with a token. If the outcome is unknown, running it again resolves it.

    DynamoDB knows the token for 10 minutes. They count from the start of the first call with the
    token.
    """

    def first(current: CallState) -> Plan[T]:
        return (yield from attempt(request.under_token(current.began_s), current))

    def again(current: CallState, unknown: OutcomeUnknownError) -> Plan[T]:
        repeat = request.under_token(state.began_s, may_be_applied=True)
        try:
            return (yield from attempt(repeat, current))
        except NotSentError as error:
            # This is true for the repeat, but not for the earlier request.
            raise unknown from error

    def attempt(current_request: Request, current: CallState) -> Plan[T]:
        try:
            return (yield from run(current_request, current))
        except OutcomeUnknownError as error:
            offer(error)
            raise
        except Exception:
            raise
        except BaseException as cancellation:
            current.explain(cancellation)
            if isinstance(cancellation.__cause__, OutcomeUnknownError):
                offer(cancellation.__cause__)
            raise

    def offer(error: OutcomeUnknownError) -> None:
        error._resolve_plan = lambda later: again(later, error)

    return first(state)


_MEMBERS = {
    "return_consumed_capacity": "ReturnConsumedCapacity",
    "return_item_collection_metrics": "ReturnItemCollectionMetrics",
}


def single_write_plan(
    table: Table[Any],
    make: Callable[..., Write[Any]],
    given: object,
    options: Mapping[str, Any],
    return_values: str | None,
    state: CallState,
) -> Plan[WriteResult[Any]]:
    """One put, update or delete, alone or exactly once.

    Args:
        make: makes the write from a condition and a write id.
        given: the values that `make` converts.
        options: see `WriteOptions`.
    """
    if return_values is not None and not isinstance(return_values, str):
        raise _no_such_type("return_values", "text", return_values)
    token = _token_in(options, state) if options else None
    schema = table.shape.schema
    has_write_id = schema is not None and schema.write_id is not None
    write_id = new_write_id(token, state) if has_write_id else None
    if options:
        make = partial(make, condition=options.get("condition"))
    if given is not None and is_large(given):
        write = yield Aside(partial(make, write_id=write_id))
    else:
        write = make(write_id=write_id)
    if not options:  # most calls have none
        return (yield from write_plan(write, state, return_values))
    members = {_MEMBERS[name]: options[name] for name in _MEMBERS if name in options}
    if token is None:
        return (yield from write_plan(write, state, return_values, **members))
    is_own_token = options.get("client_request_token") is None
    plan = exactly_once_plan(write, token, state, return_values, members, is_own_token=is_own_token)
    return (yield from plan)


def _token_in(options: Mapping[str, Any], state: CallState) -> str | None:
    """The token of a write with exactly_once, or None for a plain write."""
    given, exactly_once = options.get("client_request_token"), options.get("exactly_once", False)
    if not isinstance(exactly_once, bool | None):
        raise _no_such_type("exactly_once", "True or False", exactly_once)
    return token_of(given, state) if exactly_once or given is not None else None


def _no_such_type(name: str, words: str, given: object) -> UnsupportedTypeError:
    return UnsupportedTypeError(name, f"{words} is expected, not {type(given).__name__}")


def new_write_id(token: str | None, state: CallState, index: int = 0) -> str:
    """A random id; with a token, the same id for each repeat of the call."""
    return state.new_id() if token is None else str(uuid5(NAMESPACE_OID, f"{index}:{token}"))


def exactly_once_plan(
    write: Write[Any],
    token: str,
    state: CallState,
    return_values: str | None,
    members: Mapping[str, str | None],
    *,
    is_own_token: bool,
) -> Plan[WriteResult[Any]]:
    """One write as a transaction: its result, or the error that the single write would raise.

    Args:
        is_own_token: whether the token was made for this call. Then so was the write id. Another
            call with the caller's token leaves the same id, which proves nothing of this one.
    """
    if return_values not in (None, "NONE") and not (
        return_values == "ALL_NEW" and write.kind == "Update"
    ):
        raise ValueOutOfRangeError(
            "return_values",
            f"a transaction returns no {return_values}. Fix: leave it out, or use "
            "ALL_NEW of update_item, which is read back",
        )

    def describe(error: BaseException | None) -> None:
        write.describe(error)
        if isinstance(error, OutcomeUnknownError):
            error.client_request_token = token

    def run(request: Request, current: CallState) -> Plan[WriteResult[Any]]:
        current.describe = describe
        try:
            success = yield request
        except TransactionCanceledError as error:
            raise _explained_cancellation(write, error) from error.__cause__
        except OutcomeUnknownError as error:
            write.describe(error)
            is_over = current.now_s >= state.began_s + TOKEN_WINDOW_S
            if write.write_id is None or not is_own_token or not is_over:
                raise
            return (yield from settle_plan(write, current, return_values, error))
        except BaseException as cancellation:
            write.describe(cancellation.__cause__)
            raise
        return (yield from finish_plan(write, current, success, return_values, token))

    return (yield from resolvable(run, transact_write_request([write], token, members), state))


def transact_write_plan(
    writes: Sequence[Write[Any]],
    token: str,
    state: CallState,
    members: Mapping[str, str | None],
) -> Plan[WriteResult[None]]:
    """All the writes, or none."""
    writes = [
        write if write.write_id is None else write.with_write_id(new_write_id(token, state, index))
        for index, write in enumerate(writes)
    ]

    def run(request: Request, current: CallState) -> Plan[WriteResult[None]]:
        try:
            success = yield request
        except TransactionCanceledError as error:
            raise _with_operations(error, writes) from error.__cause__
        for write in writes:
            write.advance()
        response = success.response or {}
        return WriteResult(
            attributes=None,
            attempts=current.attempts,
            consumed_capacity=_by_table(response.get("ConsumedCapacity")),
            item_collection_metrics=response.get("ItemCollectionMetrics"),
        )

    return (yield from resolvable(run, transact_write_request(writes, token, members), state))


def _explained_cancellation(write: Write[Any], error: TransactionCanceledError) -> DynasafeError:
    reason: CancellationReason | None = error.reasons[0] if error.reasons else None
    if reason is None or reason.code != "ConditionalCheckFailed":
        return error
    alone = ConditionalCheckFailedError(
        write.operation,
        "ConditionalCheckFailedException",
        reason.message or "The conditional request failed",
        error_class="condition_failed",
        table_name=error.table_name,
        http_status=error.http_status,
        request_id=error.request_id,
        attempts=error.attempts,
    )
    alone.item = reason.item
    return explained(write, alone)


def _with_operations(
    error: TransactionCanceledError, writes: Sequence[Write[Any]]
) -> TransactionCanceledError:
    """The same error, with operations and typed items in its reasons."""
    if len(error.reasons) == len(writes):
        error.reasons = tuple(
            CancellationReason(
                operation=write.kind,
                code=reason.code,
                message=reason.message,
                item=write.shape.decode_refused(reason.item, error),
            )
            for write, reason in zip(writes, error.reasons, strict=True)
        )
    return error


def _by_table(capacities: Sequence[Mapping[str, Any]] | None) -> Mapping[str, Any] | None:
    if not capacities:
        return None
    return {capacity["TableName"]: capacity for capacity in capacities}
