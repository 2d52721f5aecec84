"""Values as plain Python, and as what json.dumps takes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Context, Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from dynasafe.errors import InvalidValueError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.limits import MAX_NUMBER_DIGITS, MAX_NUMBER_MAGNITUDE
from dynasafe.values.convert import encode_datetime, from_attribute_value, to_attribute_value
from dynasafe.values.models import dataclass_fields, is_dataclass, is_model
from dynasafe.values.wire import too_deep

_SETS = (set, frozenset)
_ENOUGH_DIGITS = Context(prec=MAX_NUMBER_MAGNITUDE + 1)
"""To drop the zeros at the end of any number of DynamoDB's."""


def as_python(value: Any) -> Any:
    """The value with nested Items, models and dataclasses as dicts; the others are as they are."""
    try:
        return _python(value)
    except RecursionError:
        raise too_deep() from None


def _python(value: Any) -> Any:
    if hasattr(value, "__dynasafe_schema__") and not isinstance(value, type):
        return value.to_dict()
    of = type(value)
    if is_model(of):
        return value.model_dump(by_alias=True, round_trip=True)
    if of is dict:
        return {name: _python(each) for name, each in value.items()}
    if of in (list, tuple):
        elements: Any = value
        return of(_python(each) for each in elements)
    if is_dataclass(of):
        fields = dataclass_fields(value)
        return {each.name: _python(getattr(value, each.name)) for each in fields}
    return value


def for_serializer(value: Any) -> Any:
    """The value as boto3's TypeSerializer takes it: it rounds an int of more than 38 digits.

    A Decimal has the digits that count, so that it stays what it is.
    """
    if type(value) is int:
        is_long = abs(value) >= 10**MAX_NUMBER_DIGITS
        return Decimal(value).normalize(_ENOUGH_DIGITS) if is_long else value
    if type(value) is Decimal:
        return value.normalize(_ENOUGH_DIGITS)
    if type(value) is dict:
        return {name: for_serializer(each) for name, each in value.items()}
    if type(value) is list:
        return [for_serializer(each) for each in value]
    if type(value) is set:
        return {for_serializer(each) for each in value}
    return value


def as_json(value: Any) -> Any:
    """What json.dumps takes: text for dates, UUIDs, Decimals and bytes, lists for sets.

    Raises:
        UnsupportedTypeError: a value has no JSON form.
        ValueOutOfRangeError: a number is NaN or infinite, or the value holds itself.
    """
    try:
        return _json(value)
    except RecursionError:
        raise too_deep() from None


def _json(value: Any) -> Any:
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
            return base64.b64encode(bytes(value)).decode()
    if isinstance(value, type):
        raise UnsupportedTypeError("", f"a value is expected, not the class {value.__name__}")
    if hasattr(value, "__dynasafe_schema__"):
        return value.to_dict(mode="json")
    if is_model(type(value)):
        return value.model_dump(mode="json", by_alias=True, round_trip=True)
    if is_dataclass(type(value)):
        names = [each.name for each in dataclass_fields(value)]
        return {name: _within(name, getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {name: _within(name, each, is_key=True) for name, each in value.items()}
    if isinstance(value, _SETS):
        value = from_members(value)
    if isinstance(value, list | tuple):
        return [_within(index, each) for index, each in enumerate(value)]
    encoded = to_attribute_value(value)  # a type that was registered, or an error
    return _json(from_attribute_value(encoded))


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
