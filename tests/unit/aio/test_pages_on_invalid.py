"""A stored item that its class cannot read does not hide the others."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import AsyncTable, Attr, Item, attribute
from dynasafe.errors import BatchIncompleteError, StoredValueError, UnsupportedTypeError
from dynasafe.testing import ManualClock, ScriptedTransport, ok
from dynasafe.typing import Page


class Track(Item):
    album: Attr[str] = attribute(key="partition")
    number: Attr[int] = attribute(key="sort")
    name: Attr[str]


def stored(number: int, name: Any) -> dict[str, Any]:
    return {"album": {"S": "a"}, "number": {"N": str(number)}, "name": name}


GOOD = [Track(album="a", number=each, name="x") for each in (1, 3, 5)]
BAD = stored(2, {"N": "7"})
FIRST = [stored(1, {"S": "x"}), BAD, stored(3, {"S": "x"})]
SECOND = [stored(5, {"S": "x"})]


def table(*answers: dict[str, Any]) -> AsyncTable[Track]:
    transport = ScriptedTransport([ok(answer) for answer in answers])
    return AsyncTable("tracks", Track, transport=transport, clock=ManualClock())


def pages() -> AsyncTable[Track]:
    return table(
        {
            "Items": FIRST,
            "Count": 3,
            "ScannedCount": 3,
            "LastEvaluatedKey": {"album": {"S": "a"}, "number": {"N": "3"}},
        },
        {"Items": SECOND, "Count": 1, "ScannedCount": 1},
    )


async def test_iteration_goes_on_after_the_error():
    """After the error of an invalid item, iteration goes on with the next item."""
    tracks = aiter(pages().scan())
    assert [await anext(tracks), await anext(tracks)] == GOOD[:2]
    with pytest.raises(StoredValueError, match="name: the stored value, of type N") as caught:
        await anext(tracks)

    assert caught.value.table_name == "tracks"
    assert caught.value.key == {"album": "a", "number": 2}
    assert caught.value.item == BAD
    assert "7" not in str(caught.value)
    assert "7" not in repr(caught.value)
    assert await anext(tracks) == GOOD[2]
    with pytest.raises(StopAsyncIteration):
        await anext(tracks)


async def test_invalid_items_are_skipped_or_reported():
    """Queries and scans skip an invalid item, or report it to a function."""
    seen: list[StoredValueError] = []
    for call in ("scan", "query"):
        args = () if call == "scan" else (Track.album == "a",)
        found = getattr(pages(), call)(*args, on_invalid="skip")
        assert await found.to_list() == GOOD
        found = getattr(pages(), call)(*args, on_invalid=seen.append)
        assert await found.to_list() == GOOD
    assert [error.key for error in seen] == [{"album": "a", "number": 2}] * 2


async def test_pages_have_what_they_left_out():
    """A page has its invalid items apart; with on_invalid="raise" the page is an error."""
    read: list[Page[Track]] = [each async for each in pages().scan(on_invalid="skip").pages()]
    assert [[item.number for item in page.items] for page in read] == [[1, 3], [5]]
    assert [len(page.invalid) for page in read] == [1, 0]
    with pytest.raises(StoredValueError):
        [each async for each in pages().scan().pages()]


async def test_max_items_counts_what_can_be_read():
    """max_items and first() count valid items only."""
    assert await pages().scan(max_items=2).to_list() == GOOD[:2]
    assert await pages().scan(on_invalid="skip").first() == GOOD[0]


async def test_batch_reads_go_on():
    """A batch get skips an invalid item, or reports it to a function."""
    answer = {"Responses": {"tracks": FIRST}}
    keys = [{"album": "a", "number": each} for each in (1, 2, 3)]
    seen: list[StoredValueError] = []

    assert await table(answer).batch_get_item(keys, on_invalid="skip") == GOOD[:2]
    assert await table(answer).batch_get_item(keys, on_invalid=seen.append) == GOOD[:2]
    assert [error.item for error in seen] == [BAD]
    with pytest.raises((StoredValueError, BatchIncompleteError)):
        await table(answer).batch_get_item(keys)


async def test_a_single_read_says_which_item():
    """The error of get_item has the table and the key of the invalid item."""
    with pytest.raises(StoredValueError) as caught:
        await table({"Item": BAD}).get_item({"album": "a", "number": 2})
    assert (caught.value.table_name, caught.value.key) == ("tracks", {"album": "a", "number": 2})


@pytest.mark.parametrize("on_invalid", ["ignore", None, 3])
async def test_other_ways_to_go_on_are_refused(on_invalid: Any) -> None:
    """Another on_invalid is refused before anything is sent."""
    with pytest.raises(UnsupportedTypeError, match="'raise', 'skip' or a function"):
        await table().scan(on_invalid=on_invalid).to_list()
    with pytest.raises(UnsupportedTypeError, match="'raise', 'skip' or a function"):
        await table().batch_get_item([], on_invalid=on_invalid)
