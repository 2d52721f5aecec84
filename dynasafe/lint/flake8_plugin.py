"""The rules of `dynasafe lint` in flake8. `pip install flake8 dynasafe` turns them on.

flake8 has no fixes, and has its own selection and `# noqa`. The codes of level risk are off until
`extend-select` names them.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dynasafe.lint.engine import RULES, check_source, may_have_calls
from dynasafe.lint.files import nearest_config
from dynasafe.lint.settings import Selection
from dynasafe.lint.source import Source

_RISKS = [code for code, rule in RULES.items() if rule.level == "risk"] + ["DYS399"]


class Plugin:
    """One file, as flake8 gives it."""

    name = "dynasafe"
    version: str = version("dynasafe")

    def __init__(self, tree: object, filename: str, lines: list[str]) -> None:
        del tree  # it has lost comments and exact places
        self._filename = filename
        self._text = "".join(lines)

    @classmethod
    def add_options(cls, parser: Any) -> None:
        """Leave out codes of level risk, unless they are selected."""
        parser.extend_default_ignore(_RISKS)

    def run(self) -> Iterator[tuple[int, int, str, type]]:
        """Line, column, text and the plugin, for each finding."""
        if not may_have_calls(self._text.encode(errors="replace")):
            return
        config = nearest_config(Path(self._filename).resolve().parent)
        source = Source(self._text, self._filename)
        report = check_source(
            source, selection=Selection(select=("DYS", *_RISKS)), settings=config.settings.rules
        )
        for problem in report.problems:
            place = source.place(problem.span[0])
            text = f"{problem.code} {problem.message}. Fix: {problem.fix}"
            yield place.line, place.column - 1, text, type(self)
