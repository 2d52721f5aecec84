"""The sync API: the classes and functions that go with `dynasafe.DynamoDB` and `dynasafe.Table`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynasafe.sync.clock import Clock
    from dynasafe.sync.contention import retry_conflicts, settle
    from dynasafe.sync.database import DynamoDB
    from dynasafe.sync.pages import Pages
    from dynasafe.sync.table import Table
    from dynasafe.sync.transport import Transport

__all__ = ["Clock", "DynamoDB", "Pages", "Table", "Transport", "retry_conflicts", "settle"]

_HOMES = {
    "Clock": "dynasafe.sync.clock",
    "DynamoDB": "dynasafe.sync.database",
    "Pages": "dynasafe.sync.pages",
    "Table": "dynasafe.sync.table",
    "Transport": "dynasafe.sync.transport",
    "retry_conflicts": "dynasafe.sync.contention",
    "settle": "dynasafe.sync.contention",
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
