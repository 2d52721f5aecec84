"""Whatever is given to a public function, what it raises is an error of the tree, and has words."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from inspect import isawaitable
from typing import Any

import pytest

from dynasafe import (
    Attr,
    CircuitBreaker,
    Item,
    RetryPolicy,
    UpdateBuilder,
    attr,
    attribute,
    check_request,
    require_valid,
)
from dynasafe.errors import DynasafeError
from dynasafe.expressions import format as format_expression
from dynasafe.expressions import parse
from dynasafe.testing import fake_table, sync
from dynasafe.testing.descriptions import table_description
from dynasafe.values import register_codec


class Address(Item):
    city: Attr[str] = attribute(default="")


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str] = attribute(default="")
    visits: Attr[int] = attribute(default=0)
    price: Attr[Decimal] = attribute(default=Decimal(0))
    data: Attr[bytes] = attribute(default=b"")
    seen_at: Attr[datetime | None] = attribute(default=None)
    tags: Attr[set[str]] = attribute(default_factory=set)
    scores: Attr[list[int]] = attribute(default_factory=list)
    address: Attr[Address | None] = attribute(default=None)
    settings: Attr[dict[str, Any]] = attribute(default_factory=dict)


class Broken:
    """Raises from whatever Python asks of it."""

    def _refuse(self, *arguments: object) -> Any:
        raise RuntimeError("broken")

    __eq__ = __hash__ = __repr__ = __str__ = __bool__ = __len__ = _refuse
    __iter__ = __contains__ = __getitem__ = __int__ = __float__ = __index__ = _refuse
    __format__ = __lt__ = __gt__ = __add__ = __sub__ = _refuse


class NotATime(datetime):
    """As NaT of pandas: a datetime by its class, which no method of a datetime works on."""

    def astimezone(self, tz: object = None) -> Any:
        raise ValueError("NaTType does not support astimezone")

    isoformat = utcoffset = timestamp = astimezone  # type: ignore[assignment]

    def __ne__(self, other: object) -> bool:
        return True


class Scalar:
    """As a number of numpy: it has a number's methods, and is not one of Python's."""

    dtype = "int64"

    def item(self) -> int:
        return 1

    __int__ = __index__ = __float__ = __hash__ = item

    def __eq__(self, other: object) -> Any:
        return Several()


class Several:
    """As an array that is compared: it has no truth of its own."""

    def __bool__(self) -> bool:
        raise ValueError("The truth value of an array with more than one element is ambiguous")


class Text(str):
    """A str that is not what it says."""

    __slots__ = ()

    def __str__(self) -> str:
        return "other"

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


def cyclic_list() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


def cyclic_dict() -> dict[str, Any]:
    made: dict[str, Any] = {}
    made["a"] = made
    return made


def deep(levels: int) -> Any:
    made: Any = 1
    for _ in range(levels):
        made = [{"a": made}]
    return made


HOSTILE: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "object": object,
    "class": lambda: Person,
    "function": lambda: deep,
    "ellipsis": lambda: ...,
    "zero": lambda: 0,
    "negative": lambda: -1,
    "huge": lambda: 10**400,
    "most negative": lambda: -(10**5000),
    "true": lambda: True,
    "float": lambda: 1.5,
    "nan": lambda: float("nan"),
    "infinity": lambda: float("-inf"),
    "decimal nan": lambda: Decimal("NaN"),
    "signalling nan": lambda: Decimal("sNaN"),
    "huge exponent": lambda: Decimal("1e999999"),
    "complex": lambda: 1j,
    "empty text": lambda: "",
    "text": lambda: "x",
    "dotted": lambda: "a..b[",
    "surrogate": lambda: "\ud800",
    "control": lambda: "\x00\x1b[2J\u202e",
    "long text": lambda: "x" * 500_000,
    "text subclass": lambda: Text("name"),
    "empty bytes": lambda: b"",
    "bytearray": lambda: bytearray(b"x"),
    "memoryview": lambda: memoryview(b"xyz")[::2],
    "empty list": list,
    "list": lambda: [1, "a", None],
    "cyclic list": cyclic_list,
    "deep": lambda: deep(20_000),
    "tuple": lambda: ("a", 1),
    "range": lambda: range(3),
    "generator": lambda: (each for each in [1, 2]),
    "failing generator": lambda: (1 // each for each in [0]),
    "empty dict": dict,
    "dict of no names": lambda: {1: 2, None: 3},
    "empty name": lambda: {"": 1},
    "surrogate name": lambda: {"\ud800": "\ud800"},
    "cyclic dict": cyclic_dict,
    "wire": lambda: {"S": 1, "N": "x"},
    "empty set": set,
    "mixed set": lambda: {1, "a", b"c", None},
    "empty text in a set": lambda: {""},
    "naive": lambda: datetime(2030, 1, 1),
    "far": lambda: datetime(1, 1, 1, tzinfo=UTC),
    "not a time": lambda: NotATime(2030, 1, 1, tzinfo=UTC),
    "scalar": Scalar,
    "several": Several,
    "broken": Broken,
    "broken within": lambda: {"a": [Broken()]},
    "item of another class": lambda: Address(city="x"),
    "condition": lambda: Person.name == "a",
    "attribute": lambda: Person.visits,
    "another's attribute": lambda: Address.city,
    "builder": lambda: UpdateBuilder().set("a", 1),
    "empty builder": UpdateBuilder,
}

ATTRIBUTES = [
    Person.id,
    Person.name,
    Person.visits,
    Person.price,
    Person.data,
    Person.seen_at,
    Person.tags,
    Person.scores,
    Person.address,
    Person.settings,
    attr("any"),
]


def builder_calls() -> Iterator[tuple[str, Callable[[Any], object]]]:
    """A name, and what is called with a hostile value in one place."""
    for method in ("set", "set_if_not_exists", "add", "delete", "append", "prepend", "increment"):
        for target in ATTRIBUTES:
            yield (
                f"{method}({target.text}, x)",
                lambda x, method=method, target=target: getattr(UpdateBuilder(), method)(
                    target, x
                ).build(key={"pk": "p"}),
            )
        yield (
            f"{method}(x, 1)",
            lambda x, method=method: getattr(UpdateBuilder(Person), method)(x, 1),
        )
    yield "remove(x)", lambda x: UpdateBuilder(Person).remove(x)
    yield "condition(x)", lambda x: UpdateBuilder(Person).condition(x)
    yield "UpdateBuilder(x)", lambda x: UpdateBuilder(x)
    yield "escape", lambda x: UpdateBuilder(escape=x)
    for member in ("key", "return_values", "return_consumed_capacity"):
        yield (
            f"build({member}=x)",
            lambda x, member=member: (
                UpdateBuilder(Person).set("name", "a").build(**{"key": {"id": "p"}, member: x})
            ),
        )
    yield (
        "build_client(table_name=x)",
        lambda x: UpdateBuilder().set("a", 1).build_client(table_name=x, key={"id": "p"}),
    )
    yield "from_patch(x)", lambda x: UpdateBuilder.from_patch(x, allow={"name", "a", ""})
    yield "from_patch(allow=x)", lambda x: UpdateBuilder.from_patch({"name": "a"}, allow=x)
    yield (
        "from_patch(none=x)",
        lambda x: UpdateBuilder.from_patch({"name": None}, allow={"name"}, none=x),
    )
    yield "patch(x)", lambda x: UpdateBuilder(Person).patch(x)
    yield "patch(allow=x)", lambda x: UpdateBuilder(Person).patch({"name": "a"}, allow=x)
    for each in ATTRIBUTES:
        name = each.text
        yield f"patch({name})", lambda x, name=name: UpdateBuilder(Person).patch({name: x})
    yield "apply(x)", lambda x: UpdateBuilder(Person).set("name", "a").apply(x)
    yield (
        "matches(x)",
        lambda x: UpdateBuilder(Person).set("name", "a").condition(Person.id.exists()).matches(x),
    )


def condition_calls() -> Iterator[tuple[str, Callable[[Any], object]]]:
    yield "attr(x)", lambda x: attr(x)
    yield "attr(name=x)", lambda x: attr(name=x)
    for target in ATTRIBUTES:
        name = target.text
        yield f"{name} == x", lambda x, target=target: target == x
        yield f"{name} < x", lambda x, target=target: target < x
        yield f"{name}[x]", lambda x, target=target: target[x]
        yield f"{name} + x", lambda x, target=target: target + x
        yield f"{name}.size() == x", lambda x, target=target: target.size() == x
        yield f"{name}.between(x, x)", lambda x, target=target: target.between(x, x)
        for method in ("begins_with", "contains", "is_in", "is_type", "if_not_exists"):
            yield (
                f"{name}.{method}(x)",
                lambda x, target=target, method=method: getattr(target, method)(x),
            )
    yield "condition & x", lambda x: Person.id.exists() & x
    yield "matches(x)", lambda x: (Person.visits < 3).matches(x)


def other_calls() -> Iterator[tuple[str, Callable[[Any], object]]]:
    yield "check_request(x, {})", lambda x: check_request(x, {})
    yield "check_request(PutItem, x)", lambda x: check_request("PutItem", x)
    yield "check_request(form=x)", lambda x: check_request("PutItem", {}, form=x)
    yield "check_request(schema=x)", lambda x: check_request("PutItem", {}, schema=x)
    yield "require_valid(x, {})", lambda x: require_valid(x, {})
    for form in ("wire", "client", "resource"):
        for member in ("TableName", "Item", "ConditionExpression", "ExpressionAttributeNames"):
            params = {"TableName": "people", "Item": {"id": {"S": "a"}}}
            yield (
                f"{form} {member}",
                lambda x, params=params, member=member, form=form: check_request(
                    "PutItem", {**params, member: x}, form=form
                ),
            )
        for member in ("Key", "UpdateExpression", "ExpressionAttributeValues", "ReturnValues"):
            params = {"TableName": "people", "Key": {"id": {"S": "a"}}}
            yield (
                f"{form} {member}",
                lambda x, params=params, member=member, form=form: check_request(
                    "UpdateItem", {**params, member: x}, form=form
                ),
            )
        yield (
            f"{form} value",
            lambda x, form=form: check_request(
                "PutItem", {"TableName": "people", "Item": {"id": x}}, form=form
            ),
        )
    yield "parse(x)", lambda x: parse(x, "a = b")
    for kind in ("update", "condition", "projection"):
        yield f"parse({kind}, x)", lambda x, kind=kind: parse(kind, x)
        yield f"parse({kind}, names=x)", lambda x, kind=kind: parse(kind, "#a", x)
        yield f"parse({kind}, names of x)", lambda x, kind=kind: parse(kind, "#a", {"#a": x})
    yield "parse(values=x)", lambda x: parse("condition", "a = :v", {}, x)
    yield "parse(value x)", lambda x: parse("condition", "a = :v", {}, {":v": x})
    yield "format(x)", lambda x: format_expression(x)
    for each in ATTRIBUTES[:-1]:
        yield (
            f"Person({each.text}=x)",
            lambda x, name=each.text: Person(**{"id": "a", name: x}).to_dict(mode="json"),
        )
        yield (
            f"from_dict({each.text})",
            lambda x, name=each.text: Person.from_dict({"id": "a", name: x}),
        )
        yield (
            f"from_image({each.text})",
            lambda x, name=each.text: Person.from_image({"id": {"S": "a"}, name: x}),
        )
    yield "from_dict(x)", lambda x: Person.from_dict(x)
    yield "from_image(x)", lambda x: Person.from_image(x)
    yield "to_dict(mode=x)", lambda x: Person(id="a").to_dict(mode=x)
    for member in ("max_attempts", "base_delay_s", "max_delay_s", "quota"):
        yield f"RetryPolicy({member}=x)", lambda x, member=member: RetryPolicy(**{member: x})
    for member in ("failure_rate", "minimum_calls", "window", "open_s", "ignore", "hooks", "name"):
        yield f"CircuitBreaker({member}=x)", lambda x, m=member: CircuitBreaker(**{m: x})
    yield "register_codec(x)", lambda x: register_codec(x, encode=str, decode=str)


CALLS = {**dict(builder_calls()), **dict(condition_calls()), **dict(other_calls())}


def require_an_error_of_the_tree(error: BaseException, kind: str) -> None:
    if kind == "failing generator" and isinstance(error, ZeroDivisionError):
        return  # it comes from the caller's own code, which a iterable may run
    assert isinstance(error, DynasafeError), repr(type(error))
    for text in (str(error), repr(error)):
        assert len(text.encode()) < 20_000
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize("name", CALLS)
def test_any_argument_works_or_is_refused(name: str) -> None:
    """Any value, also a broken or a cyclic one, works or raises one of our errors."""
    for kind, make in HOSTILE.items():
        try:
            CALLS[name](make())
        except Exception as error:
            try:
                require_an_error_of_the_tree(error, kind)
            except AssertionError as failed:
                failed.add_note(f"{name} with {kind}")
                raise failed from error


def table_calls() -> dict[str, Callable[[Any, Any], Any]]:
    update = UpdateBuilder(Person).set("name", "a")
    return {
        "get_item(x)": lambda t, x: t.get_item(x),
        "get_item(projection=x)": lambda t, x: t.get_item({"id": "a"}, projection=x),
        "get_item(consistent_read=x)": lambda t, x: t.get_item({"id": "a"}, consistent_read=x),
        "get_item(timeout_s=x)": lambda t, x: t.get_item({"id": "a"}, timeout_s=x),
        "get_item(retry=x)": lambda t, x: t.get_item({"id": "a"}, retry=x),
        "put_item(x)": lambda t, x: t.put_item(x),
        "put_item(condition=x)": lambda t, x: t.put_item(Person(id="a"), condition=x),
        "put_item(return_values=x)": lambda t, x: t.put_item(Person(id="a"), return_values=x),
        "update_item(x)": lambda t, x: t.update_item(x, update.copy()),
        "update_item(update=x)": lambda t, x: t.update_item({"id": "a"}, x),
        "update_item(exactly_once=x)": lambda t, x: t.update_item(
            {"id": "a"}, update.copy(), exactly_once=x
        ),
        "delete_item(x)": lambda t, x: t.delete_item(x),
        "query(x)": lambda t, x: t.query(x).to_list(),
        "query(filter=x)": lambda t, x: t.query(Person.id == "a", filter=x).to_list(),
        "query(limit=x)": lambda t, x: t.query(Person.id == "a", limit=x).to_list(),
        "query(max_items=x)": lambda t, x: t.query(Person.id == "a", max_items=x).to_list(),
        "query(index_name=x)": lambda t, x: t.query(Person.id == "a", index_name=x).to_list(),
        "query(on_invalid=x)": lambda t, x: t.query(Person.id == "a", on_invalid=x).to_list(),
        "query(exclusive_start_key=x)": lambda t, x: t.query(
            Person.id == "a", exclusive_start_key=x
        ).to_list(),
        "scan(total_segments=x)": lambda t, x: t.scan(total_segments=x).to_list(),
        "scan(projection=x)": lambda t, x: t.scan(projection=x).to_list(),
        "batch_get_item(x)": lambda t, x: t.batch_get_item(x),
        "batch_get_item([x])": lambda t, x: t.batch_get_item([x]),
        "batch_write_item(put=x)": lambda t, x: t.batch_write_item(put=x),
        "batch_write_item(put=[x])": lambda t, x: t.batch_write_item(put=[x]),
        "batch_write_item(delete=[x])": lambda t, x: t.batch_write_item(delete=[x]),
    }


TABLE_CALLS = table_calls()


TABLES: dict[str, Callable[[], Any]] = {
    "typed": lambda: fake_table(Person),
    "plain": lambda: fake_table(table_description(Person)),
    "sync": lambda: sync.fake_table(Person),
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", TABLE_CALLS)
async def test_tables_accept_or_refuse_any_argument(name: str, table: str) -> None:
    """Any value, given to a table, works or raises one of our errors."""
    for kind, make in HOSTILE.items():
        try:
            made = TABLE_CALLS[name](TABLES[table](), make())
            if isawaitable(made):
                await made
        except Exception as error:
            try:
                require_an_error_of_the_tree(error, kind)
            except AssertionError as failed:
                failed.add_note(f"{name} with {kind}")
                raise failed from error
