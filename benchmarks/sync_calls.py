"""The CPU time of the client's process for an update in sync code, next to boto3.

    python -m benchmarks.sync_calls

Both live in one process, share the stub server and take turns. boto3's client sends a request that
is written by hand; ours builds it, checks it, and has retries and circuit breakers.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import process_time
from typing import Any

from benchmarks.contenders.by_dynasafe import Person, update_of
from benchmarks.figures import OURS, Figure, Target
from benchmarks.stub_server import stub_server
from benchmarks.work import REGION, TABLE_NAME, Change

GROUP = "An update without async, in CPU time of the client's process"
BOTO3 = "boto3 client"
_KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}

Call = Callable[[int], object]


@contextmanager
def ours(endpoint_url: str) -> Iterator[Call]:
    """With all defaults: validation, retries and circuit breakers."""
    from dynasafe import DynamoDB

    with DynamoDB.connect(
        region_name=REGION, endpoint_url=endpoint_url, client_options=_KEYS
    ) as db:
        people = db.table(TABLE_NAME, Person)

        def update(turn: int) -> object:
            change = Change(f"p{turn}", f"Ada {turn}", 1, {f"tag{turn}"})
            return people.update_item({"id": change.key}, update_of(change))

        yield update


@contextmanager
def by_boto3(endpoint_url: str) -> Iterator[Call]:
    """A client with boto3's own settings; its pool has a connection for each thread."""
    import boto3
    from botocore.config import Config

    client: Any = boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=endpoint_url,
        config=Config(max_pool_connections=50),
        **_KEYS,
    )

    def update(turn: int) -> object:
        return client.update_item(
            TableName=TABLE_NAME,
            Key={"id": {"S": f"p{turn}"}},
            UpdateExpression=(
                "SET #name = :name, visits = if_not_exists(visits, :zero) + :one "
                "REMOVE email ADD tags :tags"
            ),
            ExpressionAttributeNames={"#name": "name"},
            ExpressionAttributeValues={
                ":name": {"S": f"Ada {turn}"},
                ":zero": {"N": "0"},
                ":one": {"N": "1"},
                ":tags": {"SS": [f"tag{turn}"]},
            },
        )

    yield update
    client.close()


def cpu_per_call_us(call: Call, *, calls: int, threads: int) -> float:
    """Microseconds of CPU time per call, with a number of threads."""
    each = calls // threads

    def work(first: int) -> None:
        for turn in range(first, first + each):
            call(turn)

    gc.collect()
    start_s = process_time()
    if threads == 1:
        work(0)
    else:
        running = [threading.Thread(target=work, args=(each * n,)) for n in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    return (process_time() - start_s) / (each * threads) * 1e6


def measure(rounds: int, *, is_fast: bool) -> list[Figure]:
    """At 1 thread and at 16, in one run."""
    calls = 64 if is_fast else 640
    with stub_server() as url, ours(url) as by_us, by_boto3(url) as by_them:
        contenders = {OURS: by_us, BOTO3: by_them}
        return [_interleaved(contenders, rounds, calls, threads) for threads in (1, 16)]


def _interleaved(contenders: dict[str, Call], rounds: int, calls: int, threads: int) -> Figure:
    title = f"update, {threads} thread{'s' if threads > 1 else ''}"
    print(f"{GROUP}: {title}", flush=True)
    for call in contenders.values():
        cpu_per_call_us(call, calls=threads * 4, threads=threads)  # opens connections
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for round_ in range(rounds):
        names = list(contenders)
        for name in names[round_ % 2 :] + names[: round_ % 2]:
            taken[name].append(cpu_per_call_us(contenders[name], calls=calls, threads=threads))
    target = Target(kind="at most times", bound=0.12, against=BOTO3)
    return Figure(group=GROUP, title=title, unit="us", rounds=taken, targets=(target,))


def main() -> None:
    for figure in measure(int(os.environ.get("ROUNDS", "9")), is_fast=False):
        for name in figure.rounds:
            print(f"  {name}: {figure.spread(name).middle:.0f} us")
        print(f"  ratio: {figure.ratio(OURS, BOTO3).middle:.3f}")


if __name__ == "__main__":
    main()
