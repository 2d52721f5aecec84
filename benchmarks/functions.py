"""Single functions, timed by pyperf, in CPU time.

    python -m benchmarks.functions --append rounds.json

pyperf calibrates, warms up, and runs each function in a process of its own; one run of this module
is one round, of all functions once. The clock is the process's CPU time, not the time that passes:
the machine is shared, and other processes do not count.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count, islice
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, NamedTuple

import pyperf

from benchmarks.contenders import load
from benchmarks.figures import FROM_SOURCE, OURS, Figure, Target
from benchmarks.work import ITEM, TEXT_ITEM, TEXT_WIRE_ITEM, WIRE_ITEM, changes, new_names
from dynasafe.values import numbers as compiled_module

MICROSECONDS = 1e6
ROOT = Path(__file__).resolve().parent.parent
"""The folder in which Python finds dynasafe's sources before the installed package."""


_turns = count()


def _handwritten(expression: str, turn: int) -> tuple[str, dict[str, Any]]:
    request = {
        "TableName": "people",
        "Key": {"id": {"S": f"p{turn}"}},
        "UpdateExpression": expression,
        "ConditionExpression": "attribute_exists(id) AND visits < :most",
        "ExpressionAttributeNames": {"#name": "name"},
        "ExpressionAttributeValues": {
            ":name": {"S": f"Ada {turn}"},
            ":zero": {"N": "0"},
            ":one": {"N": str(turn)},
            ":tags": {"SS": [f"tag{turn}"]},
            ":most": {"N": "100"},
        },
        "ReturnValues": "ALL_NEW",
    }
    return "UpdateItem", request


def seen_texts() -> Iterator[tuple[str, dict[str, Any]]]:
    """Hand-written updates with the same text and other values."""
    for turn in count():
        yield _handwritten(
            "SET #name = :name, visits = if_not_exists(visits, :zero) + :one "
            "REMOVE email ADD tags :tags",
            turn,
        )


def new_texts() -> Iterator[tuple[str, dict[str, Any]]]:
    """Hand-written updates whose text was never seen."""
    for turn in _turns:
        yield _handwritten(
            f"SET #name = :name, visits{turn} = if_not_exists(visits{turn}, :zero) + :one "
            f"REMOVE email{turn} ADD tags{turn} :tags",
            turn,
        )


def _items(item: dict[str, Any]) -> Iterator[tuple[dict[str, Any]]]:
    for turn in count():
        yield ({**item, "id": f"p{turn}"},)


def _wire_items(item: dict[str, Any]) -> Iterator[tuple[dict[str, Any]]]:
    for turn in count():
        yield ({**item, "id": {"S": f"p{turn}"}},)


def _turns_alone() -> Iterator[tuple[int]]:
    return ((turn,) for turn in count())


def _changes() -> Iterator[tuple[Any]]:
    return ((change,) for change in changes())


class Contender(NamedTuple):
    """A function that does the work, as `module:function` of `benchmarks.contenders`."""

    where: str
    arguments: tuple[Any, ...] = ()
    """The arguments before those that differ from call to call."""
    pieces: int = 1
    """How many pieces of the work one call does."""


class Work(NamedTuple):
    """The measured work, one figure each. The figures of one group share a table."""

    group: str
    title: str
    arguments: Callable[[], Iterator[tuple[Any, ...]]]
    contenders: dict[str, Contender]
    targets: tuple[Target, ...] = ()


_PEERS = ("PynamoDB", "aiodynamo")
AND_CHECKED = "dynasafe, and check_request"
BY_HAND = "by hand, boto3's serializer"
BOTO3 = "boto3's serializer"


def _faster(bound: float, *peers: str, ours: str = OURS) -> tuple[Target, ...]:
    return tuple(
        Target(kind="at least times faster", bound=bound, against=peer, contender=ours)
        for peer in peers
    )


LIBRARIES = {
    OURS: "by_dynasafe",
    "aiodynamo": "by_aiodynamo",
    "PynamoDB": "by_pynamodb",
}

WORKS = (
    Work(
        "Building an update of four actions",
        "again",
        _changes,
        {
            OURS: Contender("by_dynasafe:build"),
            AND_CHECKED: Contender("by_dynasafe:build_and_check"),
            BY_HAND: Contender("by_hand:build"),
            "aiodynamo": Contender("by_aiodynamo:build"),
            "PynamoDB": Contender("by_pynamodb:build"),
        },
        (
            Target(kind="at most times", bound=1.5, against=BY_HAND),
            Target(kind="at most times", bound=1.5, against=BY_HAND, contender=AND_CHECKED),
            *_faster(5, *_PEERS),
        ),
    ),
    Work(
        "Building an update of four actions",
        "first time, known attributes",
        _changes,
        {
            OURS: Contender("by_dynasafe:build_new_chain"),
            BY_HAND: Contender("by_hand:build"),
            "aiodynamo": Contender("by_aiodynamo:build"),
            "PynamoDB": Contender("by_pynamodb:build"),
        },
        _faster(1.5, *_PEERS),
    ),
    Work(
        "Building an update of four actions",
        "first time, names never seen",
        new_names,
        {
            OURS: Contender("by_dynasafe:build_new"),
            BY_HAND: Contender("by_hand:build_new"),
            "aiodynamo": Contender("by_aiodynamo:build_new"),
            "PynamoDB": Contender("by_pynamodb:build_new"),
        },
        _faster(1.5, *_PEERS),
    ),
    *(
        Work(
            "An item of twelve attributes",
            f"{title}, {direction}",
            partial(arguments, item),
            {
                OURS: Contender(f"by_dynasafe:{function}"),
                BOTO3: Contender(f"by_hand:{function}"),
                "aiodynamo": Contender(f"by_aiodynamo:{function}"),
                "pydynox (Rust)": Contender(f"by_pydynox:{function}"),
            },
            (*_faster(5, BOTO3), *_faster(2.5, "aiodynamo")),
        )
        for title, plain, wire in (
            ("texts", TEXT_ITEM, TEXT_WIRE_ITEM),
            ("of all types", ITEM, WIRE_ITEM),
        )
        for direction, function, arguments, item in (
            ("to wire form", "serialize", _items, plain),
            ("from wire form", "deserialize", _wire_items, wire),
        )
    ),
    Work(
        "check_request of a hand-written update",
        "a text seen before, other values",
        seen_texts,
        {OURS: Contender("by_dynasafe:check")},
        (Target(kind="at most", bound=25),),
    ),
    Work(
        "check_request of a hand-written update",
        "a text never seen",
        new_texts,
        {OURS: Contender("by_dynasafe:check")},
        (Target(kind="at most", bound=250),),
    ),
    *(
        Work(
            "Building an update whose names were never seen, per action",
            library,
            _turns_alone,
            {
                f"of {actions:,} actions": Contender(f"{where}:build_long", (actions,), actions)
                for actions in (10, 100, 1000)
            },
            (
                Target(
                    kind="at most times",
                    bound=1.25,
                    contender="of 1,000 actions",
                    against="of 100 actions",
                ),
            )
            if library == OURS
            else (),
        )
        for library, where in LIBRARIES.items()
    ),
)


def _cpu_time_of(contender: Contender, work: Work) -> Callable[[int], float]:
    """A clock for pyperf: seconds of CPU time for so many calls, each with its own arguments."""

    def time_calls(loops: int) -> float:
        function = load(contender.where)
        calls = [contender.arguments + each for each in islice(work.arguments(), loops)]
        gc.collect()
        start_s = process_time()
        for arguments in calls:
            function(*arguments)
        return process_time() - start_s

    return time_calls


def _name(work: Work, contender: str) -> str:
    return f"{work.group} / {work.title} / {contender}"


def run(module: str, *, is_compiled: bool, names: Mapping[str, str] | None = None) -> None:
    """Time the functions in this process, as pyperf's workers do.

    Args:
        module: what the workers run, which comes here with the same arguments.
        is_compiled: whether dynasafe should be; if it is not as it should be, nothing is timed.
        names: the contenders that are timed, by their names here and in the record. Without it,
            all are, under their own names.
    """
    if (Path(compiled_module.__file__).suffix != ".py") != is_compiled:
        raise SystemExit(f"not the dynasafe that {module} is about: {compiled_module.__file__}")
    runner = pyperf.Runner(program_args=("-m", module))
    for work in WORKS:
        for name, contender in work.contenders.items():
            if names is None or name in names:
                runner.bench_time_func(
                    _name(work, name if names is None else names[name]),
                    _cpu_time_of(contender, work),
                    inner_loops=contender.pieces,
                )


def _with_source(work: Work) -> dict[str, Contender]:
    """The contenders of the work; with dynasafe also its sources, not compiled."""
    with_source = {}
    for name, contender in work.contenders.items():
        with_source[name] = contender
        if name == OURS:
            with_source[FROM_SOURCE] = contender
    return with_source


def measure(directory: Path, rounds: int, *, is_fast: bool) -> list[Figure]:
    """All functions in so many rounds, with pyperf's own record of them in the directory."""
    record = directory / "pyperf.json"
    record.unlink(missing_ok=True)
    effort = ["--values", "1" if is_fast else "3", "--min-time", "0.01" if is_fast else "0.05"]
    for round_ in range(1, rounds + 1):
        print(f"functions: round {round_} of {rounds}", flush=True)
        for module, folder in (("functions", Path.cwd()), ("from_source", ROOT)):
            subprocess.run(
                [
                    *(sys.executable, "-m", f"benchmarks.{module}", "--quiet"),
                    *("--processes", "1", "--warmups", "1", *effort),
                    *("--append", str(record)),
                ],
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=folder,
            )
    suite = pyperf.BenchmarkSuite.load(str(record))
    return [
        Figure(
            group=work.group,
            title=work.title,
            unit="us",
            rounds={
                contender: [
                    median(run.values) * MICROSECONDS
                    for run in suite.get_benchmark(_name(work, contender)).get_runs()
                    if run.values
                ]
                for contender in _with_source(work)
            },
            targets=work.targets,
        )
        for work in WORKS
    ]


if __name__ == "__main__":
    run("benchmarks.functions", is_compiled=True)
