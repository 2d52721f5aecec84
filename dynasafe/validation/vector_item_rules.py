"""What an item may hold in a table with vector indexes.

An item without the vector, or without an attribute of the search schema, is fine: the index leaves
it out. An update is checked for what it writes; what depends on the stored item is not known.

Sources: "PutItem", Amazon DynamoDB API Reference; "Troubleshooting vector indexes", Amazon DynamoDB
Developer Guide. The words of the messages are the service's, as ExtendDB's authors recorded them in
August 2026 (crates/core/src/validation/vector_item.rs). The limits of size and their words are from
there too; AWS's pages do not have them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dynasafe.expressions.nodes import SetAction, Update
from dynasafe.findings.finding import Span
from dynasafe.limits import MAX_INLINE_FILTER_BYTES, MAX_PARTITION_KEY_BYTES
from dynasafe.validation.expression_rules import Expressions
from dynasafe.validation.key_rules import empty_key_message, empty_kind
from dynasafe.validation.report import INVALID_VALUES, Report
from dynasafe.validation.table_schema import TableSchema, VectorIndex
from dynasafe.validation.value_rules import only_member, sort_key
from dynasafe.validation.vector_rules import is_float32
from dynasafe.validation.words import HIDDEN

_Literal = tuple[str, Any]
_ONCE = "One or more parameter values were invalid. "
_TWICE = "One or more parameter values are not valid. One or more parameter values were invalid . "


def check_item_vectors(
    item: Mapping[str, Any], member: str, schema: TableSchema, report: Report
) -> None:
    """The vectors and the attributes of search schemas in an item whose values are fine."""
    for index_name, index in schema.vector_indexes.items():
        for name in _names(index, schema):
            literal = only_member(item.get(name))
            if literal is not None:
                _check(name, literal, index_name, index, f"{member}.{name}", report)


def check_updated_vectors(
    expressions: Expressions,
    updates: Mapping[str, Any],
    schema: TableSchema | None,
    report: Report,
) -> None:
    """The same of what an update writes as it is."""
    if schema is None or not schema.vector_indexes:
        return
    for index_name, index in schema.vector_indexes.items():
        for name in _names(index, schema):
            entry = updates.get(name, {})
            literal = only_member(entry.get("Value"))
            if literal is not None and entry.get("Action", "PUT") == "PUT":
                _check(name, literal, index_name, index, f"AttributeUpdates.{name}", report)
            for literal, span in _written(name, expressions):
                text = expressions.texts["UpdateExpression"]
                place = "UpdateExpression"
                _check(name, literal, index_name, index, place, report, text, span)


def _names(index: VectorIndex, schema: TableSchema) -> list[str]:
    """The vector's attribute, and those of the search schema that are not of the table's key."""
    key_names = [each.name for each in schema.key.attributes]
    vector = [] if index.attribute is None else [index.attribute]
    return vector + [name for name in index.search_schema if name not in key_names]


def _written(name: str, expressions: Expressions) -> Iterator[tuple[_Literal, Span | None]]:
    """The values that SET gives to an attribute as they are."""
    update = expressions.nodes.get("UpdateExpression")
    if isinstance(update, Update):
        for action in update.actions:
            if isinstance(action, SetAction) and expressions.elements(action.path) == (name,):
                literal = expressions.wire(action.value)
                if literal is not None:
                    yield literal, action.span


def _check(
    name: str,
    literal: _Literal,
    index_name: str,
    index: VectorIndex,
    place: str,
    report: Report,
    text: str | None = None,
    span: Span | None = None,
) -> None:
    if name == index.attribute:
        found = _problem_of_vector(name, literal, index)
        code, fix = "DYS188", f"give a list of {index.dimensions} numbers, as {{'N': '0.5'}} each"
    else:
        expected = index.search_schema[name]
        found = _problem_of_type(name, literal, expected)
        code, fix = "DYS136", f"write it as {expected}, or leave it out"
    if found is not None:
        message = f"{found}. IndexName: {index_name}"
        report.add(code, message, place, fix, text=text, span=span, cancels=True)
        return
    if name not in index.search_schema or literal[0] not in ("S", "B"):
        return
    is_key = name == index.partition_key
    kind = empty_kind(literal)
    if kind is not None and is_key:
        message = empty_key_message(kind, name, index_name)
        fix = "give a value of at least one byte, or leave it out"
        report.add("DYS132", message, place, fix, text=text, span=span)
    limit = MAX_PARTITION_KEY_BYTES if is_key else MAX_INLINE_FILTER_BYTES
    if len(sort_key(literal)) > limit:
        message = INVALID_VALUES + (
            f"Aggregate size for HASH key attributes exceeds the maximum of {limit} bytes"
            if is_key
            else f"Size limit exceeded for SearchSchema attribute '{name}': maximum {limit} bytes"
        )
        fix = f"keep it to {limit} bytes"
        report.add("DYS133", message, place, fix, text=text, span=span, cancels=True)


def _problem_of_type(name: str, literal: _Literal, expected: str | None) -> str | None:
    if expected in (None, literal[0]):
        return None
    return f"{_ONCE}Attribute '{name}' type mismatch. Expected: {expected}, Actual: {literal[0]}"


def _problem_of_vector(name: str, literal: _Literal, index: VectorIndex) -> str | None:
    type_name, content = literal
    if index.dimensions is None:
        return None
    if type_name != "L":
        return f"{_TWICE}Invalid type for parameter {name}, Expected: L, Actual: {type_name}"
    if len(content) != index.dimensions:
        return (
            f"{_TWICE}Invalid size for parameter {name}, Expected: {index.dimensions}, Actual: "
            f"{len(content)}"
        )
    for position, value in enumerate(content):
        number = only_member(value)
        if number is None or number[0] != "N":
            actual = number[0] if number is not None else "NULL"
            return (
                f"{_ONCE}Invalid type for parameter {name}[{position}], Expected: 32-bit floating "
                f"point number, Actual: {actual}"
            )
        if not is_float32(number):
            return (
                f"{_TWICE}Invalid value for parameter {name}[{position}], Value: {HIDDEN} is "
                "outside valid range [-3.4028235E38, 3.4028235E38]"
            )
    return None
