"""What is claimed to be repeatable is: a search for a counterexample on the model of the engine.

An update is applied, another writer may write, and the update is applied again where its condition
still holds. Where it is claimed to be repeatable, the second time must be refused, or change
nothing, or leave the item as if it had been applied once, after the other writer.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from dynasafe.errors import InvalidRequestError
from dynasafe.expressions.evaluate import apply, holds, value_at
from dynasafe.expressions.idempotency import is_idempotent
from dynasafe.expressions.nodes import (
    AddAction,
    Arithmetic,
    Comparison,
    ConditionNode,
    DeleteAction,
    Function,
    IfNotExists,
    In,
    ListAppend,
    Node,
    Not,
    Operand,
    Path,
    RemoveAction,
    SetAction,
    Update,
    Value,
    conjunction,
    disjunction,
)
from dynasafe.expressions.parser import parse_condition, parse_update
from dynasafe.expressions.path_set import PathSet
from dynasafe.values.wire import fingerprint

Item = dict[str, Any]

# Few values, some of them in two spellings, so that what is equal by chance is tried.
NUMBERS = st.sampled_from(["0", "1", "1.0", "2"]).map(lambda text: {"N": text})
SETS = st.sampled_from([["a"], ["b"], ["a", "b"], ["b", "a"]]).map(lambda each: {"SS": each})
SCALARS = NUMBERS | st.just({"S": "x"})
LISTS = st.lists(NUMBERS | st.builds(lambda n: {"M": {"b": n}}, NUMBERS), max_size=3).map(
    lambda each: {"L": each}
)
MAPS = st.dictionaries(st.sampled_from("xy"), NUMBERS, max_size=2).map(lambda each: {"M": each})
VALUES: st.SearchStrategy[Any] = NUMBERS | SCALARS | SETS | LISTS | MAPS
PATHS = st.sampled_from(
    [
        *[(name,) for name in "abnnsslm"],
        *[("m", "x"), ("m", "y"), ("l", 0), ("l", 1), ("l", 5), ("l", 0, "b"), ("l", 1, "b")],
    ]
).map(Path)
LITERALS = VALUES.map(Value)
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys("abn", SCALARS),
        "s": SETS,
        "l": LISTS,
        "m": MAPS,
    },
)


@st.composite
def set_values(draw: st.DrawFn, path: Path) -> Operand:
    match draw(st.integers(0, 6)):
        case 0 | 1 | 2:
            return draw(LITERALS)
        case 3:
            return draw(PATHS)
        case 4:
            return IfNotExists(draw(st.just(path) | PATHS), draw(LITERALS | PATHS))
        case 5:
            read = draw(st.just(path) | PATHS)
            stored: Operand = draw(st.sampled_from([read, IfNotExists(read, Value({"N": "0"}))]))
            operands = [stored, draw(NUMBERS.map(Value))]
            left, right = draw(st.permutations(operands))
            return Arithmetic(draw(st.sampled_from("+-")), left, right)
        case _:
            old = IfNotExists(path, Value({"L": []}))
            left, right = draw(st.permutations([old, draw(LISTS.map(Value))]))
            return ListAppend(left, right)


@st.composite
def updates(draw: st.DrawFn) -> Update:
    """One to three actions, of which no two paths clash."""
    clauses: dict[str, list[Any]] = {"set": [], "remove": [], "add": [], "delete": []}
    taken = PathSet()
    for path in draw(st.lists(PATHS, min_size=1, max_size=3)):
        if taken.add(path.elements) is not None:
            continue
        match draw(st.sampled_from(["set", "set", "set", "remove", "add", "delete"])):
            case "set":
                clauses["set"].append(SetAction(path, draw(set_values(path))))
            case "remove":
                clauses["remove"].append(RemoveAction(path))
            case "add":
                clauses["add"].append(AddAction(path, draw((NUMBERS | SETS).map(Value))))
            case _:
                clauses["delete"].append(DeleteAction(path, draw(SETS.map(Value))))
    return Update(**{name: tuple(actions) for name, actions in clauses.items()})


LEAVES: st.SearchStrategy[ConditionNode] = st.one_of(
    st.builds(Comparison, st.sampled_from(["=", "=", "=", "<>", "<", ">="]), PATHS, LITERALS),
    st.builds(Comparison, st.sampled_from(["=", "<>"]), LITERALS, PATHS),
    st.builds(Comparison, st.just("="), PATHS, PATHS),
    st.builds(In, PATHS, st.lists(LITERALS | PATHS, min_size=1, max_size=2).map(tuple)),
    st.builds(
        lambda name, path: Function(name, (path,)),
        st.sampled_from(["attribute_exists", "attribute_not_exists"]),
        PATHS,
    ),
    st.builds(
        lambda path, kind: Function("attribute_type", (path, Value({"S": kind}))),
        PATHS,
        st.sampled_from(["N", "S", "SS", "L", "M"]),
    ),
)
CONDITIONS: st.SearchStrategy[ConditionNode] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: conjunction(*terms)),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: disjunction(*terms)),
    ),
    max_leaves=4,
)


@st.composite
def true_leaves(draw: st.DrawFn, path: Path, item: Item) -> ConditionNode:
    """A condition on the path that holds for the item."""
    now = value_at(path, item)
    if now is None:
        absent = Function("attribute_not_exists", (path,))
        return draw(st.just(absent) | st.builds(Comparison, st.just("<>"), st.just(path), LITERALS))
    (kind,) = now
    literal = Value(now)
    return draw(
        st.sampled_from(
            [
                Comparison("=", path, literal),
                Comparison("=", literal, path),
                In(path, (Value({"N": "2"}), literal)),
                Function("attribute_exists", (path,)),
                Function("attribute_type", (path, Value({"S": kind}))),
            ]
        )
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Update, ConditionNode, Item]:
    """An update, an item, and a condition that often holds for it."""
    item, update = draw(ITEMS), draw(updates())
    terms = [draw(true_leaves(draw(st.sampled_from(update.actions)).path, item))]
    if draw(st.booleans()):
        terms.append(draw(CONDITIONS))
    return update, draw(st.sampled_from([conjunction, disjunction]))(*terms), item


@st.composite
def writers(draw: st.DrawFn) -> Update:
    """Another writer: one action, which reads nothing but what it changes."""
    path = draw(PATHS)
    value = draw(
        LITERALS
        | st.builds(ListAppend, LISTS.map(Value), st.just(IfNotExists(path, Value({"L": []}))))
    )
    actions = [
        Update(set=(SetAction(path, value),)),
        Update(remove=(RemoveAction(path),)),
        Update(add=(AddAction(path, draw((NUMBERS | SETS).map(Value))),)),
    ]
    return draw(st.sampled_from(actions))


def written(update: Update, item: Item) -> Item | None:
    """The item after the update; None where it is refused."""
    try:
        return apply(update, item)
    except InvalidRequestError:
        return None


def roots(node: object) -> set[object]:
    """The attributes that the paths in a tree begin with."""
    if isinstance(node, Path):
        return {node.elements[0]}
    if isinstance(node, tuple):
        return set().union(*map(roots, node)) if node else set()
    if isinstance(node, Node):
        return roots(tuple(getattr(node, name) for name in node.__match_args__))
    return set()


ONE, OTHER_ONE = {"N": "1"}, {"N": "1.0"}
THREE = {"l": {"L": [{"N": "1"}, {"M": {"b": ONE}}, {"M": {"b": ONE}}]}}


def known(update: str, condition: str, item: Item, writer: str, **values: Any) -> Any:
    given = {f":{name}": value for name, value in values.items()}
    return example(
        case=(parse_update(update, {}, given), parse_condition(condition, {}, given), item),
        writer=parse_update(writer, {}, given),
    )


@settings(
    max_examples=settings().max_examples * 2, suppress_health_check=[HealthCheck.filter_too_much]
)
@given(case=cases(), writer=st.none() | writers())
@known("REMOVE l[0]", "attribute_exists(l[0])", THREE, "REMOVE other")
@known("REMOVE l[1].b, l[0]", "attribute_exists(l[1].b)", THREE, "REMOVE other")
@known("SET l[5] = :one", "attribute_not_exists(l[5])", THREE, "REMOVE other", one=ONE)
@known(
    "SET a = :new, n = n + :old",
    "a = :old",
    {"a": ONE, "n": ONE},
    "REMOVE b",
    old=ONE,
    new=OTHER_ONE,
)
@known("SET n = n + :one", "n = :one OR n = :two", {"n": ONE}, "REMOVE b", one=ONE, two={"N": "2"})
@known("SET l[0] = :one", "attribute_exists(l)", THREE, "REMOVE l[0]", one={"N": "9"})
def test_no_counterexample(case: tuple[Update, ConditionNode, Item], writer: Update | None) -> None:
    """No update that is claimed to be repeatable has an effect of its own the second time."""
    update, condition, item = case
    assume(is_idempotent(update, condition) and holds(condition, item))
    if not is_idempotent(update) and writer is not None:
        # One that sets the condition's attribute back makes any proof by a condition void.
        assume(not roots(writer) & roots(condition))
    once = written(update, item)
    assume(once is not None)
    before = once if writer is None else written(writer, once)
    assume(before is not None)
    if not holds(condition, before):
        return
    assert is_idempotent(update), "the condition does not refuse it"
    twice = written(update, before)
    if twice is None or fingerprint(twice) == fingerprint(before):
        return
    assert writer is not None
    other_first = written(writer, item)
    as_if_later = None if other_first is None else written(update, other_first)
    assume(as_if_later is not None)  # else the other writer could only come second
    assert fingerprint(twice) == fingerprint(as_if_later)
