"""The system's time and chance."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial


def draw() -> float:
    """Uniform in [0, 1), in a child of a fork as well; `random` takes two milliseconds to load."""
    return (int.from_bytes(os.urandom(7)) >> 3) * 2.0**-53


class SystemTime:
    """A clock that never goes back, and counts the time for which the machine sleeps.

    Tokens are recognised for some minutes of the service's time, which goes on meanwhile. Where no
    clock of the system counts that time, the wall clock does, as far as it runs ahead: one that was
    set forward ends a window too early, never too late.
    """

    def __init__(self) -> None:
        self._monotonic_s = time.monotonic()
        self._wall_s = time.time()
        self._ahead_s = 0.0

        if hasattr(time, "CLOCK_BOOTTIME"):
            # Read some times by each call: not through a method of ours.
            self.now_s: Callable[[], float] = partial(time.clock_gettime, time.CLOCK_BOOTTIME)
        else:
            self.now_s = lambda: self._now_s(time.monotonic(), time.time())

    def _now_s(self, monotonic_s: float, wall_s: float) -> float:
        ahead_s = (wall_s - self._wall_s) - (monotonic_s - self._monotonic_s)
        self._ahead_s = max(self._ahead_s, ahead_s)
        return monotonic_s + self._ahead_s

    def draw(self) -> float:
        return draw()
