"""The CPU time of the client's process for a call over a socket.

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
from functools import partial
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import NamedTuple

from benchmarks.certificates import make_certificate
from benchmarks.contenders import is_installed, load
from benchmarks.figures import OURS, Figure, Target
from benchmarks.stub_server import stub_server
from benchmarks.work import Calls

GROUP = "A call, in CPU time of the client's process"
TLS_GROUP = "A call over TLS 1.3, in CPU time of the client's process"
LATENCY_GROUP = "An update's time until its answer, 32 callers"
TABLE = "aioboto3 Table"
CLIENT = "aioboto3 client"
DYNAMOXY = "dynamoxy (Rust)"
PYDYNOX = "pydynox (Rust)"
AIODYNAMO = "aiodynamo"

CONTENDERS = {
    OURS: "by_dynasafe:connect_typed",
    "dynasafe, with a hook": "by_dynasafe:connect_observed",
    "dynasafe, plain dicts": "by_dynasafe:connect",
    TABLE: "by_hand:connect_table",
    CLIENT: "by_hand:connect_client",
    AIODYNAMO: "by_aiodynamo:connect",
    PYDYNOX: "by_pydynox:connect",
    DYNAMOXY: "by_dynamoxy:connect",
    "capo": "by_capo:connect",
    "aws-sdk-dynamodb": "by_aws_sdk:connect",
    "bare aiohttp POST": "by_http:connect_aiohttp",
    "bare asyncio protocol": "by_http:connect_protocol",
}

# Contenders that need a newer Python than dynasafe.
_PACKAGES = {DYNAMOXY: "dynamoxy", "capo": "capo_dynamodb", "aws-sdk-dynamodb": "aws_sdk_dynamodb"}
OVER_TLS = (OURS, DYNAMOXY, AIODYNAMO, CLIENT)


def _beside(peer: str, bound: float) -> Target:
    return Target(kind="at most times", bound=bound, against=peer)


class Work(NamedTuple):
    """One operation, with a number of concurrent callers."""

    title: str
    operation: str
    callers: int
    calls: int
    """The number of calls in one round."""
    targets: tuple[Target, ...] = ()


WORKS = (
    Work(
        *("update, 1 caller", "update", 1, 640),
        (_beside(DYNAMOXY, 0.50), _beside(AIODYNAMO, 0.45), _beside(TABLE, 0.90)),
    ),
    Work(
        *("update, 32 callers", "update", 32, 640),
        (_beside(DYNAMOXY, 0.60), _beside(AIODYNAMO, 0.40), _beside(TABLE, 0.90)),
    ),
    Work("get", "get", 32, 640, (_beside(DYNAMOXY, 0.60),)),
    Work("put", "put", 32, 640, (_beside(DYNAMOXY, 0.60),)),
    Work("query of 100 items", "query", 32, 64, (_beside(PYDYNOX, 1.0),)),
)
_TLS_WORKS = (
    Work("update, 1 caller", "update", 1, 640, (_beside(DYNAMOXY, 0.55),)),
    Work("update, 32 callers", "update", 32, 640, (_beside(DYNAMOXY, 0.80),)),
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


async def latencies_us(call: Call, *, calls: int, callers: int) -> list[float]:
    """Microseconds of each call, with a number of concurrent callers."""
    each = calls // callers
    taken: list[float] = []

    async def caller(first: int) -> None:
        for turn in range(first, first + each):
            start_s = perf_counter()
            await call(turn)
            taken.append((perf_counter() - start_s) * 1e6)

    gc.collect()
    await asyncio.gather(*(caller(number * each) for number in range(callers)))
    return taken


def measure(rounds: int, *, is_fast: bool) -> list[Figure]:
    divisor = 10 if is_fast else 1
    with TemporaryDirectory() as directory:
        certificate = make_certificate(Path(directory))
        # First: a library in Rust reads the trusted certificates once, with its first client.
        with stub_server(certificate) as url:
            over_tls = asyncio.run(_measure_tls(url, certificate, rounds, divisor))
    with stub_server() as url:
        return asyncio.run(_measure(url, rounds, divisor)) + over_tls


def _installed() -> dict[str, str]:
    return {
        name: where
        for name, where in CONTENDERS.items()
        if name not in _PACKAGES or is_installed(_PACKAGES[name])
    }


async def _measure(endpoint_url: str, rounds: int, divisor: int) -> list[Figure]:
    async with AsyncExitStack() as stack:
        contenders = {
            name: await stack.enter_async_context(load(where)(endpoint_url))
            for name, where in _installed().items()
        }
        _leave_out_modules()
        figures = [await _interleaved(GROUP, work, contenders, rounds, divisor) for work in WORKS]
        return figures + await _latencies(contenders, rounds, divisor)


async def _measure_tls(url: str, certificate: Path, rounds: int, divisor: int) -> list[Figure]:
    async with AsyncExitStack() as stack:
        contenders = {
            name: await stack.enter_async_context(load(where)(url, str(certificate)))
            for name, where in _installed().items()
            if name in OVER_TLS
        }
        _leave_out_modules()
        return [
            await _interleaved(TLS_GROUP, work, contenders, rounds, divisor) for work in _TLS_WORKS
        ]


def _leave_out_modules() -> None:
    """The collector walks no modules that all have loaded: they are no contender's own cost."""
    gc.collect()
    gc.freeze()


def _turns(names: list[str], round_: int) -> list[str]:
    """The names, with another one first in each round."""
    first = round_ % len(names)
    return names[first:] + names[:first]


async def _interleaved(
    group: str, work: Work, contenders: dict[str, Calls], rounds: int, divisor: int
) -> Figure:
    print(f"{group}: {work.title}", flush=True)
    able = {
        name: call
        for name, calls in contenders.items()
        if (call := getattr(calls, work.operation)) is not None
    }
    count = max(work.calls // divisor, work.callers)
    taken: dict[str, list[float]] = {name: [] for name in able}
    for round_ in range(rounds):
        for name in _turns(list(able), round_):
            # Opens connections, which may have been closed while the others had their turns.
            await cpu_per_call_us(able[name], calls=work.callers, callers=work.callers)
            taken[name].append(await cpu_per_call_us(able[name], calls=count, callers=work.callers))
    targets = tuple(each for each in work.targets if each.against in able)
    return Figure(group=group, title=work.title, unit="us", rounds=taken, targets=targets)


async def _latencies(contenders: dict[str, Calls], rounds: int, divisor: int) -> list[Figure]:
    print(LATENCY_GROUP, flush=True)
    able = {name: calls.update for name, calls in contenders.items() if not name.startswith("bare")}
    middle: dict[str, list[float]] = {name: [] for name in able}
    high: dict[str, list[float]] = {name: [] for name in able}
    for round_ in range(rounds):
        for name in _turns(list(able), round_):
            await cpu_per_call_us(able[name], calls=32, callers=32)
            taken = await latencies_us(able[name], calls=1280 // divisor, callers=32)
            percentiles = quantiles(taken, n=100)
            middle[name].append(percentiles[49])
            high[name].append(percentiles[98])
    targets = tuple(_beside(peer, 1.0) for peer in (DYNAMOXY, AIODYNAMO) if peer in able)
    made = partial(Figure, group=LATENCY_GROUP, unit="us", targets=targets)
    return [made(title="p50", rounds=middle), made(title="p99", rounds=high)]
