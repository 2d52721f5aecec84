"""Laws of the syntax tree, its text, and the way back."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from dynasafe.errors import ExpressionSyntaxError
from dynasafe.expressions import ExpressionKind
from dynasafe.expressions.nodes import ConditionNode, Expression, Projection, Update
from dynasafe.expressions.parser import (
    parse_condition,
    parse_key_condition,
    parse_projection,
    parse_update,
)
from dynasafe.expressions.reader import read_expression
from dynasafe.expressions.render import render
from dynasafe.expressions.reserved_words import must_be_aliased
from tests.properties.expression_strategies import RESOLVED, SYMBOLIC

PARSERS: dict[str, Any] = {
    "update": parse_update,
    "condition": parse_condition,
    "key condition": parse_key_condition,
    "projection": parse_projection,
}


@given(RESOLVED.updates)
def test_update_roundtrip(update: Update) -> None:
    """Parsing any rendered update gives the same tree."""
    rendered = render(update)

    assert parse_update(rendered.text, rendered.names, rendered.values) == update


@given(RESOLVED.conditions)
def test_condition_roundtrip(node: ConditionNode) -> None:
    """Parsing any rendered condition gives the same tree."""
    rendered = render(node)

    assert parse_condition(rendered.text, rendered.names, rendered.values) == node
    assert parse_key_condition(rendered.text, rendered.names, rendered.values) == node


@given(RESOLVED.projections)
def test_projection_roundtrip(node: Projection) -> None:
    """Parsing any rendered projection gives the same tree."""
    rendered = render(node)

    assert parse_projection(rendered.text, rendered.names) == node


@given(st.one_of(SYMBOLIC.updates, SYMBOLIC.conditions, SYMBOLIC.projections))
def test_placeholders_roundtrip(node: Expression) -> None:
    """Parsing without names and values keeps the placeholders."""
    rendered = render(node)
    kind = {Update: "update", Projection: "projection"}.get(type(node), "condition")

    assert (rendered.names, rendered.values) == ({}, {})
    assert PARSERS[kind](rendered.text) == node


@given(RESOLVED.conditions, st.sampled_from(["auto", "always"]))
def test_placeholders_are_used_and_defined(node: ConditionNode, escape: Any) -> None:
    """A rendered condition uses the placeholders that it defines, and no others."""
    rendered = render(node, escape=escape)
    reading = read_expression("condition", rendered.text)

    used_names = {
        element.text
        for path in reading.paths
        for element in path.elements
        if not isinstance(element, str | int)
    }
    assert used_names == set(rendered.names)
    assert sorted(value.text for value in reading.values) == sorted(rendered.values)
    if escape == "always":
        assert not any(isinstance(each, str) for path in reading.paths for each in path.elements)


KINDS = st.sampled_from(["update", "condition", "key condition", "projection"])
FRAGMENTS = st.sampled_from(
    [
        *("a", "b.c", "#n", ":v", "[0]", "[", "]", "(", ")", ",", ".", "+", "-", "=", "<>", "<="),
        *("<", "AND", "or", "Not", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE", "size(a)"),
        *("attribute_exists(", "if_not_exists(", "list_append(", "foo(", "01", "_", "é", "\t"),
        *("\x00", "'", '"', "\u3000", "🙂"),
    ]
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.binary(max_size=60).map(lambda data: data.decode("latin-1")),
    st.lists(FRAGMENTS, max_size=25).map(" ".join),
    st.lists(FRAGMENTS, max_size=25).map("".join),
)


@given(kind=KINDS, text=TEXTS)
@example(kind="condition", text="((size(a)) > (:v))")
@example(kind="update", text="SET a = ((b) + (:v))")
def test_any_text_has_a_tree_or_a_place(kind: ExpressionKind, text: str) -> None:
    """Any text gives a tree, or an error with its place."""
    try:
        reading = read_expression(kind, text)
    except ExpressionSyntaxError as error:
        spans = [error.span]
    else:
        spans = [problem.span for problem in reading.problems]
        assert (reading.node is None) <= bool(reading.problems)
    for start, end in spans:
        assert 0 <= start <= end <= len(text)


@given(node=st.one_of(SYMBOLIC.updates, SYMBOLIC.conditions), data=st.data())
def test_accepted_text_has_a_normal_form(node: Expression, data: st.DataObject) -> None:
    """A mutated expression that is accepted has a normal form with the same tree."""
    text = render(node).text
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 3))
    mutated = text[:at] + data.draw(FRAGMENTS | st.just("")) + text[at + cut :]
    kind: ExpressionKind = "update" if isinstance(node, Update) else "condition"
    try:
        reading = read_expression(kind, mutated)
    except ExpressionSyntaxError:
        return  # the test above checks its place
    bare = [each for path in reading.paths for each in path.elements if isinstance(each, str)]
    # The parser accepts a reserved word without an alias, and validation reports it; render
    # writes an alias.
    if not reading.problems and not any(map(must_be_aliased, bare)):
        # What is accepted has a normal form, which reads as the same tree.
        assert reading.node is not None
        normal = render(reading.node).text
        again = PARSERS[kind](normal)
        assert again == reading.node
        assert render(again).text == normal
