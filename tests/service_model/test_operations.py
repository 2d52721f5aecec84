"""The table of operations beside botocore's service model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dynasafe.operations import OPERATIONS, WITHOUT_OUTPUT
from tests.support.botocore_models import newest_model

TABLE_SHAPES = {"TableName", "TableArn"}


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    return newest_model()


def test_every_operation(model: dict[str, Any]) -> None:
    """The service has the operations of the table, and no others."""
    assert set(OPERATIONS) == set(model["operations"])


def test_every_token(model: dict[str, Any]) -> None:
    """A row names the token's member where the service has one."""
    for name, operation in model["operations"].items():
        members = model["shapes"][operation["input"]["shape"]].get("members", {})
        tokens = {"ClientRequestToken", "ClientToken"} & set(members)
        token_member = OPERATIONS[name].token_member
        assert tokens == ({token_member} if token_member else set()), name


def test_without_output(model: dict[str, Any]) -> None:
    """Only these are answered with an empty body: the model has no output for them."""
    without = {name for name, each in model["operations"].items() if "output" not in each}

    assert without == WITHOUT_OUTPUT


def test_every_table(model: dict[str, Any]) -> None:
    """A row names each place where a table's name stands, but those where paging goes on."""
    for name, operation in model["operations"].items():
        places = {
            place.replace("TransactItems[].Get.", "TransactItems[].*.")
            for place in table_places(model["shapes"], operation["input"]["shape"])
        }
        if name == "TransactWriteItems":
            kinds = ("ConditionCheck", "Put", "Delete", "Update")
            assert places == {f"TransactItems[].{kind}.TableName" for kind in kinds}
            places = {"TransactItems[].*.TableName"}
        assert set(OPERATIONS[name].tables) == places, name


def table_places(shapes: dict[str, Any], shape_name: str, place: str = "") -> Iterator[str]:
    if shape_name == "AttributeValue":  # which holds itself
        return
    shape = shapes[shape_name]
    match shape["type"]:
        case "structure":
            for member, each in shape["members"].items():
                inner = f"{place}.{member}" if place else member
                if each["shape"] in TABLE_SHAPES and not member.startswith("ExclusiveStart"):
                    yield inner
                else:
                    yield from table_places(shapes, each["shape"], inner)
        case "list":
            yield from table_places(shapes, shape["member"]["shape"], f"{place}[]")
        case "map" if shape["key"]["shape"] in TABLE_SHAPES:
            yield f"{place}{{}}"
        case _:
            pass
