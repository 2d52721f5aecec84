"""What comes back of an item in part: each attribute that is there as a whole has its type."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from dynasafe import Attr, Item, UpdateBuilder, attr, attribute
from dynasafe.testing import fake_table


class Geo(BaseModel):
    lat: float


@dataclass
class Size:
    width: int


class Street(Item):
    name: Attr[str]


class Place(Item):
    id: Attr[str] = attribute(key="partition")
    geo: Attr[Geo | None] = attribute(default=None)
    size: Attr[Size | None] = attribute(default=None)
    street: Attr[Street | None] = attribute(default=None)
    pair: Attr[tuple[str, int] | None] = attribute(default=None)
    days: Attr[list[date]] = attribute(default_factory=list)
    price: Attr[Decimal | None] = attribute(default=None)


WHOLE: list[tuple[Any, Any]] = [
    (Place.geo, Geo(lat=1.5)),
    (Place.size, Size(width=3)),
    (Place.street, Street(name="Mill Road")),
    (Place.pair, ("a", 1)),
    (Place.days, [date(2030, 1, 31)]),
    (Place.price, Decimal("1.25")),
]
CASES = pytest.mark.parametrize(("attribute", "value"), WHOLE, ids=[str(a.path) for a, _ in WHOLE])


@CASES
@pytest.mark.parametrize("by", ["attribute", "name"])
async def test_updated_new_is_typed(attribute: Any, value: Any, by: str) -> None:
    """UPDATED_NEW returns each value with the type of its attribute."""
    places = fake_table(Place, items=[Place(id="a")])
    target = attribute if by == "attribute" else str(attribute.path)
    update = UpdateBuilder().set(target, value)
    result = await places.update_item({"id": "a"}, update, return_values="UPDATED_NEW")
    assert result.attributes == {str(attribute.path): value}


@CASES
async def test_updated_old_is_typed(attribute: Any, value: Any) -> None:
    """UPDATED_OLD returns each value with the type of its attribute."""
    places = fake_table(Place, items=[Place(**{"id": "a", str(attribute.path): value})])
    update = UpdateBuilder(Place).remove(attribute)
    result = await places.update_item({"id": "a"}, update, return_values="UPDATED_OLD")
    assert result.attributes == {str(attribute.path): value}


@CASES
async def test_a_projection_is_typed(attribute: Any, value: Any) -> None:
    """Each kind of read gives projected values with the types of their attributes."""
    places = fake_table(Place, items=[Place(**{"id": "a", str(attribute.path): value})])
    expected = {str(attribute.path): value}
    assert await places.get_item({"id": "a"}, projection=[attribute]) == expected
    assert await places.query(Place.id == "a", projection=[attribute]).to_list() == [expected]
    assert await places.scan(projection=[str(attribute.path)]).to_list() == [expected]


async def test_a_part_of_a_map_is_plain() -> None:
    """A part of a nested item is returned as a plain value, since it lacks required fields."""
    street = Street(name="Mill Road")
    places = fake_table(Place, items=[Place(id="a", street=street, days=[date(2030, 1, 31)])])
    parts = [Place.street["name"], Place.days[0]]
    assert await places.get_item({"id": "a"}, projection=parts) == {
        "street": {"name": "Mill Road"},
        "days": ["2030-01-31"],
    }
    update = UpdateBuilder(Place).set(attr("street.name"), "High Street")
    result = await places.update_item({"id": "a"}, update, return_values="UPDATED_NEW")
    assert result.attributes == {"street": {"name": "High Street"}}
