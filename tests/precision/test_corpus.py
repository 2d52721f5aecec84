"""Packages of others, as `make lint-corpus` installs them: every finding was read and judged."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

from dynasafe.lint.engine import RULES
from tests.precision.findings import judged, look

CORPUS = Path(os.environ["DYNASAFE_LINT_CORPUS"])


def test_judged() -> None:
    """A finding that is new fails here, until it is judged in tests/data/lint_verdicts.json."""
    known = Counter(
        {
            (each["path"], each["code"], each["function"], each["text"]): each["count"]
            for each in judged()
        }
    )

    looked = look(CORPUS)

    assert looked.found == known
    sys.stdout.write(
        f"{looked.call_count} calls, {sum(looked.found.values())} findings, {looked.update_count} "
        f"updates, {looked.migrated_count} migrated\n"
    )


def test_errors_are_true() -> None:
    """Every finding of level error is a fault."""
    wrong = [
        each
        for each in judged()
        if each["verdict"] != "true"
        and (each["code"] not in RULES or RULES[each["code"]].level == "error")
    ]
    assert wrong == []
