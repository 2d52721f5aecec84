"""A transport without a network, which gives the replies of a script.

    transport = ScriptedTransport([throttled(), ok({"Attributes": {}})])
    orders = AsyncTable("orders", transport=transport, clock=ManualClock())

The failures are those of the transports' error boundary. Nothing else needs to be installed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any, Self

from dynasafe.resilience.boundary import Lost, NotSent, Refused
from dynasafe.testing.sending import Sending, tell

Answer = Mapping[str, Any]
Reply = Answer | Exception | Callable[["ScriptedCall"], "Answer | Exception"]
"""An answer, a failure, or a function of the request that gives one of the two."""


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """A request that was sent."""

    operation: str
    params: Mapping[str, Any]
    timeout_s: float | None


class NoReplyLeftError(BaseException):
    """A request came after the last reply: the script or the tested code is wrong.

    It is not an Exception, which would count as a lost answer and be retried.
    """


class ImpossibleReplyError(BaseException):
    """A reply that DynamoDB does not give to such a request: the script is wrong.

    It is not an Exception, which would count as a lost answer.
    """


class UnusedReplyError(AssertionError):
    """A script had more replies than requests came."""


class Script:
    """Gives each request the next reply. As a context manager, it fails where replies are left.

    Args:
        replies: in the order of the requests.
        otherwise: the reply to all requests after those.
    """

    def __init__(self, replies: Iterable[Reply] = (), *, otherwise: Reply | None = None) -> None:
        self._replies = iter(replies)
        self._otherwise = otherwise
        self.calls: list[ScriptedCall] = []
        """The requests that were sent, in order."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Fail where replies are left, unless the block fails itself."""
        if kind is None and next(self._replies, None) is not None:
            raise UnusedReplyError(
                f"ScriptedTransport has replies left after {len(self.calls)} request(s). "
                "Fix: script one for each request, or look at why the code sends fewer"
            )

    def _next(self, call: ScriptedCall) -> Reply:
        self.calls.append(call)
        reply = next(self._replies, self._otherwise)
        if reply is None:
            raise NoReplyLeftError(
                f"ScriptedTransport has no reply left for request {len(self.calls)}, "
                f"{call.operation}. Fix: script one more, or give otherwise="
            )
        return reply


def answer_of(reply: Reply, call: ScriptedCall) -> Answer:
    """The answer of a reply. A failure is raised.

    Raises:
        ImpossibleReplyError: DynamoDB never fails so at this request.
    """
    answer = reply(call) if callable(reply) else reply
    if isinstance(answer, Exception):
        if isinstance(answer, Refused):
            _require_possible(answer, call)
        raise answer
    return answer


def _require_possible(answer: Refused, call: ScriptedCall) -> None:
    """Require that only requests with conditions fail them, and one reason for each operation."""
    operation, params = call.operation, call.params
    if answer.code == "ConditionalCheckFailedException":
        if operation in _WITH_CONDITIONS and not _CONDITIONS & params.keys():
            raise ImpossibleReplyError(
                f"condition_failed() answers a request of {operation} that has no condition. "
                "Fix: give the call its condition=, or script another reply"
            )
    elif answer.code == "TransactionCanceledException":
        entries = params.get("TransactItems") or params.get("TransactStatements")
        reasons = answer.members.get("CancellationReasons", ())
        if not entries:
            raise ImpossibleReplyError(
                f"transaction_canceled() answers a request of {operation}, which is no "
                "transaction. Fix: script condition_failed(), or another reply"
            )
        if reasons and len(reasons) != len(entries):
            raise ImpossibleReplyError(
                f"transaction_canceled() has {len(reasons)} reason(s) for {len(entries)} "
                'operation(s). Fix: give one for each, "None" for one that was fine'
            )
        for number, (reason, entry) in enumerate(zip(reasons, entries, strict=False)):
            parts = [part for part in entry.values() if isinstance(part, Mapping)]
            is_conditional = any(_CONDITIONS & part.keys() for part in parts)
            if reason.get("Code") == "ConditionalCheckFailed" and parts and not is_conditional:
                raise ImpossibleReplyError(
                    f"transaction_canceled() has a failed condition for operation {number}, which "
                    "has no condition. Fix: give the operation its condition=, or another reason"
                )


_CONDITIONS = frozenset({"ConditionExpression", "Expected"})
_WITH_CONDITIONS = frozenset({"DeleteItem", "PutItem", "UpdateItem"})


class ScriptedTransport(Script):
    """Gives each request the next reply. As a context manager, it fails where replies are left.

    Args:
        replies: in the order of the requests.
        otherwise: the reply to all requests after those.
    """

    is_bound_to_loop = False

    async def refresh_credentials(self) -> bool:
        """Nothing: there are no credentials to change."""
        return False

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        call = ScriptedCall(operation, params, timeout_s)
        tell(Sending("dynamodb", operation, params, is_blocking=False))
        reply = self._next(call)
        await asyncio.sleep(0)  # a request takes a turn of the event loop at least
        return answer_of(reply, call)


def ok(response: Answer | None = None) -> Answer:
    """A successful answer."""
    return {} if response is None else response


def refused(
    code: str,
    message: str = "refused by the script",
    *,
    http_status: int = 400,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Exception:
    """An error answer of DynamoDB. Members stand beside its code: `Item`, `CancellationReasons`."""
    return Refused(
        code,
        message,
        http_status=http_status,
        request_id="SCRIPTED",
        headers=headers,
        members=members,
    )


def throttled(*reasons: str) -> Exception:
    """A throttle. Reasons are as in "TableWriteKeyRangeThroughputExceeded"."""
    if not reasons:
        return refused("ThrottlingException", "Rate exceeded")
    listed = [{"reason": reason} for reason in reasons]
    return refused("ThrottlingException", "Rate exceeded", throttlingReasons=listed)


def server_error(http_status: int = 500) -> Exception:
    """An internal error, after which a write may have been applied."""
    code = "InternalServerError" if http_status == 500 else ""
    return refused(code, "Internal server error", http_status=http_status)


def condition_failed(item: Answer | None = None) -> Exception:
    """A failed condition, with the stored item in wire form if it is to be returned."""
    code, message = "ConditionalCheckFailedException", "The conditional request failed"
    return refused(code, message) if item is None else refused(code, message, Item=item)


def transaction_canceled(
    *codes: str, items: Sequence[Answer | None] = (), messages: Sequence[str | None] = ()
) -> Exception:
    """A cancelled transaction, with a code for each operation: "None" for one that was fine."""
    reasons = [
        {
            name: each
            for name, each in zip(("Code", "Item", "Message"), members, strict=True)
            if each
        }
        for members in islice(zip_longest(codes, items, messages), len(codes))
    ]
    listed = ", ".join(codes)
    return refused(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{listed}]",
        CancellationReasons=reasons,
    )


def timed_out() -> Exception:
    """No answer in time. The request was sent."""
    return Lost("no answer in time")


def connection_closed() -> Exception:
    """The connection was closed without an answer. The request was sent."""
    return Lost("the connection was closed without an answer")


def connection_reset() -> Exception:
    """The connection was reset. The request was sent, and may have been applied."""
    return Lost("the connection was reset")


def connection_refused() -> Exception:
    """No connection was made. The request was not sent."""
    return NotSent("the connection was refused")


def no_credentials(provider: str = "assume-role") -> Exception:
    """No credentials were found. The request was not sent."""
    return NotSent("refused by the script", is_retryable=False, provider=provider)
