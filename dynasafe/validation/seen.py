"""Requests whose like was found fine before, so that the rules need not look again.

Two requests are alike if they differ only in values, of the same types, on whose contents no
verdict depends. A request for which that is not plain at a glance is like no other.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

_OPERATIONS = frozenset({"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"})
_VALUES = frozenset({"Key", "Item", "ExpressionAttributeValues", "ExclusiveStartKey"})
_MOST_KEPT = 4096
# What is within these bounds, all together, is within every limit of size.
_MOST_VALUES = 100
_MOST_CHARACTERS = 1024
_MOST_DIGITS = 38
_MOST_LEVELS = 8

_fine: dict[Hashable, None] = {}


def likeness(operation: str, params: Mapping[str, Any]) -> Hashable | None:
    """What the request has in common with all that are alike."""
    if operation not in _OPERATIONS or type(params) is not dict:
        return None
    parts: list[Hashable] = [operation]
    for member, value in params.items():
        kind = type(value)
        if kind is str:
            # Bounds in order, and names of types, are contents.
            if "etween" in value or "ETWEEN" in value or "attribute_type" in value:
                return None
            parts.append((member, value))
        elif kind is bool or kind is int:
            parts.append((member, kind, value))
        elif kind is not dict:
            return None
        elif member in _VALUES:
            types = _types(value)
            if types is None:
                return None
            parts.append((member, types))
        elif member == "ExpressionAttributeNames":
            parts.append((member, tuple(value.items())))
        else:
            return None
    return tuple(parts)


def was_fine(like: Hashable) -> bool:
    """Whether one that is alike was found fine."""
    try:
        return like in _fine
    except TypeError:  # a part cannot be hashed
        return False


def remember_fine(like: Hashable) -> None:
    """One that is alike was found fine."""
    try:
        hash(like)
    except TypeError:
        return
    if len(_fine) >= _MOST_KEPT:
        _fine.clear()
    _fine[like] = None


def _types(values: dict[Any, Any]) -> tuple[Hashable, ...] | None:
    """The names and types of plain values; None if one is not plain."""
    types: list[Hashable] = []
    budget = _MOST_VALUES
    for name, value in values.items():
        if type(value) is not dict or len(value) != 1:
            return None
        ((type_name, content),) = value.items()
        if type_name == "S":
            if type(content) is not str or len(content) > _MOST_CHARACTERS:
                return None
            budget -= 1
        else:
            budget -= _count(type_name, content, _MOST_LEVELS)
        if budget < 0:
            return None
        types.append(name)
        types.append(type_name)
    return tuple(types)


def _count(type_name: object, content: Any, levels: int) -> int:
    """How many values there are; more than may be, if one is not plain."""
    match type_name:
        case "S":
            is_plain = type(content) is str and len(content) <= _MOST_CHARACTERS
        case "N":
            is_plain = type(content) is str and len(content) <= _MOST_DIGITS and _is_plain(content)
        case "BOOL":
            is_plain = type(content) is bool
        case "NULL":
            is_plain = content is True
        case "B":
            is_plain = type(content) is bytes and len(content) <= _MOST_CHARACTERS
        case "SS":
            return _count_texts(content)
        case "L" if type(content) is list and levels:
            return 1 + sum(_count_value(each, levels) for each in content)
        case "M" if type(content) is dict and levels:
            names = sum(
                1 if type(name) is str and len(name) <= _MOST_CHARACTERS else _MOST_VALUES + 1
                for name in content
            )
            return 1 + names + sum(_count_value(each, levels) for each in content.values())
        case _:
            is_plain = False
    return 1 if is_plain else _MOST_VALUES + 1


def _count_value(value: Any, levels: int) -> int:
    if type(value) is not dict or len(value) != 1:
        return _MOST_VALUES + 1
    ((type_name, content),) = value.items()
    return _count(type_name, content, levels - 1)


def _count_texts(content: Any) -> int:
    if type(content) is not list or not content or len(content) > _MOST_VALUES:
        return _MOST_VALUES + 1
    is_plain = all(type(each) is str and len(each) <= _MOST_CHARACTERS for each in content)
    return len(content) if is_plain and len(set(content)) == len(content) else _MOST_VALUES + 1


def _is_plain(number: str) -> bool:
    """Digits, with a sign and a point at most."""
    if number.isdigit():
        return number.isascii()
    digits = number.removeprefix("-").replace(".", "", 1)
    return digits.isdigit() and digits.isascii() and number[-1] != "." and digits != ""
