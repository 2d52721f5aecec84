"""Data from outside: patches, dicts, JSON and images of streams."""

from __future__ import annotations

import base64
import dataclasses
import inspect
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from pydantic import BaseModel, Field, TypeAdapter

from dynasafe import Attr, Item, UpdateBuilder, attr, attribute
from dynasafe.errors import (
    InvalidPatchError,
    InvalidRequestError,
    InvalidValueError,
    StoredValueError,
    UnsupportedTypeError,
)
from dynasafe.testing import strategies
from dynasafe.values.whole_items import encode_item


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Geo(BaseModel):
    lat: float = Field(alias="latitude")
    note: str | None = None

    model_config = {"populate_by_name": True}


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Address(Item):
    city: Attr[str]
    zip_code: Attr[str | None] = attribute(default=None, name="zipCode")


class Place(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    role: Attr[str] = attribute(default="user", patchable=False)
    phone: Attr[str | None] = attribute(default=None)
    nick: Attr[str | None] = attribute(default="x")
    first_name: Attr[str] = attribute(default="", name="firstName")
    day: Attr[date | None] = attribute(default=None)
    seen_at: Attr[datetime | None] = attribute(default=None)
    expires_at: Attr[datetime | None] = attribute(default=None, ttl=True)
    uid: Attr[UUID | None] = attribute(default=None)
    colour: Attr[Colour] = attribute(default=Colour.RED)
    kind: Attr[Literal["a", "b"]] = attribute(default="a")
    price: Attr[Decimal] = attribute(default=Decimal(0))
    ratio: Attr[float] = attribute(default=0.0)
    count: Attr[int] = attribute(default=0)
    flag: Attr[bool] = attribute(default=False)
    data: Attr[bytes] = attribute(default=b"")
    tags: Attr[set[str]] = attribute(default_factory=set)
    days: Attr[frozenset[date]] = attribute(default=frozenset())
    must: Attr[set[str] | None] = attribute(default=None)
    row: Attr[tuple[int, ...]] = attribute(default=())
    pair: Attr[tuple[int, str] | None] = attribute(default=None)
    by_name: Attr[dict[str, date]] = attribute(default_factory=dict)
    address: Attr[Address | None] = attribute(default=None)
    addresses: Attr[list[Address]] = attribute(default_factory=list)
    geo: Attr[Geo | None] = attribute(default=None)
    point: Attr[Point | None] = attribute(default=None)
    either: Attr[int | date | None] = attribute(default=None)


NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
UID = UUID(int=7)
JSON_FORMS: list[tuple[str, Any, Any]] = [
    ("name", "Ada", "Ada"),
    ("day", "2030-01-01", date(2030, 1, 1)),
    ("seen_at", "2030-01-01T13:00:00+01:00", NOON),
    ("seen_at", "2030-01-01T12:00:00Z", NOON),
    ("expires_at", "2030-01-01T12:00:00Z", NOON),
    ("uid", str(UID), UID),
    ("colour", "blue", Colour.BLUE),
    ("kind", "b", "b"),
    ("price", 1.5, Decimal("1.5")),
    ("price", 3, Decimal(3)),
    ("price", "1.50", Decimal("1.50")),
    ("ratio", 3, 3.0),
    ("count", 3.0, 3),
    ("flag", True, True),
    ("data", base64.b64encode(b"\x00\xff").decode(), b"\x00\xff"),
    ("tags", ["a", "b", "a"], {"a", "b"}),
    ("days", ["2030-01-01"], frozenset({date(2030, 1, 1)})),
    ("row", [1, 2], (1, 2)),
    ("pair", [1, "a"], (1, "a")),
    ("by_name", {"x": "2030-01-01"}, {"x": date(2030, 1, 1)}),
    ("address", {"city": "Ely", "zip_code": "9"}, Address(city="Ely", zip_code="9")),
    ("address", {"city": "Ely", "zipCode": "9"}, Address(city="Ely", zip_code="9")),
    ("addresses", [{"city": "Ely"}], [Address(city="Ely")]),
    ("geo", {"latitude": 1.5}, Geo(lat=1.5)),
    ("geo", {"lat": 1.5}, Geo(lat=1.5)),
    ("point", {"x": 1}, Point(1)),
    ("either", "2030-01-01", date(2030, 1, 1)),
    ("either", 3, 3),
]


@pytest.mark.parametrize(("name", "form", "value"), JSON_FORMS)
def test_patch_reads_json_forms(name: str, form: Any, value: Any) -> None:
    """A patch takes each JSON form of a value, and the value itself, as from_dict does."""
    expected = UpdateBuilder(Place).set(name, value).expressions()

    assert UpdateBuilder(Place).patch({name: form}).expressions() == expected
    assert UpdateBuilder(Place).patch({name: value}).expressions() == expected
    assert getattr(Place.from_dict({"id": "a", "name": "b", name: form}), name) == value


@pytest.mark.parametrize(
    ("patch", "problems"),
    [
        ({"nope": 1}, {"nope": "unknown field"}),
        ({3: 1}, {"3": "unknown field"}),
        ({"id": "b", "role": "x"}, {"id": "must not be set", "role": "must not be set"}),
        ({"name": None, "flag": None}, {"name": "must not be null", "flag": "must not be null"}),
        (
            {"first_name": "a", "firstName": "b"},
            {"firstName": "is given twice, also as first_name"},
        ),
        ({"day": "tomorrow"}, {"day": "a date, as 2030-01-31, is expected"}),
        (
            {"seen_at": "2030-01-01T12:00:00"},
            {"seen_at": "a time with its timezone, as 2030-01-31T12:00:00Z, is expected"},
        ),
        ({"count": "3"}, {"count": "a whole number is expected"}),
        ({"count": 1.5}, {"count": "a whole number is expected"}),
        ({"count": True}, {"count": "a whole number is expected"}),
        ({"colour": "green"}, {"colour": "one of 'red', 'blue' is expected"}),
        ({"kind": "c"}, {"kind": "one of 'a', 'b' is expected"}),
        ({"tags": ["a", 3]}, {"tags": "[1]: text is expected"}),
        ({"tags": "ab"}, {"tags": "a list is expected"}),
        ({"tags": [["a"]]}, {"tags": "[0]: text is expected"}),
        ({"pair": [1]}, {"pair": "a list of 2 is expected"}),
        ({"address": {"city": 3}}, {"address": "city: text is expected"}),
        ({"address": {}}, {"address": "city: is missing"}),
        ({"address": {"city": "x", "y": 1}}, {"address": "y: unknown field"}),
        ({"geo": {"latitude": "x"}}, None),
        ({"geo": {}}, {"geo": "latitude: is missing"}),
        ({"point": {"y": 1}}, {"point": "x: is missing"}),
        ({"point": {"x": 1, "z": 1}}, {"point": "z: unknown field"}),
        ({"must": []}, {"must": "must not be empty"}),
        ({"price": float("nan")}, None),
        ({"data": "%"}, {"data": "base64 text is expected"}),
    ],
)
def test_patch_says_what_is_wrong_with_each_field(
    patch: dict[Any, Any], problems: dict[str, str] | None
) -> None:
    """In words for the caller, without advice for the developer; nothing is set."""
    builder = UpdateBuilder(Place)
    with pytest.raises(InvalidPatchError) as caught:
        builder.patch({**patch, "phone": "1"})

    error = caught.value
    assert builder.is_empty
    if problems is not None:
        assert error.problems == problems
    assert "Fix" not in error.public_message
    assert "annotation" not in error.public_message
    assert isinstance(error, InvalidRequestError)
    assert isinstance(error, InvalidValueError)


def test_patch_of_none_and_empty_sets():
    """What is not stored is removed; a nullable attribute with another default stores NULL."""
    patch = {"phone": None, "nick": None, "tags": [], "days": frozenset(), "address": None}
    update = UpdateBuilder(Place).patch(patch)

    assert update.expressions() == {
        "UpdateExpression": "SET nick = :nick REMOVE phone, tags, days, address",
        "ExpressionAttributeValues": {":nick": {"NULL": True}},
    }
    assert UpdateBuilder(Place).set(Place.tags, set()).expressions() == {
        "UpdateExpression": "REMOVE tags"
    }
    untyped = UpdateBuilder.from_patch({"tags": set()}, allow={"tags"})
    assert untyped.expressions() == {"UpdateExpression": "REMOVE tags"}


class Body(BaseModel):
    name: str = "unset"
    geo: Geo | None = None
    point: Point | None = None
    address: dict[str, str] | None = None


def test_patch_takes_nested_models():
    """A model, as its attribute stores it; typed and untyped store the same."""
    body = Body(geo=Geo(lat=1.5), point=Point(1), address={"city": "Ely"})
    values = UpdateBuilder(Place).patch(body).expressions()["ExpressionAttributeValues"]
    untyped = UpdateBuilder.from_patch(body, allow={"geo", "point", "address"}).expressions()

    assert values[":geo"] == {"M": {"latitude": {"N": "1.5"}}}
    assert values == untyped["ExpressionAttributeValues"]


def test_not_allowed_is_not_unknown():
    """A patch reports names that are not allowed and unknown names as two findings."""
    with pytest.raises(InvalidPatchError) as caught:
        UpdateBuilder(Place).patch({"nope": 1, "role": "x", "name": "y"}, allow={"role"})
    assert [finding.message for finding in caught.value.findings] == [
        "The patch sets attributes that are not allowed: 'name', 'role'",
        "The patch sets attributes that are unknown: 'nope'",
    ]


@pytest.mark.parametrize(
    "allow",
    [{"first_name"}, {"firstName"}, [Place.first_name], ("first_name", Place.name)],
    ids=["in Python", "in DynamoDB", "attribute", "both"],
)
@pytest.mark.parametrize("sent", ["first_name", "firstName"])
def test_allow_means_attributes(allow: Any, sent: str) -> None:
    """An attribute is allowed by either name, or as itself, and sent by either name."""
    update = UpdateBuilder(Place).patch({sent: "Ada"}, allow=allow)
    assert update.expressions()["UpdateExpression"] == "SET firstName = :firstName"


def test_allow_takes_attributes_without_a_class() -> None:
    """Without an Item class, an attribute stands for its name."""
    update = UpdateBuilder.from_patch({"a": 1}, allow=[attr("a")])
    assert update.expressions()["UpdateExpression"] == "SET a = :a"


@pytest.mark.parametrize(
    ("allow", "message"),
    [
        ({"frist_name"}, "allow: Place has no attribute 'frist_name'. Did you mean 'first_name'?"),
        ([attr("address.city")], "allow: a part of an attribute. Fix: allow the whole one"),
        ([3], "allow: names and attributes are expected, not int"),
        ("name", "allow: a collection of names is expected, not str"),
    ],
    ids=["unknown", "part", "number", "text"],
)
def test_wrong_allow(allow: Any, message: str) -> None:
    """A name that the class does not have, and what is no name, is refused."""
    with pytest.raises(UnsupportedTypeError) as caught:
        UpdateBuilder(Place).patch({"name": "Ada"}, allow=allow)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("body", [[1], None, "name", 3, [{"name": "Ada"}]])
def test_a_body_that_is_no_object(body: Any) -> None:
    """JSON that is no object is refused as a patch, in words for its sender."""
    for builder, allow in ((UpdateBuilder(Place), None), (UpdateBuilder(), {"name"})):
        with pytest.raises(InvalidPatchError) as caught:
            builder.patch(body, allow=allow)
        assert caught.value.public_message == "patch: an object with fields is expected"
        assert caught.value.findings[0].code == "DYS110"


FULL = Place.from_dict({"id": "a", "name": "b", **{name: form for name, form, _ in JSON_FORMS}})


def test_dicts_are_read_back():
    """An item is read back from its dict, in Python and in JSON form."""
    assert Place.from_dict(FULL.to_dict()) == FULL
    assert Place.from_dict(json.loads(json.dumps(FULL.to_dict(mode="json")))) == FULL
    plain = FULL.to_dict()
    assert plain["address"] == {"city": "Ely", "zip_code": "9"}
    assert plain["seen_at"] == NOON
    as_json = FULL.to_dict(mode="json")
    assert (as_json["tags"], as_json["seen_at"]) == (["a", "b"], "2030-01-01T12:00:00.000000Z")


@given(strategies.items_of(Place))
def test_any_item_is_read_back_from_json(place: Place) -> None:
    """Any item is read back from its JSON form."""
    assert Place.from_dict(json.loads(json.dumps(place.to_dict(mode="json")))) == place


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"id": "a"}, "name: is missing"),
        ({"id": "a", "name": "b", "x": 1}, "x: unknown field"),
        ({"id": "a", "name": 3}, "name: text is expected"),
        (
            {"id": "a", "name": "b", "addresses": [{"city": 1}]},
            "addresses[0].city: text is expected",
        ),
        ([1], "a mapping is expected, not list"),
    ],
)
def test_dict_that_does_not_fit_is_refused(values: Any, message: str) -> None:
    """The error for a dict that does not fit has the place, in words for the caller."""
    with pytest.raises(UnsupportedTypeError) as caught:
        Place.from_dict(values)
    assert caught.value.public_message == message


def test_what_has_no_json_form_is_refused():
    """A value without a JSON form is refused with its place."""

    class Any_(Item):
        anything: Attr[Any]

    loop: list[Any] = []
    loop.append(loop)
    for value, path in (([object()], "anything[0]"), ({"a": float("nan")}, "anything.a")):
        with pytest.raises(InvalidValueError) as caught:
            Any_(anything=value).to_dict(mode="json")
        assert caught.value.path == path
    with pytest.raises(InvalidValueError):
        Any_(anything=loop).to_dict(mode="json")
    with pytest.raises(InvalidValueError, match="'python' or 'json'"):
        FULL.to_dict(mode="yaml")  # type: ignore[call-overload]


def test_images_of_streams_are_read():
    """As Lambda has them: bytes are base64; what is unknown can be put back."""
    image = json.loads(
        json.dumps(
            {**encode_item(FULL), "other": {"B": b"\x01"}},
            default=lambda data: base64.b64encode(data).decode(),
        )
    )

    place = Place.from_image(image)

    assert place.to_dict() == FULL.to_dict()
    assert encode_item(place)["other"] == {"B": b"\x01"}
    with pytest.raises(StoredValueError, match="lacks this attribute"):
        Place.from_image({"id": {"S": "a"}})
    with pytest.raises(UnsupportedTypeError, match="view type"):
        Place.from_image(None)  # type: ignore[arg-type]


def test_classes_can_be_inspected():
    """As dataclasses are: fields, asdict, replace, a signature; pydantic reads and writes them."""
    address = Address(city="Ely")
    assert [each.name for each in dataclasses.fields(Address)] == ["city", "zip_code"]
    assert dataclasses.asdict(address) == {"city": "Ely", "zip_code": None}
    assert dataclasses.replace(address, city="Bath") == Address(city="Bath")
    assert str(inspect.signature(Address)) == "(*, city: 'str', zip_code: 'str | None' = None)"
    assert not dataclasses.is_dataclass(Item)
    adapter = TypeAdapter(Address)
    assert adapter.dump_python(address) == {"city": "Ely", "zip_code": None}
    assert adapter.validate_python({"city": "Bath"}) == Address(city="Bath")


def test_builders_can_be_shown():
    """The repr of a builder shows the expression and no value."""
    update = UpdateBuilder(Place).set(Place.name, "secret").condition(Place.count < 987)
    assert repr(update) == "<UpdateBuilder(Place): SET #name = :name IF #count < :count>"
    assert repr(UpdateBuilder()) == "<UpdateBuilder(): no actions>"


class AsText:
    def encode(self, value: complex) -> str:
        return str(value)

    def decode(self, stored: str) -> complex:
        return complex(stored)


class Signal(Item):
    id: Attr[str] = attribute(key="partition")
    at: Attr[datetime | None] = attribute(default=None, stored_as="epoch_seconds")
    value: Attr[complex | None] = attribute(default=None, codec=AsText())


def test_attributes_have_codecs_of_their_own():
    """An attribute can have its own codec, and a datetime can be stored in epoch seconds."""
    signal = Signal(id="a", at=NOON, value=1 + 2j)
    stored = encode_item(signal)

    assert stored["at"] == {"N": str(int(NOON.timestamp()))}
    assert stored["value"] == {"S": "(1+2j)"}
    assert Signal.from_image(stored) == signal
    assert Signal.from_dict(signal.to_dict()) == signal
    with pytest.raises(StoredValueError, match="value: the stored value"):
        Signal.from_image({"id": {"S": "a"}, "value": {"S": "x"}})
    for wrong in ({"stored_as": "iso"}, {"codec": 3}, {"codec": AsText(), "ttl": True}):
        with pytest.raises((TypeError, ValueError)):
            attribute(**wrong)


class Lists(Item):
    id: Attr[str] = attribute(key="partition")
    amounts: Attr[list[Decimal]] = attribute(default_factory=list)
    times: Attr[list[datetime]] = attribute(default_factory=list)
    counts: Attr[list[int]] = attribute(default_factory=list)
    texts: Attr[list[str]] = attribute(default_factory=list)
    more: Attr[Any] = attribute(default=None)


@pytest.mark.parametrize(
    ("name", "value", "has_room"),
    [
        ("amounts", ["1234567890.12"] * 35_000, True),  # of 8 bytes each
        ("times", ["2030-01-31T12:00:00.000000+00:00"] * 14_000, True),  # stored with a Z
        ("texts", ["x"] * 200_000, True),
        ("texts", ["x"] * 205_000, False),
        ("texts", [""] * 409_000, True),
        ("counts", [1] * 205_000, False),
        ("more", [1, "x"] * 102_500, False),
        ("more", [1, "x", True, None, [], {}] * 34_000, False),
        ("more", {f"{each}": True for each in range(65_000)}, False),
    ],
    ids=range(9),
)
def test_room(name, value, has_room):
    """What certainly exceeds the 400 KB of an item is refused before it is read."""
    if has_room:
        assert not UpdateBuilder(Lists).patch({name: value}).is_empty
        return
    for builder, allow in ((UpdateBuilder(Lists), None), (UpdateBuilder(), {name})):
        with pytest.raises(InvalidPatchError, match="it takes more than the 400 KB that an item"):
            builder.patch({name: value}, allow=allow)
