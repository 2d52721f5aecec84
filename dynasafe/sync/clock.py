"""Time and chance, as the sync shell takes them in."""

from __future__ import annotations

import time
from typing import Protocol

from dynasafe.environment.clock import SystemTime


class Clock(Protocol):
    """Where seconds and random draws come from; tests put their own in its place."""

    def now_s(self) -> float:
        """Seconds since some moment, which do not go back."""
        ...

    def sleep(self, delay_s: float) -> None:
        """Wait."""
        ...

    def draw(self) -> float:
        """Uniform in [0, 1)."""
        ...


class SystemClock(SystemTime):
    """The system's clock."""

    def sleep(self, delay_s: float) -> None:
        time.sleep(delay_s)
