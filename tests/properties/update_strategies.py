"""Updates that fit a given item, each with what it makes of the item in plain Python."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from dynasafe import Attr, UpdateBuilder, attr
from dynasafe.items.conditions import Condition
from tests.properties.expression_strategies import NAMES

PlainItem = dict[str, Any]

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.integers(-(10**12), 10**12) | st.decimals(
    min_value=-(10**6), max_value=10**6, allow_nan=False, places=3
)
BINARIES = st.binary(max_size=6)
SETS = st.one_of(
    st.sets(TEXTS.filter(bool), min_size=1, max_size=4),
    st.sets(st.integers(-50, 50), min_size=1, max_size=4),
    st.sets(BINARIES.filter(bool), min_size=1, max_size=4),
)
SCALARS = st.one_of(TEXTS, NUMBERS, BINARIES, st.booleans(), st.none())
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | SETS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
ITEMS = st.dictionaries(NAMES.filter(lambda name: name != "pk"), VALUES, max_size=6)


@dataclass
class Step:
    """One action: what it does to a builder, and to the item."""

    build: Callable[[UpdateBuilder], object]
    apply: Callable[[PlainItem], object]


@st.composite
def steps(draw: st.DrawFn, name: str, item: PlainItem, with_copies: bool) -> Step:
    """An action on one attribute that DynamoDB accepts for this item."""
    here: Attr[Any] = attr(name=name)
    old = item.get(name)
    options = ["set", "set_if_not_exists", *(["copy"] if with_copies else [])]
    if name not in item:
        options += ["append", "increment", "add number", "add set", "remove"]
    else:
        options += ["remove"]
        if is_number(old):
            options += ["increment", "add number", "plus", "minus"]
        elif isinstance(old, list):
            options += ["append", "prepend", "append to self"]
            options += ["set index", "remove index"] if old else []
            options += ["set past the end"]
        elif isinstance(old, dict):
            options += ["set key"] + (["remove key"] if old else [])
        elif isinstance(old, set):
            options += ["add members", "delete members"]
    match draw(st.sampled_from(options)):
        case "set":
            new = draw(VALUES)
            return Step(lambda b: b.set(here, new), lambda i: i.update({name: new}))
        case "set_if_not_exists":
            new = draw(VALUES)
            return Step(lambda b: b.set_if_not_exists(here, new), lambda i: i.setdefault(name, new))
        case "copy":
            if not item:
                return Step(lambda b: b.set(here, 1), lambda i: i.update({name: 1}))
            source = draw(st.sampled_from(sorted(item)))
            value = copy.deepcopy(item[source])
            return Step(lambda b: b.set(here, attr(name=source)), lambda i: i.update({name: value}))
        case "remove":
            return Step(lambda b: b.remove(here), lambda i: i.pop(name, None))
        case "increment":
            amount = draw(NUMBERS)
            return Step(lambda b: b.increment(here, amount), _added(name, amount))
        case "add number":
            amount = draw(NUMBERS)
            return Step(lambda b: b.add(here, amount), _added(name, amount))
        case "plus":
            amount = draw(NUMBERS)
            return Step(lambda b: b.set(here, here + amount), _added(name, amount))
        case "minus":
            amount = draw(NUMBERS)
            return Step(lambda b: b.set(here, here - amount), _added(name, -amount))
        case "append":
            more = draw(st.lists(VALUES, max_size=3))
            return Step(
                lambda b: b.append(here, more),
                lambda i: i.update({name: [*i.get(name, []), *more]}),
            )
        case "prepend":
            more = draw(st.lists(VALUES, max_size=3))
            return Step(
                lambda b: b.prepend(here, more), lambda i: i.update({name: [*more, *i[name]]})
            )
        case "append to self":
            return Step(
                lambda b: b.set(here, here.if_not_exists([])), lambda i: i.setdefault(name, [])
            )
        case "set index":
            index = draw(st.integers(0, len(_list(old)) - 1))
            new = draw(VALUES)
            return Step(
                lambda b: b.set(here[index], new), lambda i: i[name].__setitem__(index, new)
            )
        case "set past the end":
            index = len(_list(old)) + draw(st.integers(0, 5))
            new = draw(VALUES)
            return Step(lambda b: b.set(here[index], new), lambda i: i[name].append(new))
        case "remove index":
            index = draw(st.integers(0, len(_list(old)) - 1))
            return Step(lambda b: b.remove(here[index]), lambda i: i[name].pop(index))
        case "set key":
            key = draw(NAMES)
            new = draw(VALUES)
            return Step(lambda b: b.set(here[key], new), lambda i: i[name].update({key: new}))
        case "remove key":
            key = draw(st.sampled_from(sorted(_dict(old))))
            return Step(lambda b: b.remove(here[key]), lambda i: i[name].pop(key))
        case "add set":
            members = draw(SETS)
            return Step(lambda b: b.add(here, members), lambda i: i.update({name: members}))
        case "add members":
            members = {_like(old, draw)} | {_like(old, draw)}
            return Step(
                lambda b: b.add(here, members), lambda i: i.update({name: i[name] | members})
            )
        case _:
            members = {draw(st.sampled_from(sorted(_set(old), key=repr))), _like(old, draw)}
            return Step(lambda b: b.delete(here, members), _without(name, members))


@st.composite
def updates(
    draw: st.DrawFn, *, with_copies: bool = True
) -> tuple[PlainItem, UpdateBuilder, PlainItem]:
    """An item, an update for it, and the item that the update makes.

    Args:
        with_copies: whether actions read other attributes than the one they change.
    """
    item = draw(ITEMS)
    names = draw(
        st.lists(
            st.sampled_from(sorted(item)) | NAMES if item else NAMES,
            min_size=1,
            max_size=5,
            unique=True,
        )
    )
    builder = UpdateBuilder(escape=draw(st.sampled_from(["auto", "always"])))
    expected = copy.deepcopy(item)
    for name in names:
        if name != "pk":
            step = draw(steps(name, item, with_copies))
            step.build(builder)
            step.apply(expected)
    if builder.is_empty:
        builder.set(attr(name="filler"), 1)
        expected["filler"] = 1
    return item, builder, expected


@st.composite
def true_conditions(draw: st.DrawFn, item: PlainItem) -> Condition:
    """A condition that holds for the item."""
    name = draw(st.sampled_from(sorted(item)) | NAMES if item else NAMES)
    here: Attr[Any] = attr(name=name)
    if name not in item:
        return draw(st.sampled_from([here.not_exists(), ~here.exists()]))
    value = item[name]
    conditions = [here.exists(), here == value, here.is_in([value, 1]), ~(here != value)]
    if isinstance(value, str | bytes):
        conditions += [here.between(value, value), here.size() >= 0]
        conditions += [here.begins_with(value[:2])] if value else []
    if isinstance(value, list | dict | set):
        conditions += [here.size() == len(value)]
    if isinstance(value, list) and value:
        conditions += [here[0] == value[0], here.contains(value[-1])]
    if is_number(value):
        conditions += [here <= value, here >= value, ~(here < value), here.is_type("N")]
    chosen = draw(st.lists(st.sampled_from(range(len(conditions))), min_size=1, max_size=3))
    node = conditions[chosen[0]]
    for index in chosen[1:]:
        node = node & conditions[index] if draw(st.booleans()) else node | conditions[index]
    return node


def is_number(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _added(name: str, amount: Any) -> Callable[[PlainItem], object]:
    return lambda item: item.update({name: item.get(name, 0) + amount})


def _without(name: str, members: set[Any]) -> Callable[[PlainItem], object]:
    def apply(item: PlainItem) -> None:
        item[name] = item[name] - members
        if not item[name]:
            del item[name]

    return apply


def _like(old: Any, draw: st.DrawFn) -> Any:
    member = next(iter(_set(old)))
    if isinstance(member, str):
        return draw(TEXTS.filter(bool))
    return draw(BINARIES.filter(bool) if isinstance(member, bytes) else st.integers(-50, 50))


def _list(value: Any) -> list[Any]:
    assert isinstance(value, list)
    return value


def _dict(value: Any) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value


def _set(value: Any) -> set[Any]:
    assert isinstance(value, set)
    return value
