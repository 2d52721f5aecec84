"""check_request and DynamoDB Local on the same requests, valid and broken ones.

`DIFFERENCES` has what is known to differ, with the reason.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynasafe.testing.engines import Engine
from dynasafe.values.convert import to_attribute_map
from tests.integration.conftest import boto3_client, key_schema
from tests.properties.update_strategies import true_conditions, updates
from tests.support.budgets import examples
from tests.support.requests import send
from tests.support.words import check_as_before

TABLE = "conformance"
KEY = {"pk": {"S": "k"}, "sk": {"N": "1"}}
METHODS = {
    "UpdateItem": "update_item",
    "PutItem": "put_item",
    "GetItem": "get_item",
    "DeleteItem": "delete_item",
    "Query": "query",
    "Scan": "scan",
}
# What only the stored item decides.
OF_THE_STORED_ITEM = (
    "The document path provided in the update expression is invalid for update",
    "An operand in the update expression has an incorrect data type",
    "The provided expression refers to an attribute that does not exist in the item",
)
# Where the emulator's words are its own. Left: its words; right: the service's, which are ours,
# as dynalite's authors recorded them.
DIFFERENCES: dict[str, str] = {
    "The number of conditions on the keys is invalid": (
        "The provided key element does not match the schema"
    ),
    "One of the required keys was not given a value": (
        "The provided key element does not match the schema"
    ),
    "One or more parameter values were invalid: Type mismatch for key": (
        "The provided key element does not match the schema"
    ),
    "Return values set to invalid value": "ReturnValues can only be ALL_OLD or NONE",
    "A value provided cannot be converted into a number": (
        "The parameter cannot be converted to a numeric value"
    ),
    "DynamoDB only supports precision up to 38 digits": (
        "Attempting to store more than 38 significant digits in a Number"
    ),
    "Cannot have two attributes with the same name": (
        "One or more parameter values were invalid: Duplicate value in attribute name: a"
    ),
}


@dataclass
class Judge:
    """The engine, and a table whose schema it knows."""

    client: Any
    schema: Any

    def refusal(self, operation: str, params: dict[str, Any]) -> str | None:
        """What the engine says against the request, if anything."""
        try:
            getattr(self.client, METHODS[operation])(**params)
        except ClientError as error:
            message: str = error.response["Error"]["Message"]
            code = error.response["Error"]["Code"]
            if code == "ConditionalCheckFailedException" or message in OF_THE_STORED_ITEM:
                return None
            return message
        except ParamValidationError as error:
            return str(error)
        return None


@pytest.fixture
def judge(dynamodb_local: Engine) -> Iterator[Judge]:
    client = boto3_client(dynamodb_local)
    client.create_table(
        TableName=TABLE, BillingMode="PAY_PER_REQUEST", **key_schema(pk="S", sk="N")
    )
    yield Judge(client, client.describe_table(TableName=TABLE))
    client.delete_table(TableName=TABLE)


Mutation = Callable[[dict[str, Any]], None]


def member(name: str, value: Any) -> Mutation:
    return lambda params: params.update({name: value})


def in_values(value: Any) -> Mutation:
    """Another value in the place of the first."""

    def mutate(params: dict[str, Any]) -> None:
        values = params.get("ExpressionAttributeValues") or {}
        for name in list(values)[:1]:
            values[name] = value

    return mutate


def without(name: str) -> Mutation:
    def mutate(params: dict[str, Any]) -> None:
        for placeholder in list(params.get(name) or {})[:1]:
            del params[name][placeholder]

    return mutate


def text(change: Callable[[str], str]) -> Mutation:
    return lambda params: params.update(
        {"UpdateExpression": change(params.get("UpdateExpression", ""))}
    )


def extra(name: str, key: str, value: Any) -> Mutation:
    return lambda params: params.update({name: {**(params.get(name) or {}), key: value}})


S, N = {"S": "x"}, {"N": "1"}
MUTATIONS: dict[str, Mutation] = {
    "nothing": lambda params: None,
    "empty names": member("ExpressionAttributeNames", {}),
    "empty values": member("ExpressionAttributeValues", {}),
    "undefined name": without("ExpressionAttributeNames"),
    "undefined value": without("ExpressionAttributeValues"),
    "unused name": extra("ExpressionAttributeNames", "#unused", "x"),
    "unused value": extra("ExpressionAttributeValues", ":unused", S),
    "bad name key": extra("ExpressionAttributeNames", "unused", "x"),
    "bad value key": extra("ExpressionAttributeValues", "unused", S),
    "empty name": extra("ExpressionAttributeNames", "#unused", ""),
    "empty expression": text(lambda _: ""),
    "trailing comma": text(lambda old: old + ","),
    "clause twice": text(lambda old: old + " REMOVE zz REMOVE yy"),
    "reserved word": text(lambda old: old + " REMOVE status"),
    "key in the update": text(lambda _: "REMOVE pk"),
    "sort key in the update": text(lambda _: "SET sk.a = :v"),
    "double brackets": text(lambda _: "SET a = ((b))"),
    "overlap": text(lambda _: "REMOVE a, a.b"),
    "conflict": text(lambda _: "REMOVE a[1], a.b"),
    "unknown function": text(lambda _: "SET a = foo(b)"),
    "too deep a path": text(lambda _: "REMOVE a" + ".b" * 32),
    "too long": text(lambda _: "REMOVE " + "a" * 4100),
    "empty value": in_values({}),
    "two types": in_values({"S": "x", "N": "1"}),
    "no number": in_values({"N": "abc"}),
    "39 digits": in_values({"N": "1" * 39}),
    "too large": in_values({"N": "1E126"}),
    "too small": in_values({"N": "1E-131"}),
    "empty set": in_values({"SS": []}),
    "empty number set": in_values({"NS": []}),
    "duplicates": in_values({"NS": ["1", "1.0"]}),
    "false null": in_values({"NULL": False}),
    "nested no number": in_values({"L": [{"M": {"a": {"N": "x"}}}]}),
    "no key": member("Key", {}),
    "half a key": member("Key", {"pk": S}),
    "key of another type": member("Key", {"pk": N, "sk": N}),
    "empty key": member("Key", {"pk": {"S": ""}, "sk": N}),
    "too much key": member("Key", {**KEY, "x": S}),
    "bad condition": member("ConditionExpression", "attribute_exists(:nope)"),
    "empty condition": member("ConditionExpression", ""),
    "true condition": member("ConditionExpression", "attribute_exists(pk) OR NOT pk = sk"),
    "self-comparison": member("ConditionExpression", "a = a"),
    "size of what": member("ConditionExpression", "size(a) AND b"),
    "legacy beside": member("Expected", {"a": {"Exists": False}}),
    "no table": member("TableName", "missing-table-name"),
}
BASE: dict[str, Any] = {
    "TableName": TABLE,
    "Key": KEY,
    "UpdateExpression": "SET #n = :v, b = :w",
    "ExpressionAttributeNames": {"#n": "name"},
    "ExpressionAttributeValues": {":v": S, ":w": N},
}
UNDECIDABLE = {"no table"}  # only the service knows which tables there are


def judged(judge: Judge, operation: str, params: dict[str, Any]) -> tuple[str | None, list[str]]:
    theirs = judge.refusal(operation, copy.deepcopy(params))
    ours = [finding.message for finding in check_as_before(operation, params, schema=judge.schema)]
    return theirs, ours


def same_words(theirs: str, ours: list[str]) -> bool:
    words = next((ours_ for left, ours_ in DIFFERENCES.items() if left in theirs), None)
    if words is not None:
        return any(words in each for each in ours)
    # The emulator leaves out a number or a name here and there, and we leave out values.
    start = theirs.rstrip(";")
    return any(each.startswith(start) or theirs.startswith(each) for each in ours)


@settings(suppress_health_check=list(HealthCheck), max_examples=examples(1000))
@given(data=st.data())
def test_any_update_has_the_engines_verdict(judge: Judge, data: st.DataObject) -> None:
    """Any update, valid or broken, is accepted or refused as the engine does."""
    item, builder, _ = data.draw(updates())
    if data.draw(st.booleans()):
        builder.condition(data.draw(true_conditions(item)))
    stored = {**KEY, **to_attribute_map({n: v for n, v in item.items() if n not in ("pk", "sk")})}
    url = judge.client.meta.endpoint_url
    assert send(url, "PutItem", {"TableName": TABLE, "Item": stored}) == ("", "")
    params = builder.build_client(table_name=TABLE, key={"pk": "k", "sk": 1})
    params = copy.deepcopy(params)
    names = data.draw(st.lists(st.sampled_from(sorted(MUTATIONS)), max_size=2, unique=True))
    for name in names:
        MUTATIONS[name](params)

    theirs, ours = judged(judge, "UpdateItem", params)

    if UNDECIDABLE & set(names):
        return
    assert (theirs is None) is (ours == []), (names, theirs, ours)


@pytest.mark.parametrize("name", sorted(MUTATIONS.keys() - UNDECIDABLE))
def test_one_fault_has_the_engines_words(judge: Judge, name: str) -> None:
    """An update with one fault is refused in the engine's words."""
    params = copy.deepcopy(BASE)
    MUTATIONS[name](params)

    theirs, ours = judged(judge, "UpdateItem", params)

    if theirs is None:
        assert ours == []
    else:
        assert ours, theirs
        if "Parameter validation failed" not in theirs:
            assert same_words(theirs, ours), (theirs, ours)


def test_two_faults_have_the_engines_verdict(judge: Judge) -> None:
    """All pairs of faults. Which of two is reported first is left open: the emulator looks at the
    table's keys before the expressions, the service the other way round.
    """
    names = sorted(MUTATIONS.keys() - UNDECIDABLE)
    refused = same = 0
    different: list[tuple[str, str, str, list[str]]] = []
    for one in names:
        for other in names:
            params = copy.deepcopy(BASE)
            MUTATIONS[one](params)
            MUTATIONS[other](params)
            theirs, ours = judged(judge, "UpdateItem", params)
            assert (theirs is None) is (ours == []), (one, other, theirs, ours)
            if theirs is None or "Parameter validation failed" in theirs:
                continue
            refused += 1
            same += same_words(theirs, ours)
            if not same_words(theirs, ours):
                different.append((one, other, theirs, ours))

    assert refused > 1000
    assert same / refused >= 0.99, different


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("PutItem", {"Item": KEY}),
    ("PutItem", {"Item": {"pk": S}}),
    ("PutItem", {"Item": {**KEY, "sk": S}}),
    ("PutItem", {"Item": {**KEY, "pk": {"S": ""}}}),
    ("PutItem", {"Item": {**KEY, "a": {"S": "x" * 409_600}}}),
    ("PutItem", {"Item": KEY, "ReturnValues": "ALL_NEW"}),
    ("PutItem", {"Item": KEY, "ReturnValues": "ALL_OLD"}),
    ("PutItem", {"Item": {**KEY, "a": {"NS": ["x"]}}}),
    ("PutItem", {"Item": KEY, "ExpressionAttributeNames": {"#a": "b"}}),
    ("PutItem", {"Item": KEY, "ExpressionAttributeValues": {":a": S}}),
    ("DeleteItem", {"Key": KEY, "ReturnValues": "UPDATED_NEW"}),
    ("DeleteItem", {"Key": KEY, "ConditionExpression": "a BETWEEN :a AND :b"}),
    ("GetItem", {"Key": KEY, "ProjectionExpression": "a, b.c, d[0]"}),
    ("GetItem", {"Key": KEY, "ProjectionExpression": "a, a.b"}),
    ("GetItem", {"Key": KEY, "ProjectionExpression": "a,"}),
    ("GetItem", {"Key": KEY, "ProjectionExpression": "a", "AttributesToGet": ["a"]}),
    ("GetItem", {"Key": KEY, "AttributesToGet": ["a", "a"]}),
    ("Query", {}),
    *(
        (
            "Query",
            {"KeyConditionExpression": condition, "ExpressionAttributeValues": values, **more},
        )
        for condition, values, more in [
            ("pk = :v", {":v": S}, {}),
            ("pk = :v AND sk > :n", {":v": S, ":n": N}, {}),
            ("sk > :n AND :v = pk", {":v": S, ":n": N}, {}),
            ("sk = :n", {":n": N}, {}),
            ("pk > :v", {":v": S}, {}),
            ("pk = :v OR sk = :n", {":v": S, ":n": N}, {}),
            ("NOT pk = :v", {":v": S}, {}),
            ("pk = :v AND sk <> :n", {":v": S, ":n": N}, {}),
            ("pk = :v AND sk IN (:n)", {":v": S, ":n": N}, {}),
            ("pk = :v AND contains(sk, :n)", {":v": S, ":n": N}, {}),
            ("pk = :v AND size(sk) = :n", {":v": S, ":n": N}, {}),
            ("pk = :v AND sk = :n AND sk = :n", {":v": S, ":n": N}, {}),
            ("pk = :v AND sk = :n AND x = :n", {":v": S, ":n": N}, {}),
            ("pk = :v AND begins_with(sk, :v)", {":v": S}, {}),
            ("pk = :v AND x = :n", {":v": S, ":n": N}, {}),
            ("pk = sk", None, {}),
            ("pk = :n", {":n": N}, {}),
            ("pk = :v", {":v": {"S": ""}}, {}),
            ("pk.a = :v", {":v": S}, {}),
            ("pk = :v AND sk BETWEEN :n AND :m", {":v": S, ":n": N, ":m": {"N": "2"}}, {}),
            ("pk = :v AND sk BETWEEN :m AND :n", {":v": S, ":n": N, ":m": {"N": "2"}}, {}),
            ("pk = :v", {":v": S}, {"FilterExpression": "pk = :v"}),
            ("pk = :v", {":v": S}, {"FilterExpression": "sk = :v"}),
            ("pk = :v", {":v": S}, {"FilterExpression": "a = :v"}),
            ("pk = :v", {":v": S}, {"Select": "COUNT"}),
            ("pk = :v", {":v": S}, {"Select": "COUNT", "ProjectionExpression": "a"}),
            ("pk = :v", {":v": S}, {"Select": "SPECIFIC_ATTRIBUTES"}),
            ("pk = :v", {":v": S}, {"Select": "ALL_PROJECTED_ATTRIBUTES"}),
            ("pk = :v", {":v": S}, {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "a"}),
            ("pk = :v", {":v": S}, {"IndexName": "nope"}),
        ]
    ),
    ("Scan", {}),
    ("Scan", {"Segment": 1}),
    ("Scan", {"TotalSegments": 2}),
    ("Scan", {"TotalSegments": 2, "Segment": 1}),
    ("Scan", {"TotalSegments": 2, "Segment": 2}),
    ("Scan", {"TotalSegments": 1_000_001, "Segment": 0}),
    ("Scan", {"FilterExpression": "a = :v", "ExpressionAttributeValues": {":v": S}}),
    ("Scan", {"FilterExpression": "a = :v"}),
    ("Scan", {"ExpressionAttributeValues": {":v": S}}),
]
# Messages of ours that are the service's where the emulator has its own.
OWN_WORDS = {
    "One of the required keys was not given a value": "Missing the key sk in the item",
    "One or more parameter values were invalid: Type mismatch for key": "Type mismatch for key sk",
    "If segment is specified": "The TotalSegments parameter is required",
    "If total segments is specified": "The Segment parameter is required",
    "Value '2' at 'segment'": "The Segment parameter is zero-based",
    "Key attributes must be scalars": "cannot have conditions on nested attributes",
}


@pytest.mark.parametrize(("operation", "members"), REQUESTS)
def test_requests_have_the_engines_words(
    judge: Judge, operation: str, members: dict[str, Any]
) -> None:
    """Each request is accepted or refused as the engine does, in its words."""
    given_ = {name: value for name, value in members.items() if value is not None}
    params = {"TableName": TABLE, **copy.deepcopy(given_)}

    theirs, ours = judged(judge, operation, params)

    assert (theirs is None) is (ours == []), (theirs, ours)
    if theirs is not None:
        own = next((words for left, words in OWN_WORDS.items() if left in theirs), None)
        if own is not None:
            assert any(own in each for each in ours), (theirs, ours)
        else:
            assert same_words(theirs, ours), (theirs, ours)


# Limits: the largest that is accepted and the smallest that is refused


def update(expression: str, **members: Any) -> dict[str, Any]:
    return {"Key": KEY, "UpdateExpression": expression, **members}


def condition(text_: str, **members: Any) -> dict[str, Any]:
    return {"FilterExpression": text_, "ExpressionAttributeValues": {":v": N}, **members}


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = dict(S)
    for _ in range(levels):
        value = {"L": [value]}
    return value


def item_of(size_bytes: int) -> dict[str, Any]:
    # "pk" and "k", "sk" and a number of 2 bytes, "a" and the rest.
    return {"Item": {**KEY, "a": {"S": "x" * (size_bytes - 3 - 4 - 1)}}}


V = "v" * 254
LIMITS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "4096 bytes of expression": (
        "Scan",
        condition("a" * 4091 + " = :v"),
        condition("a" * 4092 + " = :v"),
    ),
    "300 operators": (
        "Scan",
        condition("NOT " * 299 + "a = :v"),
        condition("NOT " * 300 + "a = :v"),
    ),
    "100 values after IN": (
        "Scan",
        condition(f"a IN ({', '.join([':v'] * 100)})"),
        condition(f"a IN ({', '.join([':v'] * 101)})"),
    ),
    "32 levels of a path": (
        "Scan",
        condition("a" + ".b" * 31 + " = :v"),
        condition("a" + ".b" * 32 + " = :v"),
    ),
    "the largest list index": (
        "Scan",
        condition("a[2147483647] = :v"),
        condition("a[2147483648] = :v"),
    ),
    "32 levels of an item": (
        "PutItem",
        {"Item": {**KEY, "a": nested(31)}},
        {"Item": {**KEY, "a": nested(32)}},
    ),
    "38 digits": (
        "PutItem",
        {"Item": {**KEY, "a": {"N": "1" * 38}}},
        {"Item": {**KEY, "a": {"N": "1" * 39}}},
    ),
    "the largest number": (
        "PutItem",
        {"Item": {**KEY, "a": {"N": "9" * 38 + "E+88"}}},
        {"Item": {**KEY, "a": {"N": "1E+126"}}},
    ),
    "the smallest number": (
        "PutItem",
        {"Item": {**KEY, "a": {"N": "1E-130"}}},
        {"Item": {**KEY, "a": {"N": "9E-131"}}},
    ),
    "409,600 bytes of item": ("PutItem", item_of(409_600), item_of(409_601)),
    "2048 bytes of partition key": (
        "PutItem",
        {"Item": {**KEY, "pk": {"S": "x" * 2048}}},
        {"Item": {**KEY, "pk": {"S": "x" * 2049}}},
    ),
    "65,535 bytes of name": (
        "UpdateItem",
        update("REMOVE #n", ExpressionAttributeNames={"#n": "x" * 65_535}),
        update("REMOVE #n", ExpressionAttributeNames={"#n": "x" * 65_536}),
    ),
    "255 bytes of placeholder": (
        "Scan",
        {"FilterExpression": f"a = :{V}", "ExpressionAttributeValues": {f":{V}": N}},
        {"FilterExpression": f"a = :v{V}", "ExpressionAttributeValues": {f":v{V}": N}},
    ),
    "65,535 bytes of name in an item": (
        "PutItem",
        {"Item": {**KEY, "x" * 65_535: N}},
        {"Item": {**KEY, "x" * 65_536: N}},
    ),
    "409,600 bytes of update": (
        "UpdateItem",
        update("SET a = :v", ExpressionAttributeValues={":v": item_of(409_600)["Item"]["a"]}),
        update("SET a = :v", ExpressionAttributeValues={":v": item_of(409_601)["Item"]["a"]}),
    ),
    "2 MB of values": (
        "Scan",
        condition("a = :v", ExpressionAttributeValues={":v": N}),
        condition(
            "a = :v OR a = :w",
            ExpressionAttributeValues={":v": {"S": "x" * 2_000_000}, ":w": {"S": "x" * 97_149}},
        ),
    ),
    "1 MB of an expression with its values": (
        "Scan",
        condition("a = :v", ExpressionAttributeValues={":v": {"S": "x" * (1_048_576 - 6)}}),
        condition("a = :v", ExpressionAttributeValues={":v": {"S": "x" * (1_048_576 - 5)}}),
    ),
    "a million segments": (
        "Scan",
        {"TotalSegments": 1_000_000, "Segment": 999_999},
        {"TotalSegments": 1_000_001, "Segment": 0},
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits_are_the_engines(judge: Judge, name: str) -> None:
    """The largest allowed value is accepted, and one more is refused, as by the engine."""
    operation, fine, too_much = LIMITS[name]

    for members, is_fine in ((fine, True), (too_much, False)):
        params = {"TableName": TABLE, **copy.deepcopy(members)}
        theirs, ours = judged(judge, operation, params)
        assert (theirs is None) is is_fine, theirs
        assert (ours == []) is is_fine, ours


VALUES_EXCEED = "ExpressionAttributeValues exceeds max size"


@pytest.mark.parametrize(("size_bytes", "is_told"), [(2_097_152, False), (2_097_153, True)])
def test_names_and_values_of_2_mb(judge: Judge, size_bytes: int, is_told: bool) -> None:
    """Names and values of an expression have up to 2 MB together, as in the engine."""
    # No request breaks this rule alone: what two expressions may use is a little less.
    rest = size_bytes - len(":v") - len(":w") - 1_048_000
    values = {":v": {"S": "x" * 1_048_000}, ":w": {"S": "x" * rest}}
    params = condition("a = :v OR a = :w", ExpressionAttributeValues=values)

    theirs, ours = judged(judge, "Scan", {"TableName": TABLE, **params})

    assert (VALUES_EXCEED in (theirs or "")) is is_told, theirs
    assert any(VALUES_EXCEED in each for each in ours) is is_told, ours


def keys(count: int) -> list[dict[str, Any]]:
    return [{"pk": S, "sk": {"N": str(number)}} for number in range(count)]


def puts(count: int) -> list[dict[str, Any]]:
    return [{"PutRequest": {"Item": key}} for key in keys(count)]


def transact(kind: str, count: int, **members: Any) -> list[dict[str, Any]]:
    part = "Item" if kind == "Put" else "Key"
    return [{kind: {"TableName": TABLE, part: key, **members}} for key in keys(count)]


def puts_of(size_bytes: int) -> list[dict[str, Any]]:
    """Puts whose items have this many bytes together."""
    sizes = [*[400_000] * (size_bytes // 400_000), size_bytes % 400_000]
    return [
        {"Put": {"TableName": TABLE, "Item": {**item_of(size)["Item"], "sk": {"N": str(number)}}}}
        for number, size in enumerate(sizes, start=1)
    ]


MANY: list[tuple[str, dict[str, Any], bool]] = [
    ("batch_get_item", {"RequestItems": {TABLE: {"Keys": keys(100)}}}, True),
    ("batch_get_item", {"RequestItems": {TABLE: {"Keys": keys(101)}}}, False),
    ("batch_get_item", {"RequestItems": {TABLE: {"Keys": [*keys(2), *keys(1)]}}}, False),
    ("batch_get_item", {"RequestItems": {TABLE: {"Keys": [{"pk": S}]}}}, False),
    ("batch_write_item", {"RequestItems": {TABLE: puts(25)}}, True),
    ("batch_write_item", {"RequestItems": {TABLE: puts(26)}}, False),
    ("batch_write_item", {"RequestItems": {TABLE: [*puts(2), *puts(1)]}}, False),
    (
        "batch_write_item",
        {"RequestItems": {TABLE: [*puts(1), {"DeleteRequest": {"Key": keys(1)[0]}}]}},
        False,
    ),
    ("transact_write_items", {"TransactItems": transact("Put", 100)}, True),
    ("transact_write_items", {"TransactItems": transact("Put", 101)}, False),
    ("transact_write_items", {"TransactItems": puts_of(4_194_304)}, True),
    ("transact_write_items", {"TransactItems": puts_of(4_194_305)}, False),
    ("transact_write_items", {"TransactItems": transact("Put", 2) + transact("Put", 1)}, False),
    ("transact_write_items", {"TransactItems": transact("Put", 1) + transact("Delete", 1)}, False),
    (
        "transact_write_items",
        {"TransactItems": transact("Put", 1), "ClientRequestToken": "x" * 36},
        True,
    ),
    (
        "transact_write_items",
        {"TransactItems": transact("Put", 1), "ClientRequestToken": "x" * 37},
        False,
    ),
    (
        "transact_write_items",
        {"TransactItems": transact("Update", 1, UpdateExpression="REMOVE a, a.b")},
        False,
    ),
    ("transact_get_items", {"TransactItems": transact("Get", 100)}, True),
    ("transact_get_items", {"TransactItems": transact("Get", 101)}, False),
]


@pytest.mark.parametrize(("method", "params", "is_fine"), MANY)
def test_batches_have_the_engines_verdict(
    judge: Judge, method: str, params: dict[str, Any], is_fine: bool
) -> None:
    """Batches and transactions are accepted or refused as the engine does."""
    operation = "".join(word.title() for word in method.split("_"))
    try:
        getattr(judge.client, method)(**params)
        theirs = None
    except (ClientError, ParamValidationError) as error:
        theirs = str(error)

    ours = check_as_before(operation, params, schema={TABLE: judge.schema})

    assert (theirs is None) is is_fine, theirs
    assert (ours == ()) is is_fine, ours


def test_emulator_accepts_an_empty_token(judge: Judge) -> None:
    """An empty token is refused, and the emulator alone accepts it."""
    # "TransactWriteItems", API Reference: a token has 1 to 36 characters.
    params = {"TransactItems": transact("Put", 1), "ClientRequestToken": ""}

    assert send(judge.client.meta.endpoint_url, "TransactWriteItems", params) == ("", "")
    assert [each.code for each in check_as_before("TransactWriteItems", params)] == ["DYS105"]
