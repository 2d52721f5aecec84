"""Codecs of types that are written as values of other types, as enums are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from dynasafe.errors import (
    InvalidValueError,
    UnsupportedTypeError,
)
from dynasafe.values.codec import (
    ANY,
    REFUSALS,
    Codec,
    CodecWithoutParts,
    mismatch,
    only,
    stored_mismatch,
)
from dynasafe.values.convert import (
    from_attribute_value,
    to_attribute_value,
)
from dynasafe.values.wire import (
    LEVELS,
    AttributeValue,
)


class AttributeCodec(Codec[Any]):
    """How one attribute is written and read, by an object of the user's."""

    name = "what its codec takes"

    def __init__(self, given: Any) -> None:
        self._given = given

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        try:
            supported = self._given.encode(value)
        except REFUSALS as error:
            raise UnsupportedTypeError(
                "", f"its codec raised {type(error).__name__} for a {type(value).__name__}"
            ) from None
        return to_attribute_value(supported, levels)

    def parse(self, value: Any) -> Any:
        try:
            self._given.encode(value)
        except REFUSALS:
            try:
                return self._given.decode(value)
            except REFUSALS:
                raise self.refused() from None
        return value

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        value = ANY.decode(attribute_value, levels)
        try:
            return self._given.decode(value)
        except REFUSALS:
            raise stored_mismatch(self.name, attribute_value) from None


class ConvertedCodec(CodecWithoutParts[Any]):
    """A type that is written as a value of another, supported type."""

    def __init__(
        self,
        python_type: type,
        encode: Callable[[Any], object],
        decode: Callable[[Any], Any],
    ) -> None:
        self.name: str = python_type.__name__
        self._python_type = python_type
        self._encode = encode
        self._decode = decode
        if issubclass(python_type, Enum):
            self.type_name: str | None = _type_of(member.value for member in python_type)

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
        except REFUSALS:
            raise self.refused() from None

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, self._python_type):
            raise mismatch(self.name, value)
        return to_attribute_value(self._encode(value), levels)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        try:
            return self._decode(from_attribute_value(attribute_value, levels))
        except REFUSALS:
            raise stored_mismatch(self.name, attribute_value) from None


def member_of(enum: type[Enum]) -> Callable[[Any], Enum]:
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


class LiteralCodec(CodecWithoutParts[Any]):
    def __init__(self, choices: tuple[Any, ...]) -> None:
        self.name: str = f"Literal[{', '.join(map(repr, choices))}]"
        self._choices = choices
        self._stored = [(_as_read(choice), choice) for choice in choices]
        self.type_name: str | None = _type_of(choices)

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
            raise mismatch(self.name, value)
        return to_attribute_value(value, levels)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        value = ANY.decode(attribute_value, levels)
        for stored, choice in self._stored:
            if type(value) is type(stored) and value == stored:
                return choice
        raise stored_mismatch(self.name, attribute_value)


def _as_read(value: object) -> Any:
    """What comes back of a value that is stored."""
    return from_attribute_value(to_attribute_value(value))


def _type_of(values: Iterable[object]) -> str | None:
    """The wire type that all of the values have."""
    try:
        return only(next(iter(to_attribute_value(value))) for value in values)
    except InvalidValueError:
        return None
