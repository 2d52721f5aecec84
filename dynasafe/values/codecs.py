"""The codec of a type annotation."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from dynasafe.errors import (
    UnsupportedTypeError,
)
from dynasafe.values.classes import FieldsCodec, ItemCodec, ModelCodec
from dynasafe.values.codec import (
    ANY,
    SETS,
    Codec,
)
from dynasafe.values.containers import (
    FixedTupleCodec,
    ListCodec,
    MapCodec,
    SetCodec,
)
from dynasafe.values.convert import (
    registered_codecs,
)
from dynasafe.values.converted import ConvertedCodec, EnumCodec, LiteralCodec
from dynasafe.values.models import (
    is_dataclass,
    is_model,
)
from dynasafe.values.scalars import SCALARS, thawed
from dynasafe.values.unions import UnionCodec

_Within = dict[type, Codec[Any]]
"""Codecs of the classes in a type. Each is made once, even if a class contains itself."""


def codec_for(annotation: object, within: _Within | None = None) -> Codec[Any]:
    """The codec of a type annotation.

    Args:
        within: the codecs of the classes around it.

    Raises:
        UnsupportedTypeError: DynamoDB cannot store values of this type.
    """
    if annotation is Any or annotation is object:
        return ANY
    annotation = thawed(annotation)
    if isinstance(annotation, type) and annotation in registered_codecs:
        return ConvertedCodec(annotation, *registered_codecs[annotation])
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is not None and not hasattr(annotation, "__args__"):
        return codec_for(origin, within)  # typing.List without its [...]
    if origin is not None:
        return _generic_codec(annotation, origin, arguments, within)
    if annotation in SCALARS:
        return SCALARS[annotation]
    if annotation in _BARE:
        return codec_for(_BARE[annotation], within)
    supertype = getattr(annotation, "__supertype__", None)
    if supertype is not None:
        return codec_for(supertype, within)
    if isinstance(annotation, type):
        return _class_codec(annotation, within)
    raise _no_codec(annotation)


_BARE: dict[object, object] = {
    list: list[Any],
    tuple: tuple[Any, ...],
    dict: dict[str, Any],
    set: set[Any],
    frozenset: frozenset[Any],
    Mapping: dict[str, Any],
}


def _no_codec(annotation: object) -> UnsupportedTypeError:
    if isinstance(annotation, TypeVar) or hasattr(
        typing.get_origin(annotation), "__dynasafe_decode__"
    ):
        return UnsupportedTypeError(
            "",
            f"{annotation!r} has no codec: a generic Item is written by the types in its class. "
            "Fix: a subclass of it that annotates its attributes with types, not type variables",
        )
    return UnsupportedTypeError(
        "",
        f"{annotation!r} has no codec. Fix: annotate with a supported type, or teach it with "
        "dynasafe.values.register_codec()",
    )


def _generic_codec(
    annotation: object, origin: object, arguments: tuple[Any, ...], within: _Within | None
) -> Codec[Any]:
    if origin is typing.Annotated or origin in (typing.Required, typing.NotRequired):
        return codec_for(arguments[0], within)
    if origin in (typing.Union, types.UnionType):
        return UnionCodec(tuple(codec_for(member, within) for member in arguments))
    if origin is typing.Literal:
        return LiteralCodec(arguments)
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        return FixedTupleCodec(tuple(codec_for(element, within) for element in arguments))
    if origin in (list, tuple, typing.get_origin(typing.Sequence[int])):
        return ListCodec(codec_for(arguments[0], within), tuple if origin is tuple else list)
    if origin in (set, frozenset):
        return SetCodec(codec_for(arguments[0], within), origin)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if arguments[0] is not str:
            raise UnsupportedTypeError("", f"a map's keys are str: {annotation!r}")
        return MapCodec(codec_for(arguments[1], within))
    raise _no_codec(annotation)


def _class_codec(annotation: type, within: _Within | None) -> Codec[Any]:
    if issubclass(annotation, Enum):
        return EnumCodec(annotation)
    if hasattr(annotation, "__dynasafe_decode__"):
        return ItemCodec(annotation)
    if typing.is_typeddict(annotation):
        of_dict: Any = annotation
        required: frozenset[str] = of_dict.__required_keys__
        classes: _Within = {} if within is None else within
        if annotation not in classes:
            classes[annotation] = FieldsCodec(
                annotation,
                required,
                dict.fromkeys(sorted(required | of_dict.__optional_keys__), ...),
                lambda value: value if isinstance(value, Mapping) else None,
                dict,
                is_made_anew=False,
                codec_for=lambda hint: codec_for(hint, classes),
            )
        return classes[annotation]
    if is_model(annotation):
        return ModelCodec(annotation, codec_for)
    if is_dataclass(annotation):
        return _dataclass_codec(annotation, within)
    for base in annotation.__mro__[1:]:
        if base in registered_codecs:
            return ConvertedCodec(annotation, *registered_codecs[base])
    raise _no_codec(annotation)


def _dataclass_codec(annotation: Any, within: _Within | None) -> Codec[Any]:
    import dataclasses  # loaded already, since this is one

    classes: _Within = {} if within is None else within
    if annotation in classes:
        return classes[annotation]
    fields = [each for each in dataclasses.fields(annotation) if each.init]
    defaults = {each.name: _default_of(each) for each in fields}
    names = tuple(defaults)
    is_made_anew = hasattr(annotation, "__post_init__") or len(fields) < len(
        dataclasses.fields(annotation)
    )
    codec = classes[annotation] = FieldsCodec(
        annotation,
        frozenset(name for name, each in defaults.items() if each is dataclasses.MISSING),
        defaults,
        lambda value: (
            {name: getattr(value, name) for name in names} if type(value) is annotation else None
        ),
        annotation,
        is_made_anew=is_made_anew,
        codec_for=lambda hint: codec_for(hint, classes),
    )
    return codec


def _default_of(field: Any) -> Any:
    """The value that is read if the field is not stored, if that is useful to know."""
    import dataclasses

    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory() if field.default_factory in SETS else ...
    return field.default
