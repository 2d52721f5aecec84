"""check_request never fails itself, and finds nothing in what the builder makes."""

from __future__ import annotations

import copy
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dynasafe import Item, UpdateBuilder, check_request, require_valid
from dynasafe.errors import ExpressionSyntaxError, InvalidRequestError
from dynasafe.expressions import ExpressionKind
from dynasafe.expressions.reader import read_expression
from dynasafe.findings.finding import Finding
from dynasafe.validation.check import check_from_scratch
from dynasafe.validation.seen import likeness, was_fine
from dynasafe.validation.shapes import REQUESTS, Shape
from dynasafe.validation.table_schema import table_schema
from dynasafe.values.convert import to_attribute_map
from tests.properties.update_strategies import ITEMS, true_conditions, updates
from tests.support.people import Order, Person
from tests.support.requests import RANDOMS, TABLE, Requests

OPERATIONS = list(REQUESTS)
GARBAGE = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 3),
        st.text(max_size=5),
        st.binary(max_size=3),
        st.floats(),
        st.sampled_from(
            ["S", "N", "L", "M", "SS", "NS", "BS", "NULL", ":v", "#n", "a = :v", "1e9"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["S", "N", "B", "L", "M", "SS", "NS", "BS", "NULL", "BOOL", "a", ":v"])
            | st.text(max_size=3),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)
TEXTS = st.sampled_from(["some-table", "a = :v", "SET a = :v", "#n, b[0]", "EQ", "IN", "NONE", ""])


def of_shape(shape: Shape) -> st.SearchStrategy[Any]:
    """What nearly has the shape: now and then a part is anything at all."""
    near: st.SearchStrategy[Any]
    match shape.kind:
        case "String":
            near = TEXTS | st.sampled_from(shape.choices or ("x",))
        case "Boolean":
            near = st.booleans()
        case "Integer":
            near = st.integers(-1, 2)
        case "AttributeValue":
            near = GARBAGE.map(lambda garbage: {"L": [garbage]}) | st.just({"N": "1"})
        case "List":
            assert shape.each is not None
            near = st.lists(of_shape(shape.each), max_size=3)
        case "Map":
            assert shape.each is not None
            names = st.sampled_from(["a", "b", ":v", "#n", "some-table", ""])
            near = st.dictionaries(names, of_shape(shape.each), max_size=2)
        case "Struct":
            members = {name: of_shape(member) for name, member in shape.members.items()}
            near = st.fixed_dictionaries({}, optional={**members, "Nope": GARBAGE})
    return st.integers(0, 9).flatmap(lambda chance: near if chance else GARBAGE)


SCHEMAS: list[Any] = [
    None,
    Person,
    Order,
    {"Table": {"KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}]}},
    {"some-table": Person},
]


@settings(suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_request_gives_findings(data: st.DataObject) -> None:
    """Checking any request gives findings, each with its code, fix and place, and no exception."""
    operation = data.draw(st.sampled_from(OPERATIONS))
    params = data.draw(of_shape(REQUESTS[operation]))

    findings = check_request(operation, params, schema=data.draw(st.sampled_from(SCHEMAS)))

    for finding in findings:
        assert isinstance(finding, Finding)
        assert finding.code.startswith("DYS")
        assert finding.fix
        assert str(finding)
        if finding.where.span is not None:
            start, end = finding.where.span
            assert 0 <= start <= end <= len(finding.where.text or "")


@given(GARBAGE)
def test_parameters_that_are_not_a_map(garbage: Any) -> None:
    """Parameters that are not a map are one finding."""
    if not isinstance(garbage, dict):
        (finding,) = check_request("UpdateItem", garbage)
        assert finding.code == "DYS102"


@given(request=updates(), data=st.data())
def test_built_updates_have_no_finding(request: Any, data: st.DataObject) -> None:
    """What the builder builds has no finding, in each form."""
    item, builder, _ = request
    builder.condition(data.draw(true_conditions(item)))
    key = {"pk": "k"}

    wire = builder.build_client(table_name="some-table", key=key)
    plain = builder.build(key=key)

    assert check_request("UpdateItem", wire) == ()
    assert check_request("UpdateItem", plain) == ()
    named = {"TableName": "some-table", **plain}
    assert check_request("UpdateItem", named, form="resource") == ()


@given(ITEMS)
@example({"A": [], "B": {}, "D0": {"B": None}})
def test_items_have_no_finding(item: Any) -> None:
    """A put of any item has no finding, in each form."""
    whole = {"pk": "k", **item}
    wire = {"TableName": "some-table", "Item": to_attribute_map(whole)}

    assert check_request("PutItem", wire) == ()
    assert check_request("PutItem", {"Item": whole}) == ()


@given(request=updates())
def test_request_is_not_changed(request: Any) -> None:
    """Checking a request does not change it."""
    _, builder, _ = request
    params = builder.build_client(table_name="some-table", key={"pk": "k"})
    before = copy.deepcopy(params)

    check_request("UpdateItem", params)

    assert params == before


def test_keys_of_an_item_class() -> None:
    """The keys of an update are checked by the Item class of its table."""

    class Thing(Item):
        pass

    update = UpdateBuilder().set("name", "x")
    wrong = update.build_client(table_name="people", key={"id": 3})
    assert [f.code for f in check_request("UpdateItem", wrong, schema=Person)] == ["DYS130"]
    assert check_request("UpdateItem", wrong, schema={"people": Person})[0].code == "DYS130"
    assert check_request("UpdateItem", wrong, schema={"others": Person}) == ()
    assert check_request("UpdateItem", wrong, schema=Thing) == ()


def test_operation_without_an_item() -> None:
    """The members of an operation without items are checked too."""
    codes = [each.code for each in check_request("CreateBackup", {"anything": None})]
    assert codes == ["DYS105", "DYS104"]


# Attribute values are in no message

MARK = "S3CR3T"
MARK_NUMBER = "918273645"
MARK_BASE64 = "U0VDUkVU"
MARKS = (MARK, MARK_NUMBER, MARK_BASE64, "SECRET")


def marked_value(type_name: str, content: Any) -> Any:
    """The content with a mark in each scalar; equal ones stay equal, malformed ones malformed."""
    match type_name, content:
        case "SS" | "NS" | "BS", list():
            return [marked_value(type_name[0], each) for each in content]
        case "L", list():
            return [marked(each, in_value=True) for each in content]
        case "M", dict():
            return {name: marked(each, in_value=True) for name, each in content.items()}
        case "N", str() if content.isdecimal():
            return MARK_NUMBER + content
        case "B", str():
            return MARK_BASE64 + content
        case _, bytes():
            return b"SECRET" + content
        case _, str():
            return MARK + content
        case _:
            return content


def marked(part: Any, *, in_value: bool = False) -> Any:
    """The request with a mark in each attribute value, however deep."""
    if isinstance(part, list):
        return [marked(each) for each in part]
    if not isinstance(part, dict):
        return marked_value("", part) if in_value else part
    if part and part.keys() <= CONTENTS.keys():
        return {name: marked_value(name, content) for name, content in part.items()}
    return {name: marked(each) for name, each in part.items()}


def assert_no_mark(operation: str, params: dict[str, Any], form: Any) -> None:
    for schema in (None, TABLE):
        findings = check_request(operation, params, schema=schema, form=form)
        shown = [f"{finding} {finding!r}" for finding in findings]
        if findings:
            with pytest.raises(InvalidRequestError) as refusal:
                require_valid(operation, params, schema=schema, form=form)
            shown.append(f"{refusal.value} {refusal.value!r}")
        assert [each for each in shown if any(mark in each for mark in MARKS)] == []


@settings(suppress_health_check=list(HealthCheck))
@given(random=RANDOMS)
def test_no_finding_holds_a_value(random: Random) -> None:
    """No finding and no error of any request holds a value of it."""
    operation, body = Requests(random).make()
    body = marked(Alike(random).of(body) if random.random() < 0.5 else body)
    if operation == "TransactWriteItems":
        body["ClientRequestToken"] = MARK * random.choice([1, 7])

    assert_no_mark(operation, body, "client")
    assert_no_mark(operation, body, "resource")


@pytest.mark.parametrize(
    "value",
    [
        Decimal(f"1.{MARK_NUMBER * 5}"),
        float(f"{MARK_NUMBER}e300"),
        {MARK, 1},
        {"a": [set(), MARK, object]},
        [MARK, NotADirectoryError(MARK)],
    ],
    ids=lambda value: type(value).__name__,
)
def test_unwritable_values_are_not_shown(value: Any) -> None:
    """Findings do not show a Python value that has no wire form."""
    params = {"Item": {"pk": MARK, "a": value}}

    assert check_request("PutItem", params, form="resource")
    assert_no_mark("PutItem", params, "resource")


# What was seen before

DESCRIBED = table_schema(TABLE, "requests")
KNOWN_SCHEMAS: list[Any] = [None, DESCRIBED, TABLE, {"requests": DESCRIBED, "other": None}]
CONTENTS: dict[str, list[Any]] = {
    "S": ["a", "", "x" * 300, "é" * 500, "𝄞" * 1024, "x" * 1100, "x" * 2049, "N", "NOPE", "\ud800"],
    "N": ["1", "2", "1.", ".5", "-1", "+1", "٣", "x", "", "1e5", "9" * 38, "9" * 39, "-9" * 20],
    "B": [b"a", b"", b"x" * 1100, "YQ==", "YQ"],
    "BOOL": [True, False, "true", 1],
    "NULL": [True, False],
    "SS": [["a"], ["a", "b"], ["a", "a"], [], ["", "b"], ["a", "\ud800"]],
    "NS": [["1"], ["1", "1.0"], []],
    "L": [[], [{"S": "a"}], [{"N": "x"}], [{"SS": ["a", "a"]}], [{"L": [{"L": []}]}], [3]],
    "M": [
        {},
        {"": {"S": "a"}},
        {"a": {"N": "1"}},
        {"a": {"N": "x"}},
        {"a": {}},
        {"\ud800": {"N": "1"}},
    ],
}


class Alike:
    """Requests that differ from one in contents of values, and in letters of its text."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def of(self, part: Any) -> Any:
        if isinstance(part, str) and self.random.random() < 0.1:
            return "".join(self.random.choice([c.upper(), c.lower()]) for c in part)
        if isinstance(part, list):
            return [self.of(each) for each in part]
        if not isinstance(part, dict):
            return part
        if len(part) == 1 and (name := next(iter(part))) in CONTENTS:
            return {name: self.random.choice(CONTENTS[name])}
        return {name: self.of(each) for name, each in part.items()}


@settings(suppress_health_check=list(HealthCheck), max_examples=400)
@given(random=RANDOMS)
def test_earlier_requests_change_no_finding(random: Random) -> None:
    """The findings of a request do not depend on similar requests that came before."""
    operation, body = Requests(random).make()
    others = Alike(random)
    schema = random.choice(KNOWN_SCHEMAS)

    for request in (body, *(others.of(body) for _ in range(6))):
        found = check_request(operation, request, schema=schema)
        assert found == check_from_scratch(operation, request, schema=schema), request


MANY = ["BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"]


def many(operation: str, random: Random) -> dict[str, Any]:
    """Most of them are fine; some entries name one item, and some numbers are equal."""

    def key() -> dict[str, Any]:
        number = random.choice(["1", "1.0", "01", "10", "-1", "-1.0"])
        return {"pk": {"S": random.choice("abcdefgh")}, "sk": {"N": number}}

    def item() -> dict[str, Any]:
        more = {"g": {"S": random.choice(["a", "g" * 3000])}, "x": {"L": [{"N": "1"}]}}
        names = random.sample([*more], random.randrange(3))
        return {**key(), **{name: more[name] for name in names}}

    def write() -> dict[str, Any]:
        action = random.choice(["Put", "Delete", "ConditionCheck", "Update"])
        part = {"Item": item()} if action == "Put" else {"Key": key()}
        if action != "Update":
            return {action: {"TableName": "requests", **part}}
        values = {":v": {"S": random.choice(["a", "", "x" * 5000])}}
        update = {"UpdateExpression": "SET g = :v", "ExpressionAttributeValues": values}
        return {action: {"TableName": "requests", **part, **update}}

    count = random.choice([1, 2, 2, 3, 26])
    match operation:
        case "BatchGetItem":
            return {"RequestItems": {"requests": {"Keys": [key() for _ in range(count)]}}}
        case "BatchWriteItem":
            writes = [
                {"PutRequest": {"Item": item()}}
                if random.random() < 0.5
                else {"DeleteRequest": {"Key": key()}}
                for _ in range(count)
            ]
            return {"RequestItems": {random.choice(["requests", "other"]): writes}}
        case "TransactGetItems":
            gets = [{"Get": {"TableName": "requests", "Key": key()}} for _ in range(count)]
            return {"TransactItems": gets}
        case _:
            token = random.choice(["", "x", "x" * 36, "x" * 37])
            entries = [write() for _ in range(count)]
            return {"TransactItems": entries, "ClientRequestToken": token}


@settings(suppress_health_check=list(HealthCheck), max_examples=200)
@given(random=RANDOMS)
def test_earlier_batches_change_no_finding(random: Random) -> None:
    """The findings of a batch do not depend on the batches that came before."""
    operation, schema = random.choice(MANY), random.choice(KNOWN_SCHEMAS)

    for _ in range(4):
        request = many(operation, random)
        found = check_request(operation, request, schema=schema)
        assert found == check_from_scratch(operation, request, schema=schema), request


@pytest.mark.parametrize("operation", MANY)
def test_item_twice_after_valid_batches(operation: str) -> None:
    """A batch that names an item twice is found, also after valid batches of its form."""
    for sort_keys, is_fine in ((["1", "2"], True), (["3", "4"], True), (["5", "5.0"], False)):
        keys = [{"pk": {"S": "a"}, "sk": {"N": sort_key}} for sort_key in sort_keys]
        entries = {
            "BatchGetItem": {"RequestItems": {"requests": {"Keys": keys}}},
            "BatchWriteItem": {
                "RequestItems": {"requests": [{"PutRequest": {"Item": key}} for key in keys]}
            },
            "TransactGetItems": {
                "TransactItems": [{"Get": {"TableName": "requests", "Key": key}} for key in keys]
            },
            "TransactWriteItems": {
                "TransactItems": [{"Put": {"TableName": "requests", "Item": key}} for key in keys]
            },
        }
        assert (check_request(operation, entries[operation]) == ()) is is_fine


def test_large_transaction_after_a_valid_one() -> None:
    """A transaction that is too large is found, also after a valid one of its form."""
    for length, is_fine in ((1, True), (90_000, False)):
        puts = [
            {"Put": {"TableName": "requests", "Item": {"pk": {"S": f"{n}"}, "x": {"S": text}}}}
            for n, text in enumerate(["x" * length] * 50)
        ]
        assert (check_request("TransactWriteItems", {"TransactItems": puts}) == ()) is is_fine


@pytest.mark.parametrize(
    ("expression", "fine", "not_fine"),
    [
        (
            " OR ".join(["a IN (" + ",".join([":v"] * 100) + ")"] * 10),
            {"S": "a"},
            {"S": "𝄞" * 1000},
        ),
        ("a bEtWeEn :v AND :w", {"S": "a"}, {"S": "z"}),
    ],
)
def test_wrong_value_after_a_valid_one(expression: str, fine: Any, not_fine: Any) -> None:
    """A wrong value is found, also after a valid one in the same expression."""
    for value, is_fine in ((fine, True), (not_fine, False)):
        values = {":v": value, **({":w": {"S": "b"}} if ":w" in expression else {})}
        scan = {
            "TableName": "some-table",
            "FilterExpression": expression,
            "ExpressionAttributeValues": values,
        }
        assert (check_request("Scan", scan) == ()) is is_fine


def test_large_item_after_a_valid_one() -> None:
    """An item that is too large is found, also after a small one with the same names."""
    for length, is_fine in ((1, True), (1024, False)):
        item = {f"a{number}": {"S": "𝄞" * length} for number in range(100)}
        put = {"TableName": "some-table", "Item": item}
        assert (check_request("PutItem", put) == ()) is is_fine


@pytest.mark.parametrize(
    "value",
    [
        *({"S": "Ada"}, {"S": "Zoë"}, {"N": "-1.5"}, {"B": b"x"}, {"BOOL": True}, {"BOOL": False}),
        *({"NULL": True}, {"SS": ["a", "b"]}, {"L": [{"M": {"a": {"N": "1"}}}]}),
        {"M": {str(number): {"S": "x"} for number in range(20)}},
    ],
)
def test_valid_requests_are_remembered(value: Any) -> None:
    """After a valid request, the next one of its form is known as valid."""
    update = {
        "TableName": "some-table",
        "Key": {"pk": {"S": "a"}},
        "UpdateExpression": "SET a = :v",
        "ExpressionAttributeValues": {":v": value},
    }
    put = {"TableName": "some-table", "Item": {"pk": {"S": "a"}, "a": value}}
    for operation, request in (("UpdateItem", update), ("PutItem", put)):
        assert check_request(operation, request) == ()
        like = likeness(operation, request)
        assert like is not None
        assert was_fine(like)


# Texts

FRAGMENTS = [
    *("a", "b.c", "#n", ":v", "[0]", "[", "]", "(", ")", ",", ".", "+", "-", "=", "<>", "AND"),
    *("OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE", "size(a)", "contains("),
    *("if_not_exists(", "foo(", "01", "_", "é", "\t", "\x00", "'", "🙂", " "),
]
KINDS: list[ExpressionKind] = ["update", "condition", "key condition", "projection"]


@pytest.mark.parametrize("kind", KINDS)
def test_random_texts_have_a_tree_or_a_place(kind: ExpressionKind) -> None:
    """Each of 25,000 random texts gives a tree, or an error with its place."""
    random = Random(f"texts of {kind}")
    trees = 0
    for number in range(25_000):
        if number % 2:
            text = random.randbytes(random.randrange(40)).decode("latin-1")
        else:
            glue = random.choice([" ", ""])
            start = random.choice(["SET a = ", "REMOVE ", ""]) if kind == "update" else ""
            text = start + glue.join(random.choices(FRAGMENTS, k=random.randrange(1, 12)))
        try:
            spans = [problem.span for problem in read_expression(kind, text).problems]
            trees += 1
        except ExpressionSyntaxError as error:
            spans = [error.span]
        for first, last in spans:
            assert 0 <= first <= last <= len(text)
    assert trees > 50
