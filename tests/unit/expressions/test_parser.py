"""The parser against what DynamoDB Local 1.25.1 said of each text.

data/grammar_verdicts.json has its message for each; `tests/integration/test_grammar.py` asks the
running engine again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
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
from dynasafe.expressions.tokens import _TOKEN
from dynasafe.limits import MAX_EXPRESSION_BYTES

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
def test_given_a_text_when_read_then_the_verdict_is_the_engines(verdict: dict[str, Any]) -> None:
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
def test_given_a_condition_when_parsed_then_precedence_and_brackets_are_kept(
    text: str, node: Any
) -> None:
    assert parse_condition(text) == node


def test_given_an_update_when_parsed_then_its_clauses_come_in_any_order() -> None:
    update = parse_update("remove c set a = if_not_exists(a, :v) + :w, b = list_append(:v, b)")

    assert update == Update(
        set=(
            SetAction(A, Arithmetic("+", IfNotExists(A, V), W)),
            SetAction(B, ListAppend(V, B)),
        ),
        remove=(RemoveAction(C),),
    )


def test_given_names_and_values_when_parsed_then_the_tree_is_resolved() -> None:
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
def test_given_an_undefined_placeholder_when_parsed_then_its_place_is_shown(
    names: dict[str, str], values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse_condition("#s = :v", names, values)

    assert str(caught.value) == message


def test_given_a_syntax_error_when_parsed_then_the_whole_message_helps() -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse_condition("price => :low")

    assert str(caught.value) == (
        'Syntax error; token: ">", near: "=> :low"\n'
        "    price => :low\n"
        "           ^\n"
        "Fix: an attribute, a value (:v) or a function is expected here"
    )


def test_given_several_problems_when_read_then_all_are_told() -> None:
    reading = read_expression("condition", "foo(a) AND ((b = :v)) AND attribute_exists(:w)")

    assert [problem.reason for problem in reading.problems] == [
        "Invalid function name; function: foo",
        "The expression has redundant parentheses;",
        "Operator or function requires a document path; operator or function: attribute_exists",
    ]


@pytest.mark.parametrize("depth", [100_000])
@pytest.mark.parametrize(
    "text",
    ["{o}a = :v{c}", "{o}a", "{o}", "{f}a{c}", "{n}a = :v", "a = {o}:v{c}", "{o}a = :v", "a{i}"],
)
def test_given_any_depth_when_read_then_no_stack_overflows(text: str, depth: int) -> None:
    built = text.format(
        o="(" * depth, c=")" * depth, f="size(" * depth, n="NOT " * depth, i="[0]" * depth
    )
    try:
        reading = read_expression("condition", built)
    except ExpressionSyntaxError as error:
        start, end = error.span
        assert 0 <= start <= end <= len(built)
    else:
        assert reading.problems


def test_given_a_set_in_a_thousand_brackets_when_read_then_all_but_one_are_redundant() -> None:
    text = "SET a = " + "(" * 1000 + ":v + :w" + ")" * 1000

    assert len(read_expression("update", text).problems) == 999


def test_given_much_space_at_the_end_when_read_then_it_is_passed_over_once() -> None:
    # Took minutes while the space was scanned again from each of its characters.
    assert parse_condition("a = :v" + " \t\r\n" * 100_000) == is_v(A)


def steps_of(function: Callable[[], object]) -> int:
    """How many lines of Python it runs, each turn of a loop counted, and how many calls it makes.

    A machine's time is not the same twice; this is.
    """
    steps = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal steps
        steps += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return steps


def steps_to_read(kind: ExpressionKind, text: str) -> int:
    def attempt() -> None:
        with suppress(ExpressionSyntaxError):
            read_expression(kind, text)

    return steps_of(attempt)


HOSTILE: dict[str, tuple[ExpressionKind, Callable[[int], str]]] = {
    "open brackets": ("condition", lambda n: "(" * n),
    "brackets around a condition": ("condition", lambda n: "(" * n + "a = :v" + ")" * n),
    "brackets around an operand": ("condition", lambda n: "(" * n + "a" + ")" * n + " = :v"),
    "brackets around each operand": ("condition", lambda n: "((a)) = ((:v)) AND " * n + "a = :v"),
    "brackets that close too often": ("condition", lambda n: "a = :v" + ")" * n),
    "functions in functions": ("condition", lambda n: "size(" * n + "a" + ")" * n),
    "functions in brackets": ("condition", lambda n: "(" * n + "size(a)" + ")" * n + " > :v"),
    "functions with many arguments": ("condition", lambda n: "contains(a" + ", :v" * n + ")"),
    "functions that do not exist": ("condition", lambda n: "f(a) = :v OR " * n + "a = :v"),
    "NOT of NOT": ("condition", lambda n: "NOT " * n + "a = :v"),
    "AND and OR in turns": ("condition", lambda n: "a = :v AND a = :v OR " * n + "a = :v"),
    "conditions to the right": ("condition", lambda n: "a = :v AND (" * n + "a = :v" + ")" * n),
    "conditions to the left": ("condition", lambda n: "(" * n + "a = :v" + " OR a = :v)" * n),
    "choices of IN": ("condition", lambda n: "a IN (:v" + ", :v" * n + ")"),
    "BETWEEN": ("condition", lambda n: "a BETWEEN :v AND :w AND " * n + "a = :v"),
    "a deep path": ("condition", lambda n: "a" + ".a[0]" * n + " = :v"),
    "a long name": ("condition", lambda n: "a" * n + " = :v"),
    "a long number": ("condition", lambda n: "a[" + "1" * n + "] = :v"),
    "marks that mean nothing": ("condition", lambda n: "?" * n),
    "space": ("condition", lambda n: " \t\r\n" * n),
    "sums in brackets": ("update", lambda n: "SET a = " + "(" * n + ":v + :w" + ")" * n),
    "a sum of many": ("update", lambda n: "SET a = :v" + " + :v" * n),
    "clauses that come again": ("update", lambda n: "SET a = :v " * n),
    "many actions": ("update", lambda n: "SET a = :v" + ", a = :v + :w" * n),
    "defaults in defaults": ("update", lambda n: "SET a = " + "if_not_exists(a, " * n + ":v"),
    "lists in lists": (
        "update",
        lambda n: "SET a = " + "list_append(" * n + ":v" + ", :w)" * n,
    ),
    "a long projection": ("projection", lambda n: "a" + ", a.b" * n),
    "commas": ("projection", lambda n: "a" + "," * n),
}


@pytest.mark.parametrize(("kind", "make"), HOSTILE.values(), ids=HOSTILE.keys())
def test_given_a_hostile_text_when_it_is_longer_then_it_is_read_in_linearly_more_steps(
    kind: ExpressionKind, make: Callable[[int], str]
) -> None:
    # Longer than what is kept of texts that were read before.
    n = MAX_EXPRESSION_BYTES // (len(make(2)) - len(make(1))) + 1
    texts = [make(times * n) for times in (1, 2, 4)]
    once, twice, four_times = (steps_to_read(kind, text) for text in texts)

    assert twice <= 2 * once
    assert four_times <= 4 * once
    assert once <= 100 * len(texts[0])


@pytest.mark.parametrize(("kind", "make"), HOSTILE.values(), ids=HOSTILE.keys())
def test_given_a_hostile_text_then_no_part_of_it_is_scanned_twice_for_tokens(
    kind: ExpressionKind, make: Callable[[int], str]
) -> None:
    # The steps of a regular expression cannot be counted; but each match starts where the one
    # before it ended, or after space, in which each start is given up at once.
    text = make(100)

    assert "".join(match[0] for match in _TOKEN.finditer(text)) == "".join(text.split())


def test_given_a_loop_in_a_loop_then_its_steps_are_more_than_linear() -> None:
    def pairs(n: int) -> None:
        for _ in range(n):
            sum(1 for _ in range(n))

    once, twice = (steps_of(partial(pairs, n)) for n in (100, 200))

    assert twice > 3 * once


def test_given_a_projection_when_parsed_then_paths_stand_in_order() -> None:
    assert parse_projection("a.b, #c[1]", {"#c": "x.y"}).paths == (path("a", "b"), path("x.y", 1))


def test_given_a_node_when_parsed_then_its_span_is_its_text() -> None:
    text = "a = :v AND NOT contains(b.c[0], :w)"
    node = parse_condition(text)

    assert isinstance(node, And)
    spans = [text[slice(*term.span)] for term in node.terms if term.span]
    assert spans == ["a = :v", "NOT contains(b.c[0], :w)"]
