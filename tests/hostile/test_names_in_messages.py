"""A name from outside, wherever one is taken: no message lets it end a line, or fill a log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dynasafe import (
    Attr,
    Item,
    UpdateBuilder,
    attr,
    attribute,
    check_request,
    guard,
    require_valid,
)
from dynasafe.errors import DynasafeError
from dynasafe.expressions import parse
from dynasafe.testing import fake_table, sync
from dynasafe.values.convert import from_attribute_map, to_attribute_map
from tests.hostile.test_bounded_work import guarded_client

NAMES = {
    "a line": "first\nsecond",
    "a code for terminals": "\x1b[31mred",
    "a bidirectional mark": "a\u202eb",
    "a lone surrogate": "a\ud800",
    "long": "n" * 20_000,
    "long and odd": "\u202e" * 20_000,
}


class Doc(Item):
    id: Attr[str] = attribute(key="partition")
    n: Attr[int] = attribute(default=0)
    by_key: Attr[dict[str, int]] = attribute(default_factory=dict)


def put(item: dict[str, Any], **settings: Any) -> Any:
    require_valid("PutItem", {"TableName": "docs", "Item": {"id": {"S": "x"}, **item}}, **settings)


def update(**params: Any) -> None:
    require_valid("UpdateItem", {"TableName": "docs", "Key": {"id": {"S": "x"}}, **params})


PLACES: dict[str, Callable[[str], Any]] = {
    "an argument of an item": lambda name: Doc(**{"id": "x", name: 1}),
    "an attribute of an item": lambda name: setattr(Doc(id="x"), name.lstrip("_"), 1),
    "from_dict": lambda name: Doc.from_dict({"id": "x", name: 1}),
    "from_dict, a key": lambda name: Doc.from_dict({"id": "x", "by_key": {name: "x"}}),
    "patch": lambda name: UpdateBuilder(Doc).patch({name: 1}),
    "patch, a key": lambda name: UpdateBuilder(Doc).patch({"by_key": {name: "x"}}),
    "from_patch": lambda name: UpdateBuilder.from_patch({name: object()}, allow={name}),
    "from_patch, allow": lambda name: UpdateBuilder.from_patch({name: 1}, allow={"a"}),
    "from_patch, None": lambda name: UpdateBuilder.from_patch({name: None}, allow={name}),
    "set": lambda name: UpdateBuilder(Doc).set(name, 1),
    "set, a value": lambda name: UpdateBuilder().set(attr(name=name), object()),
    "set, overlapping": lambda name: (
        UpdateBuilder().set(attr(name=name), 1).remove(attr(name=name)["a"])
    ),
    "set, a key": lambda name: UpdateBuilder().set(attr(name=name), 1).build(key={name: "x"}),
    "a part of an attribute": lambda name: UpdateBuilder(Doc).set(Doc.n[name], 1),
    "a path": lambda name: UpdateBuilder().set(f"a..{name}", 1),
    "a condition": lambda name: UpdateBuilder(Doc).condition(attr(name=name) == object()),
    "a key": lambda name: UpdateBuilder(Doc).set(Doc.n, 1).build(key={name: "x"}),
    "the key of a table": lambda name: sync.fake_table(Doc).get_item({name: "x"}),
    "an index": lambda name: sync.fake_table(Doc).query(Doc.id == "x", index_name=name).to_list(),
    "a keyword": lambda name: sync.fake_table(Doc).get_item({"id": "x"}, **{name: 1}),
    "write": lambda name: to_attribute_map({name: object()}),
    "read": lambda name: from_attribute_map({name: {"N": "x"}}),
    "image": lambda name: Doc.from_image({"id": {"S": "x"}, name: 1}),
    "check, an attribute": lambda name: put({name: {"N": "x"}}),
    "check, a type": lambda name: put({"a": {name: "x"}}),
    "check, a key": lambda name: put({"a": {"M": {name: {"N": "x"}}}}),
    "check, a parameter": lambda name: require_valid("PutItem", {name: 1}),
    "check, an operation": lambda name: require_valid(name, {}),
    "check, a table": lambda name: require_valid(
        "PutItem", {"TableName": name, "Item": {"id": {"S": "x"}}}
    ),
    "check, tables": lambda name: require_valid("BatchGetItem", {"RequestItems": {name: {}}}),
    "check, text": lambda name: update(UpdateExpression=f"SET {name} = :v"),
    "check, a name": lambda name: update(
        UpdateExpression="REMOVE #n, #n.a", ExpressionAttributeNames={"#n": name}
    ),
    "check, a placeholder": lambda name: update(
        UpdateExpression="REMOVE a", ExpressionAttributeNames={name: "a"}
    ),
    "check, a value": lambda name: update(
        UpdateExpression="REMOVE a", ExpressionAttributeValues={f":{name}": {"N": "x"}}
    ),
    "check, unused": lambda name: update(
        UpdateExpression="REMOVE a",
        ExpressionAttributeNames={f"#n{each}": name for each in range(100)},
    ),
    "check, the key of an update": lambda name: require_valid(
        "UpdateItem",
        {
            "TableName": "docs",
            "Key": {name: {"S": "x"}},
            "UpdateExpression": "SET #n = :v",
            "ExpressionAttributeNames": {"#n": name},
            "ExpressionAttributeValues": {":v": {"S": "x"}},
        },
    ),
    "check, attributes to get": lambda name: require_valid(
        "GetItem",
        {"TableName": "docs", "Key": {"id": {"S": "x"}}, "AttributesToGet": [name, name]},
    ),
    "check, expected": lambda name: require_valid(
        "PutItem", {"TableName": "docs", "Item": {"id": {"S": "x"}}, "Expected": {name: {}}}
    ),
    "check, an index": lambda name: require_valid(
        "Query",
        {"TableName": "docs", "IndexName": name, "KeyConditionExpression": "id = :v"},
        schema=Doc,
    ),
    "parse": lambda name: parse("update", f"SET {name} ="),
    "guard": lambda name: guarded_client().put_item(
        TableName="docs", Item={"id": {"S": "x"}, name: {"N": "x"}}
    ),
    "guard, a parameter": lambda name: guarded_client().put_item(
        TableName="docs", Item={"id": {"S": ""}}, **{name: 1}
    ),
    "guard, a setting": lambda name: guard(guarded_client(), mode=name),  # type: ignore[arg-type]
    "a choice": lambda name: UpdateBuilder(escape=name),  # type: ignore[call-overload]
    "fake_table": lambda name: fake_table(Doc, indexes={"i": (name,)}),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", NAMES)
def test_a_name_in_a_message(place: str, kind: str) -> None:
    """A name in a message is escaped and cut, and the message is valid UTF-8."""
    kinds = (DynasafeError, TypeError, ValueError, AttributeError)
    with pytest.raises(kinds) as caught:
        PLACES[place](NAMES[kind])
    error = caught.value
    texts = [str(error), repr(error)]
    if isinstance(error, DynasafeError):
        texts.append(error.public_message)
        texts += map(str, getattr(error, "findings", ()))
    for text in texts:
        text.encode()
        assert "first\nsecond" not in text
        assert not {"\x1b", "\u202e", "\ud800"} & set(text)
        assert len(text) < 8000


def test_findings_of_many_names_are_counted() -> None:
    """Of many findings a message has the first ones, and counts the others."""
    names = [f"n{each}" for each in range(1000)]
    found = check_request(
        "PutItem", {"TableName": "docs", "Item": {name: {"N": "x"} for name in names}}
    )
    with pytest.raises(DynasafeError) as caught:
        put({name: {"N": "x"} for name in names})
    assert "more findings" in str(caught.value)
    assert len(str(caught.value)) < 8000
    assert len(found) > 20
