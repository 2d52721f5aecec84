"""Time and chance, as the async shell takes them in."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Protocol


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


class SystemClock:
    """The monotonic clock, which a change of the wall clock does not move."""

    def now_s(self) -> float:
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)

    def draw(self) -> float:
        return random.random()
