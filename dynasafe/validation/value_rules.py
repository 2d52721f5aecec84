"""What an AttributeValue in wire form must be.

Source: "AttributeValue", Amazon DynamoDB API Reference; "Supported data types and naming rules in
Amazon DynamoDB".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from dynasafe.limits import MAX_NESTING_LEVELS, MAX_NUMBER_DIGITS
from dynasafe.validation.report import INVALID_VALUES, Report

TYPES = ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")


def check_attribute_value(value: object, path: str, report: Report) -> None:
    """Add what is wrong with a value in wire form, and with what is in it."""
    todo: list[tuple[object, str, int]] = [(value, path, 2)]
    while todo:
        each, place, level = todo.pop()
        typed = _typed(each, place, report)
        if typed is None:
            continue
        type_name, content = typed
        if type_name in ("L", "M") and level > MAX_NESTING_LEVELS:
            report.add(
                "DYS115",
                "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
                "levels beyond supported limit",
                place[:200],
                f"nest at most {MAX_NESTING_LEVELS} levels, of which the item is the first",
            )
        elif type_name == "L":
            todo += [
                (child, f"{place}[{index}]", level + 1)
                for index, child in reversed(list(enumerate(content)))
            ]
        elif type_name == "M":
            todo += [
                (child, f"{place}.{name}", level + 1)
                for name, child in reversed(list(content.items()))
            ]
        else:
            _check_content(type_name, content, place, report)


def _typed(value: object, place: str, report: Report) -> tuple[str, Any] | None:
    """The only type and its content, if that is what the value has."""
    if not isinstance(value, Mapping):
        _wrong_type(place, "a map with one member, its type", value, report)
        return None
    members = {name: each for name, each in value.items() if each is not None}
    known = [name for name in members if name in TYPES]
    unknown = [name for name in members if name not in TYPES]
    if unknown:
        report.add(
            "DYS111",
            f"Unknown type of an AttributeValue: {', '.join(map(str, unknown))}",
            place,
            f"use one of {', '.join(TYPES)}",
        )
        return None
    if not known:
        report.add(
            "DYS112",
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            place,
            'give one member: {"S": "text"}',
        )
        return None
    if len(known) > 1:
        report.add(
            "DYS113",
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported datatypes",
            place,
            "give one member",
        )
        return None
    type_name = known[0]
    content = members[type_name]
    if not _has_shape(type_name, content):
        _wrong_type(f"{place}.{type_name}", _SHAPES[type_name], content, report)
        return None
    return type_name, content


_SHAPES = {
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


def _has_shape(type_name: str, content: object) -> bool:
    match type_name:
        case "S" | "N":
            return isinstance(content, str)
        case "B":
            return _is_binary(content)
        case "BOOL" | "NULL":
            return isinstance(content, bool)
        case "M":
            return isinstance(content, Mapping) and all(isinstance(name, str) for name in content)
        case "L":
            return isinstance(content, list | tuple)
        case "BS":
            return isinstance(content, list | tuple) and all(map(_is_binary, content))
        case _:
            return isinstance(content, list | tuple) and all(
                isinstance(each, str) for each in content
            )


def _is_binary(content: object) -> bool:
    if isinstance(content, str):
        try:
            base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            return False
        return True
    return isinstance(content, bytes | bytearray | memoryview)


def _wrong_type(place: str, expected: str, given: object, report: Report) -> None:
    report.add(
        "DYS110",
        f"{expected} is expected, not {type(given).__name__}",
        place,
        "write the value as the API Reference has it, under AttributeValue",
    )


def _check_content(type_name: str, content: Any, place: str, report: Report) -> None:
    match type_name:
        case "N":
            check_number(content, place, report)
        case "NULL" if content is not True:
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
        for each in content:
            check_number(each, place, report)
        if len(report.findings) > before:
            return
        members: list[object] = [Decimal(each) for each in content]
        message = "Input collection contains duplicates"
    elif type_name == "SS":
        members = list(content)
        message = f"{INVALID_VALUES}Input collection [...] contains duplicates"
    else:
        members = [bytes(each) if not isinstance(each, str) else each for each in content]
        message = f"{INVALID_VALUES}Input collection [...]of type BS contains duplicates."
    if len(set(members)) < len(members):
        report.add("DYS118", message, place, "give each member once")


def check_number(text: str, place: str, report: Report) -> None:
    """Add what is wrong with a number's text."""
    try:
        number = Decimal(text) if text.isascii() and "_" not in text else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        report.add(
            "DYS119",
            "A value provided cannot be converted into a number",
            place,
            "write it in digits, as in '1.5' or '1E10'",
        )
        return
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if not digits:
        return
    if number.adjusted() > 125:
        report.add(
            "DYS119",
            "Number overflow. Attempting to store a number with magnitude larger than supported "
            "range",
            place,
            "stay below 1E+126",
        )
    elif number.adjusted() < -130:
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
