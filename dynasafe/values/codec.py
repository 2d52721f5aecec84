"""Codecs: write and read the values of one annotation.

A codec is strict if a conversion would guess: an `int` accepts no str and no bool, and a stored 1.5
is not read as an int.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar, cast

from dynasafe.errors import (
    InvalidValueError,
    StoredValueError,
    UnsupportedTypeError,
)
from dynasafe.values.convert import (
    foreign,
    from_attribute_value,
    to_attribute_value,
)
from dynasafe.values.wire import (
    LEVELS,
    TOO_DEEP,
    TYPES,
    AttributeValue,
    too_deep,
)

T = TypeVar("T")
LISTS: Final = (list, tuple)
SETS: Final = (set, frozenset)
JSON_KINDS: Final = frozenset({str, int, float, bool, list, dict, type(None)})
"""The types of values that JSON is read as."""
_NO_MAPPINGS: Final = frozenset(
    {str, int, float, bool, bytes, list, tuple, set, frozenset, type(None), Decimal}
)
_TYPES: Final = frozenset(TYPES)
REFUSALS: Final = (ValueError, TypeError, LookupError, ArithmeticError, AssertionError)
"""How a type refuses a stored value. Its message often quotes the value, so it is not shown."""


class Codec(Generic[T]):
    """Writes and reads values of the type T. This base class accepts any value."""

    name = "any value"
    type_name: str | None = None
    """The wire type of all its values, if they have only one."""
    keeps_size: bool = False
    """Whether a stored value is at least as large as the Python value."""
    plain_type: type | None = None
    """The type whose values it writes in the same way as without an annotation."""
    plain_types: frozenset[type] = frozenset()
    """The types of members of a set that it writes in the same way as without an annotation."""

    def encode(self, value: T, levels: int = LEVELS) -> dict[str, Any]:
        """The value in wire form.

        Args:
            levels: how many levels of nested lists and maps the value may have.

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
        """The description of a value, for a sender of JSON."""
        return self.name

    @property
    def takes_none(self) -> bool:
        return type(self) is Codec

    def parse(self, value: Any) -> T:
        """The value for a JSON form. A value of the type itself is returned unchanged.

        Raises:
            UnsupportedTypeError: it is neither; the message is for the sender.
        """
        return cast(T, value)

    def keeps(self, kinds: set[type]) -> bool:
        """Whether `parse` returns all values of these types (not of subclasses) unchanged."""
        return type(self) is Codec

    def is_surely_not(self, kind: type) -> bool:
        """Whether `encode` refuses each value of this type (not of subclasses) because of its type.

        It may say no where it is not certain.
        """
        return False

    def surely_parses_no(self, kind: type) -> bool:
        """Whether `parse` refuses each value of this type, which is one of JSON_KINDS, as a whole.

        It may say no where it is not certain.
        """
        return False

    def is_never_stored_as(self, type_name: str) -> bool:
        """Whether `decode` refuses each stored value of this wire type, which is not a set.

        It may say no where it is not certain.
        """
        return False

    def refused(self) -> UnsupportedTypeError:
        """The error for a value that `parse` refuses."""
        return UnsupportedTypeError("", f"{self.words} is expected")

    def part(self, element: str | int) -> Part:
        """A list's or set's member (by an index), a map's value (by a key), or a field.

        Args:
            element: a field's name in Python or in DynamoDB.

        Raises:
            UnsupportedTypeError: the type has no such part.
        """
        return Part(element, ANY)

    def child(self, element: str | int) -> Codec[Any]:
        """The codec of a part."""
        return self.part(element).codec

    def is_of(self, item_class: type) -> bool:
        """Whether a value may be an instance of the Item class or of a subclass."""
        return type(self) is Codec

    @property
    def key_type_name(self) -> str | None:
        """The wire type of values that are allowed in a key, if it is known."""
        return self.type_name


class Part:
    """A part of a value: its name or index in DynamoDB, and its codec."""

    __slots__ = ("codec", "element", "is_required", "none_is_absent")

    def __init__(
        self,
        element: str | int,
        codec: Codec[Any],
        none_is_absent: bool = False,
        is_required: bool = False,
    ) -> None:
        self.element: str | int = element
        self.is_required: bool = is_required
        """Whether the value needs it to be read."""
        self.codec: Codec[Any] = codec
        self.none_is_absent: bool = none_is_absent


class CodecOfMaps(Codec[Any]):
    """Writes each value as a map, and parses only objects of JSON."""

    type_name: str | None = "M"

    @property
    def words(self) -> str:
        return "an object"

    def is_surely_not(self, kind: type) -> bool:
        return kind in _NO_MAPPINGS

    def surely_parses_no(self, kind: type) -> bool:
        return kind is not dict

    def is_never_stored_as(self, type_name: str) -> bool:
        return type_name != "M"


class CodecWithoutParts(Codec[T]):
    def part(self, element: str | int) -> Part:
        raise UnsupportedTypeError(str(element), f"{self.name} has no parts")


ANY: Codec[Any] = Codec()
ANY.keeps_size = True


def mismatch(name: str, value: object) -> UnsupportedTypeError:
    given, fix = foreign(type(value))
    reason = f"{name} is expected, not {given}"
    return UnsupportedTypeError("", f"{reason}. Fix: {fix}" if fix else reason)


def stored_mismatch(name: str, attribute_value: AttributeValue) -> StoredValueError:
    stored = ", ".join(each for each in attribute_value if each in _TYPES) or "unknown"
    return StoredValueError(
        "", f"the stored value, of type {stored}, does not fit the annotation: {name}"
    )


def level_below(levels: int) -> int:
    """The levels that are left inside a list or a map."""
    if not levels:
        raise too_deep()
    return levels - 1


def stored_level_below(levels: int) -> int:
    if not levels:
        raise StoredValueError("", TOO_DEEP)
    return levels - 1


def content_of(attribute_value: AttributeValue, type_name: str) -> Any:
    """The content of the value if it has this wire type, or None."""
    if isinstance(attribute_value, dict):  # when compiled, found without a method call
        return attribute_value.get(type_name)
    return attribute_value.get(type_name)


def a_map(codec: Codec[Any], attribute_value: AttributeValue) -> Mapping[str, Any]:
    content = content_of(attribute_value, "M")
    if type(content) is not dict and not isinstance(content, Mapping):
        raise stored_mismatch(codec.name, attribute_value)
    return cast(Mapping[str, Any], content)


def is_read_as(codec: Codec[Any], encoded: AttributeValue, value: Any) -> bool:
    """Whether a written value is read back as an equal value."""
    try:
        return bool(codec.decode(encoded) == value)
    except REFUSALS:
        return False


def only(type_names: Iterable[str | None]) -> str | None:
    """The single type, if all agree."""
    found = set(type_names)
    return found.pop() if len(found) == 1 else None
