"""Options, report and progress of every kind of scan."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from dynasafe.findings.prefixes import unmatched
from dynasafe.logs.grouping import Tally, baseline_of, is_new
from dynasafe.logs.reports import github_report, json_report, text_report
from dynasafe.logs.signatures import BY_CODE, SIGNATURES, Level

_PROGRESS_S = 2.0


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that every kind of scan has."""
    parser.add_argument("--level", type=_levels, metavar="LEVELS", help="only levels: bug,outage")
    parser.add_argument("--select", type=_codes, metavar="CODES", help="only codes: DYS401,DYS45")
    parser.add_argument("--ignore", type=_codes, metavar="CODES", help="not these codes")
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
        "--min-count", type=int, default=1, metavar="N", help="leave out groups with fewer records"
    )
    parser.add_argument("--unknown", action="store_true", help="count errors without a signature")
    parser.add_argument(
        "--raw", action="store_true", help="show records as logged; they may have personal data"
    )


def new_tally(given: argparse.Namespace) -> Tally:
    """An empty tally for the selected codes."""
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
    """Write the report. Returns 2 for an incomplete scan, 1 for findings that fail it, else 0."""
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
    """Writes a line on standard error every two seconds, if that is a terminal."""

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


def _levels(text: str) -> frozenset[Level]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(Level)]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{', '.join(unknown)}: not a level. Fix: use some of {', '.join(Level)}."
        )
    return frozenset(Level(name) for name in names)


def _codes(text: str) -> tuple[str, ...]:
    codes = tuple(code.strip().upper() for code in text.split(",") if code.strip())
    unknown = unmatched(codes, BY_CODE)
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{', '.join(unknown)}: not a code. Fix: `dynasafe logs signatures` lists all codes."
        )
    return codes
