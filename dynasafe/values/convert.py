"""Python values as AttributeValues, and back.

Equal numbers and equal sets give equal AttributeValues in every process: numbers have one spelling,
and sets are sorted. The commonest values are written out where they stand, in maps and in lists: a
call would cost more. An error gets its path on the way up, so that a path costs nothing until then.

Sources: "Supported data types and naming rules in Amazon DynamoDB"; "AttributeValue", Amazon
DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from itertools import chain
from typing import Any, Final, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from dynasafe.errors import InvalidValueError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.limits import MAX_ITEM_BYTES, MAX_NUMBER_DIGITS
from dynasafe.values.models import dumped, fields_stored, is_dataclass, is_model
from dynasafe.values.numbers import decode_number, encode_number, of_plain_float
from dynasafe.values.wire import LEVELS, AttributeValue, bytes_of, too_deep

T = TypeVar("T")

_Encode = Callable[[Any, int], dict[str, Any]]
"""Writes a value of one type, which may hold so many levels of lists and maps."""

_MALFORMED: Final = (TypeError, AttributeError, ValueError, LookupError)
"""What reading something else than an AttributeValue raises."""
_ONLY_STR: Final = {str}


# Writing


def to_attribute_value(value: Any, levels: int = LEVELS) -> dict[str, Any]:
    """The value in wire form. Nothing of it is shared with the value.

    Args:
        levels: how many lists and maps it may be of, one within the other.

    Raises:
        UnsupportedTypeError: a value of a type that has no AttributeValue stands at the path.
        ValueOutOfRangeError: DynamoDB has no room for a value: NaN, 39 digits, an empty set.
    """
    kind = type(value)
    encode = _ENCODERS.get(kind)
    return (_encoder(kind) if encode is None else encode)(value, levels)


def to_attribute_map(item: Any) -> dict[str, dict[str, Any]]:
    """Each value of a mapping in wire form, by attribute name.

    Raises:
        UnsupportedTypeError, ValueOutOfRangeError: as of `to_attribute_value`.
    """
    return _encoded_members(item, LEVELS, is_keys=False)


def _encoded_members(value: Any, levels: int, *, is_keys: bool) -> dict[str, dict[str, Any]]:
    """The values of a map, and what they may hold; an error shows no keys, as data are."""
    if levels < 0:
        raise too_deep()
    if type(value) is dict and len(value) > FEW and are_plain_names(value):
        alike = encoded_alike(value.values())
        if alike is not None:
            return dict(zip(value, alike, strict=True))
    encoded: dict[str, dict[str, Any]] = {}
    name: Any = ""
    try:
        # Compiled code goes through what it knows to be a dict in half the time.
        members: dict[Any, Any] = value if type(value) is dict else dict(value.items())
        for name, each in members.items():
            if type(name) is not str or not name.isascii():
                name = require_name(name)
            kind = type(each)
            if kind is str:
                encoded[name] = {"S": each if each.isascii() else require_text(each)}
            elif kind is int:
                digits = str(each) if _MIN_INT < each < _MAX_INT else encode_number(each)
                encoded[name] = {"N": digits}
            elif kind is bool:
                encoded[name] = {"BOOL": each}
            elif kind is dict:
                inner = (
                    {} if levels and not each else _encoded_members(each, levels - 1, is_keys=True)
                )
                encoded[name] = {"M": inner}
            elif kind is list:
                elements = [] if levels and not each else _encoded_elements(each, levels - 1)
                encoded[name] = {"L": elements}
            else:
                encode = _ENCODERS.get(kind)
                encoded[name] = (_encoder(kind) if encode is None else encode)(each, levels)
    except InvalidValueError as error:
        if type(name) is str:
            error.within(name, is_key=is_keys)
        raise
    return encoded


def _encoded_elements(value: Collection[Any], levels: int) -> list[dict[str, Any]]:
    if levels < 0:
        raise too_deep()
    if len(value) > FEW:
        alike = encoded_alike(value)
        if alike is not None:
            return alike
    encoded: list[dict[str, Any]] = []
    try:
        for each in value:
            kind = type(each)
            if kind is str:
                encoded.append({"S": each if each.isascii() else require_text(each)})
            elif kind is int:
                digits = str(each) if _MIN_INT < each < _MAX_INT else encode_number(each)
                encoded.append({"N": digits})
            elif kind is bool:
                encoded.append({"BOOL": each})
            elif kind is dict:
                inner = (
                    {} if levels and not each else _encoded_members(each, levels - 1, is_keys=True)
                )
                encoded.append({"M": inner})
            elif kind is list:
                elements = [] if levels and not each else _encoded_elements(each, levels - 1)
                encoded.append({"L": elements})
            else:
                encode = _ENCODERS.get(kind)
                encoded.append((_encoder(kind) if encode is None else encode)(each, levels))
    except InvalidValueError as error:
        error.within(len(encoded))
        raise
    return encoded


_MIN_INT, _MAX_INT = -(10**18), 10**18
"""An int between these is surely within the range and the precision of DynamoDB's numbers."""
FEW: Final = 16
"""Up to so many values are looked at one by one."""


def are_plain_names(names: Collection[Any]) -> bool:
    """Whether they are all of type str, and ASCII."""
    return {*map(type, names)} == _ONLY_STR and "".join(names).isascii()


def encoded_alike(
    values: Collection[Any], expected: type | None = None
) -> list[dict[str, Any]] | None:
    """Values that are all of one of the commonest types, in wire form; None for any others.

    All at once they cost a third of what they cost one by one.

    Args:
        expected: the type, if only one will do.
    """
    kinds = {*map(type, values)}
    if len(kinds) != 1:
        return None
    (kind,) = kinds
    if expected is not None and kind is not expected:
        return None
    if kind is str:
        return [{"S": each} for each in values] if "".join(values).isascii() else None
    if kind is int:
        if min(values) <= _MIN_INT or max(values) >= _MAX_INT:
            return None
        return [{"N": digits} for digits in map(str, values)]
    if kind is bool:
        return [{"BOOL": each} for each in values]
    if kind is float and _ENCODERS[float] is _number:
        texts = [*map(repr, values)]
        together = "".join(texts)
        if "e" not in together and "n" not in together:
            return [{"N": of_plain_float(text)} for text in texts]
        try:
            return [{"N": encode_number(each)} for each in values]
        except InvalidValueError:
            return None  # to be found with its place
    if kind is type(None) and _ENCODERS[kind] is _none:
        return [{"NULL": True} for each in values]
    return None


def require_room(value: Any) -> None:
    """Refuse lists and maps that no item has room for, before they are worked on.

    Raises:
        ValueOutOfRangeError: they take more than 400 KB, whatever their numbers take.
    """
    within = [value]
    size_bytes = 0
    for _ in range(LEVELS + 1):  # what is deeper is refused for that
        maps = [each for each in within if type(each) is dict]
        lists = [each for each in within if type(each) is list]
        if not maps and not lists:
            return
        names = [*chain.from_iterable(maps)]
        within = [*chain.from_iterable(lists), *chain.from_iterable(map(dict.values, maps))]
        texts = [each for each in chain(names, within) if type(each) is str]
        # A list or map takes 3 bytes, and 1 for each value in it.
        size_bytes += 3 * (len(lists) + len(maps)) + len(within) + sum(map(len, texts))
        if size_bytes > MAX_ITEM_BYTES:
            raise ValueOutOfRangeError("", "it takes more than the 400 KB that an item may have")


def require_name(name: Any) -> str:
    """The name of an attribute, or the key of a map, as plain text that can be sent."""
    if not isinstance(name, str):
        raise UnsupportedTypeError("", f"a map's keys are str, not {type(name).__name__}")
    return require_text(str.__str__(name))


def require_text(text: str) -> str:
    """The str itself, if it can be sent."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueOutOfRangeError(
            "", "the str has a lone surrogate, which is not Unicode text and has no UTF-8"
        ) from None
    return text


def encode_datetime(value: datetime) -> str:
    """ISO 8601 in UTC with microseconds and Z, so that the order of texts is the order of times.

    Raises:
        ValueOutOfRangeError: the datetime has no timezone, or its time in UTC has no year.
    """
    if value != value or getattr(value, "nanosecond", False):  # NaT and Timestamp of pandas
        raise ValueOutOfRangeError(
            "",
            "a datetime is stored with microseconds: NaT and nanoseconds are not. "
            "Fix: None for NaT, .floor('us') for nanoseconds",
        )
    if value.utcoffset() is None:
        raise ValueOutOfRangeError(
            "",
            "a datetime without a timezone means another time in each place. "
            "Fix: datetime.now(UTC), or .replace(tzinfo=...)",
        )
    try:
        in_utc = value.astimezone(UTC)
    except OverflowError:
        raise ValueOutOfRangeError(
            "", "the datetime lies outside the years 1 to 9999 in UTC"
        ) from None
    return in_utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)


def _str(value: str, levels: int) -> dict[str, Any]:
    text = str.__str__(value)
    return {"S": text if text.isascii() else require_text(text)}


def _number(value: Any, levels: int) -> dict[str, Any]:
    return {"N": encode_number(value)}


def _bytes(value: Any, levels: int) -> dict[str, Any]:
    return {"B": bytes(value)}


def _bool(value: bool, levels: int) -> dict[str, Any]:
    return {"BOOL": value}


def _none(value: None, levels: int) -> dict[str, Any]:
    return {"NULL": True}


def _list(value: Any, levels: int) -> dict[str, Any]:
    return {"L": _encoded_elements(value, levels - 1)}


def _map(value: Any, levels: int) -> dict[str, Any]:
    return {"M": _encoded_members(value, levels - 1, is_keys=True)}


def _set(value: Any, levels: int) -> dict[str, Any]:
    return text_set(value) or set_of([to_attribute_value(each, levels) for each in value])


def text_set(value: Iterable[Any]) -> dict[str, Any] | None:
    """The set in wire form, if its members are all of type str, and there are some."""
    members = list(value)
    if set(map(type, members)) != _ONLY_STR:
        return None
    if not "".join(members).isascii():
        for each in members:
            require_text(each)
    members.sort()
    return {"SS": members}


def set_of(members: Iterable[AttributeValue]) -> dict[str, Any]:
    """The set of members that are in wire form.

    Raises:
        UnsupportedTypeError: they are not all strings, all numbers or all binary.
        ValueOutOfRangeError: there are none.
    """
    contents: dict[str, list[Any]] = {}
    for member in members:
        for type_name, content in member.items():
            contents.setdefault(type_name, []).append(content)
    if not contents:
        raise ValueOutOfRangeError(
            "", "DynamoDB has no empty set. Fix: leave the attribute out, or remove it"
        )
    if len(contents) > 1 or not contents.keys() <= {"S", "N", "B"}:
        raise UnsupportedTypeError(
            "",
            "a set's members are all str, all numbers, or all bytes, not "
            f"{', '.join(sorted(contents))}. Fix: use a list",
        )
    ((type_name, given),) = contents.items()
    distinct = set(given)
    ordered = sorted(distinct, key=Decimal) if type_name == "N" else sorted(distinct)
    return {f"{type_name}S": ordered}


def _datetime(value: datetime, levels: int) -> dict[str, Any]:
    return {"S": encode_datetime(value)}


def _date(value: date, levels: int) -> dict[str, Any]:
    return {"S": value.isoformat()}


def _uuid(value: UUID, levels: int) -> dict[str, Any]:
    return {"S": str(value)}


def _enum(value: Enum, levels: int) -> dict[str, Any]:
    return to_attribute_value(value.value, levels)


def _boto3_binary(value: Any, levels: int) -> dict[str, Any]:
    return {"B": bytes(value.value)}


def _item(value: Any, levels: int) -> dict[str, Any]:
    return {"M": value.__dynasafe_encode__(levels - 1)}


def _pydantic_model(value: Any, levels: int) -> dict[str, Any]:
    return to_attribute_value(dumped(value), levels)


def _dataclass(value: Any, levels: int) -> dict[str, Any]:
    return {"M": _encoded_members(fields_stored(value), levels - 1, is_keys=False)}


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
"""How values of each type are written, with and without an annotation."""
_WRITTEN_OUT: Final = (str, int, bool, dict, list)
"""The types that loops write without a look at the table."""

registered_codecs: dict[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {}

# Weak, so that classes made at run time are not kept.
_found_encoders: WeakKeyDictionary[type, _Encode] = WeakKeyDictionary()


def register_codec(
    python_type: type[T], *, encode: Callable[[T], object], decode: Callable[[Any], T]
) -> None:
    """Teach dynasafe a type of your own, and its subclasses.

    Args:
        encode: gives a value of a supported type, as in `str`.
        decode: takes what `from_attribute_value` gives for it.

    Raises:
        TypeError: the type is str, int, bool, dict or list, or one that all types are of.
    """
    if not isinstance(python_type, type):
        raise UnsupportedTypeError("python_type", "a class is expected")
    if any(issubclass(each, python_type) for each in _WRITTEN_OUT):
        raise TypeError(
            f"{python_type.__name__} has a codec that cannot be replaced. Fix: register a class of "
            "your own, which may be a subclass of it"
        )
    registered_codecs[python_type] = (encode, decode)
    if python_type in _ENCODERS:
        _ENCODERS[python_type] = _registered(encode)
    _found_encoders.clear()


def _registered(to_supported: Callable[[Any], Any]) -> _Encode:
    def encode(value: Any, levels: int) -> dict[str, Any]:
        return to_attribute_value(to_supported(value), levels)

    return encode


def _encoder(python_type: type) -> _Encode:
    encoder = _found_encoders.get(python_type)
    if encoder is None:
        encoder = _found_encoders[python_type] = _find_encoder(python_type)
    return encoder


def _find_encoder(python_type: type) -> _Encode:
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
    if is_model(python_type):
        return _pydantic_model
    if is_dataclass(python_type):
        return _dataclass
    if python_type.__module__ == "boto3.dynamodb.types" and python_type.__name__ == "Binary":
        return _boto3_binary
    name, fix = foreign(python_type)
    fix = fix or "convert it, or teach it with dynasafe.values.register_codec()"
    raise UnsupportedTypeError("", f"{name} has no AttributeValue. Fix: {fix}")


def foreign(python_type: type) -> tuple[str, str]:
    """How a type is named in an error, and how a value of numpy or pandas becomes Python's."""
    name = python_type.__qualname__
    library = python_type.__module__.partition(".")[0]
    if library not in ("numpy", "pandas"):
        return name, ""
    if name in ("datetime64", "timedelta64"):
        fix = "a datetime of Python with a timezone"
    elif hasattr(python_type, "tolist"):
        fix = "value.tolist(), which gives Python's own values"
    else:
        fix = "None for a missing value, and Python's own type for another"
    return f"{library}.{name}", fix


# Reading


def from_attribute_value(attribute_value: Any, levels: int = LEVELS) -> Any:
    """The Python value: int where a number is integral and Decimal elsewhere, set, bytes, ...

    Raises:
        UnsupportedTypeError: what stands at the path is not an AttributeValue.
        ValueOutOfRangeError: a number is not one, or lists and maps nest deeper than DynamoDB's do.
    """
    try:
        # botocore adds SDK_UNKNOWN_MEMBER to a union of a type that it does not know.
        ((type_name, content),) = attribute_value.items()
        return _DECODERS[type_name](content, levels)
    except InvalidValueError:
        raise
    except _MALFORMED:
        raise _not_an_attribute_value() from None


def from_attribute_map(attribute_map: Any) -> dict[str, Any]:
    """Each value of the item in Python, by attribute name.

    Raises:
        UnsupportedTypeError: what stands at the path is not an AttributeValue.
        ValueOutOfRangeError: a number is not one, or lists and maps nest deeper than DynamoDB's do.
    """
    return _decoded_members(attribute_map, LEVELS, is_keys=False)


def _decoded_members(content: Any, levels: int, *, is_keys: bool) -> dict[str, Any]:
    if levels < 0:
        raise too_deep()
    if type(content) is not dict and not isinstance(content, Mapping):
        raise _not_an_attribute_value()
    decoded: dict[str, Any] = {}
    name: Any = ""
    try:
        members: dict[Any, Any] = content if type(content) is dict else dict(content.items())
        for name, each in members.items():
            value: dict[Any, Any] = each if type(each) is dict else dict(each.items())
            if len(value) != 1:
                raise _not_an_attribute_value()
            if "S" in value:
                text = value["S"]
                decoded[name] = text if type(text) is str else _require(str, text)
            elif "N" in value:
                digits: str = value["N"]
                decoded[name] = (
                    int(digits)
                    if digits.isdecimal() and len(digits) <= MAX_NUMBER_DIGITS
                    else decode_number(digits)
                )
            elif "M" in value:
                decoded[name] = _decoded_members(value["M"], levels - 1, is_keys=True)
            elif "L" in value:
                decoded[name] = _decoded_elements(value["L"], levels - 1)
            else:
                decoded[name] = _decoded_other(value, levels)
    except InvalidValueError as error:
        error.within(name, is_key=is_keys)
        raise
    except _MALFORMED:
        raise _not_an_attribute_value().within(name, is_key=is_keys) from None
    return decoded


def _decoded_elements(content: Any, levels: int) -> list[Any]:
    if levels < 0:
        raise too_deep()
    values = _require_list(content)
    decoded: list[Any] = []
    try:
        for each in values:
            value: dict[Any, Any] = each if type(each) is dict else dict(each.items())
            if len(value) != 1:
                raise _not_an_attribute_value()
            if "S" in value:
                text = value["S"]
                decoded.append(text if type(text) is str else _require(str, text))
            elif "N" in value:
                digits: str = value["N"]
                decoded.append(
                    int(digits)
                    if digits.isdecimal() and len(digits) <= MAX_NUMBER_DIGITS
                    else decode_number(digits)
                )
            elif "M" in value:
                decoded.append(_decoded_members(value["M"], levels - 1, is_keys=True))
            elif "L" in value:
                decoded.append(_decoded_elements(value["L"], levels - 1))
            else:
                decoded.append(_decoded_other(value, levels))
    except InvalidValueError as error:
        error.within(len(decoded))
        raise
    except _MALFORMED:
        raise _not_an_attribute_value().within(len(decoded)) from None
    return decoded


def _decoded_other(value: dict[Any, Any], levels: int) -> Any:
    if "BOOL" in value:
        return _require(bool, value["BOOL"])
    if "NULL" in value:
        return None
    ((type_name, content),) = value.items()
    return _DECODERS[type_name](content, levels)


def _not_an_attribute_value() -> UnsupportedTypeError:
    return UnsupportedTypeError(
        "", "not an AttributeValue, which is a map of one member, whose name is a DynamoDB type"
    )


def _require(python_type: type[T], content: Any) -> T:
    if not isinstance(content, python_type):
        raise _not_an_attribute_value()
    return content


def _require_list(content: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(content, list | tuple):
        raise _not_an_attribute_value()
    return content


def _decoded_text(content: Any, levels: int) -> str:
    return _require(str, content)


def _decoded_number(content: Any, levels: int) -> int | Decimal:
    return decode_number(_require(str, content))


def _decoded_bytes(content: Any, levels: int) -> bytes:
    return bytes_of(content)


def _decoded_flag(content: Any, levels: int) -> bool:
    return _require(bool, content)


def _decoded_null(content: Any, levels: int) -> None:
    return None


def _decoded_list(content: Any, levels: int) -> list[Any]:
    return _decoded_elements(content, levels - 1)


def _decoded_map(content: Any, levels: int) -> dict[str, Any]:
    return _decoded_members(content, levels - 1, is_keys=True)


def _decoded_texts(content: Any, levels: int) -> set[str]:
    texts = _require_list(content)
    if {*map(type, texts)} == _ONLY_STR:
        return set(texts)
    return {_require(str, each) for each in texts}


def _decoded_numbers(content: Any, levels: int) -> set[int | Decimal]:
    return {_decoded_number(each, levels) for each in _require_list(content)}


def _decoded_binaries(content: Any, levels: int) -> set[bytes]:
    return {bytes_of(each) for each in _require_list(content)}


_DECODERS: dict[str, Callable[[Any, int], Any]] = {
    "S": _decoded_text,
    "N": _decoded_number,
    "B": _decoded_bytes,
    "BOOL": _decoded_flag,
    "NULL": _decoded_null,
    "L": _decoded_list,
    "M": _decoded_map,
    "SS": _decoded_texts,
    "NS": _decoded_numbers,
    "BS": _decoded_binaries,
}
"""How each DynamoDB type is read, where there is no annotation."""
