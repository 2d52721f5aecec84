"""Connection slots for threads: they limit concurrent requests. The others wait in order."""

from __future__ import annotations

import threading
from collections import deque

from dynasafe.resilience.settings_rules import require_count


class Slots:
    """Connection slots. The holders are known, so releasing a slot twice does no harm."""

    def __init__(self, count: int) -> None:
        require_count("max_connections", count)
        self.count = count
        self._lock = threading.Lock()
        self._holders: set[object] = set()
        self._waiters: deque[_Waiter] = deque()

    @property
    def in_flight(self) -> int:
        """The number of slots in use."""
        return len(self._holders)

    def try_take(self, holder: object) -> bool:
        """Take a slot, if one is free."""
        with self._lock:
            if len(self._holders) < self.count:
                self._holders.add(holder)
                return True
        return False

    def take(self, holder: object, timeout_s: float | None) -> bool:
        """Take a slot. Returns whether it had to wait.

        Raises:
            TimeoutError: no slot became free in time.
            ClientClosedError: the client was closed meanwhile.
        """
        waiter = _Waiter(holder)
        try:
            with self._lock:
                if len(self._holders) < self.count:
                    self._holders.add(holder)
                    return False
                self._waiters.append(waiter)
            if not waiter.wait(timeout_s):
                raise TimeoutError
        except BaseException as error:
            if self._leave(waiter) and isinstance(error, TimeoutError):
                return True  # it came at the last moment
            self.release(holder)
            raise
        if waiter.error is not None:
            raise waiter.error
        return True

    def release(self, holder: object) -> None:
        """Hand the slot to the longest waiting thread, or keep it free."""
        with self._lock:
            if holder not in self._holders:
                return
            self._holders.discard(holder)
            if self._waiters:
                waiter = self._waiters.popleft()
                self._holders.add(waiter.holder)
                waiter.wake()

    def refuse_waiting(self, error: Exception) -> None:
        """Raise this error in all waiting threads."""
        with self._lock:
            while self._waiters:
                waiter = self._waiters.popleft()
                waiter.error = error
                waiter.wake()

    def _leave(self, waiter: _Waiter) -> bool:
        """Stop waiting. Returns whether the waiter holds a slot."""
        with self._lock:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            return waiter.holder in self._holders


class _Waiter:
    """A thread that waits."""

    __slots__ = ("_gate", "error", "holder")

    def __init__(self, holder: object) -> None:
        self.holder = holder
        self.error: Exception | None = None
        self._gate = threading.Lock()
        self._gate.acquire()

    def wait(self, timeout_s: float | None) -> bool:
        """Wait. Returns whether it was woken in time."""
        if timeout_s is None:
            return self._gate.acquire()
        return self._gate.acquire(timeout=min(max(timeout_s, 0.0), threading.TIMEOUT_MAX))

    def wake(self) -> None:
        self._gate.release()
