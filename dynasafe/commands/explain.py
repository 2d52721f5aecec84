"""`dynasafe explain DYS203`: what a finding's code means."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dynasafe.findings.catalog import EXPLANATIONS, index, page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("codes", nargs="*", metavar="DYSnnn", help="none: all")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="pages and an index there")


def run(given: argparse.Namespace) -> int:
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
