"""The same protection for boto3 and aioboto3 clients that exist already, by one line.

    guard(client)                   # refuses what DynamoDB would refuse, before it is sent
    guard(table, mode="repair")     # drops empty and None members

It works through botocore's event system: before anything else looks at the parameters, so that
also `ExpressionAttributeNames=None` is seen, of which boto3's own code dies; then after boto3's
Table has written Python values as AttributeValues, so that nobody has to guess which they are.

Source: "Extensibility guide", Boto3 documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from dynasafe.errors import InvalidRequestError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.events import Hook, RequestRepaired, emit, logger
from dynasafe.findings.finding import Finding
from dynasafe.operations import OPERATIONS

if TYPE_CHECKING:
    from dynasafe.validation import Form

GuardedT = TypeVar("GuardedT")
GuardMode = Literal["raise", "repair", "warn"]

_EVENT = "before-parameter-build.dynamodb"
_FIRST, _LAST = "dynasafe-guard-first", "dynasafe-guard-last"
# Without these members a request means the same as with an empty one. It does not without
# UpdateExpression and AttributeUpdates: an UpdateItem that has neither creates an empty item.
_DROPPED_IF_EMPTY = frozenset(
    {
        "AttributesToGet",
        "ConditionExpression",
        "ExclusiveStartKey",
        "Expected",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "FilterExpression",
        "ProjectionExpression",
        "QueryFilter",
        "ScanFilter",
    }
)
_NEVER_DROPPED = frozenset({"UpdateExpression", "AttributeUpdates"})


def guard(
    client: GuardedT,
    mode: GuardMode = "raise",
    *,
    schema: object = None,
    hooks: Sequence[Hook] = (),
) -> GuardedT:
    """Guard a client, a resource, a Table, or all clients that a session makes from now on.

    Guarding twice is harmless: the second mode holds.

    Args:
        client: of boto3, aioboto3, botocore or aiobotocore.
        mode: "raise" refuses an invalid request; "repair" drops members that are None, and empty
            names, values, conditions, filters, projections and start keys, also within transactions
            and batches, and nothing else, and reports it as a RequestRepaired event; "warn" logs
            the findings.
        schema: of the tables, as in `check_request`.
        hooks: called with each RequestRepaired.

    Returns:
        The client itself.

    Raises:
        InvalidRequestError: later, by the guarded calls, in mode "raise".
        UnsupportedTypeError: it is nothing that can be guarded.
    """
    # The rules are loaded for clients that are guarded only.
    from dynasafe.validation import check_request

    if mode not in ("raise", "repair", "warn"):
        raise ValueOutOfRangeError("mode", f"'raise', 'repair' or 'warn', not {mode!r}")
    unguard(client)
    emitter = _emitter(client)
    watch = _Guard(mode, schema, tuple(hooks), check_request)
    emitter.register_first(_EVENT, watch.before_others, unique_id=_FIRST)
    emitter.register_last(_EVENT, watch.after_others, unique_id=_LAST)
    return client


def unguard(client: GuardedT) -> GuardedT:
    """Take the guard away; without one, nothing happens."""
    emitter = _emitter(client)
    for unique_id in (_FIRST, _LAST):
        emitter.unregister(_EVENT, unique_id=unique_id)
    return client


def _emitter(client: Any) -> Any:
    meta = getattr(client, "meta", None)
    inner = getattr(meta, "client", None)  # of a resource
    events = getattr(getattr(inner, "meta", meta), "events", None)
    if events is None:
        events = getattr(client, "events", None)  # of a boto3 or aioboto3 session
    if events is None and hasattr(client, "get_component"):
        events = client.get_component("event_emitter")  # of a botocore session
    if events is None or not hasattr(events, "register_first"):
        raise UnsupportedTypeError(
            "client",
            "a client, resource, Table or session of boto3 or aioboto3 is expected, not "
            f"{type(client).__name__}",
        )
    return events


@dataclass(frozen=True, slots=True)
class _Guard:
    """What is done with each request."""

    mode: GuardMode
    schema: object
    hooks: tuple[Hook, ...]
    check: Callable[..., tuple[Finding, ...]]

    def before_others(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if self.mode == "repair":
            _repair(model.name, params, self.hooks)
        elif _has_none(params):
            self._judge(model.name, params, None)

    def after_others(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if not _has_none(params):  # which was judged before
            self._judge(model.name, params, "client")

    def _judge(self, operation: str, params: dict[str, Any], form: Form | None) -> None:
        if operation not in OPERATIONS:
            return  # botocore knows it, and is newer
        findings = self.check(operation, params, schema=self.schema, form=form)
        if findings and self.mode == "raise":
            raise InvalidRequestError(operation, findings)
        for finding in findings:
            logger.warning("%s: %s", operation, finding)


def _has_none(params: Mapping[str, Any]) -> bool:
    return any(value is None for value in params.values())


def _repair(operation: str, params: dict[str, Any], hooks: tuple[Hook, ...]) -> None:
    dropped: list[str] = []
    repaired = _without_empty(params, "", dropped)
    for member, value in repaired.items():
        if member == "TransactItems" and isinstance(value, list | tuple):
            repaired[member] = [
                _with_repaired_parts(entry, f"{member}[{index}].", dropped)
                for index, entry in enumerate(value)
            ]
        elif member == "RequestItems" and isinstance(value, Mapping):
            repaired[member] = _with_repaired_parts(value, f"{member}.", dropped)
    if dropped:
        params.clear()
        params.update(repaired)
        table_name = params.get("TableName")
        emit(
            hooks,
            RequestRepaired(
                operation=operation,
                table_name=table_name if isinstance(table_name, str) else None,
                members=tuple(dropped),
            ),
        )


def _with_repaired_parts(parts: Any, place: str, dropped: list[str]) -> Any:
    """The operations of a transaction's entry, or the tables of a batch, each repaired."""
    if not isinstance(parts, Mapping):
        return parts
    return {
        name: _without_empty(part, f"{place}{name}.", dropped)
        if isinstance(part, Mapping)
        else part
        for name, part in parts.items()
    }


def _without_empty(part: Mapping[str, Any], place: str, dropped: list[str]) -> dict[str, Any]:
    """A copy, since what is within a request belongs to the caller."""
    kept = {}
    for member, value in part.items():
        is_dropped = value is None or (member in _DROPPED_IF_EMPTY and _is_empty(value))
        if is_dropped and member not in _NEVER_DROPPED:
            dropped.append(f"{place}{member}")
        else:
            kept[member] = value
    return kept


def _is_empty(value: object) -> bool:
    return isinstance(value, str | dict | list) and not value
