"""Codecs of lists, tuples, sets and maps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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
    CodecOfMaps,
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
    plain_set,
    require_name,
    set_of,
)
from dynasafe.values.scalars import StrCodec
from dynasafe.values.wire import (
    ELEMENTS,
    LEVELS,
    AttributeValue,
)
from dynasafe.values.work import OF_A_TURN, parts_of_list, parts_of_map, worked

_ONLY_STR: Final = {str}
_SETS_AND_LISTS: Final = (set, frozenset, list, tuple)


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
        if type(value) is not list and not isinstance(value, LISTS):
            raise self.refused()
        if self.element.keeps({*map(type, value)}):
            return self.make(value)
        parsed = _parsed_by(self.element, value)
        return parsed if self.make is list else self.make(parsed)

    def is_surely_not(self, kind: type) -> bool:
        return not issubclass(kind, LISTS)

    def surely_parses_no(self, kind: type) -> bool:
        return kind is not list

    def is_never_stored_as(self, type_name: str) -> bool:
        return type_name != "L"

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, LISTS):
            raise mismatch(self.name, value)
        return {"L": encoded_elements(self.element, value, levels)}

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        below = stored_level_below(levels)
        decoded = decoded_elements(self.element, _a_list(self, attribute_value), below)
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

    def is_surely_not(self, kind: type) -> bool:
        return not issubclass(kind, tuple)

    def surely_parses_no(self, kind: type) -> bool:
        return kind is not list

    def is_never_stored_as(self, type_name: str) -> bool:
        return type_name != "L"

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
        self._plain: frozenset[type] = element.plain_types

    @property
    def words(self) -> str:
        return "a list"

    def parse(self, value: Any) -> Any:
        if type(value) is not list and not isinstance(value, _SETS_AND_LISTS):
            raise self.refused()
        elements = value if type(value) is list else list(value)
        try:
            is_kept = self.element.keeps({*map(type, elements)})
            return self._made(elements if is_kept else _parsed_by(self.element, elements))
        except TypeError as error:
            if isinstance(error, InvalidValueError):
                raise
            raise self.refused() from None  # an element that cannot be hashed

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if not isinstance(value, SETS):
            raise mismatch(self.name, value)
        plain = plain_set(value, self._plain) if self._plain else {}
        if plain:
            return plain
        members: list[dict[str, Any]] = []
        for part in parts_of_list(value):
            worked(len(part))
            members += [self.element.encode(each, levels) for each in part]
        return set_of(members)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        for type_name, member_type in ELEMENTS.items():
            content = content_of(attribute_value, type_name)
            if content.__class__ is list:
                worked(len(content))
                element = self.element
                if (
                    type_name == "SS"
                    and element.__class__ is StrCodec
                    and {*map(type, content)} == _ONLY_STR
                ):
                    return self.make(content)
                decoded: list[Any] = []
                for part in parts_of_list(content):
                    worked(len(part))
                    decoded += [element.decode({member_type: each}, levels) for each in part]
                return self._made(decoded)
        raise stored_mismatch(self.name, attribute_value)

    def _made(self, members: list[Any]) -> Any:
        if len(members) <= OF_A_TURN:
            return self.make(members)
        gathered: set[Any] = set()
        for part in parts_of_list(members):
            worked(len(part))
            gathered.update(part)
        return gathered if self.make is set else self.make(gathered)

    def is_surely_not(self, kind: type) -> bool:
        return not issubclass(kind, SETS)

    def surely_parses_no(self, kind: type) -> bool:
        return kind is not list

    def is_never_stored_as(self, type_name: str) -> bool:
        return True

    def part(self, element: str | int) -> Part:
        return Part(element, self.element)


class MapCodec(CodecOfMaps):
    def __init__(self, value: Codec[Any]) -> None:
        self._value = value
        self.keeps_size: bool = value.keeps_size
        self.name: str = f"dict[str, {value.name}]"

    def parse(self, value: Any) -> Any:
        if type(value) is not dict:
            if not isinstance(value, Mapping):
                raise self.refused()
            known = {name: (name, self._value) for name in value}
            return parsed_members(known, value, is_map=True)
        members: dict[Any, Any] = value
        if not members:
            return {}
        if {*map(type, members)} == _ONLY_STR and self._value.keeps({*map(type, members.values())}):
            return dict(members)
        codec = self._value
        parsed: dict[str, Any] = {}
        if len(members) > OF_A_TURN:
            for part in parts_of_map(members):
                parsed.update(self.parse(part))
            return parsed
        worked(len(members))
        name: Any = ""
        try:
            for name, each in members.items():
                if not isinstance(name, str):
                    raise UnsupportedTypeError("", "unknown field")
                parsed[name] = codec.parse(each)
        except InvalidValueError as error:
            error.within(str(name), is_key=True)
            raise
        return parsed

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if type(value) is not dict and not isinstance(value, Mapping):
            raise mismatch(self.name, value)
        codec, below = self._value, level_below(levels)
        if not value:
            return {"M": {}}
        encoded: dict[str, dict[str, Any]] = {}
        if len(value) > OF_A_TURN:
            for part in parts_of_map(value):
                encoded.update(self.encode(part, levels)["M"])
            return {"M": encoded}
        worked(len(value))
        kind = codec.plain_type
        if kind is not None and type(value) is dict and len(value) > FEW and are_plain_names(value):
            alike = encoded_alike(value.values(), kind)
            if alike is not None:
                return {"M": dict(zip(value, alike, strict=True))}
        name: Any = ""
        try:
            for name, each in value.items():
                if type(name) is not str or not name.isascii():
                    name = require_name(name)
                encoded[name] = codec.encode(each, below)
        except InvalidValueError as error:
            if type(name) is str:
                error.within(name, is_key=True)
            raise
        return {"M": encoded}

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        content = a_map(self, attribute_value)
        codec, below = self._value, stored_level_below(levels)
        decoded: dict[str, Any] = {}
        if len(content) > OF_A_TURN:
            for part in parts_of_map(content):
                decoded.update(self.decode({"M": part}, levels))
            return decoded
        worked(len(content))
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
    element: Codec[Any], values: Collection[Any], levels: int = LEVELS, start: int = 0
) -> list[dict[str, Any]]:
    """Each value in wire form, written by the common codec.

    Args:
        start: the index of the first one, for errors.
    """
    encoded: list[dict[str, Any]] = []
    if len(values) > OF_A_TURN:
        for part in parts_of_list(values):
            encoded += encoded_elements(element, part, levels, len(encoded))
        return encoded
    worked(len(values))
    below = level_below(levels)
    if element.plain_type is not None and isinstance(values, LISTS) and len(values) > FEW:
        alike = encoded_alike(values, element.plain_type)
        if alike is not None:
            return alike
    try:
        for each in values:
            encoded.append(element.encode(each, below))
    except InvalidValueError as error:
        error.within(start + len(encoded))
        raise
    return encoded


def decoded_elements(
    element: Codec[Any], stored: Collection[Any], levels: int, start: int = 0
) -> list[Any]:
    """Each value of a stored list, read by the common codec.

    Args:
        start: the index of the first one, for errors.
    """
    decoded: list[Any] = []
    if len(stored) > OF_A_TURN:
        for part in parts_of_list(stored):
            decoded += decoded_elements(element, part, levels, len(decoded))
        return decoded
    worked(len(stored))
    try:
        for each in stored:
            decoded.append(element.decode(each, levels))
    except StoredValueError as error:
        error.within(start + len(decoded))
        raise
    return decoded


def _parsed_by(codec: Codec[Any], values: Collection[Any], start: int = 0) -> list[Any]:
    """Each value, parsed by the common codec.

    Args:
        start: the index of the first one, for errors.
    """
    parsed: list[Any] = []
    if len(values) > OF_A_TURN:
        for part in parts_of_list(values):
            parsed += _parsed_by(codec, part, len(parsed))
        return parsed
    worked(len(values))
    try:
        for each in values:
            parsed.append(codec.parse(each))
    except InvalidValueError as error:
        error.within(start + len(parsed))
        raise
    return parsed


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
    """Each member, parsed by its codec, by its Python name.

    Args:
        is_map: whether the names are keys of a map, which are data.

    Raises:
        UnsupportedTypeError: a member is unknown, or has the wrong type.
    """
    parsed: dict[str, Any] = {}
    if len(values) > OF_A_TURN:
        for part in parts_of_map(values):
            parsed.update(parsed_members(known, part, is_map=is_map))
        return parsed
    worked(len(values))
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
