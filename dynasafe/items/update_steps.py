"""The actions of one update, from the first to the expressions of its request."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from dynasafe.errors import EmptyUpdateError, InvalidRequestError, UnsupportedTypeError
from dynasafe.expressions.nodes import ConditionNode, conjunction
from dynasafe.expressions.path_set import PathSet
from dynasafe.expressions.render import Placeholders, render_condition, render_update
from dynasafe.findings.finding import Finding, Where
from dynasafe.items.attributes import Attr, attr
from dynasafe.items.conditions import Bindable
from dynasafe.items.schema import Schema
from dynasafe.items.update_actions import Action, Payload, Step, Verb, is_readable, update_of
from dynasafe.items.update_shapes import Escape, ShapeTree, UpdateShape, Written

_ADDED: Final = frozenset({int, float, Decimal, set, frozenset})


class UpdateSteps:
    """Steps that clash with none of each other, and name what the Item class has.

    They freeze when they are built or sent.
    """

    __slots__ = ("_has_operands", "_paths", "_shape", "_steps", "escape", "is_frozen", "schema")

    def __init__(self, schema: Schema | None, escape: Escape) -> None:
        self.schema: Schema | None = schema
        self.escape: Escape = escape
        self.is_frozen: bool = False
        self._steps: list[Step] = []
        self._shape: UpdateShape | None = _root(schema, escape)
        self._paths: PathSet | None = None
        self._has_operands: bool = False

    @property
    def is_empty(self) -> bool:
        return not self._steps

    @property
    def all(self) -> list[Step]:
        return self._steps

    def copy(self) -> UpdateSteps:
        """The same, not frozen."""
        twin = UpdateSteps(self.schema, self.escape)
        twin._steps = self._steps.copy()
        twin._shape = self._shape
        twin._paths = None if self._paths is None else self._paths.copy()
        twin._has_operands = self._has_operands
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
        if not self._steps:
            raise EmptyUpdateError
        self.is_frozen = True

    # Actions

    def act(self, verb: Verb, attribute: Any, value: Any) -> None:
        """Add an action with a value of its own."""
        shape = self._shape
        of = type(attribute)
        is_known = of is Attr or of is str
        # What else ADD is given may be a number once, and a set of members once.
        if verb == "add":
            is_known = is_known and type(value) in _ADDED
        if shape is None or self.is_frozen or not is_known:
            action = Action(verb, self.target(attribute))
            self._take(action, action.payload(value))
            self._shape = None
            return
        # ADD of a number adds up, ADD of members does not: they are two kinds.
        kind = verb if verb != "add" else type(value)
        name = attribute.identity if of is Attr else attribute
        found = shape.known(kind, name)
        if found is None:
            action = Action(verb, self.target(attribute))
            self._take(action, action.payload(value))
            self._shape = shape.extended(kind, name, action)
        else:
            action, following = found
            self._steps.append((action, action.payload(value)))
            self._shape = following

    def compute(self, attribute: Any, operand: Bindable) -> None:
        """SET the attribute to another one, or to what DynamoDB computes."""
        if self.schema is not None:
            operand = operand.bound(self.schema)
        self._take(Action("set", self.target(attribute)), operand)
        self._shape = None
        self._has_operands = True

    def written_for(self, schema: Schema) -> UpdateSteps:
        """The same with the attributes of an Item class, which must be able to read the values.

        Raises:
            UnsupportedTypeError: an attribute is of another class, or a value does not fit it.
        """
        twin = UpdateSteps(schema, self.escape)
        twin._shape = None
        for action, payload in self._steps:
            target = schema.own(action.target)
            if not isinstance(payload, Mapping | None):
                twin._take(Action("set", target), payload.bound(schema))
                twin._has_operands = True
                continue
            if target.none_is_absent and payload is not None and "NULL" in payload:
                if action.verb == "set":
                    twin._take(Action("remove", target), None)
                continue
            if not is_readable(action.verb, target, payload):
                raise UnsupportedTypeError(
                    target.text,
                    f"the value does not fit {schema.item_class.__name__}, which could not read "
                    f"it. Fix: UpdateBuilder({schema.item_class.__name__}), which checks and "
                    "converts each value",
                )
            twin._take(Action(action.verb, target), payload)
        return twin

    def set_null(self, target: Attr[Any]) -> None:
        """SET the attribute to NULL, whatever its type."""
        self._take(Action("set", target), {"NULL": True})
        self._shape = None

    def target(self, attribute: Any) -> Attr[Any]:
        """What an attribute or a document path stands for, if it may be changed here."""
        self.require_mutable()
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
        # The class may have declared a base's attribute anew.
        own = self.schema.own(target)
        if own.owner is None:
            lacks = self.schema.lacks(own.path.attribute_name)
            raise UnsupportedTypeError(
                str(own.path),
                f"{lacks} Fix: declare it, or use UpdateBuilder() without an Item class",
            )
        return own

    def _take(self, action: Action, payload: Payload) -> None:
        """Add the step, if its path clashes with none."""
        self.require_mutable()
        target = action.target
        if self.schema is not None:
            name = target.path.elements[0]
            if name in self.schema.key_names:
                raise _key_error(str(name))
        if self._paths is None or len(self._paths) != len(self._steps):
            self._paths = PathSet()
            for step, _ in self._steps:
                self._paths.add(step.target.path.elements)
        clash = self._paths.add(target.path.elements)
        if clash is not None:
            message = f"Invalid UpdateExpression: {clash.message}"
            finding = update_finding(clash.code, message, "UpdateExpression", clash.fix)
            raise InvalidRequestError("UpdateItem", [finding])
        self._steps.append((action, payload))

    # The request

    def written(self) -> Written | None:
        """The text of the actions, unless DynamoDB computes something in one of them."""
        if self._shape is not None:
            return self._shape.written(self._steps)
        return None if self._has_operands else Written(self._steps, self.escape)

    def expressions(self, terms: list[ConditionNode]) -> dict[str, Any]:
        """The expressions and their placeholders, in wire form, under all these conditions.

        Raises:
            EmptyUpdateError: there are no actions.
        """
        self.freeze()
        written = self.written()
        if written is not None and not terms:
            return written.members(self._steps)
        if written is None:
            placeholders = Placeholders(escape=self.escape)
            text = render_update(update_of(self._steps), placeholders)
        else:
            placeholders = written.placeholders(self._steps, self.escape)
            text = written.text
        members: dict[str, Any] = {"UpdateExpression": text}
        if terms:
            members["ConditionExpression"] = render_condition(conjunction(*terms), placeholders)
        if placeholders.names:
            members["ExpressionAttributeNames"] = placeholders.names
        if placeholders.values:
            members["ExpressionAttributeValues"] = placeholders.values
        return members

    def require_not_in_key(self, key: Container[str]) -> None:
        """Refuse an update of a key attribute.

        Raises:
            InvalidRequestError: an action's path begins with a name of the key.
        """
        roots: Iterable[str]
        if self._shape is not None and self._steps:
            roots = self._shape.written(self._steps).roots
        else:
            roots = [action.target.path.attribute_name for action, _ in self._steps]
        for name in roots:
            if name in key:
                raise _key_error(name)


_roots: dict[Escape, UpdateShape] = {each: ShapeTree(each).root for each in ("auto", "always")}


def _root(schema: Schema | None, escape: Escape) -> UpdateShape:
    """Where chains of actions begin."""
    if schema is None:
        return _roots[escape]
    root: UpdateShape | None = schema.caches.get(escape)
    if root is None:
        root = schema.caches[escape] = ShapeTree(escape).root
    return root


def update_finding(code: str, message: str, parameter: str, fix: str) -> Finding:
    return Finding(code=code, message=message, where=Where(parameter=parameter), fix=fix)


def _key_error(name: str) -> InvalidRequestError:
    finding = update_finding(
        "DYS120",
        "One or more parameter values were invalid: Cannot update attribute "
        f"{name}. This attribute is part of the key",
        "UpdateExpression",
        "put a new item and delete the old one, in one transaction",
    )
    return InvalidRequestError("UpdateItem", [finding])
