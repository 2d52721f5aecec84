"""Hooks of the pytest plugin: options, the guard, and switches that find hidden bugs."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from dynasafe.guard import guard_process, unguard_process
from dynasafe.testing.fixtures import ENGINES, OLD_NAME, fixtures_for
from dynasafe.testing.unawaited import FIX_UNAWAITED, collecting_unawaited, take_unawaited
from dynasafe.testing.watched import keeping_mocks, watched

if TYPE_CHECKING:
    from dynasafe.guard.settings import GuardMode

_GUARD_MODES = ("raise", "warn")
_SWITCHES = {
    "forbid_unawaited": "fail a test that never awaits a coroutine, or a call on a spec_mock",
    "forbid_blocking": "fail a test that calls boto3 on the event loop's thread",
    "forbid_aws": "fail a test that would call AWS itself, and send nothing",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("dynasafe", "DynamoDB")
    group.addoption(
        "--dynamodb",
        choices=[*ENGINES, OLD_NAME],
        metavar="{" + ",".join(ENGINES) + "}",
        help="the engine of the dynamodb fixtures (default: the ini option dynamodb, or moto)",
    )
    parser.addini("dynamodb", "the engine of the dynamodb fixtures: moto, dynalite, dynamodb-local")
    group.addoption(
        "--dynamodb-url",
        metavar="URL",
        help="an engine that runs already, in place of --dynamodb: http://127.0.0.1:8000 "
        "(default: the ini option dynamodb_url)",
    )
    parser.addini("dynamodb_url", "an engine that runs already: http://127.0.0.1:8000")
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
    config.pluginmanager.register(fixtures_for(config), "dynasafe-fixtures")
    mode = _guard_mode(config)
    if mode is not None:
        # The tested code itself could swallow errors of botocore's classes.
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

    # Also findings that the tested code has swallowed.
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
    # Each test ends with a garbage collection. Objects from before the first test are not scanned
    # each time.
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
    """One phase of a test, which fails if it does what a switch forbids."""
    __tracebackhide__ = True
    with ExitStack() as stack:
        if _is_on(item.config, "forbid_blocking"):
            from dynasafe.testing.blocking import forbid_blocking

            stack.enter_context(forbid_blocking())
        if _is_on(item.config, "forbid_aws"):
            from dynasafe.testing.real_aws import forbid_aws

            stack.enter_context(forbid_aws())
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
    missing = [] if found is None else take_unawaited(found)
    if watched:
        from dynasafe.testing.mocks import take_unawaited_calls

        missing += take_unawaited_calls()
    return missing
