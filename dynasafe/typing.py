"""Types for annotations: results, transaction entries, options, conditions."""

from __future__ import annotations

from dynasafe.aio.pages import Pages
from dynasafe.aio.table import PlainItem
from dynasafe.aio.transport import Transport
from dynasafe.calls.options import (
    BreakerFactory,
    CallOptions,
    OnInvalid,
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
from dynasafe.items.patches import NonePolicy
from dynasafe.items.projections import ProjectionLike
from dynasafe.items.schema import CodecLike
from dynasafe.items.updates import ReturnValues
from dynasafe.resilience.circuit_breaker import CircuitState, CountWindow, TimeWindow

__all__ = [
    "BreakerFactory",
    "CallOptions",
    "CircuitState",
    "CodecLike",
    "Condition",
    "ConditionLike",
    "CountWindow",
    "Event",
    "Get",
    "Hook",
    "Key",
    "NonePolicy",
    "OnInvalid",
    "Page",
    "Pages",
    "PlainItem",
    "ProjectionLike",
    "QueryOptions",
    "ReturnValues",
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
