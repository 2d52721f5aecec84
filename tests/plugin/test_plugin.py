"""The pytest plugin, in test runs of its own: what tests miss without it, and catch with it."""

from __future__ import annotations

from pathlib import Path

import pytest

HEADER = """
import asyncio
import boto3
import pytest
from unittest.mock import Mock
from dynasafe import AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.testing import Fault, FaultPlan, spec_mock

class Person(Item):
    id: Attr[str] = attribute(key="partition")
    visits: Attr[int] = attribute(default=0)

def handler_that_forgets(table):
    table.update_item({"id": "p1"}, UpdateBuilder(Person).increment(Person.visits, 1))

def blocking_client():
    return boto3.client("dynamodb", region_name="us-east-1", endpoint_url="http://127.0.0.1:1",
                        aws_access_key_id="a", aws_secret_access_key="a")
"""
UNAWAITED = """
async def test_handler():
    async def save(): ...
    save()
"""
UNAWAITED_MOCK = """
async def test_handler():
    handler_that_forgets(spec_mock(AsyncTable))
"""
BLOCKING = """
async def test_handler():
    try:
        blocking_client().list_tables()
    except Exception:
        pass
"""
BLOCKING_ELSEWHERE = """
async def test_handler():
    def call():
        try:
            blocking_client().list_tables()
        except Exception as error:
            return type(error).__name__
    assert await asyncio.to_thread(call) == "EndpointConnectionError"
"""
FINE = """
async def test_handler():
    table = spec_mock(AsyncTable, get_item=Person(id="p1"))
    assert (await table.get_item({"id": "p1"})).id == "p1"
    with pytest.raises(TypeError):
        table.get_item()
    with pytest.raises(AttributeError):
        table.get_itme
"""
INI = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""


@pytest.fixture(autouse=True)
def ini(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)


def run(pytester: pytest.Pytester, source: str, *arguments: str) -> dict[str, int]:
    pytester.makepyfile(HEADER + source)
    # In a process of its own, since plugins and patches are of the whole process.
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-q", *arguments)
    outcomes = result.parseoutcomes()
    return {name: outcomes.get(name, 0) for name in ("passed", "failed", "errors")}


PASSED = {"passed": 1, "failed": 0, "errors": 0}
FAILED = {"passed": 0, "failed": 1, "errors": 0}


@pytest.mark.parametrize(
    ("source", "switch"),
    [(UNAWAITED, "--forbid-unawaited"), (BLOCKING, "--forbid-blocking")],
    ids=["unawaited", "blocking"],
)
def test_given_a_bug_then_only_the_switch_makes_the_test_fail(
    pytester: pytest.Pytester, source: str, switch: str
) -> None:
    assert run(pytester, source) == PASSED
    assert run(pytester, source, switch) == FAILED


def test_given_the_ini_option_then_it_is_the_switch(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI + "forbid_unawaited = true\nforbid_blocking = true\n")
    assert run(pytester, UNAWAITED) == FAILED
    assert run(pytester, BLOCKING) == FAILED
    assert run(pytester, BLOCKING_ELSEWHERE) == PASSED
    assert run(pytester, FINE) == PASSED


def test_given_a_call_on_a_mock_that_is_never_awaited_then_the_test_fails(
    pytester: pytest.Pytester,
) -> None:
    assert run(pytester, UNAWAITED_MOCK.replace("spec_mock(AsyncTable)", "Mock()")) == PASSED
    assert run(pytester, UNAWAITED_MOCK) == FAILED
    assert run(pytester, FINE) == PASSED


ENGINE = """
async def test_table(dynamodb_table, dynamodb_requests):
    people = await dynamodb_table(Person, indexes={"by_visits": ("visits",)})
    await people.put_item(Person(id="p1"))
    await people.update_item({"id": "p1"}, UpdateBuilder(Person).increment(Person.visits, 1))
    assert [person.visits async for person in people.query(Person.visits == 1,
                                                           index_name="by_visits")] == [1]
    assert len(dynamodb_requests.of("UpdateItem")) == 1
    dynamodb_requests.assert_all_valid()

async def test_tables_are_new(dynamodb_table):
    people = await dynamodb_table(Person)
    assert await people.scan().to_list() == []

async def test_faults(dynamodb, dynamodb_table, dynamodb_faults):
    people = await dynamodb_table(Person)
    plan = FaultPlan(script=[Fault.RESET_BEFORE], operations=frozenset({"PutItem"}))
    db, proxy = await dynamodb_faults(plan)
    result = await db.table(people.name, Person).put_item(Person(id="p1"))
    assert result.attempts == 2 and proxy.count(Fault.RESET_BEFORE) == 1

def test_sync(dynamodb_client, dynamodb_resource):
    assert list(dynamodb_resource.tables.all()) == []
    assert dynamodb_client.list_tables()["TableNames"] == []
"""


@pytest.mark.parametrize("engine", ["moto", "dynalite", "local"])
def test_given_an_engine_then_the_fixtures_are_of_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setenv("DYNASAFE_ENGINES_DIR", str(Path(__file__).parents[2] / ".engines"))
    assert run(pytester, ENGINE, f"--dynamodb={engine}") == {"passed": 4, "failed": 0, "errors": 0}


def test_given_the_engine_in_the_ini_file_then_it_is_used(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI + "dynamodb = moto\n")
    source = "def test_engine(dynamodb_engine): assert dynamodb_engine.name == 'moto'"
    assert run(pytester, source) == PASSED
    pytester.makeini(INI + "dynamodb = nosql\n")
    assert run(pytester, source) == {"passed": 0, "failed": 0, "errors": 1}


def test_given_parallel_runs_then_tables_do_not_collide(pytester: pytest.Pytester) -> None:
    source = ENGINE + "\n".join(
        f"""
async def test_more_{number}(dynamodb_table):
    people = await dynamodb_table(Person)
    await people.put_item(Person(id="p1"))
    assert len(await people.scan().to_list()) == 1
"""
        for number in range(8)
    )
    # Each process has a moto of its own, whose list of tables another test may see.
    source = source.replace('["TableNames"] == []', '["TableNames"] is not None')
    source = source.replace("tables.all()) == []", "tables.all()) is not None")
    assert run(pytester, source, "-n", "2") == {"passed": 12, "failed": 0, "errors": 0}


def without(pytester: pytest.Pytester, *modules: str) -> None:
    """Make modules impossible to import in the test run."""
    pytester.makepyfile(
        sitecustomize=f"""
from importlib.machinery import PathFinder

find = PathFinder.find_spec

def find_spec(cls, name, path=None, target=None):
    return None if name.split(".")[0] in {modules!r} else find(name, path, target)

PathFinder.find_spec = classmethod(find_spec)
"""
    )


def test_given_nothing_optional_is_installed_then_the_plugin_loads_and_says_what_is_missing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(pytester, "moto", "pytest_asyncio", "hypothesis")
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(
        """
def test_plain(): pass
def test_async_fixture(dynamodb): pass
def test_engine(dynamodb_engine): pass
"""
    )
    result = pytester.runpytest_subprocess("-p", "no:asyncio", "-p", "no:hypothesispytest")
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["errors"]) == (1, 2)
    text = result.stdout.str()
    assert "this fixture needs pytest-asyncio" in text
    assert "moto's server cannot be imported" in text
