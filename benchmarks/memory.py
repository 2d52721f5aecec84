"""The peak memory of long reads and writes.

    python -m benchmarks.memory query-ours 100000 http://127.0.0.1:8000

Each is done in a process of its own: first a small one, so that all is loaded and connected, and
then the long one. The figure is how far the resident set rose above where it stood in between:
Linux reports the highest since it was reset (`VmHWM`, `clear_refs`).
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.contenders import by_dynasafe, by_hand
from benchmarks.figures import OURS, Figure, Target
from benchmarks.stub_server import CROWD_SIZE, CROWD_TABLE_NAME, stub_server
from benchmarks.work import TABLE_NAME
from dynasafe import Attr, Item, attribute

TABLE = "aioboto3 Table"


class Visit(Item):
    id: Attr[str] = attribute(key="partition")
    turn: Attr[int] = attribute(key="sort")
    name: Attr[str]


async def query_ours(count: int, endpoint_url: str) -> None:
    async with by_dynasafe.database(endpoint_url) as db:
        await db.table(TABLE_NAME).query(Visit.id == "p1", max_items=1).to_list()
        visits = db.table(CROWD_TABLE_NAME, Visit)
        with _rise():
            seen = 0
            async for _ in visits.query(Visit.id == "p1", max_items=count):
                seen += 1
            assert seen == count


async def query_theirs(count: int, endpoint_url: str) -> None:
    import aioboto3
    from boto3.dynamodb.conditions import Key

    session = aioboto3.Session()
    async with session.resource("dynamodb", **by_hand.options(endpoint_url)) as service:
        await (await service.Table(TABLE_NAME)).query(KeyConditionExpression=Key("id").eq("p1"))
        table = await service.Table(CROWD_TABLE_NAME)
        with _rise():
            seen = 0
            start: dict[str, Any] = {}
            while seen < count:
                page = await table.query(KeyConditionExpression=Key("id").eq("p1"), **start)
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
                for _ in page["Items"]:
                    seen += 1


async def write_ours(count: int, endpoint_url: str) -> None:
    async with by_dynasafe.database(endpoint_url) as db:
        visits = db.table(TABLE_NAME, Visit)
        await visits.batch_write_item(put=_visits(25))
        with _rise():
            await visits.batch_write_item(put=_visits(count), timeout_s=None)


async def write_theirs(count: int, endpoint_url: str) -> None:
    import aioboto3

    session = aioboto3.Session()
    async with session.resource("dynamodb", **by_hand.options(endpoint_url)) as service:
        table = await service.Table(TABLE_NAME)
        async with table.batch_writer() as batch:
            await batch.put_item(Item={"id": "p1"})
        with _rise():
            async with table.batch_writer() as batch:
                for turn in range(count):
                    item = {"id": "p1", "turn": turn, "name": f"Ada {turn}"}
                    await batch.put_item(Item=item)


def _visits(count: int) -> Iterator[Visit]:
    return (Visit(id="p1", turn=turn, name=f"Ada {turn}") for turn in range(count))


@contextmanager
def _rise() -> Iterator[None]:
    """Print by how many KiB the resident set rises in the block."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # forget the highest so far
    before_kib = resident_kib()
    yield
    print(_status_kib("VmHWM") - before_kib)


def resident_kib() -> int:
    """The resident set of this process."""
    return _status_kib("VmRSS")


def _status_kib(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{name}:")[2].split(maxsplit=1)[0])


TASKS: dict[str, Callable[[int, str], Coroutine[Any, Any, None]]] = {
    "query-ours": query_ours,
    "query-theirs": query_theirs,
    "write-ours": write_ours,
    "write-theirs": write_theirs,
}


def risen_mib(task: str, count: int, endpoint_url: str) -> float:
    """By how many MiB a new process rises over the task."""
    command = [sys.executable, "-m", "benchmarks.memory", task, str(count), endpoint_url]
    output = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent
    ).stdout
    return int(output) / 1024


def measure(*, is_fast: bool) -> list[Figure]:
    """The peaks of two sizes each, of which the larger one should be bounded."""
    pages = {f"{count} of {CROWD_SIZE:,}": count * CROWD_SIZE for count in (1, 10)}
    items = (1_000, 10_000) if is_fast else (10_000, 100_000)
    batches = {f"{count:,} items": count for count in items}
    first, last = pages
    largest = list(batches)[-1]
    works = [
        (
            "Memory of a query by pages, at its peak",
            "query",
            pages,
            Target(kind="at most times", bound=1.5, contender=last, against=first),
        ),
        (
            # In MiB, because a ratio of small values says little; the items alone are 100 MiB and
            # more.
            "Memory of a batch write, at its peak",
            "write",
            batches,
            Target(kind="at most", bound=4, contender=largest),
        ),
    ]
    figures = []
    with stub_server() as endpoint_url:
        for group, task, sizes, bounded in works:
            for library, suffix in ((OURS, "ours"), (TABLE, "theirs")):
                print(f"memory: {task}, {library}", flush=True)
                rounds = {
                    size: [risen_mib(f"{task}-{suffix}", count, endpoint_url)]
                    for size, count in sizes.items()
                }
                targets = (bounded,) if library == OURS else ()
                figures.append(
                    Figure(group=group, title=library, unit="MiB", rounds=rounds, targets=targets)
                )
    return figures


if __name__ == "__main__":
    _, name, size, url = sys.argv
    asyncio.run(TASKS[name](int(size), url))
