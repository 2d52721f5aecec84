"""Codecs of unions, and what tells the members of one apart."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any, Literal

from dynasafe.errors import (
    InvalidValueError,
    StoredValueError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.values.classes import hints_of
from dynasafe.values.codec import (
    Codec,
    Part,
    is_read_as,
    mismatch,
    only,
    stored_mismatch,
)
from dynasafe.values.containers import (
    FixedTupleCodec,
    ListCodec,
    MapCodec,
    SetCodec,
)
from dynasafe.values.convert import (
    to_attribute_value,
)
from dynasafe.values.converted import ConvertedCodec, LiteralCodec
from dynasafe.values.models import (
    AmbiguousUnionError,
    fields_of,
    is_model,
)
from dynasafe.values.numbers import decode_decimal
from dynasafe.values.scalars import (
    NONE,
)
from dynasafe.values.wire import (
    LEVELS,
    TOO_DEEP,
    AttributeValue,
)


class UnionCodec(Codec[Any]):
    """One of several types, of which a stored value fits one.

    A tag tells classes apart: a field of each of them, with different literals.
    """

    def __init__(self, members: tuple[Codec[Any], ...]) -> None:
        self.name: str = " | ".join(member.name for member in members)
        self._takes_none = NONE in members
        self._members = tuple(member for member in members if member is not NONE)
        self._type_but_none = only(member.type_name for member in self._members)
        self.type_name: str | None = None if self._takes_none else self._type_but_none
        self._by_tag, self._tag = _tagged(self._members)
        self._found_untried: frozenset[Codec[Any]] | None = None
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
        tagged = self._tagged(value)
        if tagged is not None:
            return tagged.parse(value)
        if len(self._members) == 1:
            return self._members[0].parse(value)
        refused: UnsupportedTypeError | None = None
        for member in self._members:
            if isinstance(value, Mapping) and member in self._untried:
                continue
            try:
                parsed = member.parse(value)
                # Whether it can be stored tells apart what JSON has in common, as texts and times.
                if member.type_name not in ("L", "M"):
                    member.encode(parsed)
            except InvalidValueError as error:
                # One of several classes says what is wrong inside; of others, which there are.
                if error.path and isinstance(error, UnsupportedTypeError):
                    refused = refused or error
                continue
            return parsed
        raise refused or self.refused()

    @property
    def _untried(self) -> frozenset[Codec[Any]]:
        """Classes that are not tried for a map without a tag: but one whose tag has a default."""
        # At first use, since a field may be of the union itself.
        if self._found_untried is None:
            classes = list(dict.fromkeys(self._by_tag.values()))
            defaulted = [each for each in classes if not _requires(each, self._tag)]
            self._found_untried = frozenset(classes) - frozenset(defaulted[:1])
        return self._found_untried

    def _tagged(self, value: Any) -> Codec[Any] | None:
        """The class that the tag of a map names: no other is tried, at any level."""
        if self._tag is None or not isinstance(value, Mapping):
            return None
        given = value.get(self._tag)
        if not isinstance(given, str | int):
            return None
        try:
            return self._by_tag.get(_literal_of(to_attribute_value(given)))
        except InvalidValueError:
            return None

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if value is None and self._takes_none:
            return {"NULL": True}
        error: InvalidValueError | None = None
        tagged = self._tagged(value)
        for member in self._members if tagged is None else (tagged,):
            try:
                encoded = member.encode(value, levels)
            except InvalidValueError as refused:
                if refused.reason == TOO_DEEP:
                    raise  # it holds itself, which each member would find again at each level
                # The type fitted, but not what is in it, or its range: that is worth telling.
                if refused.path or isinstance(refused, ValueOutOfRangeError):
                    error = error or refused
                continue
            if self._is_compared and not is_read_as(self, encoded, value):
                raise ValueOutOfRangeError(
                    "",
                    f"this {type(value).__name__} would be read as another value of {self.name}. "
                    "Fix: annotate with one of them",
                )
            return encoded
        raise error or mismatch(self.name, value)

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        if self._takes_none and "NULL" in attribute_value:
            return None
        members = self._members
        content: Any = attribute_value.get("M")
        if content is not None and self._tag is not None and isinstance(content, Mapping):
            tagged = self._by_tag.get(_literal_of(content.get(self._tag)))
            if tagged is None:
                raise stored_mismatch(f"{self.name}, by {self._tag}", attribute_value)
            members = (tagged,)
        error: StoredValueError | None = None
        for member in members:
            try:
                return member.decode(attribute_value, levels)
            except StoredValueError as refused:
                error = refused
        if error is not None and (len(members) == 1):
            raise error
        raise stored_mismatch(self.name, attribute_value)

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


def optional(codec: Codec[Any]) -> Codec[Any]:
    """The codec that takes None as well."""
    return UnionCodec((codec, NONE))


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


def _requires(codec: Codec[Any], tag: str | None) -> bool:
    """Whether a class needs its tag to be made."""
    try:
        return tag is not None and codec.part(tag).is_required
    except InvalidValueError:
        return True


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
        if all(isinstance(each, MapCodec) for each in pair):
            return _relation(one._value, other._value, is_tagged=False)  # type: ignore[attr-defined]
        is_of_classes = all(hasattr(each, "python_type") for each in pair)
        return "distinct" if is_of_classes and is_tagged else "same"
    if type_name == "L":
        return _relation_of_lists(one, other)
    if isinstance(one, SetCodec) and isinstance(other, SetCodec):
        return _relation(one.element, other.element, is_tagged=False)
    if any(isinstance(each, LiteralCodec | ConvertedCodec) for each in pair):
        return "unknown"
    names = {one.name, other.name}
    if type_name == "N":
        return "same" if "datetime" in names else "unknown"
    return "distinct" if names <= {"datetime", "date", "UUID"} and len(names) == 2 else "same"


def _relation_of_lists(
    one: Codec[Any], other: Codec[Any]
) -> Literal["distinct", "same", "unknown"]:
    if isinstance(one, ListCodec) and isinstance(other, ListCodec) and one.make is other.make:
        return _relation(one.element, other.element, is_tagged=False)
    if isinstance(one, FixedTupleCodec) and isinstance(other, FixedTupleCodec):
        if len(one.elements) != len(other.elements):
            return "distinct"
        pairs = zip(one.elements, other.elements, strict=True)
        relations = {_relation(*pair, is_tagged=False) for pair in pairs}
        return "distinct" if "distinct" in relations else "unknown"
    return "same"
