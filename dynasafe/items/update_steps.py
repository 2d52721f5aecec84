"""The actions of one update, from the first to the expressions of its request."""

from __future__ import annotations

from collections.abc import Container, Mapping
from decimal import Decimal
from typing import Any, Final

from dynasafe.errors import (
    EmptyUpdateError,
    InvalidRequestError,
    InvalidValueError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.expressions.idempotency import is_idempotent
from dynasafe.expressions.nodes import ConditionNode, Expression, Update, conjunction
from dynasafe.expressions.path_set import PathSet
from dynasafe.expressions.render import (
    Escape,
    Placeholders,
    render_condition,
    render_short_members,
)
from dynasafe.findings.finding import Finding, Where
from dynasafe.findings.quoting import printable
from dynasafe.items.attributes import Attr, attr
from dynasafe.items.conditions import Bindable
from dynasafe.items.schema import Schema, schema_of
from dynasafe.items.update_actions import Action, Payload, Verb, is_readable, update_of
from dynasafe.items.written_updates import WrittenUpdate, WrittenUpdates
from dynasafe.limits import MAX_EXPRESSION_BYTES
from dynasafe.values.wire import copied

_ADDED: Final = frozenset({int, float, Decimal, set, frozenset})
"""The value types of ADD for which actions are kept."""
_MOST_KEPT: Final = 32
"""Actions of an update whose text is kept for the next one."""


class UpdateSteps:
    """Actions that do not conflict with each other, and name attributes of the Item class.

    They are frozen when the update is built or sent.
    """

    __slots__ = (
        "_actions",
        "_are_kept",
        "_paths",
        "_payloads",
        "_roots",
        "_written",
        "escape",
        "is_frozen",
        "schema",
    )

    def __init__(self, schema: Schema | None, escape: Escape) -> None:
        self.schema: Schema | None = schema
        self.escape: Escape = escape
        self.is_frozen: bool = False
        self._actions: list[Action] = []
        self._payloads: list[Payload] = []
        self._roots: set[str] = set()
        self._paths: PathSet | None = None
        self._written: WrittenUpdates = _written_updates(schema, escape)
        self._are_kept: bool = True

    @property
    def is_empty(self) -> bool:
        return not self._actions

    @property
    def values(self) -> list[Payload]:
        """The value of each action, in wire form or as a tree."""
        return self._payloads

    @property
    def update(self) -> Update:
        """The syntax tree of the actions."""
        return update_of(self._actions, self._payloads)

    def copy(self) -> UpdateSteps:
        """The same, not frozen."""
        twin = UpdateSteps(self.schema, self.escape)
        twin._actions = self._actions.copy()
        twin._payloads = self._payloads.copy()
        twin._roots = self._roots.copy()
        twin._are_kept = self._are_kept
        return twin

    def require_mutable(self) -> None:
        if self.is_frozen:
            raise TypeError(
                "This UpdateBuilder was built or sent already, and is frozen. "
                "Fix: change update.copy(), or make a new builder per request."
            )

    def freeze(self) -> None:
        """Refuse any more changes.

        Raises:
            EmptyUpdateError: there are no actions.
        """
        if not self._actions:
            raise EmptyUpdateError
        self.is_frozen = True

    # Actions

    def act(self, verb: Verb, attribute: Any, value: Any) -> None:
        """Add an action with a value."""
        of = type(attribute)
        # ADD of a number is not idempotent, ADD of members is: they are two kinds.
        kind: object = verb if verb != "add" else type(value)
        is_kept = verb != "add" or kind in _ADDED
        name: object = attribute
        if of is Attr:
            name = attribute.identity
            # Entries without a class stay for the life of the process; those of a class go with it.
            is_kept = is_kept and (self.schema is not None or attribute.owner is None)
        elif of is not str:
            is_kept = False
        action = self._written.actions.get((kind, name)) if is_kept else None
        if action is None:
            action = Action(verb, self.target(attribute))
            if verb in _MAY_TAKE_AWAY:
                _require_removable(action.target, verb)
            if is_kept:
                self._written.keep_action((kind, name), action)
        try:
            payload = action.payload(value)
        except InvalidValueError as error:
            raise error.within(action.target.text) from None
        self._take(action, payload, is_kept=is_kept)

    def compute(self, attribute: Any, operand: Bindable) -> None:
        """SET the attribute to another one, or to a value that DynamoDB computes."""
        if self.schema is not None:
            operand = operand.bound(self.schema)
        self._take(Action("set", self.target(attribute)), operand, is_kept=False)

    def written_for(self, schema: Schema) -> UpdateSteps:
        """The same steps with the attributes of an Item class, which must be able to read the
        values.

        Raises:
            UnsupportedTypeError: an attribute is of another class, or a value does not fit it.
        """
        twin = UpdateSteps(schema, self.escape)
        for action, payload in zip(self._actions, self._payloads, strict=True):
            target = schema.own(action.target)
            if not isinstance(payload, Mapping | None):
                twin._take(Action("set", target), payload.bound(schema), is_kept=False)
                continue
            if target.none_is_absent and payload is not None and "NULL" in payload:
                if action.verb == "set":
                    twin._take(Action("remove", target), None, is_kept=False)
                continue
            if action.verb in _MAY_TAKE_AWAY:
                _require_removable(target, action.verb)
            if not is_readable(action.verb, target, payload):
                raise UnsupportedTypeError(
                    target.text,
                    f"the value does not fit {schema.item_class.__name__}, which could not read "
                    f"it. Fix: UpdateBuilder({schema.item_class.__name__}), which checks and "
                    "converts each value",
                )
            twin._take(Action(action.verb, target), payload, is_kept=False)
        return twin

    def set_null(self, target: Attr[Any]) -> None:
        """SET the attribute to NULL, whatever its type."""
        self._take(Action("set", target), {"NULL": True}, is_kept=False)

    def target(self, attribute: Any) -> Attr[Any]:
        """The attribute for an attribute or a document path, of the class if it has one."""
        if isinstance(attribute, str):
            attribute = attr(attribute)
        elif not isinstance(attribute, Attr):
            raise UnsupportedTypeError(
                "",
                f"an attribute is an Attr or a document path, not {type(attribute).__name__}",
            )
        target: Attr[Any] = attribute
        if self.schema is None:
            return target
        # The class may redefine an attribute of its base.
        own = self.schema.own(target)
        if own.owner is None:
            lacks = self.schema.lacks(own.path.attribute_name)
            raise UnsupportedTypeError(
                str(own.path),
                f"{lacks} Fix: declare it, or use UpdateBuilder() without an Item class",
            )
        return own

    def _take(self, action: Action, payload: Payload, *, is_kept: bool) -> None:
        """Add the action, if its path conflicts with no other."""
        self.require_mutable()
        if self.schema is not None and action.root in self.schema.key_names:
            raise _key_error(action.root)
        if self._paths is not None or action.root in self._roots:
            self._require_no_clash(action)
        self._roots.add(action.root)
        self._actions.append(action)
        self._payloads.append(payload)
        self._are_kept = self._are_kept and is_kept

    def _require_no_clash(self, action: Action) -> None:
        """Refuse a path that overlaps with another one."""
        paths = self._paths
        if paths is None:  # until now, each path began with another name
            paths = self._paths = PathSet()
            for each in self._actions:
                paths.add(each.target.path.elements)
        clash = paths.add(action.target.path.elements)
        if clash is not None:
            message = f"Invalid UpdateExpression: {clash.message}"
            finding = update_finding(clash.code, message, "UpdateExpression", clash.fix)
            raise InvalidRequestError("UpdateItem", [finding])

    # The request

    @property
    def is_idempotent(self) -> bool:
        """Whether the actions are idempotent, without regard to the condition."""
        return self._text().is_idempotent

    def _text(self) -> WrittenUpdate:
        if self._are_kept and len(self._actions) <= _MOST_KEPT:
            return self._written.text(self._actions, self._payloads)
        return WrittenUpdate(self._actions, self._payloads, self.escape)

    def expressions(self, terms: list[ConditionNode]) -> dict[str, Any]:
        """The expressions and their placeholders, in wire form, under all these conditions.

        They belong to the caller: copies of the builder, and conditions, have their own values.

        Raises:
            EmptyUpdateError: there are no actions.
        """
        self.freeze()
        members = self._members(self._text(), terms)
        values: dict[str, Any] | None = members.get("ExpressionAttributeValues")
        if values is not None:
            members["ExpressionAttributeValues"] = {
                placeholder: copied(value) for placeholder, value in values.items()
            }
        return members

    def _members(self, written: WrittenUpdate, terms: list[ConditionNode]) -> dict[str, Any]:
        names, values = written.names.copy(), written.values(self._payloads)
        members: dict[str, Any] = {"UpdateExpression": written.text}
        if terms:
            placeholders = Placeholders.of(names, values, escape=self.escape)
            members["ConditionExpression"] = render_condition(conjunction(*terms), placeholders)
        # Names in the texts are ASCII.
        if any(len(text) > MAX_EXPRESSION_BYTES for text in members.values()):
            nodes: dict[str, Expression] = {"UpdateExpression": self.update}
            if terms:
                nodes["ConditionExpression"] = conjunction(*terms)
            return render_short_members(nodes)
        if names:
            members["ExpressionAttributeNames"] = names
        if values:
            members["ExpressionAttributeValues"] = values
        return members

    def compile(
        self, terms: list[ConditionNode], key: Container[str]
    ) -> tuple[dict[str, Any], bool]:
        """The expressions for an item with this key, and whether they may be applied twice.

        Raises:
            InvalidRequestError: an action changes a key attribute.
        """
        self.require_not_in_key(key)
        written = self._text()
        is_repeatable = written.is_idempotent
        if terms and not is_repeatable:
            is_repeatable = is_idempotent(self.update, conjunction(*terms))
        return self._members(written, terms), is_repeatable

    def require_not_in_key(self, key: Container[str]) -> None:
        """Refuse an update of a key attribute.

        Raises:
            InvalidRequestError: an action's path begins with a name of the key.
        """
        for action in self._actions:
            if action.root in key:
                raise _key_error(action.root)


_MAY_TAKE_AWAY: Final = ("remove", "delete")
"""Verbs that may remove the attribute: a set disappears with its last member."""


def _require_removable(target: Attr[Any], verb: Verb) -> None:
    item_class = target.owner
    if item_class is None or not schema_of(item_class).requires(target.path):
        return
    if verb == "delete":
        raise ValueOutOfRangeError(
            target.text,
            f"{item_class.__name__} has no default for it, and a set is gone with its last member: "
            "the item could not be read any more. Fix: default_factory=set, which reads a missing "
            "set as an empty one",
        )
    raise ValueOutOfRangeError(
        target.text,
        f"{item_class.__name__} has no default for it: the item could not be read without it. "
        "Fix: give it a default",
    )


_of_plain_items: dict[Escape, WrittenUpdates] = {
    each: WrittenUpdates(each) for each in ("auto", "always")
}


def _written_updates(schema: Schema | None, escape: Escape) -> WrittenUpdates:
    """The cache of updates of a class, or of plain items."""
    if schema is None:
        return _of_plain_items[escape]
    written: WrittenUpdates | None = schema.caches.get(escape)
    if written is None:
        written = schema.caches[escape] = WrittenUpdates(escape)
    return written


def update_finding(code: str, message: str, parameter: str, fix: str) -> Finding:
    return Finding(code=code, message=message, where=Where(parameter=parameter), fix=fix)


def _key_error(name: str) -> InvalidRequestError:
    finding = update_finding(
        "DYS120",
        "One or more parameter values were invalid: Cannot update attribute "
        f"{printable(name)}. This attribute is part of the key",
        "UpdateExpression",
        "put a new item and delete the old one, in one transaction",
    )
    return InvalidRequestError("UpdateItem", [finding])
