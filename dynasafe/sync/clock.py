"""The time and random numbers for the sync shell."""

from __future__ import annotations

import time
from typing import Protocol

from dynasafe.environment.clock import SystemTime


class Clock(Protocol):
    """Gives the time and random numbers; tests use their own."""

    def now_s(self) -> float:
        """Seconds since some moment; they do not go back."""
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
