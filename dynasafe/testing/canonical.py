"""Values as DynamoDB gives them back: numbers without exponents, sets and binary as it has them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from decimal import Decimal
from typing import Any

from dynasafe.values.numbers import decode_number, encode_number
from dynasafe.values.wire import bytes_of

AttributeMap = dict[str, Any]
_OF_A_STEP = 1_000
"""How many elements are made in one step."""


def canonical(value: Mapping[str, Any]) -> dict[str, Any]:
    """The same value; nothing of it is shared that can be changed."""
    ((type_name, content),) = value.items()
    if type_name == "S" or type_name == "BOOL":
        return {type_name: content}
    if type_name == "N":
        return {"N": _plain_number(content)}
    if type_name == "L":
        return {"L": [canonical(each) for each in content]}
    if type_name == "M":
        return {"M": {name: canonical(each) for name, each in content.items()}}
    match type_name:
        case "NS":
            return {"NS": list(map(_plain_number, content))}
        case "B":
            return {"B": bytes_of(content)}
        case "BS":
            return {"BS": [bytes_of(each) for each in content]}
        case "SS":
            return {"SS": list(content)}
        case _:
            return {type_name: content}


def canonical_map(item: Mapping[str, Any]) -> AttributeMap:
    """The same for an item or a key."""
    return {name: canonical(each) for name, each in item.items()}


class Steps:
    """Makes values canonical in steps, each of so many of the values within them."""

    def __init__(self) -> None:
        self._left = _OF_A_STEP

    def canonical(self, value: Mapping[str, Any]) -> Generator[None, None, dict[str, Any]]:
        """As the function."""
        ((type_name, content),) = value.items()
        if type_name not in ("L", "M"):
            return canonical(value)
        elements = [*content.values()] if type_name == "M" else content
        made: list[Any] = []
        for each in elements:
            made.append((yield from self.canonical(each)) if _is_nested(each) else canonical(each))
            self._left -= 1
            if self._left <= 0:
                self._left = _OF_A_STEP
                yield
        return {type_name: dict(zip(content, made, strict=True)) if type_name == "M" else made}


def _is_nested(value: Mapping[str, Any]) -> bool:
    return bool(value.get("L") or value.get("M"))


def _plain_number(text: str) -> str:
    """All digits, also where a request would better have an exponent."""
    if text.isdecimal() and text.isascii() and (text[0] != "0" or text == "0"):
        return text
    return f"{Decimal(encode_number(decode_number(text))):f}"
