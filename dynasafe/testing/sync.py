"""The testing kit for code that is not async: the same names, for `DynamoDB` and `Table`.

    from dynasafe.testing.sync import ManualClock, ScriptedTransport, fake_table

    transport = ScriptedTransport([throttled(), ok({"Attributes": {}})])
    orders = Table("orders", transport=transport, clock=ManualClock())

All of them may be used by many threads at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, Unpack, overload

from dynasafe.calls.options import TableOptions
from dynasafe.items.item import Item
from dynasafe.sync.clock import Clock
from dynasafe.sync.database import DynamoDB
from dynasafe.sync.table import PlainItem, Table
from dynasafe.testing.clock import ManualTime
from dynasafe.testing.descriptions import table_description
from dynasafe.testing.memory import MemoryOptions, MemoryTables
from dynasafe.testing.scripted import Reply, Script, ScriptedCall, answer_of
from dynasafe.testing.sending import Sending, tell
from dynasafe.testing.tables import POLL_S, creating, is_active, time_to_live_params

__all__ = [
    "ManualClock",
    "MemoryTransport",
    "ScriptedTransport",
    "create_tables",
    "fake_database",
    "fake_table",
]

ItemT = TypeVar("ItemT", bound=Item)


class ManualClock(ManualTime):
    """Time passes only by `sleep`, which does not wait, and by `advance`.

    Args:
        draws: the random draws to give, in turn; when they are used up, 0.5.
    """

    def __init__(self, *, now_s: float = 0.0, draws: Iterable[float] = ()) -> None:
        super().__init__(now_s=now_s, draws=draws)
        self._lock = threading.Lock()

    def sleep(self, delay_s: float) -> None:
        with self._lock:
            self._pass(delay_s)

    def draw(self) -> float:
        with self._lock:
            return super().draw()

    def advance(self, seconds: float) -> None:
        with self._lock:
            super().advance(seconds)


class ScriptedTransport(Script):
    """Gives each request the next reply.

    Args:
        replies: in the order of the requests.
        otherwise: the reply to all requests after those.
    """

    def __init__(self, replies: Iterable[Reply] = (), *, otherwise: Reply | None = None) -> None:
        super().__init__(replies, otherwise=otherwise)
        self._lock = threading.Lock()

    def refresh_credentials(self, *, timeout_s: float | None) -> bool:
        """Nothing: there are no credentials to change."""
        return False

    def start_in_child(self) -> None:
        """After a fork, it continues with the same replies."""
        self._lock = threading.Lock()

    def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        call = ScriptedCall(operation, params, timeout_s)
        tell(Sending("dynamodb", operation, params, is_blocking=False))
        with self._lock:
            reply = self._next(call)
        return answer_of(reply, call)


class MemoryTransport(MemoryTables):
    """Answers requests from tables in memory, one at a time.

    Args:
        tables: by name, an Item class or a table's description.
        options: as in the async class.
    """

    def __init__(self, tables: Mapping[str, Any], **options: Unpack[MemoryOptions]) -> None:
        super().__init__(tables, **options)
        self._lock = threading.Lock()

    def refresh_credentials(self, *, timeout_s: float | None) -> bool:
        """Nothing: there are no credentials to change."""
        return False

    def start_in_child(self) -> None:
        """After a fork, it continues with a copy of the tables."""
        self._lock = threading.Lock()

    def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        tell(Sending("dynamodb", operation, params, is_blocking=False))
        with self._lock:
            return self.answer(operation, params)


@overload
def fake_table(
    item_class: type[ItemT],
    *,
    name: str = "fake-table",
    indexes: Mapping[str, tuple[str, ...]] | None = None,
    items: Iterable[ItemT] = (),
    clock: Clock | None = None,
    **options: Unpack[TableOptions],
) -> Table[ItemT]: ...
@overload
def fake_table(
    item_class: Mapping[str, Any],
    *,
    name: str = "fake-table",
    items: Iterable[Mapping[str, object]] = (),
    clock: Clock | None = None,
    **options: Unpack[TableOptions],
) -> Table[PlainItem]: ...
def fake_table(
    item_class: Any,
    *,
    name: str = "fake-table",
    indexes: Mapping[str, tuple[str, ...]] | None = None,
    items: Iterable[Any] = (),
    clock: Clock | None = None,
    **options: Unpack[TableOptions],
) -> Table[Any]:
    """A Table whose items are in memory.

    Args:
        item_class: an Item class; or for plain items a table's description, with KeySchema,
            AttributeDefinitions and indexes, as DescribeTable returns them.
        indexes: global indexes of an Item class, as in `table_description`.
        items: the items that the table has at first.
        clock: gives the time, for retries, timeouts and the ten minutes of a token.
        options: the same as for a real table.

    Raises:
        InvalidRequestError, InvalidValueError: an item that DynamoDB would refuse.
    """
    described = {name: table_description(item_class, indexes=indexes)}
    transport = MemoryTransport(described, clock=clock)
    of_class = item_class if isinstance(item_class, type) else None
    transport.put_all(name, of_class, items)
    return Table(name, of_class, transport=transport, clock=clock, **options)


@overload
def fake_database(**tables: type[Any] | Mapping[str, Any]) -> DynamoDB: ...


@overload
def fake_database(*, clock: Clock | None, **tables: Any) -> DynamoDB: ...


# Two overloads, so that type checkers take `fake_database(**tables)` of a dict of tables.
def fake_database(*, clock: Any = None, **tables: Any) -> DynamoDB:
    """A DynamoDB whose tables are in memory, for transactions over several of them.

    To give settings, use `DynamoDB.over(MemoryTransport({"people": Person}), retry=...)`.

    Args:
        tables: by name, as the `item_class` of `fake_table`. With indexes:
            `people=table_description(Person, indexes={...})`.
    """
    return DynamoDB.over(MemoryTransport(tables, clock=clock), clock=clock)


def create_tables(
    db: DynamoDB,
    tables: Mapping[str, type[Item] | Mapping[str, Any]],
    *,
    indexes: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None,
) -> None:
    """Create the tables, with on-demand billing, and wait until they are active.

        create_tables(db, {"people": Person}, indexes={"people": {"by_email": ("email",)}})

    Args:
        tables: by name, an Item class or a table's description. If the class has a `ttl=True`
            attribute, Time to Live is switched on.
        indexes: by table, as `table_description` takes them.

    Raises:
        ServiceError: a table of this name exists, or DynamoDB refused the request.
    """
    for operation, params in creating(tables, indexes):
        db.call(operation, params)
    for name, given in tables.items():
        while not is_active(db.call("DescribeTable", {"TableName": name})):
            time.sleep(POLL_S)
        time_to_live = time_to_live_params(name, given)
        if time_to_live is not None:
            db.call("UpdateTimeToLive", time_to_live)
