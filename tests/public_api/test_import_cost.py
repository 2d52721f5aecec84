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
def test_given_a_fresh_process_when_imported_then_nothing_heavy_is_loaded(script: str) -> None:
    assert {name.partition(".")[0] for name in loaded_by(script)} & HEAVY == set()


@pytest.mark.parametrize("script", ["import dynasafe", "from dynasafe import UpdateBuilder, Item"])
def test_given_no_client_then_asyncio_is_not_loaded(script: str) -> None:
    loaded = loaded_by(script)
    assert "dynasafe" in loaded
    assert loaded & {"asyncio", "ssl"} == set()


@pytest.mark.parametrize("first", ["", "import dynasafe.guard", "import dynasafe.testing.scripted"])
def test_given_any_public_name_then_it_is_there_whatever_was_loaded_before(first: str) -> None:
    names = ", ".join(dynasafe.__all__)
    script = f"{first}\nfrom dynasafe import {names}\nprint(all(map(callable, ({names}))))"
    assert run(script) == "True\n"


def test_given_the_package_then_it_tells_its_names_and_no_others() -> None:
    assert set(dynasafe.__all__) <= set(dir(dynasafe))
    with pytest.raises(AttributeError, match="module 'dynasafe' has no attribute 'Tabel'"):
        dynasafe.Tabel  # type: ignore[attr-defined]  # noqa: B018


def test_given_a_client_when_imported_then_no_class_is_generated() -> None:
    """A dataclass is written and compiled with each import, which takes most of a millisecond.

    Those that every import makes are written out; the others are in modules that load when they
    are needed.
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


def test_given_a_client_when_made_then_what_most_calls_need_is_loaded_alone() -> None:
    script = "from dynasafe import AsyncDynamoDB; AsyncDynamoDB.connect(region_name='us-east-1')"
    late = {"events", "calls.batches", "calls.pages", "aio.aioboto", "environment.asked"}

    loaded = loaded_by(script)

    assert loaded & {f"dynasafe.{name}" for name in late} == set()
    assert loaded & {"difflib", "typing_extensions"} == set()


FIRST_ANSWER = """
import sys
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
print(*sys.modules)
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
"""Modules that take milliseconds to load, and that a first update has no need of."""


def test_given_code_that_is_not_async_when_it_has_its_first_answer_then_little_is_loaded() -> None:
    with Server() as server:
        loaded = set(run(FIRST_ANSWER, server.url).split())

    assert len(server.requests) == 1
    assert loaded & NOT_BEFORE_IT == set()
