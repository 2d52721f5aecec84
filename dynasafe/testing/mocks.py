"""spec_mock: a mock that cannot lie about what is async, nor about signatures.

Source: "Autospeccing", Python documentation, unittest.mock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest.mock import create_autospec

T = TypeVar("T")

_watched: list[list[Any]] = []


def spec_mock(spec: type[T], **returns: Any) -> Any:
    """A mock of an instance: its async methods are awaitable, its signatures are checked.

    With the pytest plugin a test fails if a call of an async method on the mock was never awaited;
    elsewhere `assert_all_awaited(mock)` says so.

    Args:
        spec: the class, such as AsyncTable.
        returns: what methods return: `get_item=person`.

    Raises:
        AttributeError: the class has no such method.
    """
    mock = create_autospec(spec, instance=True, spec_set=True)
    for name, value in returns.items():
        getattr(mock, name).return_value = value
    if _watched:
        _watched[-1].append(mock)
    return mock


def assert_all_awaited(*mocks: Any) -> None:
    """Fail if a call of an async method was never awaited."""
    missing = [
        f"{name} was called {method.call_count} times and awaited {method.await_count} times"
        for mock in mocks
        for name, method in _async_methods(mock)
        if method.call_count > method.await_count
    ]
    if missing:
        raise AssertionError("\n".join([*missing, "Mend: write `await` before the call"]))


def _async_methods(mock: Any) -> Iterator[tuple[str, Any]]:
    for name in dir(mock):
        method = getattr(mock, name, None)
        if isinstance(getattr(method, "await_count", None), int):
            yield name, method


@contextmanager
def watching_mocks() -> Iterator[None]:
    """At the end of the block, all calls on mocks that were made within it have been awaited."""
    mocks: list[Any] = []
    _watched.append(mocks)
    try:
        yield
    finally:
        _watched.remove(mocks)
    assert_all_awaited(*mocks)
