"""Syntax trees of every shape that DynamoDB's grammar has."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st

from dynasafe.expressions.nodes import (
    AddAction,
    Arithmetic,
    Between,
    Comparison,
    ComparisonOperator,
    ConditionNode,
    DeleteAction,
    Function,
    IfNotExists,
    In,
    ListAppend,
    NamePlaceholder,
    Not,
    Operand,
    Path,
    Projection,
    RemoveAction,
    SetAction,
    Size,
    Update,
    Value,
    ValuePlaceholder,
    conjunction,
    disjunction,
)
from dynasafe.expressions.reserved_words import RESERVED_WORDS

PLAIN_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
ODD_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_WORDS = sorted(RESERVED_WORDS)
_TRAPS = ["a.b", "a b", "#x", ":v", "🙂", "REMOVE", "size", "contains", "a[0]", "_a"]


@st.composite
def names(draw: st.DrawFn) -> str:
    """Attribute names: plain, reserved in any case, odd, or any Unicode."""
    match draw(st.integers(0, 3)):
        case 0:
            return draw(PLAIN_NAMES)
        case 1:
            word = _WORDS[draw(st.integers(0, len(_WORDS) - 1))]
            return draw(st.sampled_from([word, word.lower(), word.title()]))
        case 2:
            return draw(st.sampled_from(_TRAPS))
        case _:
            return draw(ODD_NAMES)


NAMES = names()
PLACEHOLDER = st.from_regex(r"[A-Za-z0-9_]{1,6}", fullmatch=True)
ALIASES = PLACEHOLDER.map(lambda text: NamePlaceholder(f"#{text}"))
INDEXES = st.integers(0, 2**31 - 1)

VALUES: st.SearchStrategy[Operand] = st.builds(
    Value,
    st.one_of(
        st.text(max_size=5).map(lambda text: {"S": text}),
        st.integers(-9, 9).map(lambda number: {"N": str(number)}),
        st.just({"NULL": True}),
    ),
    st.none() | NAMES,
)


def paths(names: st.SearchStrategy[Any], max_size: int = 4) -> st.SearchStrategy[Path]:
    tails = st.lists(names | INDEXES, max_size=max_size)
    return st.builds(lambda name, tail: Path((name, *tail)), names, tails)


class Grammar:
    """Trees over some kind of names and values: resolved ones, or placeholders."""

    def __init__(self, names: st.SearchStrategy[Any], values: st.SearchStrategy[Operand]) -> None:
        path = paths(names)
        self.paths = path
        operand: st.SearchStrategy[Operand] = st.one_of(path, values, path.map(Size))
        leaf: st.SearchStrategy[ConditionNode] = st.one_of(
            st.builds(Comparison, st.sampled_from(get_args(ComparisonOperator)), operand, operand),
            st.builds(Between, operand, operand, operand),
            st.builds(In, operand, st.lists(operand, min_size=1, max_size=4).map(tuple)),
            st.builds(
                lambda name, each: Function(name, (each,)),
                st.sampled_from(["attribute_exists", "attribute_not_exists"]),
                path,
            ),
            st.builds(
                lambda name, one, two: Function(name, (one, two)),
                st.sampled_from(["attribute_type", "begins_with", "contains"]),
                path,
                operand,
            ),
        )
        self.conditions: st.SearchStrategy[ConditionNode] = st.recursive(
            leaf,
            lambda inner: st.one_of(
                inner.map(Not),
                st.lists(inner, min_size=2, max_size=4).map(lambda terms: conjunction(*terms)),
                st.lists(inner, min_size=2, max_size=4).map(lambda terms: disjunction(*terms)),
            ),
            max_leaves=12,
        )
        default = st.recursive(
            st.one_of(path, values),
            lambda inner: st.builds(IfNotExists, path, inner),
            max_leaves=3,
        )
        set_value: st.SearchStrategy[Operand] = st.one_of(
            default,
            st.builds(Arithmetic, st.sampled_from(["+", "-"]), default, default),
            st.builds(ListAppend, default, default),
        )
        self.updates: st.SearchStrategy[Update] = st.builds(
            Update,
            set=st.lists(st.builds(SetAction, path, set_value), max_size=4).map(tuple),
            remove=st.lists(st.builds(RemoveAction, path), max_size=3).map(tuple),
            add=st.lists(st.builds(AddAction, path, values), max_size=3).map(tuple),
            delete=st.lists(st.builds(DeleteAction, path, values), max_size=3).map(tuple),
        ).filter(lambda update: update != Update())
        self.projections: st.SearchStrategy[Projection] = st.lists(
            path, min_size=1, max_size=5
        ).map(lambda each: Projection(tuple(each)))


RESOLVED = Grammar(NAMES, VALUES)
SYMBOLIC = Grammar(
    PLAIN_NAMES.filter(
        lambda name: (
            name.upper() not in RESERVED_WORDS
            and name.upper() not in {"REMOVE", "ADD", "SET", "DELETE"}
        )
    )
    | ALIASES,
    PLACEHOLDER.map(lambda text: ValuePlaceholder(f":{text}")),
)
