"""The pytest plugin: fixtures on an engine of your choice, and switches for what tests overlook.

    pytest --dynamodb=dynalite --dynamodb-guard=raise --forbid-unawaited --forbid-blocking

It loads by itself where `dynasafe[testing]` is installed, and imports no client of AWS and no
engine until a fixture needs it.
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from dynasafe.guard import guard_process, unguard_process
from dynasafe.testing.async_fixtures import CREDENTIALS, REGION, async_fixtures
from dynasafe.testing.blocking import forbid_blocking
from dynasafe.testing.engines import Engine, EngineName, EngineUnavailableError, start_engine
from dynasafe.testing.mocks import keeping_mocks, take_unawaited_calls
from dynasafe.testing.requests import RequestRecorder, record_requests
from dynasafe.testing.unawaited import FIX_UNAWAITED, collecting_unawaited, take_unawaited

if TYPE_CHECKING:
    from dynasafe.guard.settings import GuardMode

_ENGINES: dict[str, EngineName] = {
    "moto": "moto",
    "dynalite": "dynalite",
    "local": "dynamodb-local",
}
_GUARD_MODES = ("raise", "warn")
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
    group.addoption(
        "--dynamodb-guard",
        choices=_GUARD_MODES,
        help="guard every DynamoDB client that is made: raise refuses, and warn reports, requests "
        "that DynamoDB would refuse (default: the ini option dynamodb_guard, or no guard)",
    )
    parser.addini("dynamodb_guard", "the mode of the guard: raise or warn")
    for name, description in _SWITCHES.items():
        group.addoption(f"--{name.replace('_', '-')}", action="store_true", help=description)
        parser.addini(name, description, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    fixtures: object = WithoutAsyncPlugin()
    if config.pluginmanager.hasplugin("asyncio"):
        import pytest_asyncio

        fixtures = async_fixtures(pytest_asyncio.fixture)
    elif config.pluginmanager.hasplugin("anyio"):
        fixtures = async_fixtures(pytest.fixture)
    config.pluginmanager.register(fixtures, "dynasafe-async-fixtures")
    mode = _guard_mode(config)
    if mode is not None:
        # Errors of botocore's classes would be swallowed by the very code that is tested.
        guard_process(mode, errors="dynasafe")
        config.add_cleanup(unguard_process)


def _guard_mode(config: pytest.Config) -> GuardMode | None:
    mode = config.getoption("dynamodb_guard") or config.getini("dynamodb_guard") or None
    if mode not in (None, *_GUARD_MODES):
        raise pytest.UsageError(f"dynamodb_guard: 'raise' or 'warn', not {mode!r}")
    return mode


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if _guard_mode(config) is None:
        return
    from dynasafe.guard.process import SWITCH

    # Also what the code under test has swallowed.
    found = SWITCH.sightings.take()
    if found:
        terminalreporter.section("DynamoDB would refuse")
        for text, count in found:
            terminalreporter.line(f"{text}: {count} times" if count > 1 else text)


# What tests overlook

_UNAWAITED = pytest.StashKey[list[str]]()


def _is_on(config: pytest.Config, switch: str) -> bool:
    return bool(config.getoption(switch) or config.getini(switch))


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    if not _is_on(session.config, "forbid_unawaited"):
        return (yield)
    # Each test ends with a garbage collection. What is there before the first one need not be
    # looked at again and again.
    gc.collect()
    gc.freeze()
    try:
        return (yield)
    finally:
        gc.unfreeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    with ExitStack() as stack:
        stack.enter_context(keeping_mocks())
        if _is_on(item.config, "forbid_unawaited"):
            item.stash[_UNAWAITED] = stack.enter_context(collecting_unawaited())
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    with _judged(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with _judged(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    with _judged(item):
        return (yield)


@contextmanager
def _judged(item: pytest.Item) -> Iterator[None]:
    """One phase of a test, which fails for what its switches forbid."""
    __tracebackhide__ = True
    with ExitStack() as stack:
        if _is_on(item.config, "forbid_blocking"):
            stack.enter_context(forbid_blocking())
        try:
            yield
        except BaseException as error:
            for text in _take_missing_awaits(item):
                error.add_note(text)
            raise
        missing = _take_missing_awaits(item)
        if missing:
            pytest.fail("\n".join([*missing, FIX_UNAWAITED]), pytrace=False)


def _take_missing_awaits(item: pytest.Item) -> list[str]:
    found = item.stash.get(_UNAWAITED, None)
    return [*([] if found is None else take_unawaited(found)), *take_unawaited_calls()]


# The engine, and clients of it


@pytest.fixture(scope="session")
def dynamodb_engine(pytestconfig: pytest.Config) -> Iterator[Engine]:
    """The engine of `--dynamodb`, one for each process of a test run."""
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
    with record_requests() as recorder:
        yield recorder


class WithoutAsyncPlugin:
    """The async fixtures where no plugin can run them: they say what is missing."""

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
            "this fixture needs pytest-asyncio, or anyio. Fix: pip install 'dynasafe[testing]'",
            pytrace=False,
        )
