"""Remembers valid requests, so that the rules need not check similar ones again.

Two requests are alike if they differ only in values that have the same types and whose contents
matter to no rule. If that is not clear at once, a request is not compared. Batches and transactions
are alike if they have the same kinds of entries, in any number and order.
"""

from __future__ import annotations

import re
from collections.abc import Container, Hashable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from dynasafe.cache import Cache
from dynasafe.items.item import Item
from dynasafe.items.schema import schema_of
from dynasafe.limits import (
    MAX_BATCH_GET_KEYS,
    MAX_BATCH_WRITES,
    MAX_EXPRESSION_BYTES,
    MAX_TRANSACT_ITEMS,
)
from dynasafe.validation.table_schema import TableSchema
from dynasafe.validation.value_rules import is_text
from dynasafe.values.wire import fine_size_bytes

_OPERATIONS: Final = frozenset({"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"})
_ACTIONS: Final = frozenset({"Get", "Put", "Update", "Delete", "ConditionCheck"})
_VALUES: Final = frozenset({"Key", "Item", "ExpressionAttributeValues", "ExclusiveStartKey"})
# A request within all these bounds is within every limit of size: a character takes at most four
# bytes.
_MOST_CHARACTERS: Final = 16_000
_MOST_CHARACTERS_OF_AN_ITEM: Final = 100_000
_MOST_CHARACTERS_OF_A_KEY: Final = 256
_MOST_CHARACTERS_WITH_USES: Final = 250_000
"""For the values of expressions, times the most often that one can be used."""
_MOST_CHARACTERS_OF_A_TRANSACTION: Final = 1_000_000
_MOST_CHARACTERS_OF_A_TOKEN: Final = 36
_MOST_DIGITS: Final = 38
_MOST_LEVELS: Final = 8
_OF_A_VALUE: Final = 8
"""At least what a value adds to the size, beside its characters."""
_OF_A_VALUE_WITHIN: Final = 40
"""The same of one that is looked at on its own within a list or map: 2,500 are too many."""
_FEW: Final = 16
_MOST_VALUES: Final = 4_000
"""A request with more values is checked in steps, and not remembered."""
_NOT_PLAIN: Final = _MOST_CHARACTERS_OF_A_TRANSACTION + 1

_SUM: Final = re.compile(r":\w+\s*[+-]\s*:")
"""A sum or difference of two literals: only their contents show whether it is within the range."""

_Schema = type[Item] | TableSchema | None
_fine: Final[Cache[Hashable, bool]] = Cache(4_194_304)


_OF_A_DESCRIPTION: Final = frozenset({"KeySchema", "Table", "Properties"})


class _NotPlainError(Exception):
    """A request that is like no other."""


def likeness(operation: str, params: Mapping[str, Any], schema: object = None) -> Hashable | None:
    """What the request has in common with all that are alike.

    Args:
        schema: an Item class, a TableSchema, or a mapping from table name to these; with anything
            else a request is like no other.
    """
    if type(params) is not dict:
        return None
    try:
        if operation in _OPERATIONS:
            schema_here = _plain_schema(schema, params.get("TableName"))
            parts, _ = _of_one(operation, params, schema_here)
            return operation, schema_here, parts
        entries = _ENTRIES.get(operation)
        return None if entries is None else _of_many(operation, params, schema, entries)
    except (_NotPlainError, TypeError):  # TypeError: from compiled code, for a name not a str
        return None


def _plain_schema(schema: object, table_name: object) -> _Schema:
    """The schema of a table, if verdicts depend on its keys and indexes alone."""
    if schema is None:
        return None
    if isinstance(schema, TableSchema):
        if schema.vector_indexes:
            raise _NotPlainError
        return schema
    if isinstance(schema, type) and issubclass(schema, Item):
        return schema
    if (
        type(schema) is dict
        and type(table_name) is str
        and _OF_A_DESCRIPTION.isdisjoint(schema)  # `&` of the two is a set, which mypyc refuses
    ):
        inner = schema.get(table_name)
        if inner is None or isinstance(inner, TableSchema | type):
            return _plain_schema(inner, None)
    raise _NotPlainError


def _of_one(
    operation: str, params: Mapping[str, Any], schema: _Schema
) -> tuple[tuple[Hashable, ...], int]:
    """The likeness of a request for one item or table, and its number of characters."""
    if operation == "Query" and "ExclusiveStartKey" in params:
        raise _NotPlainError  # the start key is compared with the values of the condition
    parts: list[Hashable] = []
    uses = characters = together = 0
    for member, value in params.items():
        kind = type(value)
        if kind is str:
            uses_here = _uses(value)
            if uses_here is None:
                raise _NotPlainError
            uses += uses_here
            together += len(value)
            parts.append((member, value))
        elif kind is bool or kind is int:
            parts.append((member, kind, value))
        elif kind is not dict:
            raise _NotPlainError
        elif member in _VALUES:
            types, size = _types(value, member, _keys(operation, member, schema))
            if size > (_MOST_CHARACTERS_OF_AN_ITEM if member == "Item" else _MOST_CHARACTERS):
                raise _NotPlainError
            if member == "ExpressionAttributeValues":
                characters = size
            together += size
            parts.append((member, types))
        elif member == "ExpressionAttributeNames":
            parts.append((member, tuple(value.items())))
        else:
            raise _NotPlainError
    if characters * uses > _MOST_CHARACTERS_WITH_USES:
        raise _NotPlainError
    return tuple(parts), together


# Batches and transactions
#
# One is valid if each entry is, no two name the same item, and they are neither too many nor too
# large together.

_Entry = tuple[str, Hashable, int, Hashable]
"""A table name, the likeness of an entry for it, the entry's characters, and the item it names."""


def _of_many(
    operation: str,
    params: dict[str, Any],
    schema: object,
    entries: Any,
) -> Hashable:
    parts: list[Hashable] = [operation]
    member, most, read_entries = entries
    found: list[_Entry] = []
    for name, value in params.items():
        if name == member:
            found = list(read_entries(value, schema))
        elif name == "ClientRequestToken":
            # A new one each time.
            if type(value) is not str or not (
                1 <= len(value) <= _MOST_CHARACTERS_OF_A_TOKEN and value.isascii()
            ):
                raise _NotPlainError
            parts.append(name)
        elif type(value) is str:
            parts.append((name, value))
        else:
            raise _NotPlainError
    if not 1 <= len(found) <= most or len({each[3] for each in found}) < len(found):
        raise _NotPlainError
    if sum(each[2] for each in found) > _MOST_CHARACTERS_OF_A_TRANSACTION:
        raise _NotPlainError
    parts.append(frozenset([each[:2] for each in found]))
    return tuple(parts)


def _of_transaction(entries: Any, schema: object) -> Iterator[_Entry]:
    if type(entries) is not list:
        raise _NotPlainError
    for entry in entries:
        action, part = _only(entry)
        if action not in _ACTIONS or type(part) is not dict:
            raise _NotPlainError
        table = part.get("TableName")
        schema_here = _plain_schema(schema, table)
        parts, size = _of_one(action, part, schema_here)
        item = part.get("Item" if action == "Put" else "Key", {})
        yield str(table), (action, schema_here, parts), size, (table, _identity(item, schema_here))


def _of_writes(tables: Any, schema: object) -> Iterator[_Entry]:
    if type(tables) is not dict:
        raise _NotPlainError
    for table, entries in tables.items():
        schema_here = _plain_schema(schema, table)
        if type(entries) is not list or not entries:
            raise _NotPlainError
        for entry in entries:
            kind, part = _only(entry)
            member, values = _only(part)
            if member != _MEMBERS.get(kind) or type(values) is not dict:
                raise _NotPlainError
            types, size = _types(values, member, _keys("", member, schema_here))
            if size > _MOST_CHARACTERS_OF_AN_ITEM:
                raise _NotPlainError
            yield table, (member, schema_here, types), size, (table, _identity(values, schema_here))


def _of_gets(tables: Any, schema: object) -> Iterator[_Entry]:
    if type(tables) is not dict:
        raise _NotPlainError
    for table, entry in tables.items():
        schema_here = _plain_schema(schema, table)
        keys = entry.get("Keys") if type(entry) is dict else None
        if type(keys) is not list or not keys:
            raise _NotPlainError
        rest = {name: value for name, value in entry.items() if name != "Keys"}
        of_rest, size_of_rest = _of_one("GetItem", rest, schema_here)
        for key in keys:
            if type(key) is not dict:
                raise _NotPlainError
            types, size = _types(key, "Key", _ALL)
            if size > _MOST_CHARACTERS:
                raise _NotPlainError
            like = (schema_here, types, of_rest)
            yield table, like, size + size_of_rest, (table, _identity(key, schema_here))


_MEMBERS: Final = {"PutRequest": "Item", "DeleteRequest": "Key"}
_ENTRIES: Final[dict[str, Any]] = {
    "BatchGetItem": ("RequestItems", MAX_BATCH_GET_KEYS, _of_gets),
    "BatchWriteItem": ("RequestItems", MAX_BATCH_WRITES, _of_writes),
    "TransactGetItems": ("TransactItems", MAX_TRANSACT_ITEMS, _of_transaction),
    "TransactWriteItems": ("TransactItems", MAX_TRANSACT_ITEMS, _of_transaction),
}
"""By operation: the member with the entries, the most entries, and the function that reads them."""


def _only(entry: Any) -> tuple[Any, Any]:
    if type(entry) is not dict or len(entry) != 1:
        raise _NotPlainError
    ((name, inner),) = entry.items()
    return name, inner


def _identity(values: Any, schema: _Schema) -> Hashable:
    """The strings and numbers of a plain item or key. If they differ, it is another item."""
    names: Container[str] = _ALL if schema is None else _key_names(schema)
    try:
        return frozenset(
            [
                (name, content if type_name == "S" else Decimal(content))
                for name, value in values.items()
                if name in names
                for type_name, content in value.items()
                if type_name in ("S", "N")
            ]
        )
    except (AttributeError, TypeError, ValueError, ArithmeticError):
        raise _NotPlainError from None


_OF_CONTENTS: Final = -1
"""Uses of values on which a verdict depends."""
_uses_by_text: Final[Cache[str, int]] = Cache(1_048_576)


def _uses(text: str) -> int | None:
    """How many values an expression may use; None if a verdict depends on their contents."""
    if len(text) > MAX_EXPRESSION_BYTES:
        return None
    uses = _uses_by_text.get(text)
    if uses is None:
        # The order of bounds, and the names of types, are contents.
        is_plain = not ("etween" in text.lower() or "attribute_type" in text or _SUM.search(text))
        uses = text.count(":") if is_plain else _OF_CONTENTS
        _uses_by_text.put(text, uses, 64 + 4 * len(text))
    return None if uses == _OF_CONTENTS else uses


def was_fine(like: Hashable) -> bool:
    """Whether a request that is alike was found valid."""
    try:
        return _fine.get(like) is True
    except TypeError:  # a part cannot be hashed
        return False


def remember_fine(like: Hashable) -> None:
    """Remember that a request that is alike was found valid."""
    try:
        hash(like)
    except TypeError:
        return
    _fine.put(like, True, _size_of_like(like))


def _size_of_like(like: Hashable) -> int:
    """About how many bytes are kept."""
    if type(like) is str:
        return _OF_AN_OBJECT + 4 * len(like)
    if type(like) is tuple or type(like) is frozenset:
        return _OF_AN_OBJECT + sum([_OF_AN_ENTRY + _size_of_like(each) for each in like])
    return _OF_AN_OBJECT


_OF_AN_OBJECT: Final = 64
_OF_AN_ENTRY: Final = 32
"""In a tuple 8, in a set of many up to four times that, with its hash."""


def _keys(operation: str, member: str, schema: _Schema) -> Container[str]:
    """The member's names whose values are checked as those of a key."""
    if member == "Key":
        return _ALL
    if schema is None:
        return ()
    if member == "Item":
        return schema.indexed_names if isinstance(schema, TableSchema) else _key_names(schema)
    return _ALL if member == "ExclusiveStartKey" or operation == "Query" else ()


def _key_names(schema: type[Item] | TableSchema) -> Container[str]:
    return schema.key_names if isinstance(schema, TableSchema) else schema_of(schema).key_names


class _All:
    def __contains__(self, name: object) -> bool:
        return True


_ALL: Final = _All()


def _types(
    values: dict[Any, Any], member: str, keys: Container[str]
) -> tuple[tuple[Hashable, ...], int]:
    """The names and types of plain values, and their size together."""
    types: list[Hashable] = []
    texts: list[str] = []
    size = 0
    for name, given in values.items():
        if type(given) is not dict or len(given) != 1 or type(name) is not str:
            return (), _NOT_PLAIN
        value: dict[Any, Any] = given
        for type_name, content in value.items():  # of which there is one
            of_value = _size(type_name, content, _MOST_LEVELS, texts)
            is_key = name in keys
            if of_value > (_MOST_CHARACTERS_OF_A_KEY if is_key else _MOST_CHARACTERS_OF_AN_ITEM):
                return (), _NOT_PLAIN
            # An empty one may be in a key, or in a condition on a key.
            is_empty = of_value == _OF_A_VALUE and not content and content is not False
            if is_empty and (is_key or member != "Item"):
                return (), _NOT_PLAIN
            size += of_value + len(name)
            types.append(name)
            types.append(type_name)
    together = "".join(texts)
    return tuple(types), size if together.isascii() or is_text(together) else _NOT_PLAIN


def _size(type_name: object, content: Any, levels: int, texts: list[str]) -> int:
    """The characters of a plain value, and what each value within it adds to the size.

    Args:
        texts: receives the texts that must have a UTF-8 form, to be checked together.
    """
    kind = type(content)
    if kind is str:
        text: str = content
        if type_name == "S":
            texts.append(text)
            return _OF_A_VALUE + len(text)
        is_plain = type_name == "N" and len(text) <= _MOST_DIGITS and _is_plain(text)
        return _OF_A_VALUE + len(text) if is_plain else _NOT_PLAIN
    if kind is dict and type_name == "M":
        members: dict[Any, Any] = content
        if len(members) > _FEW:
            return _size_of_many(type_name, content, levels)
        if not levels:
            return _NOT_PLAIN
        size = _OF_A_VALUE
        for name, value in members.items():
            if type(name) is not str or not name:
                return _NOT_PLAIN
            texts.append(name)
            size += _OF_A_VALUE + len(name) + _size_of_one(value, levels - 1, texts)
            if size > _MOST_CHARACTERS_OF_AN_ITEM:  # so the rest is not read
                return _NOT_PLAIN
        return size
    if kind is list:
        elements: list[Any] = content
        if type_name == "L":
            if len(elements) > _FEW:
                return _size_of_many(type_name, content, levels)
            if not levels:
                return _NOT_PLAIN
            size = _OF_A_VALUE
            for value in elements:
                size += _size_of_one(value, levels - 1, texts)
                if size > _MOST_CHARACTERS_OF_AN_ITEM:
                    return _NOT_PLAIN
            return size
        if type_name == "SS" and elements:
            return _size_of_texts(elements, texts)
    elif kind is bool:
        is_plain = type_name == "BOOL" or (type_name == "NULL" and content is True)
        return _OF_A_VALUE if is_plain else _NOT_PLAIN
    elif kind is bytes and type_name == "B":
        return _OF_A_VALUE + len(content)
    return _NOT_PLAIN


def _size_of_many(type_name: object, content: Any, levels: int) -> int:
    # Checking all at once costs less than one by one, with the same result.
    if len(content) > _MOST_VALUES:
        return _NOT_PLAIN
    size_bytes = fine_size_bytes({type_name: content}, levels, most=_MOST_VALUES)
    return _OF_A_VALUE + size_bytes if size_bytes >= 0 else _NOT_PLAIN


def _size_of_one(given: Any, levels: int, texts: list[str]) -> int:
    if type(given) is not dict or len(given) != 1:
        return _NOT_PLAIN
    value: dict[Any, Any] = given
    size = _OF_A_VALUE_WITHIN - _OF_A_VALUE
    for type_name, content in value.items():  # of which there is one
        size += _size(type_name, content, levels, texts)
    return size


def _size_of_texts(members: list[Any], texts: list[str]) -> int:
    count = len(members)
    if count > _FEW:
        if count > _MOST_VALUES or {*map(type, members)} != {str}:
            return _NOT_PLAIN
    else:
        for each in members:
            if type(each) is not str:
                return _NOT_PLAIN
    if count > 1 and len(set(members)) < count:
        return _NOT_PLAIN
    together = "".join(members)
    texts.append(together)
    return _OF_A_VALUE * (1 + count) + len(together)


def _is_plain(number: str) -> bool:
    """Only digits, and perhaps a sign and a point."""
    if number.isdigit():
        return number.isascii()
    digits = number.removeprefix("-").replace(".", "", 1)
    return digits.isdigit() and digits.isascii() and number[-1] != "." and digits != ""
