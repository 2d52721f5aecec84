"""A read goes on where another one stopped, also in another process."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from dynasafe import Attr, Item, attribute
from dynasafe.errors import InvalidValueError
from dynasafe.testing import fake_table
from dynasafe.testing.descriptions import table_description
from dynasafe.values.convert import from_attribute_map
from dynasafe.values.whole_items import encode_item


class Event(Item):
    host: Attr[str] = attribute(key="partition")
    at: Attr[datetime] = attribute(key="sort")


class Reading(Item):
    host: Attr[str] = attribute(key="partition")
    number: Attr[int] = attribute(key="sort")


class Blob(Item):
    host: Attr[str] = attribute(key="partition")
    digest: Attr[bytes] = attribute(key="sort")


class Seen(Item):
    host: Attr[str] = attribute(key="partition")
    at: Attr[datetime] = attribute(key="sort", stored_as="epoch_seconds")


ITEMS: list[list[Any]] = [
    [Event(host="a", at=datetime(2030, 1, day, tzinfo=UTC)) for day in (1, 2, 3)],
    [Reading(host="a", number=number) for number in (-1, 10**30, 10**37)],
    [Blob(host="a", digest=digest) for digest in (b"\x00", b"\xfe", b"\xff\x00")],
    [Seen(host="a", at=datetime(2030, 1, day, tzinfo=UTC)) for day in (1, 2, 3)],
]
OF_ALL = pytest.mark.parametrize("items", ITEMS, ids=lambda items: type(items[0]).__name__)


@OF_ALL
@pytest.mark.parametrize("is_typed", [True, False])
async def test_a_key_goes_through_json(items: list[Any], is_typed: bool) -> None:
    """A start key that went through JSON goes on with the next item, for each type of key."""
    item_class = type(items[0])
    stored = [from_attribute_map(encode_item(each)) for each in items]
    plain = fake_table(table_description(item_class), items=stored)
    table: Any = fake_table(item_class, items=items) if is_typed else plain
    expected = await table.scan().to_list()
    pages = [page async for page in table.scan(limit=1).pages()]

    for read, page in enumerate(pages[:-1], start=1):
        text = json.dumps(page.last_evaluated_key_json)
        rest = table.scan(exclusive_start_key=json.loads(text))
        assert await rest.to_list() == expected[read:]
    assert len(pages) >= 3


@OF_ALL
async def test_a_typed_key_takes_json_forms(items: list[Any]) -> None:
    """What `to_dict(mode="json")` makes of an item's key is a start."""
    table: Any = fake_table(type(items[0]), items=items)
    start = items[0].to_dict(mode="json")
    assert await table.scan(exclusive_start_key=start).to_list() == items[1:]


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"host": "a", "at": "yesterday"}, "exclusive_start_key.at: a time with its timezone"),
        ({"host": "a", "at": {"N": 1}}, "exclusive_start_key.at: it is not a key value."),
        ({"host": "a", "at": {"B": "*"}}, "exclusive_start_key.at: it is not a key value."),
        ({"host": "a", "at": {}}, "exclusive_start_key.at: it is not a key value."),
        ({"host": "a", "when": "b"}, "exclusive_start_key.when: Event has no such attribute"),
        ({3: "a"}, "exclusive_start_key.3: a name is a str, not int"),
    ],
)
async def test_no_start(start: Any, message: str) -> None:
    """The error for a wrong start key names the invalid part."""
    with pytest.raises(InvalidValueError) as caught:
        await fake_table(Event).scan(exclusive_start_key=start).to_list()
    assert str(caught.value).startswith(message)
