"""A clock that a test moves by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class ManualTime:
    """The common part of the async and the sync ManualClock."""

    def __init__(self, *, now_s: float = 0.0, draws: Iterable[float] = ()) -> None:
        self._now_s = now_s
        self._draws = iter(draws)
        self.sleeps_s: list[float] = []
        """The requested delays, in order."""

    def now_s(self) -> float:
        return self._now_s

    def draw(self) -> float:
        return next(self._draws, 0.5)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._now_s += seconds

    def _pass(self, delay_s: float) -> None:
        self.sleeps_s.append(delay_s)
        self._now_s += delay_s


class ManualClock(ManualTime):
    """Time passes only by `sleep`, which does not wait, and by `advance`.

    Args:
        draws: the random draws to give, in turn; when they are used up, 0.5.
    """

    async def sleep(self, delay_s: float) -> None:
        self._pass(delay_s)
        await asyncio.sleep(0)  # other tasks run, as in a real sleep
