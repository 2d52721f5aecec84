"""Actions of updates: a verb, its attribute, and the values that it takes.

Source: "Update expressions in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from dynasafe.errors import InvalidValueError, StoredValueError, UnsupportedTypeError
from dynasafe.expressions.nodes import (
    AddAction,
    Arithmetic,
    DeleteAction,
    IfNotExists,
    ListAppend,
    Operand,
    RemoveAction,
    SetAction,
    Update,
    Value,
)
from dynasafe.items.attributes import Attr
from dynasafe.values.arguments import elements_of
from dynasafe.values.containers import encoded_elements

Verb = Literal[
    "set", "set_if_not_exists", "append", "prepend", "increment", "add", "delete", "remove"
]
Payload = Any
"""An AttributeValue, an attribute or what DynamoDB computes of some, or None for REMOVE."""

_ZERO: dict[str, Any] = {"N": "0"}
"""What a missing number counts as."""
_EMPTY: dict[str, Any] = {"L": []}
"""What a missing list counts as."""
_SETS = ("SS", "NS", "BS")


class Action:
    """A verb and its attribute."""

    __slots__ = ("payload", "root", "target", "verb")

    def __init__(self, verb: Verb, target: Attr[Any]) -> None:
        self.verb: Verb = verb
        self.target: Attr[Any] = target
        self.root: str = target.path.attribute_name
        """The attribute that is changed, or of which a part is."""
        self.payload: Callable[[Any], Payload] = _PAYLOADS[verb](target)
        """A value as it is written; an InvalidValueError for one that it does not take has the
        path within the value."""


def update_of(actions: Sequence[Action], payloads: Sequence[Payload]) -> Update:
    """The syntax tree of actions with these values."""
    sets: list[SetAction] = []
    removes: list[RemoveAction] = []
    adds: list[AddAction] = []
    deletes: list[DeleteAction] = []
    for action, payload in zip(actions, payloads, strict=True):
        path = action.target.node
        match action.verb:
            case "remove":
                removes.append(RemoveAction(path))
            case "add":
                adds.append(AddAction(path, Value(payload, action.target.hint)))
            case "delete":
                deletes.append(DeleteAction(path, Value(payload, action.target.hint)))
            case _:
                sets.append(SetAction(path, _operand(action, payload)))
    return Update(tuple(sets), tuple(removes), tuple(adds), tuple(deletes))


def _operand(action: Action, payload: Payload) -> Operand:
    target = action.target
    if not isinstance(payload, Mapping):
        computed: Operand = payload.node
        return computed
    value = Value(payload, target.hint)
    match action.verb:
        case "set_if_not_exists":
            return IfNotExists(target.node, value)
        case "append" | "prepend":
            stored = IfNotExists(target.node, Value(_EMPTY, f"{target.hint}_empty"))
            parts = (stored, value) if action.verb == "append" else (value, stored)
            return ListAppend(*parts)
        case "increment":
            stored = IfNotExists(target.node, Value(_ZERO, f"{target.hint}_zero"))
            return Arithmetic("+", stored, value)
        case _:
            return value


def is_readable(verb: Verb, target: Attr[Any], payload: Payload) -> bool:
    """Whether the attribute's type can read what the action stores."""
    try:
        if verb in ("append", "prepend"):
            element = target.codec.part(0).codec
            for each in payload["L"]:
                element.decode(each)
        elif payload is not None:
            target.codec.decode(payload)
    except (InvalidValueError, StoredValueError):
        return False
    return True


# Each of these makes the function that takes an action's values.


def _literal(target: Attr[Any]) -> Callable[[Any], Payload]:
    return target.codec.encode


def _literal_of(*types: str, what: str) -> Callable[[Attr[Any]], Callable[[Any], Payload]]:
    def of_target(target: Attr[Any]) -> Callable[[Any], Payload]:
        literal = _literal(target)
        if target.codec.type_name in types:
            return literal

        def payload(value: Any) -> Payload:
            encoded = literal(value)
            (given,) = encoded
            if given not in types:
                raise UnsupportedTypeError("", f"{what}, not a value of type {given}")
            return encoded

        return payload

    return of_target


def _elements(target: Attr[Any]) -> Callable[[Iterable[Any]], Payload]:
    element = target.codec.child(0)

    def payload(values: Iterable[Any]) -> Payload:
        return {"L": encoded_elements(element, elements_of("", values, "a list of values"))}

    return payload


def _nothing(target: Attr[Any]) -> Callable[[Any], None]:
    return lambda value: None


_PAYLOADS: dict[Verb, Callable[[Attr[Any]], Callable[[Any], Payload]]] = {
    "set": _literal,
    "set_if_not_exists": _literal,
    "append": _elements,
    "prepend": _elements,
    "increment": _literal_of("N", what="increment takes a number"),
    "add": _literal_of("N", *_SETS, what="ADD takes a number or a set"),
    "delete": _literal_of(*_SETS, what="DELETE takes a set of members"),
    "remove": _nothing,
}
