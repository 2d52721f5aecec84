"""How calls are made: settings of a client, which a table or a call may override."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from dynasafe.aio.circuit_breaker import CircuitBreaker
from dynasafe.errors import UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.events import Hook
from dynasafe.resilience.retry import RetryPolicy
from dynasafe.resilience.settings_rules import require_seconds

BreakerFactory = Callable[[str], CircuitBreaker]
"""Makes the circuit breaker of the given name, as in "orders/write"."""

DEFAULT_TIMEOUT_S = 30.0
DEFAULT_ATTEMPT_TIMEOUT_S = 5.0
DEFAULT_MAX_CONNECTIONS = 50


class CallOptions(TypedDict, total=False):
    """Settings that one call may override."""

    retry: RetryPolicy | None
    """When a request is repeated; None sends it once."""
    breaker: CircuitBreaker | BreakerFactory | None
    """One breaker for all calls that this setting is for, or a factory for one per table and
    read or write; None: no breaker."""
    timeout_s: float | None
    """Seconds for the whole call, with all attempts and waits."""
    attempt_timeout_s: float | None
    """Seconds for one attempt, and for one wait for a connection slot."""
    validate: bool
    """Whether requests are checked before they are sent."""


class TableOptions(CallOptions, total=False):
    """Settings that a table may override."""

    hooks: Sequence[Hook]
    """Called with every event."""


def default_breaker(name: str) -> CircuitBreaker:
    return CircuitBreaker(name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a call.

    Raises:
        InvalidValueError: one is of a wrong type, or outside its range.
    """

    retry: RetryPolicy | None = field(default_factory=RetryPolicy)
    breaker: CircuitBreaker | BreakerFactory | None = default_breaker
    timeout_s: float | None = DEFAULT_TIMEOUT_S
    attempt_timeout_s: float | None = DEFAULT_ATTEMPT_TIMEOUT_S
    validate: bool = True
    hooks: Sequence[Hook] = ()

    def __post_init__(self) -> None:
        if self.retry is not None and not isinstance(self.retry, RetryPolicy):
            raise UnsupportedTypeError(
                "retry", f"a RetryPolicy or None is expected, not {type(self.retry).__name__}"
            )
        if self.breaker is not None and not callable(self.breaker):
            raise UnsupportedTypeError(
                "breaker",
                "a CircuitBreaker, a factory or None is expected, not "
                f"{type(self.breaker).__name__}",
            )
        for name in ("timeout_s", "attempt_timeout_s"):
            value = getattr(self, name)
            if value is not None:
                require_seconds(name, value)
        if not isinstance(self.hooks, Sequence) or not all(map(callable, self.hooks)):
            raise UnsupportedTypeError("hooks", "a sequence of callables is expected")

    def override(self, options: CallOptions | TableOptions) -> Settings:
        """These settings, with others in their place."""
        if not options:
            return self
        try:
            return dataclasses.replace(self, **options)
        except TypeError as error:
            if isinstance(error, UnsupportedTypeError):
                raise
            known = {each.name for each in dataclasses.fields(self)}
            unknown = ", ".join(sorted(options.keys() - known))
            raise ValueOutOfRangeError(
                "options", f"no such settings: {unknown}. There are: {', '.join(sorted(known))}"
            ) from error
