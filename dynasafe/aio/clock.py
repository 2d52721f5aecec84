"""The time and random numbers for the async shell."""

from __future__ import annotations

import asyncio
from typing import Protocol

from dynasafe.environment.clock import SystemTime


class Clock(Protocol):
    """Gives the time and random numbers; tests use their own."""

    def now_s(self) -> float:
        """Seconds since some moment; they do not go back."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait."""
        ...

    def draw(self) -> float:
        """Uniform in [0, 1)."""
        ...


class SystemClock(SystemTime):
    """The system's clock."""

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
