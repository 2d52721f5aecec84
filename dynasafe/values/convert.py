"""Python values as AttributeValues, and back.

Equal numbers and equal sets give equal AttributeValues in every process: numbers have one spelling,
and sets are sorted. The most common types are converted inline, in maps and in lists: a call would
cost more. An error gets its path while it is passed up, so paths cost nothing without errors.

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
from weakref import ref

from dynasafe.errors import InvalidValueError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.limits import MAX_ITEM_BYTES, MAX_NUMBER_DIGITS
from dynasafe.values.models import dumped, fields_stored, is_dataclass, is_model, plain_model
from dynasafe.values.numbers import decode_number, encode_number, of_float, of_plain_float
from dynasafe.values.wire import LEVELS, AttributeValue, bytes_of, too_deep
from dynasafe.values.work import (
    OF_A_TURN,
    in_order,
    parts_of_list,
    parts_of_map,
    worked,
)

T = TypeVar("T")

_Encode = Callable[[Any, int], dict[str, Any]]
"""Writes a value of one type, with the number of levels of lists and maps that it may have."""

_MALFORMED: Final = (TypeError, AttributeError, ValueError, LookupError)
"""The errors from reading something that is not an AttributeValue."""
_ONLY_STR: Final = {str}


# Writing


def to_attribute_value(value: Any, levels: int = LEVELS) -> dict[str, Any]:
    """The value in wire form. It shares nothing with the original.

    Args:
        levels: how many lists and maps it may be of, one within the other.

    Raises:
        UnsupportedTypeError: the type of the value at the path has no AttributeValue.
        ValueOutOfRangeError: DynamoDB cannot store a value: NaN, 39 digits, an empty set.
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
    """The values of a map in wire form. Errors do not show its keys, because these are data."""
    if levels < 0:
        raise too_deep()
    if len(value) > OF_A_TURN:
        whole: dict[str, dict[str, Any]] = {}
        for part in parts_of_map(value):
            whole.update(_encoded_members(part, levels, is_keys=is_keys))
        return whole
    worked(len(value))
    if type(value) is dict and len(value) > FEW and are_plain_names(value):
        alike = encoded_alike(value.values())
        if alike is not None:
            return dict(zip(value, alike, strict=True))
    encoded: dict[str, dict[str, Any]] = {}
    name: Any = ""
    try:
        # Compiled code iterates over a known dict in half the time.
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


def _encoded_elements(value: Collection[Any], levels: int, start: int = 0) -> list[dict[str, Any]]:
    if levels < 0:
        raise too_deep()
    if len(value) > OF_A_TURN:
        whole: list[dict[str, Any]] = []
        for part in parts_of_list(value):
            whole += _encoded_elements(part, levels, len(whole))
        return whole
    worked(len(value))
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
        error.within(start + len(encoded))
        raise
    return encoded


_MAX_INT: Final = 10**18
_MIN_INT: Final = -_MAX_INT
"""An int between these is surely within the range and the precision of DynamoDB's numbers."""
FEW: Final = 16
"""Up to this number, values are checked one by one."""


def are_plain_names(names: Collection[Any]) -> bool:
    """Whether they are all of type str, and ASCII."""
    return {*map(type, names)} == _ONLY_STR and "".join(names).isascii()


def encoded_alike(
    values: Collection[Any], expected: type | None = None
) -> list[dict[str, Any]] | None:
    """Values in wire form, if they all have the same common type; otherwise None.

    All at once, they cost a third of the time.

    Args:
        expected: the required type, if any.
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
        written = [of_float(text) for text in texts]
        return None if "" in written else [{"N": text} for text in written]
    if kind is type(None) and _ENCODERS[kind] is _none:
        return [{"NULL": True} for each in values]
    if kind is bytes and _ENCODERS[kind] is _bytes:
        return [{"B": each} for each in values]
    return None


def require_room(value: Any) -> None:
    """Refuse lists and maps that are too large for an item, before they are converted.

    Raises:
        ValueOutOfRangeError: they need more than 400 KB, even without their numbers.
    """
    within = [value]
    size_bytes = 0
    for _ in range(LEVELS + 1):  # deeper values are refused because of their depth
        kinds = {*map(type, within)}
        maps = [each for each in within if type(each) is dict] if dict in kinds else []
        lists = [each for each in within if type(each) is list] if list in kinds else []
        if not maps and not lists:
            return
        names = [*chain.from_iterable(maps)]
        within = [*chain.from_iterable(lists), *chain.from_iterable(map(dict.values, maps))]
        # A list or map takes 3 bytes, and 1 for each value in it.
        size_bytes += 3 * (len(lists) + len(maps)) + len(within)
        size_bytes += _least_size_bytes(names) + _least_size_bytes(within)
        if size_bytes > MAX_ITEM_BYTES:
            raise ValueOutOfRangeError("", "it takes more than the 400 KB that an item may have")


def _least_size_bytes(values: Collection[Any]) -> int:
    """A size that the values are surely not below, without those within lists and maps."""
    kinds = {*map(type, values)}
    if kinds == _ONLY_STR:
        return sum(map(len, values))
    size_bytes = 0
    if str in kinds:
        size_bytes = sum([len(each) for each in values if type(each) is str])
    counted = [kind for kind in kinds if _ENCODERS.get(kind) in _OF_ONE_BYTE_OR_MORE]
    if len(counted) == len(kinds):
        return len(values)
    if counted:
        size_bytes += sum([type(each) in counted for each in values])
    return size_bytes


def require_name(name: Any) -> str:
    """The name of an attribute, or the key of a map, as plain text that can be sent."""
    if not isinstance(name, str):
        raise UnsupportedTypeError("", f"a map's keys are str, not {type(name).__name__}")
    return require_text(str.__str__(name))


def is_encodable(text: str) -> bool:
    """Whether the text has UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_text(text: str) -> str:
    """The str itself, if it can be sent."""
    if not is_encodable(text):
        raise ValueOutOfRangeError(
            "", "the str has a lone surrogate, which is not Unicode text and has no UTF-8"
        )
    return text


def encode_datetime(value: datetime) -> str:
    """ISO 8601 in UTC with microseconds and Z, so that the order of texts is the order of times.

    Raises:
        ValueOutOfRangeError: the datetime has no timezone, or its time in UTC has no year.
    """
    is_odd = type(value) is not datetime and (value != value or getattr(value, "nanosecond", False))
    if is_odd:  # NaT and Timestamp of pandas
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
    if type(in_utc) is datetime:
        return in_utc.isoformat(timespec="microseconds")[:-6] + "Z"
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
    return plain_set(value) or set_of([to_attribute_value(each, levels) for each in value])


def plain_set(value: Iterable[Any], expected: frozenset[type] | None = None) -> dict[str, Any]:
    """The set in wire form, if all members are str, bytes or numbers; otherwise an empty dict.

    Args:
        expected: the types that members may have, if not all are allowed.
    """
    members = list(value)
    if len(members) == 1:
        return _set_of_one(members[0], expected)
    worked(len(members))
    kinds = {*map(type, members)}
    if not kinds or (expected is not None and not kinds <= expected):
        return {}
    if kinds == _ONLY_STR:
        if not "".join(members).isascii():
            for each in members:
                require_text(each)
        return {"SS": in_order(members)}
    if kinds == _ONLY_BYTES and _ENCODERS[bytes] is _bytes:
        return {"BS": in_order(members)}
    if not kinds <= _NUMBERS or {*map(_ENCODERS.get, kinds)} != _ONLY_NUMBER:
        return {}
    if kinds == _ONLY_INT and min(members) > _MIN_INT and max(members) < _MAX_INT:
        return {"NS": [*map(str, in_order(members))]}
    texts: list[str] = []
    for part in parts_of_list(members):
        worked(len(part))
        texts += [encode_number(each) for each in part]
    if len(kinds) == 1 and float in kinds:
        by_float = dict(zip(members, texts, strict=True))
        return {"NS": [by_float[each] for each in in_order([*by_float])]}
    return {"NS": _in_order({*texts})}


def _set_of_one(value: Any, expected: frozenset[type] | None) -> dict[str, Any]:
    kind = type(value)
    if expected is not None and kind not in expected:
        return {}
    if kind is str:
        return {"SS": [value if value.isascii() else require_text(value)]}
    if kind is int and _MIN_INT < value < _MAX_INT:
        return {"NS": [str(value)]}
    if kind is bytes and _ENCODERS[kind] is _bytes:
        return {"BS": [value]}
    if kind in _NUMBERS and _ENCODERS[kind] is _number:
        return {"NS": [encode_number(value)]}
    return {}


_ONLY_BYTES: Final = {bytes}
_ONLY_INT: Final = {int}
_NUMBERS: Final = frozenset({int, float, Decimal})


def _in_order(numbers: Collection[str]) -> list[str]:
    """The texts of distinct numbers, from the smallest to the largest."""
    # Floats are sorted faster than Decimals, and a larger number is no smaller float.
    by_float: dict[float, str] = {}
    for part in parts_of_list(numbers):
        worked(len(part))
        by_float.update(zip(map(float, part), part, strict=True))
    if len(by_float) == len(numbers):
        ordered = []
        for floats in parts_of_list(in_order([*by_float])):
            worked(len(floats))
            ordered += [by_float[each] for each in floats]
        return ordered
    ordered = sorted(numbers, key=float)
    ordered.sort(key=Decimal)
    return ordered


def set_of(members: Iterable[AttributeValue]) -> dict[str, Any]:
    """The set with these members in wire form.

    Raises:
        UnsupportedTypeError: they are not all strings, all numbers or all binary.
        ValueOutOfRangeError: the set is empty.
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
    ordered = _in_order(distinct) if type_name == "N" else sorted(distinct)
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


def _encoder_of_model(model: Any) -> _Encode:
    plain = plain_model(model)
    if plain is None:
        return _pydantic_model

    def encode(value: Any, levels: int) -> dict[str, Any]:
        encoded = plainly_encoded(value, plain, levels)
        return _pydantic_model(value, levels) if encoded is None else encoded

    return encode


def plainly_encoded(value: Any, plain: Any, levels: int) -> dict[str, Any] | None:
    """The instance of a plain model in wire form, if its values have the types of its fields and
    are surely stored; otherwise None.

    Args:
        plain: a PlainModel.
    """
    state: dict[Any, Any] = value.__dict__
    fields: dict[Any, Any] = plain.fields
    if levels <= 0 or len(state) != len(fields):
        return None
    worked(len(fields))
    encoded: dict[str, Any] = {}
    for name, each in state.items():
        field = fields.get(name)
        if field is None:
            return None
        if each is None and field.none_is_absent:
            continue
        written = _plain_value(each, field, levels - 1)
        if written is None:
            return None
        encoded[name] = written
    return {"M": encoded}


def _plain_value(value: Any, field: Any, levels: int) -> dict[str, Any] | None:
    kind = type(value)
    if kind not in field.kinds:
        if kind is list and field.element is not None and levels > 0:
            return _plain_list(value, field.element, levels - 1)
        model = field.model
        if model is not None and kind is model.of():
            return plainly_encoded(value, model, levels)
        return None
    if kind is str:
        return {"S": value} if value.isascii() or is_encodable(value) else None
    if kind is int:
        return {"N": str(value)} if _MIN_INT < value < _MAX_INT else None
    if kind is bool:
        return {"BOOL": value}
    if value is None:
        return {"NULL": True} if _ENCODERS[kind] is _none else None
    if _ENCODERS[kind] is not _number:
        return None
    try:
        return {"N": encode_number(value)}
    except InvalidValueError:
        return None


def _plain_list(values: list[Any], element: Any, levels: int) -> dict[str, Any] | None:
    encoded: list[dict[str, Any]] = []
    for part in parts_of_list(values):
        worked(len(part))
        for each in part:
            written = _plain_value(each, element, levels)
            if written is None:
                return None
            encoded.append(written)
    return {"L": encoded}


def _dataclass(value: Any, levels: int) -> dict[str, Any]:
    return {"M": _encoded_members(fields_stored(value), levels - 1, is_keys=False)}


_ENCODERS: Final[dict[type, _Encode]] = {
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
"""The functions that write values of each type, with and without an annotation."""
_ONLY_NUMBER: Final = {_number}
_OF_ONE_BYTE_OR_MORE: Final = (_number, _bool, _none)
_WRITTEN_OUT: Final = (str, int, bool, dict, list)
"""The types that loops write without using the table."""

registered_codecs: dict[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {}

# Weak, so that classes made at run time are not kept. By id: an entry goes with its class.
_found_encoders: dict[int, tuple[Any, _Encode]] = {}


def register_codec(
    python_type: type[T], *, encode: Callable[[T], object], decode: Callable[[Any], T]
) -> None:
    """Teach dynasafe a type of your own, and its subclasses.

    Args:
        encode: returns a value of a supported type, such as `str`.
        decode: takes the value that `from_attribute_value` returns for it.

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
    key = id(python_type)
    found = _found_encoders.get(key)
    if found is None:
        encoder = _find_encoder(python_type)
        reference = ref(python_type, lambda _: _found_encoders.pop(key, None))
        _found_encoders[key] = (reference, encoder)
        return encoder
    return found[1]


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
        return _encoder_of_model(python_type)
    if is_dataclass(python_type):
        return _dataclass
    if python_type.__module__ == "boto3.dynamodb.types" and python_type.__name__ == "Binary":
        return _boto3_binary
    name, fix = foreign(python_type)
    fix = fix or "convert it, or teach it with dynasafe.values.register_codec()"
    raise UnsupportedTypeError("", f"{name} has no AttributeValue. Fix: {fix}")


def foreign(python_type: type) -> tuple[str, str]:
    """The type's name for an error, with the fix for values of numpy or pandas."""
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
    """The Python value: int for whole numbers, Decimal for others, set, bytes, ...

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
    if len(content) > OF_A_TURN:
        for part in parts_of_map(content):
            decoded.update(_decoded_members(part, levels, is_keys=is_keys))
        return decoded
    worked(len(content))
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


def _decoded_elements(content: Any, levels: int, start: int = 0) -> list[Any]:
    if levels < 0:
        raise too_deep()
    values = _require_list(content)
    decoded: list[Any] = []
    if len(values) > OF_A_TURN:
        for part in parts_of_list(values):
            decoded += _decoded_elements(part, levels, len(decoded))
        return decoded
    worked(len(values))
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
        error.within(start + len(decoded))
        raise
    except _MALFORMED:
        raise _not_an_attribute_value().within(start + len(decoded)) from None
    return decoded


def _decoded_other(value: dict[Any, Any], levels: int) -> Any:
    if "BOOL" in value:
        return _require(bool, value["BOOL"])
    if "NULL" in value:
        return None
    if "B" in value:
        binary = value["B"]
        return binary if type(binary) is bytes else bytes_of(binary)
    ((type_name, content),) = value.items()
    if type(content) is list and len(content) == 1 and type(content[0]) is str:
        if type_name == "NS":
            return {decode_number(content[0])}
        if type_name == "SS":
            return {content[0]}
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
    worked(len(texts))
    if {*map(type, texts)} == _ONLY_STR:
        return set(texts)
    return {_require(str, each) for each in texts}


def _decoded_numbers(content: Any, levels: int) -> set[int | Decimal]:
    numbers: set[int | Decimal] = set()
    for part in parts_of_list(_require_list(content)):
        worked(len(part))
        numbers |= {
            decode_number(each if type(each) is str else _require(str, each)) for each in part
        }
    return numbers


def _decoded_binaries(content: Any, levels: int) -> set[bytes]:
    binaries: set[bytes] = set()
    for part in parts_of_list(_require_list(content)):
        worked(len(part))
        binaries |= {bytes_of(each) for each in part}
    return binaries


_DECODERS: Final[dict[str, Callable[[Any, int], Any]]] = {
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
"""The functions that read each DynamoDB type without an annotation."""
