"""Whether repeating an update changes anything that the first time did not.

This decides whether an update whose answer was lost may be sent again. "May" leaves no room for
luck: what depends on the length of a list, or on a number already added, is not idempotent. Nor is
what names an element of a list: the list may have grown or shrunk since, by the update itself or by
another writer, so that the same path leads to another element.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
"""What an update leaves at its paths, as far as that is sure; None for nothing."""


def is_idempotent(update: Update, condition: ConditionNode | None = None) -> bool:
    """Whether the update, sent twice, leaves the item as if it was sent once.

    Idempotent are SET of a literal, or of a value that is computed only from attributes that the
    update leaves alone; REMOVE of an attribute; ADD and DELETE of set members. Not idempotent are
    ADD of a number, counting and appending in SET, and whatever names an element of a list.

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
        # Members of a set are there or not; a number adds up.
        return isinstance(action.value, Value) and "N" not in action.value.attribute_value
    value = action.value
    if isinstance(value, IfNotExists) and value.path == action.path:
        # The first time fills the place, so the second finds it filled.
        value = value.default
    return not any(_overlap(read, written) for read in _paths_read(value) for written in changed)


def _is_fixed(path: Path) -> bool:
    """Whether the path leads to the same place, whatever else is written."""
    return not any(isinstance(element, int) for element in path.elements)


def _paths_read(operand: Operand) -> Iterator[Elements]:
    match operand:
        case Path():
            yield operand.elements
        case Size():
            yield from _paths_read(operand.operand)
        case IfNotExists():
            yield from _paths_read(operand.path)
            yield from _paths_read(operand.default)
        case ListAppend() | Arithmetic():
            yield from _paths_read(operand.left)
            yield from _paths_read(operand.right)
        case _:
            pass


def _overlap(one: Elements, other: Elements) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


# Conditions that cannot hold any more


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
    # Each of these held, so that what is added to comes from the value that it names.
    terms = condition.terms if isinstance(condition, And) else (condition,)
    equal = [_compared(each) for each in terms if isinstance(each, Comparison)]
    counted = {pair[0] for pair in equal if pair is not None and pair[1] == "="}
    return any(action.path.elements in counted and _counts(action) for action in fixed)


def _leaf_after(leaf: ConditionLeaf, known: Known) -> bool | None:
    """Whether the leaf holds where this is known; None where it takes more to say that."""
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
            case Function(arguments=(Path(elements=path), *rest)) if path in known:
                return _function_after(leaf, known[path], rest)
            case _:
                return None
    except (ValueError, TypeError, ArithmeticError):  # of a malformed value, which proves nothing
        return None


def _function_after(leaf: Function, now: AttributeValue | None, rest: list[Operand]) -> bool | None:
    match leaf.name, rest:
        case "attribute_exists", []:
            return now is not None
        case "attribute_not_exists", []:
            return now is None
        case "attribute_type", [Value(attribute_value=wanted)]:
            return now is not None and wanted.get("S") in now
        case _:
            return None


def _is_one_of(now: AttributeValue | None, choices: Sequence[Operand]) -> bool | None:
    """Whether the value equals one of the literals; None where something else is among them."""
    literals = [each.attribute_value for each in choices if isinstance(each, Value)]
    if len(literals) != len(choices):
        return None
    return now is not None and any(is_equal(now, each) for each in literals)


def _compared(comparison: Comparison) -> tuple[Elements, str, Value] | None:
    """The path that equals a literal, or does not, the operator, and the literal."""
    match comparison:
        case (
            Comparison(operator="=" | "<>", left=Path() as path, right=Value() as value)
            | Comparison(operator="=" | "<>", left=Value() as value, right=Path() as path)
        ):
            return path.elements, comparison.operator, value
        case _:
            return None


def _counts(action: UpdateAction) -> bool:
    """Whether the action gives a number, which is there, another value for sure."""
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
