"""What an item cannot be read without is not removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel

from dynasafe import Attr, Item, UpdateBuilder, attr, attribute
from dynasafe.errors import ValueOutOfRangeError
from dynasafe.testing import fake_table


class Geo(BaseModel):
    lat: float
    note: str = ""


@dataclass
class Size:
    width: int
    names: set[str] = field(default_factory=set)


class Street(Item):
    name: Attr[str]
    number: Attr[int] = attribute(default=1)


class Place(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    nick: Attr[str] = attribute(default="")
    tags: Attr[set[str]] = attribute(default_factory=set)
    geo: Attr[Geo | None] = attribute(default=None)
    size: Attr[Size | None] = attribute(default=None)
    street: Attr[Street | None] = attribute(default=None)
    streets: Attr[list[Street]] = attribute(default_factory=list)
    pair: Attr[tuple[str, int]] = attribute(default=("a", 1))


PLACE = Place(
    id="a",
    name="Ely",
    nick="E",
    tags={"x"},
    geo=Geo(lat=1.5, note="n"),
    size=Size(width=1, names={"w"}),
    street=Street(name="Mill Road", number=3),
    streets=[Street(name="High Street", number=4)],
)
REQUIRED: list[Any] = ["name", "geo.lat", "size.width", "street.name", "streets[0].name", "pair[1]"]
OTHERS: list[Any] = [
    "nick",
    "tags",
    "geo",
    "geo.note",
    "size.names",
    "street.number",
    "streets[0]",
    "streets[0].number",
    "pair",
]


def _typed(path: str) -> Any:
    found: Any = getattr(Place, path.partition(".")[0].partition("[")[0])
    for element in attr(path).path.elements[1:]:
        found = found[element]
    return found


@pytest.mark.parametrize("path", REQUIRED)
def test_required(path: str) -> None:
    """Removing a required attribute is refused, by its name and by the attribute."""
    for builder, target in (
        (UpdateBuilder(Place), path),
        (UpdateBuilder(Place), _typed(path)),
        (UpdateBuilder(), _typed(path)),
    ):
        with pytest.raises(ValueOutOfRangeError, match="could not be read without it"):
            builder.remove(target)


@pytest.mark.parametrize("path", REQUIRED)
async def test_a_table_refuses_it(path: str) -> None:
    """A table refuses an untyped update that removes a required attribute."""
    places = fake_table(Place, items=[PLACE])
    with pytest.raises(ValueOutOfRangeError, match="has no default for it"):
        await places.update_item({"id": "a"}, UpdateBuilder().remove(path))


@pytest.mark.parametrize("path", OTHERS)
async def test_not_required(path: str) -> None:
    """Each other attribute can be removed, and the item is still readable."""
    places = fake_table(Place, items=[PLACE])
    await places.update_item({"id": "a"}, UpdateBuilder(Place).remove(path))
    assert await places.get_item({"id": "a"}) is not None


class Labelled(Item):
    id: Attr[str] = attribute(key="partition")
    labels: Attr[set[str]]
    others: Attr[set[str]] = attribute(default_factory=set)
    maybe: Attr[frozenset[str] | None] = attribute(default=None)


class Shelf(Item):
    id: Attr[str] = attribute(key="partition")
    labelled: Attr[Labelled | None] = attribute(default=None)


def test_last_members_of_a_required_set() -> None:
    """A set is gone with its last member, so that members of one without a default stay."""
    for delete in (
        lambda: UpdateBuilder(Labelled).delete(Labelled.labels, {"a"}),
        lambda: UpdateBuilder(Labelled).delete("labels", {"a"}),
        lambda: UpdateBuilder(Shelf).delete(Shelf.labelled[Labelled.labels], {"a"}),
    ):
        with pytest.raises(ValueOutOfRangeError, match="Fix: default_factory=set"):
            delete()


async def test_last_members_of_a_required_set_untyped() -> None:
    """A table refuses an untyped update that may remove the last members of a required set."""
    table = fake_table(Labelled, items=[Labelled(id="x", labels={"a"})])
    with pytest.raises(ValueOutOfRangeError, match="Labelled has no default for it"):
        await table.update_item({"id": "x"}, UpdateBuilder().delete("labels", {"a"}))
    assert await table.get_item({"id": "x"}) == Labelled(id="x", labels={"a"})


async def test_last_members_of_other_sets() -> None:
    """What the class has a default for is read again without its last member."""
    item = Labelled(id="x", labels={"a"}, others={"b"}, maybe=frozenset({"c"}))
    table = fake_table(Labelled, items=[item])
    update = UpdateBuilder(Labelled).delete(Labelled.others, {"b"}).delete("maybe", {"c"})
    await table.update_item({"id": "x"}, update)
    assert await table.get_item({"id": "x"}) == Labelled(id="x", labels={"a"})
