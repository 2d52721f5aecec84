"""Codecs of unions, and how their members are distinguished."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Literal

from dynasafe.errors import (
    InvalidValueError,
    StoredValueError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.values.classes import FieldsCodec, ItemCodec, ModelCodec, hints_of
from dynasafe.values.codec import (
    JSON_KINDS,
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
    registered_codecs,
    to_attribute_value,
)
from dynasafe.values.converted import ConvertedCodec, LiteralCodec
from dynasafe.values.models import (
    AmbiguousUnionError,
    fields_of,
    is_model,
)
from dynasafe.values.numbers import decode_decimal, encode_number, is_plain_fraction
from dynasafe.values.scalars import (
    NONE,
    SCALARS,
)
from dynasafe.values.wire import (
    LEVELS,
    TOO_DEEP,
    AttributeValue,
)


class UnionCodec(Codec[Any]):
    """One of several types; a stored value fits one.

    A tag distinguishes classes: a field in each of them, with different literals.
    """

    def __init__(self, members: tuple[Codec[Any], ...]) -> None:
        self.name: str = " | ".join(member.name for member in members)
        self._takes_none = NONE in members
        self._members = tuple(member for member in members if member is not NONE)
        self._type_but_none = only(member.type_name for member in self._members)
        self.type_name: str | None = None if self._takes_none else self._type_but_none
        self._by_tag, self._tag = _tagged(self._members)
        self._found_untried: frozenset[Codec[Any]] | None = None
        # A number may be read as another type of number than the written one.
        self._is_compared = require_distinct(self._members, is_tagged=self._tag is not None)
        self._single: Codec[Any] | None = None
        if len(self._members) == 1 and self._tag is None and not self._is_compared:
            self._single = self._members[0]
        self._of_json: dict[type, tuple[Codec[Any], ...]] = {}
        self._of_kind: dict[type, tuple[Codec[Any], ...]] = {}
        # An instance of one of several classes is refused by the codecs of the others.
        self._of_class: dict[type, tuple[Codec[Any], ...]] = {}
        if all(isinstance(each, FieldsCodec | ItemCodec | ModelCodec) for each in self._members):
            for each in self._members:
                self._of_class[each.python_type] = (each,)  # type: ignore[attr-defined]
        self._of_type: dict[str, tuple[Codec[Any], ...]] = {}
        of_numbers = [each for each in self._members if not each.is_never_stored_as("N")]
        self._is_int_or_float: bool = len(of_numbers) == 2 and {
            SCALARS[int],
            SCALARS[float],
        } == {*of_numbers}

    @property
    def key_type_name(self) -> str | None:
        return self._type_but_none  # None is not allowed in a key

    @property
    def words(self) -> str:
        return " or ".join(member.words for member in self._members)

    @property
    def takes_none(self) -> bool:
        return self._takes_none or any(member.takes_none for member in self._members)

    def is_never_stored_as(self, type_name: str) -> bool:
        if type_name == "NULL" and self.takes_none:
            return False
        return all(each.is_never_stored_as(type_name) for each in self._members)

    def keeps(self, kinds: set[type]) -> bool:
        if len(self._members) != 1:
            return False
        return self._members[0].keeps(kinds - _NONE_TYPE if self._takes_none else kinds)

    def parse(self, value: Any) -> Any:
        if value is None and self._takes_none:
            return None
        tagged = self._tagged(value)
        if tagged is not None:
            return tagged.parse(value)
        if len(self._members) == 1:
            return self._members[0].parse(value)
        refused: UnsupportedTypeError | None = None
        for member in self._parsed_by(value):
            if self._is_kept(member, value):
                return value
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

    def _parsed_by(self, value: Any) -> tuple[Codec[Any], ...]:
        """The members that may parse the value, which has no known tag."""
        kind = type(value)
        members = self._of_json.get(kind)
        if members is None:
            untried = self._untried if isinstance(value, Mapping) else frozenset()
            members = tuple(each for each in self._members if each not in untried)
            if kind in JSON_KINDS:
                members = tuple(each for each in members if not each.surely_parses_no(kind))
                self._of_json[kind] = members
        return members

    def _is_kept(self, member: Codec[Any], value: Any) -> bool:
        """Whether the member surely parses the value as it is, and DynamoDB stores that."""
        kind = type(value)
        if kind is str:
            return member is _STR and bool(value.isascii())
        if kind is int:
            return (member is _INT or member is _FLOAT) and -_SURE < value < _SURE
        if kind is float:
            return (member is _FLOAT or self._is_int_or_float) and _is_sure_fraction(value)
        return kind is bool and member is _BOOL

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
        kind = type(value)
        if self._tag is None or (
            kind is not dict and (kind in _KINDS or not isinstance(value, Mapping))
        ):
            return None
        given = value.get(self._tag)
        if type(given) is str and given.isascii():
            return self._by_tag.get(("S", given))
        if not isinstance(given, (str, int)):
            return None
        try:
            return self._by_tag.get(_literal_of(to_attribute_value(given)))
        except InvalidValueError:
            return None

    def encode(self, value: Any, levels: int = LEVELS) -> dict[str, Any]:
        if value is None and self._takes_none:
            return {"NULL": True}
        if self._single is not None:
            try:
                return self._single.encode(value, levels)
            except InvalidValueError as refused:
                if refused.reason == TOO_DEEP or _is_of_contents(refused):
                    raise
                raise mismatch(self.name, value) from None
        error: InvalidValueError | None = None
        if self._is_int_or_float:
            kind = type(value)
            number: Any = value
            if kind is int and -_SURE < number < _SURE:
                return {"N": str(number)}
            if kind is float and _is_sure_fraction(number):
                return {"N": encode_number(number)}
        tagged = None if self._tag is None else self._tagged(value)
        for member in self._written_by(value) if tagged is None else (tagged,):
            try:
                encoded = member.encode(value, levels)
            except InvalidValueError as refused:
                if refused.reason == TOO_DEEP:
                    raise  # it contains itself, which each member would find again at each level
                if _is_of_contents(refused):
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

    def _written_by(self, value: Any) -> tuple[Codec[Any], ...]:
        """The members that may write the value, or all."""
        kind = type(value)
        if kind not in _KINDS:
            return self._of_class.get(kind, self._members)
        members = self._of_kind.get(kind)
        if members is None:
            members = tuple(each for each in self._members if not each.is_surely_not(kind))
            members = self._of_kind[kind] = members or self._members
        return members

    def _read_by(self, attribute_value: AttributeValue) -> tuple[Codec[Any], ...]:
        """The members that may read the stored value, or all."""
        members = self._members
        if len(members) == 1 or type(attribute_value) is not dict or len(attribute_value) != 1:
            return members
        known: dict[Any, Any] = attribute_value
        for type_name, content in known.items():  # one; compiled, this is faster than unpacking
            if type_name == "N" and self._is_int_or_float and is_plain_fraction(content):
                return _ONLY_FLOAT
            if type_name in _TYPES_BUT_SETS:
                found = self._of_type.get(type_name)
                if found is None:
                    kept = [each for each in members if not each.is_never_stored_as(type_name)]
                    found = self._of_type[type_name] = tuple(kept) or members
                return found
        return members

    def decode(self, attribute_value: AttributeValue, levels: int = LEVELS) -> Any:
        if self._takes_none and "NULL" in attribute_value:
            return None
        if self._single is not None:
            return self._single.decode(attribute_value, levels)
        members = self._read_by(attribute_value)
        is_tagged = False
        content: Any = None if self._tag is None else attribute_value.get("M")
        if content is not None and isinstance(content, Mapping):
            tagged = self._by_tag.get(_literal_of(content.get(self._tag)))
            if tagged is None:
                raise stored_mismatch(f"{self.name}, by {self._tag}", attribute_value)
            members = (tagged,)
            is_tagged = True
        error: StoredValueError | None = None
        for member in members:
            try:
                return member.decode(attribute_value, levels)
            except StoredValueError as refused:
                error = refused
        if error is not None and is_tagged:
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


_KINDS: Final = frozenset(
    {str, int, float, bool, bytes, Decimal, list, tuple, dict, set, frozenset, type(None)}
)
"""Types of values for which a union remembers its members. Other classes would be kept."""
_TYPES_BUT_SETS: Final = frozenset({"S", "N", "B", "BOOL", "NULL", "L", "M"})
_NONE_TYPE: Final = {type(None)}
_STR: Final = SCALARS[str]
_INT: Final = SCALARS[int]
_FLOAT: Final = SCALARS[float]
_BOOL: Final = SCALARS[bool]
_ONLY_FLOAT: Final = (_FLOAT,)
_SURE: Final = 2**53
"""Each int between this and its negative is a float too."""


def _is_sure_fraction(value: float) -> bool:
    """Whether it is surely not whole, within DynamoDB's range, and written as a number."""
    return 1e-100 < abs(value) < 1e100 and value % 1 != 0 and float not in registered_codecs


def optional(codec: Codec[Any]) -> Codec[Any]:
    """The codec that accepts None too."""
    return UnionCodec((codec, NONE))


def _literal_of(attribute_value: object) -> object:
    """A tag in its stored form, as a key for look-ups."""
    if type(attribute_value) is dict and len(attribute_value) == 1:
        text = attribute_value.get("S")
        if type(text) is str:
            return "S", text
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
    """Each class of a union by its stored tag, and the name of the tag."""
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


def _is_of_contents(refused: InvalidValueError) -> bool:
    """Whether the type is right, and what is wrong is the range, or inside."""
    return bool(refused.path) or isinstance(refused, ValueOutOfRangeError)


def _requires(codec: Codec[Any], tag: str | None) -> bool:
    """Whether an instance of the class needs the tag."""
    try:
        return tag is not None and codec.part(tag).is_required
    except InvalidValueError:
        return True


def _literals(python_type: Any) -> dict[str, frozenset[object]]:
    """The literals of a class's fields, by stored name."""
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
    """Refuse types whose stored values look the same.

    Returns:
        Whether values must be compared with what is read back: with two types of numbers, or with
            unknown types.

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
