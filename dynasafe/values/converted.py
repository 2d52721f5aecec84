"""Codecs of types that are stored as values of other types, such as enums."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum, EnumType
from typing import Any, Final

from dynasafe.errors import (
    InvalidValueError,
    UnsupportedTypeError,
)
from dynasafe.values.codec import (
    ANY,
    REFUSALS,
    Codec,
    CodecWithoutParts,
    content_of,
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
    """Writes and reads one attribute with an object of the user."""

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
    """A type that is stored as a value of another, supported type."""

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

    def is_surely_not(self, kind: type) -> bool:
        return not issubclass(kind, self._python_type)

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, self._python_type):
            raise mismatch(self.name, value)
        return to_attribute_value(self._encode(value), levels)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        try:
            return self._decode(from_attribute_value(attribute_value, levels))
        except REFUSALS:
            raise stored_mismatch(self.name, attribute_value) from None


_PLAIN: Final = frozenset({str, int})


class EnumCodec(ConvertedCodec):
    """Writes members as their values. It knows those whose values are plain texts and numbers."""

    def __init__(self, enum: type[Enum]) -> None:
        super().__init__(enum, lambda member: member.value, member_of(enum))
        # By id, since a member's hash is slow. The members are kept, so that the ids are theirs.
        self._written: dict[int, tuple[Enum, str, str]] = {}
        self._by_value: dict[Any, Enum] = {}
        self._by_digits: dict[str, Enum] = {}
        members: list[Enum] = list(enum) if type(enum) is EnumType else []
        for each in members:
            value = each.value
            is_plain = value is each._value_ and _is_certain(value)
            if is_plain and self._decode(value) is each:
                ((type_name, content),) = to_attribute_value(value).items()
                self._written[id(each)] = (each, type_name, content)
                self._by_value[value] = each
                if type_name == "N":
                    self._by_digits[content] = each
        is_searched = getattr(enum._missing_, "__func__", None) is _MISSING
        are_texts = {type(each) for each in self._by_value} == {str}
        self._has_only_texts = is_searched and are_texts and len(self._by_value) == len(members)

    def surely_parses_no(self, kind: type) -> bool:
        return self._has_only_texts and kind is not str

    def parse(self, value: Any) -> Any:
        found = self._by_value.get(value) if type(value) in _PLAIN else None
        return super().parse(value) if found is None else found

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        known = self._written.get(id(value))
        return super().encode(value, levels) if known is None else {known[1]: known[2]}

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        if isinstance(attribute_value, dict) and len(attribute_value) == 1:
            text: Any = attribute_value.get("S")
            known = self._by_value
            if text is None:
                text = attribute_value.get("N")
                known = self._by_digits
            found = known.get(text) if type(text) is str else None
            if found is not None:
                return found
        return super().decode(attribute_value, levels)


_MISSING: Final = Enum._missing_.__func__  # type: ignore[attr-defined]
"""How enums without their own way find a member for a value that none has: not at all."""


def member_of(enum: type[Enum]) -> Callable[[Any], Enum]:
    """Reads members of the enum, also if their value is read back as another type, as a tuple
    is."""

    by_value: dict[Any, Enum] = {}
    if type(enum) is EnumType:
        for each in enum.__members__.values():
            if type(each.value) in _PLAIN:
                by_value[each.value] = each

    def read(value: Any) -> Enum:
        found = by_value.get(value) if type(value) in _PLAIN else None
        if found is not None:
            return found
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
        self._types = {*map(type, choices)}
        self._texts = {each for each in choices if type(each) is str and each.isascii()}
        self._plain = {(type(each), each) for each in choices if type(each) in _PLAIN}
        self._stored = [(_as_read(choice), choice) for choice in choices]
        self._of_text: dict[str, Any] = {}
        for stored, choice in self._stored:
            if type(stored) is str:
                self._of_text.setdefault(stored, choice)
        self.type_name: str | None = _type_of(choices)

    @property
    def words(self) -> str:
        return f"one of {', '.join(map(repr, self._choices))}"

    def parse(self, value: Any) -> Any:
        if not self._matches(value):
            raise self.refused()
        return value

    def is_surely_not(self, kind: type) -> bool:
        return kind not in self._types

    def surely_parses_no(self, kind: type) -> bool:
        return kind not in self._types

    def is_never_stored_as(self, type_name: str) -> bool:
        return self.type_name is not None and type_name != self.type_name

    def _matches(self, value: object) -> bool:
        kind = type(value)
        if kind is str:
            return value in self._texts or (kind, value) in self._plain
        if kind is int:
            return (kind, value) in self._plain
        return any(kind is type(choice) and value == choice for choice in self._choices)

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if type(value) is str and value in self._texts:
            return {"S": value}
        if not self._matches(value):
            raise mismatch(self.name, value)
        return to_attribute_value(value, levels)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        text = content_of(attribute_value, "S")
        if type(text) is str and text in self._of_text and len(attribute_value) == 1:
            return self._of_text[text]
        value = ANY.decode(attribute_value, levels)
        kind = type(value)
        for stored, choice in self._stored:
            if kind is type(stored) and value == stored:
                return choice
        raise stored_mismatch(self.name, attribute_value)


_CERTAIN: Final = 10**18
"""An int below this is within the range and the precision of DynamoDB's numbers."""


def _as_read(value: object) -> Any:
    """The value that is read back after a value was stored."""
    if _is_certain(value):
        return value
    return from_attribute_value(to_attribute_value(value))


def _is_certain(value: object) -> bool:
    """Whether it is a text or a number that is surely read as it is."""
    if type(value) is str:
        return value.isascii()
    return type(value) is int and -_CERTAIN < value < _CERTAIN


def _type_of(values: Iterable[object]) -> str | None:
    """The wire type that all of the values have."""
    try:
        return only(next(iter(to_attribute_value(value))) for value in values)
    except InvalidValueError:
        return None
