"""Values as DynamoDB returns them: numbers without exponents, and its forms of sets and binary."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dynasafe.values.numbers import decode_number, encode_number
from dynasafe.values.wire import bytes_of

AttributeMap = dict[str, Any]


def canonical(value: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical value, which shares no mutable part with the original."""
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
    """The canonical item or key."""
    return {name: canonical(each) for name, each in item.items()}


def _plain_number(text: str) -> str:
    """All digits, without an exponent."""
    if text.isdecimal() and text.isascii() and (text[0] != "0" or text == "0"):
        return text
    return f"{Decimal(encode_number(decode_number(text))):f}"
