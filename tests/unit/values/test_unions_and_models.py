"""Unions, pydantic models and dataclasses: what is stored is what is read, or is refused."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, TypedDict
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, Json, RootModel, computed_field

from dynasafe import Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import InvalidValueError, StoredValueError, UnsupportedTypeError
from dynasafe.values.codecs import codec_for
from dynasafe.values.convert import to_attribute_value
from dynasafe.values.models import AmbiguousUnionError
from dynasafe.values.whole_items import decode_item, encode_item


class Colour(Enum):
    RED = "red"


class Size(StrEnum):
    BIG = "big"


class Card(Item):
    kind: Attr[Literal["card"]] = attribute(default="card", name="theKind")
    last4: Attr[str] = attribute(default="")


class Bank(Item):
    kind: Attr[Literal["bank", "giro"]] = attribute(default="bank", name="theKind")
    iban: Attr[str] = attribute(default="")


@dataclasses.dataclass
class Circle:
    shape: Literal["circle"] = "circle"
    radius: int = 1


@dataclasses.dataclass
class Square:
    shape: Literal["square"] = "square"
    radius: int = 1


class Cat(BaseModel):
    pet: Literal["cat"] = "cat"
    name: str = ""


class Dog(BaseModel):
    pet: Literal["dog"] = "dog"
    name: str = ""


class On(TypedDict):
    state: Literal[1]


class Off(TypedDict):
    state: Literal[0]


@dataclasses.dataclass
class Plain:
    x: int = 0


@dataclasses.dataclass
class Other:
    y: int = 0


class Untagged(BaseModel):
    z: int = 0


NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("annotation", "values"),
    [
        (Card | Bank, [Card(last4="1"), Bank(iban="DE1"), Bank(kind="giro"), Card(), Bank()]),
        (Bank | Card | None, [Card(last4="1"), Bank(iban="DE1"), None]),
        (Circle | Square, [Circle(), Square(), Square(radius=2)]),
        (Cat | Dog, [Cat(), Dog(name="Rex")]),
        (Annotated[Cat | Dog, Field(discriminator="pet")], [Cat(), Dog(name="Rex")]),
        (On | Off, [{"state": 1}, {"state": 0}]),
        (list[Card | Bank], [[Bank(), Card()], []]),
        (dict[str, Cat | Dog], [{"a": Dog(), "b": Cat()}]),
        (str | int | bool | bytes | None, ["1", 1, True, b"1", None, ""]),
        (int | str | list[str], [1, "1", ["1"]]),
        (list[int] | list[str], [[], [1], ["1"]]),
        (set[int] | set[str], [{1}, {"1"}]),
        (dict[str, int] | dict[str, str], [{}, {"a": 1}, {"a": "1"}]),
        (tuple[int, str] | tuple[int, str, str], [(1, "a"), (1, "a", "b")]),
        (datetime | date | UUID, [NOON, date(2030, 1, 1), UUID(int=7)]),
        (Literal["a"] | str, ["a", "b"]),
        (Size | str, [Size.BIG, "big", "x"]),
        (Colour | Literal["a"], [Colour.RED, "a"]),
        (int | float, [1, 1.5, 1.0, -0.25]),
        (Decimal | int, [1, Decimal("1.5"), Decimal(2)]),
        (Plain | str | None, [Plain(3), "x", None]),
        (Any | None, [None, 1, "x"]),
    ],
)
def test_union_reads_what_was_written(annotation: Any, values: list[Any]) -> None:
    """Each value of a union is read with its own type."""
    codec = codec_for(annotation)
    for value in values:
        read = codec.decode(codec.encode(value))
        assert read == value
        assert isinstance(value, str | int | float | Decimal) or type(read) is type(value)


@pytest.mark.parametrize(
    "annotation",
    [
        Plain | Other,
        Plain | Untagged,
        Cat | Untagged,
        Card | Plain,
        datetime | str,
        str | UUID | None,
        dict[str, Any] | Plain,
        list[int] | tuple[int, ...],
        list[Plain] | list[Other],
        dict[str, Plain] | dict[str, Other],
        Any | Plain,
    ],
)
def test_ambiguous_union_is_refused_at_definition(annotation: Any) -> None:
    """A class with an ambiguous union is refused, and the error says to add a tag."""
    with pytest.raises(AmbiguousUnionError, match=r"Ambiguous.either: .* Fix: give each class a"):
        type("Ambiguous", (Item,), {"__annotations__": {"either": Attr[annotation]}})


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int | float, 1e30),
        (float | Decimal, Decimal("0.1")),
        (str | Colour, Colour.RED),
        (Colour | str, "red"),
    ],
)
def test_value_that_reads_as_another_is_refused(annotation: Any, value: Any) -> None:
    """A value that would be read as another member of its union is refused."""
    with pytest.raises(InvalidValueError, match="would be read as another value"):
        codec_for(annotation).encode(value)


def test_unknown_tag_is_no_member():
    """A stored value with an unknown tag, or without one, is refused."""
    with pytest.raises(StoredValueError, match="does not fit"):
        codec_for(Card | Bank).decode({"M": {"theKind": {"S": "cash"}}})
    with pytest.raises(StoredValueError, match="does not fit"):
        codec_for(Card | Bank).decode({"M": {}})


class Visa(Card):
    level: Attr[int] = attribute(default=1)


class Kitten(Cat):
    age: int = 1


@dataclasses.dataclass
class Point(Plain):
    z: int = 0


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Card, Visa()),
        (Card | Bank, Visa()),
        (Cat, Kitten()),
        (Plain, Point()),
        (list[Card], [Visa()]),
    ],
)
def test_a_subclass_is_not_stored_as_its_base(annotation: Any, value: Any) -> None:
    """An instance of a subclass is refused, since it would be read as its base."""
    with pytest.raises(UnsupportedTypeError, match=f"is expected, not {Visa.__name__}|not"):
        codec_for(annotation).encode(value)


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    colour: Colour = Colour.RED
    at: datetime = NOON
    day: date | None = None
    data: bytes = b"x"
    tags: set[str] = set()
    pair: tuple[int, str] = (1, "a")
    uid: UUID = UUID(int=1)
    amount: Decimal = Decimal("1.50")
    nested: Untagged | None = None
    facts: Json[list[int]] | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def shout(self) -> str:
        return self.colour.name


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    first: str = Field(default="", alias="firstName")
    second: int = Field(default=0, validation_alias="in", serialization_alias="out")
    note: str | None = None
    needed: str | None


class Names(RootModel[list[str]]):
    pass


@pytest.mark.parametrize(
    "value",
    [
        Strict(),
        Strict(tags={"a"}, day=date(2030, 1, 1), nested=Untagged(z=3), facts="[1]"),
        Aliased(first="a", needed=None),
        Aliased(needed="x", note="y", **{"in": 3}),
        Names(["a"]),
    ],
)
def test_models_are_read_as_they_were_written(value: BaseModel) -> None:
    """Strict ones, with computed fields, sets that are empty, Json and aliases."""
    codec = codec_for(type(value))
    assert codec.decode(codec.encode(value)) == value
    assert to_attribute_value(value) == codec.encode(value)


def test_none_and_empty_sets_of_models_are_absent():
    """None and empty sets of a model are not stored, unless it needs them."""
    stored = codec_for(Strict).encode(Strict(nested=Untagged()))["M"]
    assert not {"tags", "day", "facts", "shout"} & stored.keys()
    assert codec_for(Aliased).encode(Aliased(needed=None))["M"] == {
        "firstName": {"S": ""},
        "out": {"N": "0"},
        "needed": {"NULL": True},
    }


class Changing(BaseModel):
    text: str = Field(default="")

    def model_post_init(self, context: Any) -> None:
        self.text += "!"


@dataclasses.dataclass
class Counted:
    x: int = 0
    made: int = dataclasses.field(default=0, init=False)


@pytest.mark.parametrize("value", [Changing(text="a")])
def test_model_that_reads_as_another_is_refused(value: BaseModel) -> None:
    """A model that would be read as another one is refused before it is written."""
    with pytest.raises(InvalidValueError, match="would not be read back as it is"):
        codec_for(type(value)).encode(value)


def test_dataclass_that_reads_as_another():
    """A dataclass with a changed field that its __init__ does not take is refused."""
    codec = codec_for(Counted)
    assert codec.decode(codec.encode(Counted(3))) == Counted(3)
    changed = Counted(3)
    changed.made = 7
    with pytest.raises(InvalidValueError, match="would not be read back as it is"):
        codec.encode(changed)


@dataclasses.dataclass
class Tagged:
    needed: set[str]
    tags: set[str] = dataclasses.field(default_factory=set)
    frozen: frozenset[int] = frozenset()
    note: str | None = None
    must: str | None = "x"


def test_none_and_empty_sets_of_dataclasses():
    """None and empty sets of a dataclass are not stored, unless it needs them."""
    codec = codec_for(Tagged)
    value = Tagged(set(), must=None)
    assert codec.encode(value) == {"M": {"must": {"NULL": True}}}
    assert codec.decode(codec.encode(value)) == value
    assert to_attribute_value(value) == codec.encode(value)


class Owner(Item):
    id: Attr[str] = attribute(key="partition")
    aliased: Attr[Aliased | None] = attribute(default=None)
    plain: Attr[Plain | None] = attribute(default=None)
    tagged: Attr[list[Tagged]] = attribute(default_factory=list)
    at: Attr[datetime | None] = attribute(default=None)


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("aliased.first", "a", "SET aliased.firstName = :firstName"),
        ("aliased.second", 3, "SET aliased.#out = :out"),
        ("aliased.note", None, "REMOVE aliased.note"),
        ("plain.x", 3, "SET plain.x = :x"),
        ("tagged[0].note", None, "REMOVE tagged[0].note"),
        ("tagged[0].must", None, "SET tagged[0].must = :must"),
    ],
)
def test_parts_of_models_and_dataclasses(path: str, value: Any, text: str) -> None:
    """Names of fields inside models and dataclasses are translated, and values are checked."""
    assert UpdateBuilder(Owner).set(path, value).expressions()["UpdateExpression"] == text
    with pytest.raises(UnsupportedTypeError):
        UpdateBuilder(Owner).set(path, object())
    with pytest.raises(UnsupportedTypeError, match="has no such field"):
        UpdateBuilder(Owner).set(path + "y", value)


def test_stored_time_without_timezone_is_refused():
    """A stored time without a timezone is refused, since it could not be written back."""
    stored = encode_item(Owner(id="a")) | {"at": {"S": "2021-09-06 17:04:21"}}
    with pytest.raises(StoredValueError, match="at: the stored value"):
        decode_item(Owner, stored)
