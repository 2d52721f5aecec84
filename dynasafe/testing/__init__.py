"""What services need to test their own DynamoDB code."""

from dynasafe.testing.clock import ManualClock
from dynasafe.testing.fault_proxy import Fault, FaultPlan, FaultProxy, FaultRecord
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

__all__ = [
    "Fault",
    "FaultPlan",
    "FaultProxy",
    "FaultRecord",
    "ManualClock",
    "ScriptedTransport",
    "condition_failed",
    "connection_closed",
    "connection_refused",
    "connection_reset",
    "ok",
    "refused",
    "server_error",
    "throttled",
    "timed_out",
    "transaction_canceled",
]
