"""Drives the attempts generator on a virtual clock, without asyncio."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dynasafe.resilience.attempts import (
    Answered,
    Call,
    Raised,
    Refresh,
    Refreshed,
    Resolve,
    Send,
    Sleep,
    SlotTaken,
    Success,
    TakeSlot,
    Woke,
    attempts,
)
from dynasafe.resilience.boundary import Refused

Answer = Mapping[str, Any] | Exception

WRITE = Call(operation="UpdateItem", table_name="t", is_write=True, is_repeatable=False)
IDEMPOTENT = Call(operation="UpdateItem", table_name="t", is_write=True, is_repeatable=True)
READ = Call(operation="GetItem", table_name="t", is_write=False, is_repeatable=True)


def resolving(resolve: Resolve) -> Call:
    """An idempotent write that looks at the stored item where its condition fails."""
    return Call(
        operation="UpdateItem",
        table_name="t",
        is_write=True,
        is_repeatable=True,
        resolve_condition_failure=resolve,
    )


TOKEN = Call(
    operation="TransactWriteItems",
    table_name="t",
    is_write=True,
    is_repeatable=True,
    client_request_token="token-1",
)


def service_error(
    code: str,
    status: int = 400,
    *,
    message: str = "",
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Refused:
    return Refused(
        code,
        message,
        http_status=status,
        request_id="R1",
        headers=headers,
        members=members,
    )


@dataclass
class Drive:
    """One call, driven to its end: what it did, and what came of it."""

    now_s: float = 0.0
    draw: float = 1.0
    sends: list[Send] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)
    quotas: list[int] = field(default_factory=list)
    is_fresh: bool = True
    refreshes: int = 0
    result: Success | None = None
    error: BaseException | None = None

    def __call__(
        self,
        answers: Iterable[Answer],
        call: Call = READ,
        *,
        duration_s: float | Callable[[int], float] = 0.0,
        **settings: Any,
    ) -> Drive:
        quota = settings.get("quota")
        loop = attempts(call, now_s=self.now_s, **settings)
        remaining = iter(answers)
        reply: Any = None
        try:
            while True:
                command = loop.send(reply)
                match command:
                    case TakeSlot():
                        reply = SlotTaken(self.now_s, was_awaited=False)
                    case Send():
                        self.sends.append(command)
                        took = duration_s(command.attempt) if callable(duration_s) else duration_s
                        self.now_s += took
                        answer = next(remaining)
                        if isinstance(answer, Exception):
                            reply = Raised(answer, self.now_s, self.draw)
                        else:
                            reply = Answered(answer, self.now_s)
                    case Refresh():
                        self.refreshes += 1
                        reply = Refreshed(self.is_fresh, self.now_s)
                    case Sleep():
                        self.delays_s.append(command.delay_s)
                        if quota is not None:
                            self.quotas.append(quota.available)
                        self.now_s += command.delay_s
                        reply = Woke(self.now_s)
        except StopIteration as stop:
            self.result = stop.value
        except Exception as error:
            self.error = error
        return self
