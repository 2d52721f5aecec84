"""The guides' examples run, each guide from top to bottom."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, Attr, Item, attribute
from dynasafe.testing.engines import Engine
from tests.integration.conftest import REGION, Engines, connect, key_schema

DOCS = Path(__file__).parent.parent.parent / "docs"
GUIDES = {path.name: path.read_text() for path in sorted(DOCS.glob("guides/*.md"))}


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    visits: Attr[int] = attribute(default=0)
    version: Attr[int] = attribute(default=0, version=True)


@pytest.fixture
async def local(engines: Engines) -> AsyncIterator[Engine]:
    engine = engines.get("dynamodb-local")
    async with connect(engine) as db:
        await db.call(
            "CreateTable",
            {"TableName": "people", "BillingMode": "PAY_PER_REQUEST", **key_schema(id="S")},
        )
        yield engine
        await db.call("DeleteTable", {"TableName": "people"})


def test_given_the_guides_then_there_are_some_and_the_index_names_each() -> None:
    index = (DOCS / "index.md").read_text()
    assert len(GUIDES) >= 5
    for guide in GUIDES:
        assert f"guides/{guide}" in index


@pytest.mark.parametrize("name", GUIDES)
async def test_given_a_guide_when_its_examples_run_then_they_hold(name: str, local: Engine) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDES[name], re.DOTALL | re.MULTILINE)
    assert blocks

    def to(endpoint_url: str) -> AsyncDynamoDB:
        return connect(Engine(local.name, endpoint_url, local.is_strict))

    async with connect(local) as db:
        names: dict[str, Any] = {
            "__name__": f"docs.{name}",
            "db": db,
            "Person": Person,
            "engine_url": local.endpoint_url,
            "connect": to,
            "region_name": REGION,
        }
        for block in blocks:
            code = compile(block, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            running = eval(code, names)
            if inspect.iscoroutine(running):
                await running
