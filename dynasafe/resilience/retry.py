"""Retries: delays with full jitter, and a quota that limits the load.

This is the AWS SDKs' "standard" retry behaviour of 2026, with DynamoDB's own numbers. Each retry
costs tokens from the client's quota, so an outage does not multiply the traffic.

Source: "Retry behavior", AWS SDKs and Tools Reference Guide; botocore's retries/standard.py and
retries/quota.py from version 1.44.
"""

from __future__ import annotations

from dynasafe.records import Record, assign
from dynasafe.resilience.settings_rules import require_count, require_seconds

QUOTA_CAPACITY = 500
RETRY_COST = 14
THROTTLE_COST = 5
RETRY_AFTER_MARGIN_S = 5.0
"""The most seconds that the service can add to a delay."""


class RetryPolicy(Record):
    """The number of attempts and the delays between them.

    Args:
        max_attempts: at least 1; the first try counts.
        base_delay_s: the longest delay before the first retry. It doubles with each retry.
        throttle_base_delay_s: the same, after a throttle.
        max_delay_s: the longest of these delays. The service may ask for up to 5 s more.
        quota: the tokens that a client has for retries; None: no limit.

    Raises:
        InvalidValueError: a setting is outside its range.
    """

    __slots__ = __match_args__ = (
        "max_attempts",
        "base_delay_s",
        "throttle_base_delay_s",
        "max_delay_s",
        "quota",
    )
    max_attempts: int
    base_delay_s: float
    throttle_base_delay_s: float
    max_delay_s: float
    quota: int | None

    def __init__(
        self,
        *,
        max_attempts: int = 4,
        base_delay_s: float = 0.025,
        throttle_base_delay_s: float = 1.0,
        max_delay_s: float = 20.0,
        quota: int | None = QUOTA_CAPACITY,
    ) -> None:
        require_count("RetryPolicy.max_attempts", max_attempts, least=1)
        if quota is not None:
            require_count("RetryPolicy.quota", quota, least=0)
        assign(self, "max_attempts", max_attempts)
        assign(self, "quota", quota)
        for name, delay_s in (
            ("base_delay_s", base_delay_s),
            ("throttle_base_delay_s", throttle_base_delay_s),
            ("max_delay_s", max_delay_s),
        ):
            require_seconds(f"RetryPolicy.{name}", delay_s, or_zero=True)
            assign(self, name, delay_s)

    def delay_s(
        self, retry: int, *, is_throttle: bool, draw: float, retry_after: str | None = None
    ) -> float:
        """Seconds to wait before a retry.

        Full jitter, the cap before the jitter: `draw * min(max_delay_s, base * 2 ** retry)`.

        Args:
            retry: 0 for the first one.
            draw: uniform in [0, 1).
            retry_after: the delay that the service asks for, in milliseconds (header
                x-amz-retry-after). It can lengthen the delay by at most 5 s. It is ignored if it is
                not a whole number.
        """
        base_s = self.throttle_base_delay_s if is_throttle else self.base_delay_s
        # From 2 ** 64 on, the delay is at its cap. A float would overflow at 2 ** 1024.
        delay_s = draw * min(self.max_delay_s, base_s * 2.0 ** min(retry, 64))
        if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
            wished_s = int(retry_after[:18]) / 1000
            return max(delay_s, min(wished_s, delay_s + RETRY_AFTER_MARGIN_S))
        return delay_s


class RetryQuota:
    """Tokens for retries, shared by all calls of one client."""

    __slots__ = ("available", "capacity")

    def __init__(self, capacity: int = QUOTA_CAPACITY) -> None:
        self.capacity: int = capacity
        self.available: int = capacity

    def take(self, cost: int) -> bool:
        """Take tokens, if there are enough. Returns whether it did."""
        if cost > self.available:
            return False
        self.available -= cost
        return True

    def give_back(self, last_cost: int | None) -> None:
        """Give tokens back after a success: the cost of its last retry, or 1 without a retry."""
        amount = 1 if last_cost is None else last_cost
        self.available = min(self.capacity, self.available + amount)


def retry_cost(*, is_throttle: bool) -> int:
    return THROTTLE_COST if is_throttle else RETRY_COST
