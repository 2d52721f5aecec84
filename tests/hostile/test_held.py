"""What no patch from outside gets: attributes that are not its own, and expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe import Attr, Item, UpdateBuilder, attr, attribute
from dynasafe.errors import DynasafeError
from dynasafe.expressions.parser import parse_update


class Account(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str] = attribute(default="")
    is_admin: Attr[bool] = attribute(name="isAdmin", default=False, patchable=False)
    version: Attr[int] = attribute(default=0, version=True)
    write: Attr[str] = attribute(name="writeId", default="", write_id=True)


class Liar(str):
    """Text that claims to be whatever it is compared with."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash("name")


PROTECTED = ("id", "is_admin", "isAdmin", "version", "write", "writeId")
WAYS = {
    "as it is": str,
    "in capitals": str.upper,
    "in other capitals": str.swapcase,
    "with a space": lambda name: f" {name}",
    "with a space behind it": lambda name: f"{name} ",
    "with a null": lambda name: f"{name}\0",
    "as a path": lambda name: f"{name}.x",
    "as an index": lambda name: f"{name}[0]",
    "below a name": lambda name: f"name.{name}",
    "as an alias": lambda name: f"#{name}",
    "as a value": lambda name: f":{name}",
    "in letters of full width": lambda name: "".join(
        chr(ord(each) + 0xFEE0) if "a" <= each <= "z" else each for each in name
    ),
    "by a liar": Liar,
    "as two": lambda name: f"name, {name}",
    "after an action": lambda name: f"name = :name REMOVE {name}",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=[*WAYS])
@pytest.mark.parametrize("name", PROTECTED)
def test_mass_assignment(name: str, way: Any) -> None:
    """No spelling of a protected name gets into the update of a class."""
    update = UpdateBuilder(Account)
    with pytest.raises(DynasafeError):
        update.patch({way(name): True})
    assert update.is_empty


@pytest.mark.parametrize("way", WAYS.values(), ids=[*WAYS])
def test_not_allowed(way: Any) -> None:
    """No spelling of a protected name gets past allow=."""
    with pytest.raises(DynasafeError):
        UpdateBuilder.from_patch({way("role"): "admin"}, allow={"name"})


HOSTILE_NAMES = [
    "a = :a REMOVE b",
    "a, b",
    "#a",
    ":a",
    "a.b",
    "a[0]",
    "if_not_exists(a, :b)",
    "SET",
    "a) OR (b = b",
    "\u202ea",
    '"a"',
]


@given(
    names=st.lists(
        st.sampled_from(HOSTILE_NAMES) | st.text(min_size=1, max_size=8),
        min_size=1,
        max_size=4,
        unique=True,
    ),
    value=st.sampled_from(HOSTILE_NAMES),
)
def test_injection(names: list[str], value: str) -> None:
    """A name from outside is one name in the expression, and a value is one value."""
    update = UpdateBuilder.from_patch(dict.fromkeys(names, value), allow=names)
    update.condition(attr(name=names[0]) == value)
    params: Mapping[str, Any] = update.build_client(table_name="t", key={"another id": "x"})
    tree = parse_update(
        params["UpdateExpression"],
        params.get("ExpressionAttributeNames", {}),
        params["ExpressionAttributeValues"],
    )
    assert [action.path.elements for action in tree.actions] == [(name,) for name in names]
    assert {"S": value} in params["ExpressionAttributeValues"].values()
    assert params["ConditionExpression"].count("=") == 1
