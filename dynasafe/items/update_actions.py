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
    Path,
    RemoveAction,
    SetAction,
    Update,
    Value,
)
from dynasafe.items.attributes import Attr
from dynasafe.values.arguments import elements_of
from dynasafe.values.containers import FixedTupleCodec, encoded_elements

Verb = Literal[
    "set", "set_if_not_exists", "append", "prepend", "increment", "add", "delete", "remove"
]
Payload = Any
"""An AttributeValue, an attribute, a value that DynamoDB computes, or None for REMOVE."""

_ZERO: dict[str, Any] = {"N": "0"}
"""The value of a missing number."""
_EMPTY: dict[str, Any] = {"L": []}
"""The value of a missing list."""
_SETS = ("SS", "NS", "BS")
_TYPES = {"increment": "N", "append": "L", "prepend": "L"}


class Action:
    """A verb and its attribute."""

    __slots__ = ("hint", "path", "payload", "root", "target", "verb")

    def __init__(self, verb: Verb, target: Attr[Any]) -> None:
        self.verb: Verb = verb
        self.target: Attr[Any] = target
        self.path: Path = target.node
        self.hint: str = target.hint
        self.root: str = target.path.attribute_name
        """The attribute that is changed, in whole or in part."""
        type_name = _TYPES.get(verb)
        if type_name is not None and target.codec.is_never_stored_as(type_name):
            kind = "a number" if type_name == "N" else "a list"
            raise UnsupportedTypeError(
                target.text, f"{verb} takes {kind}, and the attribute is none"
            )
        self.payload: Callable[[Any], Payload] = _PAYLOADS[verb](target)
        """Encodes a value. Its InvalidValueError has the path within the value."""


def update_of(actions: Sequence[Action], payloads: Sequence[Payload]) -> Update:
    """The syntax tree of actions with these values."""
    sets: list[SetAction] = []
    removes: list[RemoveAction] = []
    adds: list[AddAction] = []
    deletes: list[DeleteAction] = []
    for action, payload in zip(actions, payloads, strict=True):
        match action.verb:
            case "remove":
                removes.append(RemoveAction(action.path))
            case "add":
                adds.append(AddAction(action.path, Value(payload, action.hint)))
            case "delete":
                deletes.append(DeleteAction(action.path, Value(payload, action.hint)))
            case _:
                sets.append(SetAction(action.path, _operand(action, payload)))
    return Update(tuple(sets), tuple(removes), tuple(adds), tuple(deletes))


def _operand(action: Action, payload: Payload) -> Operand:
    if type(payload) is not dict and not isinstance(payload, Mapping):
        computed: Operand = payload.node
        return computed
    value = Value(payload, action.hint)
    match action.verb:
        case "set_if_not_exists":
            return IfNotExists(action.path, value)
        case "append" | "prepend":
            stored = IfNotExists(action.path, Value(_EMPTY, f"{action.hint}_empty"))
            parts = (stored, value) if action.verb == "append" else (value, stored)
            return ListAppend(*parts)
        case "increment":
            stored = IfNotExists(action.path, Value(_ZERO, f"{action.hint}_zero"))
            return Arithmetic("+", stored, value)
        case _:
            return value


def is_readable(verb: Verb, target: Attr[Any], payload: Payload) -> bool:
    """Whether the attribute's type can read the value that the action stores."""
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
    if isinstance(target.codec, FixedTupleCodec):
        raise UnsupportedTypeError(target.text, "a tuple of a fixed length does not grow")
    try:
        element = target.codec.child(0)
    except UnsupportedTypeError:
        reason = "append and prepend take a list, and the attribute is none"
        raise UnsupportedTypeError(target.text, reason) from None

    def payload(values: Iterable[Any]) -> Payload:
        given = [*elements_of("", values, "a list of values")]
        return {"L": encoded_elements(element, given)}

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
