"""Public repositories, as `make migrate-corpus` clones them, and what --migrate proves of them."""

from __future__ import annotations

import ast
import os
import sys
from collections import Counter
from pathlib import Path

from dynasafe.lint.migrate import migrate_source
from dynasafe.lint.module import Module
from tests.precision.findings import files

CORPUS = Path(os.environ["DYNASAFE_MIGRATE_CORPUS"])


def test_proved() -> None:
    """Of 380 updates at least 250 are proved, and what is rewritten parses."""
    seen: set[tuple[str, ...]] = set()
    left: Counter[str] = Counter()
    proved = 0
    for name, source in files(CORPUS):
        updates = tuple(
            ast.dump(call.node)
            for call in Module(source).known_calls()
            if call.operation == "UpdateItem"
        )
        if not updates or updates in seen:  # repositories copy each other
            continue
        seen.add(updates)
        migrated = migrate_source(source)
        ast.parse(migrated.text, name)
        proved += migrated.count
        left.update(migrated.reasons)

    total = proved + left.total()
    sys.stdout.write(f"{total} updates, {proved} migrated\n")
    sys.stdout.writelines(f"{count:>5} {reason}\n" for reason, count in left.most_common())
    assert total >= 380
    assert proved >= 250
