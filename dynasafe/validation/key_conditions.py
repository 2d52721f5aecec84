"""Key conditions of queries, and whether they fit the key of the table or index.

Sources: "Query", Amazon DynamoDB API Reference; "Querying tables in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dynasafe.expressions.nodes import (
    And,
    Between,
    Comparison,
    Function,
    In,
    Not,
    Or,
    Path,
    Size,
)
from dynasafe.findings.quoting import quoted
from dynasafe.validation.expression_rules import Expressions, conditions_of
from dynasafe.validation.key_rules import (
    empty_key_message,
    empty_kind,
)
from dynasafe.validation.report import INVALID_VALUES, Report
from dynasafe.validation.table_schema import KeyAttribute, KeySchema
from dynasafe.validation.value_rules import only_member, sort_key

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_OPERATORS = {
    "EQ": "=",
    "LT": "<",
    "LE": "<=",
    "GT": ">",
    "GE": ">=",
    "BETWEEN": "BETWEEN",
    "BEGINS_WITH": "begins_with",
}
_KEYS_ONLY = "name attributes of the key only, and use FilterExpression for the rest"


class KeyCondition:
    """A condition on one key attribute; a value that is not known is None."""

    __slots__ = ("operator", "values")

    def __init__(self, operator: str, values: tuple[tuple[str, Any] | None, ...]) -> None:
        self.operator: Final = operator
        self.values: Final = values

    def holds(self, member: tuple[str, Any]) -> bool:
        """Whether the value may fulfil the condition."""
        if any(value is None or value[0] != member[0] for value in self.values):
            return True
        key = sort_key(member)
        bounds = [sort_key(value) for value in self.values if value is not None]
        match self.operator:
            case "=":
                return bool(key == bounds[0])
            case "<":
                return bool(key < bounds[0])
            case "<=":
                return bool(key <= bounds[0])
            case ">":
                return bool(key > bounds[0])
            case ">=":
                return bool(key >= bounds[0])
            case "BETWEEN":
                return bool(bounds[0] <= key <= bounds[1])
            case _:
                return bool(key.startswith(bounds[0])) if isinstance(key, bytes) else True


class _Conditions:
    """Collects the findings of a key condition."""

    def __init__(self, member: str, text: str | None, report: Report) -> None:
        self.member = member
        self.text = text
        self.report = report

    def __call__(self, code: str, message: str, fix: str, span: Any = None) -> None:
        self.report.add(code, message, self.member, fix, text=self.text, span=span)


def key_conditions(
    params: Mapping[str, Any], expressions: Expressions, report: Report
) -> dict[str, KeyCondition]:
    """A query's key conditions by attribute, in either form; empty if they have findings."""
    node = expressions.nodes.get("KeyConditionExpression")
    add = _conditions(params, expressions, report)
    if "KeyConditions" in params:
        conditions = {
            name: KeyCondition(
                _OPERATORS.get(each.get("ComparisonOperator"), ""),
                tuple(map(only_member, each.get("AttributeValueList") or [])),
            )
            for name, each in params["KeyConditions"].items()
        }
    elif node is not None:
        found = _conditions_of_expression(node, expressions, add)
        if found is None:
            return {}
        conditions = found
    else:
        return {}
    if not conditions:
        _wrong_count(conditions, add)
    return conditions


def _wrong_count(conditions: Mapping[str, KeyCondition], add: _Conditions) -> None:
    add("DYS152", "Conditions can be of length 1 or 2 only", _KEYS_ONLY)


def _conditions(params: Mapping[str, Any], expressions: Expressions, report: Report) -> _Conditions:
    if "KeyConditions" in params:
        return _Conditions("KeyConditions", None, report)
    text = expressions.texts.get("KeyConditionExpression")
    return _Conditions("KeyConditionExpression", text, report)


def fit_keys(
    params: Mapping[str, Any],
    conditions: Mapping[str, KeyCondition],
    expressions: Expressions,
    keys: KeySchema | None,
    indexes: Mapping[str, KeySchema],
    report: Report,
) -> bool:
    """Check that there are conditions, and that they fit the key of the table or index.

    Args:
        keys: of the table, or of the index that the request names.
        indexes: of the table, by name; one that fits is the fix.
    """
    if not conditions:
        return False
    add = _conditions(params, expressions, report)
    if keys is not None:
        return _fit_keys(conditions, keys, indexes, add)
    # The key of an index may have more attributes than two, which its schema tells.
    if len(conditions) > 2 and "IndexName" not in params:
        _wrong_count(conditions, add)
        return False
    if not any(each.operator == "=" for each in conditions.values()):
        add("DYS153", "Query key condition not supported", "give the partition key with =")
        return False
    for name, condition in conditions.items():
        _has_no_empty_value(condition, name, params.get("IndexName"), add)
    return False


def _conditions_of_expression(
    node: Any, expressions: Expressions, add: _Conditions
) -> dict[str, KeyCondition] | None:
    stray = _stray_operator(node)
    if stray is not None:
        add(
            "DYS150",
            f"Invalid operator used in KeyConditionExpression: {stray}",
            "join at most two conditions by AND: the partition key's with =, and the sort key's "
            "with a comparison, BETWEEN or begins_with",
        )
        return None
    conditions: dict[str, KeyCondition] = {}
    for each in conditions_of(node):
        found = _key_condition(each, expressions, add)
        if found is None:
            return None
        name, condition = found
        if name in conditions:
            add(
                "DYS151",
                "KeyConditionExpressions must only contain one condition per key",
                "use BETWEEN for a range",
            )
            return None
        conditions[name] = condition
    return conditions


def _stray_operator(node: object) -> str | None:
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
    node: Any, expressions: Expressions, add: _Conditions
) -> tuple[str, KeyCondition] | None:
    """The attribute of a key, and the condition on it."""
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
    values = [operand for operand in operands if not isinstance(operand, Path)]
    return str(elements[0]), KeyCondition(operator, tuple(map(expressions.wire, values)))


def _fix(
    conditions: Mapping[str, KeyCondition], indexes: Mapping[str, KeySchema], otherwise: str
) -> str:
    """The fix: name the first index whose key the conditions fit, if there is one."""
    for name, keys in indexes.items():
        partition = {each.name for each in keys.partition_attributes}
        if partition <= conditions.keys() <= {each.name for each in keys.attributes}:
            return f"read the index {quoted(name)}, whose key this is"
    return otherwise


def _fit_keys(
    conditions: Mapping[str, KeyCondition],
    keys: KeySchema,
    indexes: Mapping[str, KeySchema],
    add: _Conditions,
) -> bool:
    """Whether the conditions are on the key, in the order in which the service looks."""
    if len(conditions) > max(2, len(keys.attributes)):
        if len(keys.attributes) > 2 or add.report.context.wording.is_newer:
            add(
                "DYS152",
                f"The number of query conditions ({len(conditions)}) exceeds the number of key "
                f"attributes defined in the schema ({len(keys.attributes)})",
                _KEYS_ONLY,
            )
        else:
            _wrong_count(conditions, add)
        return False
    if len(keys.attributes) == 1 and len(conditions) > 1:
        add("DYS153", "Query key condition not supported", _fix(conditions, indexes, _KEYS_ONLY))
        return False
    partition, sort = keys.partition_attributes, keys.sort_attributes
    sort_named = [each for each in sort if each.name in conditions]
    absent = [each for each in partition if each.name not in conditions]
    if len(sort_named) < len(conditions) - len(partition):
        absent += [each for each in sort if each not in sort_named]
    for each in keys.attributes:
        if each in absent:
            add(
                "DYS157",
                f"Query condition missed key schema element: {each.name}",
                _fix(
                    conditions,
                    indexes,
                    "name key attributes only, all of the partition key with =",
                ),
            )
            return False
        if each.name in conditions and not _fits_attribute(
            conditions[each.name], each, keys, add, is_partition_key=each in partition
        ):
            return False
    return not sort_named or _has_no_gap(conditions, sort, sort_named[-1], add)


def _has_no_gap(
    conditions: Mapping[str, KeyCondition],
    sort: Sequence[KeyAttribute],
    last: KeyAttribute,
    add: _Conditions,
) -> bool:
    """Whether all attributes of a sort key before the last one named are given with =."""
    before = [each.name for each in sort[: sort.index(last)]]
    others = [name for name in before if name not in conditions or conditions[name].operator != "="]
    if others:
        add(
            "DYS153",
            f"RANGE key attributes {', '.join(others)} must have equality conditions specified in "
            f"the query because a condition is present on key attribute {last.name}",
            "name the attributes of the sort key from the first on, all but the last with =",
        )
    return not others


def _fits_attribute(
    condition: KeyCondition,
    attribute: KeyAttribute,
    keys: KeySchema,
    add: _Conditions,
    *,
    is_partition_key: bool,
) -> bool:
    known = [value for value in condition.values if value is not None]
    if not condition.operator:
        add(
            "DYS150",
            "Attempted conditional constraint is not an indexable operation",
            "use EQ, or for the sort key also LT, LE, GT, GE, BETWEEN or BEGINS_WITH",
        )
    elif attribute.type_name is not None and any(
        type_name != attribute.type_name for type_name, _ in known
    ):
        add(
            "DYS158",
            f"{INVALID_VALUES}Condition parameter type does not match schema type",
            f"{attribute.name} is of type {attribute.type_name}",
        )
    elif is_partition_key and condition.operator != "=":
        add("DYS153", "Query key condition not supported", "give the partition key with =")
    else:
        return _has_no_empty_value(condition, attribute.name, keys.index_name, add)
    return False


def _has_no_empty_value(
    condition: KeyCondition, name: str, index_name: str | None, add: _Conditions
) -> bool:
    kind = next((each for each in map(empty_kind, condition.values) if each is not None), None)
    if kind is not None:
        message = empty_key_message(kind, name, index_name)
        add("DYS132", message, "give a value of at least one byte")
    return kind is None
