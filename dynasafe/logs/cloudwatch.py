"""`dynasafe logs cloudwatch`: known DynamoDB errors in CloudWatch Logs."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from dynasafe.logs.fetch import Reader, logs_client
from dynasafe.logs.grouping import Tally
from dynasafe.logs.options import Progress, add_report_arguments, new_tally, report
from dynasafe.logs.patterns import filter_patterns, insights_queries
from dynasafe.logs.signatures import BY_CODE
from dynasafe.logs.steps import Window, filtered, queried

FOLLOW_S = 5.0
LATE_S = 60.0
"""Seconds between two polls of `--follow`, and how late an event may arrive and still be found."""

_AGO = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("groups", nargs="+", metavar="GROUP", help="log groups by name")
    parser.add_argument("--since", required=True, metavar="TIME", help="10m, 24h, 7d, or ISO 8601")
    parser.add_argument("--until", metavar="TIME", help="default: now")
    parser.add_argument("--profile")
    parser.add_argument("--region")
    parser.add_argument(
        "--engine",
        choices=["filter", "insights"],
        default="filter",
        help="FilterLogEvents, or Logs Insights, which costs by the data that it scans",
    )
    parser.add_argument("--streams", metavar="PREFIX", help="only these streams; engine filter")
    parser.add_argument(
        "--all-lines", action="store_true", help="read every event, to find errors of several lines"
    )
    parser.add_argument(
        "--max-gb",
        type=float,
        default=10.0,
        metavar="N",
        help="the most data that Insights may scan",
    )
    parser.add_argument("--follow", action="store_true", help="go on until interrupted")
    add_report_arguments(parser)


def run(
    given: argparse.Namespace,
    *,
    client: Any = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Scan and report; returns the exit status. Tests pass the client and the clock.

    Raises:
        ValueError: the options contradict each other, or boto3 is missing.
    """
    window = Window(
        _milliseconds(given.since, now()),
        _milliseconds(given.until, now()) if given.until else _at(now()),
    )
    if window.start_ms >= window.end_ms:
        raise ValueError("--since is not before --until. Fix: give an earlier --since.")
    if given.engine == "insights" and (given.follow or given.streams or given.all_lines):
        raise ValueError(
            "Insights has no --follow, --streams or --all-lines. Fix: --engine filter."
        )
    tally = new_tally(given)
    if not tally.codes:
        raise ValueError("No signature is left. Fix: use fewer of --level, --select, --ignore.")
    if client is None:
        client = logs_client(profile=given.profile, region=given.region)
    progress = Progress()
    reader = Reader(
        client,
        tally,
        sleep=sleep,
        may_repeat=given.follow or not given.all_lines,
        joins_lines=given.all_lines,
        progress=progress,
    )
    try:
        if given.engine == "insights":
            _check_size(client, given.groups, window, now(), given.max_gb)
            _query(reader, tally, given.groups, window)
        else:
            _filter(reader, tally, given, window)
            while given.follow:
                sleep(FOLLOW_S)
                later = Window(window.end_ms - int(LATE_S * 1000), _at(now()))
                _filter(reader, tally, given, later)
                window = later
    except KeyboardInterrupt:
        if not given.follow:
            tally.gaps.append("what comes after the interruption")
    finally:
        progress.close()
    reader.finish()
    return report(
        tally,
        given,
        source=f"events in {reader.requests:,} requests",
        window_ms=window.end_ms - window.start_ms,
    )


def _filter(reader: Reader, tally: Tally, given: argparse.Namespace, window: Window) -> None:
    signatures = [BY_CODE[code] for code in sorted(tally.codes)]
    patterns = [None] if given.all_lines else filter_patterns(signatures)
    for group in given.groups:
        for pattern in patterns:
            reader.run(filtered(group, window, pattern=pattern, stream_prefix=given.streams))


def _query(reader: Reader, tally: Tally, groups: list[str], window: Window) -> None:
    for query in insights_queries([BY_CODE[code] for code in sorted(tally.codes)]):
        reader.run(queried(groups, window, query))


def _check_size(
    client: Any, groups: list[str], window: Window, now: datetime, max_gb: float
) -> None:
    """Refuse a scan that would exceed --max-gb, by the sizes of the log groups.

    Raises:
        ValueError: the scan would exceed it.
    """
    total_gb = 0.0
    for name in groups:
        page = client.describe_log_groups(logGroupNamePrefix=name)
        for each in page.get("logGroups", ()):
            if each["logGroupName"] == name:
                age_ms = max(1, _at(now) - each.get("creationTime", 0))
                kept_ms = min(age_ms, each.get("retentionInDays", 10**6) * 86_400_000)
                share = min(1.0, (window.end_ms - window.start_ms) / kept_ms)
                total_gb += each.get("storedBytes", 0) * share / 1e9
    if total_gb > max_gb:
        raise ValueError(
            f"Insights would scan about {total_gb:.1f} GB. Fix: --max-gb {total_gb + 0.1:.1f}, a "
            "shorter time, or --engine filter."
        )
    sys.stderr.write(f"Insights will scan about {total_gb:.1f} GB.\n")


def _milliseconds(text: str, now: datetime) -> int:
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return _at(now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"{text!r} is not a time. Fix: use 10m, 24h, 7d, or 2026-11-26T10:00Z."
        ) from error
    return _at(at if at.tzinfo else at.replace(tzinfo=UTC))


def _at(time: datetime) -> int:
    return int(time.timestamp() * 1000)
