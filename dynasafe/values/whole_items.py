"""Instances of Item classes in wire form, and back: each attribute by its codec.

All items of a query pass through here, attribute by attribute, so this module is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeVar
from uuid import UUID

from dynasafe.errors import InvalidValueError, StoredValueError, ValueOutOfRangeError
from dynasafe.values.codec import SETS, Codec
from dynasafe.values.models import is_dataclass, is_model, stored_fields
from dynasafe.values.wire import LEVELS, too_deep
from dynasafe.values.work import worked

T = TypeVar("T")

NOT_AN_ATTRIBUTE_VALUE: Final = "it is not an AttributeValue, such as {'S': 'text'}"
_CODED: Final = "coded attributes"
_MISSING: Final = object()
_KNOWN: Final = "known fields"


class _Coded:
    """One attribute: its names, its codec, and the value that is read if it is not stored."""

    __slots__ = (
        "attribute",
        "codec",
        "default",
        "field_name",
        "has_default",
        "make_default",
        "may_be_absent_set",
        "name",
        "none_is_absent",
    )

    def __init__(self, attribute: Any, codec: Codec[Any]) -> None:
        self.attribute: Any = attribute
        self.name: str = attribute.name
        self.field_name: str = attribute.field_name
        self.codec: Codec[Any] = codec
        self.none_is_absent: bool = attribute.none_is_absent
        self.has_default: bool = attribute.has_default
        self.default: Any = attribute.options.default
        self.make_default: Callable[[], Any] | None = attribute.options.default_factory
        # Whether it is: only its default can show, and a factory is the user's code.
        self.may_be_absent_set: bool = self.make_default is not None or isinstance(
            self.default, SETS
        )


def _coded(schema: Any) -> list[_Coded]:
    made = [_Coded(each, schema.codecs[each.name]) for each in schema.attributes]
    schema.caches[_CODED] = made
    return made


def is_large(given: object) -> bool:
    """Whether it takes milliseconds to write a Python value, or more."""
    return _left_after(given, _MANY, _MOST_LEVELS) < 0


def _left_after(value: Any, left: int, levels: int) -> int:
    """How many values are left of a number, after those within this one; -1 if it has more."""
    if not levels:  # it may hold itself
        return -1
    kind = type(value)
    if kind is dict:
        members: dict[Any, Any] = value
        left -= len(members)
        if left >= 0:
            for each in members.values():
                if type(each) not in _SCALARS:
                    left = _left_after(each, left, levels - 1)
                    if left < 0:
                        return -1
        return left
    if kind in _SCALARS:
        return left
    contents: Collection[Any] = value if kind in _COLLECTIONS else _contents(value, kind)
    left -= len(contents)
    if left >= 0:
        for each in contents:
            if type(each) not in _SCALARS:
                left = _left_after(each, left, levels - 1)
                if left < 0:
                    return -1
    return left


def _contents(value: Any, kind: type) -> Collection[Any]:
    """The values within an instance of a class, if it is one with fields, or a container."""
    if hasattr(kind, "__dynasafe_encode__") or is_model(kind):
        state: dict[Any, Any] = value.__dict__
        return state.values()
    if issubclass(kind, _COLLECTION_TYPES):
        collection: Collection[Any] = value
        return collection
    if issubclass(kind, Enum):
        return ()
    if is_dataclass(kind):
        return [getattr(value, name, None) for name, _ in stored_fields(kind)]
    if issubclass(kind, Mapping):
        mapping: Mapping[Any, Any] = value
        return [*mapping.values()]
    return ()


_SCALARS: Final = frozenset(
    {str, int, float, bool, bytes, Decimal, datetime, date, UUID, type(None)}
)
_COLLECTION_TYPES: Final = (list, tuple, set, frozenset)
_COLLECTIONS: Final = frozenset(_COLLECTION_TYPES)
_MANY: Final = 4_000
_MOST_LEVELS: Final = 64


def encode_item(item: Any, levels: int = LEVELS) -> dict[str, Any]:
    """The item in wire form.

    An empty set is left out if it is the attribute's default. DynamoDB has no empty sets.

    Raises:
        InvalidValueError: a value does not have its attribute's type, or DynamoDB cannot store it.
    """
    if levels < 0:
        raise too_deep()
    state: dict[str, Any] = item.__dict__
    schema = item.__dynasafe_schema__
    coded: list[_Coded] = schema.caches.get(_CODED) or _coded(schema)
    worked(len(coded))
    encoded: dict[str, Any] = {}
    name = ""
    try:
        for each in coded:
            name = each.name
            value = state.get(each.field_name, _MISSING)
            if value is None:
                if each.none_is_absent:
                    continue
            elif value is _MISSING:
                raise ValueOutOfRangeError("", "the attribute has no value")
            elif (
                each.may_be_absent_set
                and isinstance(value, SETS)
                and not value
                and each.attribute.is_empty_set_absent
            ):
                continue
            encoded[name] = each.codec.encode(value, levels)
    except InvalidValueError as error:
        error.within(name)
        raise
    unknown = state.get("_unknown_attributes")
    return {**unknown, **encoded} if unknown else encoded


def known_fields(schema: Any) -> dict[str, tuple[str, Codec[Any]]]:
    """The name in Python and the codec of each attribute, by both of its names."""
    known: dict[str, tuple[str, Codec[Any]]] | None = schema.caches.get(_KNOWN)
    if known is None:
        known = {}
        for each in schema.attributes:
            of = (each.field_name, schema.codecs[each.name])
            known[each.name] = known[each.field_name] = of
        schema.caches[_KNOWN] = known
    return known


def made_item(item_class: type[T], values: dict[str, Any]) -> T | None:
    """The instance with these values and the defaults, as its __init__ makes it; None if one is
    missing.
    """
    of_class: Any = item_class
    schema = of_class.__dynasafe_schema__
    coded: list[_Coded] = schema.caches.get(_CODED) or _coded(schema)
    item: T = of_class.__new__(of_class)
    state: dict[str, Any] = item.__dict__
    for each in coded:
        if each.field_name in values:
            state[each.field_name] = values[each.field_name]
        elif each.make_default is not None:
            state[each.field_name] = each.make_default()
        elif each.has_default:
            state[each.field_name] = each.default
        else:
            return None
    return item


def decode_item(item_class: type[T], attribute_map: Any, levels: int = LEVELS) -> T:
    """The instance for an item in wire form.

    Raises:
        StoredValueError: a stored value does not fit its attribute's type, or one without a
            default is missing.
    """
    of_class: Any = item_class
    schema = of_class.__dynasafe_schema__
    coded: list[_Coded] = schema.caches.get(_CODED) or _coded(schema)
    item: T = of_class.__new__(of_class)
    state: dict[str, Any] = item.__dict__
    worked(len(coded))
    known = 0
    name = ""
    try:
        stored: dict[str, Any] = (
            attribute_map if type(attribute_map) is dict else dict(attribute_map.items())
        )
        for each in coded:
            name = each.name
            attribute_value = stored.get(name)
            if attribute_value is not None:
                known += 1
                state[each.field_name] = each.codec.decode(attribute_value, levels)
            elif each.make_default is not None:
                state[each.field_name] = each.make_default()
            elif each.has_default:
                state[each.field_name] = each.default
            else:
                raise StoredValueError(
                    "",
                    f"the stored item lacks this attribute, and {item_class.__name__} has no "
                    "default for it. Fix: give it a default, or read with a projection that "
                    "includes it",
                )
    except StoredValueError as error:
        error.within(name)
        raise
    except (AttributeError, TypeError, LookupError):
        raise StoredValueError(name, NOT_AN_ATTRIBUTE_VALUE) from None
    if known < len(stored):
        state["_unknown_attributes"] = {
            name: value for name, value in stored.items() if name not in schema.by_name
        }
    return item
