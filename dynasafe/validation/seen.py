"""Requests whose like was found fine before, so that the rules need not look again.

Two requests are alike if they differ only in values, of the same types, on whose contents no
verdict depends. A request for which that is not plain at a glance is like no other.
"""

from __future__ import annotations

import re
from collections.abc import Container, Hashable, Mapping
from typing import Any, Final

from dynasafe.cache import Cache
from dynasafe.items.item import Item
from dynasafe.items.schema import schema_of
from dynasafe.limits import MAX_EXPRESSION_BYTES
from dynasafe.validation.value_rules import is_text

_OPERATIONS = frozenset({"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"})
_VALUES = frozenset({"Key", "Item", "ExpressionAttributeValues", "ExclusiveStartKey"})
# What is within these bounds, all together, is within every limit of size: a character is at most
# four bytes.
_MOST_CHARACTERS = 16_000
_MOST_CHARACTERS_OF_A_KEY = 256
_MOST_CHARACTERS_WITH_USES = 250_000
"""Of the values of expressions, times the most that one can be used."""
_MOST_DIGITS = 38
_MOST_LEVELS = 8
_OF_A_VALUE = 8
"""What a value counts beside its characters, or more."""
_MOST_PARTS = _MOST_CHARACTERS // _OF_A_VALUE
_NOT_PLAIN = _MOST_CHARACTERS + 1

_SUM = re.compile(r":\w+\s*[+-]\s*:")
"""Of two literals: whether it is within a number's range is a matter of what they are."""

_fine: Cache[Hashable, bool] = Cache(4_194_304)


def likeness(operation: str, params: Mapping[str, Any], schema: object = None) -> Hashable | None:
    """What the request has in common with all that are alike.

    Args:
        schema: an Item class, or None; with anything else a request is like no other.
    """
    if operation not in _OPERATIONS or type(params) is not dict:
        return None
    if operation == "Query" and "ExclusiveStartKey" in params:
        return None  # where it starts is compared with the values of the condition
    if schema is not None and not (isinstance(schema, type) and issubclass(schema, Item)):
        return None
    parts: list[Any] = [operation, schema]
    uses = characters = 0
    for member, value in params.items():
        kind = type(value)
        if kind is str:
            uses_here = _uses(value)
            if uses_here is None:
                return None
            uses += uses_here
            parts.append((member, value))
        elif kind is bool or kind is int:
            parts.append((member, kind, value))
        elif kind is not dict:
            return None
        elif member in _VALUES:
            types, size = _types(value, member, _keys(operation, member, schema))
            if size > _MOST_CHARACTERS:
                return None
            if member == "ExpressionAttributeValues":
                characters = size
            parts.append((member, types))
        elif member == "ExpressionAttributeNames":
            parts.append((member, tuple(value.items())))
        else:
            return None
    return tuple(parts) if characters * uses <= _MOST_CHARACTERS_WITH_USES else None


_OF_CONTENTS: Final = -1
"""Uses of values on which a verdict depends."""
_uses_by_text: Cache[str, int] = Cache(1_048_576)


def _uses(text: str) -> int | None:
    """How many values an expression may use; None if a verdict depends on what they are."""
    if len(text) > MAX_EXPRESSION_BYTES:
        return None
    uses = _uses_by_text.get(text)
    if uses is None:
        # Bounds in order, and names of types, are contents.
        is_plain = not ("etween" in text.lower() or "attribute_type" in text or _SUM.search(text))
        uses = text.count(":") if is_plain else _OF_CONTENTS
        _uses_by_text.put(text, uses, 64 + 4 * len(text))
    return None if uses == _OF_CONTENTS else uses


def was_fine(like: Hashable) -> bool:
    """Whether one that is alike was found fine."""
    try:
        return _fine.get(like) is True
    except TypeError:  # a part cannot be hashed
        return False


def remember_fine(like: Hashable) -> None:
    """One that is alike was found fine."""
    try:
        hash(like)
    except TypeError:
        return
    _fine.put(like, True, _size_of_like(like))


def _size_of_like(part: object) -> int:
    """The bytes of what is kept, about."""
    if isinstance(part, tuple):
        return 64 + sum(map(_size_of_like, part))
    return 64 + 4 * len(part) if isinstance(part, str) else 32


def _keys(operation: str, member: str, schema: type[Item] | None) -> Container[str]:
    """The names in the member whose values are looked at as those of a key."""
    if member == "Key":
        return _ALL
    if schema is None:
        return ()
    if member == "Item":
        return schema_of(schema).key_names
    return _ALL if member == "ExclusiveStartKey" or operation == "Query" else ()


class _All:
    def __contains__(self, name: object) -> bool:
        return True


_ALL = _All()


def _types(
    values: dict[Any, Any], member: str, keys: Container[str]
) -> tuple[tuple[Hashable, ...], int]:
    """The names and types of plain values, and how large they are together."""
    types: list[Hashable] = []
    size = 0
    for name, value in values.items():
        if type(value) is not dict or len(value) != 1 or type(name) is not str:
            return (), _NOT_PLAIN
        ((type_name, content),) = value.items()
        if type_name == "S" and type(content) is str and content.isascii():
            of_value = _OF_A_VALUE + len(content)
        else:
            of_value = _size(type_name, content, _MOST_LEVELS)
        is_key = name in keys
        if of_value > (_MOST_CHARACTERS_OF_A_KEY if is_key else _MOST_CHARACTERS):
            return (), _NOT_PLAIN
        # An empty one may stand in a key, or in a condition on one.
        if of_value == _OF_A_VALUE and not content and (is_key or member != "Item"):
            return (), _NOT_PLAIN
        size += of_value + len(name)
        types.append(name)
        types.append(type_name)
    return tuple(types), size


def _size(type_name: object, content: Any, levels: int) -> int:
    """The characters in a plain value, and what each value in it counts."""
    match type_name:
        case "S" if type(content) is str and (content.isascii() or is_text(content)):
            return _OF_A_VALUE + len(content)
        case "N" if type(content) is str and len(content) <= _MOST_DIGITS and _is_plain(content):
            return _OF_A_VALUE + len(content)
        case "BOOL" if type(content) is bool:
            return _OF_A_VALUE
        case "NULL" if content is True:
            return _OF_A_VALUE
        case "B" if type(content) is bytes:
            return _OF_A_VALUE + len(content)
        case "SS" if type(content) is list and content:
            return _size_of_texts(content)
        case "L" if type(content) is list and levels and len(content) <= _MOST_PARTS:
            return _OF_A_VALUE + sum(_size_of_value(each, levels) for each in content)
        case "M" if (
            type(content) is dict and levels and len(content) <= _MOST_PARTS and "" not in content
        ):
            return _size_of_texts(content) + sum(
                _size_of_value(each, levels) for each in content.values()
            )
        case _:
            return _NOT_PLAIN


def _size_of_value(value: Any, levels: int) -> int:
    if type(value) is not dict or len(value) != 1:
        return _NOT_PLAIN
    ((type_name, content),) = value.items()
    return _size(type_name, content, levels - 1)


def _size_of_texts(texts: list[Any] | dict[Any, Any]) -> int:
    if not all(type(each) is str for each in texts) or len(set(texts)) < len(texts):
        return _NOT_PLAIN
    together = "".join(texts)
    if not (together.isascii() or is_text(together)):
        return _NOT_PLAIN
    return _OF_A_VALUE * (1 + len(texts)) + len(together)


def _is_plain(number: str) -> bool:
    """Digits, with a sign and a point at most."""
    if number.isdigit():
        return number.isascii()
    digits = number.removeprefix("-").replace(".", "", 1)
    return digits.isdigit() and digits.isascii() and number[-1] != "." and digits != ""
