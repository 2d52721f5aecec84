"""Texts of updates, written once for all updates that differ only in their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dynasafe.cache import Cache
from dynasafe.expressions.idempotency import is_idempotent
from dynasafe.expressions.render import Escape, Placeholders, render_update
from dynasafe.items.update_actions import Action, Payload, update_of
from dynasafe.values.wire import copied

_MAX_BYTES: Final = 524_288
"""The most bytes of actions and texts of one class."""
_OF_AN_ENTRY: Final = 1024
"""About the bytes of an action or a text, without its names."""


class WrittenUpdate:
    """The text of an update, and the places of its values."""

    __slots__ = ("_constants", "_layout", "is_idempotent", "names", "text")

    def __init__(
        self, actions: Sequence[Action], payloads: Sequence[Payload], escape: Escape
    ) -> None:
        update = update_of(actions, payloads)
        placeholders = Placeholders(escape=escape)
        self.text: str = render_update(update, placeholders)
        self.names: dict[str, str] = placeholders.names
        self.is_idempotent: bool = is_idempotent(update)
        """Whether it is idempotent, without regard to its condition."""
        indexes = {id(payload): index for index, payload in enumerate(payloads)}
        self._layout: list[tuple[str, int]] = []
        self._constants: list[tuple[str, Any]] = []
        for placeholder, value in placeholders.values.items():
            index = indexes.get(id(value))
            if index is None:  # of the action itself, or of a computed value
                self._constants.append((placeholder, value))
            else:
                self._layout.append((placeholder, index))

    def values(self, payloads: Sequence[Payload]) -> dict[str, Any]:
        """The values by their placeholders."""
        values = {placeholder: payloads[index] for placeholder, index in self._layout}
        for placeholder, constant in self._constants:
            values[placeholder] = copied(constant)  # the caller may change its request
        return values


class WrittenUpdates:
    """The actions of one class, and the texts of updates made of them."""

    __slots__ = ("actions", "escape", "texts")

    def __init__(self, escape: Escape) -> None:
        self.escape: Escape = escape
        self.actions: Cache[tuple[object, object], Action] = Cache(_MAX_BYTES)
        self.texts: Cache[tuple[Action, ...], WrittenUpdate] = Cache(_MAX_BYTES)

    def keep_action(self, key: tuple[object, object], action: Action) -> None:
        self.actions.put(key, action, _OF_AN_ENTRY + 4 * len(action.target.text))

    def text(self, actions: Sequence[Action], payloads: Sequence[Payload]) -> WrittenUpdate:
        """The text of actions that are all in the cache."""
        key = tuple(actions)
        written = self.texts.get(key)
        if written is None:
            written = WrittenUpdate(actions, payloads, self.escape)
            self.texts.put(key, written, _OF_AN_ENTRY + 8 * len(written.text) + 64 * len(key))
        return written
