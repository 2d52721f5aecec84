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
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from dynasafe.errors import InvalidValueError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.limits import MAX_NESTING_LEVELS, MAX_NUMBER_DIGITS

T = TypeVar("T")

AttributeValue = Mapping[str, Any]
"""A value in wire form: one member, whose name is the type."""

# The item itself is the first level, so that a value begins at the second.
_FIRST_LEVEL = 2
# Beyond these an int may have too many digits.
_MIN_INT, _MAX_INT = -(10**MAX_NUMBER_DIGITS), 10**MAX_NUMBER_DIGITS

_Encode = Callable[[Any, str, int], dict[str, Any]]


def to_attribute_value(value: object, path: str = "") -> dict[str, Any]:
    """The value in wire form. Nothing of it is shared with the value.

    Raises:
        UnsupportedTypeError: a value of a type that has no AttributeValue stands at the path.
        ValueOutOfRangeError: DynamoDB has no room for a value: NaN, 39 digits, an empty set.
    """
    if _has_quick_way:
        try:
            return _quick_list((value,), _VALUE_LEVELS)[0]
        except _NOT_QUICK:
            pass
    return plain_attribute_value(value, path)


def plain_attribute_value(value: object, path: str = "") -> dict[str, Any]:
    """As `to_attribute_value`, for every type, and with the path of what is refused.

    `to_attribute_value` knows a shorter way for the commonest values; this one is its measure.
    """
    return _encoder(type(value), path)(value, path, _FIRST_LEVEL)


def to_attribute_map(item: Mapping[str, object], path: str = "") -> dict[str, dict[str, Any]]:
    """Each value of the item in wire form, by attribute name."""
    if _has_quick_way:
        try:
            return _quick_map(item, _VALUE_LEVELS)
        except _NOT_QUICK:
            pass
    return plain_attribute_map(item, path)


def plain_attribute_map(item: Mapping[str, object], path: str = "") -> dict[str, dict[str, Any]]:
    """As `to_attribute_map`, for every type, and with the path of what is refused."""
    prefix = f"{path}." if path else ""
    encoded = {}
    for name, value in item.items():
        _require_name(name, path)
        encoded[name] = _encoder(type(value), prefix + name)(value, prefix + name, _FIRST_LEVEL)
    return encoded


def from_attribute_value(attribute_value: AttributeValue) -> Any:
    """The Python value: int where a number is integral and Decimal elsewhere, set, bytes, ...

    Raises:
        UnsupportedTypeError: it is not an AttributeValue.
    """
    # botocore adds SDK_UNKNOWN_MEMBER to a union of a type that it does not know.
    try:
        (type_name,) = attribute_value
        content = attribute_value[type_name]
        decode = _DECODERS[type_name]
    except (TypeError, ValueError, LookupError):
        raise UnsupportedTypeError(
            "",
            "not an AttributeValue, which is a map of one member, whose name is a DynamoDB type",
        ) from None
    return decode(content)


def from_attribute_map(attribute_map: Mapping[str, AttributeValue]) -> dict[str, Any]:
    """Each value of the item in Python, by attribute name."""
    item: dict[str, Any] = {}
    for name, value in attribute_map.items():
        # The commonest values without a call.
        if len(value) != 1:
            item[name] = from_attribute_value(value)
        elif "S" in value:
            item[name] = value["S"]
        elif "N" in value:
            text = value["N"]
            item[name] = int(text) if text.isdigit() else decode_number(text)
        elif "M" in value:
            item[name] = from_attribute_map(value["M"])
        elif "L" in value:
            item[name] = _decode_list(value["L"])
        elif "BOOL" in value:
            item[name] = value["BOOL"]
        else:
            item[name] = from_attribute_value(value)
    return item


def _decode_list(content: Iterable[AttributeValue]) -> list[Any]:
    elements: list[Any] = []
    for value in content:
        if len(value) != 1:
            elements.append(from_attribute_value(value))
        elif "S" in value:
            elements.append(value["S"])
        elif "N" in value:
            text = value["N"]
            elements.append(int(text) if text.isdigit() else decode_number(text))
        elif "M" in value:
            elements.append(from_attribute_map(value["M"]))
        else:
            elements.append(from_attribute_value(value))
    return elements


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
    if any(issubclass(each, python_type) for each in _QUICK_TYPES):
        _has_quick_way = False


registered_codecs: dict[type, tuple[Callable[[Any], object], Callable[[Any], Any]]] = {}


def encode_number(value: int | float | Decimal, path: str = "") -> str:
    """The one text of a number: no exponent between 1E-7 and 1E+40, no trailing zeros.

    A float becomes the shortest decimal that reads back as the same float.

    Raises:
        ValueOutOfRangeError: NaN, an infinity, over 38 digits, or outside 1E-130 to 9.9E+125.
    """
    if type(value) is int and _MIN_INT < value < _MAX_INT:
        return str(value)
    if type(value) is Decimal:
        text = str(value)
        # The commonest: no exponent, and no zero at the end of a fraction.
        if "." in text and text[-1] != "0" and "E" not in text and len(text) <= MAX_NUMBER_DIGITS:
            return text
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueOutOfRangeError(
                path, "NaN and infinities are not DynamoDB numbers. Mend: leave the attribute out"
            )
        value = Decimal(repr(float(value)))
    # From a Decimal's tuple, since arithmetic would round to the context's precision.
    number = value if isinstance(value, Decimal) else Decimal(int(value))
    if not number.is_finite():
        raise ValueOutOfRangeError(
            path, "NaN and infinities are not DynamoDB numbers. Mend: leave the attribute out"
        )
    sign, digit_tuple, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # only NaN and infinities have letters there
    all_digits = "".join(map(str, digit_tuple)).lstrip("0")
    digits = all_digits.rstrip("0")
    if not digits:
        return "0"
    exponent += len(all_digits) - len(digits)
    if len(digits) > MAX_NUMBER_DIGITS:
        raise ValueOutOfRangeError(
            path,
            f"a number of {len(digits)} digits; DynamoDB keeps 38. Mend: round it yourself, or "
            "store it as a string",
        )
    magnitude = len(digits) + exponent - 1
    if not -130 <= magnitude <= 125:
        raise ValueOutOfRangeError(
            path, "the number is outside DynamoDB's range of 1E-130 to 9.9E+125"
        )
    minus = "-" if sign else ""
    if exponent >= 0 and magnitude < 40:
        return minus + digits + "0" * exponent
    if exponent < 0 and magnitude >= 0:
        return f"{minus}{digits[: magnitude + 1]}.{digits[magnitude + 1 :]}"
    if -7 <= magnitude < 0:
        return f"{minus}0.{'0' * (-magnitude - 1)}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{minus}{digits[0]}{fraction}E{magnitude:+d}"


def decode_number(text: str) -> int | Decimal:
    """int where the number is integral, Decimal elsewhere; never rounded."""
    if text.isdigit():
        return int(text)
    try:
        number = Decimal(text)
    except InvalidOperation:
        # Without the text, which may be personal data.
        raise ValueOutOfRangeError("", "the text of a number is not one") from None
    if "." in text and text[-1] != "0" and "E" not in text and "e" not in text:
        return number
    return int(number) if number == number.to_integral_value() else number


def encode_datetime(value: datetime, path: str = "") -> str:
    """ISO 8601 in UTC with microseconds and Z, so that the order of texts is the order of times.

    Raises:
        ValueOutOfRangeError: the datetime has no timezone.
    """
    if value.utcoffset() is None:
        raise ValueOutOfRangeError(
            path,
            "a datetime without a timezone means another time in each place. "
            "Mend: datetime.now(UTC), or .replace(tzinfo=...)",
        )
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)


def require_text(value: str, path: str) -> str:
    """The str itself, if it can be sent."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueOutOfRangeError(
            path, "the str has a lone surrogate, which is not Unicode text and has no UTF-8"
        ) from None
    return value


def _require_name(name: object, path: str) -> None:
    if not isinstance(name, str):
        raise UnsupportedTypeError(path, f"a map's keys are str, not {type(name).__name__}")


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
    prefix = f"{path}." if path else ""
    encoded = {}
    for name, each in value.items():
        _require_name(name, path)
        place = prefix + name
        encoded[require_text(name, place)] = _encoder(type(each), place)(each, place, level + 1)
    return {"M": encoded}


def _require_level(path: str, level: int) -> None:
    if level > MAX_NESTING_LEVELS:
        # The path of a cycle grows without end, so only its beginning is told.
        raise ValueOutOfRangeError(
            path[:200],
            f"lists and maps nest deeper than {MAX_NESTING_LEVELS} levels, of which the item is "
            "the first, or hold themselves",
        )


def _set(value: Any, path: str, level: int) -> dict[str, Any]:
    if not value:
        raise ValueOutOfRangeError(
            path, "DynamoDB has no empty set. Mend: leave the attribute out, or remove it"
        )
    members: dict[str, set[Any]] = {}
    for each in value:
        ((type_name, content),) = _encoder(type(each), path)(each, path, level).items()
        members.setdefault(type_name, set()).add(content if type_name in "SNB" else None)
    if len(members) > 1 or not members.keys() <= {"S", "N", "B"}:
        raise UnsupportedTypeError(
            path,
            "a set's members are all str, all numbers, or all bytes, not "
            f"{', '.join(sorted(members))}. Mend: use a list",
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


# The shorter way: no paths, which only a refusal needs, and no calls for the commonest values.


class _NotQuickError(Exception):
    """A value that needs the longer way, if only to be refused with its path."""


_NOT_QUICK = (TypeError, AttributeError, UnicodeEncodeError, InvalidValueError, _NotQuickError)
_QUICK_TYPES: list[type] = [str, int, bool, type(None), Decimal, float, bytes, list, dict, set]
_VALUE_LEVELS = MAX_NESTING_LEVELS + 1 - _FIRST_LEVEL
"""How many lists and maps a value may be of, one within the other."""

_ONLY_STR = {str}

_has_quick_way = True


def _quick_map(value: Mapping[Any, Any], levels: int) -> dict[str, Any]:
    """The values of a map, which may hold so many levels more."""
    names = "".join(value)  # a TypeError where a name is none
    if not names.isascii():
        names.encode()
    encoded: dict[str, Any] = {}
    for name, each in value.items():
        kind = type(each)
        if kind is str:
            if not each.isascii():
                each.encode()
            encoded[name] = {"S": each}
        elif kind is int and _MIN_INT < each < _MAX_INT:
            encoded[name] = {"N": str(each)}
        elif kind is bool:
            encoded[name] = {"BOOL": each}
        elif kind is dict and levels:
            encoded[name] = {"M": _quick_map(each, levels - 1)}
        elif kind is list and levels:
            encoded[name] = {"L": _quick_list(each, levels - 1)}
        else:
            encoded[name] = _quick_scalar(kind, each)
    return encoded


def _quick_list(value: Iterable[Any], levels: int) -> list[dict[str, Any]]:
    """The elements of a list, which may hold so many levels more."""
    encoded: list[dict[str, Any]] = []
    for each in value:
        kind = type(each)
        if kind is str:
            if not each.isascii():
                each.encode()
            encoded.append({"S": each})
        elif kind is int and _MIN_INT < each < _MAX_INT:
            encoded.append({"N": str(each)})
        elif kind is dict and levels:
            encoded.append({"M": _quick_map(each, levels - 1)})
        elif kind is list and levels:
            encoded.append({"L": _quick_list(each, levels - 1)})
        else:
            encoded.append(_quick_scalar(kind, each))
    return encoded


def _quick_scalar(kind: type, value: Any) -> dict[str, Any]:
    if kind is Decimal or kind is float:
        return {"N": encode_number(value)}
    if value is None:
        return {"NULL": True}
    if kind is bool:
        return {"BOOL": value}
    if kind is set:
        return _quick_set(value)
    if kind is bytes:
        return {"B": value}
    raise _NotQuickError


def _quick_set(value: set[Any]) -> dict[str, Any]:
    texts = text_set(value)
    return _set(value, "", _FIRST_LEVEL) if texts is None else texts


def text_set(value: Iterable[Any]) -> dict[str, Any] | None:
    """The set in wire form, if its members are all of type str, and there are some."""
    members = list(value)
    if set(map(type, members)) != _ONLY_STR:
        return None
    if not "".join(members).isascii():
        for each in members:
            each.encode()
    members.sort()
    return {"SS": members}


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
        f"{python_type.__qualname__} has no AttributeValue. Mend: convert it, or teach it with "
        "dynasafe.attribute_value.register_codec()",
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
        return base64.b64decode(content)
    return bytes(getattr(content, "value", content))


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "S": lambda content: content,
    "N": decode_number,
    "B": lambda content: content if content.__class__ is bytes else bytes_of(content),
    "BOOL": lambda content: content,
    "NULL": lambda content: None,
    "L": _decode_list,
    "M": from_attribute_map,
    "SS": set,
    "NS": lambda content: {decode_number(each) for each in content},
    "BS": lambda content: {bytes_of(each) for each in content},
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
