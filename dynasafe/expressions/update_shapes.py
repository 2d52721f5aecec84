"""Chains of actions whose text was written before.

A builder walks along a tree of shapes: from each, an action on an attribute leads to the next. What
leads somewhere was checked when it first came (no clash of paths, no key attribute), and the shape
at the end keeps its text and the layout of its values, so that a chain with other values costs
neither checks nor rendering. Without a shape a builder does the same work step by step.
"""

from __future__ import annotations

from typing import Any, Literal

from dynasafe.attribute_value import AttributeValue
from dynasafe.expressions.idempotency import is_idempotent
from dynasafe.expressions.render import Placeholders, render_update
from dynasafe.expressions.update_actions import EMPTY_LIST, ZERO, Action, Step, update_of

Escape = Literal["auto", "always"]

_MOST_STEPS = 32
_MOST_SHAPES = 2048
_CONSTANTS = {id(ZERO), id(EMPTY_LIST)}


class Written:
    """The text of a shape, and where the values of a chain stand in it."""

    __slots__ = ("_constants", "_layout", "is_idempotent", "names", "roots", "text")

    def __init__(self, steps: list[Step], escape: Escape) -> None:
        update = update_of(steps)
        placeholders = Placeholders(escape=escape)
        self.text: str = render_update(update, placeholders)
        self.names: dict[str, str] = placeholders.names
        self.is_idempotent: bool = is_idempotent(update)
        self.roots: tuple[str, ...] = tuple(
            dict.fromkeys(action.target.path.attribute_name for action, _ in steps)
        )
        """The attributes that are changed, or of which a part is."""
        places = {id(payload): index for index, (_, payload) in enumerate(steps)}
        self._layout: list[tuple[str, int]] = []
        self._constants: dict[str, AttributeValue] = {}
        for placeholder, value in placeholders.values.items():
            if id(value) in _CONSTANTS:
                self._constants[placeholder] = value
            else:
                self._layout.append((placeholder, places[id(value)]))

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
        values.update(self._constants)
        return values


class UpdateShape:
    """A chain of actions, whatever their values, and where it may lead."""

    __slots__ = ("_depth", "_tree", "_written", "action", "next")

    def __init__(self, tree: ShapeTree, action: Action | None, depth: int) -> None:
        self.action: Action | None = action
        self.next: dict[Any, UpdateShape] = {}
        self._tree = tree
        self._depth = depth
        self._written: Written | None = None

    def extended(self, key: object, action: Action) -> UpdateShape | None:
        """The shape after one more step, kept under the key; None for a very long chain."""
        if self._depth >= _MOST_STEPS:
            return None
        self._tree.count_one()
        child = self.next[key] = UpdateShape(self._tree, action, self._depth + 1)
        return child

    def written(self, steps: list[Step]) -> Written:
        """The text of the chain, which is written once."""
        if self._written is None:
            self._written = Written(steps, self._tree.escape)
        return self._written


class ShapeTree:
    """All shapes of one item class; when they are too many they begin anew."""

    def __init__(self, escape: Escape) -> None:
        self.escape: Escape = escape
        self.root: UpdateShape = UpdateShape(self, None, 0)
        self._count = 0

    def count_one(self) -> None:
        self._count += 1
        if self._count > _MOST_SHAPES:
            self._count = 0
            self.root.next.clear()  # builders under way keep what they have
