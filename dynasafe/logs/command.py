"""`dynasafe logs`: known DynamoDB errors in log files and in CloudWatch Logs."""

from __future__ import annotations

import argparse
import gzip
import io
import json
import sys
import time
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from dynasafe.logs.grouping import Tally, baseline_of, is_new
from dynasafe.logs.reports import github_report, json_report, text_report
from dynasafe.logs.scanning import BLOCK_BYTES, scan_blocks
from dynasafe.logs.signatures import BY_CODE, SIGNATURES, Level

_STDIN = "-"
_GZIP = b"\x1f\x8b"
_PROGRESS_S = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="logs_command", required=True, metavar="COMMAND")
    scan = commands.add_parser("scan", help="log files, or standard input")
    scan.add_argument(
        "files",
        nargs="*",
        default=[_STDIN],
        metavar="FILE",
        help="text, JSON lines or gzip; -: stdin",
    )
    add_report_arguments(scan)
    scan.set_defaults(action=_scan)
    known = commands.add_parser("signatures", help="the signatures that a scan knows")
    known.add_argument("--format", choices=["text", "json"], default="text")
    known.set_defaults(action=_signatures)


def run(given: argparse.Namespace) -> int:
    try:
        status: int = given.action(given)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return status


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that every kind of scan has."""
    parser.add_argument("--level", type=_levels, metavar="LEVELS", help="only these: bug,outage")
    parser.add_argument("--select", type=_codes, metavar="CODES", help="only these: DYS401,DYS45")
    parser.add_argument("--ignore", type=_codes, metavar="CODES", help="all but these")
    parser.add_argument("--format", choices=["text", "json", "github"], default="text")
    parser.add_argument("--baseline", type=Path, metavar="FILE", help="an earlier JSON report")
    parser.add_argument(
        "--fail-on",
        type=_levels,
        default=frozenset({Level.BUG, Level.OWN}),
        metavar="LEVELS",
        help="levels that make the exit status 1; default: bug,own",
    )
    parser.add_argument(
        "--min-count", type=int, default=1, metavar="N", help="leave out rarer ones"
    )
    parser.add_argument("--unknown", action="store_true", help="count errors without a signature")
    parser.add_argument(
        "--raw", action="store_true", help="show records as logged: may have personal data"
    )


def new_tally(given: argparse.Namespace) -> Tally:
    """An empty tally of the codes that were asked for."""
    codes = frozenset(
        each.code
        for each in SIGNATURES
        if (given.level is None or each.level in given.level)
        and (given.select is None or each.code.startswith(given.select))
        and (given.ignore is None or not each.code.startswith(given.ignore))
    )
    return Tally(codes, with_unknown=given.unknown, keep_raw=given.raw)


def report(
    tally: Tally, given: argparse.Namespace, *, source: str, window_ms: int | None = None
) -> int:
    """Write the report; the exit status: 2 for an incomplete scan, 1 for something that fails."""
    baseline = None
    if given.baseline is not None:
        baseline = baseline_of(json.loads(given.baseline.read_text("utf-8")))
    days = tally.days(window_ms)
    if given.format == "json":
        text = json_report(tally, min_count=given.min_count, days=days)
    elif given.format == "github":
        text = github_report(tally, min_count=given.min_count, fail_on=given.fail_on)
    else:
        text = text_report(
            tally, min_count=given.min_count, baseline=baseline, days=days, source=source
        )
    sys.stdout.write(f"{text}\n" if text else "")
    if not tally.is_complete:
        return 2
    fails = any(
        group.is_certain
        and group.signature.level in given.fail_on
        and (baseline is None or is_new(group, baseline, days))
        for group in tally.sorted_groups(min_count=given.min_count)
    )
    return 1 if fails else 0


class Progress:
    """A line on standard error every two seconds, where that is a terminal."""

    def __init__(self) -> None:
        self._next_s = time.monotonic() + _PROGRESS_S
        self._is_shown = sys.stderr.isatty()

    def __call__(self, text: str) -> None:
        if self._is_shown and time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + _PROGRESS_S
            sys.stderr.write(f"\r{text}\x1b[K")
            sys.stderr.flush()

    def close(self) -> None:
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")


def _scan(given: argparse.Namespace) -> int:
    tally = new_tally(given)
    progress = Progress()
    files = given.files or [_STDIN]
    try:
        for name in files:
            label = "standard input" if name == _STDIN else name
            try:
                scan_blocks(
                    _blocks(name),
                    tally,
                    stream=label,
                    progress=partial(_show, progress, label),
                )
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                tally.gaps.append(f"the end of {label}, which is damaged ({type(error).__name__})")
    except KeyboardInterrupt:
        tally.gaps.append("what comes after the interruption")
    finally:
        progress.close()
    return report(tally, given, source=f"lines in {len(files)} file{'s' if len(files) > 1 else ''}")


def _show(progress: Progress, label: str, size_bytes: int) -> None:
    progress(f"{label}: {size_bytes / 1e6:,.0f} MB")


def _blocks(name: str) -> Iterator[bytes]:
    if name == _STDIN:
        yield from _read(sys.stdin.buffer)
        return
    with Path(name).open("rb") as file:
        yield from _read(file)


def _read(file: BinaryIO) -> Iterator[bytes]:
    """The blocks of a file, unpacked if it is packed with gzip."""
    source = cast(io.BufferedReader, file)
    if source.peek(2)[:2] == _GZIP:
        with gzip.GzipFile(fileobj=source) as unpacked:
            while block := unpacked.read(BLOCK_BYTES):
                yield block
        return
    while block := source.read1(BLOCK_BYTES):
        yield block


def _signatures(given: argparse.Namespace) -> int:
    if given.format == "json":
        rows = [
            {
                "code": each.code,
                "level": str(each.level),
                "title": each.title,
                "needles": [list(needle) for needle in each.needles],
                "evidence": each.evidence.value,
                "fix": each.fix,
            }
            for each in SIGNATURES
        ]
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return 0
    sys.stdout.writelines(
        f"{each.code}  {each.level:<9} {each.title}: {' ... '.join(each.needles[0])}\n"
        for each in SIGNATURES
    )
    return 0


def _levels(text: str) -> frozenset[Level]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(Level)]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{', '.join(unknown)}: no level. Fix: give some of {', '.join(Level)}."
        )
    return frozenset(Level(name) for name in names)


def _codes(text: str) -> tuple[str, ...]:
    codes = tuple(code.strip().upper() for code in text.split(",") if code.strip())
    unknown = [code for code in codes if not any(known.startswith(code) for known in BY_CODE)]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{', '.join(unknown)}: no code. Fix: `dynasafe logs signatures` lists all."
        )
    return codes
