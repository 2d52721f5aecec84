"""The parser against what DynamoDB Local 1.25.1 said of each text.

data/grammar_verdicts.json has its message for each; `tests/integration/test_grammar.py` asks the
running engine again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dynasafe.errors import ExpressionSyntaxError
from dynasafe.expressions import ExpressionKind
from dynasafe.expressions.nodes import (
    And,
    Arithmetic,
    Comparison,
    Function,
    IfNotExists,
    In,
    ListAppend,
    NamePlaceholder,
    Not,
    Or,
    RemoveAction,
    SetAction,
    Size,
    Update,
    Value,
    ValuePlaceholder,
)
from dynasafe.expressions.nodes import (
    Path as DocumentPath,
)
from dynasafe.expressions.parser import (
    parse_condition,
    parse_projection,
    parse_update,
)
from dynasafe.expressions.reader import read_expression

VERDICTS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "grammar_verdicts.json").read_text()
)
PARAMETERS = {
    "update": "UpdateExpression",
    "condition": "FilterExpression",
    "key condition": "KeyConditionExpression",
    "projection": "ProjectionExpression",
}
# What is refused for the types of values, for names, or for paths beside each other is no matter
# of grammar.
NOT_GRAMMAR = (
    "Incorrect operand type",
    "Invalid attribute type name",
    "Two document paths",
    "The first operand must be distinct",
    "Attribute name is a reserved keyword",
    "Expression size",
)


def grammar_refusal(verdict: dict[str, Any]) -> str | None:
    prefix = f"Invalid {PARAMETERS[verdict['kind']]}: "
    refusal = verdict["refusal"] or ""
    reason = refusal.removeprefix(prefix)
    if not refusal.startswith(prefix) or reason.startswith(NOT_GRAMMAR):
        return None
    return str(reason)


def refusal_of(kind: ExpressionKind, text: str) -> str | None:
    try:
        problems = read_expression(kind, text).problems
    except ExpressionSyntaxError as error:
        return error.reason
    return problems[0].reason if problems else None


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: verdict["text"][:40])
def test_verdicts_are_the_engines(verdict: dict[str, Any]) -> None:
    """The parser accepts and refuses each recorded text as the engine does."""
    own = refusal_of(verdict["kind"], verdict["text"])
    if verdict["text"].startswith("size(size(size("):
        # The engine looks at types first, the parser counts first; both refuse.
        assert own == "The expression contains too many operators; operator count: 311"
    else:
        assert own == grammar_refusal(verdict)


def path(*elements: str | int) -> DocumentPath:
    return DocumentPath(elements)


A, B, C = path("a"), path("b"), path("c")
V, W = ValuePlaceholder(":v"), ValuePlaceholder(":w")


def is_v(of: DocumentPath) -> Comparison:
    return Comparison("=", of, V)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("a = :v", is_v(A)),
        ("a = :v AND b = :v AND c = :v", And((is_v(A), is_v(B), is_v(C)))),
        ("a = :v OR b = :v AND c = :v", Or((is_v(A), And((is_v(B), is_v(C)))))),
        ("(a = :v OR b = :v) AND c = :v", And((Or((is_v(A), is_v(B))), is_v(C)))),
        ("(a = :v AND b = :v) AND c = :v", And((is_v(A), is_v(B), is_v(C)))),
        ("NOT a = :v AND b = :v", And((Not(is_v(A)), is_v(B)))),
        ("NOT (a = :v AND b = :v)", Not(And((is_v(A), is_v(B))))),
        ("NOT NOT a = :v", Not(Not(is_v(A)))),
        ("(size(a)) > :v", Comparison(">", Size(A), V)),
        ("(a) IN ((:v), b)", In(A, (V, B))),
        ("contains((a), :v)", Function("contains", (A, V))),
        (
            "#a.b[3].#c = :v",
            is_v(DocumentPath((NamePlaceholder("#a"), "b", 3, NamePlaceholder("#c")))),
        ),
    ],
)
def test_precedence_and_brackets(text: str, node: Any) -> None:
    """Precedence and brackets of a condition are those of its tree."""
    assert parse_condition(text) == node


def test_clauses_in_any_order() -> None:
    """The clauses of an update come in any order and any case."""
    update = parse_update("remove c set a = if_not_exists(a, :v) + :w, b = list_append(:v, b)")

    assert update == Update(
        set=(
            SetAction(A, Arithmetic("+", IfNotExists(A, V), W)),
            SetAction(B, ListAppend(V, B)),
        ),
        remove=(RemoveAction(C),),
    )


def test_placeholders_are_resolved() -> None:
    """The tree has names and values in place of their placeholders."""
    node = parse_condition("#s.x = :v", {"#s": "status"}, {":v": {"N": "1"}})

    assert node == Comparison("=", path("status", "x"), Value({"N": "1"}))


@pytest.mark.parametrize(
    ("names", "values", "message"),
    [
        (
            {},
            {":v": {"N": "1"}},
            "An expression attribute name used in the document path is not defined; "
            "attribute name: #s\n"
            "    #s = :v\n"
            "    ^^\n"
            "Fix: define it in ExpressionAttributeNames",
        ),
        (
            {"#s": "status"},
            {},
            "An expression attribute value used in expression is not defined; "
            "attribute value: :v\n"
            "    #s = :v\n"
            "         ^^\n"
            "Fix: define it in ExpressionAttributeValues",
        ),
    ],
)
def test_undefined_placeholder_is_shown(
    names: dict[str, str], values: dict[str, Any], message: str
) -> None:
    """The error for an undefined placeholder shows where it is."""
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse_condition("#s = :v", names, values)

    assert str(caught.value) == message


def test_syntax_error_message() -> None:
    """The whole message of a syntax error: what, where, and how to fix it."""
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse_condition("price => :low")

    assert str(caught.value) == (
        'Syntax error; token: ">", near: "=> :low"\n'
        "    price => :low\n"
        "           ^\n"
        "Fix: an attribute, a value (:v) or a function is expected here"
    )


def test_all_problems_are_reported() -> None:
    """All problems of one text are reported, in order."""
    reading = read_expression("condition", "foo(a) AND ((b = :v)) AND attribute_exists(:w)")

    assert [problem.reason for problem in reading.problems] == [
        "Invalid function name; function: foo",
        "The expression has redundant parentheses;",
        "Operator or function requires a document path; operator or function: attribute_exists",
    ]


def test_redundant_brackets_are_counted() -> None:
    """Of a thousand brackets around a value, all but one pair are reported."""
    text = "SET a = " + "(" * 1000 + ":v + :w" + ")" * 1000

    assert len(read_expression("update", text).problems) == 999


def test_trailing_space_is_skipped_once() -> None:
    """Much space at the end of a text is skipped once."""
    # Took minutes while the space was scanned again from each of its characters.
    assert parse_condition("a = :v" + " \t\r\n" * 100_000) == is_v(A)


def test_projection_keeps_its_order() -> None:
    """The paths of a projection are in the order of its text."""
    assert parse_projection("a.b, #c[1]", {"#c": "x.y"}).paths == (path("a", "b"), path("x.y", 1))


def test_span_is_the_nodes_text() -> None:
    """The span of a node is its own text."""
    text = "a = :v AND NOT contains(b.c[0], :w)"
    node = parse_condition(text)

    assert isinstance(node, And)
    spans = [text[slice(*term.span)] for term in node.terms if term.span]
    assert spans == ["a = :v", "NOT contains(b.c[0], :w)"]
