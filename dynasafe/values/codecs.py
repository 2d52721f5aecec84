"""Codecs: how the values of one annotation are written and read.

A codec is strict where a conversion would guess: an `int` takes no str and no bool, and a stored
1.5 is not read as an int.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, Literal, TypeVar, cast
from uuid import UUID

from dynasafe.errors import (
    InvalidValueError,
    StoredValueError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
    did_you_mean,
)
from dynasafe.values.convert import (
    encode_datetime,
    from_attribute_value,
    registered_codecs,
    require_name,
    set_of,
    text_set,
    to_attribute_value,
)
from dynasafe.values.models import (
    AmbiguousUnionError,
    dumped,
    fields_of,
    is_model,
    is_same,
    loaded,
    parsed_model,
    problem_of,
)
from dynasafe.values.numbers import decode_decimal, decode_int
from dynasafe.values.wire import (
    ELEMENTS,
    LEVELS,
    TOO_DEEP,
    TYPES,
    AttributeValue,
    bytes_of,
    too_deep,
)

T = TypeVar("T")

_LISTS = (list, tuple)
_SETS = (set, frozenset)
_TYPES = frozenset(TYPES)
_REFUSALS = (ValueError, TypeError, LookupError, ArithmeticError, AssertionError)
"""How a type refuses a stored value. What it says often quotes the value: it is not told on."""


class Codec(Generic[T]):
    """Writes and reads values of the type T; this base takes any value."""

    name = "any value"
    type_name: str | None = None
    """The wire type of all its values, where they have one."""

    def encode(self, value: T, levels: int = LEVELS) -> dict[str, Any]:
        """The value in wire form.

        Args:
            levels: how many lists and maps it may be of, one within the other.

        Raises:
            InvalidValueError: the value is not a T, or DynamoDB cannot store it.
        """
        return to_attribute_value(value, levels)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> T:
        """The stored value as a T.

        Raises:
            StoredValueError: the stored value is not a T.
        """
        try:
            return cast(T, from_attribute_value(attribute_value, levels))
        except InvalidValueError as error:
            raise StoredValueError.of(error) from None

    @property
    def words(self) -> str:
        """What a value is, for someone who sends JSON."""
        return self.name

    @property
    def takes_none(self) -> bool:
        return type(self) is Codec

    def parse(self, value: Any) -> T:
        """The value that its JSON form stands for; a value stands for itself.

        Raises:
            UnsupportedTypeError: it is neither, in words for the one who sent it.
        """
        return cast(T, value)

    def refused(self) -> UnsupportedTypeError:
        """What is said of a value that `parse` does not take."""
        return UnsupportedTypeError("", f"{self.words} is expected")

    def part(self, element: str | int) -> Part:
        """A list's or set's member (by an index), a map's value (by a key), or a field.

        Args:
            element: a field's name in Python or in DynamoDB.

        Raises:
            UnsupportedTypeError: the type has no such part.
        """
        return Part(element, _ANY)

    def child(self, element: str | int) -> Codec[Any]:
        """The codec of a part."""
        return self.part(element).codec

    def is_of(self, item_class: type) -> bool:
        """Whether a value may be an instance of the Item class or of a subclass."""
        return type(self) is Codec

    @property
    def key_type_name(self) -> str | None:
        """The wire type of the values that may stand in a key, where it is known."""
        return self.type_name

    def optional(self) -> Codec[Any]:
        """The codec that takes None as well."""
        return _UnionCodec((self, _NONE))


class Part:
    """What stands inside a value: its name or index in DynamoDB, and its codec."""

    __slots__ = ("codec", "element", "none_is_absent")

    def __init__(self, element: str | int, codec: Codec[Any], none_is_absent: bool = False) -> None:
        self.element: str | int = element
        self.codec: Codec[Any] = codec
        self.none_is_absent: bool = none_is_absent


class _Parts(Codec[T]):
    def part(self, element: str | int) -> Part:
        raise UnsupportedTypeError(str(element), f"{self.name} has no parts")


class _ScalarCodec(_Parts[T]):
    """A type whose values are of one wire type."""

    def __init__(
        self,
        name: str,
        types: tuple[type, ...],
        type_name: str,
        decode: Callable[[Any], Any],
    ) -> None:
        self.name = name
        self._types = types
        self._type_name = type_name
        self.type_name: str | None = type_name
        self._decode = decode

    def encode(self, value: T, levels: int = LEVELS) -> dict[str, Any]:
        if type(value) not in self._types and not self._is_instance(value):
            raise _mismatch(self.name, value)
        encoded = to_attribute_value(value, levels)
        if self._type_name not in encoded:  # a subclass that was taught to be something else
            raise _mismatch(self.name, value)
        return encoded

    @property
    def words(self) -> str:
        return _WORDS.get(self.name, self.name)

    @property
    def takes_none(self) -> bool:
        return self.name == "None"

    def parse(self, value: Any) -> T:
        if self._is_instance(value):
            return cast(T, value)
        read = _JSON_FORMS.get(self.name)
        if read is None or isinstance(value, bool):
            raise self.refused()
        try:
            return cast(T, read(value))
        except _REFUSALS:
            raise self.refused() from None

    def _is_instance(self, value: object) -> bool:
        # A subclass is fine, but a bool is no number and a datetime no date.
        if isinstance(value, bool) and bool not in self._types:
            return False
        if isinstance(value, datetime) and datetime not in self._types:
            return False
        return isinstance(value, self._types)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> T:
        content = attribute_value.get(self._type_name)
        if content is None:
            raise _stored_mismatch(self.name, attribute_value)
        try:
            return cast(T, self._decode(content))
        except (ValueError, ArithmeticError, TypeError, AttributeError):
            raise _stored_mismatch(self.name, attribute_value) from None


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


def _whole_of(value: Any) -> int:
    whole = int(value)
    if isinstance(value, str) or whole != value:
        raise ValueError
    return whole


_JSON_FORMS: dict[str, Callable[[Any], Any]] = {
    "int": _whole_of,
    "Decimal": lambda value: decode_decimal(value if isinstance(value, str) else repr(value)),
    "bytes": lambda value: bytes_of(_text_of(value)),
    "datetime": _time_of,
    "date": lambda value: date.fromisoformat(_text_of(value)),
    "UUID": lambda value: UUID(_text_of(value)),
}
"""How the JSON form of a type is read, where it differs from the type's own."""


class _StrCodec(_ScalarCodec[str]):
    def __init__(self) -> None:
        super().__init__("str", (str,), "S", str)

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if value.__class__ is str and value.isascii():
            return {"S": value}
        return super().encode(value, levels)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> str:
        content: Any = attribute_value.get("S")
        if content.__class__ is not str:
            raise _stored_mismatch(self.name, attribute_value)
        text: str = content
        return text


_CERTAIN_INT = 10**18
"""An int below this is within the range and the precision of DynamoDB's numbers."""


class _IntCodec(_ScalarCodec[int]):
    def __init__(self) -> None:
        super().__init__("int", (int,), "N", decode_int)

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if value.__class__ is int and -_CERTAIN_INT < value < _CERTAIN_INT:
            return {"N": str(value)}
        return super().encode(value, levels)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> int:
        content: Any = attribute_value.get("N")
        if content.__class__ is str and content.isdecimal() and len(content) < 20:
            return int(content)
        return super().decode(attribute_value, levels)


def _mismatch(name: str, value: object) -> UnsupportedTypeError:
    return UnsupportedTypeError("", f"{name} is expected, not {type(value).__name__}")


def _stored_mismatch(name: str, attribute_value: AttributeValue) -> StoredValueError:
    stored = ", ".join(each for each in attribute_value if each in _TYPES) or "unknown"
    return StoredValueError(
        "", f"the stored value, of type {stored}, does not fit the annotation: {name}"
    )


def undefined(place: str, error: NameError) -> TypeError:
    """What is said of an annotation that cannot be resolved."""
    return TypeError(
        f"{place}: its annotation names {error.name!r}, which is not defined. Fix: define or "
        "import it in the class's module"
    )


def _decode_float(text: str) -> float:
    return float(decode_decimal(text))


def _decode_datetime(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.utcoffset() is None:  # another program's: a time without its place
        raise ValueError
    return value


def _decode_bool(content: Any) -> bool:
    if content is True or content is False:
        return bool(content)
    raise ValueError


_NONE: Codec[None] = _ScalarCodec("None", (type(None),), "NULL", lambda content: None)

_SCALARS: dict[object, Codec[Any]] = {
    str: _StrCodec(),
    int: _IntCodec(),
    float: _ScalarCodec("float", (float, int), "N", _decode_float),
    Decimal: _ScalarCodec("Decimal", (Decimal, int), "N", decode_decimal),
    bool: _ScalarCodec("bool", (bool,), "BOOL", _decode_bool),
    bytes: _ScalarCodec("bytes", (bytes, bytearray, memoryview), "B", bytes_of),
    datetime: _ScalarCodec("datetime", (datetime,), "S", _decode_datetime),
    date: _ScalarCodec("date", (date,), "S", date.fromisoformat),
    UUID: _ScalarCodec("UUID", (UUID,), "S", UUID),
    type(None): _NONE,
    None: _NONE,
}


class EpochSecondsCodec(_Parts[datetime]):
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
        return _SCALARS[datetime].parse(value)

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, datetime):
            raise _mismatch(self.name, value)
        encode_datetime(value)  # refuses a naive one
        seconds, rest = divmod(value - datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1))
        return {"N": str(seconds + (1 if rest else 0))}

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> datetime:
        try:
            seconds = decode_int(attribute_value["N"])
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        except (KeyError, ValueError, ArithmeticError, TypeError, AttributeError):
            raise _stored_mismatch("epoch seconds", attribute_value) from None


class EpochIntCodec(_IntCodec):
    """A whole number of seconds since 1970, as Time to Live needs it."""

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        encoded = super().encode(value, levels)
        if value > _LAST_SECOND:
            raise ValueOutOfRangeError(
                "", "a time after the year 9999. Fix: give seconds since 1970, not milliseconds"
            )
        return encoded


_LAST_SECOND = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())


class AttributeCodec(Codec[Any]):
    """How one attribute is written and read, by an object of the user's."""

    name = "what its codec takes"

    def __init__(self, given: Any) -> None:
        self._given = given

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        try:
            supported = self._given.encode(value)
        except _REFUSALS as error:
            raise UnsupportedTypeError(
                "", f"its codec raised {type(error).__name__} for a {type(value).__name__}"
            ) from None
        return to_attribute_value(supported, levels)

    def parse(self, value: Any) -> Any:
        try:
            self._given.encode(value)
        except _REFUSALS:
            try:
                return self._given.decode(value)
            except _REFUSALS:
                raise self.refused() from None
        return value

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        value = _ANY.decode(attribute_value, levels)
        try:
            return self._given.decode(value)
        except _REFUSALS:
            raise _stored_mismatch(self.name, attribute_value) from None


class _UnionCodec(Codec[Any]):
    """One of several types, of which a stored value fits one.

    Classes are told apart by a tag: a field that each of them has, of other literals.
    """

    def __init__(self, members: tuple[Codec[Any], ...]) -> None:
        self.name = " | ".join(member.name for member in members)
        self._takes_none = _NONE in members
        self._members = tuple(member for member in members if member is not _NONE)
        self._type_but_none = _only(member.type_name for member in self._members)
        self.type_name = None if self._takes_none else self._type_but_none
        self._by_tag, self._tag = _tagged(self._members)
        # A number may be read as another type of number than was written.
        self._is_compared = require_distinct(self._members, is_tagged=self._tag is not None)

    @property
    def key_type_name(self) -> str | None:
        return self._type_but_none  # None stands in no key

    @property
    def words(self) -> str:
        return " or ".join(member.words for member in self._members)

    @property
    def takes_none(self) -> bool:
        return self._takes_none or any(member.takes_none for member in self._members)

    def parse(self, value: Any) -> Any:
        if value is None and self._takes_none:
            return None
        refused: UnsupportedTypeError | None = None
        for member in self._members:
            try:
                parsed = member.parse(value)
                member.encode(parsed)
            except InvalidValueError as error:
                # One of several classes says what is wrong inside; of others, which there are.
                if error.path and isinstance(error, UnsupportedTypeError):
                    refused = refused or error
                continue
            return parsed
        if len(self._members) == 1:
            return self._members[0].parse(value)
        raise refused or self.refused()

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if value is None and self._takes_none:
            return {"NULL": True}
        error: InvalidValueError | None = None
        for member in self._members:
            try:
                encoded = member.encode(value, levels)
            except InvalidValueError as refused:
                if refused.reason == TOO_DEEP:
                    raise  # it holds itself, which each member would find anew at each level
                # The type fitted, but not what is in it, or its range: that is worth telling.
                if refused.path or isinstance(refused, ValueOutOfRangeError):
                    error = error or refused
                continue
            if self._is_compared and not _is_read_as(self, encoded, value):
                raise ValueOutOfRangeError(
                    "",
                    f"this {type(value).__name__} would be read as another value of {self.name}. "
                    "Fix: annotate with one of them",
                )
            return encoded
        raise error or _mismatch(self.name, value)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        if self._takes_none and "NULL" in attribute_value:
            return None
        members = self._members
        content: Any = attribute_value.get("M")
        if content is not None and self._tag is not None and isinstance(content, Mapping):
            tagged = self._by_tag.get(_literal_of(content.get(self._tag)))
            if tagged is None:
                raise _stored_mismatch(f"{self.name}, by {self._tag}", attribute_value)
            members = (tagged,)
        error: StoredValueError | None = None
        for member in members:
            try:
                return member.decode(attribute_value, levels)
            except StoredValueError as refused:
                error = refused
        if error is not None and (len(members) == 1):
            raise error
        raise _stored_mismatch(self.name, attribute_value)

    def is_of(self, item_class: type) -> bool:
        return any(member.is_of(item_class) for member in self._members)

    def part(self, element: str | int) -> Part:
        errors = []
        for member in self._members:
            try:
                return member.part(element)
            except InvalidValueError as error:
                errors.append(error)
        raise errors[-1]


def _literal_of(attribute_value: object) -> object:
    """A tag as it is stored, to be looked up."""
    if isinstance(attribute_value, Mapping) and len(attribute_value) == 1:
        ((type_name, content),) = attribute_value.items()
        if type_name == "N" and isinstance(content, str):
            try:
                return type_name, decode_decimal(content)
            except (ValueError, ArithmeticError):
                return None
        return (type_name, content) if isinstance(content, str | bool) else None
    return None


def _tagged(members: tuple[Codec[Any], ...]) -> tuple[dict[object, Codec[Any]], str | None]:
    """Each class of a union by its tag as it is stored, and the name of the tag."""
    classes = [each for each in members if getattr(each, "python_type", None) is not None]
    classes = [each for each in classes if each.type_name == "M"]
    if len(classes) < 2:
        return {}, None
    tags: list[dict[str, frozenset[object]]] = [
        _literals(each.python_type)  # type: ignore[attr-defined]
        for each in classes
    ]
    for name in tags[0]:
        found = [each.get(name) for each in tags]
        literals = [literal for each in found if each for literal in each]
        if all(found) and len(literals) == len(set(literals)):
            by_tag: dict[object, Codec[Any]] = {}
            for codec, each in zip(classes, found, strict=True):
                by_tag.update(dict.fromkeys(each or (), codec))
            return by_tag, name
    return {}, None


def _literals(python_type: Any) -> dict[str, frozenset[object]]:
    """The fields of a class that are of literals: which, by the stored name."""
    schema = getattr(python_type, "__dynasafe_schema__", None)
    if schema is not None:
        hints = schema.types()
    elif is_model(python_type):
        fields = fields_of(python_type).values()
        hints = {field.stored_name: field.annotation for field in fields}
    else:
        hints = hints_of(python_type)
    found = {}
    for name, hint in hints.items():
        while typing.get_origin(hint) in (typing.Annotated, typing.Required):
            hint = typing.get_args(hint)[0]
        if typing.get_origin(hint) is typing.Literal:
            found[name] = frozenset(
                _literal_of(to_attribute_value(each)) for each in typing.get_args(hint)
            )
    return found


def require_distinct(members: tuple[Codec[Any], ...], *, is_tagged: bool) -> bool:
    """Refuse types of which a stored value could be either.

    Returns:
        Whether values must be compared with what is read of them: those of two types of numbers,
        or of types that are not known.

    Raises:
        AmbiguousUnionError: two types have the same stored values.
    """
    is_compared = False
    for index, one in enumerate(members):
        for other in members[index + 1 :]:
            match _relation(one, other, is_tagged):
                case "same":
                    raise AmbiguousUnionError(
                        "",
                        f"{one.name} | {other.name}: what is stored of one would be read as the "
                        "other. Fix: give each class a tag, a field of other literals such as "
                        'kind: Literal["card"], or annotate with one type',
                    )
                case "unknown":
                    is_compared = True
    return is_compared


def _relation(
    one: Codec[Any], other: Codec[Any], is_tagged: bool
) -> Literal["distinct", "same", "unknown"]:
    """How the stored values of two types differ."""
    types = one.type_name, other.type_name
    if None not in types and types[0] != types[1]:
        return "distinct"
    pair = (one, other)
    if any(type(each) is Codec for each in pair):
        natural = [each for each in pair if each.name in ("str", "int", "bool", "bytes")]
        return "distinct" if natural else "same"
    if None in types:
        return "unknown"
    type_name = types[0]
    if type_name == "M":
        if all(isinstance(each, _MapCodec) for each in pair):
            return _relation(one._value, other._value, is_tagged=False)  # type: ignore[attr-defined]
        is_of_classes = all(hasattr(each, "python_type") for each in pair)
        return "distinct" if is_of_classes and is_tagged else "same"
    if type_name == "L":
        return _relation_of_lists(one, other)
    if isinstance(one, _SetCodec) and isinstance(other, _SetCodec):
        return _relation(one.element, other.element, is_tagged=False)
    if any(isinstance(each, _LiteralCodec | _ConvertedCodec) for each in pair):
        return "unknown"
    names = {one.name, other.name}
    if type_name == "N":
        return "same" if "datetime" in names else "unknown"
    return "distinct" if names <= {"datetime", "date", "UUID"} and len(names) == 2 else "same"


def _relation_of_lists(
    one: Codec[Any], other: Codec[Any]
) -> Literal["distinct", "same", "unknown"]:
    if isinstance(one, _ListCodec) and isinstance(other, _ListCodec) and one.make is other.make:
        return _relation(one.element, other.element, is_tagged=False)
    if isinstance(one, _FixedTupleCodec) and isinstance(other, _FixedTupleCodec):
        if len(one.elements) != len(other.elements):
            return "distinct"
        pairs = zip(one.elements, other.elements, strict=True)
        relations = {_relation(*pair, is_tagged=False) for pair in pairs}
        return "distinct" if "distinct" in relations else "unknown"
    return "same"


def _below(levels: int) -> int:
    """The levels that remain within a list or a map."""
    if not levels:
        raise too_deep()
    return levels - 1


def _below_stored(levels: int) -> int:
    if not levels:
        raise StoredValueError("", TOO_DEEP)
    return levels - 1


def _a_list(codec: Codec[Any], attribute_value: AttributeValue) -> list[Any]:
    content: Any = attribute_value.get("L")
    if not isinstance(content, list):
        raise _stored_mismatch(codec.name, attribute_value)
    return content


def _a_map(codec: Codec[Any], attribute_value: AttributeValue) -> Mapping[str, Any]:
    content: Any = attribute_value.get("M")
    if type(content) is not dict and not isinstance(content, Mapping):
        raise _stored_mismatch(codec.name, attribute_value)
    return cast(Mapping[str, Any], content)


class _ListCodec(Codec[Any]):
    type_name: str | None = "L"

    def __init__(self, element: Codec[Any], make: type) -> None:
        self.element = element
        self.make = make
        self.name = f"{make.__name__}[{element.name}]"

    @property
    def words(self) -> str:
        return "a list"

    def parse(self, value: Any) -> Any:
        if not isinstance(value, _LISTS):
            raise self.refused()
        return self.make(_parsed_elements([self.element] * len(value), value))

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, _LISTS):
            raise _mismatch(self.name, value)
        return {"L": encoded_elements(self.element, value, levels)}

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        decode, below = self.element.decode, _below_stored(levels)
        decoded: list[Any] = []
        content = _a_list(self, attribute_value)
        try:
            for each in content:
                decoded.append(decode(each, below))
        except StoredValueError as error:
            error.within(len(decoded))
            raise
        return self.make(decoded) if self.make is not list else decoded

    def part(self, element: str | int) -> Part:
        if not isinstance(element, int):
            raise UnsupportedTypeError(str(element), f"{self.name} has indexes, not keys")
        return Part(element, self.element)


def _parsed_elements(codecs: Iterable[Codec[Any]], values: Iterable[Any]) -> list[Any]:
    parsed: list[Any] = []
    try:
        for codec, each in zip(codecs, values, strict=True):
            parsed.append(codec.parse(each))
    except InvalidValueError as error:
        error.within(len(parsed))
        raise
    return parsed


def encoded_elements(
    element: Codec[Any], values: Iterable[Any], levels: int = LEVELS
) -> list[dict[str, Any]]:
    """Each value in wire form, written by the codec of all."""
    encode, below = element.encode, _below(levels)
    encoded: list[dict[str, Any]] = []
    try:
        for each in values:
            encoded.append(encode(each, below))
    except InvalidValueError as error:
        error.within(len(encoded))
        raise
    return encoded


class _FixedTupleCodec(Codec[Any]):
    type_name: str | None = "L"

    def __init__(self, elements: tuple[Codec[Any], ...]) -> None:
        self.elements = elements
        self.name = f"tuple[{', '.join(element.name for element in elements)}]"

    @property
    def words(self) -> str:
        return f"a list of {len(self.elements)}"

    def parse(self, value: Any) -> Any:
        if not isinstance(value, _LISTS) or len(value) != len(self.elements):
            raise self.refused()
        return tuple(_parsed_elements(self.elements, value))

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, tuple) or len(value) != len(self.elements):
            raise _mismatch(self.name, value)
        below = _below(levels)
        encoded: list[dict[str, Any]] = []
        try:
            for codec, each in zip(self.elements, value, strict=True):
                encoded.append(codec.encode(each, below))
        except InvalidValueError as error:
            error.within(len(encoded))
            raise
        return {"L": encoded}

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        content = _a_list(self, attribute_value)
        if len(content) != len(self.elements):
            raise _stored_mismatch(self.name, attribute_value)
        below = _below_stored(levels)
        decoded: list[Any] = []
        try:
            for codec, each in zip(self.elements, content, strict=True):
                decoded.append(codec.decode(each, below))
        except StoredValueError as error:
            error.within(len(decoded))
            raise
        return tuple(decoded)

    def part(self, element: str | int) -> Part:
        if not isinstance(element, int) or element >= len(self.elements):
            raise UnsupportedTypeError(str(element), f"{self.name} has no such index")
        return Part(element, self.elements[element])


class _SetCodec(Codec[Any]):
    def __init__(self, element: Codec[Any], make: type) -> None:
        self.element = element
        self.make: type = make
        self.name = f"{make.__name__}[{element.name}]"
        if element.type_name in ("S", "N", "B"):
            self.type_name = f"{element.type_name}S"

    @property
    def words(self) -> str:
        return "a list"

    def parse(self, value: Any) -> Any:
        if not isinstance(value, _SETS + _LISTS):
            raise self.refused()
        elements = list(value)
        try:
            return self.make(_parsed_elements([self.element] * len(elements), elements))
        except TypeError as error:
            if isinstance(error, InvalidValueError):
                raise
            raise self.refused() from None  # an element that cannot be hashed

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, _SETS):
            raise _mismatch(self.name, value)
        texts = text_set(value) if self.element.__class__ is _StrCodec else None
        return texts or set_of([self.element.encode(each, levels) for each in value])

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        for type_name, member_type in ELEMENTS.items():
            content: Any = attribute_value.get(type_name)
            if content.__class__ is list:
                decode = self.element.decode
                return self.make([decode({member_type: each}, levels) for each in content])
        raise _stored_mismatch(self.name, attribute_value)

    def part(self, element: str | int) -> Part:
        return Part(element, self.element)


class _MapCodec(Codec[Any]):
    type_name: str | None = "M"

    def __init__(self, value: Codec[Any]) -> None:
        self._value = value
        self.name = f"dict[str, {value.name}]"

    @property
    def words(self) -> str:
        return "an object"

    def parse(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise self.refused()
        return parsed_members({name: (name, self._value) for name in value}, value)

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _mismatch(self.name, value)
        encode, below = self._value.encode, _below(levels)
        encoded: dict[str, dict[str, Any]] = {}
        name: Any = ""
        try:
            for name, each in value.items():
                if type(name) is not str or not name.isascii():
                    name = require_name(name)
                encoded[name] = encode(each, below)
        except InvalidValueError as error:
            if type(name) is str:
                error.within(name, is_key=True)
            raise
        return {"M": encoded}

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        content = _a_map(self, attribute_value)
        decode, below = self._value.decode, _below_stored(levels)
        decoded: dict[str, Any] = {}
        name = ""
        try:
            for name, each in content.items():
                decoded[name] = decode(each, below)
        except StoredValueError as error:
            error.within(name, is_key=True)
            raise
        return decoded

    def part(self, element: str | int) -> Part:
        if not isinstance(element, str):
            raise UnsupportedTypeError(str(element), f"{self.name} has keys, not indexes")
        return Part(element, self._value)


def parsed_members(
    known: Mapping[str, tuple[str, Codec[Any]]], values: Mapping[Any, Any]
) -> dict[str, Any]:
    """Each member as its codec parses it, by the name that it has in Python.

    Raises:
        UnsupportedTypeError: one is unknown, or not of its type.
    """
    parsed: dict[str, Any] = {}
    name: Any = ""
    try:
        for name, each in values.items():
            found = known.get(name) if isinstance(name, str) else None
            if found is None:
                raise UnsupportedTypeError("", "unknown field")
            parsed[found[0]] = found[1].parse(each)
    except InvalidValueError as error:
        error.within(str(name))
        raise
    return parsed


class _Field:
    """A field of a dataclass or a TypedDict."""

    __slots__ = ("codec", "default", "is_required", "none_is_absent")

    def __init__(self, codec: Codec[Any], is_required: bool, default: Any) -> None:
        self.codec: Codec[Any] = codec
        self.is_required: bool = is_required
        self.default: Any = default
        self.none_is_absent: bool = default is None

    def is_absent(self, value: Any) -> bool:
        """Whether the value is not stored, and is read back all the same."""
        if value is None:
            return self.none_is_absent
        return isinstance(value, _SETS) and not value and self.empty_set is not None

    @property
    def empty_set(self) -> Any:
        """What is read where none is stored, if that is an empty set."""
        if self.is_required and isinstance(self.codec, _SetCodec):
            return self.codec.make()
        is_set = isinstance(self.default, _SETS) and not self.default
        return self.default if is_set else None


class _FieldsCodec(Codec[Any]):
    """A class with named, typed fields, as a map: a dataclass or a TypedDict."""

    type_name: str | None = "M"

    def __init__(
        self,
        python_type: type,
        required: frozenset[str],
        defaults: dict[str, Any],
        read: Callable[[Any], Mapping[str, Any] | None],
        make: Callable[..., Any],
        is_made_anew: bool,
    ) -> None:
        self.name = python_type.__name__
        self.python_type: type = python_type
        self._required = required
        self._defaults = defaults
        self._read = read
        self._make = make
        self._is_made_anew = is_made_anew
        self._resolved: dict[str, _Field] | None = None

    @property
    def _fields(self) -> dict[str, _Field]:
        # At first use, since a field may be of the class itself.
        if self._resolved is None:
            self._resolved = self._resolve()
        return self._resolved

    @property
    def words(self) -> str:
        return "an object"

    def parse(self, value: Any) -> Any:
        if self._read(value) is not None and not isinstance(value, Mapping):
            return value
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        if not isinstance(value, Mapping):
            raise self.refused()
        fields = self._fields
        known = {name: (name, field.codec) for name, field in fields.items()}
        parsed = parsed_members(known, value)
        for name, field in fields.items():
            if field.is_required and name not in parsed:
                if field.empty_set is None:
                    raise UnsupportedTypeError(name, "is missing")
                parsed[name] = field.empty_set
        try:
            return self._make(**parsed)
        except _REFUSALS:
            raise self.refused() from None

    def _resolve(self) -> dict[str, _Field]:
        hints = hints_of(self.python_type)
        fields: dict[str, _Field] = {}
        for name, default in self._defaults.items():
            hint = hints[name]
            try:
                codec = codec_for(hint)
            except UnsupportedTypeError as error:
                raise UnsupportedTypeError(f"{self.name}.{name}", error.reason) from None
            # Python does not see these in annotations that are text.
            of_hint = typing.get_origin(hint)
            is_required = name in self._required and of_hint is not typing.NotRequired
            fields[name] = _Field(codec, is_required or of_hint is typing.Required, default)
        return fields

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        values = self._read(value)
        if values is None:
            raise _mismatch(self.name, value)
        fields = self._fields
        wrong = min(
            (name for name, each in fields.items() if each.is_required and name not in values),
            default=None,
        )
        is_unknown = wrong is None
        if is_unknown:
            wrong = min((str(name) for name in values if name not in fields), default=None)
        if wrong is not None:
            refusal = ValueOutOfRangeError("", f"not a field set of {self.name}")
            raise refusal.within(wrong, is_key=is_unknown)
        below = _below(levels)
        encoded: dict[str, dict[str, Any]] = {}
        name = ""
        try:
            for name, each in values.items():
                field = fields[name]
                if not field.is_absent(each):
                    encoded[name] = field.codec.encode(each, below)
        except InvalidValueError as error:
            error.within(name)
            raise
        if self._is_made_anew and not _is_read_as(self, {"M": encoded}, value):
            raise _unreadable(self.name)
        return {"M": encoded}

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        content = _a_map(self, attribute_value)
        below = _below_stored(levels)
        values: dict[str, Any] = {}
        name = ""
        try:
            for name, field in self._fields.items():
                if name in content:
                    values[name] = field.codec.decode(content[name], below)
                elif field.is_required:
                    values[name] = field.empty_set
                    if values[name] is None:
                        raise _stored_mismatch(self.name, attribute_value)
        except StoredValueError as error:
            if name in content:
                error.within(name)
            raise
        try:
            return self._make(**values)
        except _REFUSALS:
            raise _stored_mismatch(self.name, attribute_value) from None

    def part(self, element: str | int) -> Part:
        field = self._fields.get(element) if isinstance(element, str) else None
        if field is None:
            raise UnsupportedTypeError(
                str(element),
                f"{self.name} has no such field.{did_you_mean(element, self._fields)}",
            )
        return Part(element, field.codec, field.none_is_absent)


def hints_of(python_type: type) -> dict[str, Any]:
    """The annotations of a class.

    Raises:
        TypeError: one names something that is not defined.
    """
    try:
        return typing.get_type_hints(
            python_type, localns={python_type.__name__: python_type}, include_extras=True
        )
    except NameError as error:
        raise undefined(python_type.__name__, error) from error


def _is_read_as(codec: Codec[Any], encoded: AttributeValue, value: Any) -> bool:
    """Whether what was written is read as an equal value."""
    try:
        return bool(codec.decode(encoded) == value)
    except _REFUSALS:
        return False


def _unreadable(name: str) -> UnsupportedTypeError:
    return UnsupportedTypeError(
        "",
        f"this {name} would not be read back as it is, so that it is not written. Fix: let it be "
        "made of the fields that are stored: defaults for the others, validators that accept what "
        "serializers write, and nothing set after it was made",
    )


class _ModelCodec(Codec[Any]):
    """A pydantic model, as a map of what it dumps."""

    type_name: str | None = "M"

    def __init__(self, model: Any) -> None:
        self.name = model.__name__
        self.python_type: type = model
        if not fields_of(model) or "root" in fields_of(model):  # it may be of any type
            self.type_name = None

    @property
    def words(self) -> str:
        return "an object"

    def parse(self, value: Any) -> Any:
        if type(value) is self.python_type:
            return value
        try:
            return parsed_model(self.python_type, value)
        except _REFUSALS as error:
            place, why = problem_of(error)
            raise UnsupportedTypeError(place, why or f"{self.words} is expected") from None

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if type(value) is not self.python_type:
            raise _mismatch(self.name, value)
        encoded = to_attribute_value(dumped(value), levels)
        try:
            is_same_again = is_same(loaded(self.python_type, from_attribute_value(encoded)), value)
        except _REFUSALS:
            is_same_again = False
        if not is_same_again:
            raise _unreadable(self.name)
        return encoded

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        try:
            return loaded(self.python_type, from_attribute_value(attribute_value, levels))
        except _REFUSALS:
            raise _stored_mismatch(self.name, attribute_value) from None

    def part(self, element: str | int) -> Part:
        fields = fields_of(self.python_type)
        for name, field in fields.items():
            if element in (name, field.stored_name):
                try:
                    codec = codec_for(field.annotation)
                except UnsupportedTypeError:  # pydantic knows more types
                    codec = _ANY
                return Part(field.stored_name, codec, field.none_is_absent)
        raise UnsupportedTypeError(
            str(element), f"{self.name} has no such field.{did_you_mean(element, fields)}"
        )


class _ItemCodec(Codec[Any]):
    type_name: str | None = "M"

    def __init__(self, item_class: Any) -> None:
        self.python_type: Any = item_class
        self.name = item_class.__name__

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if type(value) is not self.python_type:
            raise _mismatch(self.name, value)
        return {"M": value.__dynasafe_encode__(_below(levels))}

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        content = _a_map(self, attribute_value)
        return self.python_type.__dynasafe_decode__(content, _below_stored(levels))

    @property
    def words(self) -> str:
        return "an object"

    def parse(self, value: Any) -> Any:
        if type(value) is self.python_type:
            return value
        if not isinstance(value, Mapping):
            raise self.refused()
        return self.python_type.from_dict(value)

    def is_of(self, item_class: type) -> bool:
        return issubclass(self.python_type, item_class)

    def part(self, element: str | int) -> Part:
        part: Part = self.python_type.__dynasafe_schema__.part(element)
        return part


def _only(type_names: Iterable[str | None]) -> str | None:
    """The one that all are."""
    found = set(type_names)
    return found.pop() if len(found) == 1 else None


def _type_of(values: Iterable[object]) -> str | None:
    """The wire type that all of the values have."""
    try:
        return _only(next(iter(to_attribute_value(value))) for value in values)
    except InvalidValueError:
        return None


class _ConvertedCodec(_Parts[Any]):
    """A type that is written as a value of another, supported type."""

    def __init__(
        self,
        python_type: type,
        encode: Callable[[Any], object],
        decode: Callable[[Any], Any],
    ) -> None:
        self.name = python_type.__name__
        self._python_type = python_type
        self._encode = encode
        self._decode = decode
        if issubclass(python_type, Enum):
            self.type_name = _type_of(member.value for member in python_type)

    @property
    def words(self) -> str:
        if issubclass(self._python_type, Enum):
            return f"one of {', '.join(repr(each.value) for each in self._python_type)}"
        return self.name

    def parse(self, value: Any) -> Any:
        if isinstance(value, self._python_type):
            return value
        try:
            return self._decode(_as_read(value))
        except _REFUSALS:
            raise self.refused() from None

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, self._python_type):
            raise _mismatch(self.name, value)
        return to_attribute_value(self._encode(value), levels)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        try:
            return self._decode(from_attribute_value(attribute_value, levels))
        except _REFUSALS:
            raise _stored_mismatch(self.name, attribute_value) from None


def _as_read(value: object) -> Any:
    """What comes back of a value that is stored."""
    return from_attribute_value(to_attribute_value(value))


def _member_of(enum: type[Enum]) -> Callable[[Any], Enum]:
    """Reads members of the enum, those of a value that comes back as another, as a tuple does."""

    def read(value: Any) -> Enum:
        try:
            return enum(value)
        except ValueError:
            for member in enum:
                if _as_read(member.value) == value:
                    return member
            raise

    return read


class _LiteralCodec(_Parts[Any]):
    def __init__(self, choices: tuple[Any, ...]) -> None:
        self.name = f"Literal[{', '.join(map(repr, choices))}]"
        self._choices = choices
        self._stored = [(_as_read(choice), choice) for choice in choices]
        self.type_name = _type_of(choices)

    @property
    def words(self) -> str:
        return f"one of {', '.join(map(repr, self._choices))}"

    def parse(self, value: Any) -> Any:
        if not self._matches(value):
            raise self.refused()
        return value

    def _matches(self, value: object) -> bool:
        return any(type(value) is type(choice) and value == choice for choice in self._choices)

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not self._matches(value):
            raise _mismatch(self.name, value)
        return to_attribute_value(value, levels)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        value = _ANY.decode(attribute_value, levels)
        for stored, choice in self._stored:
            if type(value) is type(stored) and value == stored:
                return choice
        raise _stored_mismatch(self.name, attribute_value)


_ANY: Codec[Any] = Codec()


def codec_for(annotation: object) -> Codec[Any]:
    """The codec of a type annotation.

    Raises:
        UnsupportedTypeError: DynamoDB has no place for values of this type.
    """
    if annotation is Any or annotation is object:
        return _ANY
    if isinstance(annotation, type) and annotation in registered_codecs:
        return _ConvertedCodec(annotation, *registered_codecs[annotation])
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is not None and not hasattr(annotation, "__args__"):
        return codec_for(origin)  # typing.List without its [...]
    if origin is not None:
        return _generic_codec(annotation, origin, arguments)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if annotation in _BARE:
        return codec_for(_BARE[annotation])
    supertype = getattr(annotation, "__supertype__", None)
    if supertype is not None:
        return codec_for(supertype)
    if isinstance(annotation, type):
        return _class_codec(annotation)
    raise _no_codec(annotation)


_BARE: dict[object, object] = {
    list: list[Any],
    tuple: tuple[Any, ...],
    dict: dict[str, Any],
    set: set[Any],
    frozenset: frozenset[Any],
    Mapping: dict[str, Any],
}


def _no_codec(annotation: object) -> UnsupportedTypeError:
    if isinstance(annotation, TypeVar) or hasattr(
        typing.get_origin(annotation), "__dynasafe_decode__"
    ):
        return UnsupportedTypeError(
            "",
            f"{annotation!r} has no codec: a generic Item is written by the types in its class. "
            "Fix: a subclass of it that annotates its attributes with types, not type variables",
        )
    return UnsupportedTypeError(
        "",
        f"{annotation!r} has no codec. Fix: annotate with a supported type, or teach it with "
        "dynasafe.values.convert.register_codec()",
    )


def _generic_codec(annotation: object, origin: object, arguments: tuple[Any, ...]) -> Codec[Any]:
    if origin is typing.Annotated or origin in (typing.Required, typing.NotRequired):
        return codec_for(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return _UnionCodec(tuple(codec_for(member) for member in arguments))
    if origin is typing.Literal:
        return _LiteralCodec(arguments)
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        return _FixedTupleCodec(tuple(codec_for(element) for element in arguments))
    if origin in (list, tuple, typing.get_origin(typing.Sequence[int])):
        return _ListCodec(codec_for(arguments[0]), tuple if origin is tuple else list)
    if origin in (set, frozenset):
        return _SetCodec(codec_for(arguments[0]), origin)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if arguments[0] is not str:
            raise UnsupportedTypeError("", f"a map's keys are str: {annotation!r}")
        return _MapCodec(codec_for(arguments[1]))
    raise _no_codec(annotation)


def _class_codec(annotation: type) -> Codec[Any]:
    if issubclass(annotation, Enum):
        return _ConvertedCodec(annotation, lambda member: member.value, _member_of(annotation))
    if hasattr(annotation, "__dynasafe_decode__"):
        return _ItemCodec(annotation)
    if typing.is_typeddict(annotation):
        of_dict: Any = annotation
        required: frozenset[str] = of_dict.__required_keys__
        return _FieldsCodec(
            annotation,
            required,
            dict.fromkeys(sorted(required | of_dict.__optional_keys__), dataclasses.MISSING),
            lambda value: value if isinstance(value, Mapping) else None,
            dict,
            is_made_anew=False,
        )
    if is_model(annotation):
        return _ModelCodec(annotation)
    if dataclasses.is_dataclass(annotation):
        return _dataclass_codec(annotation)
    for base in annotation.__mro__[1:]:
        if base in registered_codecs:
            return _ConvertedCodec(annotation, *registered_codecs[base])
    raise _no_codec(annotation)


def _dataclass_codec(annotation: Any) -> Codec[Any]:
    fields = [each for each in dataclasses.fields(annotation) if each.init]
    defaults = {each.name: _default_of(each) for each in fields}
    is_made_anew = hasattr(annotation, "__post_init__") or len(fields) < len(
        dataclasses.fields(annotation)
    )
    return _FieldsCodec(
        annotation,
        frozenset(name for name, each in defaults.items() if each is dataclasses.MISSING),
        defaults,
        lambda value: (
            {each.name: getattr(value, each.name) for each in fields}
            if type(value) is annotation
            else None
        ),
        annotation,
        is_made_anew=is_made_anew,
    )


def _default_of(field: dataclasses.Field[Any]) -> Any:
    """What is read where the field is not stored, as far as that is known to be of use."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory() if field.default_factory in _SETS else ...
    return field.default
