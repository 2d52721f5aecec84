"""What a SearchVectors request must be.

Sources: "SearchVectors", Amazon DynamoDB API Reference; "Troubleshooting vector indexes", Amazon
DynamoDB Developer Guide; the words of the messages are the service's.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from dynasafe.expressions.nodes import And, Comparison, Path
from dynasafe.limits import MAX_INLINE_FILTERS, MAX_TOP_K
from dynasafe.validation.expression_rules import Expressions, conditions_of
from dynasafe.validation.report import Report
from dynasafe.validation.table_schema import TableSchema, VectorIndex
from dynasafe.validation.value_rules import only_member, sort_key

_CONDITION = "SearchConditionExpression"


def check_search(params: Mapping[str, Any], report: Report) -> None:
    """The vector, and how many results are asked for."""
    vector = params.get("SearchVector", ())
    if not all(is_float32(only_member(each)) for each in vector):
        fix = "give numbers of 32-bit floating point, each as {'N': '0.5'}"
        report.add("DYS185", "Search vector contains invalid values", "SearchVector", fix)
    top_k = params.get("TopK")
    if top_k is not None and top_k > MAX_TOP_K:
        report.add(
            "DYS185",
            f"Provided TopK value '{top_k}' is out of valid range. The value must be between 1 and "
            f"{MAX_TOP_K} inclusive",
            "TopK",
            f"ask for at most {MAX_TOP_K}",
        )


def is_float32(member: tuple[str, Any] | None) -> bool:
    """Whether a value is a number that 32-bit floating point can hold, perhaps rounded."""
    if member is None or member[0] != "N":
        return False
    try:
        struct.pack("<f", sort_key(member))
    except OverflowError:
        return False
    return True


def search_conditions(
    expressions: Expressions, report: Report
) -> dict[str, tuple[str, Any]] | None:
    """The value that each attribute is to equal; None where the condition is not fine."""
    node = expressions.nodes.get(_CONDITION)
    if node is None:
        return {} if _CONDITION not in expressions.texts else None
    found: dict[str, tuple[str, Any]] = {}
    message = None
    if not isinstance(node, And | Comparison):
        message = "Invalid operator used in SearchConditionExpression"
    for term in conditions_of(node):
        if message is not None:
            break
        if not isinstance(term, Comparison):
            message = "Invalid operator used in SearchConditionExpression"
        elif term.operator != "=":
            message = "Invalid comparator used in SearchConditionExpression"
        elif not isinstance(term.left, Path):
            message = "Invalid SearchConditionExpression"
        else:
            elements = expressions.elements(term.left)
            value = expressions.wire(term.right)
            if elements is None or value is None:
                return None  # found before
            name, *below = elements
            if below:
                message = "SearchConditionExpression cannot have conditions on nested attributes"
            elif name in found:
                message = "SearchConditionExpression must only contain one condition per attribute"
            found[str(name)] = value
    if message is None and len(found) > 1 + MAX_INLINE_FILTERS:
        message = (
            "Invalid SearchConditionExpression: SearchConditionExpression cannot have more than 1 "
            f"partition key and more than {MAX_INLINE_FILTERS} inline filter key attributes"
        )
    if message is None:
        return found
    _add_condition(message, report)
    return None


def _add_condition(message: str, report: Report) -> None:
    fix = "compare attributes of the index's SearchSchema with =, and join by AND"
    report.add("DYS186", message, _CONDITION, fix)


def check_against_index(
    params: Mapping[str, Any],
    conditions: Mapping[str, tuple[str, Any]] | None,
    schema: TableSchema | None,
    report: Report,
) -> None:
    """The vector and the conditions are those of the index."""
    if schema is None or not schema.knows_indexes:
        return
    name = params.get("IndexName")
    index = schema.vector_indexes.get(str(name))
    if index is None:
        report.add(
            "DYS163",
            f"The table does not have the specified index: {name}",
            "IndexName",
            f"name one of: {', '.join(sorted(schema.vector_indexes)) or 'none'}",
        )
        return
    count = len(params.get("SearchVector", ()))
    if index.dimensions not in (None, count):
        report.add(
            "DYS185",
            f"Input search vector dimension {count} does not match vector index dimension "
            f"{index.dimensions}",
            "SearchVector",
            f"give {index.dimensions} numbers, of the model that made the index's vectors",
        )
    if conditions is not None:
        _check_search_schema(conditions, index, report)


def _check_search_schema(
    conditions: Mapping[str, tuple[str, Any]], index: VectorIndex, report: Report
) -> None:
    if index.partition_key is not None and not conditions:
        _add_condition(
            "SearchConditionExpression must be provided when SearchSchema has a HASH key", report
        )
        return
    for name, value in conditions.items():
        if name not in index.search_schema:
            _add_condition(
                "SearchConditionExpression must not contain any attributes outside the vector "
                "index search schema",
                report,
            )
        elif index.search_schema[name] not in (None, value[0]):
            _add_condition(
                f"Search condition value for attribute '{name}' does not match type in search "
                "schema",
                report,
            )
    if index.partition_key is not None and index.partition_key not in conditions:
        _add_condition("SearchConditionExpression must have all HASH attributes", report)
