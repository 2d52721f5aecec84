"""Values in wire form: their types, sizes, equality and order.

An AttributeValue is the wire form of one value: a dict with one member, whose name is the type, as
in `{"S": "Ada"}` or `{"N": "3"}`. Two of them are equal if DynamoDB treats them so: numbers by
value and not by digits, and sets in any order.

Sources: "AttributeValue", Amazon DynamoDB API Reference; "DynamoDB item sizes and formats";
"Supported data types and naming rules in Amazon DynamoDB".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain, filterfalse
from operator import add, itemgetter, methodcaller
from typing import Any, Final

from dynasafe.errors import UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.limits import (
    MAX_NAME_BYTES,
    MAX_NESTING_LEVELS,
    MAX_NUMBER_DIGITS,
    MAX_NUMBER_MAGNITUDE,
    MIN_NUMBER_MAGNITUDE,
)
from dynasafe.values.work import parts_of_list, worked

AttributeValue = Mapping[str, Any]
"""A value in wire form: one member, whose name is the type."""

TYPES: Final = ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")
ELEMENTS: Final = {"SS": "S", "NS": "N", "BS": "B"}
"""The member type of each set type."""

LEVELS: Final = MAX_NESTING_LEVELS - 1
"""The most levels of lists and maps of a value. The item itself is the first level."""

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
        UnsupportedTypeError: the value does not have exactly one member.
    """
    if len(value) != 1:
        raise UnsupportedTypeError("", "an AttributeValue has exactly one member, its type")
    ((type_name, content),) = value.items()
    return type_name, content


def bytes_of(content: Any) -> bytes:
    """The bytes of a B. In JSON, such as an event of DynamoDB Streams, it is base64 text."""
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return binascii.a2b_base64(content, strict_mode=True)
    content = getattr(content, "value", content)  # boto3's Binary
    if not isinstance(content, bytes | bytearray | memoryview):
        raise TypeError  # bytes(n) would be n zeros
    return bytes(content)


def copied(value: dict[str, Any]) -> dict[str, Any]:
    """A copy that shares no mutable part with the value."""
    copy: dict[str, Any] = {}
    content: object
    for type_name, content in value.items():
        if isinstance(content, list):
            worked(len(content))
            is_set = type_name in ELEMENTS
            copy[type_name] = content.copy() if is_set else [copied(each) for each in content]
        elif isinstance(content, dict):
            worked(len(content))
            copy[type_name] = {name: copied(each) for name, each in content.items()}
        else:
            copy[type_name] = content
    return copy


# Equality and order


def is_ordered(low: AttributeValue | None, high: AttributeValue | None) -> bool:
    """Whether both exist and have the same ordered type, and the first is not above the second."""
    if low is None or high is None:
        return False
    low_type, low_content = member(low)
    high_type, high_content = member(high)
    if low_type != high_type or low_type not in ("S", "N", "B"):
        return False
    return bool(scalar(low_type, low_content) <= scalar(high_type, high_content))


def is_equal(one: AttributeValue, other: AttributeValue) -> bool:
    """Whether two values have the same type and are equal.

    Raises:
        UnsupportedTypeError: one does not have exactly one member.
        ValueOutOfRangeError: they nest deeper than DynamoDB's values do.
    """
    if member(one)[0] != member(other)[0]:
        return False
    return identity(one) == identity(other)


def identity(value: AttributeValue) -> Hashable:
    """A hashable value that is equal for equal values, and different for others.

    Raises:
        ValueOutOfRangeError: it nests deeper than DynamoDB's values do.
    """
    return _identity(value, LEVELS + 1)


def fingerprint(attributes: Mapping[str, AttributeValue]) -> Hashable:
    """The identity of a key or an item: equal for equal attributes, in any order."""
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
    worked(len(content))
    if type_name == "L":
        return type_name, tuple([_identity(each, levels - 1) for each in content])
    return type_name, frozenset(
        [(name, _identity(each, levels - 1)) for name, each in content.items()]
    )


def sort_key(value: AttributeValue) -> Any:
    """A value that orders strings, numbers or binaries of one type as DynamoDB orders sort keys."""
    return scalar(*member(value))


def scalar(type_name: str, content: Any) -> Any:
    """A string, number or binary as a Python value that compares as in DynamoDB.

    The order of code points is that of the bytes in UTF-8.
    """
    if type_name == "N":
        return Decimal(content)
    return bytes_of(content) if type_name == "B" else content


def scalars(set_type: str, members: Iterable[Any]) -> frozenset[Any]:
    """The members of a set, each as `scalar` returns it."""
    type_name = ELEMENTS[set_type]
    return frozenset([scalar(type_name, each) for each in members])


# Sizes

_FEW: Final = 16
"""Up to this many values are checked one by one."""
_NO_BOUND: Final = 1 << 62


def attribute_value_size_bytes(attribute_value: AttributeValue) -> int:
    """The size of one value, without its name.

    A string has its UTF-8 bytes; a number about one byte per two significant digits and one more;
    null and Boolean 1; a list or map 3, and 1 for each element or pair.
    Source: "DynamoDB item sizes and formats".
    """
    of_fine = fine_size_bytes(attribute_value)
    return of_fine if of_fine >= 0 else odd_size_bytes(attribute_value)


def odd_size_bytes(attribute_value: AttributeValue) -> int:
    """The size of a value that the quick path does not handle."""
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
            return 3 + len(content) + _all_sizes_bytes([*content])
        case "M":
            return 3 + len(content) + _sizes_bytes(content)
        case _:
            raise UnsupportedTypeError("", "not one of DynamoDB's types")


def item_size_bytes(attribute_map: Mapping[str, AttributeValue]) -> int:
    """The size of an item in wire form: its names' UTF-8 bytes and its values' sizes."""
    of_fine = fine_item_size_bytes(attribute_map)
    return of_fine if of_fine >= 0 else _sizes_bytes(attribute_map)


def _sizes_bytes(attribute_map: Mapping[str, AttributeValue]) -> int:
    of_names = sum(map(text_size_bytes, attribute_map))
    return of_names + _all_sizes_bytes([*attribute_map.values()])


def _all_sizes_bytes(values: list[Any]) -> int:
    if len(values) <= _FEW:
        return sum(map(odd_size_bytes, values))
    size_bytes = 0
    for start in range(0, len(values), _GROUP):
        group = values[start : start + _GROUP]
        of_fine = _fine_values(group, LEVELS, False, _MOST_OF_A_GROUP)
        size_bytes += of_fine if of_fine >= 0 else sum(map(odd_size_bytes, group))
    return size_bytes


def fine_size_bytes(
    value: Any, levels: int = LEVELS, *, is_wire: bool = False, most: int = _NO_BOUND
) -> int:
    """The size of a value that passes the quick check; -1 for any other.

    One walk tells all that the rules need to know about most values: whether it is well-formed, its
    depth and its size.

    Args:
        levels: how many lists and maps may be nested.
        is_wire: whether binary is base64 text, as in the JSON that is sent.
        most: the most values in all; if there are more, the result is -1.
    """
    of_scalar = _fine_scalar_size_bytes(value)
    return of_scalar if of_scalar >= 0 else _fine_values((value,), levels, is_wire, most)


def _fine_scalar_size_bytes(value: Any) -> int:
    """The size of a string or a number, which most values are; -1 for any other value."""
    if type(value) is dict and len(value) == 1:
        ((type_name, content),) = value.items()
        if type(content) is str and content.isascii():
            if type_name == "S":
                return len(content)
            if type_name == "N" and len(content) <= MAX_NUMBER_DIGITS:
                return _fine_number_size_bytes(content)
    return -1


def fine_item_size_bytes(attributes: Any, *, is_wire: bool = False) -> int:
    """The same for an item, a key or other named values, including the sizes of their names."""
    if type(attributes) is not dict:
        return -1
    of_names = names_size_bytes(attributes)
    of_values = _fine_scalars(attributes) if len(attributes) <= _FEW else -1
    if of_values < 0:
        of_values = _fine_values(attributes.values(), LEVELS, is_wire)
    return -1 if of_names < 0 or of_values < 0 else of_names + of_values


def _fine_scalars(attributes: dict[Any, Any]) -> int:
    """The total size of a few values; -1 if one of them is not a plain string or number."""
    size_bytes = 0
    for value in attributes.values():
        of_value = _fine_scalar_size_bytes(value)
        if of_value < 0:
            return -1
        size_bytes += of_value
    return size_bytes


def holds_many(part: object) -> bool:
    """Whether a request, or a part of one, is so large that a walk takes milliseconds."""
    if _left_after(part, _GROUP, LEVELS) >= 0:  # most requests, which are small
        return False
    within: list[Any] = [part]
    count = 0
    while within:
        maps = [each for each in within if type(each) is dict]
        lists = [each for each in within if type(each) is list]
        count += sum(map(len, maps)) + sum(map(len, lists))
        if count > _MANY:  # before they are taken out: there may be millions
            return True
        within = [*chain.from_iterable(lists), *chain.from_iterable(map(dict.values, maps))]
    return False


_MANY: Final = 4_000


def _left_after(part: object, left: int, levels: int) -> int:
    """How many values are left of a number, after those within this one; below 0 if it has more,
    or may have.
    """
    contents: Collection[Any]
    if type(part) is dict:
        contents = part.values()
    elif type(part) is list:
        contents = part
    else:
        return left
    left -= len(contents) if levels else left + 1
    if left >= 0:
        for each in contents:
            if type(each) is not str:
                left = _left_after(each, left, levels - 1)
                if left < 0:
                    break
    return left


def unfine(values: Sequence[Any], levels: int, *, is_wire: bool) -> list[int]:
    """The indexes of values that may be wrong, in order.

    A value that holds many others is among them, since only its contents can tell.
    """
    if len(values) <= _FEW:
        return [*range(len(values))]
    found: list[int] = []
    for start in range(0, len(values), _GROUP):
        group = values[start : start + _GROUP]
        worked(len(group))
        if _fine_values(group, levels, is_wire, _MOST_OF_A_GROUP) < 0:
            found += [
                start + index
                for index, each in enumerate(group)
                if _fine_values((each,), levels, is_wire, _MOST_OF_A_GROUP) < 0
            ]
    return found


def unfine_numbers(texts: Sequence[Any]) -> list[Any]:
    """The texts that may not be numbers of DynamoDB, in order."""
    found: list[Any] = []
    for start in range(0, len(texts), _GROUP):
        group = [*texts[start : start + _GROUP]]
        worked(len(group))
        if _fine_numbers(group) < 0:
            found += [each for each in group if _fine_numbers([each]) < 0]
    return found


_GROUP: Final = 64
_MOST_OF_A_GROUP: Final = 4096


def _fine_values(values: Collection[Any], levels: int, is_wire: bool, most: int = _NO_BOUND) -> int:
    """The total size of the values; -1 if one of them may be wrong.

    Values are checked level by level, and on each level all of one type at once. Python's own
    functions do nearly all of the work, so it costs less than writing the values did.

    Args:
        most: the most values within them; if there are more, the result is -1.
    """
    size_bytes = 0
    left = most
    while values:
        within: list[Any] = []
        for part in parts_of_list(values):
            worked(len(part))
            of_part = _fine_level(part, levels, is_wire, within)
            if of_part < 0:
                return -1
            size_bytes += of_part
        left -= len(within)
        if size_bytes > _TOO_LARGE_BYTES or left < 0:
            return -1
        values = within
        levels -= 1
    return size_bytes


def _fine_level(values: list[Any], levels: int, is_wire: bool, within: list[Any]) -> int:
    """The size of values without those in lists and maps, which are added to `within`."""
    if {*map(type, values)} != _DICT or {*map(len, values)} != _ONE:
        return -1
    type_names = {*chain.from_iterable(values)}
    if not type_names <= _TYPES:
        return -1
    contents_of: dict[str, list[Any]] = {type_name: [] for type_name in type_names}
    if len(type_names) == 1:
        (only,) = type_names
        contents_of[only] = [*map(itemgetter(only), values)]
    else:
        for type_name, content in chain.from_iterable(map(dict.items, values)):
            contents_of[type_name].append(content)
    size_bytes = 0
    for type_name, contents in contents_of.items():
        if type_name == "L" or type_name == "M":
            of_type = _inside(type_name, contents, within) if levels > 0 else -1
        else:
            of_type = _fine_contents(type_name, contents, is_wire)
        if of_type < 0:
            return -1
        size_bytes += of_type
    return size_bytes


_DICT: Final = {dict}
_LIST: Final = {list}
_STR: Final = {str}
_BYTES: Final = {bytes}
_BOOL: Final = {bool}
_ONE: Final = {1}
_TYPES: Final = frozenset(TYPES)
_TOO_LARGE_BYTES: Final = 16_777_216
"""No request has so much. It bounds the work for lists that hold themselves twice."""


def _inside(type_name: str, contents: list[Any], within: list[Any]) -> int:
    """The size of lists or maps without the values in them, which are added to `within`."""
    kinds = {*map(type, contents)}
    of_names = 0
    count = len(within)
    if type_name == "L" and kinds == _LIST:
        within.extend(chain.from_iterable(contents))
    elif type_name == "M" and kinds == _DICT:
        of_names = names_size_bytes([*chain.from_iterable(contents)])
        within.extend(chain.from_iterable(map(dict.values, contents)))
    else:
        return -1
    return -1 if of_names < 0 else 3 * len(contents) + len(within) - count + of_names


def names_size_bytes(names: Collection[Any]) -> int:
    """The size of valid names; -1 for any others."""
    size_bytes = _fine_texts(names)
    if "" in names:
        return -1
    # A character takes four bytes at most, and the lengths are at hand.
    if size_bytes > MAX_NAME_BYTES and 4 * max(map(len, names)) > MAX_NAME_BYTES:
        return -1 if max(map(text_size_bytes, names)) > MAX_NAME_BYTES else size_bytes
    return size_bytes


def _fine_contents(type_name: str, contents: list[Any], is_wire: bool) -> int:
    match type_name:
        case "S":
            return _fine_texts(contents)
        case "N":
            return _fine_numbers(contents)
        case "B":
            return _fine_base64(contents) if is_wire else _fine_bytes(contents)
        case "BOOL":
            return len(contents) if {*map(type, contents)} == _BOOL else -1
        case "NULL":
            return len(contents) if {*map(type, contents)} == _BOOL and all(contents) else -1
        case _:
            return _fine_sets(type_name, contents, is_wire)


def _fine_sets(type_name: str, contents: list[Any], is_wire: bool) -> int:
    if {*map(type, contents)} != _LIST or not all(contents):
        return -1
    members = [*chain.from_iterable(contents)]
    size_bytes = _fine_members(members, is_wire, "") if type_name == "NS" else -1
    if size_bytes < 0:
        size_bytes = _fine_members(members, is_wire, ELEMENTS[type_name])
        if size_bytes >= 0 and type_name == "NS":
            contents = [_decimals(each) for each in contents]
    if size_bytes < 0:
        return -1
    if len(members) == len(contents):  # all sets have one member
        return size_bytes
    # Equal base64 texts are equal bytes, since each has one way to be written.
    distinct = sum(map(len, map(set, contents)))
    return size_bytes if distinct == len(members) else -1


def _fine_members(members: list[Any], is_wire: bool, type_name: str) -> int:
    """The total size of members of sets; -1 if one may be wrong.

    Args:
        type_name: without it, they must be numbers of which distinct texts are distinct.
    """
    size_bytes = 0
    for part in parts_of_list(members):
        worked(len(part))
        if type_name:
            of_part = _fine_contents(type_name, part, is_wire)
        else:
            of_part = _fine_set_of_plain_numbers(part)
        if of_part < 0:
            return -1
        size_bytes += of_part
    return size_bytes


def _decimals(texts: list[str]) -> list[Decimal]:
    numbers: list[Decimal] = []
    for part in parts_of_list(texts):
        worked(len(part))
        numbers += map(Decimal, part)
    return numbers


def _fine_texts(texts: Collection[Any]) -> int:
    if {*map(type, texts)} - _STR:
        return -1
    together = "".join(texts)
    if together.isascii():
        return len(together)
    try:
        return len(together.encode())
    except UnicodeEncodeError:
        return -1


def _fine_bytes(contents: list[Any]) -> int:
    return sum(map(len, contents)) if {*map(type, contents)} == _BYTES else -1


def _fine_base64(texts: list[Any]) -> int:
    if {*map(type, texts)} != _STR:
        return -1
    try:
        decoded = [*map(base64.b64decode, texts)]
        # If it skips or misreads anything, the text that it returns differs.
        is_same = [*map(base64.b64encode, decoded)] == [*map(str.encode, texts)]
    except ValueError:
        return -1
    return sum(map(len, decoded)) if is_same else -1


def _fine_numbers(texts: list[Any]) -> int:
    if {*map(type, texts)} != _STR:
        return -1
    longest = max(map(len, texts))
    together = "".join(texts)
    if longest > _MAX_NUMBER_LENGTH or not together.isascii():
        return -1
    if len(texts) > _FEW and longest <= MAX_NUMBER_DIGITS:
        of_plain = _fine_plain_numbers(texts, together)
        if of_plain >= 0:
            return of_plain
    sizes_bytes = [*map(_fine_number_size_bytes, texts)]
    return -1 if min(sizes_bytes) < 0 else sum(sizes_bytes)


def _fine_plain_numbers(texts: list[str], together: str) -> int:
    """The total size of numbers without an exponent; -1 if there are others."""
    unsigned = texts
    if "-" in together:
        unsigned = [*map(_WITHOUT_SIGN, texts)]
    together_unsigned = "".join(unsigned)
    minus_signs = len(together) - len(together_unsigned)
    if "" in unsigned or (minus_signs and ("-" in together_unsigned or "0" in unsigned)):
        return -1
    if together_unsigned.isdigit():
        of_wholes, of_fractions = _wholes_size_bytes(unsigned), 0
    else:
        of_wholes = _wholes_size_bytes([*filter(str.isdigit, unsigned)])
        of_fractions = _fractions_size_bytes([*filterfalse(str.isdigit, unsigned)])
    return -1 if of_wholes < 0 or of_fractions < 0 else of_wholes + of_fractions + minus_signs


def _fine_set_of_plain_numbers(texts: list[Any]) -> int:
    """The total size of numbers of which distinct texts are distinct numbers; -1 for any others.

    To compare Decimals would cost far more.
    """
    if {*map(type, texts)} != _STR or max(map(len, texts)) > MAX_NUMBER_DIGITS:
        return -1
    together = "".join(texts)
    if not together.isascii():
        return -1
    of_plain = _fine_plain_numbers(texts, together)
    if of_plain >= 0 and "." in together:
        unsigned = [*map(_WITHOUT_SIGN, texts)] if "-" in together else texts
        if not {text[1:2] for text in unsigned if text[0] == "0"} <= _AFTER_ZERO:
            return -1
    return of_plain


# Digits are kept in pairs, counted from the decimal point.


def _wholes_size_bytes(texts: list[str]) -> int:
    rounded = [*filter(_ENDS_IN_ZERO, texts)]
    others = [*filterfalse(_ENDS_IN_ZERO, texts)] if rounded else texts
    if others and min(others)[0] == "0":
        return -1
    lengths = Counter(map(len, others))
    size_bytes = sum([count * ((length + 1) // 2 + 1) for length, count in lengths.items()])
    zeros = rounded.count("0")
    if zeros < len(rounded):
        trimmed = [*map(_WITHOUT_ZEROS, rounded)]
        if "" in trimmed and trimmed.count("") != zeros:
            return -1
        if min(filter(None, trimmed))[0] == "0":
            return -1
        pairs = Counter(zip(map(len, rounded), map(len, trimmed), strict=True))
        pairs.pop((1, 0), None)
        size_bytes += sum(
            [
                count * ((digits + (length - digits) % 2 + 1) // 2 + 1)
                for (length, digits), count in pairs.items()
            ]
        )
    return size_bytes + zeros


def _fractions_size_bytes(texts: list[str]) -> int:
    parts = [*map(_AT_POINT, texts)]
    wholes, fractions = [*map(itemgetter(0), parts)], [*map(itemgetter(2), parts)]
    if (
        "" in wholes
        or "" in fractions
        or not "".join(wholes).isdigit()
        or not "".join(fractions).isdigit()
        or any(map(_ENDS_IN_ZERO, fractions))
    ):
        return -1
    digits = map(len, map(_WITHOUT_ZEROS_BEFORE, map(add, wholes, fractions)))
    lengths = Counter(zip(digits, map(len, fractions), strict=True))
    return sum(
        [
            count * ((length + of_fraction % 2 + 1) // 2 + 1)
            for (length, of_fraction), count in lengths.items()
        ]
    )


_AFTER_ZERO: Final = frozenset({"", "."})
_WITHOUT_SIGN: Final = methodcaller("removeprefix", "-")
_ENDS_IN_ZERO: Final = methodcaller("endswith", "0")
_WITHOUT_ZEROS: Final = methodcaller("rstrip", "0")
_WITHOUT_ZEROS_BEFORE: Final = methodcaller("lstrip", "0")
_AT_POINT: Final = methodcaller("partition", ".")
_NUMBER: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?")
_MAX_NUMBER_LENGTH: Final = 300
"""In characters: zeros may come before and after the significant digits."""


def _fine_number_size_bytes(text: str) -> int:
    if len(text) <= MAX_NUMBER_DIGITS:  # the commonest, without an exponent
        minus = text[:1] == "-"
        whole, point, fraction = (text[1:] if minus else text).partition(".")
        if whole.isdigit() and (whole[0] != "0" or whole == "0"):
            if not point and whole != "0":
                return _whole_size_bytes(whole) + minus
            if fraction.isdigit() and fraction[-1] != "0":
                digits = fraction.lstrip("0") if whole == "0" else whole + fraction
                return (len(digits) + len(fraction) % 2 + 1) // 2 + 1 + minus
    found = _NUMBER.fullmatch(text)
    if found is None:
        return -1
    sign, whole, fraction, power = found.groups("")
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return -1 if power else 1
    exponent = int(power or 0) - len(fraction) + len(digits) - len(significant)
    magnitude = exponent + len(significant) - 1
    if not MIN_NUMBER_MAGNITUDE <= magnitude <= MAX_NUMBER_MAGNITUDE:
        return -1
    if len(significant) > MAX_NUMBER_DIGITS:
        return -1
    return (len(significant) + exponent % 2 + 1) // 2 + 1 + len(sign)


def _whole_size_bytes(digits: str) -> int:
    if digits == "0":
        return 1
    trimmed = digits.rstrip("0")
    # Digits are kept in pairs, counted from the decimal point.
    return (len(trimmed) + (len(digits) - len(trimmed)) % 2 + 1) // 2 + 1


def text_size_bytes(text: str) -> int:
    """The number of bytes of the text in UTF-8."""
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
