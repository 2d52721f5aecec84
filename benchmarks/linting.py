"""What `dynasafe lint` takes beside `ast.parse`, over files with calls and over a tree with few.

The files with calls are the examples of the rules' pages, in modules of some three hundred lines.
The tree with few is botocore's and boto3's sources.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import process_time

from benchmarks.figures import OURS, Figure, Target
from dynasafe.findings.source_code import PREAMBLE, SOURCE_CODE
from dynasafe.lint.engine import check_source, may_have_calls
from dynasafe.lint.source import Source

_PARSER = "ast.parse"
_EXAMPLES_A_FILE = 24


def _with_calls() -> list[bytes]:
    examples = [text for page in SOURCE_CODE.values() for text in (page.wrong, page.right)]
    return [
        "\n\n".join([PREAMBLE, *examples[start : start + _EXAMPLES_A_FILE]]).encode()
        for start in range(0, len(examples), _EXAMPLES_A_FILE)
    ]


def _with_few() -> list[bytes]:
    folders = [Path(import_module(name).__file__ or "").parent for name in ("boto3", "botocore")]
    return [path.read_bytes() for folder in folders for path in sorted(folder.rglob("*.py"))]


def _lint(contents: list[bytes]) -> None:
    for content in contents:
        if may_have_calls(content):
            check_source(Source(content.decode()))


def _parse(contents: list[bytes]) -> None:
    for content in contents:
        ast.parse(content)


def _took_ms(work: Callable[[list[bytes]], None], contents: list[bytes]) -> float:
    start = process_time()
    work(contents)
    return (process_time() - start) * 1000


def measure(rounds: int) -> list[Figure]:
    print("linting", flush=True)
    figures = []
    for title, contents, bound in (
        ("files with calls", _with_calls(), 1 / 0.15),
        ("a tree with few", _with_few(), 1 / 1.5),
    ):
        _lint(contents)  # what is loaded once
        taken: dict[str, list[float]] = {OURS: [], _PARSER: []}
        for _ in range(rounds):
            taken[OURS].append(_took_ms(_lint, contents))
            taken[_PARSER].append(_took_ms(_parse, contents))
        lines = sum(content.count(b"\n") for content in contents)
        target = Target(kind="at most times", bound=round(bound, 2), against=_PARSER)
        figures.append(
            Figure(
                group="Lint",
                title=f"{title}, {lines} lines",
                unit="ms",
                rounds=taken,
                targets=[target],
            )
        )
    return figures
