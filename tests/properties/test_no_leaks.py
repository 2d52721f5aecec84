"""What is stored may be personal data: no message, repr, log or event shows it.

A marker stands in values and in keys of maps, in all places where values come in: from callers,
from JSON, from the table. Whatever is raised or logged on the way, the marker is not in it.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, TypedDict
from uuid import UUID

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynasafe import AsyncDynamoDB, Attr, Item, UpdateBuilder, attr, attribute, check_request
from dynasafe.errors import DynasafeError
from dynasafe.testing import (
    ScriptedTransport,
    condition_failed,
    connection_closed,
    fake_table,
    ok,
    timed_out,
    transaction_canceled,
)
from dynasafe.values.convert import from_attribute_value, to_attribute_value

MARKER = "s3cr3t"
KEY = "k3y"
NUMBER = "31337313373133731337"


class Color(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    label: str = ""


class Card(TypedDict):
    kind: Literal["card"]
    number: str


class Bank(TypedDict):
    kind: Literal["bank"]
    owner: int


class Model(pydantic.BaseModel):
    size: int
    tags: list[str] = []


class Inner(Item):
    city: Attr[str]
    zip: Attr[int] = attribute(default=0)


class Doc(Item):
    id: Attr[str] = attribute(key="partition")
    n: Attr[int] = attribute(default=0)
    text: Attr[str] = attribute(default="")
    amount: Attr[Decimal] = attribute(default=Decimal(0))
    at: Attr[datetime | None] = attribute(default=None)
    until: Attr[datetime | None] = attribute(default=None, ttl=True)
    day: Attr[date | None] = attribute(default=None)
    uuid: Attr[UUID | None] = attribute(default=None)
    color: Attr[Color] = attribute(default=Color.RED)
    data: Attr[bytes] = attribute(default=b"")
    names: Attr[set[str]] = attribute(default_factory=set)
    scores: Attr[list[int]] = attribute(default_factory=list)
    by_key: Attr[dict[str, int]] = attribute(default_factory=dict)
    deep: Attr[dict[str, dict[str, list[int]]]] = attribute(default_factory=dict)
    inner: Attr[Inner | None] = attribute(default=None)
    point: Attr[Point | None] = attribute(default=None)
    model: Attr[Model | None] = attribute(default=None)
    method: Attr[Card | Bank | None] = attribute(default=None)
    version: Attr[int] = attribute(default=0, version=True)


FIELDS = [each.field_name for each in Doc.__dynasafe_schema__.attributes]


class Opaque:
    """Nothing can write it, and its repr tells."""

    def __repr__(self) -> str:
        return MARKER

    __str__ = __repr__


def leaves() -> st.SearchStrategy[Any]:
    return st.sampled_from(
        [
            MARKER,
            f"{MARKER}\ud800",
            f"2030-01-01T{MARKER}",
            f"\n{MARKER}\x1b[31m, valid {MARKER}",
            MARKER.encode(),
            int(NUMBER),
            float(NUMBER),
            Decimal(NUMBER * 3),
            10 ** int(NUMBER[:3]),
            float("nan"),
            True,
            None,
            {MARKER},
            {MARKER, 1},
            set(),
            {float(NUMBER)},
            Opaque(),
            Point(x=MARKER),  # type: ignore[arg-type]
            Point(x=1, label=f"{MARKER}\ud800"),
            Model(size=1, tags=[MARKER]),
            datetime(2030, 1, 1),
            {"city": MARKER, "zip": MARKER},
            {"kind": "card", "number": int(NUMBER)},
            {"kind": MARKER},
            {"size": MARKER, "tags": MARKER},
        ]
    )


VALUES = st.recursive(
    leaves(),
    lambda within: (
        st.lists(within, min_size=1, max_size=2)
        | st.dictionaries(
            st.sampled_from([KEY, f"{KEY}.a", f"{KEY}\ud800", "a"]),
            within,
            min_size=1,
            max_size=2,
        )
        | st.tuples(within)
    ),
    max_leaves=4,
)
WIRE = st.recursive(
    st.sampled_from(
        [
            {"S": MARKER},
            {"S": f"{MARKER}\ud800"},
            {"N": MARKER},
            {"N": NUMBER},
            {"N": NUMBER * 9},
            {"N": f"1E+{NUMBER}"},
            {"B": MARKER},
            {"B": MARKER.encode()},
            {"BOOL": MARKER},
            {"NULL": MARKER},
            {"SS": [MARKER, MARKER]},
            {"SS": MARKER},
            {"NS": [MARKER]},
            {"NS": [NUMBER, NUMBER]},
            {"BS": [MARKER.encode()] * 2},
            {MARKER: MARKER},
            {"S": MARKER, "N": "1"},
            {"S": Opaque()},
            MARKER,
            int(NUMBER),
            {},
            None,
        ]
    ),
    lambda within: (
        st.lists(within, min_size=1, max_size=2).map(lambda content: {"L": content})
        | within.map(lambda content: {"M": {KEY: content, "a": content}})
        | st.lists(within, min_size=1, max_size=2)
    ),
    max_leaves=4,
)

said: list[str] = []
"""What is said on the way."""


class Listener(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        said.append(record.getMessage())


@pytest.fixture(scope="module", autouse=True)
def _listening() -> Iterator[None]:
    handler = Listener()
    logger = logging.getLogger("dynasafe")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield
    logger.removeHandler(handler)
    logger.setLevel(before)


def run(call: Callable[[], Any]) -> None:
    """Make the call; nothing that is said of it has the marker."""
    said.clear()
    try:
        made = call()
        if asyncio.iscoroutine(made):
            made = asyncio.run(made)
        said.extend(str(each) for each in made if type(made) is tuple)
    except (DynasafeError, TypeError, ValueError) as error:
        said.extend((str(error), repr(error)))
        said.append("".join(traceback.format_exception(error)))
        if isinstance(error, DynasafeError):
            # It is for the one who sent the keys.
            said.append(error.public_message.replace(KEY, "*"))
        said.extend(map(repr, getattr(error, "findings", ())))
        said.extend(map(repr, getattr(error, "reasons", ())))
        # Lines of this file are in a traceback: none of them has what the marker is.
    for text in said:
        text.encode()
        assert not [each for each in (MARKER, KEY, NUMBER) if each in text], text


def events(event: object) -> None:
    said.append(repr(event))


def table(*replies: Any) -> Any:
    db = AsyncDynamoDB.over(ScriptedTransport(replies, otherwise=ok()), hooks=(events,))
    return db.table("docs", Doc)


TYPED: dict[str, Callable[[str, Any], Any]] = {
    "an item": lambda field, value: table().put_item(Doc(**{"id": "x", field: value})),
    "to_dict": lambda field, value: Doc(**{"id": "x", field: value}).to_dict(mode="json"),
    "from_dict": lambda field, value: Doc.from_dict({"id": "x", field: value}),
    "patch": lambda field, value: UpdateBuilder(Doc).patch({field: value}).expressions(),
    "set": lambda field, value: UpdateBuilder(Doc).set(getattr(Doc, field), value).expressions(),
    "condition": lambda field, value: repr(
        UpdateBuilder(Doc).set(Doc.n, 1).condition(getattr(Doc, field) == value)
    ),
    "add": lambda field, value: UpdateBuilder(Doc).add(getattr(Doc, field), value).expressions(),
    "key": lambda field, value: table().get_item({"id": value}),
    "memory": lambda field, value: fake_table(Doc).put_item(Doc(**{"id": "x", field: value})),
    "memory, update": lambda field, value: fake_table(Doc).update_item(
        {"id": "x"}, UpdateBuilder(Doc).set(getattr(Doc, field), value)
    ),
}
PLAIN: dict[str, Callable[[Any], Any]] = {
    "write": to_attribute_value,
    "from_patch": lambda value: repr(UpdateBuilder.from_patch({"a": value}, allow={"a"})),
    "key": lambda value: UpdateBuilder().set("a", 1).build(key={"id": value}),
    "between": lambda value: repr(
        UpdateBuilder().set("a", 1).condition(attr("a").between(value, 1))
    ),
    "contains": lambda value: UpdateBuilder().set("a", attr("a") + value).build(key={"id": "x"}),
    "resource form": lambda value: check_request(
        "PutItem", {"Item": {"id": "x", "a": value}}, form="resource"
    ),
}
STORED: dict[str, Callable[[str, Any], Any]] = {
    "image": lambda field, wire: repr(type(Doc.from_image({"id": {"S": "x"}, field: wire}))),
    "get": lambda field, wire: table(ok({"Item": {"id": {"S": "x"}, field: wire}})).get_item(
        {"id": "x"}
    ),
    "query": lambda field, wire: (
        table(ok({"Items": [{"id": {"S": "x"}, field: wire}], "Count": 1, "ScannedCount": 1}))
        .query(Doc.id == "x")
        .to_list()
    ),
    "refused": lambda field, wire: table(
        condition_failed({"id": {"S": "x"}, field: wire})
    ).update_item({"id": "x"}, UpdateBuilder(Doc).increment(Doc.n, 1), condition=Doc.n == 3),
    "lost": lambda field, wire: table(connection_closed(), timed_out()).update_item(
        {"id": "x"}, UpdateBuilder(Doc).increment(Doc.n, 1).set(Doc.text, MARKER)
    ),
    "plain": lambda field, wire: from_attribute_value(wire),
}
RAW: dict[str, Callable[[Any, Any], Any]] = {
    "put": lambda wire, form: check_request(
        "PutItem", {"TableName": "docs", "Item": {"id": {"S": "x"}, "a": wire}}, form=form
    ),
    "put, typed": lambda wire, form: check_request(
        "PutItem", {"TableName": "docs", "Item": {"id": wire, "n": wire}}, schema=Doc, form=form
    ),
    "get": lambda wire, form: check_request(
        "GetItem", {"TableName": "docs", "Key": {"id": wire}}, schema=Doc, form=form
    ),
    "update": lambda wire, form: check_request(
        "UpdateItem",
        {
            "TableName": "docs",
            "Key": {"id": {"S": "x"}},
            "UpdateExpression": "SET a = :a + :b, b = list_append(:a, :b)",
            "ConditionExpression": "a BETWEEN :a AND :b AND attribute_type(a, :a)",
            "ExpressionAttributeValues": {":a": wire, ":b": wire},
        },
        form=form,
    ),
    "query": lambda wire, form: check_request(
        "Query",
        {
            "TableName": "docs",
            "KeyConditionExpression": "id = :a",
            "ExclusiveStartKey": {"id": wire},
            "ExpressionAttributeValues": {":a": wire},
        },
        schema=Doc,
        form=form,
    ),
    "batch": lambda wire, form: check_request(
        "BatchWriteItem",
        {"RequestItems": {"docs": [{"PutRequest": {"Item": {"id": wire}}}] * 2}},
        schema={"docs": Doc},
        form=form,
    ),
    "transaction": lambda wire, form: check_request(
        "TransactWriteItems",
        {
            "TransactItems": [{"Put": {"TableName": "docs", "Item": {"id": wire, "a": wire}}}] * 2,
            "ClientRequestToken": MARKER,
        },
        form=form,
    ),
    "legacy": lambda wire, form: check_request(
        "PutItem",
        {
            "TableName": "docs",
            "Item": {"id": {"S": "x"}},
            "Expected": {
                "a": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [wire, wire]}
            },
        },
        form=form,
    ),
    "statement": lambda wire, form: check_request(
        "ExecuteStatement", {"Statement": "SELECT * FROM docs", "Parameters": [wire]}, form=form
    ),
    "call": lambda wire, form: AsyncDynamoDB.over(ScriptedTransport(otherwise=ok())).call(
        "PutItem", {"TableName": "docs", "Item": {"id": wire}}
    ),
}


@given(kind=st.sampled_from(sorted(TYPED)), field=st.sampled_from(FIELDS), value=VALUES)
@settings(max_examples=300)
def test_typed(kind: str, field: str, value: Any) -> None:
    """No error, event or log shows a value for an attribute of a class."""
    run(lambda: TYPED[kind](field, value))


@given(kind=st.sampled_from(sorted(PLAIN)), value=VALUES)
def test_plain(kind: str, value: Any) -> None:
    """No error, event or log shows a value for an attribute without a type."""
    run(lambda: PLAIN[kind](value))


@given(kind=st.sampled_from(sorted(STORED)), field=st.sampled_from(FIELDS), wire=WIRE)
@settings(max_examples=200)
def test_stored(kind: str, field: str, wire: Any) -> None:
    """No error, event or log shows a stored value, also one that a refusal returns."""
    run(lambda: STORED[kind](field, wire))


@given(
    kind=st.sampled_from(sorted(RAW)),
    wire=WIRE,
    form=st.sampled_from([None, "client", "wire", "resource"]),
)
@settings(max_examples=300)
def test_raw(kind: str, wire: Any, form: Any) -> None:
    """No error, event or log shows a value of a request that was written by hand."""
    run(lambda: RAW[kind](wire, form))


@given(wire=WIRE)
def test_cancelled_transactions(wire: Any) -> None:
    """No error, event or log shows an item of a cancelled transaction's reasons."""
    reply = transaction_canceled("ConditionalCheckFailed", items=[{"id": {"S": "x"}, "n": wire}])
    db = AsyncDynamoDB.over(ScriptedTransport([reply]), hooks=(events,))
    docs = db.table("docs", Doc)
    run(lambda: db.transact_write_items([docs.put(Doc(id="x", text=MARKER))]))
