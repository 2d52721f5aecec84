"""`dynasafe logs`: known DynamoDB errors in log files and in CloudWatch Logs."""

from __future__ import annotations

import argparse
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from dynasafe.logs import cloudwatch, deploy
from dynasafe.logs.dashboards import cloudwatch_dashboard, grafana_dashboard
from dynasafe.logs.options import Progress, add_report_arguments, new_tally, report
from dynasafe.logs.scanning import BLOCK_BYTES, scan_blocks
from dynasafe.logs.signatures import SIGNATURES

_STDIN = "-"
_GZIP = b"\x1f\x8b"


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
    watched = commands.add_parser("cloudwatch", help="log groups of CloudWatch Logs")
    cloudwatch.add_arguments(watched)
    watched.set_defaults(action=cloudwatch.run)
    deployed = commands.add_parser("deploy", help="write metric filters and alarms for them")
    deploy.add_arguments(deployed)
    deployed.set_defaults(action=deploy.run)
    board = commands.add_parser("dashboard", help="write a dashboard of the metrics")
    board.add_argument("--as", dest="form", choices=["cloudwatch", "grafana"], required=True)
    board.add_argument("--service", default="people", help="the name given to EmfHook")
    board.add_argument("--region", default="us-east-1", help="for CloudWatch")
    board.set_defaults(action=_dashboard)
    known = commands.add_parser("signatures", help="list the known signatures")
    known.add_argument("--format", choices=["text", "json"], default="text")
    known.set_defaults(action=_signatures)


def run(given: argparse.Namespace) -> int:
    try:
        status: int = given.action(given)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return status


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
    """The blocks of a file, decompressed if it is gzip."""
    source = cast(io.BufferedReader, file)
    if source.peek(2)[:2] == _GZIP:
        with gzip.GzipFile(fileobj=source) as unpacked:
            while block := unpacked.read(BLOCK_BYTES):
                yield block
        return
    while block := source.read1(BLOCK_BYTES):
        yield block


def _dashboard(given: argparse.Namespace) -> int:
    sys.stdout.write(
        grafana_dashboard()
        if given.form == "grafana"
        else cloudwatch_dashboard(given.service, region=given.region)
    )
    return 0


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
