"""Tables of pydantic models, dataclasses and TypedDicts: what is put is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, NotRequired, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from dynasafe import UpdateBuilder, attr
from dynasafe.errors import (
    ConditionalCheckFailedError,
    InvalidValueError,
    StoredValueError,
    UnsupportedTypeError,
)
from dynasafe.testing import fake_database

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)
DESCRIPTION = {
    "KeySchema": [
        {"AttributeName": "id", "KeyType": "HASH"},
        {"AttributeName": "at", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "at", "AttributeType": "S"},
    ],
}


class Geo(BaseModel):
    lat: float
    note: str | None = None


class Model(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    id: str
    at: datetime
    first_name: str = Field(default="", alias="firstName")
    price: Decimal | None = None
    tags: set[str] = Field(default_factory=set)
    geo: Geo | None = None


@dataclass
class Data:
    id: str
    at: datetime
    first_name: str = ""
    price: Decimal | None = None
    tags: set[str] = field(default_factory=set)
    geo: Geo | None = None


class Typed(TypedDict):
    id: str
    at: datetime
    first_name: NotRequired[str]
    price: NotRequired[Decimal]
    tags: NotRequired[set[str]]
    geo: NotRequired[Geo]


CLASSES: list[Any] = [Model, Data, Typed]
OF_ALL = pytest.mark.parametrize("item_class", CLASSES, ids=lambda each: each.__name__)
KEY = {"id": "a", "at": NOON}


def things(item_class: Any) -> Any:
    return fake_database(things=DESCRIPTION).table("things", item_class)


@OF_ALL
@given(
    values=st.fixed_dictionaries(
        {},
        optional={
            "first_name": st.text(max_size=5),
            "price": st.sampled_from([Decimal("1.5"), Decimal(10**37)]),
            "tags": st.sets(st.text(min_size=1, max_size=3), min_size=1, max_size=3),
            "geo": st.builds(Geo, lat=st.sampled_from([0.5, -1.0]), note=st.none() | st.just("n")),
        },
    )
)
async def test_what_is_put_is_read(item_class: Any, values: dict[str, Any]) -> None:
    """An instance is read as it was put, by each read."""
    table = things(item_class)
    item = item_class(**KEY, **values)
    await table.put_item(item)
    assert await table.get_item(KEY) == item
    assert await table.query(attr("id") == "a").to_list() == [item]
    assert await table.scan().to_list() == [item]
    assert await table.batch_get_item([KEY]) == [item]


@OF_ALL
async def test_updates_know_names_and_types(item_class: Any) -> None:
    """Names in Python are translated, and values are checked by the fields' types."""
    table = things(item_class)
    await table.put_item(item_class(**KEY, first_name="Ada", geo=Geo(lat=1.5)))
    update = UpdateBuilder().set("first_name", "Grace").set("geo.note", "n")
    update.set("price", Decimal(3))
    result = await table.update_item(KEY, update, return_values="ALL_NEW")
    expected = item_class(**KEY, first_name="Grace", geo=Geo(lat=1.5, note="n"), price=Decimal(3))
    assert result.attributes == expected
    assert await table.query(attr("id") == "a", filter=attr("first_name") == "Grace").to_list() == [
        expected
    ]
    part = await table.get_item(KEY, projection=["first_name", "at", "geo"])
    stored = "firstName" if item_class is Model else "first_name"
    assert part == {stored: "Grace", "at": NOON, "geo": Geo(lat=1.5, note="n")}


@OF_ALL
@pytest.mark.parametrize(
    "update",
    [
        lambda: UpdateBuilder().set("first_name", 3),
        lambda: UpdateBuilder().set("geo.lat", "north"),
        lambda: UpdateBuilder().set("geo.altitude", 3),
        lambda: UpdateBuilder().remove("geo.lat"),
    ],
)
async def test_what_could_not_be_read_is_refused(item_class: Any, update: Any) -> None:
    """An update that would make the item unreadable is refused."""
    with pytest.raises(InvalidValueError):
        await things(item_class).update_item(KEY, update())


@OF_ALL
async def test_conditions_and_batches(item_class: Any) -> None:
    """Batches, and items of failed conditions, have instances of the class."""
    table = things(item_class)
    items = [item_class(id=str(number), at=NOON) for number in range(30)]
    await table.batch_write_item(put=items)
    assert len(await table.scan().to_list()) == 30
    with pytest.raises(ConditionalCheckFailedError) as caught:
        await table.put_item(items[0], condition=attr("id").not_exists())
    assert caught.value.item == items[0]
    await table.batch_write_item(delete=[{"id": str(number), "at": NOON} for number in range(30)])
    assert await table.scan().to_list() == []


@OF_ALL
async def test_a_stored_item_that_does_not_fit(item_class: Any) -> None:
    """The error for an invalid stored item has the item; on_invalid="skip" reads the others."""
    db = fake_database(things=DESCRIPTION)
    plain: Any = db.table("things")
    await plain.put_item({"id": "a", "at": "2030-01-01T00:00:00Z", "geo": {"lat": "x"}})
    await plain.put_item({"id": "b", "at": "2030-01-01T00:00:00Z"})
    typed: Any = db.table("things", item_class)
    with pytest.raises(StoredValueError) as caught:
        await typed.scan().to_list()
    assert caught.value.item is not None
    assert caught.value.table_name == "things"
    assert len(await typed.scan(on_invalid="skip").to_list()) == 1


@OF_ALL
@pytest.mark.parametrize("key", [{}, {"nope": 1}, {"id": 3, "at": NOON}, {1: "a"}])
async def test_no_key(item_class: Any, key: Any) -> None:
    """A key with missing, unknown or wrong parts is refused."""
    with pytest.raises(InvalidValueError, match=r"^Key"):
        await things(item_class).get_item(key)


@pytest.mark.parametrize("item", [{"id": "a"}, 3, None])
async def test_no_item(item: Any) -> None:
    """An item that is not an instance of the class is refused."""
    with pytest.raises(InvalidValueError):
        await things(Model).put_item(item)


@pytest.mark.parametrize("item_class", [int, str, list, object, 3, "Model", dict[str, int]])
def test_no_item_class(item_class: Any) -> None:
    """A class without fields is refused as an item class."""
    with pytest.raises(UnsupportedTypeError, match="an Item class, a pydantic model"):
        fake_database().table("things", item_class)


def test_repr() -> None:
    """A table names its class."""
    assert repr(things(Typed)) == "AsyncTable('things', Typed)"


@OF_ALL
async def test_what_is_not_required_can_go(item_class: Any) -> None:
    """Attributes that are not required can be removed, also those of a TypedDict; others cannot."""
    table = things(item_class)
    await table.put_item(item_class(**KEY, first_name="Ada", price=Decimal(3)))
    update = UpdateBuilder().remove("first_name").remove("price")
    result = await table.update_item(KEY, update, return_values="ALL_NEW")
    assert result.attributes == item_class(**KEY)
    with pytest.raises(InvalidValueError, match="could not be read without it"):
        await table.update_item(KEY, UpdateBuilder().remove("geo.lat"))


@dataclass
class Counted:
    count: ClassVar[int] = 0
    id: str
    at: datetime
    length: int = field(init=False, default=0)


async def test_other_annotations_are_no_attributes() -> None:
    """A ClassVar, and a field that __init__ does not take, are not attributes."""
    table = things(Counted)
    item = Counted(id="a", at=NOON)
    await table.put_item(item)
    assert await table.get_item(KEY) == item
