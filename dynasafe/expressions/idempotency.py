"""Whether repeating an update changes anything that the first time did not.

This decides whether an update whose answer was lost may be sent again. "May" leaves no room for
luck: what depends on the length of a list, or on a number already added, is not idempotent.
"""

from __future__ import annotations

from collections.abc import Iterator

from dynasafe.expressions.nodes import (
    And,
    Arithmetic,
    Comparison,
    ConditionNode,
    Function,
    IfNotExists,
    ListAppend,
    NodePathElement,
    Operand,
    Or,
    Path,
    RemoveAction,
    SetAction,
    Size,
    Update,
    UpdateAction,
    Value,
)

Elements = tuple[NodePathElement, ...]


def is_idempotent(update: Update, condition: ConditionNode | None = None) -> bool:
    """Whether the update, sent twice, leaves the item as if it was sent once.

    Idempotent are SET of a literal, or of a value that is computed only from attributes that the
    update leaves alone; REMOVE of an attribute; ADD and DELETE of set members. Not idempotent are
    ADD of a number, counting and appending in SET, REMOVE of a list element (the later ones move
    up) and SET of a list element other than the first (past the end it appends).

    Any update is safe to repeat under a condition that its own success makes false: `a = :old`
    where the update changes `a` for sure.
    """
    actions = update.actions
    changed = [action.path.elements for action in actions]
    if all(_is_idempotent_action(action, changed) for action in actions):
        return True
    return condition is not None and any(_falsifies(action, condition) for action in actions)


def _is_idempotent_action(action: UpdateAction, changed: list[Elements]) -> bool:
    last = action.path.elements[-1]
    if isinstance(action, RemoveAction):
        return not isinstance(last, int)
    if isinstance(last, int) and last > 0:
        return False
    if not isinstance(action, SetAction):
        # Members of a set are there or not; a number adds up.
        return isinstance(action.value, Value) and "N" not in action.value.attribute_value
    value = action.value
    if isinstance(value, IfNotExists) and value.path == action.path:
        # The first time fills the place, so the second finds it filled.
        value = value.default
    return not any(_overlap(read, written) for read in _paths_read(value) for written in changed)


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


def _falsifies(action: UpdateAction, condition: ConditionNode) -> bool:
    """Whether the condition cannot hold any more after the action."""
    terms = condition.terms if isinstance(condition, And) else (condition,)
    return any(_falsifies_term(action, term) for term in terms)


def _falsifies_term(action: UpdateAction, term: ConditionNode) -> bool:
    path = action.path
    match term:
        case Or(terms=terms):
            return all(_falsifies_term(action, each) for each in terms)
        case Function(name="attribute_not_exists", arguments=(Path() as guarded,)):
            # A SET leaves the attribute in place, whatever it was.
            return guarded == path and isinstance(action, SetAction)
        case Function(name="attribute_exists", arguments=(Path() as guarded,)):
            return guarded == path and isinstance(action, RemoveAction)
        case Comparison(operator="=", left=Path() as guarded, right=Value() as old):
            return guarded == path and _changes(action, path, old)
        case Comparison(operator="=", left=Value() as old, right=Path() as guarded):
            return guarded == path and _changes(action, path, old)
        case _:
            return False


def _changes(action: UpdateAction, path: Path, old: Value) -> bool:
    """Whether the action gives another value to the path, which held the old one."""
    if isinstance(path.elements[-1], int):
        return False
    match action:
        case RemoveAction():
            return True
        case SetAction(value=Value() as new):
            return new.attribute_value != old.attribute_value
        case SetAction(value=Arithmetic(left=left, right=Value() as amount)):
            return _reads_itself(left, path) and _is_nonzero_number(amount)
        case SetAction(value=Arithmetic(operator="+", left=Value() as amount, right=right)):
            return _reads_itself(right, path) and _is_nonzero_number(amount)
        case SetAction():
            return False
        case _:
            return isinstance(action.value, Value) and _is_nonzero_number(action.value)


def _reads_itself(operand: Operand, path: Path) -> bool:
    return operand == path or (isinstance(operand, IfNotExists) and operand.path == path)


def _is_nonzero_number(value: Value) -> bool:
    number = value.attribute_value.get("N")
    return number is not None and float(number) != 0
