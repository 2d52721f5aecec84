"""None of an attribute whose default is None: it is not stored, and read back all the same."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import Attr, Item, UpdateBuilder, attr, attribute
from dynasafe.errors import EmptyUpdateError, UnsupportedTypeError
from dynasafe.expressions.render import render
from dynasafe.items.schema import schema_of
from dynasafe.testing import fake_table
from dynasafe.values.whole_items import decode_item, encode_item


class Inner(Item):
    note: Attr[str | None] = attribute(default=None)
    text: Attr[str | None] = attribute(default=None, none="null")


class Player(Item):
    id: Attr[str] = attribute(key="partition")
    team: Attr[str | None] = attribute(default=None)
    score: Attr[int | None] = attribute(default=None)
    nick: Attr[str | None] = attribute(default=None, none="null")
    level: Attr[int | None] = attribute(default=1)
    inner: Attr[Inner | None] = attribute(default=None)
    parts: Attr[list[Inner | None]] = attribute(default_factory=list)


P = Player


def expression(update: UpdateBuilder) -> str:
    text: str = update.expressions()["UpdateExpression"]
    return text


def test_put_leaves_none_out():
    """A put leaves None out, but not in a list, for another default or with none="null"."""
    bare = Player(id="a", level=None, inner=Inner(), parts=[None, Inner()])

    stored = encode_item(bare)

    null = {"NULL": True}
    inner = {"M": {"text": null}}
    assert stored == {
        "id": {"S": "a"},
        "nick": null,
        "level": null,
        "inner": inner,
        "parts": {"L": [null, inner]},
    }
    assert decode_item(Player, stored) == bare


def test_stored_null_is_read_as_none():
    """A stored NULL is read as None, and is left out when the item is put again."""
    read = decode_item(Player, {"id": {"S": "a"}, "team": {"NULL": True}})

    assert read.team is None
    assert "team" not in encode_item(read)


@pytest.mark.parametrize(
    ("update", "text"),
    [
        (lambda: UpdateBuilder(P).set(P.team, None), "REMOVE team"),
        (lambda: UpdateBuilder(P).set("team", None), "REMOVE team"),
        (lambda: UpdateBuilder(P).set(attr("team"), None), "REMOVE team"),
        (lambda: UpdateBuilder(P).set(P.inner[Inner.note], None), "REMOVE #inner.note"),
        (lambda: UpdateBuilder(P).set("parts[1].note", None), "REMOVE parts[1].note"),
        (lambda: UpdateBuilder(P).set(P.inner[Inner.text], None), "SET #inner.#text = :text"),
        (lambda: UpdateBuilder(P).set(P.parts[0], None), "SET parts[0] = :parts"),
        (lambda: UpdateBuilder(P).set(P.nick, None), "SET nick = :nick"),
        (lambda: UpdateBuilder(P).set(P.level, None), "SET #level = :level"),
        (lambda: UpdateBuilder().set("team", None), "SET team = :team"),
        (
            lambda: UpdateBuilder(P).set_if_not_exists(P.nick, None),
            "SET nick = if_not_exists(nick, :nick)",
        ),
    ],
)
def test_update_removes_none(update: Any, text: str) -> None:
    """Setting None removes what is not stored as NULL, at every level."""
    assert expression(update()) == text


def test_update_without_effect_is_empty():
    """set_if_not_exists with None has no effect, so the update is empty."""
    with pytest.raises(EmptyUpdateError):
        UpdateBuilder(P).set_if_not_exists(P.team, None).expressions()


def test_if_not_exists_takes_no_none():
    """if_not_exists refuses None, since SET cannot remove an attribute."""
    with pytest.raises(UnsupportedTypeError, match="team: None is not stored here"):
        P.team.if_not_exists(None)


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (P.team == None, "attribute_not_exists(team) OR team = :team"),  # noqa: E711
        (P.team != None, "attribute_exists(team) AND team <> :team"),  # noqa: E711
        (P.team.is_in([None]), "attribute_not_exists(team) OR team = :team"),
        (
            P.team.is_in([None, "a"]),
            "attribute_not_exists(team) OR team = :team OR team IN (:team_2)",
        ),
        (P.nick == None, "nick = :nick"),  # noqa: E711
        (P.inner[Inner.note] == None, "attribute_not_exists(#inner.note) OR #inner.note = :note"),  # noqa: E711
        (attr("team") == None, "attribute_not_exists(team) OR team = :team"),  # noqa: E711
    ],
)
def test_comparison_with_none(condition: Any, text: str) -> None:
    """A comparison with None matches an absent attribute and a stored NULL."""
    assert render(condition.bound(schema_of(P)).node).text == text


async def test_add_and_increment_work_on_what_was_none():
    """A number that was put as None counts as missing."""
    players = fake_table(Player)
    await players.put_item(Player(id="a"))

    await players.update_item({"id": "a"}, UpdateBuilder(P).increment(P.score, 2))
    await players.update_item({"id": "a"}, UpdateBuilder(P).add(P.score, 3))

    assert await players.get_item({"id": "a"}) == Player(id="a", score=5)
    found = [each.id async for each in players.scan(filter=P.team == None)]  # noqa: E711
    assert found == ["a"]


def test_absent_needs_none_as_default():
    """none="absent" needs default=None, since an absent attribute is read as the default."""
    with pytest.raises(TypeError, match="none='absent' needs default=None"):
        attribute(default=1, none="absent")
    with pytest.raises(ValueError, match="none= is 'absent' or 'null'"):
        attribute(default=None, none="drop")  # type: ignore[call-overload]
