"""What keys and items must be in a table whose schema is known.

Sources: "PutItem", "Query", Amazon DynamoDB API Reference; "Constraints in Amazon DynamoDB".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynasafe.attribute_value import item_size_bytes
from dynasafe.expressions.nodes import (
    And,
    Between,
    Comparison,
    Expression,
    Function,
    In,
    Not,
    Or,
    Path,
    Projection,
    Size,
    Update,
    ValuePlaceholder,
)
from dynasafe.limits import MAX_ITEM_BYTES, MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES
from dynasafe.validation.expression_rules import Expressions, conditions_of
from dynasafe.validation.report import INVALID_VALUES, Report
from dynasafe.validation.table_schema import KeyAttribute, KeySchema, TableSchema
from dynasafe.validation.value_rules import check_attribute_value


def check_values(attribute_map: Any, member: str, report: Report) -> bool:
    """The values of a key or an item; whether they are fine."""
    if not isinstance(attribute_map, Mapping):
        return False
    before = len(report.findings)
    for name, value in attribute_map.items():
        if name == "":
            report.add("DYS134", "Empty attribute name", member, "name every attribute")
        check_attribute_value(value, f"{member}.{name}", report)
    return len(report.findings) == before


def check_key(key: Any, member: str, schema: TableSchema | None, report: Report) -> None:
    """A whole primary key, as GetItem has it, whose values are fine."""
    if schema is None:
        if not key:
            _mismatch(member, report)
        return
    expected = {each.name: each for each in schema.key.attributes}
    if key.keys() != expected.keys() or not all(
        _fits(key[name], each) for name, each in expected.items()
    ):
        _mismatch(member, report)
        return
    _check_key_contents(key, schema.key, member, report)


def _mismatch(member: str, report: Report) -> None:
    report.add(
        "DYS130",
        "The provided key element does not match the schema",
        member,
        "give exactly the attributes of the primary key, each of its type",
    )


def _fits(value: Any, attribute: KeyAttribute) -> bool:
    return attribute.type_name is None or attribute.type_name in value


def _check_key_contents(
    item: Mapping[str, Any], schema: KeySchema, member: str, report: Report
) -> None:
    for position, each in enumerate(schema.attributes):
        value = item.get(each.name)
        if not isinstance(value, Mapping):
            continue
        for type_name, kind in (("S", "string"), ("B", "binary")):
            if type_name in value and not value[type_name]:
                report.add(
                    "DYS132",
                    "One or more parameter values are not valid. The AttributeValue for a key "
                    f"attribute cannot contain an empty {kind} value. Key: {each.name}",
                    f"{member}.{each.name}",
                    "give a value of at least one byte",
                )
        content = value.get("S", value.get("B", b""))
        data = content.encode(errors="replace") if isinstance(content, str) else bytes(content)
        limit = MAX_SORT_KEY_BYTES if position else MAX_PARTITION_KEY_BYTES
        if len(data) > limit:
            message = (
                "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
                if position
                else "Size of hashkey has exceeded the maximum size limit of2048 bytes"
            )
            report.add(
                "DYS133",
                INVALID_VALUES + message,
                f"{member}.{each.name}",
                f"keep it to {limit} bytes",
            )


def check_item(item: Any, member: str, schema: TableSchema | None, report: Report) -> None:
    """A whole item, as PutItem has it, whose values are fine."""
    if schema is not None:
        for each in schema.key.attributes:
            if each.name not in item:
                report.add(
                    "DYS131",
                    f"{INVALID_VALUES}Missing the key {each.name} in the item",
                    member,
                    "put every attribute of the primary key into the item",
                )
        _check_types(item, schema.key, member, None, report)
        for name, index in schema.indexes.items():
            _check_types(item, index, member, name, report)
        _check_key_contents(item, schema.key, member, report)
    if item_size_bytes(item) > MAX_ITEM_BYTES:
        report.add(
            "DYS135",
            "Item size has exceeded the maximum allowed size",
            member,
            "keep items to 400 KB: split it, or keep large values elsewhere",
        )


def _check_types(
    item: Mapping[str, Any], keys: KeySchema, member: str, index_name: str | None, report: Report
) -> None:
    for each in keys.attributes:
        value = item.get(each.name)
        if value is None or _fits(value, each):
            continue
        actual = next(iter(value))
        if index_name is None:
            message = (
                f"Type mismatch for key {each.name} expected: {each.type_name} actual: {actual}"
            )
        else:
            message = (
                f"Type mismatch for Index Key {each.name} Expected: {each.type_name} "
                f"Actual: {actual} IndexName: {index_name}"
            )
        report.add(
            "DYS136",
            INVALID_VALUES + message,
            f"{member}.{each.name}",
            f"write it as {each.type_name}",
        )


def check_updated_keys(
    update: Update, keys: Mapping[str, Any], expressions: Expressions, report: Report
) -> None:
    """No action may change an attribute of the key."""
    for action in update.actions:
        elements = expressions.elements(action.path)
        if elements is not None and elements[0] in keys:
            report.add(
                "DYS120",
                f"{INVALID_VALUES}Cannot update attribute {elements[0]}. This attribute is part of "
                "the key",
                "UpdateExpression",
                "put a new item and delete the old one, in one transaction",
                text=expressions.texts["UpdateExpression"],
                span=action.path.span,
            )


# Queries

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


def check_key_condition(
    node: Expression, expressions: Expressions, keys: KeySchema | None, report: Report
) -> frozenset[str]:
    """A query's key condition; the attributes that it names."""

    def add(code: str, message: str, mend: str, span: Any = None) -> None:
        text = expressions.texts["KeyConditionExpression"]
        report.add(code, message, "KeyConditionExpression", mend, text=text, span=span)

    assert not isinstance(node, Update | Projection)
    conditions: dict[str, tuple[str, ValuePlaceholder | None]] = {}
    stray = _stray_operator(node)
    if stray is not None:
        add(
            "DYS150",
            f"Invalid operator used in KeyConditionExpression: {stray}",
            "join at most two conditions by AND: the partition key's with =, and the sort key's "
            "with a comparison, BETWEEN or begins_with",
        )
        return frozenset()
    for each in conditions_of(node):
        found = _key_condition(each, expressions, add)
        if found is None:
            return frozenset(conditions)
        name, operator, value = found
        if name in conditions:
            add(
                "DYS151",
                "KeyConditionExpressions must only contain one condition per key",
                "use BETWEEN for a range",
            )
            return frozenset(conditions)
        conditions[name] = (operator, value)
    if len(conditions) > 2:
        add(
            "DYS152",
            "Conditions can be of length 1 or 2 only",
            "name the partition key and the sort key only, and use FilterExpression for the rest",
        )
    elif keys is not None:
        _check_against_keys(conditions, keys, expressions, add)
    elif not any(operator == "=" for operator, _ in conditions.values()):
        add("DYS153", "Query key condition not supported", "give the partition key with =")
    return frozenset(conditions)


def _stray_operator(node: Expression) -> str | None:
    todo: list[Any] = [node]
    while todo:
        each = todo.pop(0)
        match each:
            case Or():
                return "OR"
            case Not():
                return "NOT"
            case In():
                return "IN"
            case Comparison(operator="<>"):
                return "<>"
            case Function(name=name) if name != "begins_with":
                return str(name)
            case And():
                todo += each.terms
            case _:
                pass
    return None


def _key_condition(
    node: Any, expressions: Expressions, add: Any
) -> tuple[str, str, ValuePlaceholder | None] | None:
    """The attribute, the operator and the value of one condition on a key."""
    match node:
        case Comparison():
            operands, operator = [node.left, node.right], str(node.operator)
        case Between():
            operands, operator = [node.operand, node.low, node.high], "BETWEEN"
        case _:
            operands, operator = list(node.arguments), "begins_with"
    if any(isinstance(operand, Size) for operand in operands):
        add(
            "DYS154",
            "KeyConditionExpressions cannot contain nested operations",
            "compare the key attribute itself",
            node.span,
        )
        return None
    if operator in ("BETWEEN", "begins_with") and not isinstance(operands[0], Path):
        add(
            "DYS155",
            f"Invalid condition in KeyConditionExpression: {operator} operator must have the key "
            "attribute as its first operand",
            "give the attribute first",
            node.span,
        )
        return None
    paths = [operand for operand in operands if isinstance(operand, Path)]
    if len(paths) != 1:
        what = (
            "Multiple attribute names used in one condition"
            if paths
            else ("No key attribute specified")
        )
        add(
            "DYS155",
            f"Invalid condition in KeyConditionExpression: {what}",
            "compare one key attribute with a value",
            node.span,
        )
        return None
    elements = expressions.elements(paths[0])
    if elements is None:
        return None
    if len(elements) != 1:
        add(
            "DYS156",
            "KeyConditionExpressions cannot have conditions on nested attributes",
            "a key attribute stands at the top of the item",
            node.span,
        )
        return None
    if operator in _FLIPPED and not isinstance(operands[0], Path):
        operator = _FLIPPED[operator]
    values = [operand for operand in operands if isinstance(operand, ValuePlaceholder)]
    return str(elements[0]), operator, values[0] if values else None


def _check_against_keys(
    conditions: Mapping[str, tuple[str, ValuePlaceholder | None]],
    keys: KeySchema,
    expressions: Expressions,
    add: Any,
) -> None:
    partition, sort = keys.partition_key, keys.sort_key
    names = {each.name: each for each in keys.attributes}
    if partition.name not in conditions:
        add(
            "DYS157",
            f"Query condition missed key schema element: {partition.name}",
            "give the partition key with =",
        )
        return
    if len(conditions) == 2 and not conditions.keys() <= names.keys():
        expected = sort.name if sort else partition.name
        add(
            "DYS157" if sort else "DYS153",
            f"Query condition missed key schema element: {expected}"
            if sort
            else "Query key condition not supported",
            "name key attributes only, and use FilterExpression for the rest",
        )
        return
    if conditions[partition.name][0] != "=":
        add("DYS153", "Query key condition not supported", "give the partition key with =")
        return
    for name, (_, value) in conditions.items():
        literal = expressions.wire(value)
        type_name = names[name].type_name
        if literal is None or type_name is None:
            continue
        if literal[0] != type_name:
            add(
                "DYS158",
                f"{INVALID_VALUES}Condition parameter type does not match schema type",
                f"{name} is of type {type_name}",
            )
        elif not literal[1]:
            kind = "string" if literal[0] == "S" else "binary"
            add(
                "DYS132",
                "One or more parameter values are not valid. The AttributeValue for a key "
                f"attribute cannot contain an empty {kind} value. Key: {name}",
                "give a value of at least one byte",
            )


def check_filter(
    node: Expression, expressions: Expressions, keys: frozenset[str], report: Report
) -> None:
    """A query's filter may not name the key attributes."""
    assert not isinstance(node, Update | Projection)
    for condition in conditions_of(node):
        for path in _paths_of(condition):
            elements = expressions.elements(path)
            if elements is not None and elements[0] in keys:
                report.add(
                    "DYS159",
                    "Filter Expression can only contain non-primary key attributes: Primary key "
                    f"attribute: {elements[0]}",
                    "FilterExpression",
                    "put conditions on keys into KeyConditionExpression",
                    text=expressions.texts["FilterExpression"],
                    span=path.span,
                )
                return


def _paths_of(condition: Any) -> list[Path]:
    operands: list[Any] = []
    for member in ("left", "right", "operand", "low", "high"):
        operands.append(getattr(condition, member, None))
    operands += getattr(condition, "choices", ())
    operands += getattr(condition, "arguments", ())
    found = []
    for operand in operands:
        while isinstance(operand, Size):
            operand = operand.operand
        if isinstance(operand, Path):
            found.append(operand)
    return found
