"""Sizes of items, and of what is in them, in bytes.

Source: "DynamoDB item sizes and formats".
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from dynasafe.attribute_value import AttributeValue, bytes_of
from dynasafe.errors import UnsupportedTypeError


def attribute_value_size_bytes(attribute_value: AttributeValue) -> int:
    """The size of one value, without its name.

    A string has its UTF-8 bytes; a number about one byte per two significant digits and one more;
    null and Boolean 1; a list or map 3, and 1 for each element or pair.
    """
    ((type_name, content),) = attribute_value.items()
    match type_name:
        case "S":
            return len(content.encode(errors="surrogatepass"))
        case "N":
            return _number_size_bytes(content)
        case "B":
            return len(bytes_of(content))
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return sum(len(each.encode(errors="surrogatepass")) for each in content)
        case "NS":
            return sum(map(_number_size_bytes, content))
        case "BS":
            return sum(len(bytes_of(each)) for each in content)
        case "L":
            return 3 + sum(1 + attribute_value_size_bytes(each) for each in content)
        case "M":
            return 3 + len(content) + item_size_bytes(content)
        case _:
            raise UnsupportedTypeError("", f"{type_name!r} is not a DynamoDB type")


def item_size_bytes(attribute_map: Mapping[str, AttributeValue]) -> int:
    """The size of an item in wire form: its names' UTF-8 bytes and its values' sizes."""
    return sum(
        len(name.encode(errors="surrogatepass")) + attribute_value_size_bytes(value)
        for name, value in attribute_map.items()
    )


def _number_size_bytes(text: str) -> int:
    sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    significant = "".join(map(str, digits)).lstrip("0")
    trimmed = significant.rstrip("0")
    if not trimmed:
        return 1
    # Digits are kept in pairs, counted from the decimal point.
    exponent += len(significant) - len(trimmed)
    pairs = (len(trimmed) + (exponent % 2) + 1) // 2
    return pairs + 1 + sign
