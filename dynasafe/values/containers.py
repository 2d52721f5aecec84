"""Codecs of lists, tuples, sets and maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from dynasafe.errors import (
    InvalidValueError,
    StoredValueError,
    UnsupportedTypeError,
)
from dynasafe.values.codec import (
    LISTS,
    SETS,
    Codec,
    Part,
    a_map,
    content_of,
    level_below,
    mismatch,
    stored_level_below,
    stored_mismatch,
)
from dynasafe.values.convert import (
    FEW,
    are_plain_names,
    encoded_alike,
    require_name,
    set_of,
    text_set,
)
from dynasafe.values.scalars import StrCodec
from dynasafe.values.wire import (
    ELEMENTS,
    LEVELS,
    AttributeValue,
)

_ONLY_STR: Final = {str}
_ONLY_INT: Final = {int}


class ListCodec(Codec[Any]):
    type_name: str | None = "L"

    def __init__(self, element: Codec[Any], make: type) -> None:
        self.element = element
        self.keeps_size: bool = element.keeps_size
        self.make = make
        self.name: str = f"{make.__name__}[{element.name}]"

    @property
    def words(self) -> str:
        return "a list"

    def parse(self, value: Any) -> Any:
        if not isinstance(value, LISTS):
            raise self.refused()
        if self.element.keeps({*map(type, value)}):
            return self.make(value)
        return self.make(_parsed_elements([self.element] * len(value), value))

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, LISTS):
            raise mismatch(self.name, value)
        return {"L": encoded_elements(self.element, value, levels)}

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        element, below = self.element, stored_level_below(levels)
        decoded: list[Any] = []
        content = _a_list(self, attribute_value)
        try:
            for each in content:
                decoded.append(element.decode(each, below))
        except StoredValueError as error:
            error.within(len(decoded))
            raise
        return self.make(decoded) if self.make is not list else decoded

    def part(self, element: str | int) -> Part:
        if not isinstance(element, int):
            raise UnsupportedTypeError(str(element), f"{self.name} has indexes, not keys")
        return Part(element, self.element)


class FixedTupleCodec(Codec[Any]):
    type_name: str | None = "L"

    def __init__(self, elements: tuple[Codec[Any], ...]) -> None:
        self.elements = elements
        self.name: str = f"tuple[{', '.join(element.name for element in elements)}]"

    @property
    def words(self) -> str:
        return f"a list of {len(self.elements)}"

    def parse(self, value: Any) -> Any:
        if not isinstance(value, LISTS) or len(value) != len(self.elements):
            raise self.refused()
        return tuple(_parsed_elements(self.elements, value))

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, tuple) or len(value) != len(self.elements):
            raise mismatch(self.name, value)
        below = level_below(levels)
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
            raise stored_mismatch(self.name, attribute_value)
        below = stored_level_below(levels)
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
        return Part(element, self.elements[element], is_required=True)


class SetCodec(Codec[Any]):
    def __init__(self, element: Codec[Any], make: type) -> None:
        self.element = element
        self.make: type = make
        self.name: str = f"{make.__name__}[{element.name}]"
        if element.type_name in ("S", "N", "B"):
            self.type_name: str | None = f"{element.type_name}S"

    @property
    def words(self) -> str:
        return "a list"

    def parse(self, value: Any) -> Any:
        if not isinstance(value, SETS + LISTS):
            raise self.refused()
        elements = list(value)
        try:
            if self.element.keeps({*map(type, elements)}):
                return self.make(elements)
            return self.make(_parsed_elements([self.element] * len(elements), elements))
        except TypeError as error:
            if isinstance(error, InvalidValueError):
                raise
            raise self.refused() from None  # an element that cannot be hashed

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, SETS):
            raise mismatch(self.name, value)
        simple = text_set(value) if self.element.__class__ is StrCodec else None
        if self.element.plain_type is int and len(value) > FEW and {*map(type, value)} == _ONLY_INT:
            alike = encoded_alike(sorted(value), int)
            simple = None if alike is None else {"NS": [each["N"] for each in alike]}
        return simple or set_of([self.element.encode(each, levels) for each in value])

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        for type_name, member_type in ELEMENTS.items():
            content = content_of(attribute_value, type_name)
            if content.__class__ is list:
                element = self.element
                if (
                    type_name == "SS"
                    and element.__class__ is StrCodec
                    and {*map(type, content)} == _ONLY_STR
                ):
                    return self.make(content)
                return self.make([element.decode({member_type: each}, levels) for each in content])
        raise stored_mismatch(self.name, attribute_value)

    def part(self, element: str | int) -> Part:
        return Part(element, self.element)


class MapCodec(Codec[Any]):
    type_name: str | None = "M"

    def __init__(self, value: Codec[Any]) -> None:
        self._value = value
        self.keeps_size: bool = value.keeps_size
        self.name: str = f"dict[str, {value.name}]"

    @property
    def words(self) -> str:
        return "an object"

    def parse(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise self.refused()
        if (
            type(value) is dict
            and {*map(type, value)} <= _ONLY_STR
            and self._value.keeps({*map(type, value.values())})
        ):
            return dict(value)
        return parsed_members({name: (name, self._value) for name in value}, value, is_map=True)

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise mismatch(self.name, value)
        encode, below = self._value.encode, level_below(levels)
        kind = self._value.plain_type
        if kind is not None and type(value) is dict and len(value) > FEW and are_plain_names(value):
            alike = encoded_alike(value.values(), kind)
            if alike is not None:
                return {"M": dict(zip(value, alike, strict=True))}
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
        content = a_map(self, attribute_value)
        codec, below = self._value, stored_level_below(levels)
        decoded: dict[str, Any] = {}
        name = ""
        try:
            for name, each in content.items():
                decoded[name] = codec.decode(each, below)
        except StoredValueError as error:
            error.within(name, is_key=True)
            raise
        return decoded

    def part(self, element: str | int) -> Part:
        if not isinstance(element, str):
            raise UnsupportedTypeError(str(element), f"{self.name} has keys, not indexes")
        return Part(element, self._value)


def encoded_elements(
    element: Codec[Any], values: Iterable[Any], levels: int = LEVELS
) -> list[dict[str, Any]]:
    """Each value in wire form, written by the codec of all."""
    encode, below = element.encode, level_below(levels)
    if element.plain_type is not None and isinstance(values, LISTS) and len(values) > FEW:
        alike = encoded_alike(values, element.plain_type)
        if alike is not None:
            return alike
    encoded: list[dict[str, Any]] = []
    try:
        for each in values:
            encoded.append(encode(each, below))
    except InvalidValueError as error:
        error.within(len(encoded))
        raise
    return encoded


def _parsed_elements(codecs: Iterable[Codec[Any]], values: Iterable[Any]) -> list[Any]:
    parsed: list[Any] = []
    try:
        for codec, each in zip(codecs, values, strict=True):
            parsed.append(codec.parse(each))
    except InvalidValueError as error:
        error.within(len(parsed))
        raise
    return parsed


def parsed_members(
    known: Mapping[str, tuple[str, Codec[Any]]], values: Mapping[Any, Any], *, is_map: bool = False
) -> dict[str, Any]:
    """Each member as its codec parses it, by the name that it has in Python.

    Args:
        is_map: whether the names are keys of a map, which are data.

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
        error.within(str(name), is_key=is_map or name not in known)
        raise
    return parsed


def _a_list(codec: Codec[Any], attribute_value: AttributeValue) -> list[Any]:
    content = content_of(attribute_value, "L")
    if not isinstance(content, list):
        raise stored_mismatch(codec.name, attribute_value)
    return content
