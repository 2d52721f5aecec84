"""Mode "repair": changes of a hand-written request that have only one possible meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dynasafe.expressions.reserved_words import must_be_aliased
from dynasafe.findings.finding import Finding
from dynasafe.values.wire import fingerprint

# A request without these members means the same as with empty ones. UpdateExpression and
# AttributeUpdates are not here: an UpdateItem without both creates an empty item.
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
_EMPTY, _RESERVED, _UNUSED, _WITHOUT_EXPRESSION = "DYS103", "DYS215", "DYS222", "DYS107"
_REPEATED = "DYS172"
"""A key twice in a batch of reads: it is kept once, because the caller wants each item once."""
_REPAIRED = frozenset({_RESERVED, _UNUSED, _WITHOUT_EXPRESSION, _REPEATED})
_PLACEHOLDER = re.compile(r"[#:]\w+")
_WORD = re.compile(r"(?<![#:\w\[])\w+")  # no index


class Repair(NamedTuple):
    """A change of a request, in words, and the code of the finding that it removes."""

    code: str
    message: str


def drop_empty(params: dict[str, Any]) -> Repairs:
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
    repairs = Repairs()
    repairs.members += dropped
    repairs.changes += [Repair(_EMPTY, f"{member} left out") for member in dropped]
    return repairs


def repair_expressions(
    operation: str, params: dict[str, Any], findings: Sequence[Finding]
) -> Repairs:
    """Replace reserved words by placeholders, and leave out unused and repeated entries.

    Also repairs the entries of transactions and the tables of a batch of reads.
    """
    repairs = Repairs(findings)
    repairs.repair(params, "")
    entries, tables = params.get("TransactItems"), params.get("RequestItems")
    if isinstance(entries, list):
        params["TransactItems"] = [
            repairs.parts(entry, f"TransactItems[{index}].") for index, entry in enumerate(entries)
        ]
    if operation == "BatchGetItem" and isinstance(tables, Mapping):
        params["RequestItems"] = repairs.parts(tables, "RequestItems.")
    return repairs


class Repairs:
    """The changes of a request, and the members that they changed."""

    def __init__(self, findings: Sequence[Finding] = ()) -> None:
        self._findings = [each for each in findings if each.code in _REPAIRED]
        self.members: list[str] = []
        self.changes: list[Repair] = []

    def parts(self, parts: Any, place: str) -> Any:
        """The parts, with copies of the changed ones, because they belong to the caller."""
        if not isinstance(parts, Mapping):
            return parts
        repaired = dict(parts)
        for name, part in parts.items():
            inside = f"{place}{name}."
            is_found = any(each.where.parameter.startswith(inside[:-1]) for each in self._findings)
            if is_found and isinstance(part, Mapping):
                repaired[name] = dict(part)
                self.repair(repaired[name], inside)
        return repaired

    def repair(self, params: dict[str, Any], place: str) -> None:
        """Repair a request for one item or table, or a similar part of a request."""
        found = [
            (each.code, each.where.parameter.removeprefix(place), each.where.span)
            for each in self._findings
            if each.where.parameter.startswith(place[:-1])
        ]
        codes = {code for code, _, _ in found}
        members = (*_EXPRESSIONS, *_PLACEHOLDERS, "Keys")
        before = {member: params.get(member) for member in members}
        for member in _EXPRESSIONS:
            spans = {
                span
                for code, where, span in found
                if code == _RESERVED and where == member and span
            }
            for start, end in sorted(spans, reverse=True):  # the indexes before it stay valid
                _alias(params, member, start, end)
            if spans:
                words = f"reserved words in {place}{member} replaced by placeholders"
                self.changes.append(Repair(_RESERVED, words))
        if codes & {_UNUSED, _WITHOUT_EXPRESSION}:
            code = _WITHOUT_EXPRESSION if _WITHOUT_EXPRESSION in codes else _UNUSED
            for member in _leave_out_unused(params):
                unused = "unused entries of " if member in params else ""
                self.changes.append(Repair(code, f"{unused}{place}{member} left out"))
        if _REPEATED in codes and "Keys" in params:
            params["Keys"] = list({fingerprint(key): key for key in params["Keys"]}.values())
            if params["Keys"] != before["Keys"]:
                self.changes.append(Repair(_REPEATED, f"repeated keys of {place}Keys left out"))
        self.members += [
            f"{place}{member}" for member, value in before.items() if params.get(member) != value
        ]


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


def _leave_out_unused(params: dict[str, Any]) -> list[str]:
    """The members that have changed, or are left out."""
    changed = []
    texts = " ".join(str(params.get(member, "")) for member in _EXPRESSIONS)
    used = {*_PLACEHOLDER.findall(texts)}
    for member in _PLACEHOLDERS:
        given = params.get(member)
        if isinstance(given, Mapping):
            kept = {name: value for name, value in given.items() if name in used}
            if len(kept) < len(given) or not kept:
                changed.append(member)
            if kept:
                params[member] = kept
            else:
                del params[member]
    return changed


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
    """A copy, because the contents of a request belong to the caller."""
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
