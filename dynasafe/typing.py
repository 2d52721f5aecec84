"""Types for annotations: results, parts of transactions, options, conditions."""

from __future__ import annotations

from dynasafe.aio.pages import Pages
from dynasafe.aio.table import PlainItem
from dynasafe.aio.transport import Transport
from dynasafe.calls.options import (
    BreakerFactory,
    CallOptions,
    QueryOptions,
    ScanOptions,
    Select,
    TableOptions,
    WriteOptions,
)
from dynasafe.calls.pages import Page
from dynasafe.calls.reads import Get
from dynasafe.calls.writes import Write, WriteResult
from dynasafe.events import Event, Hook
from dynasafe.findings.finding import Where
from dynasafe.items.conditions import Condition, ConditionLike
from dynasafe.items.item_format import Key
from dynasafe.items.projections import ProjectionLike
from dynasafe.resilience.circuit_breaker import CircuitState, CountWindow, TimeWindow

__all__ = [
    "BreakerFactory",
    "CallOptions",
    "CircuitState",
    "Condition",
    "ConditionLike",
    "CountWindow",
    "Event",
    "Get",
    "Hook",
    "Key",
    "Page",
    "Pages",
    "PlainItem",
    "ProjectionLike",
    "QueryOptions",
    "ScanOptions",
    "Select",
    "TableOptions",
    "TimeWindow",
    "Transport",
    "Where",
    "Write",
    "WriteOptions",
    "WriteResult",
]
