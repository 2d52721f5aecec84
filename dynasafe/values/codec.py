"""What a codec is: how the values of one annotation are written and read.

A codec is strict where a conversion would guess: an `int` takes no str and no bool, and a stored
1.5 is not read as an int.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar, cast

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
LISTS = (list, tuple)
SETS = (set, frozenset)
_TYPES = frozenset(TYPES)
REFUSALS = (ValueError, TypeError, LookupError, ArithmeticError, AssertionError)
"""How a type refuses a stored value. Its message often quotes the value, so it is not shown."""


class Codec(Generic[T]):
    """Writes and reads values of the type T; this base takes any value."""

    name = "any value"
    type_name: str | None = None
    """The wire type of all its values, where they have one."""
    keeps_size: bool = False
    """Whether a value is stored in no less than it takes as Python has it."""
    plain_type: type | None = None
    """The type whose values it writes as they are written without an annotation."""

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

    def keeps(self, kinds: set[type]) -> bool:
        """Whether `parse` gives all values of these types (not of subclasses) back as they are."""
        return type(self) is Codec

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
        return Part(element, ANY)

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


class Part:
    """What stands inside a value: its name or index in DynamoDB, and its codec."""

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
    """The levels that remain within a list or a map."""
    if not levels:
        raise too_deep()
    return levels - 1


def stored_level_below(levels: int) -> int:
    if not levels:
        raise StoredValueError("", TOO_DEEP)
    return levels - 1


def content_of(attribute_value: AttributeValue, type_name: str) -> Any:
    """What the value holds, if it is of this wire type, or None."""
    if isinstance(attribute_value, dict):  # found without a method's call, where it is compiled
        return attribute_value.get(type_name)
    return attribute_value.get(type_name)


def a_map(codec: Codec[Any], attribute_value: AttributeValue) -> Mapping[str, Any]:
    content = content_of(attribute_value, "M")
    if type(content) is not dict and not isinstance(content, Mapping):
        raise stored_mismatch(codec.name, attribute_value)
    return cast(Mapping[str, Any], content)


def is_read_as(codec: Codec[Any], encoded: AttributeValue, value: Any) -> bool:
    """Whether what was written is read as an equal value."""
    try:
        return bool(codec.decode(encoded) == value)
    except REFUSALS:
        return False


def only(type_names: Iterable[str | None]) -> str | None:
    """The single type, if all agree."""
    found = set(type_names)
    return found.pop() if len(found) == 1 else None
