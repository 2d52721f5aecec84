"""Deadlines: the moment by which a call is over, with all its attempts and waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """`timeout_s` after the call began, on the clock that gave `at_s`."""

    at_s: float
    timeout_s: float

    @classmethod
    def after(cls, timeout_s: float, *, now_s: float) -> Deadline:
        return cls(now_s + timeout_s, timeout_s)

    def remaining_s(self, now_s: float) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.at_s - now_s)

    def is_over(self, now_s: float) -> bool:
        return now_s >= self.at_s
