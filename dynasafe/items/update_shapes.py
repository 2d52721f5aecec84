"""Chains of actions whose text was written before.

A builder walks along a tree of shapes: from each, an action on an attribute leads to the next. What
leads somewhere was checked when it first came (no clash of paths, no key attribute), and the shape
at the end keeps its text and the layout of its values, so that a chain with other values costs
neither checks nor rendering. Without a shape a builder does the same work step by step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from dynasafe.expressions.render import Placeholders, render_path
from dynasafe.items.update_actions import Action, Step, Verb, empty_list, zero
from dynasafe.values.wire import AttributeValue

Escape = Literal["auto", "always"]

_MOST_STEPS = 32
_MOST_SHAPES = 2048


Constant = Callable[[], AttributeValue]


@dataclass(frozen=True, slots=True)
class _Form:
    """How the actions of a verb are written."""

    clause: str
    write: Callable[..., str]
    """Takes the path and the operands."""
    operands: tuple[tuple[str, Constant] | None, ...] = (None,)
    """None for the action's own value, or a constant with the ending of its placeholder."""


_ZERO = ("zero", zero)
_EMPTY = ("empty", empty_list)
_FORMS: dict[Verb, _Form] = {
    "set": _Form("SET", lambda p, v: f"{p} = {v}"),
    "set_if_not_exists": _Form("SET", lambda p, v: f"{p} = if_not_exists({p}, {v})"),
    "append": _Form(
        "SET", lambda p, e, v: f"{p} = list_append(if_not_exists({p}, {e}), {v})", (_EMPTY, None)
    ),
    "prepend": _Form(
        "SET", lambda p, v, e: f"{p} = list_append({v}, if_not_exists({p}, {e}))", (None, _EMPTY)
    ),
    "increment": _Form(
        "SET", lambda p, z, v: f"{p} = if_not_exists({p}, {z}) + {v}", (_ZERO, None)
    ),
    "remove": _Form("REMOVE", lambda p: p, ()),
    "add": _Form("ADD", lambda p, v: f"{p} {v}"),
    "delete": _Form("DELETE", lambda p, v: f"{p} {v}"),
}


class Written:
    """The text of a shape, and where the values of a chain stand in it.

    It is what the renderer makes of the tree of the steps, without the tree.
    """

    __slots__ = ("_constants", "_layout", "is_idempotent", "names", "roots", "text")

    def __init__(self, steps: list[Step], escape: Escape) -> None:
        self._layout: list[tuple[str, int]] = []
        self._constants: dict[str, Constant] = {}
        placeholders = Placeholders(escape=escape)
        clauses: dict[str, list[int]] = {"SET": [], "REMOVE": [], "ADD": [], "DELETE": []}
        roots: dict[str, None] = {}
        is_idempotent = True
        for index, step in enumerate(steps):
            action = step[0]
            clauses[_FORMS[action.verb].clause].append(index)
            roots[action.target.path.elements[0]] = None  # type: ignore[index]
            is_idempotent = is_idempotent and _is_idempotent(step)
        # Placeholders are numbered in the order of the text.
        texts = []
        for keyword, indexes in clauses.items():
            if indexes:
                actions = [self._write(index, steps[index], placeholders) for index in indexes]
                texts.append(f"{keyword} {', '.join(actions)}")
        self.text: str = " ".join(texts)
        self.names: dict[str, str] = placeholders.names
        self.is_idempotent: bool = is_idempotent
        self.roots: tuple[str, ...] = tuple(roots)
        """The attributes that are changed, or of which a part is."""

    def _write(self, index: int, step: Step, placeholders: Placeholders) -> str:
        action, payload = step
        target, form = action.target, _FORMS[action.verb]
        path = (
            placeholders.name(target.text)
            if len(target.path.elements) == 1
            else render_path(target.node, placeholders)
        )
        written = []
        for operand in form.operands:
            if operand is None:
                placeholder = placeholders.value(payload, target.hint)
                self._layout.append((placeholder, index))
            else:
                ending, constant = operand
                placeholder = placeholders.value(constant(), f"{target.hint}_{ending}")
                self._constants[placeholder] = constant
            written.append(placeholder)
        return form.write(path, *written)

    def members(self, steps: list[Step]) -> dict[str, Any]:
        """The request's members for a chain of this shape."""
        members: dict[str, Any] = {"UpdateExpression": self.text}
        if self.names:
            members["ExpressionAttributeNames"] = self.names.copy()
        values = self._values(steps)
        if values:
            members["ExpressionAttributeValues"] = values
        return members

    def placeholders(self, steps: list[Step], escape: Escape) -> Placeholders:
        """The placeholders of a chain of this shape, for a condition beside it."""
        return Placeholders.of(self.names, self._values(steps), escape=escape)

    def _values(self, steps: list[Step]) -> dict[str, AttributeValue]:
        values = {placeholder: steps[index][1] for placeholder, index in self._layout}
        for placeholder, constant in self._constants.items():
            values[placeholder] = constant()
        return values


def _is_idempotent(step: Step) -> bool:
    """As `dynasafe.expressions.idempotency` has it of the step's action."""
    action, payload = step
    last = action.target.path.elements[-1]
    match action.verb:
        case "remove":
            return not isinstance(last, int)
        case "append" | "prepend" | "increment":
            return False
        case "add" if "N" in payload:
            return False
        case _:
            return not isinstance(last, int) or last == 0


class UpdateShape:
    """A chain of actions, whatever their values, and where it may lead.

    Most lead to one other, which stands here itself, and further ones in a dict.
    """

    __slots__ = ("_action", "_depth", "_generation", "_next", "_others", "_tree", "_written")

    def __init__(self, tree: ShapeTree, depth: int, action: Action | None = None) -> None:
        self._action = action
        self._generation = tree.generation
        self._tree = tree
        self._depth = depth
        self._next: tuple[object, object, Action, UpdateShape] | None = None
        self._others: dict[tuple[object, object], tuple[Action, UpdateShape]] | None = None
        self._written: Written | None = None

    def known(self, kind: object, name: object) -> tuple[Action, UpdateShape] | None:
        """The next action and the shape after it, by its kind and what names the attribute."""
        first = self._next  # another thread may forget it
        if first is not None:
            first_kind, first_name, action, shape = first
            if first_kind is kind and (first_name is name or first_name == name):
                return action, shape
            others = self._others
            if others is not None:
                return others.get((kind, name))
        return None

    def extended(self, kind: object, name: object, action: Action) -> UpdateShape | None:
        """The shape after one more step, kept for the next time; None for a very long chain."""
        # What hangs on a shape of before the tree began anew is kept by no bound.
        if self._depth >= _MOST_STEPS or self._generation != self._tree.generation:
            return None
        self._tree.count_one()
        shape = UpdateShape(self._tree, self._depth + 1, action)
        if self._next is None:
            self._next = kind, name, action, shape
        else:
            others = self._others
            if others is None:
                others = self._others = {}
            others[kind, name] = action, shape
        return shape

    def begin_anew(self) -> None:
        """Lead nowhere, as of the tree's new generation."""
        self._next = self._others = None
        self._generation = self._tree.generation

    def written(self, steps: list[Step]) -> Written:
        """The text of the chain, which is written once.

        Steps that are not of this chain, as of a builder that was changed while it was read, are
        written for themselves: one builder's mistake must not reach another's request.
        """
        last = steps[-1][0] if steps else None
        if len(steps) != self._depth or last is not self._action:
            return Written(steps, self._tree.escape)
        if self._written is None:
            self._written = Written(steps, self._tree.escape)
        return self._written


class ShapeTree:
    """All shapes of one item class; when they are too many they begin anew."""

    def __init__(self, escape: Escape) -> None:
        self.escape: Escape = escape
        self.generation: int = 0
        self.root: UpdateShape = UpdateShape(self, 0)
        self._count = 0

    def count_one(self) -> None:
        self._count += 1
        if self._count > _MOST_SHAPES:
            self._count = 0
            self.generation += 1
            self.root.begin_anew()  # builders under way keep what they have
