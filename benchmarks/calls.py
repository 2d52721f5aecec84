"""Calls over a socket: what one costs the client's process in CPU time.

The stub server answers at once and in another process, so the time that passes says little, and
what a service pays for is the CPU: user and system time of all threads, from `process_time`, around
a fixed number of calls. pyperf times functions and not coroutines under 32 callers, so the rounds
are made here: all contenders live in one process and take turns, another one first in each round.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from time import process_time
from typing import NamedTuple

from benchmarks.contenders import load
from benchmarks.figures import OURS, Figure, Target
from benchmarks.stub_server import stub_server
from benchmarks.work import Calls

GROUP = "A call, in CPU time of the client's process"
TABLE = "aioboto3 Table"
CLIENT = "aioboto3 client"

CONTENDERS = {
    OURS: "by_dynasafe:connect_typed",
    "dynasafe, plain dicts": "by_dynasafe:connect",
    TABLE: "by_hand:connect_table",
    CLIENT: "by_hand:connect_client",
    "aiodynamo": "by_aiodynamo:connect",
    "pydynox (Rust)": "by_pydynox:connect",
    "bare aiohttp POST": "by_http:connect_aiohttp",
    "bare asyncio protocol": "by_http:connect_protocol",
}

_CALL_TARGETS = (
    Target(kind="at most times", bound=0.90, against=TABLE),
    Target(kind="at most times", bound=1.08, against=CLIENT),
)


class Work(NamedTuple):
    """One operation, under so many callers at once."""

    title: str
    operation: str
    callers: int
    calls: int
    """How many in one round."""
    targets: tuple[Target, ...] = ()


WORKS = (
    Work("update, 1 caller", "update", 1, 640, _CALL_TARGETS),
    Work("update, 32 callers", "update", 32, 640, _CALL_TARGETS),
    Work("get", "get", 32, 640),
    Work("put", "put", 32, 640),
    Work("query of 100 items", "query", 32, 64),
)

Call = Callable[[int], Awaitable[object]]


async def cpu_per_call_us(call: Call, *, calls: int, callers: int) -> float:
    """Microseconds of CPU time per call."""
    each = calls // callers

    async def caller(first: int) -> None:
        for turn in range(first, first + each):
            await call(turn)

    gc.collect()
    start_s = process_time()
    await asyncio.gather(*(caller(number * each) for number in range(callers)))
    return (process_time() - start_s) / (each * callers) * 1e6


def measure(rounds: int, *, is_fast: bool) -> list[Figure]:
    with stub_server() as endpoint_url:
        return asyncio.run(_measure(endpoint_url, rounds, divisor=10 if is_fast else 1))


async def _measure(endpoint_url: str, rounds: int, *, divisor: int) -> list[Figure]:
    async with AsyncExitStack() as stack:
        contenders = {
            name: await stack.enter_async_context(load(where)(endpoint_url))
            for name, where in CONTENDERS.items()
        }
        gc.collect()
        gc.freeze()  # what all have loaded together is no cost of a call of any
        return [await _interleaved(work, contenders, rounds, divisor) for work in WORKS]


async def _interleaved(
    work: Work, contenders: dict[str, Calls], rounds: int, divisor: int
) -> Figure:
    print(f"calls: {work.title}", flush=True)
    able = {
        name: call
        for name, calls in contenders.items()
        if (call := getattr(calls, work.operation)) is not None
    }
    count = max(work.calls // divisor, work.callers)
    taken: dict[str, list[float]] = {name: [] for name in able}
    for call in able.values():
        await cpu_per_call_us(call, calls=work.callers, callers=work.callers)  # opens connections
    names = list(able)
    for round_ in range(rounds):
        first = round_ % len(names)
        for name in names[first:] + names[:first]:
            taken[name].append(await cpu_per_call_us(able[name], calls=count, callers=work.callers))
    return Figure(group=GROUP, title=work.title, unit="us", rounds=taken, targets=work.targets)
