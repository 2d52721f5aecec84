"""Fakes, faults, checks and engines for the tests of your own DynamoDB code."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynasafe.testing.async_fixtures import MakeFaults, MakeTable
    from dynasafe.testing.blocking import BlockingCallError, forbid_blocking
    from dynasafe.testing.clock import ManualClock
    from dynasafe.testing.descriptions import table_description
    from dynasafe.testing.fault_proxy import Fault, FaultPlan, FaultProxy, FaultRecord
    from dynasafe.testing.memory import MemoryTransport, fake_database, fake_table
    from dynasafe.testing.mocks import assert_all_awaited, spec_mock
    from dynasafe.testing.real_aws import RealAwsError, forbid_aws
    from dynasafe.testing.requests import (
        RecordedRequest,
        RequestRecorder,
        assert_no_empty_parameters,
        assert_valid_request,
        record_requests,
    )
    from dynasafe.testing.scripted import (
        ScriptedTransport,
        condition_failed,
        connection_closed,
        connection_refused,
        connection_reset,
        ok,
        refused,
        server_error,
        throttled,
        timed_out,
        transaction_canceled,
    )
    from dynasafe.testing.sync_fixtures import MakeSyncFaults, MakeSyncTable
    from dynasafe.testing.tables import create_tables
    from dynasafe.testing.unawaited import UnawaitedError, forbid_unawaited

__all__ = [
    "BlockingCallError",
    "Fault",
    "FaultPlan",
    "FaultProxy",
    "FaultRecord",
    "MakeFaults",
    "MakeSyncFaults",
    "MakeSyncTable",
    "MakeTable",
    "ManualClock",
    "MemoryTransport",
    "RealAwsError",
    "RecordedRequest",
    "RequestRecorder",
    "ScriptedTransport",
    "UnawaitedError",
    "assert_all_awaited",
    "assert_no_empty_parameters",
    "assert_valid_request",
    "condition_failed",
    "connection_closed",
    "connection_refused",
    "connection_reset",
    "create_tables",
    "fake_database",
    "fake_table",
    "forbid_aws",
    "forbid_blocking",
    "forbid_unawaited",
    "ok",
    "record_requests",
    "refused",
    "server_error",
    "spec_mock",
    "table_description",
    "throttled",
    "timed_out",
    "transaction_canceled",
]

# Loaded at first use: the pytest plugin is in every test run of the environment, also in runs that
# test something else.
_HOMES = {
    "BlockingCallError": "blocking",
    "Fault": "fault_proxy",
    "FaultPlan": "fault_proxy",
    "FaultProxy": "fault_proxy",
    "FaultRecord": "fault_proxy",
    "MakeFaults": "async_fixtures",
    "MakeSyncFaults": "sync_fixtures",
    "MakeSyncTable": "sync_fixtures",
    "MakeTable": "async_fixtures",
    "ManualClock": "clock",
    "MemoryTransport": "memory",
    "RealAwsError": "real_aws",
    "RecordedRequest": "requests",
    "RequestRecorder": "requests",
    "ScriptedTransport": "scripted",
    "UnawaitedError": "unawaited",
    "assert_all_awaited": "mocks",
    "assert_no_empty_parameters": "requests",
    "assert_valid_request": "requests",
    "condition_failed": "scripted",
    "connection_closed": "scripted",
    "connection_refused": "scripted",
    "connection_reset": "scripted",
    "create_tables": "tables",
    "fake_database": "memory",
    "fake_table": "memory",
    "forbid_aws": "real_aws",
    "forbid_blocking": "blocking",
    "forbid_unawaited": "unawaited",
    "ok": "scripted",
    "record_requests": "requests",
    "refused": "scripted",
    "server_error": "scripted",
    "spec_mock": "mocks",
    "table_description": "descriptions",
    "throttled": "scripted",
    "timed_out": "scripted",
    "transaction_canceled": "scripted",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
