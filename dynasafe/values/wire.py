"""Values in wire form: their types, sizes, equality and order.

An AttributeValue is the wire form of one value: a dict with one member, whose name is the type, as
in `{"S": "Ada"}` or `{"N": "3"}`. Two of them are equal where DynamoDB has them so: numbers by
what they are, not by their digits, and sets in any order.

Sources: "AttributeValue", Amazon DynamoDB API Reference; "DynamoDB item sizes and formats";
"Supported data types and naming rules in Amazon DynamoDB".
"""

from __future__ import annotations

import base64
from collections.abc import Hashable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from dynasafe.errors import UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.limits import MAX_NAME_BYTES, MAX_NESTING_LEVELS, MAX_NUMBER_DIGITS

AttributeValue = Mapping[str, Any]
"""A value in wire form: one member, whose name is the type."""

TYPES: Final = ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")
ELEMENTS: Final = {"SS": "S", "NS": "N", "BS": "B"}
"""The type of the members of each type of set."""

LEVELS: Final = MAX_NESTING_LEVELS - 1
"""How many lists and maps a value may be of, one within the other: the item is the first."""

TOO_DEEP: Final = (
    f"lists and maps nest deeper than {MAX_NESTING_LEVELS} levels, of which the item is the first, "
    "or hold themselves"
)


def too_deep() -> ValueOutOfRangeError:
    """The error for a value that nests deeper than DynamoDB allows."""
    return ValueOutOfRangeError("", TOO_DEEP)


def member(value: AttributeValue) -> tuple[str, Any]:
    """The type and the content of a value.

    Raises:
        UnsupportedTypeError: it has not exactly one member.
    """
    if len(value) != 1:
        raise UnsupportedTypeError("", "an AttributeValue has exactly one member, its type")
    ((type_name, content),) = value.items()
    return type_name, content


def bytes_of(content: Any) -> bytes:
    """The bytes of a B, which is base64 text in JSON, as an event of DynamoDB Streams has it."""
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return base64.b64decode(content, validate=True)
    content = getattr(content, "value", content)  # boto3's Binary
    if not isinstance(content, bytes | bytearray | memoryview):
        raise TypeError  # bytes(n) would be n zeros
    return bytes(content)


def copied(value: AttributeValue) -> dict[str, Any]:
    """The same value, of which nothing is shared that can be changed."""
    type_name, content = member(value)
    if type_name == "M":
        return {type_name: {name: copied(each) for name, each in content.items()}}
    if type_name == "L":
        return {type_name: [copied(each) for each in content]}
    return {type_name: list(content) if type_name in ELEMENTS else content}


# Equality and order


def is_equal(one: AttributeValue, other: AttributeValue) -> bool:
    """Whether two values are of one type and equal.

    Raises:
        UnsupportedTypeError: one has not exactly one member.
        ValueOutOfRangeError: they nest deeper than DynamoDB's values do.
    """
    if member(one)[0] != member(other)[0]:
        return False
    return identity(one) == identity(other)


def identity(value: AttributeValue) -> Hashable:
    """What is equal for equal values, and different for others; for dicts and sets.

    Raises:
        ValueOutOfRangeError: it nests deeper than DynamoDB's values do.
    """
    return _identity(value, LEVELS + 1)


def fingerprint(attributes: Mapping[str, AttributeValue]) -> Hashable:
    """The same for a key or an item: equal for equal attributes, in any order."""
    return frozenset([(name, _identity(value, LEVELS)) for name, value in attributes.items()])


def _identity(value: AttributeValue, levels: int) -> Hashable:
    type_name, content = member(value)
    if type_name in ("S", "N", "B"):
        return type_name, scalar(type_name, content)
    if type_name in ELEMENTS:
        return type_name, scalars(type_name, content)
    if type_name == "NULL":
        return type_name
    if type_name not in ("L", "M"):
        return type_name, content
    if not levels:
        raise too_deep()
    if type_name == "L":
        return type_name, tuple([_identity(each, levels - 1) for each in content])
    return type_name, frozenset(
        [(name, _identity(each, levels - 1)) for name, each in content.items()]
    )


def sort_key(value: AttributeValue) -> Any:
    """What orders strings, numbers or binaries among others of their type, as sort keys are."""
    return scalar(*member(value))


def scalar(type_name: str, content: Any) -> Any:
    """A string, a number or binary as what Python compares as DynamoDB does.

    The order of code points is that of the bytes in UTF-8.
    """
    if type_name == "N":
        return Decimal(content)
    return bytes_of(content) if type_name == "B" else content


def scalars(set_type: str, members: Iterable[Any]) -> frozenset[Any]:
    """The members of a set, each as `scalar` has it."""
    type_name = ELEMENTS[set_type]
    return frozenset([scalar(type_name, each) for each in members])


# Sizes


def attribute_value_size_bytes(attribute_value: AttributeValue) -> int:
    """The size of one value, without its name.

    A string has its UTF-8 bytes; a number about one byte per two significant digits and one more;
    null and Boolean 1; a list or map 3, and 1 for each element or pair.
    Source: "DynamoDB item sizes and formats".
    """
    ((type_name, content),) = attribute_value.items()
    match type_name:
        case "S":
            return text_size_bytes(content)
        case "N":
            return _number_size_bytes(content)
        case "B":
            return len(bytes_of(content))
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return sum(map(text_size_bytes, content))
        case "NS":
            return sum(map(_number_size_bytes, content))
        case "BS":
            return sum(len(bytes_of(each)) for each in content)
        case "L":
            return 3 + sum(1 + attribute_value_size_bytes(each) for each in content)
        case "M":
            return 3 + len(content) + item_size_bytes(content)
        case _:
            raise UnsupportedTypeError("", "not one of DynamoDB's types")


def item_size_bytes(attribute_map: Mapping[str, AttributeValue]) -> int:
    """The size of an item in wire form: its names' UTF-8 bytes and its values' sizes."""
    return sum(
        text_size_bytes(name) + attribute_value_size_bytes(value)
        for name, value in attribute_map.items()
    )


def fine_size_bytes(value: Any, levels: int = LEVELS) -> int:
    """The size of a value with which nothing is wrong at a glance; -1 for any other.

    One walk tells all that the rules ask of most values: that the value is well-formed, how deep it
    is, and how large.
    """
    if type(value) is not dict or len(value) != 1:
        return -1
    ((type_name, content),) = value.items()
    if type_name == "S":
        return _fine_text(content)
    if type_name == "N":
        return _fine_number(content)
    if type_name == "BOOL":
        return 1 if content is True or content is False else -1
    if type_name == "NULL":
        return 1 if content is True else -1
    if type_name == "B":
        return len(content) if type(content) is bytes else -1
    if type_name == "M":
        return _fine_map(content, levels)
    if type(content) is not list:
        return -1
    if type_name == "L":
        if not levels:
            return -1
        size_bytes = 3 + len(content)
        for each in content:
            of_each = fine_size_bytes(each, levels - 1)
            if of_each < 0:
                return -1
            size_bytes += of_each
        return size_bytes
    if type_name not in ELEMENTS or not content:
        return -1
    return _fine_set(ELEMENTS[type_name], content)


def _fine_map(content: Any, levels: int) -> int:
    if type(content) is not dict or not levels:
        return -1
    size_bytes = 3 + len(content)
    for name, each in content.items():
        of_name = _fine_text(name)
        if not 0 < of_name <= MAX_NAME_BYTES:
            return -1
        of_each = fine_size_bytes(each, levels - 1)
        if of_each < 0:
            return -1
        size_bytes += of_name + of_each
    return size_bytes


def _fine_set(type_name: str, content: list[Any]) -> int:
    size_bytes = 0
    for each in content:
        of_each = fine_size_bytes({type_name: each}, 0)
        if of_each < 0:
            return -1
        size_bytes += of_each
    distinct = set(map(Decimal, content)) if type_name == "N" else set(content)
    return size_bytes if len(distinct) == len(content) else -1


def _fine_text(text: Any) -> int:
    if type(text) is not str:
        return -1
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return -1


def _fine_number(text: Any) -> int:
    if type(text) is not str or len(text) > MAX_NUMBER_DIGITS or not text.isascii():
        return -1
    digits = text[1:] if text[:1] == "-" else text
    if digits.isdigit():
        significant = digits.lstrip("0")
        trimmed = significant.rstrip("0")
        if not trimmed:
            return 1
        zeros = len(significant) - len(trimmed)
        return (len(trimmed) + zeros % 2 + 1) // 2 + 1 + len(text) - len(digits)
    whole, point, fraction = digits.partition(".")
    if not point or not whole.isdigit() or not fraction.isdigit():
        return -1
    return _number_size_bytes(text)


def text_size_bytes(text: str) -> int:
    """How many bytes of UTF-8 the text has."""
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


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
