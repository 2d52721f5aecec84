"""The items that were made to be slow are as large as DynamoDB stores."""

from __future__ import annotations

import pytest

from benchmarks.shapes import SHAPES, measured, shaped
from dynasafe.limits import MAX_ITEM_BYTES
from dynasafe.values.whole_items import encode_item
from dynasafe.values.wire import item_size_bytes


@pytest.mark.parametrize("name", SHAPES)
def test_an_item_is_as_large_as_may_be(name: str) -> None:
    """It fits, by less than a tenth."""
    shape = SHAPES[name]
    item_class = shaped(shape)
    stored = encode_item(item_class(id="1", more=shape.value()))

    assert 0.92 * MAX_ITEM_BYTES < item_size_bytes(stored) <= MAX_ITEM_BYTES


def test_each_way_is_measured() -> None:
    """One round of a shape gives four times."""
    times = measured("dates", 1)
    assert all(each > 0 for each in times)
