"""What mode "repair" changes in a hand-written request: what has only one meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dynasafe.events import Hook, RequestRepaired
from dynasafe.expressions.reserved_words import must_be_aliased
from dynasafe.findings.finding import Finding
from dynasafe.hooks import emit

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
_EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
_PLACEHOLDERS = ("ExpressionAttributeNames", "ExpressionAttributeValues")
_RESERVED, _UNUSED, _WITHOUT_EXPRESSION = "DYS215", "DYS222", "DYS107"
_PLACEHOLDER = re.compile(r"[#:]\w+")
_WORD = re.compile(r"(?<![#:\w\[])\w+")  # no index


def drop_empty(operation: str, params: dict[str, Any], hooks: tuple[Hook, ...]) -> None:
    """Leave out members that are None or empty, also within transactions and batches."""
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
        _report(operation, params, dropped, hooks)


def repair_expressions(
    operation: str, params: dict[str, Any], findings: Sequence[Finding], hooks: tuple[Hook, ...]
) -> bool:
    """Write reserved words as placeholders, and leave out placeholders that nothing uses.

    Returns:
        Whether anything was changed.
    """
    before = {member: params.get(member) for member in (*_EXPRESSIONS, *_PLACEHOLDERS)}
    for member in _EXPRESSIONS:
        spans = {
            finding.where.span
            for finding in findings
            if finding.code == _RESERVED and finding.where.parameter == member
        }
        for span in sorted(filter(None, spans), reverse=True):  # those before keep their places
            _alias(params, member, *span)
    if any(finding.code in (_UNUSED, _WITHOUT_EXPRESSION) for finding in findings):
        _leave_out_unused(params)
    changed = [member for member, value in before.items() if params.get(member) != value]
    if changed:
        _report(operation, params, changed, hooks)
    return bool(changed)


def _alias(params: dict[str, Any], member: str, start: int, end: int) -> None:
    """Write the reserved words of a path as placeholders."""
    names = dict(params.get("ExpressionAttributeNames") or {})

    def placeholder(match: re.Match[str]) -> str:
        word = match[0]
        if not must_be_aliased(word):
            return word
        name, number = f"#{word}", 2
        while names.setdefault(name, word) != word:
            name, number = f"#{word}_{number}", number + 1
        return name

    text = params[member]
    params[member] = text[:start] + _WORD.sub(placeholder, text[start:end]) + text[end:]
    params["ExpressionAttributeNames"] = names


def _leave_out_unused(params: dict[str, Any]) -> None:
    texts = " ".join(str(params.get(member, "")) for member in _EXPRESSIONS)
    used = {*_PLACEHOLDER.findall(texts)}
    for member in _PLACEHOLDERS:
        given = params.get(member)
        if isinstance(given, Mapping):
            kept = {name: value for name, value in given.items() if name in used}
            if kept:
                params[member] = kept
            else:
                del params[member]


def _report(
    operation: str, params: Mapping[str, Any], members: Sequence[str], hooks: tuple[Hook, ...]
) -> None:
    table_name = params.get("TableName")
    event = RequestRepaired(
        operation=operation,
        table_name=table_name if isinstance(table_name, str) else None,
        members=tuple(members),
    )
    emit(hooks, event)


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
