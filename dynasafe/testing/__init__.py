"""What services need to test their own DynamoDB code."""

from dynasafe.testing.blocking import BlockingCallError, forbid_blocking
from dynasafe.testing.clock import ManualClock
from dynasafe.testing.descriptions import table_description
from dynasafe.testing.fault_proxy import Fault, FaultPlan, FaultProxy, FaultRecord
from dynasafe.testing.memory import MemoryTransport, fake_database, fake_table
from dynasafe.testing.mocks import assert_all_awaited, spec_mock
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
from dynasafe.testing.tables import create_tables
from dynasafe.testing.unawaited import UnawaitedError, forbid_unawaited

__all__ = [
    "BlockingCallError",
    "Fault",
    "FaultPlan",
    "FaultProxy",
    "FaultRecord",
    "ManualClock",
    "MemoryTransport",
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
