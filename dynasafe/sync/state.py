"""The state that all calls of one client share, with locks for threads.

The core holds no locks. Here its shared objects get them: retry quotas, circuit breakers, and the
map of breakers. Objects of only one call need none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from dynasafe.calls.options import BreakerFactory, default_breaker
from dynasafe.calls.plans import ClientState
from dynasafe.circuit_breaker import ThreadSafeCircuit
from dynasafe.environment.forks import renewed_after_fork
from dynasafe.errors import UnsupportedTypeError
from dynasafe.resilience.attempts import Call
from dynasafe.resilience.circuit_breaker import Circuit
from dynasafe.resilience.retry import RetryPolicy, RetryQuota


class ThreadSafeQuota(RetryQuota):
    """A retry quota that threads share."""

    __slots__ = ("__weakref__", "_lock")

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self.renew_locks()
        renewed_after_fork(self)

    def renew_locks(self) -> None:
        self._lock = threading.Lock()

    def take(self, cost: int) -> bool:
        with self._lock:
            return super().take(cost)

    def give_back(self, last_cost: int | None) -> None:
        if self.available >= self.capacity:
            return  # the usual case: it is full
        with self._lock:
            super().give_back(last_cost)


class ThreadSafeState(ClientState):
    """A client's state that threads share."""

    def __init__(self, new_id: Callable[[], str], draw: Callable[[], float]) -> None:
        super().__init__(new_id, draw)
        self.renew_locks()
        renewed_after_fork(self)

    def renew_locks(self) -> None:
        self.lock: AbstractContextManager[Any] = (
            threading.RLock()
        )  # a factory of breakers is the user's code

    def quota(self, policy: RetryPolicy | None) -> RetryQuota | None:
        if policy is None or policy.quota is None:
            return None
        quota = self._quotas.get(policy.quota)
        if quota is None:
            with self.lock:
                quota = self._quotas.setdefault(policy.quota, ThreadSafeQuota(policy.quota))
        return quota

    def breaker(self, setting: Circuit | BreakerFactory | None, call: Call) -> Circuit | None:
        if setting is default_breaker:
            setting = _thread_safe_breaker
        with self.lock:
            breaker = super().breaker(setting, call)
        if breaker is not None and not isinstance(breaker, ThreadSafeCircuit):
            raise UnsupportedTypeError(
                "breaker",
                f"threads cannot share a {type(breaker).__name__}. Fix: use a CircuitBreaker",
            )
        return breaker


def _thread_safe_breaker(name: str) -> Circuit:
    return ThreadSafeCircuit(name=name)
