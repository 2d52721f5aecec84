"""Codecs of types with one wire type: text, numbers, times and similar ones."""

from __future__ import annotations

import binascii
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from dynasafe.errors import (
    ValueOutOfRangeError,
)
from dynasafe.limits import MAX_NUMBER_MAGNITUDE
from dynasafe.values.codec import (
    REFUSALS,
    Codec,
    CodecWithoutParts,
    content_of,
    mismatch,
    stored_mismatch,
)
from dynasafe.values.convert import (
    encode_datetime,
    to_attribute_value,
)
from dynasafe.values.numbers import decode_decimal, decode_float, decode_int, encode_number
from dynasafe.values.wire import (
    LEVELS,
    AttributeValue,
    bytes_of,
)

T = TypeVar("T")


class ScalarCodec(CodecWithoutParts[T]):
    """A type whose values have one wire type."""

    def __init__(
        self,
        name: str,
        types: tuple[type, ...],
        type_name: str,
        decode: Callable[[Any], Any],
    ) -> None:
        self.name: str = name
        self._types = types
        self._type_name = type_name
        self._kept = frozenset(types)
        if types[0] in (str, int, bool, float, bytes):
            self.plain_type: type | None = types[0]
        if type_name in ("S", "N", "B") and types[0] in (str, int, float, Decimal, bytes):
            self.plain_types: frozenset[type] = self._kept
        self.keeps_size: bool = name not in _WITH_LONGER_FORMS
        self.type_name: str | None = type_name
        self._decode = decode
        self._read = _JSON_FORMS.get(name)

    def encode(self, value: T, levels: int = LEVELS) -> dict[str, Any]:
        if type(value) not in self._types and not self._is_instance(value):
            raise mismatch(self.name, value)
        encoded = to_attribute_value(value, levels)
        if self._type_name not in encoded:  # a subclass with its own registered codec
            raise mismatch(self.name, value)
        return encoded

    @property
    def words(self) -> str:
        return _WORDS.get(self.name, self.name)

    @property
    def takes_none(self) -> bool:
        return self.name == "None"

    def keeps(self, kinds: set[type]) -> bool:
        return kinds <= self._kept

    def is_surely_not(self, kind: type) -> bool:
        if issubclass(kind, self._types):
            return (kind is bool and bool not in self._types) or (
                issubclass(kind, _TIMES) and _TIMES[0] not in self._types
            )
        return True

    def surely_parses_no(self, kind: type) -> bool:
        return kind not in self._kept and kind not in _READ_KINDS.get(self.name, ())

    def is_never_stored_as(self, type_name: str) -> bool:
        return type_name != self._type_name

    def parse(self, value: Any) -> T:
        kind = type(value)
        if kind in self._kept:
            return cast(T, value)
        if kind is not str and kind is not float and self._is_instance(value):
            return cast(T, value)
        read = self._read
        if read is None or kind is bool:
            raise self.refused()
        try:
            return cast(T, read(value))
        except REFUSALS:
            raise self.refused() from None

    def _is_instance(self, value: object) -> bool:
        # Subclasses are accepted, but a bool is not a number, and a datetime is not a date.
        if isinstance(value, bool) and bool not in self._types:
            return False
        if isinstance(value, _TIMES) and _TIMES[0] not in self._types:
            return False
        return isinstance(value, self._types)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> T:
        content = content_of(attribute_value, self._type_name)
        if content is None:
            raise stored_mismatch(self.name, attribute_value)
        try:
            return cast(T, self._decode(content))
        except (ValueError, ArithmeticError, TypeError, AttributeError):
            raise stored_mismatch(self.name, attribute_value) from None


# freezegun replaces datetime by its own class in each module, but not inside tuples.
_TIMES: Final = (datetime,)


def thawed(annotation: object) -> object:
    """The annotation; the real datetime or date for freezegun's replacement."""
    if isinstance(annotation, type) and annotation.__module__ == "freezegun.api":
        return next((each for each in annotation.__mro__ if each in SCALARS), annotation)
    return annotation


def is_datetime(annotation: object) -> bool:
    """Whether an annotation is datetime."""
    return thawed(annotation) is _TIMES[0]


_WITH_LONGER_FORMS: Final = ("bytes", "Decimal", "datetime", "UUID")
"""Types of which a JSON form may be longer than what is stored."""
_WORDS: dict[str, str] = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "Decimal": "a number",
    "bool": "true or false",
    "bytes": "base64 text",
    "datetime": "a time with its timezone, as 2030-01-31T12:00:00Z,",
    "date": "a date, as 2030-01-31,",
    "UUID": "a UUID",
    "None": "null",
}


def _text_of(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _time_of(value: Any) -> datetime:
    time = datetime.fromisoformat(_text_of(value))
    if time.utcoffset() is None:
        raise ValueError
    return time


_NUMBERS: Final = (int, float, Decimal)
_LARGEST: Final = 10 ** (MAX_NUMBER_MAGNITUDE + 1)
_CERTAIN_FLOAT: Final = 1e18
"""A float below this is within the range. It is compared faster than with the largest number."""


def _whole_of(value: Any) -> int:
    # Only Python's own numbers, and no exponent that int() would write out.
    if not isinstance(value, _NUMBERS):
        raise ValueError
    is_float = type(value) is float and -_CERTAIN_FLOAT < value < _CERTAIN_FLOAT
    if not is_float and not -_LARGEST <= value <= _LARGEST:
        raise ValueError
    whole = int(value)
    if whole != value:
        raise ValueError
    return whole


def _decimal_of(value: Any) -> Decimal:
    if isinstance(value, str):
        return decode_decimal(value)
    if not isinstance(value, (int, float)):
        raise TypeError
    return decode_decimal(repr(value))


_JSON_FORMS: dict[str, Callable[[Any], Any]] = {
    "int": _whole_of,
    "Decimal": _decimal_of,
    "bytes": lambda value: binascii.a2b_base64(_text_of(value), strict_mode=True),
    "datetime": _time_of,
    "date": lambda value: date.fromisoformat(_text_of(value)),
    "UUID": lambda value: UUID(_text_of(value)),
}
"""Functions that read the JSON form of a type, if it differs from the type itself."""
_READ_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "int": (float,),
    "Decimal": (str, float),
    **dict.fromkeys(("bytes", "datetime", "date", "UUID"), (str,)),
}
"""The types of JSON that these read."""


class StrCodec(ScalarCodec[str]):
    def __init__(self) -> None:
        super().__init__("str", (str,), "S", str)

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if value.__class__ is str and value.isascii():
            return {"S": value}
        return super().encode(value, levels)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> str:
        content = content_of(attribute_value, "S")
        if content.__class__ is not str:
            raise stored_mismatch(self.name, attribute_value)
        text: str = content
        return text


_CERTAIN_INT: Final = 10**18
"""An int below this is within the range and the precision of DynamoDB's numbers."""


class IntCodec(ScalarCodec[int]):
    def __init__(self) -> None:
        super().__init__("int", (int,), "N", decode_int)

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if value.__class__ is int:
            is_certain = -_CERTAIN_INT < value < _CERTAIN_INT
            return {"N": str(value) if is_certain else encode_number(value)}
        return super().encode(value, levels)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> int:
        content = content_of(attribute_value, "N")
        if content.__class__ is str and content.isdecimal() and len(content) < 20:
            return int(content)
        return super().decode(attribute_value, levels)


def _decode_datetime(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.utcoffset() is None:  # another program's: a time without its place
        raise ValueError
    return value


def _decode_bool(content: Any) -> bool:
    if content is True or content is False:
        return bool(content)
    raise ValueError


NONE: Codec[None] = ScalarCodec("None", (type(None),), "NULL", lambda content: None)
SCALARS: dict[object, Codec[Any]] = {
    str: StrCodec(),
    int: IntCodec(),
    float: ScalarCodec("float", (float, int), "N", decode_float),
    Decimal: ScalarCodec("Decimal", (Decimal, int), "N", decode_decimal),
    bool: ScalarCodec("bool", (bool,), "BOOL", _decode_bool),
    bytes: ScalarCodec("bytes", (bytes, bytearray, memoryview), "B", bytes_of),
    datetime: ScalarCodec("datetime", (datetime,), "S", _decode_datetime),
    date: ScalarCodec("date", (date,), "S", date.fromisoformat),
    UUID: ScalarCodec("UUID", (UUID,), "S", UUID),
    type(None): NONE,
    None: NONE,
}


class EpochSecondsCodec(CodecWithoutParts[datetime]):
    """An aware datetime as a whole number of seconds since 1970, as Time to Live needs it.

    A fraction of a second is rounded up, so that an item does not expire before its time.
    Source: "Computing Time to Live (TTL) in DynamoDB".
    """

    name = "datetime"
    type_name: str | None = "N"

    @property
    def words(self) -> str:
        return _WORDS["datetime"]

    def parse(self, value: Any) -> Any:
        return SCALARS[_TIMES[0]].parse(value)

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, _TIMES):
            raise mismatch(self.name, value)
        encode_datetime(value)  # refuses a naive one
        seconds, rest = divmod(value - datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1))
        return {"N": str(seconds + (1 if rest else 0))}

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> datetime:
        try:
            seconds = decode_int(attribute_value["N"])
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        except (KeyError, ValueError, ArithmeticError, TypeError, AttributeError):
            raise stored_mismatch("epoch seconds", attribute_value) from None


class EpochIntCodec(IntCodec):
    """A whole number of seconds since 1970, as Time to Live needs it."""

    def __init__(self) -> None:
        super().__init__()
        self.plain_type: type | None = None  # it refuses times that an int may be
        self.plain_types: frozenset[type] = frozenset()

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        encoded = super().encode(value, levels)
        if value > _LAST_SECOND:
            raise ValueOutOfRangeError(
                "", "a time after the year 9999. Fix: give seconds since 1970, not milliseconds"
            )
        return encoded


_LAST_SECOND: Final = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
