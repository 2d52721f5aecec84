"""Conditions: what each is in DynamoDB's words, with the brackets that it needs and no others."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr as Boto3Attr
from boto3.dynamodb.conditions import Key as Boto3Key

from dynasafe import attr, check_request
from dynasafe.errors import InvalidValueError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.expressions.render import render
from dynasafe.items.conditions import Condition, condition_node
from dynasafe.items.projections import projection_node
from dynasafe.items.schema import schema_of
from dynasafe.values.convert import to_attribute_value
from tests.support.people import Address, Person

P = Person


def text(condition: Any, **options: Any) -> str:
    return render(condition_node(condition), **options).text


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (P.visits == 3, "visits = :visits"),
        (P.visits != 3, "visits <> :visits"),
        (P.visits < 3, "visits < :visits"),
        (P.visits <= 3, "visits <= :visits"),
        (P.visits > 3, "visits > :visits"),
        (P.visits >= 3, "visits >= :visits"),
        (P.visits > P.version, "visits > version"),
        (P.name == "Ada", "#name = :name"),
        (P.first_name == "Ada", "firstName = :firstName"),
        (P.visits.between(1, 2), "visits BETWEEN :visits AND :visits_2"),
        (P.visits.is_in([1, 2]), "visits IN (:visits, :visits_2)"),
        (P.email.exists(), "attribute_exists(email)"),
        (P.email.not_exists(), "attribute_not_exists(email)"),
        (P.email.is_type("S"), "attribute_type(email, :type)"),
        (P.email.begins_with("a"), "begins_with(email, :email)"),
        (P.tags.contains("a"), "contains(tags, :tags)"),
        (P.tags.size() >= 2, "size(tags) >= :size"),
        (P.tags.size() > P.scores.size(), "size(tags) > size(scores)"),
        (P.address[Address.city] == "x", "address.city = :city"),
        (P.scores[2] == 1, "scores[2] = :scores"),
        (attr("a.b[1].c") == 1, "a.b[1].c = :c"),
        (attr(name="a.b") == 1, "#a_b = :a_b"),
        (attr(name="🙂") == 1, "#name = :value"),
        ((P.visits < 3) & (P.visits > 1), "visits < :visits AND visits > :visits_2"),
        (
            (P.visits < 3) & (P.visits > 1) & (P.name == "x"),
            "visits < :visits AND visits > :visits_2 AND #name = :name",
        ),
        (
            ((P.visits < 3) | (P.visits > 9)) & (P.name == "x"),
            "(visits < :visits OR visits > :visits_2) AND #name = :name",
        ),
        (
            (P.visits < 3) | (P.visits > 9) & (P.name == "x"),
            "visits < :visits OR visits > :visits_2 AND #name = :name",
        ),
        (~(P.visits < 3), "NOT visits < :visits"),
        (~~(P.visits < 3), "visits < :visits"),
        (
            ~((P.visits < 3) & (P.visits > 1)),
            "NOT (visits < :visits AND visits > :visits_2)",
        ),
    ],
)
def test_text_of_each_condition(condition: Condition, expected: str) -> None:
    """Each condition is rendered as this text."""
    assert text(condition) == expected


@pytest.mark.parametrize(
    "slip",
    [
        lambda: bool(P.visits == 3),
        lambda: (P.visits < 3) and (P.visits > 1),
        lambda: (P.visits < 3) or (P.visits > 1),
        lambda: not (P.visits < 3),
        lambda: 1 < P.visits < 3,
    ],
)
def test_condition_has_no_truth_value(slip: Callable[[], object]) -> None:
    """A condition used with `and`, `or` or `not` raises, and the error says how to fix it."""
    with pytest.raises(TypeError, match=r"A condition is neither true nor false in Python: .*Fix"):
        slip()


def test_attribute_is_not_a_value() -> None:
    """An attribute used as a value of Python raises, and the error says so."""
    with pytest.raises(TypeError, match="is an attribute of the Item class, not a value"):
        bool(P.visits)
    with pytest.raises(TypeError, match="is an attribute of the Item class, not a value"):
        list(P.scores)
    with pytest.raises(TypeError, match="unhashable"):
        hash(P.visits)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: P.visits == "3", "visits: int is expected, not str"),
        (lambda: P.visits.is_in([]), "IN takes 1 to 100 values, not 0"),
        (lambda: P.visits.is_in(range(101)), "IN takes 1 to 100 values, not 101"),
        (lambda: P.email.begins_with(3), "begins_with takes str or bytes, not int"),
        (lambda: P.visits < (P.visits + 1), "a computed value stands in SET only"),
        (lambda: P.visits + 1 + 1, "adds or subtracts two operands in one SET action"),
        (lambda: P.name + "x", "only numbers are added, not str"),
        (lambda: attr("a..b"), "is not a document path"),
        (lambda: attr("a[x]"), "bad list index"),
        (lambda: condition_node(True), "a condition is expected, not bool"),
        (lambda: condition_node("a = b"), "a condition is expected, not str"),
        (lambda: (P.visits < 3) & True, "a condition is expected, not bool"),
        (lambda: P.name["x"], "has no parts"),
        (lambda: P.address[P.address]["nope"], "has no"),
    ],
)
def test_wrong_conditions_raise_at_once(make: Callable[[], object], message: str) -> None:
    """A wrong condition raises where it is written, with an error about its types."""
    with pytest.raises(InvalidValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Boto3Attr("a").eq(1), "a = :a"),
        (Boto3Attr("status").ne("x"), "#status <> :status"),
        (Boto3Attr("a.b[0]").lt(1), "a.b[0] < :b"),
        (Boto3Attr("a").lte(1), "a <= :a"),
        (Boto3Attr("a").gt(1), "a > :a"),
        (Boto3Attr("a").gte(1), "a >= :a"),
        (Boto3Attr("a").between(1, 2), "a BETWEEN :a AND :a_2"),
        (Boto3Attr("a").is_in([1, 2]), "a IN (:a, :a_2)"),
        (Boto3Attr("a").exists(), "attribute_exists(a)"),
        (Boto3Attr("a").not_exists(), "attribute_not_exists(a)"),
        (Boto3Attr("a").contains("x"), "contains(a, :a)"),
        (Boto3Attr("a").attribute_type("S"), "attribute_type(a, :a)"),
        (Boto3Attr("a").size().gt(1), "size(a) > :a"),
        (Boto3Key("a").begins_with("x"), "begins_with(a, :a)"),
        (Boto3Key("a").eq(1) & Boto3Key("b").gt(2), "a = :a AND b > :b"),
        (~Boto3Attr("a").eq(1) | Boto3Attr("b").eq(2), "NOT a = :a OR b = :b"),
        (Boto3Attr("a").eq(Boto3Attr("b")), "a = b"),
        ((P.visits < 3) & Boto3Attr("b").eq(2), "visits < :visits AND b = :b"),
    ],
)
def test_boto3_conditions_are_understood(condition: Any, expected: str) -> None:
    """A condition of boto3 is rendered as ours, also inside one of ours."""
    assert text(condition) == expected


def test_escape_always() -> None:
    """With escape="always" every name is aliased."""
    rendered = render(condition_node(attr("a.b") == 1), escape="always")
    assert (rendered.text, rendered.names) == ("#a.#b = :b", {"#a": "a", "#b": "b"})


def test_projection_takes_either_name() -> None:
    """A projection takes attributes, their Python names and their stored names."""
    node = projection_node([Person.name, "first_name", "address.city", "extra"], schema_of(Person))
    assert render(node).text == "#name, firstName, address.city, extra"


@pytest.mark.parametrize("wrong", ["name", [], [3], P.name])
def test_projection_needs_attributes(wrong: Any) -> None:
    """A projection that is not a list of attributes is refused."""
    with pytest.raises(InvalidValueError, match="projection"):
        projection_node(wrong)


def test_condition_class_is_refused() -> None:
    """A condition class of boto3 in place of an instance is refused."""
    with pytest.raises(UnsupportedTypeError):
        condition_node(type(Boto3Attr("a").eq(1)))


@pytest.mark.parametrize("value", [True, None, [1], {"a": 1}, {1, 2}])
@pytest.mark.parametrize(
    "compare",
    [
        lambda a, v: a < v,
        lambda a, v: a <= v,
        lambda a, v: a > v,
        lambda a, v: a >= v,
        lambda a, v: a.between(v, v),
        lambda a, v: a.between(1, v),
    ],
)
def test_only_what_has_an_order_is_compared_by_it(compare: Any, value: Any) -> None:
    """Only text, numbers and bytes are compared by order; other types are refused."""
    with pytest.raises(UnsupportedTypeError, match="takes text, numbers or bytes"):
        compare(attr("a"), value)
    check = check_request(
        "PutItem",
        {
            "TableName": "some-table",
            "Item": {"pk": {"S": "a"}},
            "ConditionExpression": "a < :v",
            "ExpressionAttributeValues": {":v": to_attribute_value(value)},
        },
    )
    assert [each.code for each in check] == ["DYS223"]


def test_bounds_are_of_one_type_and_in_order() -> None:
    """The bounds of between are of one type and in order."""
    with pytest.raises(UnsupportedTypeError, match="of one type"):
        attr("a").between(1, "b")
    with pytest.raises(ValueOutOfRangeError, match="above the upper one"):
        attr("a").between(2, Decimal("1.5"))
    assert attr("a").between(1, 1).matches({"a": 1})


def test_other_operands() -> None:
    """A condition is joined to conditions only, on either side, and is shown by its tree."""
    one = attr("a") == 1
    for join in (lambda: 1 & one, lambda: 1 | one, lambda: one & 1, lambda: one | 1):
        with pytest.raises(UnsupportedTypeError):
            join()
    assert repr(one) == f"Condition({one.node!r})"
    assert repr(attr("a.b")) == "Attr(a.b)"
    assert repr(Person.name) == "Attr(Person: name)"
