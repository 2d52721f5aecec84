"""Rules about PartiQL statements: the number of parameters, and the key in the WHERE.

A statement is not parsed: the engine does that. Known are only whether it reads or writes, how many
parameters it needs and, with a table's schema, whether it can name one item.

Sources: "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction", Amazon DynamoDB API
Reference; "PartiQL update statements for DynamoDB" and "PartiQL delete statements for DynamoDB",
Amazon DynamoDB Developer Guide: a WHERE that does not name one item is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dynasafe.validation.report import Report
from dynasafe.validation.table_schema import table_schema
from dynasafe.validation.value_rules import check_attribute_value

_TOKEN = re.compile(
    r"(?P<skipped>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<text>'(?:[^']|'')*')"
    r'|(?P<name>"(?:[^"]|"")*")'
    r"|(?P<word>[^\W\d][\w$]*)"
    r"|(?P<place>\?)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_ONE_ITEM = frozenset({"DELETE", "UPDATE"})
"""What writes one item, which its WHERE names by all of its key."""
_PLACE = "Statement"


class Token(NamedTuple):
    """A part of a statement. Of words, `text` is upper case; of quoted names, what they quote."""

    kind: str
    text: str
    name: str


def check_statement(statement: Mapping[str, Any], schema: object, report: Report) -> None:
    """A statement has as many parameters as places for them, and names the item that it writes."""
    parameters = statement.get("Parameters", ())
    for index, value in enumerate(parameters):
        check_attribute_value(value, f"Parameters[{index}]", report)
    text = statement.get(_PLACE)
    if text is None:
        return
    tokens = list(tokens_of(text))
    places = sum(each.kind == "place" for each in tokens)
    given = len(parameters)
    if places != given:
        report.add(
            "DYS187",
            "Number of parameters in request and statement don't match.",
            "Parameters",
            f"give one parameter for each ?: the statement has {places}, and {given} are given",
        )
    _check_keys(tokens, schema, report)


def tokens_of(text: str) -> Iterator[Token]:
    """The parts of a statement, without comments."""
    for found in _TOKEN.finditer(text):
        kind = str(found.lastgroup)
        part = found.group()
        if kind == "name":
            yield Token(kind, part, part[1:-1].replace('""', '"'))
        elif kind != "skipped":
            yield Token(kind, part.upper() if kind == "word" else part, part)


def _check_keys(tokens: list[Token], schema: object, report: Report) -> None:
    verb = tokens[0].text if tokens else ""
    table_name = _table_name(tokens, verb) if verb in _ONE_ITEM else None
    known = None if table_name is None or schema is None else table_schema(schema, table_name)
    if known is None:
        return
    # Names are compared without their case: an unquoted one may be written in any.
    named = {name.lower() for name in _names_of_where(tokens)}
    missing = [each.name for each in known.key.attributes if each.name.lower() not in named]
    if missing:
        keys = " AND ".join(f'"{each.name}" = ?' for each in known.key.attributes)
        report.add(
            "DYS189",
            "Where clause does not contain a mandatory equality on all key attributes",
            _PLACE,
            f"a statement writes one item: end it with WHERE {keys}",
        )


def _table_name(tokens: list[Token], verb: str) -> str | None:
    """The table that a statement writes; None where the name is not where it should be."""
    index = 1 if verb == "UPDATE" else 2
    if len(tokens) <= index or (verb == "DELETE" and tokens[1].text != "FROM"):
        return None
    token = tokens[index]
    return token.name if token.kind in ("name", "word") else None


def _names_of_where(tokens: list[Token]) -> Iterator[str]:
    """The names in the WHERE, of whatever they are."""
    is_within = False
    for token in tokens:
        if token.kind == "word" and token.text == "WHERE":
            is_within = True
        elif is_within and token.kind in ("name", "word"):
            yield token.name
