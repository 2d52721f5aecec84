"""Faults of tables in memory: those of the fault proxy, without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dynasafe.testing.fault_proxy import BEFORE, Fault, FaultPlan, halves
from dynasafe.testing.scripted import (
    connection_closed,
    connection_reset,
    server_error,
    throttled,
    timed_out,
)

_Answer = Mapping[str, Any]
_FAILURES: dict[Fault, Callable[[], Exception]] = {
    Fault.RESET_BEFORE: connection_reset,
    Fault.RESET_AFTER: connection_reset,
    Fault.CLOSE_BEFORE: connection_closed,
    Fault.CLOSE_AFTER: connection_closed,
    Fault.CUT_BODY: connection_closed,
    Fault.WRONG_CRC32: connection_closed,
    Fault.HANG: timed_out,
    Fault.ERROR_500_BEFORE: lambda: server_error(500),
    Fault.ERROR_500_AFTER: lambda: server_error(500),
    Fault.ERROR_503_BEFORE: lambda: server_error(503),
    Fault.ERROR_503_AFTER: lambda: server_error(503),
    Fault.THROTTLE: throttled,
}
_BATCHES = {"BatchGetItem": "UnprocessedKeys", "BatchWriteItem": "UnprocessedItems"}


class Faults:
    """Injects a plan's faults into the answers of tables in memory."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._count = 0

    def answer(
        self, operation: str, params: _Answer, ask: Callable[[str, _Answer], _Answer]
    ) -> _Answer:
        """The answer of the tables: lost, late or partial, as in the plan."""
        fault = self._next(operation)
        failure = _FAILURES.get(fault)
        if fault in BEFORE and failure is not None:
            raise failure()
        if fault is Fault.UNPROCESSED and operation in _BATCHES and "RequestItems" in params:
            sent, kept = halves(params["RequestItems"])
            answer = ask(operation, {**params, "RequestItems": sent})
            return {**answer, _BATCHES[operation]: kept}
        answer = ask(operation, params)
        if fault is Fault.DUPLICATE:
            answer = ask(operation, params)
        if failure is not None:
            raise failure()
        return answer

    def _next(self, operation: str) -> Fault:
        if self._plan.operations is not None and operation not in self._plan.operations:
            return Fault.NONE
        index = self._count
        self._count += 1
        return self._plan.fault(index, operation)
