"""One request in three forms: as it is sent, as a client takes it, and as boto3's Table does."""

from __future__ import annotations

import base64
import math
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, DecimalException
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary, TypeSerializer
from botocore.exceptions import ParamValidationError
from hypothesis import given
from hypothesis import strategies as st

from dynasafe import check_request
from dynasafe.validation import Form
from dynasafe.validation.report import Report
from dynasafe.validation.resource_form import from_resource_form
from tests.support.people import Person

CLIENT: Any = boto3.client(
    "dynamodb",
    endpoint_url="http://127.0.0.1:1",
    region_name="us-east-1",
    aws_access_key_id="a",
    aws_secret_access_key="b",
)


def codes(item: Mapping[str, Any], form: Form) -> list[str]:
    params = {"TableName": "table", "Item": item}
    return [each.code for each in check_request("PutItem", params, form=form)]


# Binary


@pytest.mark.parametrize(
    ("value", "in_client", "on_wire"),
    [
        ({"B": "text!"}, [], ["DYS110"]),
        ({"B": "YQ=="}, [], []),
        ({"B": ""}, [], []),
        ({"B": b"text!"}, [], ["DYS110"]),
        ({"B": bytearray(b"a")}, [], ["DYS110"]),
        ({"B": "\ud800"}, ["DYS110"], ["DYS110"]),
        ({"B": Binary(b"a")}, ["DYS110"], ["DYS110"]),
        ({"BS": ["text!", b"a"]}, [], ["DYS110"]),
        ({"BS": ["YQ==", "a"]}, [], ["DYS110"]),
        ({"BS": ["a", b"a"]}, ["DYS118"], ["DYS110"]),
        ({"BS": ["YQ==", "YQ=="]}, ["DYS118"], ["DYS118"]),
        ({"L": [{"M": {"b": {"B": "text!"}}}]}, [], ["DYS110"]),
    ],
)
def test_text_for_binary(value: Any, in_client: list[str], on_wire: list[str]) -> None:
    """Text for B is encoded by botocore in a client's call, and base64 in what is sent."""
    assert codes({"pk": {"S": "a"}, "b": value}, "client") == in_client
    assert codes({"pk": {"S": "a"}, "b": value}, "wire") == on_wire


@pytest.mark.parametrize("nest", [lambda b: b, lambda b: {"L": [{"M": {"b": b}}]}])
@pytest.mark.parametrize(("size", "in_client", "on_wire"), [(450_000, 1, 0), (300_000, 0, 0)])
def test_size_of_text_for_binary(nest: Any, size: int, in_client: int, on_wire: int) -> None:
    """A client's text counts as it is, base64 by what it stands for."""
    item = {"pk": {"S": "a"}, "b": nest({"B": "A" * size})}

    assert codes(item, "client") == ["DYS135"] * in_client
    assert codes(item, "wire") == ["DYS135"] * on_wire


def test_key_of_text_for_binary() -> None:
    """The longest key of text, and one byte more; in base64 it is a quarter shorter."""
    fine, too_long = {"B": "A" * 2048}, {"B": "A" * 2052}
    for form, expected in (("client", ["DYS133"]), ("wire", [])):
        for key, found in ((fine, []), (too_long, expected)):
            params = {"TableName": "table", "Key": {"pk": key}}
            assert [f.code for f in check_request("GetItem", params, form=form)] == found  # type: ignore[arg-type]


def test_two_texts_for_one_binary() -> None:
    """A batch that names an item once as text and once as bytes names it twice."""
    puts = [{"PutRequest": {"Item": {"pk": {"B": each}}}} for each in ("ab", b"ab")]

    findings = check_request("BatchWriteItem", {"RequestItems": {"table": puts}}, form="client")

    assert [each.code for each in findings] == ["DYS172"]


@given(content=st.text(max_size=8) | st.binary(max_size=8))
def test_client_form_is_what_botocore_sends(content: str | bytes) -> None:
    """What botocore sends of a client's request has the same verdict on the wire."""
    raw = content.encode(errors="surrogatepass") if isinstance(content, str) else content
    sent = {"pk": {"S": "a"}, "b": {"B": base64.b64encode(raw).decode()}}

    assert codes({"pk": {"S": "a"}, "b": {"B": content}}, "client") == codes(sent, "wire") == []


# What the service overlooks


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"Nope": 1}, "DYS104"),
        ({"ConditionExpression": None}, "DYS103"),
        ({"Item": {"pk": {"S": "a", "N": None}}}, "DYS103"),
        ({"Item": {"pk": {"S": "a", "STRING": "a"}}}, "DYS111"),
        ({"Item": {"pk": {"S": "a"}, "b": {"L": [{"S": "a", "X": 1}]}}}, "DYS111"),
        ({"Item": {"pk": {"S": "a"}, "b": {"BOOL": "true"}}}, "DYS110"),
    ],
)
def test_overlooked(members: dict[str, Any], code: str) -> None:
    """What the service overlooks and boto3 refuses is a finding in a client's form only."""
    params = {"TableName": "table", "Item": {"pk": {"S": "a"}}, **members}

    with pytest.raises(ParamValidationError):
        CLIENT.put_item(**params)
    assert [each.code for each in check_request("PutItem", params, form="client")] == [code]
    assert check_request("PutItem", params, form="wire") == ()


@pytest.mark.parametrize("value", [{"STRING": "a"}, {"S": None}])
def test_nothing_but_what_is_overlooked(value: dict[str, Any]) -> None:
    """Without it there is no value; in a client's form it is named as well."""
    item = {"pk": {"S": "a"}, "b": value}

    assert codes(item, "wire") == ["DYS112"]
    assert codes(item, "client") == ["DYS112", "DYS111" if "STRING" in value else "DYS103"]


@pytest.mark.parametrize("value", [{"B": "hi"}, {"BS": ["x"]}, {"L": [{"B": "x"}]}])
def test_malformed_base64_anywhere(value: dict[str, Any]) -> None:
    """It is a finding of the parser, in a value of an expression as well."""
    params = {
        "TableName": "table",
        "Key": {"pk": {"S": "a"}},
        "UpdateExpression": "SET b = :v",
        "ExpressionAttributeValues": {":v": value},
    }
    transaction = {"TransactItems": [{"Update": params}]}

    for operation, request in (("UpdateItem", params), ("TransactWriteItems", transaction)):
        assert check_request(operation, request, form="client") == ()
        findings = check_request(operation, request, form="wire")
        assert findings[0].exception == "SerializationException"


# boto3's serializer


class Number(IntEnum):
    ONE = 1


class Text(StrEnum):
    A = "a"


PYTHON_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(-(10**40), 10**40),
        st.floats(),
        st.decimals(),
        st.text(max_size=3),
        st.binary(max_size=3),
        st.sampled_from(
            [
                *(bytearray(b"a"), Binary(b"b"), memoryview(b"c"), Number.ONE, Text.A, UUID(int=1)),
                *(datetime.now(UTC), object, range(2), deque([1]), Decimal("0E-200"), 10**38),
                *(set(), frozenset({"a"}), {1, Decimal("1.5")}, {b"a", Binary(b"b")}, {1, "a"}),
                *({True, 2}, {1.5}, {math.inf}, {(1, 2)}, {Decimal("NaN")}, Person, "\ud800"),
            ]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=2).map(tuple),
        st.dictionaries(st.text(max_size=2) | st.integers(), inner, max_size=3),
        st.dictionaries(st.text(max_size=2), inner, max_size=1).map(MappingProxyType),
    ),
    max_leaves=6,
)


@given(value=PYTHON_VALUES)
def test_resource_form_is_boto3s(value: object) -> None:
    """A value becomes what boto3 makes of it, and is refused where boto3 raises."""
    report = Report()
    ours = from_resource_form("PutItem", {"Item": {"a": value}}, report)["Item"]["a"]
    try:
        theirs = TypeSerializer().serialize(value)
    except (TypeError, DecimalException):
        assert [each.code for each in report.findings[:1]] == ["DYS114"]
    else:
        assert report.findings == []
        assert ours == theirs


@pytest.mark.parametrize(
    ("value", "words", "fix"),
    [
        (1.5, "a value of type float", "give a Decimal"),
        (datetime.now(UTC), "a value of type datetime", "give text"),
        (UUID(int=1), "a value of type UUID", "give text"),
        (10**38, "a number that it would have to round", "round it to 38 digits"),
        (Decimal("NaN"), "an infinite number or NaN", "store it as a string"),
        ({1, "a"}, "a set of different types", "give texts only"),
        (Person(id="p", name="n"), "a value of type Person", "give text"),
    ],
)
def test_words_of_what_boto3_refuses(value: object, words: str, fix: str) -> None:
    """The finding names the type and the place, in a value and in a condition alike."""
    in_item = {"Item": {"pk": "a", "x": [{"y": value}]}}
    in_condition = {"FilterExpression": Attr("a").eq(1) & ~Attr("b").is_in([value])}
    for operation, params, place in (
        ("PutItem", in_item, "Item.x[0].*"),
        ("Scan", in_condition, "FilterExpression"),
    ):
        (finding,) = check_request(operation, params, form="resource")
        assert finding.message == f"boto3 does not serialize {words}"
        assert finding.where.parameter == place
        assert finding.fix.startswith(fix)


def test_value_that_holds_itself() -> None:
    """It is too deep, and ends."""
    endless: list[Any] = []
    endless.append(endless)

    (finding,) = check_request("PutItem", {"Item": {"pk": "a", "x": endless}}, form="resource")

    assert finding.code == "DYS115"


def test_conditions_of_boto3() -> None:
    """Values of every operator of boto3 are read."""
    query = {
        "KeyConditionExpression": Key("pk").eq("a") & Key("sk").between(1, Decimal(2)),
        "FilterExpression": Attr("a").size().gt(1) | Attr("b").contains(b"x") | Attr("c").exists(),
    }

    assert check_request("Query", query, form="resource") == ()
