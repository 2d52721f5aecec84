"""The system's time and random numbers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial


def draw() -> float:
    """Uniform in [0, 1), also after a fork. `random` is not used: it takes two milliseconds to
    load."""
    return (int.from_bytes(os.urandom(7)) >> 3) * 2.0**-53


class SystemTime:
    """A clock that never goes back, and includes the time while the machine sleeps.

    DynamoDB recognises tokens for some minutes, also while this machine sleeps. If no clock of the
    system counts that time, the wall clock is used when it is ahead. If it was set forward, a
    window ends too early, never too late.
    """

    def __init__(self) -> None:
        self._monotonic_s = time.monotonic()
        self._wall_s = time.time()
        self._ahead_s = 0.0

        if hasattr(time, "CLOCK_BOOTTIME"):
            # Read several times by each call, so not through our own method.
            self.now_s: Callable[[], float] = partial(time.clock_gettime, time.CLOCK_BOOTTIME)
        else:
            self.now_s = lambda: self._now_s(time.monotonic(), time.time())

    def _now_s(self, monotonic_s: float, wall_s: float) -> float:
        ahead_s = (wall_s - self._wall_s) - (monotonic_s - self._monotonic_s)
        self._ahead_s = max(self._ahead_s, ahead_s)
        return monotonic_s + self._ahead_s

    def draw(self) -> float:
        return draw()
