"""What a write may meet in production, without a network: conflicts, faults, permissions."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from dynasafe.testing import (
    Fault,
    FaultPlan,
    connection_reset,
    refused,
    server_error,
    throttled,
    timed_out,
    transaction_canceled,
)
from tests.examples.policies import is_allowed

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})
Meeting = tuple[int, Exception | None]
"""How often a request is applied, and what the caller gets in place of the answer."""


def conflict_of(operation: str, params: Mapping[str, Any]) -> Exception:
    """What DynamoDB says when another transaction holds the item."""
    if operation != "TransactWriteItems":
        return refused("TransactionConflictException", "Transaction is ongoing for the item")
    others = ["None"] * (len(params["TransactItems"]) - 1)
    return transaction_canceled(*others, "TransactionConflict")


def meeting_of(fault: Fault) -> Meeting:
    """What a fault of the proxy does to a request, as its client sees it."""
    match fault:
        case Fault.NONE:
            return 1, None
        case Fault.DUPLICATE:
            return 2, None
        case Fault.THROTTLE:
            return 0, throttled()
        case Fault.ERROR_500_BEFORE:
            return 0, server_error()
        case Fault.ERROR_503_BEFORE:
            return 0, server_error(503)
        case Fault.ERROR_500_AFTER:
            return 1, server_error()
        case Fault.HANG:
            return 1, timed_out()
        case Fault.CLOSE_AFTER | Fault.RESET_AFTER | Fault.CUT_BODY | Fault.WRONG_CRC32:
            return 1, connection_reset()
        case _:
            raise NotImplementedError(fault)


class Faults:
    """Decides what each request meets.

    Args:
        conflicts: the first so many writes meet another transaction.
        rate: of the other writes, how many are throttled, meet a conflict, or lose their answer.
        plan: the faults of the writes, in place of `rate`.
    """

    def __init__(
        self, *, conflicts: int = 0, rate: float = 0.0, plan: FaultPlan | None = None, seed: int = 0
    ) -> None:
        self.conflicts = conflicts
        self.rate = rate
        self.lost = 0
        """How many answers were lost after the write was applied."""
        self.policy: Mapping[str, Any] | None = None
        self.denied: list[str] = []
        """What the policy does not allow."""
        self.plan = plan
        self._writes = 0
        self._random = Random(seed)

    def meet(self, operation: str, params: Mapping[str, Any]) -> Meeting:
        if self.policy is not None and not is_allowed(self.policy, operation, params):
            self.denied.append(f"{operation} {params.get('TableName')} {params.get('IndexName')}")
            return 0, refused("AccessDeniedException", "is not authorized to perform")
        if operation not in WRITES:
            return 1, None
        if self.conflicts > 0 and operation != "BatchWriteItem":
            self.conflicts -= 1
            return 0, conflict_of(operation, params)
        applied, error = self._fault(operation, params)
        self.lost += applied > 0 and error is not None
        return applied, error

    def _fault(self, operation: str, params: Mapping[str, Any]) -> Meeting:
        if self.plan is not None:
            self._writes += 1
            return meeting_of(self.plan.fault(self._writes - 1, operation))
        if self._random.random() >= self.rate:
            return 1, None
        match self._random.randrange(6):
            case 0:
                return 0, throttled()
            case 1 if operation != "BatchWriteItem":
                return 0, conflict_of(operation, params)
            case 2:
                return 0, server_error(503)
            case kind:
                return 1, (timed_out, connection_reset, server_error)[kind % 3]()
