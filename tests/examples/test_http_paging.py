"""HTTP paging: cursors that callers can neither forge nor use elsewhere."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe import AsyncDynamoDB
from dynasafe.testing import fake_database
from examples.recipes.http_paging import (
    LIFETIME,
    MAX_CURSOR_LENGTH,
    MAX_LIMIT,
    TABLES,
    BadCursorError,
    BadLimitError,
    Cursors,
    Order,
    Orders,
)
from tests.examples.conftest import MakeDatabase, Rough, rough_database, strip_optional

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SECRET, OLD = b"s" * 32, b"o" * 32


async def begin(db: AsyncDynamoDB, *, number: int = 7, customer: str = "ada") -> Orders:
    for each in range(number):
        order = Order(
            customer_id=customer, place=f"2026-11-{each + 1:02}#o{each}", total_cents=each
        )
        await db.table("orders", Order).put_item(order)
    return Orders(db, Cursors([SECRET, OLD]))


async def all_places(orders: Orders, **question: Any) -> list[str]:
    places, cursor = [], None
    while True:
        page = await orders.list("ada", now=NOW, cursor=cursor, **question)
        places += [order.place for order in page.orders]
        cursor = page.cursor
        if cursor is None:
            return places


async def first_cursor(orders: Orders, **question: Any) -> str:
    page = await orders.list("ada", now=NOW, limit=2, **question)
    assert page.cursor is not None
    return page.cursor


async def test_pages(database: MakeDatabase) -> None:
    """Following the cursors shows each order once, newest first, also while others are stored."""
    db = await database(**TABLES)
    orders = await begin(db)
    assert await all_places(orders, limit=3) == [f"2026-11-0{n}#o{n - 1}" for n in range(7, 0, -1)]

    first = await orders.list("ada", now=NOW, limit=3)
    newer = Order(customer_id="ada", place="2026-11-09#new")
    await db.table("orders", Order).put_item(newer)
    rest = await orders.list("ada", now=NOW, limit=9, cursor=first.cursor)

    assert [order.place[-2:] for order in rest.orders] == ["o3", "o2", "o1", "o0"]


async def test_full_pages() -> None:
    """A page has as many orders as asked for, unless it is the last one."""
    orders = await begin(fake_database(**TABLES), number=20)

    page = await orders.list("ada", now=NOW, limit=4, at_least_cents=5)
    assert len(page.orders) == 4
    assert len(await all_places(orders, limit=4, at_least_cents=5)) == 15


def changed(cursor: str, index: int) -> str:
    decoded = bytearray(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    decoded[index] ^= 1
    return urlsafe_b64encode(bytes(decoded)).decode()


@given(
    text=st.text(max_size=60) | st.binary(max_size=60).map(lambda b: urlsafe_b64encode(b).decode())
)
async def test_made_up(text: str) -> None:
    """A made-up cursor is refused, whatever it holds."""
    with pytest.raises(BadCursorError):
        Cursors([SECRET]).read(text, question=("orders", "ada", "0"), now=NOW)


async def test_forged() -> None:
    """A cursor that was changed, made up, or given out for another list, caller or filter raises
    BadCursorError, whatever it holds."""
    db = fake_database(**TABLES)
    orders = await begin(db)
    cursor = await first_cursor(orders)
    deep = json.dumps(["x", 9 * 10**9]).encode()
    for forged in (
        "",
        "\ud800",
        "A" * (MAX_CURSOR_LENGTH + 1),
        urlsafe_b64encode(b"[" * 700).decode(),
        urlsafe_b64encode(b"0" * 32 + deep).decode(),
        *(changed(cursor, index) for index in (0, 31, 32, 36, -1)),
        Cursors([b"guessed" * 5]).write("x", question=("orders", "ada", "0"), now=NOW),
    ):
        with pytest.raises(BadCursorError, match="begin with the first page"):
            await orders.list("ada", now=NOW, cursor=forged)

    for customer, at_least_cents in (("eve", 0), ("ada", 1), ('ada", "0', 0)):
        with pytest.raises(BadCursorError):
            await orders.list(customer, now=NOW, cursor=cursor, at_least_cents=at_least_cents)
    with pytest.raises(BadCursorError):
        Cursors([SECRET]).read(cursor, question=("invoices", "ada", "0"), now=NOW)


async def test_skew() -> None:
    """A cursor is good for LIFETIME; a host whose clock is 40 s wrong moves that by 40 s."""
    orders = await begin(fake_database(**TABLES))
    cursor, skew = await first_cursor(orders), timedelta(seconds=40)

    for now in (NOW - skew, NOW + LIFETIME - skew):
        await orders.list("ada", now=now, cursor=cursor)
    for now in (NOW + LIFETIME, NOW + LIFETIME - timedelta(seconds=1) + skew):
        with pytest.raises(BadCursorError):
            await orders.list("ada", now=now, cursor=cursor)


async def test_new_secret() -> None:
    """A secret can be replaced without breaking cursors: the old one is accepted for as long as you
    say."""
    db = fake_database(**TABLES)
    await begin(db)
    cursor = await first_cursor(Orders(db, Cursors([OLD])))

    await Orders(db, Cursors([SECRET, OLD])).list("ada", now=NOW, cursor=cursor)
    with pytest.raises(BadCursorError):
        await Orders(db, Cursors([SECRET])).list("ada", now=NOW, cursor=cursor)
    for secrets in ([], [b""]):
        with pytest.raises(ValueError, match="There is no secret"):
            Cursors(secrets)


@pytest.mark.parametrize("limit", [-1, 0, MAX_LIMIT + 1])
async def test_limits(limit: int) -> None:
    """A limit outside of 1 to MAX_LIMIT is refused."""
    orders = await begin(fake_database(**TABLES), number=0)

    with pytest.raises(BadLimitError):
        await orders.list("ada", now=NOW, limit=limit)


async def test_migrated() -> None:
    """An order without a total, as after a migration, is listed where no total is asked for."""
    transport = Rough(TABLES)
    orders = await begin(rough_database(transport), number=3)
    strip_optional(transport, TABLES)

    assert len(await all_places(orders, limit=2)) == 3
    assert await all_places(orders, limit=2, at_least_cents=1) == []
