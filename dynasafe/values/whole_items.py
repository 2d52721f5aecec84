"""Instances of Item classes in wire form, and back: each attribute by its codec.

All items of a query pass through here, attribute by attribute, so that it is compiled with the
codecs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from dynasafe.errors import InvalidValueError, StoredValueError, ValueOutOfRangeError
from dynasafe.values.codec import SETS, Codec
from dynasafe.values.wire import LEVELS, too_deep

T = TypeVar("T")

NOT_AN_ATTRIBUTE_VALUE: Final = "it is not an AttributeValue, such as {'S': 'text'}"
_CODED: Final = "coded attributes"


class _Coded:
    """One attribute: its names, its codec, and what is read where it is not stored."""

    __slots__ = (
        "attribute",
        "codec",
        "default",
        "field_name",
        "has_default",
        "make_default",
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


def _coded(schema: Any) -> list[_Coded]:
    made = [_Coded(each, schema.codecs[each.name]) for each in schema.attributes]
    schema.caches[_CODED] = made
    return made


def encode_item(item: Any, levels: int = LEVELS) -> dict[str, Any]:
    """The item in wire form.

    An empty set is left out, since DynamoDB has none, where the attribute's default is one too.

    Raises:
        InvalidValueError: a value is not of its attribute's type, or DynamoDB cannot store it.
    """
    if levels < 0:
        raise too_deep()
    state: dict[str, Any] = item.__dict__
    schema = item.__dynasafe_schema__
    coded: list[_Coded] = schema.caches.get(_CODED) or _coded(schema)
    encoded: dict[str, Any] = {}
    name = ""
    try:
        for each in coded:
            name = each.name
            if each.field_name not in state:
                raise ValueOutOfRangeError("", "the attribute has no value")
            value = state[each.field_name]
            if value is None and each.none_is_absent:
                continue
            if isinstance(value, SETS) and not value and each.attribute.is_empty_set_absent:
                continue
            encoded[name] = each.codec.encode(value, levels)
    except InvalidValueError as error:
        error.within(name)
        raise
    unknown = state.get("_unknown_attributes")
    return {**unknown, **encoded} if unknown else encoded


def decode_item(item_class: type[T], attribute_map: Any, levels: int = LEVELS) -> T:
    """The instance that the item in wire form stands for.

    Raises:
        StoredValueError: a stored value does not fit its attribute's type, or one without a
            default is missing.
    """
    of_class: Any = item_class
    schema = of_class.__dynasafe_schema__
    coded: list[_Coded] = schema.caches.get(_CODED) or _coded(schema)
    item: T = of_class.__new__(of_class)
    state: dict[str, Any] = item.__dict__
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
