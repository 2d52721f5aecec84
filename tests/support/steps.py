"""Work that is counted, not timed: a machine's time is not the same twice."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any, Self

import dynasafe

SOURCES = str(Path(dynasafe.__file__).parent)


class Steps:
    """The lines of dynasafe that run while it is entered, each turn of a loop counted.

    With a folder, those of the Python files in it.

    Of a compiled wheel, those of what is not compiled. Nothing else counts: the garbage collector
    calls functions of other libraries whenever it likes.
    """

    def __init__(self, folder: str = SOURCES) -> None:
        self.lines = 0
        self._folder = folder

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(self._folder):
            return None
        if event == "line":
            self.lines += 1
        return self._trace
