"""`import dynasafe` is cheap: each part is loaded when it is asked for, a client last of all."""

from __future__ import annotations

import subprocess
import sys

import pytest

import dynasafe
from tests.threads.server import Server

HEAVY = {"aioboto3", "aiobotocore", "aiohttp", "boto3", "botocore", "moto", "pydantic"}


def run(script: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    ).stdout


def loaded_by(script: str) -> set[str]:
    return set(run(f"{script}; import sys; print(*sys.modules)").split())


@pytest.mark.parametrize(
    "script", ["from dynasafe import *", "import dynasafe.testing.engines", "import dynasafe.cli"]
)
def test_import_loads_nothing_heavy(script: str) -> None:
    """Importing the package, its engines or its command loads no heavy package."""
    assert {name.partition(".")[0] for name in loaded_by(script)} & HEAVY == set()


@pytest.mark.parametrize("script", ["import dynasafe", "from dynasafe import UpdateBuilder, Item"])
def test_import_loads_no_asyncio(script: str) -> None:
    """Without a client, asyncio and ssl are not loaded."""
    loaded = loaded_by(script)
    assert "dynasafe" in loaded
    assert loaded & {"asyncio", "ssl"} == set()


@pytest.mark.parametrize("first", ["", "import dynasafe.guard", "import dynasafe.testing.scripted"])
def test_public_names_in_any_order(first: str) -> None:
    """Each public name can be imported, whatever was loaded before."""
    names = ", ".join(dynasafe.__all__)
    script = f"{first}\nfrom dynasafe import {names}\nprint(all(map(callable, ({names}))))"
    assert run(script) == "True\n"


def test_dir_has_the_public_names() -> None:
    """dir() has all public names, and an unknown name raises AttributeError."""
    assert set(dynasafe.__all__) <= set(dir(dynasafe))
    with pytest.raises(AttributeError, match="module 'dynasafe' has no attribute 'Tabel'"):
        dynasafe.Tabel  # type: ignore[attr-defined]  # noqa: B018


def test_client_is_imported_without_dataclasses() -> None:
    """Importing the client generates no dataclass, which takes most of a millisecond each.

    Records that every import needs are written out; the others are in modules that load later.
    """
    counted = """
import dataclasses
generate, made = dataclasses._process_class, []

def count(cls, *arguments):
    made.append(cls.__qualname__)
    return generate(cls, *arguments)

dataclasses._process_class = count
from dynasafe import AsyncDynamoDB, Item, UpdateBuilder
AsyncDynamoDB.connect(region_name="us-east-1")
print(len(made))
"""
    assert int(run(counted)) == 0


def test_connect_loads_what_most_calls_need() -> None:
    """Making a client loads only what most calls need."""
    script = "from dynasafe import AsyncDynamoDB; AsyncDynamoDB.connect(region_name='us-east-1')"
    late = {"events", "calls.batches", "calls.pages", "aio.aioboto", "environment.asked"}

    loaded = loaded_by(script)

    assert loaded & {f"dynasafe.{name}" for name in late} == set()
    assert loaded & {"difflib", "typing_extensions"} == set()


FIRST_ANSWER = """
import sys
before = {*sys.modules}
from dynasafe import Attr, DynamoDB, Item, UpdateBuilder, attribute

class Person(Item):
    id: Attr[str] = attribute(key="partition")
    visits: Attr[int] = attribute(default=0)

keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
with DynamoDB.connect(
    region_name="us-east-1", endpoint_url=sys.argv[1], client_options=keys
) as db:
    people = db.table("people", Person)
    people.update_item({"id": "p1"}, UpdateBuilder(Person).increment(Person.visits, 1))
print(*sys.modules.keys() - before)
"""
NOT_BEFORE_IT = {
    "asyncio",
    "dataclasses",
    "encodings.idna",
    "inspect",
    "logging",
    "random",
    "subprocess",
    "urllib",
}
"""Modules that take milliseconds to load, and that a first update has no need of.

What the interpreter has before is left out: a tool that measures coverage loads some of them.
"""


def test_sync_client_loads_little() -> None:
    """A sync client loads little before its first answer."""
    with Server() as server:
        loaded = set(run(FIRST_ANSWER, server.url).split())

    assert len(server.requests) == 1
    assert loaded & NOT_BEFORE_IT == set()
