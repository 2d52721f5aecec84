"""Deadlines: the moment by which a call is over, with all its attempts and waits."""

from __future__ import annotations

from typing import Final


class Deadline:
    """`timeout_s` after the call began, on the clock that gave `at_s`."""

    __slots__ = ("at_s", "timeout_s")

    def __init__(self, at_s: float, timeout_s: float) -> None:
        self.at_s: Final = at_s
        self.timeout_s: Final = timeout_s

    @classmethod
    def after(cls, timeout_s: float, *, now_s: float) -> Deadline:
        return cls(now_s + timeout_s, timeout_s)

    def remaining_s(self, now_s: float) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.at_s - now_s)

    def is_over(self, now_s: float) -> bool:
        return now_s >= self.at_s
