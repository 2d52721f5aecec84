"""Hypothesis strategies for items, and for requests on them, valid ones and bad ones.

    @given(strategies.items_of(Person))
    def test_my_handler_returns_any_person(person): ...

Values are Python's, as `dynasafe` takes them. Source: "Supported data types and naming rules in
Amazon DynamoDB".
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as st

from dynasafe.errors import InvalidValueError, ValueOutOfRangeError
from dynasafe.expressions.evaluate import attributes_of
from dynasafe.expressions.reserved_words import RESERVED_WORDS
from dynasafe.items.attributes import Attr, AttributeType, attr
from dynasafe.items.conditions import Condition
from dynasafe.items.item import Item
from dynasafe.items.schema import schema_of
from dynasafe.items.updates import UpdateBuilder
from dynasafe.limits import MAX_NUMBER_DIGITS, MAX_PARTITION_KEY_BYTES
from dynasafe.values.codecs import codec_for
from dynasafe.values.convert import from_attribute_map
from dynasafe.values.models import fields_of, is_model

ItemT = TypeVar("ItemT", bound=Item)
_MAX_INT = 10**MAX_NUMBER_DIGITS - 1
_WORDS = sorted(RESERVED_WORDS)
_TRAPS = [
    "a.b",
    "a b",
    "a[0]",
    "#x",
    ":v",
    "_a",
    "size",
    "🙂",
    "\u0000",
    "x" * 255,
    "é" * 127 + "x",
]
_TYPES: list[AttributeType] = ["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"]
_BAD_VALUES: list[Any] = [set(), {"", 1}, float("nan"), float("inf"), "\ud800", {1: "a"}]
_BAD_VALUES += [object(), datetime(2026, 1, 1), Decimal("1" * 39), 10**126, Decimal("1E-131")]


# Names and values


def attribute_names() -> st.SearchStrategy[str]:
    """Names of every kind: plain, reserved words in any case, dots, emoji, up to 255 bytes."""
    plain = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
    words = st.sampled_from(_WORDS).flatmap(
        lambda word: st.sampled_from([word, word.lower(), word.title()])
    )
    odd = texts(min_size=1, max_size=12)
    return st.one_of(plain, words, st.sampled_from(_TRAPS), odd)


def texts(*, min_size: int = 0, max_size: int = 20) -> st.SearchStrategy[str]:
    """Strings of any characters that can be encoded."""
    return st.text(st.characters(exclude_categories=["Cs"]), min_size=min_size, max_size=max_size)


def numbers() -> st.SearchStrategy[int | Decimal]:
    """Numbers of up to 38 digits, within DynamoDB's range."""
    decimals = st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent),
        st.integers(-(10**20), 10**20),
        st.integers(-100, 80),
    )
    return st.one_of(st.integers(-1000, 1000), st.integers(-_MAX_INT, _MAX_INT), decimals)


def sets() -> st.SearchStrategy[set[Any]]:
    """Sets of strings, numbers or bytes; not empty."""
    members: list[st.SearchStrategy[Any]] = [
        texts(min_size=1, max_size=8),
        numbers(),
        st.binary(min_size=1, max_size=8),
    ]
    return st.one_of([st.sets(each, min_size=1, max_size=4) for each in members])


def scalars() -> st.SearchStrategy[Any]:
    """Strings, numbers, bytes, truth values and None."""
    return st.one_of(texts(), numbers(), st.binary(max_size=20), st.booleans(), st.none())


def values(*, max_leaves: int = 8) -> st.SearchStrategy[Any]:
    """Values of every type, to any depth."""
    return st.recursive(
        scalars() | sets(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(attribute_names(), inner, max_size=3)
        ),
        max_leaves=max_leaves,
    )


def items(*, key: Mapping[str, object] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    """Plain items of any attributes, with the key's if one is given."""
    attributes = st.dictionaries(attribute_names(), values(), max_size=6)
    return attributes.map(lambda attributes: {**attributes, **(key or {})})


# Items of a class


def items_of(item_class: type[ItemT], **fixed: object) -> st.SearchStrategy[ItemT]:
    """Instances of an Item class, of any values that its types allow.

    Args:
        fixed: attributes that are given, by their names in Python: `id="p1"`, or a strategy for
            them: `id=st.sampled_from(["p1", "p2"])`.

    Raises:
        ValueOutOfRangeError: the class has no attribute of this name.
    """
    schema = schema_of(item_class)
    known = [each.field_name for each in schema.attributes]
    for name in fixed:
        if name not in known:
            nearest = get_close_matches(name, known, 1) or known
            raise ValueOutOfRangeError(
                name,
                f"{item_class.__name__} has no such attribute. "
                f"Fix: did you mean {' or '.join(nearest)}?",
            )
    hints = schema.types()
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for each in schema.attributes:
        if each.field_name in fixed:
            given = fixed[each.field_name]
            if not isinstance(given, st.SearchStrategy):
                given = st.just(given)
            fields[each.field_name] = given
        elif each.is_key:
            fields[each.field_name] = _key_values(hints[each.name])
        elif each.options.version:
            fields[each.field_name] = st.just(0)
        elif each.options.ttl:
            fields[each.field_name] = _of_type(hints[each.name]).map(_whole_seconds)
        elif each.has_default and not each.default() and _is_set(hints[each.name]):
            # Only such a set may be empty: it is left out of the stored item.
            fields[each.field_name] = st.builds(set) | _of_type(hints[each.name])
        else:
            fields[each.field_name] = _of_type(hints[each.name])
    return st.builds(item_class, **fields)


def _key_values(hint: Any) -> st.SearchStrategy[Any]:
    if hint is str:
        return texts(min_size=1).filter(lambda text: len(text.encode()) <= MAX_PARTITION_KEY_BYTES)
    return st.binary(min_size=1, max_size=20) if hint is bytes else _of_type(hint)


def _is_set(hint: Any) -> bool:
    return typing.get_origin(hint) in (set, frozenset)


def _whole_seconds(value: Any) -> Any:
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


def _of_type(hint: Any) -> st.SearchStrategy[Any]:
    """Values of an annotation."""
    simple = _SIMPLE.get(hint)
    if simple is not None:
        return simple
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([_of_type(each) for each in arguments])
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(_of_type(arguments[0]), max_size=4)
    if origin in (set, frozenset):
        members = st.sets(_of_type(arguments[0]), min_size=1, max_size=4)
        return members.map(origin)
    if origin in (dict, Mapping):
        return st.dictionaries(attribute_names(), _of_type(arguments[1]), max_size=4)
    if origin is tuple:
        if arguments[1:] == (...,):
            return st.lists(_of_type(arguments[0]), max_size=4).map(tuple)
        return st.tuples(*map(_of_type, arguments))
    if isinstance(hint, type) and issubclass(hint, Item):
        return items_of(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        fields = typing.get_type_hints(hint)
        return st.builds(hint, **{name: _of_type(each) for name, each in fields.items()})
    if isinstance(hint, type) and is_model(hint):
        return _models(hint)
    unknown: Any = hint
    found: st.SearchStrategy[Any] = st.from_type(unknown)
    return found


def _models(model: Any) -> st.SearchStrategy[Any]:
    """Instances of a pydantic model. Hypothesis's own strategy ignores DynamoDB's limits, and gives
    NaN."""
    fields = {
        field.read_name: _of_field(field.annotation, model.model_fields[name].metadata)
        for name, field in fields_of(model).items()
    }
    made = st.fixed_dictionaries(fields).map(lambda given: _valid(model, given))
    return made.filter(lambda instance: instance is not None)


def _of_field(annotation: Any, constraints: Sequence[object]) -> st.SearchStrategy[Any]:
    if not constraints or annotation is type(None):
        return _of_type(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return st.one_of([_of_field(each, constraints) for each in typing.get_args(annotation)])
    # Hypothesis knows the constraints of annotated-types, which pydantic's Field() leaves here.
    constrained: Any = typing.Annotated[(annotation, *constraints)]
    found: st.SearchStrategy[Any] = st.from_type(constrained)
    return found.filter(lambda value: _can_be_stored(annotation, value))


def _can_be_stored(hint: Any, value: object) -> bool:
    try:
        codec_for(hint).encode(value)
    except InvalidValueError:
        return False
    return True


def _valid(model: Any, given: dict[str, Any]) -> Any:
    """The instance, or None if a validator of the model refuses the values."""
    try:
        return model.model_validate(given)
    except ValueError:
        return None


_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: texts(),
    bytes: st.binary(max_size=20),
    bool: st.booleans(),
    type(None): st.none(),
    int: st.integers(-_MAX_INT, _MAX_INT),
    float: st.floats(-1e100, 1e100, allow_subnormal=False).filter(
        lambda number: number == 0 or abs(number) > 1e-100
    ),
    Decimal: numbers().map(Decimal),
    datetime: st.datetimes(datetime(1970, 1, 2), timezones=st.just(UTC)),
    date: st.dates(),
    UUID: st.uuids(),
    Any: values(),
    object: values(),
}


# Paths, conditions and updates for an item


@st.composite
def paths(draw: st.DrawFn, item: Mapping[str, Any] | Item) -> Attr[Any]:
    """The path of a value in the item."""
    path, _ = draw(_places(_plain(item)))
    return path


@st.composite
def _places(draw: st.DrawFn, item: Mapping[str, Any]) -> tuple[Attr[Any], Any]:
    """A path, and the item's value there."""
    name = draw(st.sampled_from(sorted(item)))
    path: Attr[Any] = attr(name=name)
    value = item[name]
    while isinstance(value, list | dict) and value and draw(st.booleans()):
        if isinstance(value, list):
            index = draw(st.integers(0, len(value) - 1))
            path, value = path[index], value[index]
        else:
            key = draw(st.sampled_from(sorted(value)))
            path, value = path[key], value[key]
    return path, value


def _plain(item: Mapping[str, Any] | Item) -> Mapping[str, Any]:
    """The item's values by the names in DynamoDB, as they are read without its class."""
    return from_attribute_map(attributes_of(item)) if isinstance(item, Item) else item


@st.composite
def conditions(draw: st.DrawFn, item: Mapping[str, Any] | Item) -> Condition:
    """Conditions on the item, true and false ones: see `condition.matches(item)`.

    Args:
        item: of an instance the values are of its annotations, as its table wants them.
    """
    simple = _typed_conditions(item) if isinstance(item, Item) else _simple_conditions(item)
    first = draw(simple)
    match draw(st.integers(0, 4)):
        case 0:
            return ~first
        case 1:
            return first & draw(simple)
        case 2:
            return first | ~draw(simple)
        case _:
            return first


@st.composite
def _simple_conditions(draw: st.DrawFn, item: Mapping[str, Any]) -> Condition:
    if not item or draw(st.integers(0, 9)) == 0:
        absent: Attr[Any] = attr(name=draw(attribute_names()))
        return draw(st.sampled_from([absent.exists(), absent.not_exists(), absent == 1]))
    path, value = draw(_places(item))
    other = value if draw(st.booleans()) else draw(scalars())
    bounds = draw(st.tuples(_ordered(value), _ordered(value)).map(sorted))
    size = draw(st.integers(0, 4))
    kinds: list[Callable[[], Condition]] = [
        lambda: path.exists(),
        lambda: path.not_exists(),
        lambda: path == other,
        lambda: path != other,
        lambda: path.is_in([other, size]),
        lambda: path.size() >= size,
        lambda: path.size() < size,
        lambda: path.contains(draw(_members(value))),
        lambda: path.begins_with(bounds[0] if isinstance(bounds[0], str | bytes) else "a"),
        lambda: path < bounds[0],
        lambda: path >= bounds[0],
        lambda: path.between(*bounds),
        lambda: path.is_type(draw(st.sampled_from(_TYPES))),
    ]
    condition: Condition = draw(st.sampled_from(kinds))()
    return condition


@st.composite
def _typed_conditions(draw: st.DrawFn, item: Item) -> Condition:
    if draw(st.integers(0, 9)) == 0:
        schema = schema_of(type(item))
        known = {*schema.by_name, *schema.by_field_name}
        absent: Attr[Any] = attr(name=draw(attribute_names().filter(lambda it: it not in known)))
        return draw(st.sampled_from([absent.exists(), absent.not_exists(), absent == 1]))
    path, value, hint, all_values = draw(_typed_places(item))
    kind = _without_none(hint)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    size = draw(st.integers(0, 4))
    # An empty set is not stored: nothing equals it.
    near = all_values if _is_set(kind) and not value else st.just(value) | all_values
    kinds: list[Callable[[], Condition]] = [
        lambda: path.exists(),
        lambda: path.not_exists(),
        lambda: path == draw(near),
        lambda: path != draw(near),
        lambda: path.is_in([draw(near), draw(near)]),
        lambda: path.size() >= size,
        lambda: path.size() < size,
        lambda: path.is_type(draw(st.sampled_from(_TYPES))),
    ]
    if kind in _ORDERED:
        some = near.filter(lambda it: it is not None)
        kinds += [
            lambda: path < draw(some),
            lambda: path >= draw(some),
            lambda: path.between(*sorted([draw(some), draw(some)])),
        ]
    if kind in (str, bytes):
        text: Any = kind() if value is None else value
        cuts = st.integers(0, len(text))
        kinds += [
            lambda: path.begins_with(text[: draw(cuts)]),
            lambda: path.contains(text[draw(cuts) :]),
        ]
    elif origin is list or _is_set(kind):
        members = _of_type(arguments[0])
        if value:
            members |= st.sampled_from(sorted(value, key=repr))
        kinds += [lambda: path.contains(draw(members))]
    condition: Condition = draw(st.sampled_from(kinds))()
    return condition


_ORDERED = (str, bytes, int, float, Decimal, datetime, date)


@st.composite
def _typed_places(
    draw: st.DrawFn, item: Item
) -> tuple[Attr[Any], Any, Any, st.SearchStrategy[Any]]:
    """A path, what the instance has there, the annotation, and all values that may stand there."""
    item_class: Any = type(item)
    each = draw(st.sampled_from(schema_of(item_class).attributes))
    path: Any = getattr(item_class, each.field_name)
    value: Any = getattr(item, each.field_name)
    hint = schema_of(item_class).types()[each.name]
    if each.options.ttl:
        return path, value, hint, _of_type(hint).map(_whole_seconds)
    while value and draw(st.booleans()):
        kind = _without_none(hint)
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if issubclass(type(value), Item) and kind is type(value):
            below = draw(st.sampled_from(schema_of(kind).attributes))
            path = path[getattr(kind, below.field_name)]
            value, hint = getattr(value, below.field_name), schema_of(kind).types()[below.name]
        elif origin is list:
            index = draw(st.integers(0, len(value) - 1))
            path, value, hint = path[index], value[index], arguments[0]
        elif origin in (dict, Mapping):
            key = draw(st.sampled_from(sorted(value)))
            path, value, hint = path[key], value[key], arguments[1]
        else:
            break
    return path, value, hint, _of_type(hint)


def _without_none(hint: Any) -> Any:
    """X of `X | None`; any other annotation as it is."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        others = [each for each in typing.get_args(hint) if each is not type(None)]
        return others[0] if len(others) == 1 else hint
    return hint


def _ordered(value: Any) -> st.SearchStrategy[Any]:
    """Values that have an order, of the value's own type if that has one."""
    near: list[st.SearchStrategy[Any]]
    if isinstance(value, str):
        near = [st.just(value), texts(max_size=3)]
    elif isinstance(value, bytes):
        near = [st.just(value), st.binary(max_size=3)]
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        near = [st.just(value), st.integers(-5, 5)]
    else:
        near = [st.integers(-5, 5)]
    return st.one_of(near)


def _members(value: Any) -> st.SearchStrategy[Any]:
    """Values to search for in a value; most of them are in it."""
    if isinstance(value, set | list) and value:
        return st.sampled_from(sorted(value, key=repr)) | scalars()
    if isinstance(value, str | bytes):
        return st.builds(lambda start: value[start:], st.integers(0, len(value)))
    return scalars()


@st.composite
def updates(
    draw: st.DrawFn, item: Mapping[str, Any] | Item, *, key: Collection[str] = ()
) -> UpdateBuilder:
    """Updates that DynamoDB accepts for the item. `update.apply(item)` gives the result.

    Args:
        item: of an instance the new values are of its annotations.
        key: the names of a mapping's key attributes, which an update leaves alone.
    """
    if isinstance(item, Item):
        return draw(_typed_updates(item))
    update = UpdateBuilder(escape=draw(st.sampled_from(["auto", "always"])))
    names = sorted(item.keys() - set(key))
    known = draw(st.lists(st.sampled_from(names), max_size=3, unique=True)) if names else []
    fresh = draw(st.lists(attribute_names(), max_size=2, unique=True))
    for name in dict.fromkeys([*known, *fresh]):
        if name in item and name not in key:
            path, old = draw(_places({name: item[name]}))
            _add_action(draw, update, path, old, is_new=False)
        elif name not in key:
            _add_action(draw, update, attr(name=name), None, is_new=True)
    return update if not update.is_empty else update.set(attr(name="filler"), 1)


def _add_action(
    draw: st.DrawFn, update: UpdateBuilder, here: Attr[Any], old: Any, *, is_new: bool
) -> None:
    actions = ["set", "set_if_not_exists", "remove"]
    is_number = isinstance(old, int | Decimal) and not isinstance(old, bool)
    if is_new:
        actions += ["increment", "append", "add"]
    elif is_number:
        actions += ["small"]
    elif isinstance(old, list):
        actions += ["append", "prepend"]
    elif isinstance(old, set):
        actions += ["delete"]
    match draw(st.sampled_from(actions)):
        case "set":
            update.set(here, draw(values()))
        case "set_if_not_exists":
            update.set_if_not_exists(here, draw(values()))
        case "remove":
            update.remove(here)
        case "increment":
            update.increment(here, draw(st.integers(-1000, 1000)))
        case "small":
            difference: Any = old
            # A sum of its own has the digits of the number, and cannot have too many.
            update.set(here, here - difference)
        case "append":
            update.append(here, draw(st.lists(values(), max_size=3)))
        case "prepend":
            update.prepend(here, draw(st.lists(values(), max_size=3)))
        case "add":
            update.add(here, draw(sets()))
        case _:
            members: Any = old
            update.delete(here, {draw(st.sampled_from(sorted(members, key=repr)))})


@st.composite
def _typed_updates(draw: st.DrawFn, item: Item) -> UpdateBuilder:
    item_class: Any = type(item)
    schema = schema_of(item_class)
    hints = schema.types()
    update = UpdateBuilder(item_class)
    free = [each for each in schema.attributes if not each.is_key and not each.options.version]
    if not free:
        raise ValueError(f"{item_class.__name__} has nothing but a key: there are no updates of it")
    for each in draw(st.lists(st.sampled_from(free), min_size=1, max_size=3, unique=True)):
        here: Attr[Any] = getattr(item_class, each.field_name)
        hint = hints[each.name]
        value = _of_type(hint).map(_whole_seconds) if each.options.ttl else _of_type(hint)
        actions = ["set", "set_if_not_exists"]
        actions += ["remove"] if each.has_default else []
        actions += ["append"] if typing.get_origin(hint) is list else []
        actions += ["add", "delete"] if _is_set(hint) else []
        match draw(st.sampled_from(actions)):
            case "remove":
                update.remove(here)
            case action:
                getattr(update, action)(here, draw(value))
        if update.is_empty:  # nothing was appended
            update.set(here, draw(value))
    return update


def patches(item_class: type[Item]) -> st.SearchStrategy[dict[str, Any]]:
    """Mappings that `UpdateBuilder(item_class).patch(patch, none="null")` takes; not empty."""
    schema = schema_of(item_class)
    hints = schema.types()
    allowed = {
        each.field_name: _of_type(hints[each.name])
        for each in schema.attributes
        if each.is_patchable and not each.options.ttl
    }
    return st.fixed_dictionaries({}, optional=allowed).filter(bool)


# Bad ones


def bad_attribute_names() -> st.SearchStrategy[Any]:
    """Texts that are not names of attributes."""
    return st.sampled_from(["", None, 3, b"name"])


def bad_values() -> st.SearchStrategy[Any]:
    """Values that `dynasafe` refuses because DynamoDB would: alone, or deep in a value."""
    bad = st.sampled_from(range(len(_BAD_VALUES))).map(_BAD_VALUES.__getitem__)
    return bad | bad.map(lambda value: {"a": [value]}) | st.just(_nested(33))


def _nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def bad_items() -> st.SearchStrategy[dict[str, Any]]:
    """Plain items, one of whose values DynamoDB would refuse."""
    return st.builds(
        lambda item, name, value: {**item, name: value}, items(), attribute_names(), bad_values()
    )


@st.composite
def bad_items_of(draw: st.DrawFn, item_class: type[ItemT]) -> ItemT:
    """Instances of an Item class, one of whose attributes has what its type does not allow."""
    item = draw(items_of(item_class))
    each = draw(st.sampled_from(schema_of(item_class).attributes))
    setattr(item, each.field_name, draw(st.sampled_from([object(), float("nan"), {1: 2}])))
    return item


def bad_paths() -> st.SearchStrategy[str]:
    """Texts that are not document paths, which `attr` refuses."""
    return st.sampled_from(
        ["", ".", "a..b", ".a", "a.", "a[", "a[]", "a[x]", "a[-1]", "[0]", "a]b["]
    )


def bad_keys(item_class: type[Item]) -> st.SearchStrategy[dict[str, Any]]:
    """Keys that are not the class's: one too few, one too many, an empty one, none."""
    schema = schema_of(item_class)
    whole: dict[str, Any] = {each.name: "a" for each in schema.key_attributes}
    first = next(iter(whole))
    return st.sampled_from(
        [{}, {**whole, "other": 1}, {**whole, first: None}, {**whole, first: object()}]
    )


def bad_updates() -> st.SearchStrategy[dict[str, Any]]:
    """Hand-written parameters of UpdateItem in the client's form, which DynamoDB refuses."""
    base: dict[str, Any] = {"TableName": "some-table", "Key": {"id": {"S": "a"}}}
    value = {":v": {"S": "x"}}
    bad: list[dict[str, Any]] = [
        {"UpdateExpression": "REMOVE a", "ExpressionAttributeNames": {}},
        {"UpdateExpression": "REMOVE a", "ExpressionAttributeValues": {}},
        {"UpdateExpression": "REMOVE a", "ExpressionAttributeNames": None},
        {"UpdateExpression": ""},
        {"UpdateExpression": "SET a = :v"},
        {"UpdateExpression": "SET #a = :v", "ExpressionAttributeValues": value},
        {"UpdateExpression": "REMOVE a", "ExpressionAttributeValues": value},
        {"UpdateExpression": "SET status = :v", "ExpressionAttributeValues": value},
        {"UpdateExpression": "SET a = :v, a.b = :v", "ExpressionAttributeValues": value},
        {"UpdateExpression": "ADD a :v", "ExpressionAttributeValues": value},
        {"UpdateExpression": "SET a = :v,", "ExpressionAttributeValues": value},
        {"UpdateExpression": "SET id = :v", "ExpressionAttributeValues": value},
    ]
    return st.sampled_from(bad).map(lambda members: {**base, **members})


def bad_conditions() -> st.SearchStrategy[dict[str, Any]]:
    """Hand-written parameters of DeleteItem in the client's form, which DynamoDB refuses."""
    base: dict[str, Any] = {"TableName": "some-table", "Key": {"id": {"S": "a"}}}
    texts_of_bad = [
        *("", "a", "a = ", "a == :v", "a = :v AND", "(a = :v", "status = :v", "#a = :v", "a = :w"),
        *("attribute_exists(:v)", "begins_with(a, :n)", "attribute_type(a, :v)", "a BETWEEN :v"),
        *("a = a", "size(a)", "exists(a)", "a IN ()", "NOT", "a BETWEEN :n AND :v"),
    ]
    given = {":v": {"S": "x"}, ":n": {"N": "1"}}

    def params(text: str) -> dict[str, Any]:
        used = {name: value for name, value in given.items() if name in text}
        values = {"ExpressionAttributeValues": used} if used else {}
        return {**base, "ConditionExpression": text, **values}

    return st.sampled_from(texts_of_bad).map(params)


def bad_patches(item_class: type[Item]) -> st.SearchStrategy[dict[str, Any]]:
    """Patches that set forbidden attributes: keys, unknown ones, those with patchable=False."""
    schema = schema_of(item_class)
    refused = [each.field_name for each in schema.attributes if not each.is_patchable]
    return st.sampled_from([*refused, "no_such_attribute"]).map(lambda name: {name: "x"})
