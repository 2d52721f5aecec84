"""The pytest plugin, in test runs of its own: what tests miss without it, and catch with it."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from dynasafe.testing.engines import EngineUnavailableError, start_engine

HEADER = """
import asyncio
import sys

import boto3
import pytest
from botocore.config import Config
from unittest.mock import Mock
from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.testing import Fault, FaultPlan, fake_table, forbid_unawaited, spec_mock

class Person(Item):
    id: Attr[str] = attribute(key="partition")
    visits: Attr[int] = attribute(default=0)

VISIT = UpdateBuilder(Person).increment(Person.visits, 1)

async def save(): return 1

def blocking_call():
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url="http://127.0.0.1:1",
                          aws_access_key_id="a", aws_secret_access_key="a",
                          config=Config(retries={"total_max_attempts": 1}))
    try:
        client.list_tables()
    except Exception as error:  # as a handler that must not fail
        return type(error).__name__
"""
RIGHT = """
async def test_gather(): assert await asyncio.gather(save(), save()) == [1, 1]

async def test_task(): await asyncio.create_task(save())

async def test_task_group():
    async with asyncio.TaskGroup() as group:
        group.create_task(save())

async def test_cancelled_task():
    task = asyncio.create_task(save())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

async def test_timeouts():
    await asyncio.wait_for(save(), 60)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

async def test_generator():
    async def generate():
        yield 1
        yield 2
    async for _ in generate():
        break
    assert [each async for each in generate()] == [1, 2]

def test_run(): assert asyncio.run(save()) == 1

def test_closed(): save().close()

async def test_thread(): assert await asyncio.to_thread(asyncio.run, save()) == 1

@pytest.fixture
async def saved():
    await save()
    yield 1
    await save()

@pytest.fixture
def saving(): return save()

async def test_fixtures(saved, saving): assert await saving == saved

async def test_nested_blocks():
    with pytest.raises(AssertionError, match="never awaited"), forbid_unawaited():
        save()

async def test_blocks_of_tasks_that_end_in_any_order():
    async def block(first, second):
        with forbid_unawaited():
            first.set()
            await second.wait()
    one, other = asyncio.Event(), asyncio.Event()
    await asyncio.gather(block(one, other), block(other, one))

async def test_boto3_elsewhere():
    assert await asyncio.to_thread(blocking_call) == "EndpointConnectionError"

def test_boto3_in_a_sync_test(): assert blocking_call() == "EndpointConnectionError"

@pytest.mark.skip
async def test_skipped(): save()

async def test_mocks():
    table = spec_mock(AsyncTable, get_item=Person(id="p1"))
    assert (await table.get_item({"id": "p1"})).id == "p1"
    assert [each async for each in table.query(Person.id == "p1")] == []
    with pytest.raises(TypeError):
        table.get_item()
    with pytest.raises(AttributeError):
        table.get_itme
    db = spec_mock(AsyncDynamoDB)
    await db.table("people", Person).update_item({"id": "p1"}, VISIT)
    await db.table("people").scan().to_list()
    with pytest.raises(AttributeError):
        db.table("people").get_itme
"""
RIGHT_COUNT = 15

UNAWAITED = """
async def test_call(): save()

def test_sync(): save()

async def test_cycle():
    parts = [save()]
    parts.append(parts)

async def test_thread(): await asyncio.to_thread(lambda: bool(save()))

async def test_table():
    fake_table(Person).put_item(Person(id="p1"))

async def test_pages():
    fake_table(Person).scan().to_list()

@pytest.fixture
async def forgets(): save()

async def test_setup(forgets): pass

@pytest.fixture
async def forgets_at_the_end():
    yield
    save()

async def test_teardown(forgets_at_the_end): pass
"""
BLOCKING = """
async def test_call(): blocking_call()

def test_run():
    async def main(): blocking_call()
    asyncio.run(main())

@pytest.fixture
async def blocks(): blocking_call()

async def test_setup(blocks): pass
"""
MOCKS = """
async def test_call(): TABLE(AsyncTable).update_item({"id": "p1"}, VISIT)

def test_sync(): TABLE(AsyncTable).update_item({"id": "p1"}, VISIT)

async def test_table_of_a_database():
    TABLE(AsyncDynamoDB).table("people", Person).update_item({"id": "p1"}, VISIT)

@pytest.fixture
def table(): return TABLE(AsyncTable)

async def test_fixture(table): table.update_item({"id": "p1"}, VISIT)

@pytest.fixture(scope="module")
def shared(): return TABLE(AsyncTable)

async def test_shared_first(shared): pass

async def test_shared_then(shared): shared.update_item({"id": "p1"}, VISIT)

async def test_shared_after_that(shared): pass
"""
INI = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""


@pytest.fixture(autouse=True)
def ini(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)


def run(pytester: pytest.Pytester, source: str, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(HEADER + source)
    # In a process of its own, since plugins and patches are of the whole process.
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-q", *arguments)


def failing(result: pytest.RunResult) -> set[str]:
    """The tests that failed, at setup or teardown too."""
    return set(re.findall(r"^(?:FAILED|ERROR) \S+::test_(\w+)", result.stdout.str(), re.MULTILINE))


@pytest.mark.parametrize(
    ("source", "switch", "expected", "words"),
    [
        (
            UNAWAITED,
            "forbid-unawaited",
            {"call", "sync", "cycle", "thread", "table", "pages", "setup", "teardown"},
            "*in test_call*",
        ),
        (BLOCKING, "forbid-blocking", {"call", "run", "setup"}, "*ListTables of dynamodb *"),
    ],
    ids=["unawaited", "blocking"],
)
def test_switches_find_bugs(
    pytester: pytest.Pytester, source: str, switch: str, expected: set[str], words: str
) -> None:
    """Only the switch, as an option or in the ini file, makes the tests with bugs fail."""
    assert failing(run(pytester, source)) == set()
    by_option = run(pytester, source, f"--{switch}")
    pytester.makeini(f"{INI}{switch.replace('-', '_')} = true\n")
    by_ini = run(pytester, source)

    assert failing(by_option) == failing(by_ini) == expected
    by_option.stdout.fnmatch_lines([words])
    assert "pluggy" not in by_option.stdout.str()


def test_switches_accept_correct_code(pytester: pytest.Pytester) -> None:
    """With all switches, the nearest correct code passes."""
    result = run(pytester, RIGHT, "--forbid-unawaited", "--forbid-blocking", "-W", "error")
    result.assert_outcomes(passed=RIGHT_COUNT, skipped=1)


def test_calls_on_mocks_without_await_fail(pytester: pytest.Pytester) -> None:
    """A call on a mock that nobody awaits fails its test."""
    missed = run(pytester, MOCKS.replace("TABLE(AsyncTable)", "Mock()").replace("TABLE", "Mock"))
    assert failing(missed) == set()
    caught = run(pytester, MOCKS.replace("TABLE", "spec_mock"), "-W", "ignore")
    assert failing(caught) == {"call", "sync", "table_of_a_database", "fixture", "shared_then"}
    caught.stdout.fnmatch_lines(["table().update_item was called 1 times and awaited 0 times"])


ENGINE = """
async def test_table(dynamodb_table, dynamodb_requests):
    people = await dynamodb_table(Person, indexes={"by_visits": ("visits",)})
    await people.put_item(Person(id="p1"))
    await people.update_item({"id": "p1"}, VISIT)
    assert [person.visits async for person in people.query(Person.visits == 1,
                                                           index_name="by_visits")] == [1]
    assert len(dynamodb_requests.of("UpdateItem")) == 1
    dynamodb_requests.assert_all_valid()

async def test_tables_are_new(dynamodb_table):
    people = await dynamodb_table(Person)
    assert await people.scan().to_list() == []

async def test_drops_its_table_itself(dynamodb, dynamodb_table):
    people = await dynamodb_table(Person)
    await dynamodb.call("DeleteTable", {"TableName": people.name})

async def test_faults(dynamodb, dynamodb_table, dynamodb_faults):
    people = await dynamodb_table(Person)
    plan = FaultPlan(script=[Fault.RESET_BEFORE], operations=frozenset({"PutItem"}))
    db, proxy = await dynamodb_faults(plan)
    result = await db.table(people.name, Person).put_item(Person(id="p1"))
    assert result.attempts == 2 and proxy.count(Fault.RESET_BEFORE) == 1

def test_sync(dynamodb_client, dynamodb_resource):
    # Engines of moto in one process share their tables, also those of other names.
    names = [each.name for each in dynamodb_resource.tables.all()]
    assert names == dynamodb_client.list_tables()["TableNames"]
    assert not [name for name in names if name.startswith("test-")]
"""
ENGINE_COUNT = 5
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "test-your-handlers.md"


@pytest.mark.parametrize("engine", ["moto", "dynalite", "dynamodb-local"])
def test_fixtures_use_the_engine(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    """The fixtures use the engine of the option."""
    monkeypatch.setenv("DYNASAFE_ENGINES_DIR", str(Path(__file__).parents[2] / ".engines"))
    switches = ["--forbid-unawaited", "--forbid-blocking"]
    run(pytester, ENGINE, f"--dynamodb={engine}", *switches).assert_outcomes(passed=ENGINE_COUNT)


@pytest.mark.parametrize(("tests", "fixtures"), [("session", "function"), ("function", "module")])
def test_any_scope_of_the_loop(pytester: pytest.Pytester, tests: str, fixtures: str) -> None:
    """The fixtures work with any scope of the loop, of tests and of fixtures."""
    pytester.makeini(
        "[pytest]\nasyncio_mode = auto\n"
        f"asyncio_default_fixture_loop_scope = {fixtures}\n"
        f"asyncio_default_test_loop_scope = {tests}\n"
    )
    run(pytester, ENGINE).assert_outcomes(passed=ENGINE_COUNT)


LOOPS = """
import pytest_asyncio

@pytest.mark.asyncio(loop_scope="module")
async def test_on_the_loop_of_the_module(dynamodb_table, dynamodb_faults):
    people = await dynamodb_table(Person)
    await people.put_item(Person(id="p1"))
    db, _ = await dynamodb_faults(FaultPlan())
    assert await db.table(people.name, Person).get_item({"id": "p1"}) is not None

@pytest.mark.asyncio(loop_scope="session")
class TestOnTheLoopOfTheSession:
    async def test_of_a_class(self, dynamodb_table):
        people = await dynamodb_table(Person)
        assert await people.scan().to_list() == []

@pytest.mark.asyncio
async def test_on_a_loop_of_its_own(dynamodb_table):
    people = await dynamodb_table(Person)
    assert await people.scan().to_list() == []

@pytest_asyncio.fixture(loop_scope="module")
async def people(dynamodb_table): return await dynamodb_table(Person)

@pytest.mark.asyncio(loop_scope="module")
async def test_fixture_on_the_same_loop(people): assert await people.scan().to_list() == []

@pytest.mark.asyncio
async def test_fixture_on_another_loop(people): pass
"""
LOOPS_COUNT = 4
# moto does not know tokens, so the proxy in front of it does.
EXACTLY_ONCE = """
@pytest.mark.asyncio
async def test_exactly_once(dynamodb_table, dynamodb_faults):
    people = await dynamodb_table(Person)
    await people.put_item(Person(id="p1"))
    plan = FaultPlan(script=[Fault.CLOSE_AFTER, Fault.DUPLICATE])
    db, proxy = await dynamodb_faults(plan)
    result = await db.table(people.name, Person).update_item({"id": "p1"}, VISIT, exactly_once=True)
    assert result.attempts == 2
    assert (await people.get_item({"id": "p1"})).visits == 1

def test_exactly_once_sync(dynamodb_sync_table, dynamodb_sync_faults):
    people = dynamodb_sync_table(Person)
    people.put_item(Person(id="p1"))
    db, proxy = dynamodb_sync_faults(FaultPlan(script=[Fault.CLOSE_AFTER]))
    db.table(people.name, Person).update_item({"id": "p1"}, VISIT, exactly_once=True)
    assert people.get_item({"id": "p1"}).visits == 1
"""


def test_the_marker_says_the_loop(pytester: pytest.Pytester) -> None:
    """The fixtures are on the loop of the test; the error of a fixture on another has the fix.

    The same run shows that `exactly_once` counts once through faults on the default engine.
    """
    pytester.makeini(
        "[pytest]\nasyncio_mode = strict\nasyncio_default_fixture_loop_scope = module\n"
    )

    result = run(pytester, LOOPS + EXACTLY_ONCE)

    result.assert_outcomes(passed=LOOPS_COUNT + 2, errors=1)
    result.stdout.fnmatch_lines(["*give a fixture that uses it the loop_scope of the test*"])


def test_trio_is_refused_with_words() -> None:
    """anyio's trio parameter runs the fixtures without asyncio."""
    from dynasafe.testing import fixtures

    database: Any = fixtures.dynamodb(None)  # type: ignore[arg-type]
    with pytest.raises(pytest.fail.Exception, match="dynasafe runs on asyncio, not on trio"):
        database.__anext__().send(None)


@pytest.mark.parametrize(
    ("forget", "expected"),
    [("", {"passed": 2}), ("await ", {"failed": 2})],
    ids=["as it stands", "without its await"],
)
def test_guide_example_holds(
    pytester: pytest.Pytester, forget: str, expected: dict[str, int]
) -> None:
    """The tests in the guide pass, and fail without the await of the handler."""
    fence = re.compile(r"^( *)```python\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
    blocks = [dedent(found[2]) for found in fence.finditer(GUIDE.read_text())]
    (block,) = (block for block in blocks if "(dynamodb_table)" in block)
    called = "await people.update_item("
    assert block.count(called) == 1
    source = block.replace(called, called.removeprefix(forget))
    person = """
class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    visits: Attr[int] = attribute(default=0)
"""
    run(pytester, person + source, "--dynamodb=moto").assert_outcomes(**expected)


def test_engine_of_the_ini_file(pytester: pytest.Pytester) -> None:
    """The engine of the ini file is used, and an unknown one is an error."""
    pytester.makeini(INI + "dynamodb = moto\n")
    source = "def test_engine(dynamodb_engine): assert dynamodb_engine.name == 'moto'"
    run(pytester, source).assert_outcomes(passed=1)
    pytester.makeini(INI + "dynamodb = nosql\n")
    run(pytester, source).assert_outcomes(errors=1)


def test_the_old_name_of_an_engine_warns(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--dynamodb=local` starts DynamoDB Local, and says its name."""
    monkeypatch.setenv("DYNASAFE_ENGINES_DIR", str(Path(__file__).parents[2] / ".engines"))
    source = "def test_engine(dynamodb_engine): assert dynamodb_engine.name == 'dynamodb-local'"
    result = run(pytester, source, "--dynamodb=local", "-W", "default")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*Fix: use --dynamodb=dynamodb-local."])


def test_a_running_engine(pytester: pytest.Pytester) -> None:
    """`--dynamodb-url` takes an engine that runs already, and leaves it running."""
    source = "def test_engine(dynamodb_engine): assert dynamodb_engine.name == 'running'"
    with start_engine("moto") as engine:
        url = f"--dynamodb-url={engine.endpoint_url}"
        run(pytester, ENGINE + source, url).assert_outcomes(passed=ENGINE_COUNT + 1)
        pytester.makeini(INI + f"dynamodb_url = {engine.endpoint_url}\n")
        run(pytester, ENGINE + source).assert_outcomes(passed=ENGINE_COUNT + 1)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("127.0.0.1:8000", "*use an address as http://127.0.0.1:8000*"),
        ("https://dynamodb.us-east-1.amazonaws.com", "*that is AWS itself*"),
        ("http://127.0.0.1:1", "*nothing answers at http://127.0.0.1:1*"),
    ],
)
def test_an_address_that_cannot_be_used(pytester: pytest.Pytester, url: str, words: str) -> None:
    """What is no address, is AWS, or does not answer is refused with words."""
    result = run(pytester, "def test_engine(dynamodb_engine): pass", f"--dynamodb-url={url}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([words])


AWS = """
@pytest.fixture
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

def test_boto3(credentials):
    client = boto3.client("dynamodb", region_name="us-east-1")
    try:
        client.list_tables()
    except Exception:  # as a handler that must not fail
        pass

async def test_connect(credentials):
    async with AsyncDynamoDB.connect(region_name="us-east-1") as db:
        await db.table("people", Person).get_item({"id": "p1"})

def test_engine(dynamodb_client): dynamodb_client.list_tables()
"""


def test_aws_itself_is_forbidden(pytester: pytest.Pytester) -> None:
    """`--forbid-aws` fails a test whose client has no endpoint of its own, and lets others be."""
    result = run(pytester, AWS, "--forbid-aws")
    result.assert_outcomes(passed=1, failed=2)
    line = "*the test would call AWS itself: dynamodb.us-east-1.amazonaws.com. Fix: *"
    result.stdout.fnmatch_lines([line])


def test_unknown_engine() -> None:
    """A misspelt name is refused with those that there are."""
    with pytest.raises(EngineUnavailableError) as caught, start_engine("local"):  # type: ignore[arg-type]
        pass
    assert str(caught.value) == (
        "unknown engine 'local'. Fix: use one of moto, dynalite, dynamodb-local"
    )


def test_parallel_runs_do_not_collide(pytester: pytest.Pytester) -> None:
    """Tables of parallel runs do not collide."""
    source = ENGINE + "\n".join(
        f"""
async def test_more_{number}(dynamodb_table):
    people = await dynamodb_table(Person)
    await people.put_item(Person(id="p1"))
    assert len(await people.scan().to_list()) == 1
"""
        for number in range(8)
    )
    # Each process has an engine of its own, and drops what it has made.
    switches = ["--forbid-unawaited", "--forbid-blocking"]
    run(pytester, source, "-n", "2", *switches).assert_outcomes(passed=ENGINE_COUNT + 8)


def without(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
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
    monkeypatch.syspath_prepend(pytester.path)
    monkeypatch.setenv("PYTHONPATH", str(pytester.path), prepend=":")


NO_ASYNCIO = ("-p", "no:asyncio")


UNUSED = """
import sys

def test_plain():
    assert not {name for name in sys.modules if name.startswith("dynasafe.testing.pytest_hooks")}

def test_fixture(dynamodb): pass
"""


def test_without_the_extra_it_does_nothing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra the plugin has no fixture and no option, and other tests pass."""
    without(pytester, monkeypatch, "moto")
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(test_it=UNUSED)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, errors=1)
    assert "fixture 'dynamodb' not found" in result.stdout.str()
    assert pytester.runpytest_subprocess("--forbid-unawaited").ret is pytest.ExitCode.USAGE_ERROR


def test_with_an_old_pytest_it_does_nothing(pytester: pytest.Pytester) -> None:
    """With an old pytest the plugin has no fixture and no option, and other tests pass."""
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(old="import pytest\npytest.__version__ = '7.0.1'", test_it=UNUSED)
    result = pytester.runpytest_subprocess("-p", "old", "-p", "no:asyncio")
    result.assert_outcomes(passed=1, errors=1)


OTHERS = """
import pytest

@pytest.fixture
def dynamodb(): return "theirs"
"""


def test_fixtures_of_other_plugins(pytester: pytest.Pytester) -> None:
    """A fixture of another plugin with our name is used, unless an engine is asked for."""
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(
        others=OTHERS, test_it="def test_name(dynamodb): assert dynamodb == 'theirs'"
    )
    plugins = ("-p", "others", "-p", "no:asyncio", "-p", "no:anyio")
    pytester.runpytest_subprocess(*plugins).assert_outcomes(passed=1)
    asked = pytester.runpytest_subprocess(*plugins, "--dynamodb=moto")
    assert "this fixture needs pytest-asyncio, or anyio" in asked.stdout.str()


def test_anyio_runs_the_fixtures(pytester: pytest.Pytester) -> None:
    """The fixtures work where anyio runs the tests."""
    pytester.makeini("[pytest]\n")
    marked = """
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend(): return "asyncio"
"""
    run(pytester, marked + ENGINE, *NO_ASYNCIO).assert_outcomes(passed=ENGINE_COUNT)


def test_missing_async_plugin_is_reported(pytester: pytest.Pytester) -> None:
    """Without an async plugin the fixtures say which one they need."""
    pytester.makeini("[pytest]\n")
    result = run(pytester, "def test(dynamodb_table): pass", *NO_ASYNCIO, "-p", "no:anyio")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["this fixture needs pytest-asyncio, or anyio*"])


def test_plugin_can_be_switched_off(pytester: pytest.Pytester) -> None:
    """With the plugin switched off, its fixtures and options are unknown."""
    source = "def test_fine(): pass\ndef test_engine(dynamodb_engine): pass"
    off = ("-p", "no:dynasafe")
    run(pytester, source, *off).assert_outcomes(passed=1, errors=1)
    assert run(pytester, source, *off, "--forbid-unawaited").ret is pytest.ExitCode.USAGE_ERROR


def test_plugin_loads_nothing_heavy(pytester: pytest.Pytester) -> None:
    """Loading the plugin loads no heavy package and little of dynasafe."""
    pytester.makepyfile(
        """
import sys

HEAVY = {"aioboto3", "aiobotocore", "aiohttp", "boto3", "botocore", "hypothesis", "moto"}
OURS = {"aio", "calls", "expressions", "items", "resilience", "validation", "values"}

def test_modules():
    assert "dynasafe.testing.pytest_hooks" in sys.modules
    assert set(sys.modules) & HEAVY == set()
    assert set(sys.modules) & {f"dynasafe.{name}" for name in OURS} == set()
"""
    )
    pytester.runpytest_subprocess("-p", "no:hypothesispytest").assert_outcomes(passed=1)


GUARDED = (
    HEADER
    + """
class Orders:
    def __init__(self):
        self.client = boto3.client(
            "dynamodb", region_name="us-east-1", endpoint_url="http://127.0.0.1:1",
            aws_access_key_id="a", aws_secret_access_key="a",
            config=Config(retries={"mode": "standard", "total_max_attempts": 1}))

    def find(self):
        from botocore.exceptions import BotoCoreError, ClientError
        try:
            self.client.get_item(TableName="orders", Key={"id": {"S": "a"}},
                                 ProjectionExpression="lines, lines.a")
        except (BotoCoreError, ClientError):
            return None  # as a handler that must not fail

def test_orders(): assert Orders().find() is None

def test_swallowed():
    try:
        Orders().find()
    except Exception:
        pass
"""
)


@pytest.mark.parametrize(
    ("arguments", "ini", "failed"),
    [
        ([], "", 0),
        (["--dynamodb-guard=raise"], "", 1),
        (["--dynamodb-guard=warn"], "dynamodb_guard = raise", 0),
    ],
)
def test_guard(pytester: pytest.Pytester, arguments: list[str], ini: str, failed: int) -> None:
    """The guard fails a test whose handler would swallow the refusal, and lists what it found."""
    pytester.makepyfile(GUARDED)
    pytester.makeini(f"[pytest]\nasyncio_mode = auto\n{ini}")

    result = pytester.runpytest_subprocess(*arguments)

    result.assert_outcomes(passed=2 - failed, failed=failed)
    is_guarded = bool(arguments or ini)
    listed = re.findall(
        r"GetItem: .* \[DYS203\] at .*test_guard.py:\d+: 2 times", result.stdout.str()
    )
    assert len(listed) == is_guarded


def test_guard_with_nonsense(pytester: pytest.Pytester) -> None:
    """An unknown mode is a usage error."""
    pytester.makepyfile(GUARDED)
    pytester.makeini("[pytest]\nasyncio_mode = auto\ndynamodb_guard = loud")

    result = pytester.runpytest_subprocess()

    assert "dynamodb_guard: 'raise' or 'warn', not 'loud'" in result.stderr.str()


REFUSED = """
import aioboto3
import boto3
from aiobotocore.config import AioConfig
from dynasafe import guard

OPTIONS = dict(region_name="us-east-1", endpoint_url="http://127.0.0.1:1",
               aws_access_key_id="a", aws_secret_access_key="a",
               config=AioConfig(retries={"mode": "standard", "total_max_attempts": 1}))
WRONG = {"TableName": "orders", "Key": {"id": {"S": "a"}}, "ProjectionExpression": "a, a.b"}

def client(): return boto3.client("dynamodb", **OPTIONS)

def test_client(): guard(client()).get_item(**WRONG)

def test_none(): guard(client()).get_item(**{**WRONG, "ProjectionExpression": None})

def test_table():
    table = guard(boto3.resource("dynamodb", **OPTIONS).Table("orders"))
    table.get_item(Key={"id": "a"}, ProjectionExpression="a, a.b")

def test_describe(): guard(client(), schema="describe").get_item(**WRONG)

async def test_async():
    async with aioboto3.Session().client("dynamodb", **OPTIONS) as client:
        await guard(client, schema="describe").get_item(**WRONG)
"""


def frames(result: pytest.RunResult) -> set[str]:
    """The files of dynasafe whose lines the tracebacks of a run show."""
    return set(re.findall(r"^\S*/(dynasafe/\S+\.py):\d+: ", result.stdout.str(), re.MULTILINE))


def test_traceback_of_a_refusal(pytester: pytest.Pytester) -> None:
    """The traceback of a guard's refusal shows the caller, and no frame of the guard."""
    pytester.makeini(INI)
    pytester.makepyfile(REFUSED)
    switches = ("-p", "no:cacheprovider", "-q")

    result = pytester.runpytest_subprocess(*switches)
    whole = pytester.runpytest_subprocess(*switches, "--full-trace")

    result.assert_outcomes(failed=5)
    assert frames(result) == set()
    assert "test_traceback_of_a_refusal.py:19: " in result.stdout.str()
    assert "GetItem was not sent." in result.stdout.str()
    assert "dynasafe/guard/checks.py" in frames(whole)


REFUSED_TABLES = """
async def test_async(dynamodb_table): await dynamodb_table(5)

def test_sync(dynamodb_sync_table): dynamodb_sync_table(5)

async def test_async_faults(dynamodb_faults): await dynamodb_faults(FaultPlan(), nope=1)

def test_sync_faults(dynamodb_sync_faults): dynamodb_sync_faults(FaultPlan(), nope=1)
"""


def test_traceback_of_a_fixture(pytester: pytest.Pytester) -> None:
    """The traceback of a table or database that cannot be made shows no frame of the fixture."""
    pytester.makeini(INI)

    result = run(pytester, REFUSED_TABLES)
    whole = run(pytester, REFUSED_TABLES, "--full-trace")

    result.assert_outcomes(failed=4)
    fixtures = {"dynasafe/testing/async_fixtures.py", "dynasafe/testing/sync_fixtures.py"}
    assert not frames(result) & fixtures
    assert fixtures <= frames(whole)
