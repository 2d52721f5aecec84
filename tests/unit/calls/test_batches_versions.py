"""A batch advances versions, though it cannot check them: no later put takes its items for new."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import AsyncTable, Attr, Item, attribute
from dynasafe.errors import BatchIncompleteError, InvalidValueError, VersionConflictError
from dynasafe.testing import ManualClock, ScriptedTransport, fake_table, ok, refused


class Counter(Item):
    id: Attr[str] = attribute(key="partition")
    n: Attr[int] = attribute(default=0)
    version: Attr[int] = attribute(default=0, version=True)


@pytest.mark.parametrize("make", [list, iter])
async def test_a_new_instance_does_not_overwrite(make: Any) -> None:
    """A new instance does not overwrite the item that a batch wrote."""
    counters = fake_table(Counter)
    first = Counter(id="a", n=1)
    await counters.batch_write_item(put=make([first]))

    with pytest.raises(VersionConflictError) as caught:
        await counters.put_item(Counter(id="a", n=2))
    assert (caught.value.expected_version, caught.value.stored_version) == (0, 1)
    assert await counters.get_item({"id": "a"}) == first == Counter(id="a", n=1, version=1)


async def test_an_instance_goes_on_after_a_batch() -> None:
    """After a batch an instance has the stored version, as after a put."""
    counters = fake_table(Counter)
    counter = Counter(id="a")
    for expected in (1, 2):
        await counters.batch_write_item(put=[counter])
        assert counter.version == expected
    await counters.put_item(counter)
    assert counter.version == 3


async def test_only_what_was_written_follows() -> None:
    """Only instances that were written get a new version, not those that were handed back."""
    one, two, gone = Counter(id="1"), Counter(id="2"), Counter(id="3", version=7)
    handed_back = {
        "counters": [
            {"PutRequest": {"Item": {"id": {"S": "2"}, "n": {"N": "0"}, "version": {"N": "1"}}}}
        ]
    }
    transport = ScriptedTransport(
        [ok({"UnprocessedItems": handed_back}), refused("ValidationException", http_status=400)]
    )
    counters = AsyncTable("counters", Counter, transport=transport, clock=ManualClock())
    with pytest.raises(BatchIncompleteError):
        await counters.batch_write_item(put=[one, two], delete=[gone])
    assert [each.version for each in (one, two, gone)] == [1, 0, 7]


@pytest.mark.parametrize("version", ["1", None, 1.5, True])
async def test_no_version(version: Any) -> None:
    """A version that is not an int is refused, as in a put, before anything is sent."""
    counters = fake_table(Counter)
    with pytest.raises(InvalidValueError, match="version"):
        await counters.batch_write_item(put=[Counter(id="a", version=version)])
