"""Classes of other libraries as a table's item class: pydantic models, dataclasses, TypedDicts.

The class itself writes and reads whole items, as it does inside an Item. For updates, conditions
and projections, its fields become attributes of an Item class.
"""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

from dynasafe.errors import UnsupportedTypeError
from dynasafe.items.attributes import Attr
from dynasafe.items.item import Item
from dynasafe.items.schema import Schema, attribute, schema_of
from dynasafe.values.classes import FieldsCodec, ModelCodec, hints_of
from dynasafe.values.codec import Codec
from dynasafe.values.codecs import codec_for
from dynasafe.values.models import fields_of


def codec_of_items(item_class: Any) -> Codec[Any] | None:
    """The codec of whole items of the class; None if it is not one of these kinds."""
    if not isinstance(item_class, type):
        return None
    try:
        codec = codec_for(item_class)
    except UnsupportedTypeError:
        return None
    is_of_fields = isinstance(codec, FieldsCodec | ModelCodec) and codec.type_name == "M"
    return codec if is_of_fields else None


def schema_of_fields(item_class: type) -> Schema:
    """The class's fields as the attributes of an Item class of its name.

    Only the table knows which of them are the key.
    """
    namespace: dict[str, Any] = {"__annotations__": {}, "__module__": item_class.__module__}
    of_values: Any = Attr
    codec, models = codec_for(item_class), fields_of(item_class)
    for name, hint in hints_of(item_class).items():
        try:
            part = codec.part(name)
        except UnsupportedTypeError:
            continue  # a ClassVar, or a field that __init__ does not take
        options = {} if part.is_required else _default(item_class, name)
        if models:
            hint = models[name].annotation
        namespace["__annotations__"][name] = of_values[_known(hint)]
        namespace[name] = attribute(name=str(part.element), **options)
    return schema_of(type(item_class.__name__, (Item,), namespace))


def _known(hint: Any) -> Any:
    """The type, or Any if only the class itself can write and read it."""
    try:
        codec_for(hint)
    except UnsupportedTypeError:
        return Any
    return hint


def _default(item_class: Any, name: str) -> dict[str, Any]:
    """The value that an instance has if the field is not stored."""
    if typing.is_typeddict(item_class):
        return {"default": None}
    if dataclasses.is_dataclass(item_class):
        (field,) = (each for each in dataclasses.fields(item_class) if each.name == name)
        if field.default_factory is not dataclasses.MISSING:
            return {"default_factory": field.default_factory}
        return {} if field.default is dataclasses.MISSING else {"default": field.default}
    of_model = item_class.model_fields[name]
    if of_model.default_factory is not None:
        return {"default_factory": lambda: of_model.get_default(call_default_factory=True)}
    return {} if of_model.is_required() else {"default": of_model.default}
