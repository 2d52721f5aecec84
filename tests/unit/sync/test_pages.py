"""Pages of the sync face: invalid items, limits and what is shown."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import Attr, Item, Table, attribute
from dynasafe.errors import StoredValueError
from dynasafe.testing import ok
from dynasafe.testing.sync import ManualClock, ScriptedTransport


class Track(Item):
    album: Attr[str] = attribute(key="partition")
    number: Attr[int] = attribute(key="sort")
    name: Attr[str]


def stored(number: int, name: Any) -> dict[str, Any]:
    return {"album": {"S": "a"}, "number": {"N": str(number)}, "name": name}


def page(*items: dict[str, Any]) -> dict[str, Any]:
    return {"Items": list(items), "Count": len(items), "ScannedCount": len(items)}


KEY = {"album": {"S": "a"}, "number": {"N": "2"}}
ONE, BAD, TWO = stored(1, {"S": "x"}), stored(2, {"N": "7"}), stored(3, {"S": "x"})


def table(*answers: dict[str, Any]) -> Table[Track]:
    transport = ScriptedTransport([ok(answer) for answer in answers])
    return Table("tracks", Track, transport=transport, clock=ManualClock())


def test_invalid_items() -> None:
    """The error of an invalid item comes after the page's others; then iteration goes on."""
    found = iter(table({**page(ONE, BAD), "LastEvaluatedKey": KEY}, page(TWO)).scan())
    assert next(found).number == 1
    with pytest.raises(StoredValueError):
        next(found)
    assert [each.number for each in found] == [3]
    with pytest.raises(StoredValueError):
        table(page(ONE, BAD)).scan().to_list()
    with pytest.raises(StoredValueError):
        list(table(page(ONE, BAD)).scan().pages())


@pytest.mark.parametrize(("most", "numbers"), [(1, [1]), (2, [1, 3]), (9, [1, 3])])
def test_most(most: int, numbers: list[int]) -> None:
    """No more items are read than are wanted."""
    found = [table(page(ONE, TWO)).scan(max_items=most) for _ in range(2)]
    items = iter(found[0])
    assert [each.number for each in items] == numbers
    assert next(items, None) is None
    assert [each.number for each in found[1].to_list()] == numbers


def test_nothing() -> None:
    """A scan of nothing has no first item, and a scan is shown without sending it."""
    assert table(page()).scan().first() is None
    assert repr(table().scan()) == "Pages('Scan', 'tracks')"
