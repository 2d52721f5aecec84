"""DynamoDB calls that cannot be malformed, and that say whether the write happened."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Import the package of the same name first: loaded later, it would replace the function here.
from dynasafe.guard import guard, guard_process, unguard, unguard_process
from dynasafe.version import __version__ as __version__

if TYPE_CHECKING:
    from dynasafe.aio.contention import retry_conflicts, settle
    from dynasafe.aio.database import AsyncDynamoDB
    from dynasafe.aio.table import AsyncTable
    from dynasafe.circuit_breaker import CircuitBreaker
    from dynasafe.environment.clients import client_config
    from dynasafe.findings.finding import Finding
    from dynasafe.items.attributes import Attr, attr
    from dynasafe.items.item import Item
    from dynasafe.items.schema import attribute
    from dynasafe.items.updates import UpdateBuilder
    from dynasafe.resilience.retry import RetryPolicy
    from dynasafe.sync.database import DynamoDB
    from dynasafe.sync.table import Table
    from dynasafe.validation import check_request, require_valid

__all__ = [
    "AsyncDynamoDB",
    "AsyncTable",
    "Attr",
    "CircuitBreaker",
    "DynamoDB",
    "Finding",
    "Item",
    "RetryPolicy",
    "Table",
    "UpdateBuilder",
    "attr",
    "attribute",
    "check_request",
    "client_config",
    "guard",
    "guard_process",
    "require_valid",
    "retry_conflicts",
    "settle",
    "unguard",
    "unguard_process",
]

# Loaded at first use, so that a service that only builds updates or guards clients does not load
# asyncio.
_HOMES = {
    "AsyncDynamoDB": "dynasafe.aio.database",
    "AsyncTable": "dynasafe.aio.table",
    "Attr": "dynasafe.items.attributes",
    "CircuitBreaker": "dynasafe.circuit_breaker",
    "DynamoDB": "dynasafe.sync.database",
    "Finding": "dynasafe.findings.finding",
    "Item": "dynasafe.items.item",
    "RetryPolicy": "dynasafe.resilience.retry",
    "Table": "dynasafe.sync.table",
    "UpdateBuilder": "dynasafe.items.updates",
    "attr": "dynasafe.items.attributes",
    "attribute": "dynasafe.items.schema",
    "check_request": "dynasafe.validation",
    "client_config": "dynasafe.environment.clients",
    "require_valid": "dynasafe.validation",
    "retry_conflicts": "dynasafe.aio.contention",
    "settle": "dynasafe.aio.contention",
}

if not TYPE_CHECKING:  # with it, a type checker would accept any name

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(home), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
