"""Sends hand-written parameters of any operation, with the same retries and errors.

Source: "Actions", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynasafe.calls.plans import CallState, Plan
from dynasafe.calls.requests import Request
from dynasafe.calls.transactions import resolvable
from dynasafe.errors import InvalidRequestError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.expressions.idempotency import is_idempotent
from dynasafe.expressions.parser import parse_condition, parse_update
from dynasafe.findings.quoting import quoted
from dynasafe.limits import MAX_EXPRESSION_BYTES
from dynasafe.operations import OPERATIONS, Operation, Repeat, is_read, suggestion, table_names
from dynasafe.resilience.attempts import Call

_RETURNS_OLD = ("ALL_OLD", "UPDATED_OLD")


def handwritten_plan(
    operation: str, params: Mapping[str, Any], state: CallState
) -> Plan[Mapping[str, Any]]:
    """The answer to any operation with hand-written parameters in the client's form."""
    request = handwritten(operation, params, token=state.new_id())

    def run(current_request: Request, current: CallState) -> Plan[Mapping[str, Any]]:
        success = yield current_request
        return success.response or {}

    if request.call.client_request_token is not None:
        return (yield from resolvable(run, request, state))
    return (yield from run(request, state))


def handwritten(operation: str, params: Mapping[str, Any], *, token: str) -> Request:
    """The request, with the facts that the retry loop needs.

    Args:
        token: a token for a write that takes one and has none.

    Raises:
        InvalidValueError: there is no such operation, or the parameters are not a mapping.
    """
    row = OPERATIONS.get(operation) if isinstance(operation, str) else None
    if row is None:
        if not isinstance(operation, str):
            raise UnsupportedTypeError(
                "operation", f"a str is expected, not {type(operation).__name__}"
            )
        raise ValueOutOfRangeError(
            "operation",
            f"DynamoDB has no operation {quoted(operation)}. Fix: {suggestion(operation)}",
        )
    if not isinstance(params, Mapping):
        raise UnsupportedTypeError("params", f"a mapping is expected, not {type(params).__name__}")
    is_write = not is_read(row, params)
    member = row.token_member if is_write else None
    if member is not None and params.get(member) is None:
        params = {**params, member: token}
    tables = table_names(row, params)
    return Request(
        params,
        Call(
            operation=operation,
            table_name=tables[0] if len(tables) == 1 else None,
            is_write=is_write,
            is_repeatable=not is_write or is_repeatable(row, params),
            client_request_token=None if member is None else params[member],
        ),
    )


def is_repeatable(row: Operation, params: Mapping[str, Any]) -> bool:
    """Whether the write may be sent again after its answer was lost."""
    if params.get("ReturnValues") in _RETURNS_OLD:
        return False  # a repeat would return its own new values as the old ones
    match row.repeat:
        case Repeat.ALWAYS:
            return True
        case Repeat.BY_TOKEN:
            return params.get(row.token_member or "") is not None
        case Repeat.BY_EXPRESSION:
            return _is_idempotent_update(params)
        case _:
            return False


def _is_idempotent_update(params: Mapping[str, Any]) -> bool:
    if "UpdateExpression" not in params:
        return False
    names = params.get("ExpressionAttributeNames") or {}
    values = params.get("ExpressionAttributeValues") or {}
    text = params.get("ConditionExpression")
    try:
        if max(len(params["UpdateExpression"]), len(text or "")) > MAX_EXPRESSION_BYTES:
            return False  # refused because of its size, so not read
        node = parse_update(params["UpdateExpression"], names, values)
        condition = None if text is None else parse_condition(text, names, values)
    except (InvalidRequestError, TypeError, AttributeError):
        return False  # refused anyway, so not repeatable
    return is_idempotent(node, condition)
