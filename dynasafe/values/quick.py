"""The commonest values in wire form and back, without paths, which only a refusal needs.

What is not quick raises one of `NOT_QUICK`, and `dynasafe.values.convert` goes its plain way,
which knows every type and tells the path of what it refuses. Both ways give the same.
The commonest values are written out where they stand, in maps and in lists: a call would cost more.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from dynasafe.limits import MAX_NESTING_LEVELS, MAX_NUMBER_DIGITS, MAX_NUMBER_MAGNITUDE
from dynasafe.values.numbers import decode_number, encode_number


class NotQuickError(Exception):
    """A value that needs the plain way, if only to be refused with its path."""


NOT_QUICK = (TypeError, AttributeError, ValueError, LookupError, NotQuickError)
QUICK_TYPES: list[type] = [str, int, bool, type(None), Decimal, float, bytes, list, dict, set]

LEVELS: Final = MAX_NESTING_LEVELS - 1
"""How many lists and maps a value may be of, one within the other: the item is the first."""

_MOST_DIGITS: Final = MAX_NUMBER_MAGNITUDE + 1
"""Of a whole number, as DynamoDB writes it: without an exponent."""

_ONLY_STR: Final = {str}
_ONLY_BYTES: Final = {bytes}
_NUMBERS: Final = {int, Decimal, float}


def encoded_map(value: dict[Any, Any], levels: int) -> dict[str, Any]:
    """The values of a map, which may hold so many levels more."""
    names = "".join(value)  # a TypeError where a name is none
    if not names.isascii():
        names.encode()  # a UnicodeEncodeError where there is no UTF-8
    encoded: dict[str, Any] = {}
    for name, each in value.items():
        kind = type(each)
        if kind is str:
            if not each.isascii():
                each.encode()
            encoded[name] = {"S": each}
        elif kind is int:
            digits = str(each)
            if len(digits) > MAX_NUMBER_DIGITS:
                raise NotQuickError
            encoded[name] = {"N": digits}
        elif kind is bool:
            encoded[name] = {"BOOL": each}
        elif kind is dict and levels:
            encoded[name] = {"M": encoded_map(each, levels - 1)}
        elif kind is list and levels:
            encoded[name] = {"L": encoded_list(each, levels - 1)}
        else:
            encoded[name] = _encoded_scalar(kind, each)
    return encoded


def encoded_list(value: list[Any], levels: int) -> list[dict[str, Any]]:
    """The elements of a list, which may hold so many levels more."""
    encoded: list[dict[str, Any]] = []
    for each in value:
        kind = type(each)
        if kind is str:
            if not each.isascii():
                each.encode()
            encoded.append({"S": each})
        elif kind is int:
            digits = str(each)
            if len(digits) > MAX_NUMBER_DIGITS:
                raise NotQuickError
            encoded.append({"N": digits})
        elif kind is dict and levels:
            encoded.append({"M": encoded_map(each, levels - 1)})
        elif kind is list and levels:
            encoded.append({"L": encoded_list(each, levels - 1)})
        else:
            encoded.append(_encoded_scalar(kind, each))
    return encoded


def _encoded_scalar(kind: type, value: Any) -> dict[str, Any]:
    if kind is Decimal or kind is float:
        return {"N": encode_number(value)}
    if value is None:
        return {"NULL": True}
    if kind is bool:
        return {"BOOL": value}
    if kind is set:
        return _encoded_set(value)
    if kind is bytes:
        return {"B": value}
    raise NotQuickError


def _encoded_set(value: set[Any]) -> dict[str, Any]:
    texts = text_set(value)
    if texts is not None:
        return texts
    kinds = set(map(type, value))
    if kinds and kinds <= _NUMBERS:
        return {"NS": sorted({encode_number(each) for each in value}, key=Decimal)}
    if kinds == _ONLY_BYTES:
        return {"BS": sorted(value)}
    raise NotQuickError


def text_set(value: Iterable[Any]) -> dict[str, Any] | None:
    """The set in wire form, if its members are all of type str, and there are some."""
    members = list(value)
    if set(map(type, members)) != _ONLY_STR:
        return None
    if not "".join(members).isascii():
        for each in members:
            each.encode()
    members.sort()
    return {"SS": members}


def decoded_map(content: Any, levels: int) -> dict[str, Any]:
    """The values of a map in wire form, which may hold so many levels more."""
    wire: dict[str, dict[str, Any]] = content
    item: dict[str, Any] = {}
    for name, value in wire.items():
        if len(value) != 1:
            raise NotQuickError
        if "S" in value:
            text = value["S"]
            if type(text) is not str:
                raise NotQuickError
            item[name] = text
        elif "N" in value:
            digits: str = value["N"]
            item[name] = (
                decode_number(digits)
                if "." in digits or len(digits) > _MOST_DIGITS
                else int(digits)
            )
        elif "M" in value and levels:
            item[name] = decoded_map(value["M"], levels - 1)
        elif "L" in value and levels:
            item[name] = decoded_list(value["L"], levels - 1)
        else:
            item[name] = _decoded_scalar(value)
    return item


def decoded_list(content: Any, levels: int) -> list[Any]:
    """The elements of a list in wire form, which may hold so many levels more."""
    elements: list[Any] = []
    for value in _a_list(content):
        if len(value) != 1:
            raise NotQuickError
        if "S" in value:
            text = value["S"]
            if type(text) is not str:
                raise NotQuickError
            elements.append(text)
        elif "N" in value:
            digits: str = value["N"]
            elements.append(
                decode_number(digits)
                if "." in digits or len(digits) > _MOST_DIGITS
                else int(digits)
            )
        elif "M" in value and levels:
            elements.append(decoded_map(value["M"], levels - 1))
        elif "L" in value and levels:
            elements.append(decoded_list(value["L"], levels - 1))
        else:
            elements.append(_decoded_scalar(value))
    return elements


def _decoded_scalar(value: dict[str, Any]) -> Any:
    if "BOOL" in value:
        flag = value["BOOL"]
        if flag is True or flag is False:
            return flag
    elif "NULL" in value:
        return None
    elif "SS" in value:
        texts = _a_list(value["SS"])
        "".join(texts)  # a TypeError where a member is none
        return set(texts)
    elif "NS" in value:
        return {decode_number(each) for each in _a_list(value["NS"])}
    elif "B" in value:
        data = value["B"]
        if type(data) is bytes:
            return data
    raise NotQuickError


def _a_list(content: Any) -> list[Any]:
    if type(content) is not list:
        raise NotQuickError
    elements: list[Any] = content
    return elements
