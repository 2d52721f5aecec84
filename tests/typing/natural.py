"""Lines as users write them: all are right, for every type checker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Literal, NewType, TypedDict
from uuid import UUID

from dynasafe import Attr, Item, UpdateBuilder, attr, attribute

CustomerId = NewType("CustomerId", str)
Status = Literal["new", "paid"]


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Kind(Enum):
    ONE = 1


class Settings(TypedDict):
    theme: str
    size: int


@dataclass
class Money:
    cents: int
    currency: str = "EUR"


class Audited(Item):
    created_at: Attr[datetime]
    updated_at: Attr[datetime | None] = attribute(default=None)


class Address(Item):
    city: Attr[str]
    zip_code: Attr[str | None] = attribute(default=None, name="zipCode")


class Order(Audited):
    id: Attr[str] = attribute(key="partition")
    customer: Attr[CustomerId]
    status: Attr[Status] = attribute(default="new")
    colour: Attr[Colour] = attribute(default=Colour.RED)
    kind: Attr[Kind] = attribute(default=Kind.ONE)
    either: Attr[int | str] = attribute(default=0)
    nick: Attr[str | None] = attribute(default=None)
    n: Attr[int] = attribute(default=0)
    n2: Attr[int | None] = attribute(default=None)
    ratio: Attr[float] = attribute(default=0.0)
    price: Attr[Decimal] = attribute(default=Decimal(0))
    rebate: Attr[Decimal | None] = attribute(default=None)
    data: Attr[bytes] = attribute(default=b"")
    flag: Attr[bool] = attribute(default=False)
    uid: Attr[UUID | None] = attribute(default=None)
    lines: Attr[list[str]] = attribute(default_factory=list)
    more: Attr[list[str] | None] = attribute(default=None)
    seq: Attr[Sequence[int]] = attribute(default=())
    row: Attr[tuple[int, ...]] = attribute(default=())
    pair: Attr[tuple[int, str] | None] = attribute(default=None)
    labels: Attr[dict[str, int]] = attribute(default_factory=dict)
    facts: Attr[Mapping[str, int] | None] = attribute(default=None)
    tags: Attr[set[str]] = attribute(default_factory=set)
    lits: Attr[set[Status]] = attribute(default_factory=set)
    frozen: Attr[frozenset[str]] = attribute(default=frozenset())
    settings: Attr[Settings | None] = attribute(default=None)
    money: Attr[Money | None] = attribute(default=None)
    home: Attr[Address | None] = attribute(default=None)
    homes: Attr[list[Address]] = attribute(default_factory=list)
    anything: Attr[Any] = attribute(default=None)


O = Order  # noqa: E741
NOW = datetime.now(UTC)

order = Order(id="o1", customer=CustomerId("c1"), created_at=NOW, home=Address(city="Ely"))
Address(city="Ely", zip_code="9")

conditions = [
    O.customer.begins_with("c"),
    O.customer.contains("c"),
    O.status.begins_with("n"),
    O.status.contains("n"),
    O.colour.begins_with("r"),
    O.colour.contains("r"),
    O.either.begins_with("r"),
    O.either.contains("r"),
    O.nick.begins_with("r"),
    O.uid.begins_with("r"),
    O.created_at.begins_with("2030"),
    O.data.begins_with(b"r"),
    O.data.contains(b"r"),
    O.lines.contains("x"),
    O.more.contains("x"),
    O.row.contains(1),
    O.seq.contains(1),
    O.tags.contains("x"),
    O.lits.contains("new"),
    O.frozen.contains("x"),
    O.anything.contains(3),
    attr("x").contains(3),
    attr("x").begins_with("y"),
    O.updated_at == O.created_at,
    O.created_at == O.updated_at,
    O.created_at < NOW,
    O.price < 3,
    O.price == 3,
    O.price != O.n,
    O.price >= Decimal("1.5"),
    O.rebate <= 2,
    O.price.between(1, Decimal("2.5")),
    O.price.is_in([1, 2]),
    O.ratio > 1,
    O.ratio > O.n,
    O.n == O.n2,
    O.n2 == O.n,
    O.n2 == 3,
    O.n2 == None,  # noqa: E711
    O.status == "new",
    O.status.is_in(["new", "paid"]),
    O.status.is_in(("new",)),
    O.nick.is_in({"a"}),
    O.nick.is_in(str(each) for each in range(3)),
    O.n.is_in(range(3)),
    O.colour == Colour.RED,
    O.kind == Kind.ONE,
    O.flag == True,  # noqa: E712
    O.tags.size() > O.lines.size(),
    O.tags.size() == O.n,
    O.n > O.tags.size(),
    O.home[Address.city] == "Ely",  # right, but not for zuban
    O.homes[0][Address.zip_code] == None,  # noqa: E711
    O.settings["theme"] == "dark",
    O.money["cents"] > 3,
    O.pair[0] == 1,
    O.seq[0] == 1,
    O.more[0] == "x",
    O.facts["x"] == 1,
    O.labels["x"] == 1,
    (attr("x") == 3) & O.id.exists(),
    O.id.exists() & (attr("x") == 3) | ~(O.n > 3),
]

update = (
    UpdateBuilder(Order)
    .set(O.customer, CustomerId("x"))
    .set(O.status, "paid")
    .set(O.colour, Colour.BLUE)
    .set(O.updated_at, O.created_at)
    .set(O.created_at, O.updated_at)
    .set(O.n2, O.n)
    .set(O.n2, O.n + 1)
    .set(O.n, O.n2.if_not_exists(0))
    .set(O.n, O.n2.if_not_exists(0) + 1)
    .set(O.n, O.n.if_not_exists(0) + O.n)
    .set(O.ratio, O.n + 1)
    .set(O.ratio, 1)
    .set(O.ratio, O.ratio - 0.5)
    .set(O.price, O.price + 1)
    .set(O.price, O.price - Decimal("0.5"))
    .set(O.price, O.price + O.n)
    .set(O.nick, None)
    .set(O.home, Address(city="Ely"))
    .set(O.home, None)
    .set(O.home[Address.city], "Ely")  # right, but not for zuban
    .set(O.settings, Settings(theme="dark", size=3))
    .set(O.settings["theme"], "dark")
    .set(O.money, Money(3))
    .set(O.lines, ["x"])
    .set(O.lines[0], "x")
    .set(O.seq, [1, 2])
    .set(O.row, (1, 2))
    .set(O.facts, {"x": 1})
    .set(O.anything, {"x": [1]})
    .set("nick", "x")
    .set(attr("anything.x"), 3)
    .set_if_not_exists(O.nick, "x")
    .set_if_not_exists(O.status, "new")
    .append(O.lines, ["x"])
    .append(O.more, ("x",))
    .append(O.row, [1])
    .append(O.seq, [1])
    .append(O.lines, (str(each) for each in range(2)))
    .append(O.homes, [Address(city="Ely")])
    .append("x", [1])
    .prepend(O.lines, ["x"])
    .increment(O.n, 1)
    .increment(O.n2, 1)
    .increment(O.ratio, 0.5)
    .increment(O.ratio, 1)
    .increment(O.price, 1)
    .increment(O.price, Decimal("0.5"))
    .increment("x", 1)
    .add(O.n, 1)
    .add(O.price, 1)
    .add(O.tags, {"x"})
    .add(O.lits, {"new"})
    .add(O.frozen, {"x"})
    .add(O.frozen, frozenset({"x"}))
    .add("x", {"x"})
    .delete(O.tags, {"x"})
    .delete(O.frozen, {"x"})
    .delete(O.lits, {"new"})
    .remove(O.nick, O.lines[0], "n2", attr("x"))
    .condition(O.n > 3)
    .condition(O.created_at < NOW)
    .condition(attr("x").exists())
)


def touch(update: UpdateBuilder[Order], attribute: Attr[datetime | None]) -> UpdateBuilder[Order]:
    return update.set(attribute, NOW)


touch(update, O.updated_at)
