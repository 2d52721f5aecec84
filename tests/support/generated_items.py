"""Item classes of generated attributes, and instances of them."""

from __future__ import annotations

import copy
import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, NewType, TypedDict
from uuid import UUID

from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from dynasafe import Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import InvalidValueError
from dynasafe.testing import strategies
from dynasafe.values.whole_items import encode_item


class Colour(Enum):
    RED = "red"
    BLUE = 2


CustomerId = NewType("CustomerId", str)


@dataclasses.dataclass
class Point:
    x: int
    note: str | None = None
    tags: set[str] = dataclasses.field(default_factory=set)


class Options(TypedDict):
    theme: str
    sizes: list[int]


class Geo(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", populate_by_name=True)

    lat: float = Field(default=0.0, alias="latitude")
    at: datetime | None = None
    tags: set[int] = set()


class Inner(Item):
    city: Attr[str]
    zip_code: Attr[str | None] = attribute(default=None, name="zipCode")
    seen_at: Attr[datetime | None] = attribute(default=None, stored_as="epoch_seconds")
    tags: Attr[frozenset[str]] = attribute(default=frozenset())


class Card(Item):
    kind: Attr[Literal["card"]] = attribute(default="card")
    number: Attr[int] = attribute(default=0)


class Bank(Item):
    kind: Attr[Literal["bank"]] = attribute(default="bank")
    number: Attr[int] = attribute(default=0)


TEXTS = strategies.texts(max_size=8)
INTS = st.integers(-(10**20), 10**20)
FLOATS = st.floats(-1e6, 1e6, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-9)
DECIMALS = st.decimals(-(10**9), 10**9, places=3)
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
SECONDS = TIMES.map(lambda time: time.replace(microsecond=0))
DATES = st.dates()
_Pair = tuple[Any, st.SearchStrategy[Any]]

SCALARS: list[_Pair] = [
    (str, TEXTS),
    (CustomerId, TEXTS),
    (int, INTS),
    (float, FLOATS),
    (Decimal, DECIMALS),
    (bytes, st.binary(max_size=5)),
    (bool, st.booleans()),
    (datetime, TIMES),
    (date, DATES),
    (UUID, st.uuids()),
    (Colour, st.sampled_from(Colour)),
    (Literal["a", 1, True], st.sampled_from(["a", 1, True])),
]
HASHABLE = [
    (str, TEXTS),
    (int, INTS),
    (Decimal, DECIMALS),
    (bytes, st.binary(max_size=5)),
    (date, DATES),
    (UUID, st.uuids()),
]
CLASSES: list[_Pair] = [
    (Point, st.builds(Point, INTS, st.none() | TEXTS, st.sets(TEXTS, max_size=2))),
    (Options, st.fixed_dictionaries({"theme": TEXTS, "sizes": st.lists(INTS, max_size=2)})),
    (Geo, st.builds(Geo, lat=FLOATS, at=st.none() | TIMES, tags=st.sets(INTS, max_size=2))),
    (
        Inner,
        st.builds(
            Inner,
            city=TEXTS,
            zip_code=st.none() | TEXTS,
            seen_at=st.none() | SECONDS,
            tags=st.frozensets(TEXTS, max_size=2),
        ),
    ),
    (Card | Bank, st.builds(Card, number=INTS) | st.builds(Bank, number=INTS)),
    (int | str, INTS | TEXTS),
    (datetime | date | bool, TIMES | DATES | st.booleans()),
    (int | float, INTS | FLOATS),
]


def _wider(inner: st.SearchStrategy[_Pair]) -> st.SearchStrategy[_Pair]:
    return st.one_of(
        inner.map(lambda pair: (list[pair[0]], st.lists(pair[1], max_size=3))),
        inner.map(lambda pair: (tuple[pair[0], ...], st.lists(pair[1], max_size=3).map(tuple))),
        inner.map(
            lambda pair: (
                dict[str, pair[0]],
                st.dictionaries(strategies.texts(min_size=1, max_size=5), pair[1], max_size=3),
            )
        ),
        inner.map(lambda pair: (pair[0] | None, st.none() | pair[1])),
    )


SETS = st.sampled_from(HASHABLE).map(lambda pair: (set[pair[0]], st.sets(pair[1], max_size=3)))
TYPES: st.SearchStrategy[_Pair] = st.recursive(
    st.sampled_from(SCALARS + CLASSES), _wider, max_leaves=3
)
NAMES = ["name", "status", "size", "first_name", "total", "data", "when"]
_STORED = [None, "firstName", "a.b", "#x", "Key", "é"]


@st.composite
def fields(draw: st.DrawFn, name: str, stored: str | None) -> tuple[str, Any, Any, Any]:
    """A field's name, its type, its options, and the strategy of its values."""
    annotation, values = draw(st.one_of(TYPES, TYPES, SETS))
    kind = draw(st.sampled_from(["required", "none", "null", "default", "set"]))
    options: dict[str, Any] = {} if stored is None else {"name": stored}
    if kind in ("none", "null"):
        annotation, values = annotation | None, st.none() | values
        options |= {"default": None} | ({"none": "null"} if kind == "null" else {})
    elif kind == "default":
        default = draw(values)
        options["default_factory"] = lambda: default
    elif kind == "set" and getattr(annotation, "__origin__", None) is set:
        options["default_factory"] = set
    return name, annotation, options, values


@st.composite
def classes(draw: st.DrawFn) -> tuple[Any, dict[str, st.SearchStrategy[Any]]]:
    """An Item class with a key and up to four attributes, and the strategies of their values."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    stored = draw(st.permutations(_STORED))
    made = [draw(fields(name, alias)) for name, alias in zip(names, stored, strict=False)]
    return make_class(made), {name: values for name, _, _, values in made}


def make_class(made: list[tuple[str, Any, Any, Any]], title: str = "Generated") -> Any:
    """The Item class of fields, with a key."""
    annotations: dict[str, Any] = {"id": Attr[str]}
    namespace: dict[str, Any] = {
        "__annotations__": annotations,
        "id": attribute(key="partition"),
    }
    for name, annotation, options, _ in made:
        annotations[name] = Attr[annotation]
        namespace[name] = attribute(**options)
    return type(title, (Item,), namespace)


@st.composite
def instances(draw: st.DrawFn) -> Any:
    """An instance of a generated class."""
    item_class, values = draw(classes())
    return item_class(id="k", **{name: draw(each) for name, each in values.items()})


@st.composite
def changes(draw: st.DrawFn) -> tuple[Any, UpdateBuilder[Any] | None, Any]:
    """An instance, an update of one of its attributes, and the instance that comes of it.

    There is no update where the instance or the value cannot be stored, or nothing is to be done.
    """
    item_class, strategies = draw(classes())
    item = item_class(id="k", **{name: draw(each) for name, each in strategies.items()})
    name = draw(st.sampled_from(sorted(strategies)))
    value = draw(strategies[name])
    by = draw(st.sampled_from([name, getattr(item_class, name)]))
    builder: Any = UpdateBuilder(item_class)
    schema = item_class.__dynasafe_schema__.by_field_name[name]
    try:
        is_stored = schema.name in encode_item(item)
        verb, new = draw(st.sampled_from(actions(schema, getattr(item, name), value, is_stored)))
        getattr(builder, verb)(by, *([] if verb == "remove" else [value]))
    except InvalidValueError:
        return item, None, item
    expected = copy.copy(item)
    setattr(expected, name, new)
    if builder.is_empty:
        assert expected == item
        return item, None, item
    return item, builder, expected


def actions(schema: Any, old: Any, value: Any, is_stored: bool) -> list[tuple[str, Any]]:
    """The actions that take the value, each with what the attribute is afterwards."""
    possible = [("set", value), ("set_if_not_exists", old if is_stored else value)]
    if schema.has_default:
        possible.append(("remove", schema.default()))
    if type(value) is type(old) is list:
        possible += [("append", old + value), ("prepend", value + old)]
    if type(value) is type(old) is set and value:
        possible += [("add", old | value)]
        if schema.is_empty_set_absent:
            possible += [("delete", old - value)]
    if type(value) is type(old) is int and abs(value) + abs(old) < 10**30:
        possible += [("increment", old + value), ("add", old + value)]
    return possible
