"""Rules about AttributeValues in wire form: first the shape, as the service parses, then contents.

Source: "AttributeValue", Amazon DynamoDB API Reference; "Supported data types and naming rules in
Amazon DynamoDB"; the words are the service's.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from dynasafe.findings.quoting import cut, printable
from dynasafe.limits import (
    MAX_NAME_BYTES,
    MAX_NESTING_LEVELS,
    MAX_NUMBER_DIGITS,
    MAX_NUMBER_MAGNITUDE,
    MIN_NUMBER_MAGNITUDE,
)
from dynasafe.validation.report import INVALID_VALUES, Context, Report
from dynasafe.validation.wire_value import Problem, WireValue
from dynasafe.validation.words import HIDDEN
from dynasafe.values.wire import (
    bytes_of,
    fine_item_size_bytes,
    fine_size_bytes,
    names_size_bytes,
    odd_size_bytes,
    text_size_bytes,
    unfine,
    unfine_numbers,
)
from dynasafe.values.work import worked

TYPES = ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")
_TYPES = frozenset(TYPES)
TRUTH = {"TRUE": True, "1": True, "YES": True, "FALSE": False, "0": False, "NO": False}
"""The texts that the service accepts as a boolean, in upper or lower case."""
_TRUE = frozenset(text for text, truth in TRUTH.items() if truth)
NO_LIST_OR_MAP = "Start of structure or map found where not expected"
IN_FIELD = "Unexpected field type"
IN_VALUE = "Unexpected value type in payload"
"""The service's message for a scalar in place of a collection."""
NO_UTF_8 = "has a lone surrogate, which is not Unicode text and has no UTF-8"
REPLACE_SURROGATES = "replace the lone surrogates, as text that was cut within a pair has them"
# Any digits that Unicode has, as DynamoDB Local takes them.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_MAX_EXPONENT = 2_147_483_647
_NO_MEMBERS: dict[str, Any] = {}
_MOST_PROBLEMS = 100
"""The most problems that are searched for in one value: more do not help, and cost time."""
# The item itself is the first level, so that a value begins at the second.
_FIRST_LEVEL = 2
_A_VALUE = 'a map with one member, its type: {"S": "text"}'
_EXPECTED = {
    "S": "a str",
    "N": "a number as a str",
    "B": "bytes, or base64 as a str",
    "BOOL": "True or False",
    "NULL": "True",
    "L": "a list",
    "M": "a map",
    "SS": "a list of str",
    "NS": "a list of numbers as str",
    "BS": "a list of bytes",
}
_ELEMENTS = {"SS": "S", "NS": "N", "BS": "B"}

Token = Literal["null", "bool", "number", "string", "list", "map", "other"]


_TOKENS: dict[type, Token] = {
    type(None): "null",
    bool: "bool",
    int: "number",
    float: "number",
    Decimal: "number",
    str: "string",
    list: "list",
    tuple: "list",
    dict: "map",
}


def token(part: object) -> Token:
    """What the part is in JSON; "other" where JSON has no such thing."""
    return _TOKENS.get(type(part)) or _token_of_subclass(part)


def _token_of_subclass(part: object) -> Token:
    match part:
        case int() | float() | Decimal():
            return "number"
        case str():
            return "string"
        case list() | tuple():
            return "list"
        case Mapping():
            return "map"
        case _:
            return "other"


def scalar_word(part: object) -> str:
    """What the service's parser calls a number, a text or a truth value."""
    match part:
        case bool():
            return "TRUE_VALUE" if part else "FALSE_VALUE"
        case str():
            return "STRING_VALUE"
        case _:
            if isinstance(part, int):  # of which the text may be too long for Python
                return "NUMBER_VALUE"
            return "NUMBER_VALUE" if str(part).lstrip("-").isdigit() else "DECIMAL_VALUE"


def is_text(text: str) -> bool:
    """Whether the text can be encoded in UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# Shape


def check_value_shape(value: object, place: str, scalar_words: str, report: Report) -> Any:
    """Report the parts of a value that the service's parser refuses.

    Returns:
        The value as the service reads it: an empty one for None, without members that are None or
        no types, and bytes where botocore writes text as binary.
    """
    if is_plain(value) or wire_value(value, report).is_plain:
        return value
    is_as_read = True
    todo: list[tuple[object, str, str, int]] = [(value, place, scalar_words, _FIRST_LEVEL)]
    most = len(report.findings) + len(report.overlooked) + _MOST_PROBLEMS
    while todo and len(report.findings) + len(report.overlooked) < most:
        each, where, words, level = todo.pop()
        if each is None:
            continue
        if level > MAX_NESTING_LEVELS + 1:
            break  # it may hold itself; check_attribute_value tells
        if not isinstance(each, Mapping):
            _refuse(_no_value(each, words), where, _A_VALUE, each, report)
            continue
        for type_name, content in _given(each):
            inside = f"{where}.{type_name}"
            refusal = _refusal(type_name, content, report.context.is_wire)
            if refusal is not None:
                _refuse(refusal, inside, _EXPECTED[type_name], content, report)
            elif type_name in ("L", "M"):
                children = _children(type_name, content, where, level, report.context)
                todo += [(*child, level + 1) for child in reversed(children)]
            elif type_name in ("BOOL", "NULL") and isinstance(content, str):
                report.overlook_type("DYS110", inside, _EXPECTED[type_name], content)
            elif type_name in ("B", "BS") and not report.context.is_wire and _has_text(content):
                is_as_read = False
        if len(_given(each)) < len(each):
            _overlook_unknown(each, where, report)
            is_as_read = False
    if value is None:
        return _NO_MEMBERS
    return value if is_as_read else _as_read(value, report.context.is_wire, _FIRST_LEVEL)


def _overlook_unknown(value: Mapping[Any, Any], place: str, report: Report) -> None:
    """Report members that are None or not a type."""
    for name, content in value.items():
        if content is None:
            fix = "leave the member out; DynamoDB takes it as absent, boto3 refuses it"
            report.overlook("DYS103", f"{named(place, name)} is None", named(place, name), fix)
        elif name not in _TYPES:
            # Without its name, which is data where a map stands in the place of a value.
            message = "Unknown type of an AttributeValue"
            report.overlook("DYS111", message, place, f"use one of {', '.join(TYPES)}")


def _has_text(content: Any) -> bool:
    return isinstance(content, str) or (
        isinstance(content, list | tuple) and any(isinstance(each, str) for each in content)
    )


def _as_read(value: Any, is_wire: bool | None, level: int) -> Any:
    if not isinstance(value, Mapping) or level > MAX_NESTING_LEVELS + 1:
        return value
    return {
        name: _content_as_read(name, content, is_wire, level) for name, content in _given(value)
    }


def _all_as_read(values: list[Any], is_wire: bool | None, level: int) -> list[Any]:
    for index in unfine(values, MAX_NESTING_LEVELS - level, is_wire=bool(is_wire)):
        worked(1)
        values[index] = _as_read(values[index], is_wire, level + 1)
    return values


def _content_as_read(type_name: str, content: Any, is_wire: bool | None, level: int) -> Any:
    match type_name, content:
        case "B", str() if not is_wire and is_text(content):
            return content.encode()
        case "BS", list() | tuple() if not is_wire:
            return [_content_as_read("B", each, is_wire, level) for each in content]
        case "L", list() | tuple():
            return _all_as_read([*content], is_wire, level)
        case "M", Mapping():
            values = _all_as_read([*content.values()], is_wire, level)
            return dict(zip(content, values, strict=True))
        case _:
            return content


def is_plain(value: Any) -> bool:
    """Whether it is one of the commonest values, with which nothing can be wrong."""
    if value.__class__ is not dict or len(value) != 1:
        return False
    text = value.get("S")
    if text.__class__ is str:
        return is_text(text)
    text = value.get("N")
    return (
        text.__class__ is str
        and len(text) <= MAX_NUMBER_DIGITS
        and text.isascii()
        and text.isdigit()
    )


def named(place: str, name: object) -> str:
    """The place of an attribute or a member."""
    shown = printable(str.__str__(name) if isinstance(name, str) else str(name))
    return f"{place}.{shown}" if place else shown


def _children(
    type_name: str, content: Any, place: str, level: int, context: Context
) -> list[tuple[object, str, str]]:
    """The contents of a list or map on this level, without values that pass the quick check."""
    place = cut(place)
    children = [*content] if type_name == "L" else [*content.values()]
    indexes = unfine(children, MAX_NESTING_LEVELS - level, is_wire=bool(context.is_wire))
    if type_name == "L":
        return [(children[index], f"{place}[{index}]", IN_VALUE) for index in indexes]
    # Keys of maps are data, as values are.
    return [(children[index], f"{place}.*", IN_VALUE) for index in indexes]


def _refuse(refusal: str, place: str, expected: str, given: object, report: Report) -> None:
    is_text_wanted = refusal.endswith(NO_UTF_8)
    fix = f"write {expected} here, not a value of {type(given).__name__}"
    report.add("DYS110", refusal, place, REPLACE_SURROGATES if is_text_wanted else fix)


def _no_value(given: object, scalar_words: str) -> str:
    match token(given):
        case "list":
            return (
                "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"
            )
        case "other":
            return f"An AttributeValue of type {type(given).__name__} cannot be sent"
        case _:
            return scalar_words


def _refusal(type_name: str, content: Any, is_wire: bool | None = None) -> str | None:
    """Why the content does not fit its type, in the words of the service's parser.

    Args:
        is_wire: whether B is base64 text, or bytes and plain text; None: either.
    """
    if content.__class__ is str and type_name in ("S", "N") and content.isascii():
        return None
    if type_name in _ELEMENTS or type_name in ("L", "M"):
        return _refused_collection(type_name, content, is_wire)
    return _refused_scalar(type_name, content, is_wire)


def _refused_collection(type_name: str, content: object, is_wire: bool | None) -> str | None:
    kind = token(content)
    if kind == "other":
        return f"{type_name} of type {type(content).__name__} cannot be sent"
    if kind not in ("list", "map"):
        return IN_FIELD
    if isinstance(content, Mapping):
        if type_name != "M":
            return NO_LIST_OR_MAP
        return None if all(isinstance(name, str) for name in content) else "A name is not a str"
    if type_name == "M":
        return (
            "Unrecognized collection type java.util.Map<java.lang.String, "
            "com.amazonaws.dynamodb.v20120810.AttributeValue>"
        )
    if type_name == "L":
        return None
    assert isinstance(content, list | tuple)
    refused = (_refused_scalar(_ELEMENTS[type_name], each, is_wire) for each in content)
    return next((words for words in refused if words is not None), None)


def _refused_scalar(type_name: str, content: object, is_wire: bool | None) -> str | None:
    java = {"B": "java.nio.ByteBuffer", "BOOL": "java.lang.Boolean", "NULL": "java.lang.Boolean"}
    match type_name, token(content):
        case ("N", "string") | ("BOOL" | "NULL", "bool"):
            return None
        case "B", "string" if is_wire is not False:
            assert isinstance(content, str)
            return _refused_base64(content)
        case "S" | "B", "string":
            assert isinstance(content, str)
            return None if is_text(content) else f"The text {NO_UTF_8}"
        case "B", "other" if isinstance(content, bytes | bytearray) and not is_wire:
            return None
        case "BOOL" | "NULL", "string":
            assert isinstance(content, str)
            return None if content.upper() in TRUTH else "Unexpected token received from parser"
        case _, "list":
            return f"Unrecognized collection type class {java.get(type_name, 'java.lang.String')}"
        case _, "map":
            return NO_LIST_OR_MAP
        case _, "other" | "null":
            return f"{type_name} of type {type(content).__name__} cannot be sent"
        case "B", _:
            return "only base-64-encoded strings are convertible to bytes"
        case _:
            target = "String" if type_name in ("S", "N") else "Boolean"
            return f"{scalar_word(content)} cannot be converted to {target}"


def _refused_base64(text: str) -> str | None:
    if len(text) % 4:
        return f"Base64 encoded length is expected a multiple of 4 bytes but found: {len(text)}"
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        decoded = None
    if decoded is None or base64.b64encode(decoded).decode() != text:
        return "Invalid last non-pad Base64 character dectected"
    return None


# Contents


def wire_value(value: Any, report: Report) -> WireValue:
    """What is known of the value, which is walked when it is first asked for."""
    known = report.known.values.get(id(value))
    if known is None:
        walked = _walked(value, report.context)
        known = report.known.values[id(value)] = value, walked
    return known[1]


def _walked(value: Any, context: Context) -> WireValue:
    of_value = fine_size_bytes(value, is_wire=bool(context.is_wire))
    if of_value >= 0:
        ((type_name, content),) = value.items()
        return WireValue(type_name, content, of_value, is_plain=True)
    problems, is_malformed = _problems(value, context)
    type_name, content = only_member(value) or (None, None)
    is_sound = not (problems or is_malformed)
    of_value = odd_size_bytes(value) if is_sound else 0
    return WireValue(type_name, content, of_value, problems, is_plain=False)


def plain_size_bytes(values: Any, report: Report) -> int:
    """The size of a whole item or key, with its names, if all its values are plain; or else -1."""
    known = report.known.maps_bytes.get(id(values))
    if known is None:
        of_values = fine_item_size_bytes(values, is_wire=bool(report.context.is_wire))
        known = report.known.maps_bytes[id(values)] = values, of_values
    return known[1]


def named_size_bytes(values: Mapping[str, Any], report: Report) -> int:
    """The size of an item or a key with its names; a malformed value counts nothing."""
    of_plain = plain_size_bytes(values, report)
    if of_plain >= 0:
        return of_plain
    return sum(
        text_size_bytes(name) + wire_value(value, report).size_bytes
        for name, value in values.items()
    )


def only_member(value: object) -> tuple[str, Any] | None:
    """The only type and its content, of a value that has one."""
    members: Any = value if is_plain(value) else _members(value)
    return next(iter(members.items())) if len(members) == 1 else None


def sort_key(member: tuple[str, Any]) -> Any:
    """What orders two values of one type; equal for equal values of a scalar."""
    type_name, content = member
    if type_name == "N":
        return _number(content) or Decimal(0)
    return content.encode(errors="replace") if type_name == "S" else bytes_of(content)


def name_problem(name: str) -> tuple[str, str] | None:
    """What is wrong with the name of an attribute, and its fix."""
    if name == "":
        return "Empty attribute name", "name every attribute"
    if not is_text(name):
        return f"Attribute name {NO_UTF_8}", REPLACE_SURROGATES
    if len(name) * 4 > MAX_NAME_BYTES and len(name.encode(errors="replace")) > MAX_NAME_BYTES:
        return "Attribute name is too large, must be less than 65536 bytes", "use a shorter name"
    return None


def check_name(name: str, place: str, report: Report) -> None:
    """Add what is wrong with the name of an attribute."""
    problem = name_problem(name)
    if problem is not None:
        message, fix = problem
        report.add("DYS134", message, place, fix)


def check_attribute_value(value: object, path: str, report: Report) -> None:
    """Add what is wrong with the contents of a value; parts without their shape are left out."""
    if is_plain(value):
        return
    problems = wire_value(value, report).problems
    place = cut(path) if problems else path
    for problem in problems:
        report.add(problem.code, problem.message, f"{place}{problem.place}", problem.fix)


def _problems(value: object, context: Context) -> tuple[tuple[Problem, ...], bool]:
    """What is wrong with the contents of a value, and whether a part lacks its shape."""
    report = Report(context=context)
    is_malformed = False
    todo: list[tuple[object, str, int]] = [(value, "", _FIRST_LEVEL)]
    while todo and len(report.findings) < _MOST_PROBLEMS:
        each, place, level = todo.pop()
        worked(1)
        each = _NO_MEMBERS if each is None else each
        members = _members(each)
        is_malformed |= not isinstance(each, Mapping) or len(members) < len(each)
        for type_name, content in members.items():
            if type_name not in ("L", "M"):
                _check_content(type_name, content, place, report)
            elif level > MAX_NESTING_LEVELS:
                report.add(
                    "DYS115",
                    "Nesting Levels have exceeded supported limits: Attributes in the item have "
                    "nested levels beyond supported limit",
                    place,
                    f"nest at most {MAX_NESTING_LEVELS} levels, of which the item is the first",
                )
                todo.clear()  # it may hold itself
                break
            else:
                if type_name == "M" and names_size_bytes(content) < 0:
                    for name in content:
                        check_name(name, place, report)
                children = _children(type_name, content, place, level, context)
                todo += [(child, inner, level + 1) for child, inner, _ in reversed(children)]
        else:
            _check_members(members, each, place, report)
    problems = (
        Problem(each.code, each.message, each.where.parameter, each.fix) for each in report.findings
    )
    return tuple(problems), is_malformed


def _members(value: object) -> dict[str, Any]:
    """The types of a value that have their shape."""
    if not isinstance(value, Mapping):
        return {}
    return {name: content for name, content in _given(value) if _refusal(name, content) is None}


def _given(value: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    """The types that a value has, in the order of the service, and their contents."""
    names = value if len(value) == 1 and next(iter(value)) in _TYPES else TYPES
    return [(name, content) for name in names if (content := value.get(name)) is not None]


def _check_members(members: Mapping[str, Any], value: object, place: str, report: Report) -> None:
    """One alone; members that are not types do not count."""
    if not isinstance(value, Mapping):
        return
    if not _given(value):
        report.add(
            "DYS112",
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            place,
            f"give one member, of {', '.join(TYPES)}",
        )
    elif len(members) > 1:
        report.add(
            "DYS113",
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported datatypes",
            place,
            "give one member",
        )


def _check_content(type_name: str, content: Any, place: str, report: Report) -> None:
    match type_name:
        case "N":
            check_number(content, place, report)
        case "NULL" if content is not True and str(content).upper() not in _TRUE:
            report.add(
                "DYS116",
                f"{INVALID_VALUES}Null attribute value types must have the value of true",
                place,
                'write {"NULL": True}',
            )
        case "SS" | "NS" | "BS":
            _check_set(type_name, content, place, report)
        case _:
            pass


def _check_set(type_name: str, content: Any, place: str, report: Report) -> None:
    if not content:
        kinds = {
            "SS": "An string set  may not be empty",
            "NS": "An number set  may not be empty",
            "BS": "Binary sets should not be empty",
        }
        report.add(
            "DYS117",
            INVALID_VALUES + kinds[type_name],
            place,
            "leave the attribute out: DynamoDB has no empty set",
        )
        return
    if type_name == "NS":
        before = len(report.findings)
        for each in unfine_numbers(content)[:_MOST_PROBLEMS]:
            check_number(each, place, report)
        if len(report.findings) > before:
            return
        members: list[object] = [Decimal(each) for each in content]
        message = "Input collection contains duplicates"
        if report.context.wording.is_newer:
            message = f"{INVALID_VALUES}{message}."
    elif type_name == "SS":
        members = list(content)
        message = f"{INVALID_VALUES}Input collection [{HIDDEN}] contains duplicates."
    else:
        members = [bytes_of(each) for each in content]
        message = f"{INVALID_VALUES}Input collection [{HIDDEN}]of type BS contains duplicates."
    if len(set(members)) < len(members):
        report.add("DYS118", message, place, "give each member once")


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    except InvalidOperation:  # an exponent of twenty digits
        return None


def check_number(text: str, place: str, report: Report) -> None:
    """Add what is wrong with a number's text."""
    number = _number(text)
    is_newer = report.context.wording.is_newer
    exponent = 0 if number is None else number.as_tuple().exponent
    if number is None or (not is_newer and abs(int(exponent)) > _MAX_EXPONENT):
        report.add(
            "DYS119",
            f"The parameter cannot be converted to a numeric value: {HIDDEN}",
            place,
            "write it in digits, as in '1.5' or '1E10'",
        )
        return
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    magnitude = number.adjusted()
    if not is_newer and magnitude == _MAX_EXPONENT:
        magnitude = -magnitude  # Java's int overflows there
    if magnitude > MAX_NUMBER_MAGNITUDE:
        report.add(
            "DYS119",
            "Number overflow. Attempting to store a number with magnitude larger than supported "
            "range",
            place,
            "stay below 1E+126",
        )
    elif digits and magnitude < MIN_NUMBER_MAGNITUDE:
        report.add(
            "DYS119",
            "Number underflow. Attempting to store a number with magnitude smaller than supported "
            "range",
            place,
            "stay above 1E-130",
        )
    elif len(digits) > MAX_NUMBER_DIGITS:
        report.add(
            "DYS119",
            "Attempting to store more than 38 significant digits in a Number",
            place,
            "round it, or store it as a string",
        )
