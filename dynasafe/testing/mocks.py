"""spec_mock: a mock with the signatures of a class, whose async methods are awaitable.

Source: "Autospeccing", Python documentation, unittest.mock.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import AsyncGenerator, Iterator, Sequence
from types import FunctionType
from typing import Any
from unittest.mock import NonCallableMock, create_autospec

from dynasafe.aio.pages import Pages
from dynasafe.calls.pages import Page
from dynasafe.errors import UnsupportedTypeError
from dynasafe.sync.pages import Pages as SyncPages
from dynasafe.sync.table import Table
from dynasafe.testing.unawaited import FIX_UNAWAITED
from dynasafe.testing.watched import watch, watched

_PAGES = (Pages, SyncPages)
# The names that each module loads at first use.
_LOADED_LATER: dict[tuple[str, str], type[Any]] = {
    ("dynasafe.aio.table", "Pages"): Pages,
    ("dynasafe.sync.table", "Pages"): SyncPages,
}


def spec_mock(spec: type[Any], **returns: Any) -> Any:
    """A mock of an instance: its async methods are awaitable, and its signatures are checked.

    The tables of a mocked database and the pages of a mocked table are such mocks too. With the
    pytest plugin, a test fails if a call of an async method on the mock was not awaited; without
    it, call `assert_all_awaited(mock)`.
    A query or scan that nobody reads is not reported: a handler may return its pages.

    Args:
        spec: the class, such as AsyncTable or Table.
        returns: what the methods return: `get_item=person`; for pages, the items: `query=[person]`.

    Raises:
        AttributeError: the class has no such method.
        UnsupportedTypeError: pages are not given as a list of items.
    """
    mock = _autospec(spec, frozenset())
    for name, value in returns.items():
        method = getattr(mock, name)
        pages = _pages_class(method.return_value)
        method.return_value = value if pages is None else _given_pages(name, value, pages)
    watch(mock)
    return mock


def _autospec(spec: type[Any], within: frozenset[type[Any]]) -> Any:
    mock = create_autospec(_with_keywords(spec), instance=True, spec_set=True)
    for name, method in inspect.getmembers(spec, inspect.isfunction):
        returned = _returned_class(method)
        if returned is not None and returned in _PAGES:
            getattr(mock, name).return_value = _pages_of((), returned)
        elif returned is not None and returned not in within | {spec}:
            getattr(mock, name).return_value = _autospec(returned, within | {spec})
    return mock


def _with_keywords(spec: type[Any]) -> type[Any]:
    """The class, with the options of `**options: Unpack[Options]` as keyword arguments.

    An autospec would accept any keyword there, also a misspelt one.
    """
    spelt: dict[str, Any] = {}
    for name, method in inspect.getmembers(spec, inspect.isfunction):
        signature = inspect.signature(method)
        *others, last = signature.parameters.values()  # `self` at least
        options = _unpacked(last, method)
        if options is not None:
            keywords = [
                inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None)
                for key in options
            ]
            copy = FunctionType(
                method.__code__, method.__globals__, name, method.__defaults__, method.__closure__
            )
            copy.__kwdefaults__ = method.__kwdefaults__
            copy.__signature__ = signature.replace(  # type: ignore[attr-defined]
                parameters=[*others, *keywords]
            )
            spelt[name] = copy
    return type(spec.__name__, (spec,), spelt) if spelt else spec


def _unpacked(parameter: inspect.Parameter, method: Any) -> list[str] | None:
    """The keys of the TypedDict that a `**options` is annotated with."""
    if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
        return None
    unpacked = re.search(r"Unpack\[(\w+)\]", str(parameter.annotation))
    options = None if unpacked is None else method.__globals__.get(unpacked[1])
    return None if options is None else list(options.__annotations__)


def _returned_class(method: Any) -> type[Any] | None:
    """The class with async methods that a method returns."""
    if inspect.iscoroutinefunction(method) or method.__name__.startswith("_"):
        return None
    hint = method.__annotations__.get("return")
    if isinstance(hint, str):
        # Only its name: the names in its brackets may exist only for type checkers.
        name = hint.partition("[")[0]
        hint = method.__globals__.get(name) or _LOADED_LATER.get((method.__module__, name))
    returned = typing.get_origin(hint) or hint
    if not inspect.isclass(returned) or inspect.isabstract(returned):
        return None
    is_ours = returned in (SyncPages, Table)
    return (
        returned if is_ours or inspect.getmembers(returned, inspect.iscoroutinefunction) else None
    )


def _pages_class(returned: Any) -> type[Any] | None:
    return next((each for each in _PAGES if isinstance(returned, each)), None)


def _given_pages(name: str, items: Any, pages: type[Any]) -> Any:
    if isinstance(items, pages):
        return items
    if not isinstance(items, (list, tuple)):
        raise UnsupportedTypeError(
            name,
            f"a list of the items of its pages is expected, not {type(items).__name__}. "
            f"Fix: {name}=[item]",
        )
    return _pages_of(items, pages)


def _pages_of(items: Sequence[Any], pages: type[Any]) -> Any:
    """A mock of pages with these items. Each reading starts again."""
    count = len(items)
    page = Page(items=tuple(items), count=count, scanned_count=count, last_evaluated_key=None)
    mock = _autospec(pages, frozenset())
    mock.to_list.return_value = list(items)
    mock.count.return_value = count
    if pages is SyncPages:
        mock.__iter__.side_effect = lambda: iter(items)
        mock.pages.side_effect = lambda: iter([page])
        return mock
    mock.__aiter__.return_value = items
    mock.pages.return_value = create_autospec(AsyncGenerator, instance=True)
    mock.pages.return_value.__aiter__.return_value = [page]
    return mock


def assert_all_awaited(*mocks: Any) -> None:
    """Fail if a call of an async method was not awaited."""
    missing = [_told(name, method) for mock in mocks for name, method in _unawaited(mock)]
    if missing:
        raise AssertionError("\n".join([*missing, FIX_UNAWAITED]))


def _told(name: str, method: Any) -> str:
    return f"{name} was called {method.call_count} times and awaited {method.await_count} times"


def _unawaited(mock: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name in dir(mock):
        method: Any = getattr(mock, name, None)
        if isinstance(getattr(method, "await_count", None), int):
            if method.call_count > method.await_count:
                yield f"{prefix}{name}", method
        elif getattr(method, "called", None) is True:
            returned = method.return_value
            if isinstance(returned, NonCallableMock) and returned._spec_class is not None:
                yield from _unawaited(returned, f"{prefix}{name}().")


def take_unawaited_calls() -> list[str]:
    """The calls on watched mocks that were not awaited. Each is reported once."""
    missing: list[str] = []
    for each in watched.copy():
        mock = each.mock()
        if mock is None:
            watched.remove(each)
            continue
        for name, method in _unawaited(mock):
            count = method.call_count - method.await_count
            if count > each.told.get(name, 0):
                missing.append(_told(name, method))
            each.told[name] = count
    return missing
