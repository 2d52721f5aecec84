"""The command line: `python -m dynasafe explain DYS203`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dynasafe.findings.catalog import EXPLANATIONS, index, page


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m dynasafe")
    commands = parser.add_subparsers(dest="command", required=True)
    explain = commands.add_parser("explain", help="what a finding's code means")
    explain.add_argument("codes", nargs="*", metavar="DYSnnn", help="none: all")
    explain.add_argument("--write", type=Path, metavar="FOLDER", help="pages and an index there")
    given = parser.parse_args(arguments)
    codes = [code.upper() for code in given.codes] or sorted(EXPLANATIONS)
    unknown = [code for code in codes if code not in EXPLANATIONS]
    if unknown:
        sys.stderr.write(f"There is no {', '.join(unknown)}. Fix: `explain` alone lists all.\n")
        return 2
    if given.write is not None:
        given.write.mkdir(parents=True, exist_ok=True)
        (given.write / "index.md").write_text(index())
    for code in codes:
        if given.write is not None:
            (given.write / f"{code}.md").write_text(page(code))
        elif given.codes:
            sys.stdout.write(page(code))
        else:
            sys.stdout.write(f"{code}  {EXPLANATIONS[code].title}\n")
    return 0
