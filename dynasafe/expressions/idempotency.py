"""Decides whether an update is idempotent: a repeat changes nothing more.

So an update whose answer was lost may be sent again. The decision is strict: an update is not
idempotent if its result depends on the length of a list or on a number already added. Nor is it if
it names an element of a list: the update itself or another writer may have changed the list, so
that the same path leads to another element.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from dynasafe.expressions.evaluate import truth
from dynasafe.expressions.nodes import (
    AddAction,
    And,
    Arithmetic,
    Comparison,
    ConditionLeaf,
    ConditionNode,
    Function,
    IfNotExists,
    In,
    ListAppend,
    NodePathElement,
    Operand,
    Path,
    RemoveAction,
    SetAction,
    Size,
    Update,
    UpdateAction,
    Value,
)
from dynasafe.values.wire import AttributeValue, is_equal

Elements = tuple[NodePathElement, ...]
Known = Mapping[Elements, AttributeValue | None]
"""The values that an update certainly leaves at its paths; None for no value."""


def is_idempotent(update: Update, condition: ConditionNode | None = None) -> bool:
    """Whether the update, sent twice, leaves the item as if it was sent once.

    Idempotent are SET of a literal, or of a value that is computed only from attributes that the
    update leaves alone; REMOVE of an attribute; ADD and DELETE of set members. Not idempotent are
    ADD of a number, counting and appending in SET, and actions on elements of a list.

    Any update is safe to repeat under a condition that its own success makes false: `a = :old`
    where the update sets `a` to another value, or adds to it.
    """
    actions = update.actions
    changed = [action.path.elements for action in actions]
    if all(_is_idempotent_action(action, changed) for action in actions):
        return True
    return condition is not None and _is_false_after(condition, actions)


def _is_idempotent_action(action: UpdateAction, changed: list[Elements]) -> bool:
    if not _is_fixed(action.path):
        return False
    if isinstance(action, RemoveAction):
        return True
    if not isinstance(action, SetAction):
        # Adding the same set members again changes nothing; adding a number does.
        return isinstance(action.value, Value) and "N" not in action.value.attribute_value
    value = action.value
    if isinstance(value, IfNotExists) and value.path == action.path:
        # The first time fills the place, so the second finds it filled.
        value = value.default
    read: list[Elements] = []
    _add_paths_read(value, read)
    return not any(_overlap(each, written) for each in read for written in changed)


def _is_fixed(path: Path) -> bool:
    """Whether the path leads to the same place, whatever other writes there are."""
    return not any(isinstance(element, int) for element in path.elements)


def _add_paths_read(operand: Operand, paths: list[Elements]) -> None:
    match operand:
        case Path():
            paths.append(operand.elements)
        case Size():
            _add_paths_read(operand.operand, paths)
        case IfNotExists():
            _add_paths_read(operand.path, paths)
            _add_paths_read(operand.default, paths)
        case ListAppend() | Arithmetic():
            _add_paths_read(operand.left, paths)
            _add_paths_read(operand.right, paths)
        case _:
            pass


def _overlap(one: Elements, other: Elements) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


# Conditions that no longer hold


def _is_false_after(condition: ConditionNode, actions: Iterable[UpdateAction]) -> bool:
    """Whether the condition, which held, is false after the actions."""
    fixed = [action for action in actions if _is_fixed(action.path)]
    known: dict[Elements, AttributeValue | None] = {}
    for action in fixed:
        if isinstance(action, RemoveAction):
            known[action.path.elements] = None
        elif isinstance(action, SetAction) and isinstance(action.value, Value):
            known[action.path.elements] = action.value.attribute_value
    if truth(condition, lambda leaf: _leaf_after(leaf, known)) is False:
        return True
    # Each of these held, so the value before the ADD is known.
    terms = condition.terms if isinstance(condition, And) else (condition,)
    equal = [_compared(each) for each in terms if isinstance(each, Comparison)]
    counted = {pair[0] for pair in equal if pair is not None and pair[1] == "="}
    return any(action.path.elements in counted and _counts(action) for action in fixed)


def _leaf_after(leaf: ConditionLeaf, known: Known) -> bool | None:
    """Whether the leaf holds; None if that is not known."""
    try:
        match leaf:
            case Comparison():
                compared = _compared(leaf)
                if compared is None or compared[0] not in known:
                    return None
                path, operator, value = compared
                return _is_one_of(known[path], [value]) is (operator == "=")
            case In(operand=Path(elements=path), choices=choices) if path in known:
                return _is_one_of(known[path], choices)
            case Function():
                return _function_after(leaf, known)
            case _:
                return None
    except (ValueError, TypeError, ArithmeticError):  # of a malformed value, which proves nothing
        return None


def _function_after(leaf: Function, known: Known) -> bool | None:
    # Without patterns of sequences, which mypyc compiles into code that never matches.
    path, *rest = leaf.arguments or (None,)
    if not isinstance(path, Path) or path.elements not in known:
        return None
    now = known[path.elements]
    if not rest:
        is_there = now is not None
        return {"attribute_exists": is_there, "attribute_not_exists": not is_there}.get(leaf.name)
    wanted = rest[0]
    if leaf.name == "attribute_type" and len(rest) == 1 and isinstance(wanted, Value):
        return now is not None and wanted.attribute_value.get("S") in now
    return None


def _is_one_of(now: AttributeValue | None, choices: Sequence[Operand]) -> bool | None:
    """Whether the value equals one of the literals; None if there are other operands too."""
    literals = [each.attribute_value for each in choices if isinstance(each, Value)]
    if len(literals) != len(choices):
        return None
    return now is not None and any(is_equal(now, each) for each in literals)


def _compared(comparison: Comparison) -> tuple[Elements, str, Value] | None:
    """The path, the operator (= or <>) and the literal of a comparison."""
    match comparison:
        case (
            Comparison(operator="=" | "<>", left=Path() as path, right=Value() as value)
            | Comparison(operator="=" | "<>", left=Value() as value, right=Path() as path)
        ):
            return path.elements, comparison.operator, value
        case _:
            return None


def _counts(action: UpdateAction) -> bool:
    """Whether the action certainly changes an existing number."""
    match action:
        case AddAction(value=Value() as amount):
            return _is_nonzero_number(amount)
        case SetAction(value=Arithmetic(left=left, right=Value() as amount)):
            return _reads_itself(left, action.path) and _is_nonzero_number(amount)
        case SetAction(value=Arithmetic(operator="+", left=Value() as amount, right=right)):
            return _reads_itself(right, action.path) and _is_nonzero_number(amount)
        case _:
            return False


def _reads_itself(operand: Operand, path: Path) -> bool:
    return operand == path or (isinstance(operand, IfNotExists) and operand.path == path)


def _is_nonzero_number(value: Value) -> bool:
    number: Any = value.attribute_value.get("N")
    try:
        return number is not None and Decimal(number) != 0
    except (TypeError, ArithmeticError):
        return False
