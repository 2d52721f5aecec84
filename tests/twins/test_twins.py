"""Both faces are one library: each public name, signature and docstring has its twin."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, AsyncTable, DynamoDB, Table
from dynasafe import testing as async_kit
from dynasafe.aio import clock as async_clock
from dynasafe.aio import contention as async_contention
from dynasafe.aio.execute import Executor as AsyncExecutor
from dynasafe.aio.http_transport import HttpTransport as AsyncHttpTransport
from dynasafe.aio.pages import Pages as AsyncPages
from dynasafe.sync import Clock, Pages, retry_conflicts, settle
from dynasafe.sync.execute import Executor
from dynasafe.sync.http_transport import HttpTransport
from dynasafe.testing import sync as sync_kit
from tests.twins.generate import MADE, ROOT, made

PAIRS: list[tuple[Any, Any]] = [
    (AsyncDynamoDB, DynamoDB),
    (AsyncTable, Table),
    (AsyncPages, Pages),
    (AsyncExecutor, Executor),
    (AsyncHttpTransport, HttpTransport),
    (async_clock.Clock, Clock),
]
# What an event loop alone has, or a process of threads alone.
ONE_SIDED = {"is_bound_to_loop", "refresh_credentials", "start_in_child"}
NAMES = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "aclose": "close",
}
# They say something of event loops, and their twins do not.
OF_EVENT_LOOPS = {(AsyncDynamoDB, "connect"), (AsyncDynamoDB, "open")}
SPECIAL = {*NAMES, *NAMES.values()}


@pytest.mark.parametrize("target", MADE)
def test_modules_are_as_made(target: str) -> None:
    """`make twins` would change nothing."""
    assert (ROOT / target).read_text() == made(target)


def methods(cls: type[Any]) -> Iterator[tuple[str, Any]]:
    for name, member in vars(cls).items():
        function = member.__func__ if isinstance(member, classmethod) else member
        if inspect.isfunction(function) and (not name.startswith("_") or name in SPECIAL):
            yield name, function


def plain(text: str) -> str:
    """A signature or docstring without what must differ."""
    for pattern, other in (
        (r"AsyncGenerator\[(.*), None\](?='?$)", r"Generator[\1, None, None]"),
        (r"AsyncIterator", "Iterator"),
        (r"AsyncDynamoDB|DynamoDB", "DB"),
        (r"AsyncTable|Table", "TABLE"),
        (r"\b(An?) (?=DB|TABLE)", ""),
        (r"aioboto3 or aiobotocore|aioboto3|boto3", "BOTO"),
        (r"async |await ", ""),
        (r"[Aa]synchronous(ly)?", ""),
        (r"\s+", " "),
    ):
        text = re.sub(pattern, other, text)
    return text


@pytest.mark.parametrize(("asynchronous", "synchronous"), PAIRS)
def test_methods_are_twins(asynchronous: type[Any], synchronous: type[Any]) -> None:
    """Both faces have the same methods, with the same arguments, types and defaults."""
    of_async = {NAMES.get(name, name): each for name, each in methods(asynchronous)}
    of_sync = dict(methods(synchronous))
    assert of_async.keys() - ONE_SIDED == of_sync.keys() - ONE_SIDED
    assert len(of_sync) >= 3
    for name in of_async.keys() - ONE_SIDED:
        expected, found = inspect.signature(of_async[name]), inspect.signature(of_sync[name])
        assert plain(str(found)) == plain(str(expected)), name
        assert not inspect.iscoroutinefunction(of_sync[name]), name
        assert not inspect.isasyncgenfunction(of_sync[name]), name


@pytest.mark.parametrize(("asynchronous", "synchronous"), PAIRS[:3])
def test_docstrings_are_twins(asynchronous: type[Any], synchronous: type[Any]) -> None:
    """The docstring of a method is that of its twin."""
    of_sync = dict(methods(synchronous))
    for name, method in methods(asynchronous):
        if (asynchronous, name) in OF_EVENT_LOOPS:
            continue
        expected = inspect.getdoc(method) or ""
        assert plain(inspect.getdoc(of_sync[NAMES.get(name, name)]) or "") == plain(expected)


@pytest.mark.parametrize("function", [settle, retry_conflicts])
def test_functions_are_twins(function: Any) -> None:
    """The helpers take the same arguments; a call is given as a function."""
    twin = getattr(async_contention, function.__name__)
    expected, found = inspect.signature(twin), inspect.signature(function)
    assert list(found.parameters) == list(expected.parameters)
    assert [each.default for each in found.parameters.values()] == [
        each.default for each in expected.parameters.values()
    ]


@pytest.mark.parametrize("name", sync_kit.__all__)
def test_testing_kits_are_twins(name: str) -> None:
    """What `dynasafe.testing.sync` has is there for both faces, and takes the same."""
    theirs, ours = getattr(async_kit, name), getattr(sync_kit, name)
    assert name in async_kit.__all__
    if inspect.isfunction(ours):
        assert plain(str(inspect.signature(ours))) == plain(str(inspect.signature(theirs)))
        assert plain(inspect.getdoc(ours) or "") == plain(inspect.getdoc(theirs) or "")
        return
    public = {each for each in dir(ours) if not each.startswith("_")} - ONE_SIDED
    assert public == {each for each in dir(theirs) if not each.startswith("_")} - ONE_SIDED


def test_sync_modules_have_no_event_loop() -> None:
    """Nothing of the sync face imports asyncio, nor the async face."""
    for path in Path(ROOT, "dynasafe", "sync").glob("*.py"):
        imports = re.findall(r"^\s*(?:from|import) (\S+)", path.read_text(), flags=re.MULTILINE)
        assert imports, path
        assert not [each for each in imports if each.startswith(("asyncio", "dynasafe.aio"))], path
