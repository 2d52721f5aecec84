"""Fixtures on an engine of your choice. What they need is loaded when a test asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from functools import wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest

from dynasafe.deprecation import warn_deprecated

if TYPE_CHECKING:
    from dynasafe.aio.database import AsyncDynamoDB
    from dynasafe.sync.database import DynamoDB
    from dynasafe.testing.async_fixtures import MakeFaults, MakeTable
    from dynasafe.testing.engines import Engine, EngineName
    from dynasafe.testing.requests import RequestRecorder
    from dynasafe.testing.sync_fixtures import MakeSyncFaults, MakeSyncTable

ENGINES: Final[tuple[EngineName, ...]] = ("moto", "dynalite", "dynamodb-local")
_LOOP_SCOPES: Final = ("function", "class", "module", "package", "session")
"""Of pytest-asyncio's event loops."""
OLD_NAME: Final = "local"
"""Of DynamoDB Local, until 0.1."""


def fixtures_for(config: pytest.Config) -> ModuleType:
    """The fixtures as a plugin; the async ones are made by the plugin that runs async tests.

    A fixture that another plugin has under the same name is left to it, unless an engine is asked
    for.
    """
    plugin = ModuleType("dynasafe-fixtures")
    is_asked = any(
        config.getoption(each) or config.getini(each) for each in ("dynamodb", "dynamodb_url")
    )
    others = [
        vars(each) for each in config.pluginmanager.get_plugins() if hasattr(each, "__dict__")
    ]
    for name, each in {**_SYNC, **_async_fixtures(config)}.items():
        if is_asked or not any(name in names for names in others):
            setattr(plugin, name, each)
    return plugin


def _async_fixtures(config: pytest.Config) -> dict[str, Any]:
    functions: tuple[Any, ...] = (dynamodb, dynamodb_table, dynamodb_faults)
    if config.pluginmanager.hasplugin("asyncio"):
        made: dict[str, Any] = {}
        for each in functions:
            for scope in _LOOP_SCOPES:
                made[_name_on_loop(each.__name__, scope)] = _on_loop(each, scope)
            made[each.__name__] = _on_loop_of_test(each)
        return made
    if config.pluginmanager.hasplugin("anyio"):
        return {each.__name__: pytest.fixture(each) for each in functions}
    return {
        each.__name__: pytest.fixture(name=each.__name__)(_without_plugin) for each in functions
    }


def _name_on_loop(name: str, scope: str) -> str:
    return f"_{name}_on_{scope}_loop"


def _on_loop(function: Any, scope: Any) -> Any:
    """The fixture, on the event loop that pytest-asyncio has for this scope."""
    import pytest_asyncio

    @wraps(function)
    async def fixture(**arguments: Any) -> AsyncIterator[Any]:
        async for given in function(**arguments):
            yield given

    name = _name_on_loop(function.__name__, scope)
    return pytest_asyncio.fixture(loop_scope=scope, name=name)(fixture)


def _on_loop_of_test(function: Any) -> Any:
    """The fixture on the event loop of the test, which may be another than that of most fixtures.

    The marker of the test says which: `@pytest.mark.asyncio(loop_scope="module")`. Without, it is
    that of the ini option `asyncio_default_test_loop_scope`.
    """

    def fixture(request: pytest.FixtureRequest) -> Any:
        marker = request.node.get_closest_marker("asyncio")
        wanted = {} if marker is None else marker.kwargs
        scope = (
            wanted.get("loop_scope")
            or wanted.get("scope")  # its name before pytest-asyncio 0.24
            or request.config.getini("asyncio_default_test_loop_scope")
        )
        return request.getfixturevalue(_name_on_loop(function.__name__, scope))

    fixture.__doc__ = function.__doc__
    return pytest.fixture(name=function.__name__)(fixture)


def _without_plugin() -> None:
    pytest.fail(
        "this fixture needs pytest-asyncio, or anyio. Fix: pip install 'dynasafe[testing]'",
        pytrace=False,
    )


@pytest.fixture(scope="session")
def dynamodb_engine(pytestconfig: pytest.Config) -> Iterator[Engine]:
    """The engine of `--dynamodb` or `--dynamodb-url`, one for each process of a test run."""
    url = pytestconfig.getoption("dynamodb_url") or pytestconfig.getini("dynamodb_url")
    if url:
        yield _running_engine(url)
        return
    wanted = pytestconfig.getoption("dynamodb") or pytestconfig.getini("dynamodb") or "moto"
    if wanted == OLD_NAME:
        warn_deprecated("--dynamodb=local", use="--dynamodb=dynamodb-local", removed_in="1.0.0")
        wanted = "dynamodb-local"
    if wanted not in ENGINES:
        raise pytest.UsageError(f"dynamodb = {wanted}: use one of {', '.join(ENGINES)}")
    from dynasafe.testing.engines import EngineUnavailableError, start_engine

    with ExitStack() as stack:
        engine: Engine | EngineUnavailableError
        try:
            engine = stack.enter_context(start_engine(wanted))
        except EngineUnavailableError as error:
            engine = error
        if isinstance(engine, EngineUnavailableError):
            pytest.fail(str(engine), pytrace=False)
        yield engine


def _running_engine(url: str) -> Engine:
    """An engine that somebody else started, on this machine or in its network."""
    from dynasafe.testing.engines import Engine, is_there
    from dynasafe.testing.real_aws import is_aws

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise pytest.UsageError(f"dynamodb_url = {url}: use an address as http://127.0.0.1:8000")
    if is_aws(parts.hostname):
        raise pytest.UsageError(
            f"dynamodb_url = {url}: that is AWS itself, where the fixtures would make and drop "
            "tables. Use an engine, as http://127.0.0.1:8000"
        )
    if not is_there(url):
        pytest.fail(f"nothing answers at {url}. Fix: start the engine first", pytrace=False)
    return Engine("running", url, is_strict=True)


@pytest.fixture
def dynamodb_client(dynamodb_engine: Engine) -> Iterator[Any]:
    """A boto3 client of the engine."""
    import boto3

    from dynasafe.testing.async_fixtures import CREDENTIALS, REGION

    client = boto3.client(
        "dynamodb", region_name=REGION, endpoint_url=dynamodb_engine.endpoint_url, **CREDENTIALS
    )
    yield client
    client.close()


@pytest.fixture
def dynamodb_resource(dynamodb_engine: Engine) -> Iterator[Any]:
    """A boto3 resource of the engine."""
    import boto3

    from dynasafe.testing.async_fixtures import CREDENTIALS, REGION

    resource: Any = boto3.resource(
        "dynamodb", region_name=REGION, endpoint_url=dynamodb_engine.endpoint_url, **CREDENTIALS
    )
    yield resource
    resource.meta.client.close()


@pytest.fixture
def dynamodb_requests() -> Iterator[RequestRecorder]:
    """A record of all requests that the test sends."""
    from dynasafe.testing.requests import record_requests

    with record_requests() as recorder:
        yield recorder


@pytest.fixture
def dynamodb_sync(dynamodb_engine: Engine) -> Iterator[DynamoDB]:
    """A DynamoDB of the engine."""
    from dynasafe.testing import sync_fixtures

    yield from sync_fixtures.databases(dynamodb_engine)


@pytest.fixture
def dynamodb_sync_table(dynamodb_sync: DynamoDB) -> Iterator[MakeSyncTable]:
    """Makes tables: `dynamodb_sync_table(Person)`, or of a description for plain items.

    Each has a name of its own, is empty, and is dropped after the test.
    """
    from dynasafe.testing import sync_fixtures

    yield from sync_fixtures.tables(dynamodb_sync)


@pytest.fixture
def dynamodb_sync_faults(dynamodb_engine: Engine) -> Iterator[MakeSyncFaults]:
    """Makes databases whose answers get lost: `db, proxy = dynamodb_sync_faults(plan)`.

    The proxy stands in front of the engine, and injects the plan's faults.
    """
    from dynasafe.testing import sync_fixtures

    yield from sync_fixtures.faulty_databases(dynamodb_engine)


_SYNC: Final = {
    "dynamodb_client": dynamodb_client,
    "dynamodb_engine": dynamodb_engine,
    "dynamodb_requests": dynamodb_requests,
    "dynamodb_resource": dynamodb_resource,
    "dynamodb_sync": dynamodb_sync,
    "dynamodb_sync_faults": dynamodb_sync_faults,
    "dynamodb_sync_table": dynamodb_sync_table,
}


def _require_asyncio() -> None:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pytest.fail(
            "dynasafe runs on asyncio, not on trio. Fix: let the fixture anyio_backend return "
            "'asyncio'",
            pytrace=False,
        )


async def dynamodb(dynamodb_engine: Engine) -> AsyncIterator[AsyncDynamoDB]:
    """An AsyncDynamoDB of the engine."""
    _require_asyncio()
    from dynasafe.testing import async_fixtures

    async for db in async_fixtures.databases(dynamodb_engine):
        yield db


async def dynamodb_table(dynamodb: AsyncDynamoDB) -> AsyncIterator[MakeTable]:
    """Makes tables: `await dynamodb_table(Person)`, or of a description for plain items.

    Each has a name of its own, is empty, and is dropped after the test.
    """
    from dynasafe.testing import async_fixtures

    async for make in async_fixtures.tables(dynamodb):
        yield make


async def dynamodb_faults(dynamodb_engine: Engine) -> AsyncIterator[MakeFaults]:
    """Makes databases whose answers get lost: `db, proxy = await dynamodb_faults(plan)`.

    The proxy stands in front of the engine, and injects the plan's faults.
    """
    _require_asyncio()
    from dynasafe.testing import async_fixtures

    async for make in async_fixtures.faulty_databases(dynamodb_engine):
        yield make
