"""Reads the segments of a scan concurrently, in a few threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextvars import copy_context
from typing import Any, Final, TypeVar

from dynasafe.calls.pages import Page

T = TypeVar("T")

Start = Mapping[str, Any]

MAX_THREADS: Final = 16
"""The most threads of one scan. More would only wait for each other to decode pages."""


def pages_of_segments(
    page_of: Callable[[Start, int | None], tuple[Page[T], Start | None]],
    starts: Sequence[Start],
    remaining: int | None,
) -> Generator[Page[T], None, None]:
    """The pages of all segments, as they come.

    Args:
        page_of: reads one page, and returns the start of the next one.
        remaining: how many items are wanted.
    """
    reading = _Reading(page_of, starts, remaining)
    try:
        reading.start()
        while True:
            page = reading.next()
            if page is None:
                return
            yield page
            if remaining is not None:
                remaining -= page.count
                if remaining <= 0:
                    return
    finally:
        reading.stop()


class _Reading:
    """A running scan: the threads read pages, and the caller takes them."""

    def __init__(self, page_of: Any, starts: Sequence[Start], remaining: int | None) -> None:
        self._page_of = page_of
        self._remaining = remaining
        self._starts: deque[Start] = deque(starts)
        self._thread_count = min(len(starts), MAX_THREADS)
        self._changed = threading.Condition()
        self._pages: deque[Page[Any]] = deque()
        self._under_way = 0
        self._error: BaseException | None = None
        self._is_stopped = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for _ in range(self._thread_count):
            context = copy_context()
            thread = threading.Thread(
                target=context.run, args=(self._read,), daemon=True, name="dynasafe-scan"
            )
            self._threads.append(thread)
            thread.start()

    def next(self) -> Page[Any] | None:
        """The next page, or None at the end."""
        with self._changed:
            while not self._pages and self._error is None and (self._starts or self._under_way):
                self._changed.wait()
            if self._error is not None:
                raise self._error
            if not self._pages:
                return None
            page = self._pages.popleft()
            self._changed.notify_all()  # there is room for another
            return page

    def stop(self) -> None:
        """Start no more requests, and wait for those in progress, so that none is left running."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _read(self) -> None:
        while True:
            with self._changed:
                while not self._is_stopped and (
                    len(self._pages) >= self._thread_count or (not self._starts and self._under_way)
                ):
                    self._changed.wait()
                if self._is_stopped or not self._starts:
                    self._changed.notify_all()
                    return
                start = self._starts.popleft()
                self._under_way += 1
            try:
                page, next_start = self._page_of(start, self._remaining)
            except BaseException as error:
                with self._changed:
                    self._under_way -= 1
                    self._error = self._error or error
                    self._is_stopped = True
                    self._changed.notify_all()
                return
            with self._changed:
                self._under_way -= 1
                self._pages.append(page)
                if next_start is not None:
                    self._starts.append(next_start)
                self._changed.notify_all()
