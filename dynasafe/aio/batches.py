"""Batches of any length: split, sent, and what DynamoDB hands back sent again.

Unprocessed keys and items are no failure of the request: they come with its answer. They are sent
again after the delay of a throttle, which is what they mean, under the client's retry quota.

Source: "BatchGetItem" and "BatchWriteItem", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, NoReturn

from dynasafe.aio.execute import Executor
from dynasafe.aio.settings import Settings
from dynasafe.calls.requests import Request
from dynasafe.errors import (
    BatchIncompleteError,
    DeadlineExceededError,
    DynasafeError,
    NoAnswerError,
    OutcomeUnknownError,
    ThrottledError,
    ValueOutOfRangeError,
)
from dynasafe.resilience.deadline import Deadline
from dynasafe.resilience.retry import retry_cost
from dynasafe.values.wire import fingerprint

AttributeMap = Mapping[str, Any]


def write_fingerprint(write: AttributeMap) -> Hashable:
    """A put or delete in wire form: the same for whatever order and spelling it has."""
    ((kind, content),) = write.items()
    return kind, fingerprint(content["Item" if kind == "PutRequest" else "Key"])


Encode = Callable[[Any], AttributeMap]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key or a write: as it was given, and in wire form."""

    index: int
    given: Any
    wire: AttributeMap


@dataclass(kw_only=True)
class Batch:
    """What was given, on its way: encoded as requests have room for it.

    What was processed is kept for the error of a batch that stops half-way, but not of an iterator,
    which may be longer than the memory.
    """

    operation: str
    table_name: str
    source: Iterator[tuple[Encode, Any]]
    """What was given and is not yet taken, with what encodes it."""
    total: int | None
    """How many entries there are; None as long as an iterator may have more."""
    deadline: Deadline | None
    """Of the whole batch, with all its requests and waits."""
    is_streamed: bool = False
    """Whether the entries are of an iterator."""
    items: list[Any] = field(default_factory=list)
    """What a read found, for the error of one that stops half-way."""
    rounds: int = 0
    """How many answers in a row handed something back."""
    processed_count: int = 0
    _taken: int = 0
    _handed_back: deque[Entry] = field(default_factory=deque)
    _processed: list[Entry] = field(default_factory=list)

    def next_part(self, size: int) -> list[Entry]:
        """The next entries, as many as one request may have: first those that were handed back.

        Raises:
            BatchIncompleteError: one cannot be had or sent, and others were processed.
            Exception: none were: what the iterator or the encoder raises.
        """
        part = [self._handed_back.popleft() for _ in range(min(size, len(self._handed_back)))]
        try:
            while len(part) < size and (taken := self._take()):
                encode, entry = taken
                part.append(entry)
                part[-1] = replace(entry, wire=encode(entry.given))
        except Exception as error:
            if not self.processed_count:
                raise
            self.stop(error, part)
        return part

    def _take(self) -> tuple[Encode, Entry] | None:
        """The next entry that was given, not yet encoded."""
        taken = next(self.source, None)
        if taken is None:
            self.total = self._taken
            return None
        encode, given = taken
        entry = Entry(self._taken, given, {})
        self._taken += 1
        return encode, entry

    def note(
        self,
        part: Sequence[Entry],
        handed_back: Iterable[AttributeMap],
        fingerprint_of: Callable[[AttributeMap], Hashable],
    ) -> bool:
        """The part was answered: whether some of it was handed back. The rest is processed.

        Raises:
            OutcomeUnknownError, NoAnswerError, BatchIncompleteError: what was handed back is not
                what was sent, so that no one can tell what was processed.
        """
        prints = set(map(fingerprint_of, handed_back))
        again = [each for each in part if prints and fingerprint_of(each.wire) in prints]
        if len(again) < len(prints):
            self.stop(self._unrecognised(), part, is_unknown=True)
        self._handed_back.extend(again)
        self.rounds = self.rounds + 1 if again else 0
        self.processed_count += len(part) - len(again)
        if not self.is_streamed:
            indexes = {entry.index for entry in again}
            self._processed += [
                replace(entry, wire={}) for entry in part if entry.index not in indexes
            ]
        return bool(again)

    def _unrecognised(self) -> DynasafeError:
        reason = "entries were handed back that were not sent"
        if self.operation == "BatchWriteItem":
            return OutcomeUnknownError(self.operation, table_name=self.table_name, reason=reason)
        return NoAnswerError(self.operation, table_name=self.table_name, reason=reason)

    def stop(
        self, cause: Exception, in_flight: Sequence[Entry] = (), *, is_unknown: bool = False
    ) -> NoReturn:
        """Give up: the cause alone is raised where `incomplete` has nothing to add."""
        incomplete = self.incomplete(cause, in_flight, is_unknown=is_unknown)
        if incomplete is None:
            raise cause
        raise incomplete from cause

    def tell(self, cancellation: CancelledError, in_flight: Sequence[Entry] = ()) -> None:
        """Let a cancellation have the batch's error as its cause, beside what is unknown."""
        unknown = cancellation.__cause__
        incomplete = self.incomplete(cancellation, in_flight, is_unknown=unknown is not None)
        if incomplete is not None:
            incomplete.__cause__ = unknown
            cancellation.__cause__ = incomplete

    def incomplete(
        self, cause: BaseException, in_flight: Sequence[Entry] = (), *, is_unknown: bool = False
    ) -> BatchIncompleteError | None:
        """What became of each entry; None where nothing was done, and one request was to do all.

        Args:
            in_flight: what was taken for a request, or sent with it.
            is_unknown: whether that has no usable answer; else it was not processed.
        """
        if not self.processed_count and not self._has_more(cause):
            return None
        unprocessed = _in_order([*(() if is_unknown else in_flight), *self._handed_back])
        if not self.is_streamed:
            unprocessed += [given for _, given in self.source]
        return BatchIncompleteError(
            self.operation,
            table_name=self.table_name,
            processed=_in_order(self._processed),
            unprocessed=unprocessed,
            unknown=_in_order(in_flight) if is_unknown else (),
            items=self.items,
            processed_count=self.processed_count,
        )

    def give_up(self) -> NoReturn:
        """Stop, since the rest was handed back once too often."""
        self.stop(
            ThrottledError(
                self.operation,
                "Unprocessed",
                f"{len(self._handed_back)} entries were handed back",
                error_class="throttled",
                table_name=self.table_name,
                http_status=200,
                attempts=self.rounds,
            )
        )

    def _has_more(self, cause: BaseException) -> bool:
        """Whether there are more entries than were taken.

        An iterator has to be asked for one, which then belongs to what was not processed.
        """
        if self.total is not None:
            return self._taken < self.total
        try:
            taken = self._take()
        except Exception as failure:
            cause.add_note(f"Its iterator raised as well: {type(failure).__name__}")
            return True
        if taken is None:
            return False
        self._handed_back.append(taken[1])
        return True


def _in_order(entries: Iterable[Entry]) -> list[Any]:
    return [entry.given for entry in sorted(entries, key=attrgetter("index"))]


def require_same_names(index: int, key: AttributeMap, names: Collection[str]) -> None:
    """Refuse a key that cannot be of the same table as one with these names.

    Raises:
        ValueOutOfRangeError: it has other names.
    """
    if key.keys() != set(names):
        raise ValueOutOfRangeError(
            f"[{index}]",
            f"all keys of a table have the same names, and this one has {_listed(key)}, but the "
            f"first {_listed(names)}. Fix: give each the whole primary key, and nothing else",
        )


def _listed(names: Iterable[str]) -> str:
    return " and ".join(sorted(names))


def require_distinct(writes: Iterable[AttributeMap], key_names: Sequence[str] | None) -> None:
    """Refuse two writes of one item, and a delete by another key than the table's.

    Args:
        key_names: of the table's key; None where it is not known, and DynamoDB finds them itself.

    Raises:
        ValueOutOfRangeError: an earlier write has the same key; or a delete's key has other names.
    """
    seen: set[Hashable] = set()
    for index, write in enumerate(writes):
        if key_names is None:
            continue
        ((kind, content),) = write.items()
        whole = content["Item"] if kind == "PutRequest" else content["Key"]
        if kind == "DeleteRequest":
            require_same_names(index, whole, key_names)
        print_ = fingerprint({name: whole[name] for name in key_names if name in whole})
        if print_ in seen:
            raise ValueOutOfRangeError(
                f"[{index}]",
                "a batch writes each item once, and an earlier entry has the same key. Fix: "
                "leave one out, or send two batches",
            )
        seen.add(print_)


async def send_part(
    executor: Executor, settings: Settings, batch: Batch, request: Request, part: Sequence[Entry]
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
        is_unknown = isinstance(error, OutcomeUnknownError | NoAnswerError)
        batch.stop(error, part, is_unknown=is_unknown)
    except CancelledError as cancellation:
        batch.tell(cancellation, part)
        raise
    assert success.response is not None
    return success.response


async def wait_for_unprocessed(executor: Executor, settings: Settings, batch: Batch) -> None:
    """Wait before what was handed back is sent again.

    Raises:
        ThrottledError, BatchIncompleteError: attempts, quota or time are used up.
    """
    delay_s = _delay_s(executor, settings, batch)
    if delay_s is None:
        batch.give_up()
    try:
        await executor.clock.sleep(delay_s)
    except CancelledError as cancellation:
        batch.tell(cancellation)
        raise


def _delay_s(executor: Executor, settings: Settings, batch: Batch) -> float | None:
    """Seconds until the rest is sent again, or None where it is not."""
    policy = settings.retry
    if policy is None or batch.rounds >= policy.max_attempts:
        return None
    delay_s = policy.delay_s(batch.rounds - 1, is_throttle=True, draw=executor.clock.draw())
    if batch.deadline is not None and batch.deadline.is_over(executor.clock.now_s() + delay_s):
        return None
    quota = executor.quota(policy)
    is_granted = quota is None or quota.take(retry_cost(is_throttle=True))
    return delay_s if is_granted else None
