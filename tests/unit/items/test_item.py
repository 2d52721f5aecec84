"""Item classes: how they are made, written and read."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    NotRequired,
    Optional,
    Required,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from dynasafe import Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import (
    InvalidValueError,
    StoredValueError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.items.item_format import ItemShape
from dynasafe.items.schema import schema_of
from dynasafe.values.codecs import codec_for
from dynasafe.values.convert import register_codec, to_attribute_map, to_attribute_value
from dynasafe.values.whole_items import decode_item, encode_item
from tests.support.people import Address, Person


class Colour(Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0

    def __post_init__(self) -> None:
        if self.y < 0:
            raise ValueError(f"{self.y} is below 0")
        assert self.y != 404, f"{self.y} is nowhere"


class Model(BaseModel):
    name: str = Field(max_length=9)


class Everything(Item):
    id: Attr[str] = attribute(key="partition")
    text: Attr[str] = attribute(default="")
    number: Attr[int] = attribute(default=0)
    ratio: Attr[float] = attribute(default=0.0)
    amount: Attr[Decimal] = attribute(default=Decimal(0))
    flag: Attr[bool] = attribute(default=False)
    data: Attr[bytes] = attribute(default=b"")
    maybe: Attr[Optional[int]] = attribute(default=None)  # noqa: UP045  (both spellings work)
    either: Attr[int | str | None] = attribute(default=None)
    texts: Attr[list[str]] = attribute(default_factory=list)
    pair: Attr[tuple[int, str]] = attribute(default=(0, ""))
    row: Attr[tuple[int, ...]] = attribute(default=())
    numbers: Attr[set[int]] = attribute(default_factory=set)
    frozen: Attr[frozenset[str]] = attribute(default=frozenset())
    by_name: Attr[dict[str, list[int]]] = attribute(default_factory=dict)
    when: Attr[datetime | None] = attribute(default=None)
    day: Attr[date | None] = attribute(default=None)
    uuid: Attr[UUID | None] = attribute(default=None)
    colour: Attr[Colour] = attribute(default=Colour.RED)
    kind: Attr[Literal["a", "b"]] = attribute(default="a")
    address: Attr[Address | None] = attribute(default=None)
    addresses: Attr[list[Address]] = attribute(default_factory=list)
    point: Attr[Point | None] = attribute(default=None)
    model: Attr[Model | None] = attribute(default=None)
    anything: Attr[Any] = attribute(default=None)
    constant: ClassVar[int] = 3


FULL = Everything(
    id="a",
    text="é",
    number=3,
    ratio=0.1,
    amount=Decimal("1.10"),
    flag=True,
    data=b"\x00",
    maybe=4,
    either="x",
    texts=["a"],
    pair=(1, "b"),
    row=(1, 2),
    numbers={1},
    frozen=frozenset({"z"}),
    by_name={"k": [1]},
    when=datetime(2030, 1, 1, tzinfo=UTC),
    day=date(2030, 1, 1),
    uuid=UUID(int=7),
    kind="b",
    address=Address(city="London"),
    addresses=[Address(city="Paris")],
    point=Point(1, 2),
    model=Model(name="m"),
    anything={"deep": [1, {"x"}]},
)


def test_every_type_roundtrip() -> None:
    """An item with every type, and one with defaults only, are read as they were written."""
    assert decode_item(Everything, encode_item(FULL)) == FULL
    bare = Everything(id="a")
    assert decode_item(Everything, encode_item(bare)) == bare


@given(
    st.builds(
        Everything,
        id=st.text(min_size=1),
        number=st.integers(-(10**37), 10**37),
        maybe=st.none() | st.integers(-5, 5),
        either=st.none() | st.integers(-5, 5) | st.text(),
        texts=st.lists(st.text()),
        numbers=st.sets(st.integers(-9, 9)),
        by_name=st.dictionaries(st.text(min_size=1), st.lists(st.integers(-9, 9))),
        when=st.none() | st.datetimes(timezones=st.just(UTC)),
        uuid=st.none() | st.uuids(),
    )
)
def test_item_roundtrip(item: Everything) -> None:
    """Any item is read as it was written."""
    assert decode_item(Everything, encode_item(item)) == item


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("text", 3, "text: str is expected, not int"),
        ("number", "3", "number: int is expected, not str"),
        ("number", True, "number: int is expected, not bool"),
        ("number", 1.5, "number: int is expected, not float"),
        ("flag", 1, "flag: bool is expected, not int"),
        ("texts", ["a", 3], "texts[1]: str is expected, not int"),
        ("texts", "ab", "texts: list[str] is expected, not str"),
        ("numbers", {"x"}, "numbers"),
        ("by_name", {"k": [1, None]}, "by_name.*[1]: int is expected, not NoneType"),
        ("day", datetime(2030, 1, 1, tzinfo=UTC), "day"),
        ("kind", "c", "kind: Literal['a', 'b'] is expected, not str"),
        ("colour", "red", "colour: Colour is expected, not str"),
        ("address", {"city": "x"}, "address"),
        ("pair", (1,), "pair: tuple[int, str] is expected, not tuple"),
        ("point", Point("x"), "point.x: int is expected, not str"),  # type: ignore[arg-type]
        ("when", datetime(2030, 1, 1), "when: a datetime without a timezone"),
    ],
)
def test_values_of_another_type(field: str, value: Any, message: str) -> None:
    """The error for a value of another type has its path."""
    item = Everything(id="a")
    setattr(item, field, value)

    with pytest.raises(InvalidValueError) as caught:
        encode_item(item)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("text", "\ud800", "text"),
        ("texts", ["a", "\udfff"], "texts[1]"),
        ("frozen", frozenset({"a", "\ud800"}), "frozen"),
        ("by_name", {"a": [], "\ud800": []}, "by_name.\ud800"),
        ("anything", {"\ud800": 1}, "anything.\ud800"),
    ],
)
def test_lone_surrogates(field: str, value: Any, path: str) -> None:
    """A lone surrogate is refused with its path, wherever it is in the item."""
    item = Everything(id="a")
    setattr(item, field, value)

    with pytest.raises(ValueOutOfRangeError, match="the str has a lone surrogate") as caught:
        encode_item(item)

    assert caught.value.path == path


def test_map_keys_are_str() -> None:
    """A map with a key that is not a str is refused."""
    item = Everything(id="a", by_name={"é": [], 3: []})  # type: ignore[dict-item]
    with pytest.raises(UnsupportedTypeError, match="by_name: a map's keys are str, not int"):
        encode_item(item)


@pytest.mark.parametrize(
    ("name", "stored", "message"),
    [
        ("number", {"S": "3"}, "number: the stored value, of type S, does not fit"),
        ("number", {"N": "1.5"}, "number: the stored value, of type N, does not fit"),
        ("texts", {"L": [{"N": "1"}]}, "texts[0]: the stored value, of type N"),
        ("address", {"M": {}}, "address.city: the stored item lacks this attribute"),
        ("colour", {"S": "blue"}, "colour: the stored value, of type S"),
        ("when", {"S": "yesterday"}, "when: the stored value, of type S"),
        ("uuid", {"S": "x"}, "uuid: the stored value, of type S"),
        ("point", {"M": {"x": {"N": "1"}, "y": {"N": "-2"}}}, "point: the stored value, of type M"),
        ("point", {"M": {"x": {"N": "1"}, "y": {"N": "404"}}}, "point: the stored value, of typ"),
        ("data", {"B": "a"}, "data: the stored value, of type B, does not fit"),
        ("model", {"M": {"name": {"S": "0123456789"}}}, "model: the stored value, of type M"),
    ],
)
def test_stored_values_of_another_type(name: str, stored: Mapping[str, Any], message: str) -> None:
    """The error for a stored value of another type has its path and does not show its cause."""
    with pytest.raises(StoredValueError) as caught:
        decode_item(Everything, {"id": {"S": "a"}, name: stored})

    assert str(caught.value).startswith(message)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_written_item_has_stored_names() -> None:
    """An item is written with its stored names and read with its Python names."""
    wire = encode_item(Person(id="a", name="n", first_name="Ada"))
    assert wire["firstName"] == {"S": "Ada"}
    assert decode_item(Person, wire).first_name == "Ada"
    assert Person.first_name.path.attribute_name == "firstName"


def test_constructor_takes_python_names_only() -> None:
    """The name in DynamoDB is no argument of the constructor."""
    by_stored_name: Any = {"id": "a", "name": "n", "firstName": "Ada"}
    with pytest.raises(TypeError, match="Person: unknown: 'firstName'"):
        Person(**by_stored_name)


def test_ttl_is_in_epoch_seconds() -> None:
    """A TTL is written in epoch seconds and read as a datetime."""
    wire = encode_item(Person(id="a", name="n", expires_at=datetime(2030, 1, 1, tzinfo=UTC)))
    assert wire["expires_at"] == {"N": "1893456000"}
    assert decode_item(Person, wire).expires_at == datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("kind", [list[int], set[datetime], dict[str, int], str, int | datetime])
def test_ttl_of_another_type(kind: Any) -> None:
    """A TTL attribute of another type is refused."""

    class Expiring(Item):
        at: Attr[kind] = attribute(ttl=True)

    with pytest.raises(TypeError, match="Expiring: a TTL attribute is a datetime, or an int in s"):
        encode_item(Expiring(at=1))


def test_empty_set_is_left_out() -> None:
    """An empty set is not written, and is read as the default."""
    wire = encode_item(Person(id="a", name="n"))
    assert "tags" not in wire
    assert decode_item(Person, wire).tags == set()


NEWER: dict[str, Any] = {"SDK_UNKNOWN_MEMBER": {"name": "X"}}  # botocore reads a later type so


@pytest.mark.parametrize("name", ["anything", "kind", "text", "model", "either"])
def test_value_of_a_later_type(name: str) -> None:
    """A stored value of an unknown type raises StoredValueError with its path."""
    with pytest.raises(StoredValueError) as caught:
        decode_item(Everything, {"id": {"S": "a"}, name: NEWER})

    assert caught.value.path == name


def test_malformed_value_inside_any() -> None:
    """The error for a malformed value inside an attribute of any type has its path."""
    codec = codec_for(Any)
    with pytest.raises(StoredValueError) as caught:
        codec.decode({"M": {"b": {"L": [{"S": "x"}, {"N": 3}]}}})
    assert caught.value.path == "b[1]"


def test_value_of_a_later_type_in_a_dict() -> None:
    """A stored value of an unknown type raises StoredValueError without an Item class too."""
    plain: ItemShape[dict[str, Any]] = ItemShape()
    typed = ItemShape(Everything)
    for read in (plain.decode, plain.decode_part, typed.decode_part):
        with pytest.raises(StoredValueError, match="not an AttributeValue"):
            read({"texts": {"L": [NEWER]}})


def test_stream_events_have_base64() -> None:
    """Binary values in an event of a stream are read from base64."""
    event = {"id": {"S": "a"}, "data": {"B": "AAE="}}
    assert decode_item(Everything, event).data == b"\x00\x01"


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("List", "list[any value]"),
        ("Tuple", "tuple[any value]"),
        ("Dict", "dict[str, any value]"),
        ("FrozenSet", "frozenset[any value]"),
        ("Mapping", "dict[str, any value]"),
    ],
)
def test_typing_aliases(alias: str, name: str) -> None:
    """An alias of typing without its types is read as the bare class."""
    assert codec_for(getattr(typing, alias)).name == name


@pytest.mark.parametrize("alias", ["MutableMapping", "Sequence", "Type"])
def test_typing_aliases_without_codec(alias: str) -> None:
    """An alias of typing that has no codec is refused."""
    with pytest.raises(UnsupportedTypeError, match="has no codec"):
        codec_for(getattr(typing, alias))


def test_unknown_attributes_are_kept() -> None:
    """Attributes that the class does not declare are kept when the item is written again."""
    wire = {**encode_item(Person(id="a", name="n")), "legacy": {"S": "x"}}
    assert encode_item(decode_item(Person, wire)) == wire


def test_subclass_has_both_attributes() -> None:
    """A subclass has its own attributes and those of its base, the key included."""

    class Employee(Person):
        salary: Attr[int] = attribute(default=0)

    employee = Employee(id="a", name="n", salary=3)
    assert decode_item(Employee, encode_item(employee)) == employee
    assert schema_of(Employee).partition_key is not None


class Audited(Item):
    created: Attr[int] = attribute(name="createdAt")
    source: Attr[str] = attribute(default="app")


class Legacy(Audited):
    pass


class Imported(Audited):
    source: Attr[str] = attribute(default="file")
    rows: Attr[int] = attribute(default=0)


class Mixin:
    """No Item, so its annotations are not those of an Item."""

    rows: str
    note: str


def test_several_bases() -> None:
    """A class with several bases has the attributes of all, with their stored names."""

    class Employee(Person, Audited):
        pass

    employee = Employee(id="a", name="n", created=3)
    wire = encode_item(employee)

    assert wire["createdAt"] == {"N": "3"}
    assert decode_item(Employee, wire) == employee
    assert [each.field_name for each in schema_of(Employee).attributes] == [
        each.field_name for base in (Audited, Person) for each in schema_of(base).attributes
    ]


def test_first_base_in_mro_order() -> None:
    """Of two bases with one attribute, the first one in MRO order decides."""

    class Both(Legacy, Imported):
        pass

    class Other(Mixin, Imported, Legacy):  # type: ignore[misc]
        pass

    for each in (Both, Other):
        # Legacy inherits `source`, and Imported declares it again.
        item: Any = each(created=1)
        assert item.source == Imported(created=1).source == "file"
        assert decode_item(each, encode_item(item)) == item


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Person(id="a"), "Person: missing: name"),
        (lambda: Person(id="a", name="n", nick="x"), "Person: unknown: 'nick'"),
        (lambda: Person("a"), "positional"),
    ],
)
def test_wrong_arguments_are_named(make: Any, message: str) -> None:
    """The error for wrong arguments of a constructor names them."""
    with pytest.raises(TypeError, match=message):
        make()


def test_unknown_name_is_refused() -> None:
    """Setting a name that the class does not declare is refused."""
    with pytest.raises(AttributeError, match="Person has no attribute 'nick'"):
        Person(id="a", name="n").nick = "x"  # type: ignore[attr-defined]


def test_wrong_definitions_fail() -> None:
    """A class with contradictory attributes fails when it is defined."""
    with pytest.raises(TypeError, match=r"Twice has key='partition' more than once: a, b"):

        class Twice(Item):
            a: Attr[str] = attribute(key="partition")
            b: Attr[str] = attribute(key="partition")

    with pytest.raises(TypeError, match="has a sort key, but no partition key"):

        class Sorted(Item):
            a: Attr[str] = attribute(key="sort")

    with pytest.raises(TypeError, match="are both named 'b' in DynamoDB"):

        class Clash(Item):
            a: Attr[str] = attribute(name="b")
            b: Attr[str]

    with pytest.raises(TypeError, match="a is named 'b' in DynamoDB, which is another attribute's"):

        class Crossed(Item):
            a: Attr[str] = attribute(name="b")
            b: Attr[str] = attribute(name="c")

    with pytest.raises(TypeError, match=r"Renamed.created is named 'made' in DynamoDB, but 'cr"):

        class Renamed(Legacy):
            created: Attr[int] = attribute(name="made")

    with pytest.raises(TypeError, match=r"write its type as Attr\[...\]"):

        class Bare(Item):
            a: str

    with pytest.raises(TypeError, match=r"Untyped.a: write its type as Attr\[...\]"):

        class Untyped(Item):
            a: Attr  # type: ignore[type-arg]


@pytest.mark.parametrize(
    "default", [[], {}, {1}, bytearray(), Address(city="x"), Point(1), Model(name="m")]
)
def test_mutable_default_is_refused(default: Any) -> None:
    """A mutable default is refused, and the error says what to write."""
    name = type(default).__name__
    message = (
        f"a {name} as default= would be shared by all items. Fix: default_factory={name}, or a "
        "function that makes one"
    )
    with pytest.raises(TypeError) as caught:

        class Shared(Item):
            a: Attr[Any] = attribute(default=default)

    assert str(caught.value) == message
    with pytest.raises(TypeError, match="would be shared by all items"):

        class Plain(Item):
            a: Attr[Any] = default


class Node(Item):
    id: Attr[str] = attribute(key="partition")
    next: Attr[Node | None] = attribute(default=None)
    either: Attr[Node | int | None] = attribute(default=None)
    nodes: Attr[list[Node]] = attribute(default_factory=list)
    by_name: Attr[dict[str, Node]] = attribute(default_factory=dict)
    anything: Attr[Any] = attribute(default=None)


def holding_itself(field: str, make: Callable[[Node], Any] = lambda node: node) -> Node:
    node = Node(id="a")
    setattr(node, field, make(node))
    return node


@pytest.mark.parametrize(
    "node",
    [
        holding_itself("next"),
        holding_itself("either"),
        holding_itself("nodes", lambda node: [Node(id="b", next=node)]),
        holding_itself("by_name", lambda node: {"a": node}),
        holding_itself("anything"),
        holding_itself("anything", lambda node: {"a": [node]}),
    ],
    ids=repr,
)
def test_item_that_holds_itself_is_refused(node: Node) -> None:
    """An item that holds itself is refused with the words for such a dict."""
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    with pytest.raises(ValueOutOfRangeError) as of_dict:
        to_attribute_map(loop)

    for write in (
        lambda: encode_item(node),
        lambda: to_attribute_map({"a": node}),
        lambda: UpdateBuilder(Node).set(Node.next, node),
        lambda: Node.next == node,
    ):
        with pytest.raises(ValueOutOfRangeError) as caught:
            write()
        assert caught.value.reason == of_dict.value.reason
        assert len(caught.value.path) <= 200


def test_item_that_holds_itself_has_a_repr() -> None:
    """The repr of an item that holds itself ends."""
    assert "next=..., either=None" in repr(holding_itself("next"))


@dataclasses.dataclass
class Comment:
    text: str
    answers: list[Comment] = dataclasses.field(default_factory=list)
    best: Comment | None = None


class Folder(TypedDict):
    name: Annotated[str, {"unit": 1}]
    folders: NotRequired[list[Folder]]


class Partial(TypedDict, total=False):
    name: Required[str]
    size: int


class Threads(Item):
    comment: Attr[Comment]
    folder: Attr[Folder]


@dataclasses.dataclass
class Undefined:
    field: Nowhere  # type: ignore[name-defined]  # noqa: F821


@dataclasses.dataclass
class Uncoded:
    field: range


def test_recursive_types() -> None:
    """Types with fields of their own type are written and read."""
    threads = Threads(
        comment=Comment("a", [Comment("b")], Comment("c", [Comment("d")])),
        folder={"name": "a", "folders": [{"name": "b", "folders": []}, {"name": "c"}]},
    )
    assert decode_item(Threads, encode_item(threads)) == threads
    assert Threads.comment["answers"][0]["best"].codec.name == "Comment | None"


def test_required_and_optional_keys() -> None:
    """A TypedDict needs its required keys, and its other keys may be missing."""
    for kind, fine, wrong in (
        (Folder, {"name": "a"}, {"folders": []}),
        (Partial, {"name": "a"}, {"size": 1}),
    ):
        codec = codec_for(kind)
        assert codec.decode(codec.encode(fine)) == fine
        with pytest.raises(ValueOutOfRangeError, match="name: not a field set"):
            codec.encode(wrong)
        with pytest.raises(StoredValueError):
            codec.decode(to_attribute_value(wrong))


def test_dataclass_that_holds_itself_is_refused() -> None:
    """A dataclass that holds itself is refused."""
    comment = Comment("a")
    comment.answers.append(comment)
    for write in (
        lambda: encode_item(Threads(comment=comment, folder={"name": "a"})),
        lambda: Threads.comment == comment,
    ):
        with pytest.raises(ValueOutOfRangeError, match="or hold themselves"):
            write()


def test_dots_in_names_are_not_levels() -> None:
    """Dots in the keys of a map do not count as levels of nesting."""
    codec = codec_for(dict[str, Comment])
    by_name = {"a." * 50: Comment("a", [Comment("b", best=Comment("c"))])}

    assert codec.decode(codec.encode(by_name)) == by_name


@pytest.mark.parametrize(
    ("python_type", "message"),
    [
        (Undefined, "Undefined: its annotation names 'Nowhere', which is not defined. Fix: de"),
        (Uncoded, "Uncoded.field: <class 'range'> has no codec. Fix: annotate with a suppo"),
    ],
)
def test_class_of_a_field_without_codec_is_named(python_type: Any, message: str) -> None:
    """The error for a field without a codec names its class."""
    codec = codec_for(python_type)
    for use in (
        lambda: codec.encode(python_type(field=1)),
        lambda: codec.decode({"M": {"field": {"N": "1"}}}),
        lambda: codec.child("field"),
    ):
        with pytest.raises(TypeError) as caught:
            use()
        assert str(caught.value).startswith(message)


class Shade(Enum):
    PAIR = ("a", 1)
    DAY = date(2030, 1, 1)
    TEXTS = frozenset({"a"})
    RATIO = 0.5


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((Shade, each) for each in Shade),
        *((Literal["a", 1, True, b"x", None, Colour.RED], each) for each in ("a", 1, True, b"x")),
        (Literal["a", Colour.RED], Colour.RED),
    ],
)
def test_enums_and_literals_keep_their_type(kind: Any, value: Any) -> None:
    """Members of enums and literals are read with their own type and value."""
    codec = codec_for(kind)
    read = codec.decode(codec.encode(value))
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize("kind", [Shade, Literal["a", Colour.RED]])
def test_other_choices_are_refused(kind: Any) -> None:
    """A stored value that is not one of the choices is refused."""
    for other in ({"S": "b"}, {"L": []}, {"N": "1"}, {"NULL": True}):
        with pytest.raises(StoredValueError):
            codec_for(kind).decode(other)


class Length(str):
    """A str that is stored as a number."""


register_codec(Length, encode=len, decode=lambda length: Length("x" * length))


def test_str_subclass_stored_as_a_number() -> None:
    """A str subclass that is stored as a number is refused where a str belongs."""
    for write in (
        lambda: encode_item(Everything(id=Length("a"))),
        lambda: encode_item(Everything(id="a", texts=["b", Length("é")])),
        lambda: schema_of(Person).encode_key({"id": Length("a")}),
    ):
        with pytest.raises(UnsupportedTypeError, match="str is expected, not Length"):
            write()
    assert encode_item(Everything(id="a", anything=Length("abc")))["anything"] == {"N": "3"}


T = TypeVar("T")


class Page(Item, Generic[T]):
    first: Attr[T]
    rows: Attr[list[T]] = attribute(default_factory=list)


class PageOfInt(Page[int]):
    first: Attr[int]
    rows: Attr[list[int]] = attribute(default_factory=list)


class Book(Item):
    page: Attr[Page[int]]


class Odd(Item):
    odd: Attr[range]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (Page(first=1), "Page.first: ~T has no codec: a generic Item is written by the types in"),
        (
            Book(page=Page(first=1)),
            "Book.page: tests.unit.items.test_item.Page[int] has no codec: a gen",
        ),
        (Odd(odd=range(1)), "Odd.odd: <class 'range'> has no codec. Fix: annotate with a supp"),
    ],
)
def test_attribute_without_codec_is_named(item: Item, message: str) -> None:
    """The error for a type without a codec names its attribute."""
    with pytest.raises(TypeError) as caught:
        encode_item(item)

    assert str(caught.value).startswith(message)


def test_generic_item_with_types() -> None:
    """A subclass of a generic item is written with the types that it gives."""
    page = PageOfInt(first=1, rows=[2])
    assert decode_item(PageOfInt, encode_item(page)) == page


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (None, "Key: a mapping or an Item is expected, not NoneType"),
        (["id"], "Key: a mapping or an Item is expected, not list"),
        ({1: "a", "id": "b"}, "Key: the primary key of Person is id, but 'int', 'id' was given."),
    ],
)
def test_wrong_keys_are_refused(key: Any, message: str) -> None:
    """A key that is not a mapping, or has other names, is refused."""
    with pytest.raises(InvalidValueError) as caught:
        schema_of(Person).encode_key(key)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("other", [dict, Item, Point, "Person"])
def test_only_item_classes_have_a_schema(other: Any) -> None:
    """What is not a subclass of Item has no schema."""
    with pytest.raises(TypeError, match="a subclass of Item with attributes is expected, not"):
        schema_of(other)


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ("Attr[Nowhere]", "Unread.a: its annotation names 'Nowhere', which is not defined"),
        ("Attr[typing.Nowhere]", "Unread.a: its annotation cannot be read. Fix: write Attr[...]"),
        ("Attr[int[str]]", "Unread.a: its annotation cannot be read. Fix: write Attr[...]"),
        ("Attr[int, str]", "Unread.a: its annotation cannot be read. Fix: write Attr[...]"),
        ("Attr[int", "Unread.a: its annotation cannot be read. Fix: write Attr[...]"),
    ],
)
def test_unreadable_annotation_is_named(annotation: str, message: str) -> None:
    """The error for an annotation that is invalid names its attribute."""
    unread: Any = type("Unread", (Item,), {"__annotations__": {"a": annotation}})
    with pytest.raises(TypeError) as caught:
        encode_item(unread(a=1))

    assert str(caught.value).startswith(message)


def test_key_has_its_attributes_only() -> None:
    """A key is read from a dict or an item, and a dict with other names is refused."""
    schema = schema_of(Person)
    assert schema.encode_key({"id": "a"}) == {"id": {"S": "a"}}
    assert schema.encode_key(Person(id="a", name="n")) == {"id": {"S": "a"}}
    for wrong in ({}, {"id": "a", "name": "n"}, {"nope": 1}):
        with pytest.raises(InvalidValueError, match="the primary key of Person is id"):
            schema.encode_key(wrong)


def test_item_without_its_key() -> None:
    """An item without its key attribute is refused as a key."""
    with pytest.raises(InvalidValueError, match="of Person is id, but nothing was given"):
        schema_of(Person).encode_key(Person.__new__(Person))


def test_items_are_compared_by_value() -> None:
    """Items are shown and compared by value, and have no hash."""
    assert repr(Address(city="x")) == "Address(city='x')"
    assert Address(city="x") == Address(city="x") != Address(city="y")
    assert Address(city="x") != "x"
    with pytest.raises(TypeError):
        hash(Address(city="x"))


def test_item_among_plain_values() -> None:
    """An item inside a plain value is written as a map."""
    assert to_attribute_map({"a": [Address(city="x")]}) == {
        "a": {"L": [{"M": {"city": {"S": "x"}}}]}
    }
