"""Projections: which attributes a read returns.

Source: "Using projection expressions in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dynasafe.errors import UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.expressions.nodes import Path, Projection
from dynasafe.items.attributes import Attr, attr
from dynasafe.items.schema import Schema
from dynasafe.values.arguments import elements_of

ProjectionLike = Iterable[Attr[Any] | str]


def projection_node(attributes: ProjectionLike, schema: Schema | None = None) -> Projection:
    """The tree of a projection of attributes, or of document paths.

    Names may be the Python names of the schema's attributes.

    Raises:
        InvalidValueError: there is no path, or one is not a document path or belongs to another
            class.
    """
    given = elements_of(
        "projection", attributes, "a list of attributes", fix="projection=[attribute]"
    )
    paths = tuple(_typed(attribute, schema).node for attribute in given)
    if not paths:
        raise ValueOutOfRangeError(
            "projection", "no attributes. Fix: leave projection out to read whole items"
        )
    return Projection(paths)


def whole_names(paths: Iterable[Path]) -> frozenset[str]:
    """The attributes that the paths name as a whole."""
    return frozenset(str(path.elements[0]) for path in paths if len(path.elements) == 1)


def _typed(attribute: Attr[Any] | str, schema: Schema | None) -> Attr[Any]:
    if isinstance(attribute, str):
        attribute = attr(attribute)
    elif not isinstance(attribute, Attr):
        raise UnsupportedTypeError(
            "projection",
            f"an attribute or a document path is expected, not {type(attribute).__name__}",
        )
    return attribute if schema is None else schema.own(attribute)
