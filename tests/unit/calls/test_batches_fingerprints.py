"""How the writes of a batch are recognised when DynamoDB hands some back."""

from __future__ import annotations

import pytest

from dynasafe.calls.batches import write_fingerprint


def put(**values: str) -> dict[str, object]:
    return {"PutRequest": {"Item": {name: {"S": value} for name, value in values.items()}}}


@pytest.mark.parametrize("key_names", [None, [], ["id"], ["id", "at"]])
def test_other_keys_are_other_writes(key_names: list[str] | None) -> None:
    """Writes of two items differ, whether the key's names are known or not."""
    one, other = put(id="a", name="x"), put(id="b", name="x")
    assert write_fingerprint(one, key_names) != write_fingerprint(other, key_names)


def test_a_key_is_enough() -> None:
    """With the key's names, the rest of the item does not count; a delete is no put."""
    delete = {"DeleteRequest": {"Key": {"id": {"S": "a"}}}}
    found = write_fingerprint(put(id="a", name="x"), ["id"])
    assert found == write_fingerprint(put(id="a", name="y"), ["id"])
    assert found != write_fingerprint(delete, ["id"])
