"""Time and chance, as the async shell takes them in."""

from __future__ import annotations

import asyncio
from typing import Protocol

from dynasafe.environment.clock import SystemTime


class Clock(Protocol):
    """Where seconds and random draws come from; tests put their own in its place."""

    def now_s(self) -> float:
        """Seconds since some moment, never going back."""
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
