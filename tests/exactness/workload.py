"""Concurrent writers through faults, and the books that must balance afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, RetryPolicy, UpdateBuilder, attribute
from dynasafe.errors import DynasafeError, NotSentError, OutcomeUnknownError, ServiceError
from dynasafe.testing import Fault, FaultPlan, FaultProxy
from tests.support import faces

# Every fault of the mix comes on top of what the engine itself may refuse.
MIX: dict[Fault, float] = {
    Fault.CLOSE_AFTER: 0.03,
    Fault.RESET_AFTER: 0.02,
    Fault.ERROR_500_AFTER: 0.03,
    Fault.CUT_BODY: 0.02,
    Fault.HANG: 0.01,
    Fault.WRONG_CRC32: 0.01,
    Fault.ERROR_500_BEFORE: 0.025,
    Fault.ERROR_503_BEFORE: 0.025,
    Fault.THROTTLE: 0.05,
    Fault.DUPLICATE: 0.01,
}
CANCELLED = 0.02
WRITERS = 50
COUNTERS = 25
WRITES = frozenset({"UpdateItem", "PutItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})
# Short waits: the delays themselves are tested elsewhere.
POLICY = RetryPolicy(max_attempts=6, throttle_base_delay_s=0.05, quota=None)


class Account(Item):
    id: Attr[str] = attribute(key="partition")
    owner: Attr[str] = attribute(default="")
    version: Attr[int] = attribute(default=0, version=True)
    written_by: Attr[str] = attribute(default="", write_id=True)


@dataclass
class Books:
    """What the callers got."""

    started: int = 0
    succeeded: int = 0
    refused: int = 0
    unknown: int = 0
    resolved: int = 0
    succeeded_ids: list[str] = field(default_factory=list)
    unknown_ids: list[str] = field(default_factory=list)

    def success(self, id_: str) -> None:
        self.succeeded += 1
        self.succeeded_ids.append(id_)


def plan(seed: int, mix: dict[Fault, float] | None = None) -> FaultPlan:
    return FaultPlan(seed=seed, rates=MIX if mix is None else mix, operations=WRITES)


async def run_writers(
    count: int, write: Callable[[int], Awaitable[None]], *, writers: int = WRITERS
) -> None:
    """`write(number)` for each number below the count, so many at a time."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await write(number)

    await asyncio.gather(*(work() for _ in range(writers)))


async def write_once(
    books: Books, random: Random, id_: str, call: Callable[[], Awaitable[object]], *, resolve: bool
) -> None:
    """Make one call, perhaps cancelled, and record its outcome."""
    books.started += 1
    task = asyncio.ensure_future(call())
    if random.random() < CANCELLED:
        for _ in range(random.randrange(1, 60)):
            await asyncio.sleep(0)
        task.cancel()
    unknown: BaseException | None = None
    try:
        await task
    except asyncio.CancelledError as cancellation:
        unknown = cancellation.__cause__
        if unknown is None:
            books.refused += 1
            return
    except OutcomeUnknownError as error:
        unknown = error
    except (NotSentError, ServiceError):
        books.refused += 1
        return
    else:
        books.success(id_)
        return
    assert isinstance(unknown, OutcomeUnknownError)
    if resolve:
        await resolve_unknown(books, id_, unknown)
    else:
        books.unknown += 1
        books.unknown_ids.append(id_)


async def resolve_unknown(books: Books, id_: str, error: OutcomeUnknownError) -> None:
    for _ in range(20):
        try:
            await error.resolve()
        except OutcomeUnknownError as again:
            error = again
        except DynasafeError:
            books.refused += 1
            return
        else:
            books.resolved += 1
            books.success(id_)
            return
    books.unknown += 1


def connect(proxy: FaultProxy, **options: Any) -> AsyncDynamoDB:
    """A database of the face that is tested."""
    return faces.connect(
        region_name="us-east-1",
        endpoint_url=proxy.endpoint_url,
        client_options={"aws_access_key_id": "test", "aws_secret_access_key": "test"},
        max_connections=WRITERS + 10,
        **{
            "retry": POLICY,
            "breaker": None,
            "timeout_s": 30.0,
            "attempt_timeout_s": 1.0,
            **options,
        },
    )


async def counter(
    table: AsyncTable[dict[str, Any]], count: int, seed: int, *, exactly_once: bool
) -> tuple[Books, int]:
    """Increments of several counters: the books, and what is stored."""
    books = Books()
    random = Random(seed)

    async def stored() -> int:
        keys = [{"pk": f"counter-{number}"} for number in range(COUNTERS)]
        items = await table.batch_get_item(keys, consistent_read=True)
        return int(sum(item["n"] for item in items))

    async def write(number: int) -> None:
        key = {"pk": f"counter-{random.randrange(COUNTERS)}"}
        update = UpdateBuilder().add("n", 1)

        async def call() -> object:
            return await table.update_item(key, update, exactly_once=exactly_once)

        await write_once(books, random, str(number), call, resolve=exactly_once)
        if exactly_once and number % 500 == 0:
            before = books.succeeded
            total = await stored()
            assert before <= total <= books.started

    await run_writers(count, write)
    return books, await stored()


async def appends(
    table: AsyncTable[dict[str, Any]], count: int, seed: int
) -> tuple[Books, list[str]]:
    """Each writer appends its own number to a list, exactly once."""
    books = Books()
    random = Random(seed)
    lists = 10

    async def write(number: int) -> None:
        key = {"pk": f"list-{number % lists}"}
        update = UpdateBuilder().append("l", [str(number)])

        async def call() -> object:
            return await table.update_item(key, update, exactly_once=True)

        await write_once(books, random, str(number), call, resolve=True)

    await run_writers(count, write)
    keys = [{"pk": f"list-{number}"} for number in range(lists)]
    items = await table.batch_get_item(keys, consistent_read=True)
    return books, [entry for item in items for entry in item["l"]]


async def set_members(
    table: AsyncTable[dict[str, Any]], count: int, seed: int
) -> tuple[Books, set[str]]:
    """Each writer adds its own number to a set, in the plain mode: adding is idempotent."""
    books = Books()
    random = Random(seed)

    async def write(number: int) -> None:
        update = UpdateBuilder().add("s", {str(number)})

        async def call() -> object:
            return await table.update_item({"pk": "set"}, update)

        await write_once(books, random, str(number), call, resolve=False)

    await run_writers(count, write)
    item = await table.get_item({"pk": "set"}, consistent_read=True)
    assert item is not None
    return books, item["s"]


async def creations(
    table: AsyncTable[Account], count: int, seed: int
) -> tuple[dict[str, Books], dict[str, str]]:
    """Writers race to create the same items: the books by item, and who is stored as its owner."""
    books: dict[str, Books] = {}
    random = Random(seed)
    rivals = 5

    async def write(number: int) -> None:
        account = Account(id=f"item-{number // rivals}", owner=f"writer-{number}")

        async def call() -> object:
            return await table.put_item(account, condition=Account.id.not_exists())

        own = books.setdefault(account.id, Books())
        await write_once(own, random, account.owner, call, resolve=False)

    await run_writers(count, write)
    items = await table.batch_get_item([{"id": key} for key in books], consistent_read=True)
    return books, {item.id: item.owner for item in items}


async def versions(table: AsyncTable[Account], count: int, seed: int) -> tuple[Books, int]:
    """Writers change one versioned item, which is there, reading it again each time.

    Gives the books, and how often the version has advanced.
    """
    books = Books()
    random = Random(seed)

    async def write(number: int) -> None:
        account = await table.get_item({"id": "a"}, consistent_read=True)
        assert account is not None
        account.owner = f"writer-{number}"

        async def call() -> object:
            return await table.put_item(account)

        await write_once(books, random, str(number), call, resolve=False)

    await run_writers(count, write, writers=8)
    account = await table.get_item({"id": "a"}, consistent_read=True)
    assert account is not None
    return books, account.version - 1
