"""Batches of any length: split into requests, and unprocessed entries sent again.

Unprocessed keys and items are not a failed request: they come with its answer. They mean that
DynamoDB throttles, so they are sent again after the delay of a throttle, within the client's retry
quota.

Source: "BatchGetItem" and "BatchWriteItem", Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import Any, NoReturn

from dynasafe.calls.options import OnInvalid, report, require_on_invalid
from dynasafe.calls.plans import PAUSE, Aside, CallState, Pause, Plan, Sleep, aside_plan, check_of
from dynasafe.calls.requests import Large, Request, Table, one_of, read
from dynasafe.calls.writes import version_check
from dynasafe.errors import (
    BatchIncompleteError,
    DeadlineExceededError,
    DynasafeError,
    NoAnswerError,
    OutcomeUnknownError,
    StoredValueError,
    ThrottledError,
    ValueOutOfRangeError,
)
from dynasafe.items.item import Item
from dynasafe.items.item_format import ItemShape, Key
from dynasafe.limits import MAX_BATCH_GET_KEYS, MAX_BATCH_WRITES
from dynasafe.resilience.attempts import Call, Success
from dynasafe.resilience.retry import retry_cost
from dynasafe.values.arguments import elements_of
from dynasafe.values.whole_items import is_large
from dynasafe.values.wire import fingerprint, holds_many

AttributeMap = Mapping[str, Any]


def write_fingerprint(write: AttributeMap, key_names: Sequence[str] | None = None) -> Hashable:
    """A fingerprint of a put or delete in wire form, independent of order and spelling.

    Args:
        key_names: the names of the table's key, which distinguishes the writes of a batch. Without
            them the whole item does, which takes as long as the item is large.
    """
    ((kind, content),) = write.items()
    attributes = content["Item" if kind == "PutRequest" else "Key"]
    if key_names and all(name in attributes for name in key_names):
        attributes = {name: attributes[name] for name in key_names}
    return kind, fingerprint(attributes)


Source = Iterator[tuple[Any, Callable[[], AttributeMap]]]
"""The given entries, each with the function that encodes it."""


class Entry:
    """A key or a write: as it was given, and in wire form."""

    __slots__ = ("given", "index", "may_be_applied", "wire")

    def __init__(self, index: int, given: Any, wire: AttributeMap) -> None:
        self.index: int = index
        self.given: Any = given
        self.wire: AttributeMap = wire
        self.may_be_applied: bool = False
        """Whether a request with the entry was lost before a later one returned it as
        unprocessed."""


class Batch:
    """Progress of one batch; entries are encoded as requests need them.

    Processed entries are kept for the error of a batch that stops half-way. Those of an iterator
    are not kept, because they may not fit into memory.
    """

    __slots__ = (
        "_handed_back",
        "_processed",
        "_taken",
        "is_streamed",
        "items",
        "operation",
        "processed_count",
        "rounds",
        "source",
        "table_name",
        "total",
        "version_field",
    )

    def __init__(
        self,
        *,
        operation: str,
        table_name: str,
        source: Source,
        total: int | None,
        is_streamed: bool = False,
        version_field: str | None = None,
    ) -> None:
        self.operation: str = operation
        self.table_name: str = table_name
        self.source: Source = source
        """The entries that are not yet taken."""
        self.total: int | None = total
        """The number of entries; None while an iterator may have more."""
        self.is_streamed: bool = is_streamed
        """Whether the entries come from an iterator."""
        self.version_field: str | None = version_field
        """The attribute of the instances that follows their stored version."""
        self.items: list[Any] = []
        """The items that a read found, for the error of a batch that stops half-way."""
        self.rounds: int = 0
        """The number of consecutive answers with unprocessed entries."""
        self.processed_count: int = 0
        self._taken = 0
        self._handed_back: deque[Entry] = deque()
        self._processed: list[Entry] = []

    def handed_back(self, size: int) -> list[Entry]:
        """Entries that were not processed, as many as one request may have."""
        return [self._handed_back.popleft() for _ in range(min(size, len(self._handed_back)))]

    def take(self) -> tuple[Entry, Callable[[], AttributeMap]] | None:
        """The next given entry, not yet encoded."""
        taken = next(self.source, None)
        if taken is None:
            self.total = self._taken
            return None
        given, encode = taken
        entry = Entry(self._taken, given, {})
        self._taken += 1
        return entry, encode

    def note(
        self,
        part: Sequence[Entry],
        handed_back: Iterable[AttributeMap],
        fingerprint_of: Callable[[AttributeMap], Hashable],
        *,
        is_after_loss: bool,
    ) -> bool:
        """Note the answer to a part. Returns whether some entries were unprocessed; the others are
        processed.

        Args:
            is_after_loss: whether an earlier attempt of the request was lost. That attempt may have
                applied entries that are now unprocessed.

        Raises:
            OutcomeUnknownError, NoAnswerError, BatchIncompleteError: the unprocessed entries are
                not among those sent, so it is unknown which were processed.
        """
        fingerprints = set(map(fingerprint_of, handed_back))
        again = [
            each for each in part if fingerprints and fingerprint_of(each.wire) in fingerprints
        ]
        if len(again) < len(fingerprints):
            self.stop(self._unrecognised(), part, is_unknown=True)
        if is_after_loss:
            for each in again:
                each.may_be_applied = True
        self._handed_back.extend(again)
        self.rounds = self.rounds + 1 if again else 0
        self.processed_count += len(part) - len(again)
        indexes = {entry.index for entry in again}
        for entry in part:
            if entry.index in indexes:
                continue
            if self.version_field is not None and "PutRequest" in entry.wire:
                stored = getattr(entry.given, self.version_field) + 1
                setattr(entry.given, self.version_field, stored)
            entry.wire = {}
            if not self.is_streamed:
                self._processed.append(entry)
        return bool(again)

    def _unrecognised(self) -> DynasafeError:
        reason = "the answer has unprocessed entries that were not sent"
        if self.operation == "BatchWriteItem":
            return OutcomeUnknownError(self.operation, table_name=self.table_name, reason=reason)
        return NoAnswerError(self.operation, table_name=self.table_name, reason=reason)

    def stop(
        self, cause: Exception, in_flight: Sequence[Entry] = (), *, is_unknown: bool = False
    ) -> NoReturn:
        """Raise the batch's error, or only its cause if `incomplete` has nothing to add."""
        incomplete = self.incomplete(cause, in_flight, is_unknown=is_unknown)
        if incomplete is not None:
            raise incomplete from cause
        if not isinstance(cause, OutcomeUnknownError) and self._may_be_applied(in_flight):
            raise self._unknown_after_loss(cause) from cause
        raise cause

    def explain(self, cancellation: BaseException, in_flight: Sequence[Entry] = ()) -> None:
        """Give a cancellation the batch's error as its cause."""
        unknown = cancellation.__cause__
        incomplete = self.incomplete(cancellation, in_flight, is_unknown=unknown is not None)
        if incomplete is not None:
            incomplete.__cause__ = unknown
            cancellation.__cause__ = incomplete
        elif unknown is None and self._may_be_applied(in_flight):
            cancellation.__cause__ = self._unknown_after_loss(cancellation)

    def incomplete(
        self, cause: BaseException, in_flight: Sequence[Entry] = (), *, is_unknown: bool = False
    ) -> BatchIncompleteError | None:
        """The error with the outcome of each entry; None if nothing was done and one request had
        all.

        Args:
            in_flight: the entries that were taken for a request or sent with it.
            is_unknown: whether that request has no usable answer; else the entries were not
                processed.
        """
        if not self.processed_count and not self._has_more(cause):
            return None
        waiting = [*(() if is_unknown else in_flight), *self._handed_back]
        unprocessed = _in_order(each for each in waiting if not each.may_be_applied)
        unknown = [each for each in waiting if each.may_be_applied]
        if is_unknown:
            unknown += in_flight
        if not self.is_streamed:
            unprocessed += [given for given, _ in self.source]
        return BatchIncompleteError(
            self.operation,
            table_name=self.table_name,
            processed=_in_order(self._processed),
            unprocessed=unprocessed,
            unknown=_in_order(unknown),
            items=self.items,
            processed_count=self.processed_count,
        )

    def _may_be_applied(self, in_flight: Sequence[Entry]) -> bool:
        """Whether a lost request may have applied entries that were handed back since then."""
        return any(each.may_be_applied for each in (*in_flight, *self._handed_back))

    def _unknown_after_loss(self, cause: BaseException) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            self.operation,
            table_name=self.table_name,
            attempts=self.rounds + 1,
            reason=f"{type(cause).__name__}, and an earlier answer was lost",
        )

    def give_up(self) -> NoReturn:
        """Stop, because the rest was unprocessed too often."""
        count = len(self._handed_back)
        reason = f"{count} entries were unprocessed"
        if any(each.may_be_applied for each in self._handed_back):
            self.stop(
                OutcomeUnknownError(
                    self.operation,
                    table_name=self.table_name,
                    attempts=self.rounds,
                    reason=f"{reason}, and an earlier answer was lost",
                )
            )
        self.stop(
            ThrottledError(
                self.operation,
                "Unprocessed",
                reason,
                error_class="throttled",
                table_name=self.table_name,
                http_status=200,
                attempts=self.rounds,
            )
        )

    def _has_more(self, cause: BaseException) -> bool:
        """Whether there are more entries.

        This takes one from an iterator, which is then part of the unprocessed entries.
        """
        if self.total is not None:
            return self._taken < self.total
        try:
            taken = self.take()
        except Exception as failure:
            cause.add_note(f"Its iterator raised as well: {type(failure).__name__}")
            return True
        if taken is None:
            return False
        self._handed_back.append(taken[0])
        return True


def _in_order(entries: Iterable[Entry]) -> list[Any]:
    return [entry.given for entry in sorted(entries, key=attrgetter("index"))]


def require_same_names(index: int, key: AttributeMap, names: Collection[str]) -> None:
    """Require that a key has these attribute names.

    Raises:
        ValueOutOfRangeError: the key has other names.
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
    """Refuse two writes of one item, and a delete whose key is not the table's.

    Args:
        key_names: the names in the table's key; None if they are unknown, and only DynamoDB can
            check.

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


# Plans


def batch_get_plan(
    table: Table[Any],
    keys: Iterable[Key],
    consistent_read: bool | None,
    state: CallState,
    on_invalid: OnInvalid = "raise",
) -> Plan[list[Any]]:
    """The items with the keys, in the order of the keys, without missing ones."""
    require_on_invalid(on_invalid)
    elements_of("keys", keys, "a collection of keys")
    shape = table.shape
    entries: dict[Hashable, tuple[Key, AttributeMap]] = {}
    fingerprints = []
    names: Collection[str] = ()
    for index, key in enumerate(keys):
        encoded = shape.encode_key(key)
        names = names or encoded.keys()
        require_same_names(index, encoded, names)
        fingerprints.append(fingerprint(encoded))
        entries.setdefault(fingerprints[-1], (key, encoded))
    batch = Batch(
        operation="BatchGetItem",
        table_name=table.name,
        source=_encoded(entries.values()),
        total=len(entries),
    )
    found: dict[Hashable, Any] = {}
    extra = {} if consistent_read is None else {"ConsistentRead": consistent_read}
    while part := (yield from _next_part_plan(batch, MAX_BATCH_GET_KEYS)):
        params = {"RequestItems": {table.name: {"Keys": [each.wire for each in part], **extra}}}
        request = read("BatchGetItem", table.name, params, shape.item_class)
        success = yield from _part_plan(batch, request, part, state)
        response = success.response or {}
        answered = one_of(response.get("Responses"), ())
        decode = partial(_decoded, shape, answered, on_invalid)
        try:
            if type(response) is Large:
                readable, invalid = yield from _idle_plan(batch, Aside(decode), part)
            else:
                readable, invalid = decode()
        except Exception as error:  # a codec may raise whatever it likes
            batch.stop(error, part, is_unknown=True)
        report(invalid, on_invalid)
        for item, decoded in readable:
            batch.items.append(decoded)
            found[fingerprint({name: item[name] for name in names})] = decoded
        handed_back = one_of(response.get("UnprocessedKeys"), {}).get("Keys", ())
        is_partly_done = batch.note(part, handed_back, fingerprint, is_after_loss=False)
        yield from _between_plan(batch, state, is_partly_done)
    return [found[each] for each in fingerprints if each in found]


def _decoded(
    shape: ItemShape[Any], answered: Iterable[AttributeMap], on_invalid: OnInvalid
) -> tuple[list[tuple[AttributeMap, Any]], list[StoredValueError]]:
    """The items that can be read, also in Python, and an error for each of the others.

    Raises:
        StoredValueError: the error of the first one, if `on_invalid` says so.
    """
    readable: list[tuple[AttributeMap, Any]] = []
    invalid: list[StoredValueError] = []
    for item in answered:
        try:
            readable.append((item, shape.decode(item)))
        except StoredValueError as error:
            if on_invalid == "raise":
                raise
            invalid.append(error)
    return readable, invalid


def batch_write_plan(
    table: Table[Any], put: Iterable[Any], delete: Iterable[Key], state: CallState
) -> Plan[None]:
    """Put and delete, 25 at a time.

    Collections are encoded and checked as a whole before the first request. Entries of iterators
    are read as requests need them.
    """
    elements_of("put", put, "a collection of items")
    elements_of("delete", delete, "a collection of keys")
    writes = _writes(table, put, delete, state)
    is_streamed = isinstance(put, Iterator) or isinstance(delete, Iterator)
    total = None
    key_names = _key_names(table, ())
    if not is_streamed:
        encoded: list[tuple[Any, AttributeMap]] = []
        for given, encode in writes:
            encoded.append((given, (yield from aside_plan(encode, if_long=is_large(given)))))
            if len(encoded) % MAX_BATCH_WRITES == 0:
                yield PAUSE
        total = len(encoded)
        key_names = _key_names(table, encoded)
        require_distinct((wire for _, wire in encoded), key_names)
        if state.settings.validate:
            for start in range(0, total, MAX_BATCH_WRITES):
                part = encoded[start : start + MAX_BATCH_WRITES]
                request = _write_request(table, [wire for _, wire in part])
                long_check = check_of(request)
                yield PAUSE if long_check is None else Aside(long_check)
                del part, request, long_check
        writes = _taken_from(deque(encoded))
        del encoded
    batch = Batch(
        operation="BatchWriteItem",
        table_name=table.name,
        source=writes,
        total=total,
        is_streamed=is_streamed,
        version_field=_version_field(table),
    )
    while entries := (yield from _next_part_plan(batch, MAX_BATCH_WRITES)):
        wires = [each.wire for each in entries]
        request = _write_request(table, [*wires], is_checked=not is_streamed)
        success = yield from _part_plan(batch, request, entries, state)
        handed_back = one_of((success.response or {}).get("UnprocessedItems"), ())
        is_partly_done = batch.note(
            entries,
            handed_back,
            partial(write_fingerprint, key_names=key_names),
            is_after_loss=success.is_after_loss,
        )
        state.is_applied = batch.processed_count > 0
        del request
        yield from _let_go_plan(batch, wires)
        yield from _between_plan(batch, state, is_partly_done)


def _version_field(table: Table[Any]) -> str | None:
    schema = table.shape.schema
    return schema.version.field_name if schema is not None and schema.version is not None else None


def _taken_from(entries: deque[tuple[Any, AttributeMap]]) -> Source:
    """Entries that are already encoded, and are not kept here."""
    while entries:
        given, wire = entries.popleft()
        yield given, partial(dict, wire)


def _encoded(entries: Iterable[tuple[Any, AttributeMap]]) -> Source:
    """Entries that are already encoded."""
    return ((given, partial(dict, wire)) for given, wire in entries)


def _writes(
    table: Table[Any], put: Iterable[Any], delete: Iterable[Key], state: CallState
) -> Source:
    """The entries of the puts and deletes."""
    shape = table.shape
    schema = shape.schema
    write_id = schema.write_id if schema is not None else None

    def put_request(item: Any) -> AttributeMap:
        encoded = shape.encode(item)
        version = version_check(table, item if isinstance(item, Item) else None)
        if version is not None:
            # Not the first version, because a put with it means that the item does not exist yet.
            encoded[version.name] = {"N": str(version.new)}
        if write_id is not None:
            encoded[write_id.name] = {"S": state.new_id()}
        return {"PutRequest": {"Item": encoded}}

    def delete_request(key: Key) -> AttributeMap:
        return {"DeleteRequest": {"Key": shape.encode_key(key)}}

    return chain(
        ((item, partial(put_request, item)) for item in put),
        ((key, partial(delete_request, key)) for key in delete),
    )


def _key_names(
    table: Table[Any], encoded: Sequence[tuple[Any, AttributeMap]]
) -> Sequence[str] | None:
    """The names of the table's key, if the Item class or a delete shows them."""
    if table.shape.item_class is not None and table.shape.schema is not None:
        return [each.name for each in table.shape.schema.key_attributes]
    deletes = (wire["DeleteRequest"]["Key"] for _, wire in encoded if "DeleteRequest" in wire)
    first = next(deletes, None)
    return None if first is None else list(first)


def _write_request(
    table: Table[Any], writes: Sequence[AttributeMap], *, is_checked: bool = False
) -> Request:
    """BatchWriteItem. Its puts and deletes have no conditions, so they can be repeated."""
    call = Call(
        operation="BatchWriteItem", table_name=table.name, is_write=True, is_repeatable=True
    )
    params = {"RequestItems": {table.name: writes}}
    return Request(params, call, table.shape.item_class, is_checked=is_checked)


def _let_go_plan(batch: Batch, wires: list[AttributeMap]) -> Plan[None]:
    """Release large items one at a time: to free millions of values at once takes long."""
    while wires:
        if holds_many(wires.pop()):
            yield from _idle_plan(batch, PAUSE)


def _next_part_plan(batch: Batch, size: int) -> Plan[list[Entry]]:
    """The next entries, as many as one request may have. Unprocessed ones come first.

    Raises:
        BatchIncompleteError: an entry cannot be read or sent, and others were processed.
        Exception: the same, and none was processed: the error of the iterator or the encoder.
    """
    part = batch.handed_back(size)
    while len(part) < size:
        try:
            taken = batch.take()
            if taken is None:
                break
            entry, encode = taken
            part.append(entry)
            if batch.is_streamed and is_large(entry.given):
                entry.wire = yield from _idle_plan(batch, Aside(encode), part)
            else:
                entry.wire = encode()
        except Exception as error:
            if not batch.processed_count and not any(each.may_be_applied for each in part):
                raise
            batch.stop(error, part)
    return part


def _part_plan(
    batch: Batch, request: Request, part: Sequence[Entry], state: CallState
) -> Plan[Success]:
    """Send one request of a batch.

    Raises:
        DynasafeError: the request's own error if it was the whole batch, else BatchIncompleteError.
    """
    try:
        deadline = state.deadline
        if deadline is not None and deadline.is_over(state.now_s):
            raise DeadlineExceededError(
                batch.operation, deadline.timeout_s, "the earlier requests of the batch"
            )
        success: Success = yield request
    except DynasafeError as error:
        is_unknown = isinstance(error, OutcomeUnknownError | NoAnswerError)
        batch.stop(error, part, is_unknown=is_unknown)
    except Exception:
        raise
    except BaseException as cancellation:
        batch.explain(cancellation, part)
        raise
    return success


def _between_plan(batch: Batch, state: CallState, is_partly_done: bool) -> Plan[None]:
    """Wait before unprocessed entries are sent again; otherwise let other tasks run.

    Raises:
        ThrottledError, BatchIncompleteError: no attempts, quota or time are left.
    """
    command: Sleep | Pause = PAUSE
    if is_partly_done:
        delay_s = _delay_s(batch, state)
        if delay_s is None:
            batch.give_up()
        command = Sleep(delay_s)
    yield from _idle_plan(batch, command)


def _idle_plan(
    batch: Batch, command: Sleep | Pause | Aside, part: Sequence[Entry] = ()
) -> Plan[Any]:
    """Wait, or work aside. A cancellation meanwhile carries the outcome of the batch."""
    try:
        return (yield command)
    except Exception:
        raise
    except BaseException as cancellation:
        batch.explain(cancellation, part)
        raise


def _delay_s(batch: Batch, state: CallState) -> float | None:
    """Seconds until the rest is sent again, or None if it is not."""
    policy = state.settings.retry
    if policy is None or batch.rounds >= policy.max_attempts:
        return None
    delay_s = policy.delay_s(batch.rounds - 1, is_throttle=True, draw=state.draw())
    if state.deadline is not None and state.deadline.is_over(state.now_s + delay_s):
        return None
    quota = state.quota
    is_granted = quota is None or quota.take(retry_cost(is_throttle=True))
    return delay_s if is_granted else None
