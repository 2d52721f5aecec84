"""Values as plain Python, and in types for json.dumps."""

from __future__ import annotations

import binascii
from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Context, Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from dynasafe.errors import InvalidValueError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.limits import MAX_NUMBER_DIGITS, MAX_NUMBER_MAGNITUDE
from dynasafe.values.convert import encode_datetime, from_attribute_value, to_attribute_value
from dynasafe.values.models import is_dataclass, is_model, stored_fields
from dynasafe.values.wire import too_deep

_SETS = (set, frozenset)
_NONE = type(None)
_SAME_IN_PYTHON = frozenset({str, int, bool, float, Decimal, bytes, _NONE})
_SAME_IN_JSON = frozenset({str, int, bool, _NONE})
"""Types whose values need no change, so that a list of them is copied as a whole."""
_SHORT = 10**MAX_NUMBER_DIGITS
_ENOUGH_DIGITS = Context(prec=MAX_NUMBER_MAGNITUDE + 1)
"""Drops the zeros at the end of any DynamoDB number."""


def as_python(value: Any) -> Any:
    """The value with nested Items, models and dataclasses as dicts; others unchanged."""
    try:
        return _python(value)
    except RecursionError:
        raise too_deep() from None


def _python(value: Any) -> Any:
    of = type(value)
    if of in _SAME_IN_PYTHON:
        return value
    if of is dict:
        return {name: _python(each) for name, each in value.items()}
    if of in (list, tuple):
        elements: Any = value
        if _SAME_IN_PYTHON.issuperset(map(type, elements)):
            return of(elements)
        return of([_python(each) for each in elements])
    if is_model(of):
        return value.model_dump(by_alias=True, round_trip=True)
    if hasattr(value, "__dynasafe_schema__") and not isinstance(value, type):
        return value.to_dict()
    if is_dataclass(of):
        return {name: _python(getattr(value, name)) for name, _ in stored_fields(of)}
    return value


def for_serializer(value: Any) -> Any:
    """The value for boto3's TypeSerializer, which rounds an int of more than 38 digits.

    A Decimal without trailing zeros keeps its value.
    """
    of = type(value)
    if of is int:
        is_long = not -_SHORT < value < _SHORT
        return Decimal(value).normalize(_ENOUGH_DIGITS) if is_long else value
    if of is Decimal:
        return value.normalize(_ENOUGH_DIGITS)
    if of is dict:
        return {name: for_serializer(each) for name, each in value.items()}
    if of is list:
        if value and _has_no_long_numbers(value):
            return value
        return [for_serializer(each) for each in value]
    if of is set:
        return value if _has_no_long_numbers(value) else {for_serializer(each) for each in value}
    return value


def _has_no_long_numbers(values: Collection[Any]) -> bool:
    """Whether they are all values that a serializer writes as they are."""
    kinds = {*map(type, values)}
    if not kinds <= _OF_SERIALIZERS:
        return False
    return int not in kinds or all(-_SHORT < each < _SHORT for each in values if type(each) is int)


_OF_SERIALIZERS = frozenset({str, int, bool, bytes, _NONE})


def as_json(value: Any) -> Any:
    """The value in types for json.dumps: text for dates, UUIDs, Decimals and bytes, lists for sets.

    Raises:
        UnsupportedTypeError: a value has no JSON form.
        ValueOutOfRangeError: a number is NaN or infinite, or the value contains itself.
    """
    try:
        return _json(value)
    except RecursionError:
        raise too_deep() from None


def _json(value: Any) -> Any:
    # The commonest first; the others are matched one by one.
    of = type(value)
    if of in _SAME_IN_JSON:
        return value
    if of is list or of is tuple:
        return _json_elements(value)
    if of is dict:
        return _json_members(value)
    if of is Decimal:
        return str(value)
    match value:
        case None | bool():
            return value
        case Enum():
            return _json(value.value)
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case float():
            if value - value != 0:
                raise ValueOutOfRangeError("", "JSON has no NaN and no infinity")
            return float(value)
        case Decimal() | UUID():
            return str(value)
        case datetime():
            return encode_datetime(value)
        case date():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return binascii.b2a_base64(bytes(value), newline=False).decode()
    if isinstance(value, type):
        raise UnsupportedTypeError("", f"a value is expected, not the class {value.__name__}")
    if is_model(of):
        return value.model_dump(mode="json", by_alias=True, round_trip=True)
    if hasattr(value, "__dynasafe_schema__"):
        return value.to_dict(mode="json")
    if is_dataclass(of):
        return {name: _within(name, getattr(value, name)) for name, _ in stored_fields(of)}
    if isinstance(value, Mapping):
        return _json_members(value)
    if isinstance(value, _SETS):
        value = from_members(value)
    if isinstance(value, list | tuple):
        return _json_elements(value)
    encoded = to_attribute_value(value)  # a type that was registered, or an error
    return _json(from_attribute_value(encoded))


def _json_elements(values: Any) -> list[Any]:
    if _SAME_IN_JSON.issuperset(map(type, values)):
        return [*values]
    found: list[Any] = []
    try:
        for each in values:
            of = type(each)
            if of in _SAME_IN_JSON:
                found.append(each)
            elif of is Decimal:
                found.append(str(each))
            elif of is bytes:
                found.append(binascii.b2a_base64(each, newline=False).decode())
            elif (of is list or of is dict) and not each:
                found.append(of())
            elif of is set and len(each) == 1:
                found.append(_json_elements([*each]))
            else:
                found.append(_json(each))
    except InvalidValueError as error:
        raise error.within(len(found)) from None
    return found


def _json_members(values: Any) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for name, each in values.items():
        if type(name) is str and type(each) in _SAME_IN_JSON:
            found[name] = each
        else:
            found[name] = _within(name, each, is_key=True)
    return found


def from_members(value: Any) -> list[Any]:
    """The members of a set in an order that is the same in every process."""
    try:
        return sorted(value)
    except TypeError:
        return sorted(value, key=repr)


def _within(place: Any, value: Any, *, is_key: bool = False) -> Any:
    try:
        if isinstance(place, str | int):
            return _json(value)
    except InvalidValueError as error:
        raise error.within(place, is_key=is_key) from None
    raise UnsupportedTypeError("", f"a map's keys are str, not {type(place).__name__}")
