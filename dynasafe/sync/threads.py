"""Work in threads that do not delay the interpreter's exit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Generic, TypeVar

T = TypeVar("T")


class Work(Generic[T]):
    """A function that runs once in its own thread. Any number of other threads may wait for it."""

    def __init__(
        self, function: Callable[[], T], *, on_end: Callable[[], None] | None = None
    ) -> None:
        self._function = function
        self._on_end = on_end
        self._is_done = threading.Event()
        self._result: T
        self._error: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self._is_done.is_set()

    def start(self) -> Work[T]:
        """Begin."""
        context = copy_context()
        threading.Thread(
            target=lambda: context.run(self._run), daemon=True, name="dynasafe"
        ).start()
        return self

    def _run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:
            self._error = error
        finally:
            self._is_done.set()

    def result(self, timeout_s: float | None) -> T:
        """The function's result, or its error.

        Raises:
            TimeoutError: it does neither in time.
        """
        if timeout_s is not None:
            timeout_s = min(max(timeout_s, 0.0), threading.TIMEOUT_MAX)
        if not self._is_done.wait(timeout_s):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._result
