"""Python values as AttributeValues, and back.

An AttributeValue is the wire form of one value: a dict with one member, whose name is the type, as
in `{"S": "Ada"}` or `{"N": "3"}`. Equal numbers and equal sets give equal AttributeValues in every
process: numbers have one spelling, and sets are sorted.

Sources: "Supported data types and naming rules in Amazon DynamoDB"; "AttributeValue", Amazon
DynamoDB API Reference; "DynamoDB item sizes and formats".
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from dynasafe.errors import UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.limits import MAX_NESTING_LEVELS
from dynasafe.values.numbers import decode_number, encode_number
from dynasafe.values.quick import (
    LEVELS,
    NOT_QUICK,
    QUICK_TYPES,
    decoded_list,
    decoded_map,
    encoded_list,
    encoded_map,
)

T = TypeVar("T")

AttributeValue = Mapping[str, Any]
"""A value in wire form: one member, whose name is the type."""

# The item itself is the first level, so that a value begins at the second.
_FIRST_LEVEL = 2

_Encode = Callable[[Any, str, int], dict[str, Any]]


def to_attribute_value(value: object, path: str = "") -> dict[str, Any]:
    """The value in wire form. Nothing of it is shared with the value.

    Raises:
        UnsupportedTypeError: a value of a type that has no AttributeValue stands at the path.
        ValueOutOfRangeError: DynamoDB has no room for a value: NaN, 39 digits, an empty set.
    """
    if _has_quick_way:
        try:
            return encoded_list([value], LEVELS)[0]
        except NOT_QUICK:
            pass
    return plain_attribute_value(value, path)


def plain_attribute_value(value: object, path: str = "") -> dict[str, Any]:
    """As `to_attribute_value`, for every type, and with the path of what is refused.

    `to_attribute_value` knows a shorter way for the commonest values; this one is its measure.
    """
    return _encoder(type(value), path)(value, path, _FIRST_LEVEL)


def to_attribute_map(item: Mapping[str, object], path: str = "") -> dict[str, dict[str, Any]]:
    """Each value of the item in wire form, by attribute name."""
    if _has_quick_way and type(item) is dict:
        try:
            return encoded_map(item, LEVELS)
        except NOT_QUICK:
            pass
    return plain_attribute_map(item, path)


def plain_attribute_map(item: Mapping[Any, Any], path: str = "") -> dict[str, dict[str, Any]]:
    """As `to_attribute_map`, for every type, and with the path of what is refused."""
    return _encoded_members(item, path, _FIRST_LEVEL)


def _encoded_members(value: Mapping[Any, Any], path: str, level: int) -> dict[str, dict[str, Any]]:
    prefix = f"{path}." if path else ""
    encoded: dict[str, dict[str, Any]] = {}
    for name, each in value.items():
        if not isinstance(name, str):
            raise UnsupportedTypeError(path, f"a map's keys are str, not {type(name).__name__}")
        place = prefix + name
        encoded[require_text(name, place)] = _encoder(type(each), place)(each, place, level)
    return encoded


def from_attribute_value(attribute_value: AttributeValue, path: str = "") -> Any:
    """The Python value: int where a number is integral and Decimal elsewhere, set, bytes, ...

    Raises:
        UnsupportedTypeError: what stands at the path is not an AttributeValue.
        ValueOutOfRangeError: a number is not one, or lists and maps nest deeper than DynamoDB's do.
    """
    try:
        return decoded_list([attribute_value], LEVELS)[0]
    except NOT_QUICK:
        return plain_value(attribute_value, path)


def plain_value(attribute_value: object, path: str = "") -> Any:
    """As `from_attribute_value`, with the path of what is refused.

    `from_attribute_value` knows a shorter way for the commonest values; this one is its measure.
    """
    return _decoded(attribute_value, path, _FIRST_LEVEL)


def from_attribute_map(
    attribute_map: Mapping[str, AttributeValue], path: str = ""
) -> dict[str, Any]:
    """Each value of the item in Python, by attribute name.

    Raises:
        UnsupportedTypeError: what stands at the path is not an AttributeValue.
        ValueOutOfRangeError: a number is not one, or lists and maps nest deeper than DynamoDB's do.
    """
    try:
        return decoded_map(attribute_map, LEVELS)
    except NOT_QUICK:
        return plain_map(attribute_map, path)


def plain_map(attribute_map: object, path: str = "") -> dict[str, Any]:
    """As `from_attribute_map`, with the path of what is refused."""
    return _decoded_map(attribute_map, path, _FIRST_LEVEL)


def register_codec(
    python_type: type[T], *, encode: Callable[[T], object], decode: Callable[[Any], T]
) -> None:
    """Teach dynasafe a type of your own, and its subclasses.

    Args:
        encode: gives a value of a supported type, as in `str`.
        decode: takes what `from_attribute_value` gives for it.
    """
    global _has_quick_way
    registered_codecs[python_type] = (encode, decode)
    _encoders_by_type.clear()
    if any(issubclass(each, python_type) for each in QUICK_TYPES):
        _has_quick_way = False


_has_quick_way = True

registered_codecs: dict[type, tuple[Callable[[Any], object], Callable[[Any], Any]]] = {}


def encode_datetime(value: datetime, path: str = "") -> str:
    """ISO 8601 in UTC with microseconds and Z, so that the order of texts is the order of times.

    Raises:
        ValueOutOfRangeError: the datetime has no timezone, or its time in UTC has no year.
    """
    if value.utcoffset() is None:
        raise ValueOutOfRangeError(
            path,
            "a datetime without a timezone means another time in each place. "
            "Fix: datetime.now(UTC), or .replace(tzinfo=...)",
        )
    try:
        in_utc = value.astimezone(UTC)
    except OverflowError:
        raise ValueOutOfRangeError(
            path, "the datetime lies outside the years 1 to 9999 in UTC"
        ) from None
    return in_utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)


def require_text(value: str, path: str) -> str:
    """The str itself, if it can be sent."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueOutOfRangeError(
            path, "the str has a lone surrogate, which is not Unicode text and has no UTF-8"
        ) from None
    return value


def _str(value: str, path: str, level: int) -> dict[str, Any]:
    text = str(value)
    return {"S": text if text.isascii() else require_text(text, path)}


def _number(value: int | float | Decimal, path: str, level: int) -> dict[str, Any]:
    return {"N": encode_number(value, path)}


def _bytes(value: Any, path: str, level: int) -> dict[str, Any]:
    return {"B": bytes(value)}


def _bool(value: bool, path: str, level: int) -> dict[str, Any]:
    return {"BOOL": value}


def _none(value: None, path: str, level: int) -> dict[str, Any]:
    return {"NULL": True}


def _list(value: Any, path: str, level: int) -> dict[str, Any]:
    _require_level(path, level)
    encoded = []
    for index, each in enumerate(value):
        place = f"{path}[{index}]"
        encoded.append(_encoder(type(each), place)(each, place, level + 1))
    return {"L": encoded}


def _map(value: Mapping[Any, Any], path: str, level: int) -> dict[str, Any]:
    _require_level(path, level)
    return {"M": _encoded_members(value, path, level + 1)}


def _require_level(path: str, level: int) -> None:
    if level > MAX_NESTING_LEVELS:
        raise too_deep(path)


TOO_DEEP = (
    f"lists and maps nest deeper than {MAX_NESTING_LEVELS} levels, of which the item is the first, "
    "or hold themselves"
)


def too_deep(path: str) -> ValueOutOfRangeError:
    """What is said of a value that cannot be written to its end."""
    # The path of a cycle grows without end, so only its beginning is told.
    return ValueOutOfRangeError(path[:200], TOO_DEEP)


def _set(value: Any, path: str, level: int) -> dict[str, Any]:
    if not value:
        raise ValueOutOfRangeError(
            path, "DynamoDB has no empty set. Fix: leave the attribute out, or remove it"
        )
    members: dict[str, set[Any]] = {}
    for each in value:
        ((type_name, content),) = _encoder(type(each), path)(each, path, level).items()
        members.setdefault(type_name, set()).add(content if type_name in "SNB" else None)
    if len(members) > 1 or not members.keys() <= {"S", "N", "B"}:
        raise UnsupportedTypeError(
            path,
            "a set's members are all str, all numbers, or all bytes, not "
            f"{', '.join(sorted(members))}. Fix: use a list",
        )
    ((type_name, contents),) = members.items()
    ordered = sorted(contents, key=Decimal) if type_name == "N" else sorted(contents)
    return {f"{type_name}S": ordered}


def _datetime(value: datetime, path: str, level: int) -> dict[str, Any]:
    return {"S": encode_datetime(value, path)}


def _date(value: date, path: str, level: int) -> dict[str, Any]:
    return {"S": value.isoformat()}


def _uuid(value: UUID, path: str, level: int) -> dict[str, Any]:
    return {"S": str(value)}


def _enum(value: Enum, path: str, level: int) -> dict[str, Any]:
    return _encoder(type(value.value), path)(value.value, path, level)


def _boto3_binary(value: Any, path: str, level: int) -> dict[str, Any]:
    return {"B": bytes(value.value)}


def _item(value: Any, path: str, level: int) -> dict[str, Any]:
    return {"M": value.__dynasafe_encode__(path)}


def _pydantic_model(value: Any, path: str, level: int) -> dict[str, Any]:
    return _map(value.model_dump(by_alias=True), path, level)


def _dataclass(value: Any, path: str, level: int) -> dict[str, Any]:
    fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    return _map(fields, path, level)


_ENCODERS: dict[type, _Encode] = {
    str: _str,
    bool: _bool,
    int: _number,
    float: _number,
    Decimal: _number,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
    type(None): _none,
    list: _list,
    tuple: _list,
    dict: _map,
    set: _set,
    frozenset: _set,
    datetime: _datetime,
    date: _date,
    UUID: _uuid,
}
_encoders_by_type: dict[type, _Encode] = {}


def _encoder(python_type: type, path: str) -> _Encode:
    encoder = _encoders_by_type.get(python_type)
    if encoder is None:
        encoder = _encoders_by_type[python_type] = _find_encoder(python_type, path)
    return encoder


def _find_encoder(python_type: type, path: str) -> _Encode:
    for base in python_type.__mro__:
        if base in registered_codecs:
            return _registered(registered_codecs[base][0])
    if issubclass(python_type, Enum):  # before int and str: an IntEnum is both
        return _enum
    for base in python_type.__mro__:
        if base in _ENCODERS:
            return _ENCODERS[base]
    if issubclass(python_type, Mapping):
        return _map
    if hasattr(python_type, "__dynasafe_encode__"):
        return _item
    if callable(getattr(python_type, "model_dump", None)):
        return _pydantic_model
    if dataclasses.is_dataclass(python_type):
        return _dataclass
    if python_type.__module__ == "boto3.dynamodb.types" and python_type.__name__ == "Binary":
        return _boto3_binary
    raise UnsupportedTypeError(
        path,
        f"{python_type.__qualname__} has no AttributeValue. Fix: convert it, or teach it with "
        "dynasafe.values.convert.register_codec()",
    )


def _registered(to_supported: Callable[[Any], object]) -> _Encode:
    def encode(value: Any, path: str, level: int) -> dict[str, Any]:
        supported = to_supported(value)
        return _encoder(type(supported), path)(supported, path, level)

    return encode


def bytes_of(content: Any) -> bytes:
    """The bytes of a B, which is base64 text in JSON, as an event of DynamoDB Streams has it."""
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return base64.b64decode(content, validate=True)
    return bytes(getattr(content, "value", content))


def _decoded(attribute_value: Any, path: str, level: int) -> Any:
    try:
        # botocore adds SDK_UNKNOWN_MEMBER to a union of a type that it does not know.
        ((type_name, content),) = attribute_value.items()
        decode = _DECODERS[type_name]
    except (TypeError, ValueError, LookupError, AttributeError):
        raise _not_an_attribute_value(path) from None
    return decode(content, path, level)


def _not_an_attribute_value(path: str) -> UnsupportedTypeError:
    return UnsupportedTypeError(
        path, "not an AttributeValue, which is a map of one member, whose name is a DynamoDB type"
    )


def _decoded_map(content: Any, path: str, level: int) -> dict[str, Any]:
    if not isinstance(content, Mapping):
        raise _not_an_attribute_value(path)
    _require_level(path, level - 1)
    prefix = f"{path}." if path else ""
    return {name: _decoded(value, f"{prefix}{name}", level) for name, value in content.items()}


def _decoded_list(content: Any, path: str, level: int) -> list[Any]:
    _require_level(path, level)
    return [
        _decoded(value, f"{path}[{index}]", level + 1)
        for index, value in enumerate(_require_list(content, path))
    ]


def _require(python_type: type[T], content: Any, path: str) -> T:
    if not isinstance(content, python_type):
        raise _not_an_attribute_value(path)
    return content


def _require_list(content: Any, path: str) -> list[Any] | tuple[Any, ...]:
    if not isinstance(content, list | tuple):
        raise _not_an_attribute_value(path)
    return content


def _decoded_number(content: Any, path: str) -> int | Decimal:
    return decode_number(_require(str, content, path), path)


def _decoded_bytes(content: Any, path: str) -> bytes:
    if content.__class__ is bytes:
        whole: bytes = content
        return whole
    try:
        return bytes_of(content)
    except (TypeError, ValueError):
        raise _not_an_attribute_value(path) from None


_DECODERS: dict[str, Callable[[Any, str, int], Any]] = {
    "S": lambda content, path, level: _require(str, content, path),
    "N": lambda content, path, level: _decoded_number(content, path),
    "B": lambda content, path, level: _decoded_bytes(content, path),
    "BOOL": lambda content, path, level: _require(bool, content, path),
    "NULL": lambda content, path, level: None,
    "L": _decoded_list,
    "M": lambda content, path, level: _decoded_map(content, path, level + 1),
    "SS": lambda content, path, level: {
        _require(str, each, path) for each in _require_list(content, path)
    },
    "NS": lambda content, path, level: {
        _decoded_number(each, path) for each in _require_list(content, path)
    },
    "BS": lambda content, path, level: {
        _decoded_bytes(each, path) for each in _require_list(content, path)
    },
}


def attribute_value_size_bytes(attribute_value: AttributeValue) -> int:
    """The size of one value, without its name.

    A string has its UTF-8 bytes; a number about one byte per two significant digits and one more;
    null and Boolean 1; a list or map 3, and 1 for each element or pair.
    Source: "DynamoDB item sizes and formats".
    """
    ((type_name, content),) = attribute_value.items()
    match type_name:
        case "S":
            return len(content.encode(errors="surrogatepass"))
        case "N":
            return _number_size_bytes(content)
        case "B":
            return len(bytes_of(content))
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return sum(len(each.encode(errors="surrogatepass")) for each in content)
        case "NS":
            return sum(map(_number_size_bytes, content))
        case "BS":
            return sum(len(bytes_of(each)) for each in content)
        case "L":
            return 3 + sum(1 + attribute_value_size_bytes(each) for each in content)
        case "M":
            return 3 + len(content) + item_size_bytes(content)
        case _:
            raise UnsupportedTypeError("", f"{type_name!r} is not a DynamoDB type")


def item_size_bytes(attribute_map: Mapping[str, AttributeValue]) -> int:
    """The size of an item in wire form: its names' UTF-8 bytes and its values' sizes."""
    return sum(
        len(name.encode(errors="surrogatepass")) + attribute_value_size_bytes(value)
        for name, value in attribute_map.items()
    )


def _number_size_bytes(text: str) -> int:
    sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    significant = "".join(map(str, digits)).lstrip("0")
    trimmed = significant.rstrip("0")
    if not trimmed:
        return 1
    # Digits are kept in pairs, counted from the decimal point.
    exponent += len(significant) - len(trimmed)
    pairs = (len(trimmed) + (exponent % 2) + 1) // 2
    return pairs + 1 + sign
