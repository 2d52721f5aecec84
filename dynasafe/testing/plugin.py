"""The pytest plugin: fixtures on an engine of your choice, and switches for what tests overlook.

    pytest --dynamodb=dynalite --forbid-unawaited --forbid-blocking

It loads by itself where `dynasafe[testing]` is installed, and imports nothing until it is used.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dynasafe.testing.engines import Engine, EngineName
    from dynasafe.testing.requests import RequestRecorder

REGION = "us-east-1"
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
_ENGINES: dict[str, EngineName] = {
    "moto": "moto",
    "dynalite": "dynalite",
    "local": "dynamodb-local",
}
_SWITCHES = {
    "forbid_unawaited": "fail a test that never awaits a coroutine, or a call on a spec_mock",
    "forbid_blocking": "fail a test that calls boto3 on the event loop's thread",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("dynasafe", "DynamoDB")
    group.addoption(
        "--dynamodb",
        choices=sorted(_ENGINES),
        help="the engine of the dynamodb fixtures (default: the ini option dynamodb, or moto)",
    )
    parser.addini("dynamodb", "the engine of the dynamodb fixtures: moto, dynalite or local")
    for name, description in _SWITCHES.items():
        group.addoption(f"--{name.replace('_', '-')}", action="store_true", help=description)
        parser.addini(name, description, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    fixtures: object
    try:
        from dynasafe.testing import async_fixtures as fixtures
    except ImportError:
        fixtures = WithoutPytestAsyncio()
    config.pluginmanager.register(fixtures, "dynasafe-async-fixtures")


def _is_on(config: pytest.Config, switch: str) -> bool:
    return bool(config.getoption(switch) or config.getini(switch))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with ExitStack() as stack:
        if _is_on(item.config, "forbid_blocking"):
            from dynasafe.testing.blocking import forbid_blocking

            stack.enter_context(forbid_blocking())
        if _is_on(item.config, "forbid_unawaited"):
            from dynasafe.testing.unawaited import forbid_unawaited

            stack.enter_context(forbid_unawaited())
        from dynasafe.testing.mocks import watching_mocks

        stack.enter_context(watching_mocks())
        return (yield)


# The engine, and clients of it


@pytest.fixture(scope="session")
def dynamodb_engine(pytestconfig: pytest.Config) -> Iterator[Engine]:
    """The engine of `--dynamodb`, one for each process of a test run."""
    from dynasafe.testing.engines import EngineUnavailableError, start_engine

    wanted = pytestconfig.getoption("dynamodb") or pytestconfig.getini("dynamodb") or "moto"
    if wanted not in _ENGINES:
        raise pytest.UsageError(f"dynamodb = {wanted}: use one of {', '.join(sorted(_ENGINES))}")
    with ExitStack() as stack:
        engine: Engine | EngineUnavailableError
        try:
            engine = stack.enter_context(start_engine(_ENGINES[wanted]))
        except EngineUnavailableError as error:
            engine = error
        if isinstance(engine, EngineUnavailableError):
            pytest.fail(str(engine), pytrace=False)
        yield engine


@pytest.fixture
def dynamodb_client(dynamodb_engine: Engine) -> Iterator[Any]:
    """A boto3 client of the engine."""
    import boto3

    client = boto3.client(
        "dynamodb", region_name=REGION, endpoint_url=dynamodb_engine.endpoint_url, **CREDENTIALS
    )
    yield client
    client.close()


@pytest.fixture
def dynamodb_resource(dynamodb_engine: Engine) -> Iterator[Any]:
    """A boto3 resource of the engine."""
    import boto3

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


class WithoutPytestAsyncio:
    """The async fixtures where pytest-asyncio is not installed: they say what is missing."""

    @pytest.fixture
    def dynamodb(self) -> None:
        self._fail()

    @pytest.fixture
    def dynamodb_table(self) -> None:
        self._fail()

    @pytest.fixture
    def dynamodb_faults(self) -> None:
        self._fail()

    def _fail(self) -> None:
        pytest.fail(
            "this fixture needs pytest-asyncio. Mend: pip install 'dynasafe[testing]'",
            pytrace=False,
        )
