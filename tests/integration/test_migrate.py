"""Each pair on the page about migrating gives the same answers, and leaves the same items."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dynasafe.testing.engines import Engine, start_engine
from tests.integration.conftest import (
    Engines,
    boto3_client,
    boto3_resource,
    key_schema,
)

PAGE = (Path(__file__).parent.parent.parent / "docs" / "migrate.md").read_text()
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)
EVERYTHING = {"Projection": {"ProjectionType": "ALL"}}
TABLES: dict[str, Any] = {
    "people": key_schema(id="S"),
    "sessions": key_schema(id="S"),
    "orders": {
        **key_schema(customer="S", number="S"),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by_status",
                "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}],
                **EVERYTHING,
            }
        ],
    },
}
TABLES["orders"]["AttributeDefinitions"].append({"AttributeName": "status", "AttributeType": "S"})

Items = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Pair:
    title: str
    before: str
    after: str

    @property
    def number(self) -> int:
        return int(self.title.partition(".")[0])


def sections() -> list[Pair]:
    pairs = []
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        sides = re.findall(
            r'^```python title="(Before|After)"\n(.*?)^```', section, re.DOTALL | re.MULTILINE
        )
        if sides:
            assert [side for side, _ in sides] == ["Before", "After"]
            pairs.append(Pair(section.splitlines()[0], sides[0][1], sides[1][1]))
    return pairs


ADA: dict[str, Any] = {
    "id": "p1",
    "name": "Ada",
    "email": "ada@example.org",
    "is_admin": False,
    "visits": 2,
    "balance": Decimal("20.50"),
    "tags": {"old", "kept"},
    "scores": [7],
    "settings": {"phone": "1", "theme": "dark"},
    "version": 3,
}
BO: dict[str, Any] = {"id": "p2", "name": "Bo", "balance": Decimal(1), "version": 0}
SESSION: dict[str, Any] = {"id": "s1", "owner": "p1", "expires_at": int(NOW.timestamp()) + 60}
ORDERS: list[dict[str, Any]] = [
    {
        "customer": f"c{number % 2}",
        "number": f"{2025 + number % 3}-{number:03}",
        "status": ("new", "paid")[number % 5 == 0],
        "total": Decimal(number) / 4,
    }
    for number in range(60)
]
SEED: Items = {"people": [ADA, BO], "sessions": [SESSION], "orders": ORDERS}
# For each pair: calls, as the name of a function on the page and its arguments.
CALLS: dict[int, list[tuple[Any, ...]]] = {
    1: [("contact", "p1", "Ada L.", "a@example.org"), ("contact", "p1", None, "b@example.org")],
    2: [("change", "p1", {"name": "Ada L.", "email": "c@example.org"})],
    3: [("visit", "p1"), ("visit", "p2"), ("visit", "none")],
    4: [("score", "p1", 9), ("score", "p2", 1)],
    5: [("tag", "p1", "new", "old"), ("tag", "p2", "only", "only")],
    6: [("forget", "p1")],
    7: [("prefer", "p1", "theme", "light"), ("prefer", "p1", "greeting", "hello")],
    8: [("open_session", "s1", "p2", NOW), ("open_session", "s2", "p2", NOW)],
    9: [("rename", "p1", "Ada L."), ("rename", "none", "Nobody")],
    10: [("edit", "p1", "Ada L."), ("edit", "p1", "Ada M.")],
    11: [("close_session", "s1", "p2"), ("close_session", "s1", "p1")],
    12: [("profile", "p1"), ("profile", "none")],
    13: [("of_year", "c1", 2026), ("of_year", "none", 2026)],
    14: [("large_orders", "new", Decimal("7.5")), ("large_orders", "none", Decimal(0))],
    15: [("page", "c1", 7, None), ("page", "c1", 7, "2026-031"), ("page", "c1", 100, None)],
    16: [("all_orders",)],
    17: [("import_orders", "c9", [f"2027-{number}" for number in range(60)])],
    18: [("names_of", ["p2", "none", "p1"])],
    19: [("pay", "p1", "p2", Decimal("5.25")), ("pay", "p2", "p1", Decimal(99))],
    20: [("extend", "s1", NOW), ("is_open", "s1", NOW), ("is_open", "s1", LATER)],
}


def outcome(engine: Engine, source: str, calls: list[tuple[Any, ...]]) -> tuple[list[Any], Items]:
    """What the calls return, and what is stored in the end, from the same start."""
    client, resource = boto3_client(engine), boto3_resource(engine)
    for name, schema in TABLES.items():
        client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **copy.deepcopy(schema))
    try:
        for name, items in SEED.items():
            with resource.Table(name).batch_writer() as batch:
                for item in items:
                    batch.put_item(Item=item)
        names: dict[str, Any] = {"engine_url": engine.endpoint_url}
        run(shared(), names)
        with names["dynamodb"]:
            run(source, names)
            answers = [names[name](*arguments) for name, *arguments in calls]
        names["resource"].meta.client.close()
        stored = {name: resource.Table(name).scan()["Items"] for name in TABLES}
        for items in stored.values():
            items.sort(key=str)
        return answers, stored
    finally:
        for name in TABLES:
            client.delete_table(TableName=name)
        client.close()
        resource.meta.client.close()


def shared() -> str:
    """The page's first block, which both sides of each pair need."""
    found = re.search(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def run(source: str, names: dict[str, Any]) -> None:
    names.setdefault("__name__", "docs.migrate")
    exec(compile(source, "migrate.md", "exec", dont_inherit=True), names)


def test_page_has_twenty_pairs() -> None:
    """The migration page has twenty pairs, and calls for each."""
    assert [pair.number for pair in sections()] == list(range(1, 21)) == list(CALLS)


@pytest.fixture(scope="module")
def engine(engines: Engines) -> Iterator[Engine]:
    """One of this module's own: the page names its tables, as other tests name theirs."""
    engines.get("dynamodb-local")  # says what is missing, if it cannot be started
    with start_engine("dynamodb-local") as engine:
        yield engine


@pytest.mark.parametrize("pair", sections(), ids=lambda pair: pair.title)
def test_before_and_after_do_the_same(
    pair: Pair, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code before and after migration has the same answers and stores the same items."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    calls = CALLS[pair.number]

    before = outcome(engine, pair.before, calls)
    after = outcome(engine, pair.after, calls)

    assert after == before
    answers, stored = before
    _, seed = outcome(engine, "", [])
    assert answers != [None] * len(calls) or stored != seed
