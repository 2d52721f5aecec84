"""What is stored is what is read: over generated Item classes, values, updates and versions."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from dynasafe import check_request
from dynasafe.errors import InvalidValueError
from dynasafe.testing import fake_table
from dynasafe.values.whole_items import decode_item, encode_item
from tests.support.generated_items import changes, fields, instances, make_class

KEY = {"id": "k"}


@given(instances())
def test_read_is_what_was_written(item: Any) -> None:
    """An item is read as it was written, in the wire form and as JSON, or the write is refused."""
    try:
        wire = encode_item(item)
    except InvalidValueError:
        event("refused")
        return
    event("written")
    assert decode_item(type(item), wire) == item
    assert check_request("PutItem", {"TableName": "some-table", "Item": wire}) == ()
    assert type(item).from_image(wire) == item
    assert type(item).from_dict(item.to_dict()) == item
    assert type(item).from_dict(json.loads(json.dumps(item.to_dict(mode="json")))) == item


@settings(max_examples=40)
@given(instances())
def test_most_values_are_written(item: Any) -> None:
    """Only an empty set without a default, or a value that would be read as another, is refused."""
    reason = ""
    try:
        encode_item(item)
    except InvalidValueError as error:
        reason = error.reason
    assert not reason or "empty set" in reason or "another value" in reason


@settings(max_examples=60)
@given(st.data())
def test_update_does_what_the_class_says(data: st.DataObject) -> None:
    """After each action a table in memory has the item that plain Python computes."""
    item, builder, expected = data.draw(changes())
    event("refused" if builder is None else "sent")
    if builder is None:
        return

    async def run() -> Any:
        table = fake_table(type(item), items=[item])
        await table.update_item(KEY, builder)
        return await table.get_item(KEY)

    assert asyncio.run(run()) == expected


@settings(max_examples=60)
@given(st.data())
def test_versions_of_a_class(data: st.DataObject) -> None:
    """A new version of a class reads stored items: new attributes have their default."""
    kept = data.draw(fields("kept", None))
    gone = data.draw(fields("gone", None))
    renamed = data.draw(fields("before", "before"))
    new = data.draw(fields("new", None))
    if not {"default", "default_factory"} & new[2].keys():
        new = (*new[:2], {**new[2], "default_factory": lambda: 7}, new[3])
    old_class = make_class([kept, gone, renamed], "Old")
    new_class = make_class([kept, ("after", *renamed[1:]), new], "New")
    values = {each[0]: data.draw(each[3]) for each in (kept, gone, renamed)}
    old = old_class(id="k", **values)
    try:
        stored = encode_item(old)
        read = decode_item(new_class, stored)
    except InvalidValueError:
        return

    assert (read.kept, read.after) == (old.kept, old.before)
    assert read.new == new_class.__dynasafe_schema__.by_field_name["new"].default()
    try:
        again = decode_item(old_class, encode_item(read))
    except InvalidValueError:
        return  # the default of the new attribute cannot be stored
    assert (again.kept, again.gone, again.before) == (old.kept, old.gone, old.before)
