"""Projections: which attributes a read returns.

Source: "Using projection expressions in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dynasafe.errors import UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.expressions.nodes import Projection
from dynasafe.items.attributes import Attr, attr
from dynasafe.items.schema import Schema

ProjectionLike = Iterable["Attr[Any] | str"]


def projection_node(attributes: ProjectionLike, schema: Schema | None = None) -> Projection:
    """The tree of a projection of attributes, or of document paths.

    A path's first name may be the Python name of an attribute of the schema.

    Raises:
        InvalidValueError: there is none, or one is not a document path.
    """
    if isinstance(attributes, str | Attr):
        raise UnsupportedTypeError(
            "projection", "several attributes are expected. Fix: projection=[attribute]"
        )
    paths = tuple(_typed(attribute, schema).node for attribute in attributes)
    if not paths:
        raise ValueOutOfRangeError(
            "projection", "no attributes. Fix: leave projection out to read whole items"
        )
    return Projection(paths)


def _typed(attribute: Attr[Any] | str, schema: Schema | None) -> Attr[Any]:
    if isinstance(attribute, Attr):
        return attribute
    if not isinstance(attribute, str):
        raise UnsupportedTypeError(
            "projection",
            f"an attribute or a document path is expected, not {type(attribute).__name__}",
        )
    untyped = attr(attribute)
    found = schema.find(untyped.path.attribute_name) if schema else None
    if schema is None or found is None:
        return untyped
    typed: Attr[Any] = getattr(schema.item_class, found.field_name)
    for element in untyped.path.elements[1:]:
        typed = typed[element]
    return typed
