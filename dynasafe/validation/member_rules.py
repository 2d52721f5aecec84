"""Rules about the shape of a request: first the types, as the service parses, then constraints.

Source: "Error handling with DynamoDB", for SerializationException and ValidationException; the
words are the service's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from dynasafe.validation.report import Report
from dynasafe.validation.shapes import NAME_PATTERN, Kind, Shape, request_shape
from dynasafe.validation.value_rules import (
    NO_UTF_8,
    REPLACE_SURROGATES,
    TRUTH,
    check_value_shape,
    is_plain,
    is_text,
    named,
    plain_size_bytes,
    scalar_word,
    token,
)
from dynasafe.validation.words import HIDDEN, ONE_ERROR, Wording

_NOT_NULL = "Member must not be null"
_MEMBER = "Member must "
_ENUM = f"{_MEMBER}satisfy enum value set: "
_MAX_FIXES = 3
_MAX_REPORTED = 10
"""The service reports at most so many broken constraints at once."""
_SCALARS = frozenset({"String", "Boolean", "Integer", "Number", "Timestamp"})
_EXPECTED: dict[Kind, str] = {
    "String": "a str",
    "Boolean": "True or False",
    "Integer": "a whole number",
    "Number": "a number",
    "Timestamp": "a datetime, or seconds since 1970",
    "List": "a list",
    "Map": "a map",
    "Struct": "a map",
    "AttributeValue": 'a map with one member, its type: {"S": "text"}',
}


def check_members(operation: str, params: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Check types and constraints. Returns the request without parts of the wrong type."""
    shape = request_shape(operation)
    before = len(report.findings)
    if not isinstance(params, Mapping):
        _wrong_type(shape, None, params, "", report)
        return {}
    typed: dict[str, Any] = _typed(shape, params, "", report)
    # A part of the wrong type is not reported as missing too.
    broken = list(_broken(shape, typed, "", "", reports_missing=len(report.findings) == before))
    if broken:
        is_refused_by_boto3 = not report.context.is_wire and any(
            each.is_checked_by_boto3 for each in broken
        )
        report.add(
            "DYS105",
            _sentence_of(operation, broken, report.context.wording),
            broken[0].parameter if len(broken) == 1 else "parameters",
            _fix_of(broken),
            exception="ParamValidationError" if is_refused_by_boto3 else None,
        )
    return typed


def _sentence_of(operation: str, broken: list[_Broken], wording: Wording) -> str:
    """One message with all broken constraints, in the words of the service."""
    of_newer = {
        (sentence.place, sentence.constraint): (sentence, each)
        for each in broken
        if (sentence := wording.sentence(each.pattern, each.constraint)) is not None
    }
    is_missing = any(
        each.constraint == _NOT_NULL and wording.sentence(each.pattern, _NOT_NULL) is None
        for each in broken
    )
    if not is_missing:
        for key in wording.sentences:
            sentence, each = of_newer.get(key, (None, None))
            if sentence is not None and each is not None and sentence.is_alone:
                member = each.place[:1].upper() + each.place[1:]
                words = sentence.words.format(operation=operation, name=each.name, member=member)
                return f"{ONE_ERROR}{words}" if sentence.is_counted else words
    lines = []
    for each in broken[:_MAX_REPORTED]:
        sentence = None if is_missing else wording.sentence(each.pattern, each.constraint)
        lines.append(each.words if sentence is None else sentence.words)
    plural = "s" if len(lines) > 1 else ""
    return f"{len(lines)} validation error{plural} detected: {'; '.join(lines)}"


def _fix_of(broken: list[_Broken]) -> str:
    """What the first broken constraints ask for."""
    fixes = []
    for each in broken[:_MAX_FIXES]:
        name = each.place if each.parameter == "parameters" else each.parameter
        if each.constraint == _NOT_NULL:
            asked = "must be given"
        elif each.constraint.startswith(_ENUM):
            asked = f"must be one of {each.constraint.removeprefix(_ENUM).strip('[]')}"
        elif each.constraint.startswith(_MEMBER):
            asked = f"must {each.constraint.removeprefix(_MEMBER)}"
        else:
            asked = "must have names and values that it allows"
        fixes.append(f"{name} {asked}")
    if len(broken) > len(fixes):
        fixes.append(f"and {len(broken) - len(fixes)} more")
    return "; ".join(fixes)


def check_strays(operation: str, params: Mapping[str, Any], report: Report) -> None:
    """Report members that are None or unknown: the service ignores them, but boto3 does not."""
    of_request = request_shape(operation)
    if type(params) is dict and all(
        _is_known(of_request.members.get(name), value) for name, value in params.items()
    ):
        return
    todo: list[tuple[Shape, Any, str]] = [(of_request, params, "")]
    while todo:
        shape, part, place = todo.pop()
        if shape.kind != "Struct":
            each = shape.each
            if each is None or each.kind == "AttributeValue":
                continue
            children = [(each, child, inner) for inner, child in _children(part, place)]
        elif isinstance(part, Mapping):
            children = []
            for name, value in part.items():
                inner = f"{place}.{name}" if place else str(name)
                if name in shape.members:
                    children.append((shape.members[name], value, inner))
                else:
                    report.overlook(
                        "DYS104",
                        f"{operation} has no parameter {inner}",
                        inner,
                        f"its parameters are {', '.join(sorted(shape.members))}",
                    )
        else:
            continue
        for member, value, inner in children:
            if value is None:
                report.overlook(
                    "DYS103",
                    f"{inner} is None",
                    inner,
                    "leave the member out; DynamoDB takes it as absent, "
                    "boto3 raises AttributeError",
                )
            else:
                todo.append((member, value, inner))


def _is_known(shape: Shape | None, value: object) -> bool:
    """Whether a member belongs to the operation, and nothing in it can be unknown."""
    if shape is None or value is None:
        return False
    if shape.each is None:
        return shape.kind in _SCALARS
    if shape.each.kind in _SCALARS:
        return type(value) is dict and None not in value.values()
    return shape.each.kind == "AttributeValue"


def _children(part: Any, place: str) -> list[tuple[str, Any]]:
    if isinstance(part, Mapping):
        return [(f"{place}.{name}", each) for name, each in part.items()]
    if isinstance(part, list | tuple):
        return [(f"{place}[{index}]", each) for index, each in enumerate(part)]
    return []


# Types


def _typed(shape: Shape, part: Any, place: str, report: Report) -> Any:
    """The part, if it has its type, or None; of what it contains, what has its type."""
    if _is_plain(shape, part):
        return part
    if shape.kind == "AttributeValue":
        return check_value_shape(part, place, shape.scalar_words, report)
    kind = token(part)
    if kind == "null":
        return None
    if shape.kind in _SCALARS:
        return _typed_scalar(shape, part, kind, place, report)
    expected = "list" if shape.kind == "List" else "map"
    if kind != expected:
        is_collection = kind in ("list", "map")
        words = shape.collection_words if is_collection else shape.scalar_words
        _wrong_type(shape, words if kind != "other" else None, part, place, report)
        return None
    if shape.kind == "Struct":
        inner = f"{place}." if place else ""
        members: dict[str, Any] = {}
        for name, member in shape.members.items():
            given = part.get(name)
            typed = None if given is None else _typed(member, given, f"{inner}{name}", report)
            if typed is not None:
                members[name] = typed
        return members
    assert shape.each is not None
    if shape.kind == "List":
        return [
            _typed(shape.each, each, f"{place}[{index}]", report) for index, each in enumerate(part)
        ]
    if (
        shape.each.kind == "AttributeValue"
        and not place.endswith("ExpressionAttributeValues")  # of which each is asked for by itself
        and plain_size_bytes(part, report) >= 0
    ):
        return part
    names = [name for name in part if isinstance(name, str)]
    if len(names) < len(part):
        _wrong_type(shape, "A name in a map is not a str", part, place, report)
    # A malformed name is still the name of its placeholder.
    is_kept = shape.each.kind in _SCALARS
    entries: dict[str, Any] = {}
    for name in names:
        entry = part[name]
        if not _is_plain(shape.each, entry):  # the place is made for others alone
            entry = _typed(shape.each, entry, named(place, name), report)
        if is_kept or entry is not None:
            entries[name] = entry
    return entries


def _is_plain(shape: Shape, part: Any) -> bool:
    """Whether it is one of the commonest texts or values, which have their type."""
    if shape.kind == "String":
        return type(part) is str and part.isascii()
    return shape.kind == "AttributeValue" and is_plain(part)


def _typed_scalar(shape: Shape, part: Any, kind: str, place: str, report: Report) -> Any:
    words: str | None
    match shape.kind, kind:
        case "String", "string":
            if is_text(part):
                return part
            report.add("DYS102", f"{place} {NO_UTF_8}", place, REPLACE_SURROGATES)
            return None
        case ("Boolean", "bool") | ("Number" | "Timestamp", "number"):
            return part
        case "Timestamp", "string" | "other" if not report.context.is_wire and _is_time(part):
            return part
        case "Integer", "number" if _is_integral(part):
            if not isinstance(part, int):
                report.overlook_type("DYS102", place, _EXPECTED["Integer"], part)
            return math.floor(part)
        case "Boolean", "string":
            if part.upper() in TRUTH:
                report.overlook_type("DYS102", place, _EXPECTED["Boolean"], part)
                return TRUTH[part.upper()]
            words = "Unexpected token received from parser"
        case _, "list":
            words = f"Unrecognized collection type class java.lang.{shape.kind}"
        case _, "map":
            words = shape.collection_words
        case _, "bool" | "string" | "number":
            words = f"{scalar_word(part)} cannot be converted to {shape.kind}"
        case _:
            words = None
    _wrong_type(shape, words, part, place, report)
    return None


def _is_time(part: Any) -> bool:
    # botocore parses texts in many formats; a datetime is a date too.
    has_digit = isinstance(part, str) and any(each.isdigit() for each in part)
    return has_digit or isinstance(part, date)


def _is_integral(number: int | float | Decimal) -> bool:
    """Whether it fits into 64 bits, when its fraction is cut off."""
    is_nan = isinstance(number, Decimal) and number.is_nan()  # which cannot be compared
    return not is_nan and -(2**63) <= number < 2**63


def _wrong_type(shape: Shape, words: str | None, part: Any, place: str, report: Report) -> None:
    expected = _EXPECTED[shape.kind]
    given = type(part).__name__
    report.add(
        "DYS102",
        words or f"{place or 'The request'} is of type {given}",
        place or "parameters",
        f"give {expected}, not a value of type {given}",
        exception=_refused_by_service(shape, part),
    )


def _refused_by_service(shape: Shape, part: Any) -> str | None:
    """Python's True is a number for botocore, but not for the service."""
    is_number = shape.kind in ("Integer", "Number", "Timestamp")
    if (
        not is_number
        or not isinstance(part, bool)
        or (shape.least is not None and part < shape.least)
    ):
        return None
    return "SerializationException"


# Constraints


class _Broken(NamedTuple):
    """A broken constraint."""

    constraint: str
    place: str
    pattern: str
    """The place, with `*` for a table's name."""
    name: str
    """What `*` stands for."""
    shown: str
    is_checked_by_boto3: bool

    @property
    def parameter(self) -> str:
        """The parameter, or "parameters" for what is inside of one."""
        return "parameters" if "." in self.place else f"{self.place[:1].upper()}{self.place[1:]}"

    @property
    def words(self) -> str:
        return (
            f"Value {self.shown} at '{self.place}' failed to satisfy constraint: {self.constraint}"
        )


def _broken(
    shape: Shape, part: Any, place: str, pattern: str, name: str = "", *, reports_missing: bool
) -> Iterator[_Broken]:
    """The broken constraints, in the words and the order of the service."""
    for constraint in _constraints(shape, part):
        shown = _shown(shape, part) if shape.is_shown else f"'{HIDDEN}'"
        is_checked = _is_checked_by_boto3(shape, part, constraint)
        yield _Broken(constraint, place, pattern, name, shown, is_checked)
    if shape.kind == "Struct":
        dot = "." if place else ""
        for member_name, member in shape.members.items():
            value = part.get(member_name)
            if member.is_free if value is not None else not member.is_required:
                continue
            low = f"{dot}{member_name[0].lower()}{member_name[1:]}"
            inside, general = f"{place}{low}", f"{pattern}{low}"
            if value is not None:
                yield from _broken(
                    member, value, inside, general, name, reports_missing=reports_missing
                )
            elif member.is_required and reports_missing:
                yield _Broken(_NOT_NULL, inside, general, name, "null", True)
    elif shape.each is not None and not shape.each.is_free:
        entries: Iterable[tuple[object, Any]]
        entries = part.items() if shape.kind == "Map" else enumerate(part, start=1)
        for position, entry in entries:
            if entry is not None:
                inside, general = f"{place}.{position}.member", f"{pattern}.*.member"
                yield from _broken(
                    shape.each,
                    entry,
                    inside,
                    general,
                    str(position) if shape.has_table_names else name,
                    reports_missing=reports_missing,
                )


def _is_checked_by_boto3(shape: Shape, part: Any, constraint: str) -> bool:
    """botocore checks the least values and lengths, but of maps; the rest is for the service."""
    if shape.kind == "Map":
        return constraint.startswith("Map value") and not all(part.values())
    if constraint.startswith("Member must have length greater"):
        least = shape.boto3_min_length
        return least is None or len(part) < least
    return constraint.startswith("Member must have value greater")


def _constraints(shape: Shape, part: Any) -> Iterator[str]:
    if shape.is_name:
        if part and not NAME_PATTERN.fullmatch(part) and not part.startswith("arn:"):
            yield f"Member must satisfy regular expression pattern: {NAME_PATTERN.pattern}"
        if len(part) > 255 and not part.startswith("arn:"):
            yield "Member must have length less than or equal to 255"
    if shape.pattern is not None and not shape.pattern.fullmatch(part):
        yield f"Member must satisfy regular expression pattern: {shape.pattern.pattern}"
    if shape.choices and part not in shape.choices:
        yield f"Member must satisfy enum value set: [{', '.join(shape.choices)}]"
    if shape.least is not None and part < shape.least:
        yield f"Member must have value greater than or equal to {shape.least}"
    if shape.most is not None and part > shape.most:
        yield f"Member must have value less than or equal to {shape.most}"
    if shape.min_length is not None and len(part) < shape.min_length:
        yield f"Member must have length greater than or equal to {shape.min_length}"
    if shape.max_length is not None and len(part) > shape.max_length:
        yield f"Member must have length less than or equal to {shape.max_length}"
    if shape.has_table_names:
        for name in part:
            if not _is_table_name(name):
                yield (
                    "Map keys must satisfy constraint: [Member must have length less than or equal "
                    "to 255, Member must have length greater than or equal to 3, Member must "
                    f"satisfy regular expression pattern: {NAME_PATTERN.pattern}]"
                )
    most = shape.max_values_length
    if most is not None:
        for entries in part.values():
            if not 1 <= len(entries) <= most:
                yield (
                    "Map value must satisfy constraint: [Member must have length less than or "
                    f"equal to {most}, Member must have length greater than or equal to 1]"
                )


def _is_table_name(name: str) -> bool:
    if name.startswith("arn:"):
        return True
    return 3 <= len(name) <= 255 and NAME_PATTERN.fullmatch(name) is not None


def _shown(shape: Shape, part: Any) -> str:
    """The part as the service prints it, without attribute values."""
    if isinstance(part, Mapping):
        return f"'{{{HIDDEN}}}'" if part else "'{}'"
    if not isinstance(part, list | tuple):
        return f"'{part}'"
    if all(isinstance(each, str) for each in part):
        return f"'[{', '.join(part)}]'"
    is_of_keys = shape.each is not None and shape.each.java == "KeySchemaElement"
    return f"'[{', '.join(map(_key_element, part)) if is_of_keys else HIDDEN}]'"


def _key_element(element: Mapping[str, Any]) -> str:
    name, kind = (element.get(member, "null") for member in ("AttributeName", "KeyType"))
    return f"KeySchemaElement(attributeName={name}, keyType={kind})"
