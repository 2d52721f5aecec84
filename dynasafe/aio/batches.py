"""Batches of any length: split, sent, and what DynamoDB hands back sent again.

Unprocessed keys and items are no failure of the request: they come with its answer. They are sent
again after the delay of a throttle, which is what they mean, under the client's retry quota.

Source: "BatchGetItem" and "BatchWriteItem", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dynasafe.aio.execute import Executor
from dynasafe.aio.settings import Settings
from dynasafe.attribute_value import decode_number
from dynasafe.errors import (
    BatchIncompleteError,
    DeadlineExceededError,
    DynasafeError,
    NoAnswerError,
    OutcomeUnknownError,
    ThrottledError,
)
from dynasafe.operations import Request
from dynasafe.resilience.deadline import Deadline
from dynasafe.resilience.retry import retry_cost

AttributeMap = Mapping[str, Any]


def fingerprint(attribute_map: AttributeMap) -> tuple[Any, ...]:
    """The key in wire form as something that a dict can look up."""
    return tuple(
        sorted((name, *next(iter(value.items()))) for name, value in attribute_map.items())
    )


def write_fingerprint(write: AttributeMap) -> str:
    """A put or delete in wire form as text: the same for whatever order and spelling it has."""
    return repr(_canonical(write))


def _canonical(value: Any) -> Any:
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    canonical: list[tuple[str, Any]] = []
    for name, content in sorted(value.items()):
        if name == "N" and isinstance(content, str):
            content = decode_number(content)
        elif name == "NS" and isinstance(content, list):
            content = sorted(map(decode_number, content))
        elif name in ("SS", "BS") and isinstance(content, list):
            content = sorted(content)
        else:
            content = _canonical(content)
        canonical.append((name, content))
    return canonical


@dataclass(kw_only=True)
class Batch:
    """Entries on their way: each is in one of the lists, and stays in request order.

    An entry is an index into what the caller gave.
    """

    operation: str
    table_name: str
    given: Sequence[Any]
    waiting: list[int]
    deadline: Deadline | None
    """Of the whole batch, with all its requests and waits."""
    processed: list[int] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    """What a read found, for the error of one that stops half-way."""

    def next_part(self, size: int) -> list[int]:
        """Take the next entries, as many as one request may have."""
        part, self.waiting = self.waiting[:size], self.waiting[size:]
        return part

    def incomplete(self, in_flight: Sequence[int], cause: DynasafeError) -> DynasafeError:
        """The error of a batch that cannot go on: the cause alone, if nothing was done yet."""
        is_unknown = isinstance(cause, OutcomeUnknownError | NoAnswerError)
        if not self.processed and len(in_flight) == len(self.given):
            return cause
        not_done = [] if is_unknown else list(in_flight)
        return BatchIncompleteError(
            self.operation,
            table_name=self.table_name,
            processed=self._given(self.processed),
            unprocessed=self._given([*not_done, *self.waiting]),
            unknown=self._given(in_flight if is_unknown else ()),
            items=self.items,
        )

    def _given(self, indexes: Sequence[int]) -> list[Any]:
        return [self.given[index] for index in sorted(indexes)]


async def send_part(
    executor: Executor, settings: Settings, batch: Batch, request: Request, part: Sequence[int]
) -> AttributeMap:
    """Send one request of a batch: its answer.

    Raises:
        DynasafeError: the request's own error where it was the whole batch, and
            BatchIncompleteError where it was a part.
    """
    try:
        if batch.deadline is not None:
            remaining_s = batch.deadline.remaining_s(executor.clock.now_s())
            if remaining_s == 0:
                raise DeadlineExceededError(
                    batch.operation, batch.deadline.timeout_s, "the earlier requests of the batch"
                )
            settings = replace(settings, timeout_s=remaining_s)
        success = await executor.run(request, settings)
    except DynasafeError as error:
        incomplete = batch.incomplete(part, error)
        if incomplete is error:
            raise
        raise incomplete from error
    assert success.response is not None
    return success.response


async def wait_for_unprocessed(
    executor: Executor, settings: Settings, batch: Batch, round_: int
) -> None:
    """Wait before what was handed back is sent again.

    Args:
        round_: how many answers in a row handed something back, from 1.

    Raises:
        ThrottledError, BatchIncompleteError: attempts, quota or time are used up.
    """
    delay_s = _delay_s(executor, settings, batch, round_)
    if delay_s is None:
        error = ThrottledError(
            batch.operation,
            "Unprocessed",
            f"{len(batch.waiting)} of {len(batch.given)} entries were handed back",
            error_class="throttled",
            table_name=batch.table_name,
            http_status=200,
            attempts=round_,
        )
        if not batch.processed:
            raise error
        raise batch.incomplete((), error) from error
    await executor.clock.sleep(delay_s)


def _delay_s(executor: Executor, settings: Settings, batch: Batch, round_: int) -> float | None:
    """Seconds until the rest is sent again, or None where it is not."""
    policy = settings.retry
    if policy is None or round_ >= policy.max_attempts:
        return None
    delay_s = policy.delay_s(round_ - 1, is_throttle=True, draw=executor.clock.draw())
    if batch.deadline is not None and batch.deadline.is_over(executor.clock.now_s() + delay_s):
        return None
    quota = executor.quota(policy)
    is_granted = quota is None or quota.take(retry_cost(is_throttle=True))
    return delay_s if is_granted else None
