"""What a SearchVectors request must be.

Sources: "SearchVectors", Amazon DynamoDB API Reference; "Troubleshooting vector indexes", Amazon
DynamoDB Developer Guide. The words of the messages are the service's, as three projects recorded
them in August 2026: paritysuite/dynamodb-conformance (tests/tier3/error-messages), dynoxide and
ExtendDB. AWS's pages leave out the "Invalid SearchConditionExpression: " in front. A later page,
"SearchConditionExpression reference for vector indexes", describes more operators than =; the model
of botocore 1.44.8 and the recorded answers know that one alone.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from dynasafe.expressions.nodes import And, Comparison, Path
from dynasafe.limits import MAX_INLINE_FILTERS, MAX_TOP_K
from dynasafe.validation.expression_rules import Expressions, conditions_of
from dynasafe.validation.key_rules import empty_key_message
from dynasafe.validation.report import Report
from dynasafe.validation.table_schema import TableSchema, VectorIndex
from dynasafe.validation.value_rules import only_member, sort_key

_CONDITION = "SearchConditionExpression"
_INVALID_VECTOR = (
    "Search vector contains invalid values. All values in the search vector must be a 32-bit "
    "floating-point number attribute"
)


def check_search(params: Mapping[str, Any], report: Report) -> None:
    """The vector, and how many results are asked for."""
    vector = params.get("SearchVector", ())
    if not all(is_float32(only_member(each)) for each in vector):
        fix = "give numbers of 32-bit floating point, each as {'N': '0.5'}"
        report.add("DYS185", _INVALID_VECTOR, "SearchVector", fix)
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
    problem = None
    if not isinstance(node, And | Comparison):
        problem = "Invalid operator used in SearchConditionExpression"
    for term in conditions_of(node):
        if problem is not None:
            break
        if not isinstance(term, Comparison):
            problem = "Invalid operator used in SearchConditionExpression"
        elif term.operator != "=":
            problem = "Invalid comparator used in SearchConditionExpression"
        else:
            path, operand = term.left, term.right
            if not isinstance(path, Path):
                path, operand = operand, path
            elements = expressions.elements(path) if isinstance(path, Path) else None
            value = expressions.wire(operand)
            if elements is None or value is None:
                return None  # found before, or nothing is known of it
            name, *below = elements
            if below:
                problem = "SearchConditionExpression cannot have conditions on nested attributes"
            elif name in found:
                problem = "SearchConditionExpression must only contain one condition per attribute"
            found[str(name)] = value
    if problem is None and len(found) > 1 + MAX_INLINE_FILTERS:
        problem = (
            "SearchConditionExpression cannot have more than 1 partition key and more than "
            f"{MAX_INLINE_FILTERS} inline filter key attributes"
        )
    if problem is None:
        return found
    _add_condition(f"Invalid {_CONDITION}: {problem}", report)
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
    for name, (type_name, content) in conditions.items():
        if name not in index.search_schema:
            _add_condition(
                "SearchConditionExpression must not contain any attributes that is not in "
                f"SearchSchema. Invalid attribute: {name}",
                report,
            )
            continue
        expected = index.search_schema[name]
        if expected not in (None, type_name):
            _add_condition(
                f"Type of '{name}' attribute in SearchConditionExpression ({type_name}) "
                f"does not match type in search schema ({expected})",
                report,
            )
        elif name == index.partition_key and type_name == "S" and not content:
            message = empty_key_message("string", name, None)
            report.add("DYS132", message, _CONDITION, "give a value of at least one byte")
    if index.partition_key is not None and index.partition_key not in conditions:
        _add_condition(
            "SearchConditionExpression must have all HASH attributes in configured SearchSchema",
            report,
        )
