"""What services need to test their own DynamoDB code."""

from dynasafe.testing.clock import ManualClock
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
