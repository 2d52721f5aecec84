"""What `dynasafe lint` finds in a tree, in a form that stays when lines move."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynasafe.lint.engine import check_source, may_have_calls
from dynasafe.lint.files import decode
from dynasafe.lint.fixes import fix_source
from dynasafe.lint.migrate import migrate_source
from dynasafe.lint.source import Source

VERDICTS = Path(__file__).parent.parent / "data" / "lint_verdicts.json"

Key = tuple[str, str, str, str]
"""Path, code, function and the text that is meant."""


@dataclass
class Looked:
    """What came of a tree."""

    found: Counter[Key]
    call_count: int = 0
    update_count: int = 0
    migrated_count: int = 0


def files(folder: Path) -> Iterator[tuple[str, Source]]:
    """The files that may have calls, and that this Python can parse."""
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        if may_have_calls(content):
            name = path.relative_to(folder).as_posix()
            try:
                text, _ = decode(content)
                yield name, Source(text, name)
            except (SyntaxError, ValueError):
                continue


def look(folder: Path) -> Looked:
    """Check, fix and migrate every file; nothing is written, and nothing may raise."""
    looked = Looked(Counter())
    for name, source in files(folder):
        report = check_source(source)
        looked.call_count += report.call_count
        for problem, function in zip(report.problems, report.names, strict=True):
            text = source.text[problem.span[0] : problem.span[1]]
            looked.found[name, problem.code, function, text[:60]] += 1
        fixed = fix_source(source, unsafe=True)
        if fixed.text != source.text:
            again = fix_source(Source(fixed.text, name), unsafe=True)
            assert again.text == fixed.text, name
        migrated = migrate_source(source)
        looked.migrated_count += migrated.count
        looked.update_count += migrated.count + len(migrated.left)
    return looked


def judged() -> list[dict[str, Any]]:
    """The findings in the packages of others, each with a verdict.

    "true" is a fault, "harmless" a finding about code that does what it should, and "deliberate"
    one whose author knew.
    """
    verdicts: list[dict[str, Any]] = json.loads(VERDICTS.read_text())
    return verdicts
