"""Type checkers, and which lines each refuses.

    python -m tests.typing.checkers

prints a table of all that are installed: `make typing-all` installs them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FILES = ("right.py", "right_sync.py", "natural.py", "wrong.py", "wrong_sync.py")

Lines = set[tuple[str, int]]
"""A file and the number of a line."""


def marked(checker: str) -> Lines:
    """The lines that the checker should refuse, and those that it refuses wrongly."""
    return {
        (path.name, number)
        for path in HERE.glob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if (mark := re.search(r"# (error|right)(?:, but not for ([-\w. ]+))?$", line))
        and (mark[1] == "error") != (checker in (mark[2] or "").split())
    }


def run(*command: str) -> str:
    # The checkers ask the first python on the PATH what is installed.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    result = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout


def _paths() -> list[str]:
    return [str((HERE / name).relative_to(ROOT)) for name in FILES]


def _lines(output: str, pattern: str) -> Lines:
    return {(name, int(line)) for name, line in re.findall(pattern, output, re.MULTILINE)}


def mypy(program: str = "mypy") -> Lines:
    """Refused by mypy --strict, or by what takes its options."""
    options = ("--strict", "--no-error-summary")
    return _lines(run(program, *options, *_paths()), r"tests/typing/(\w+\.py):(\d+): error")


def pyright(program: str = "pyright") -> Lines:
    """Refused by pyright in its standard mode, or by what writes its reports."""
    report = json.loads(run(program, "--outputjson", *_paths()))
    return {
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1)
        for each in report["generalDiagnostics"]
        if each["severity"] == "error"
    }


def ty() -> Lines:
    """Refused by ty."""
    output = run("ty", "check", "--output-format", "concise", *_paths())
    return _lines(output, r"tests/typing/(\w+\.py):(\d+):\d+: error")


def pyrefly() -> Lines:
    """Refused by pyrefly."""
    output = run("pyrefly", "check", "--output-format", "min-text", *_paths())
    return _lines(output, r"ERROR .*tests/typing/(\w+\.py):(\d+)")


CHECKERS: dict[str, Callable[[], Lines]] = {
    "mypy": mypy,
    "mypy-1.15": lambda: mypy("mypy-1.15"),
    "pyright": pyright,
    "basedpyright": lambda: pyright("basedpyright"),
    "ty": ty,
    "pyrefly": pyrefly,
    "zuban": lambda: mypy("zmypy"),
}


def main() -> None:
    """The table, and each line of which a checker thinks otherwise than is marked."""
    print(f"{'checker':14}{'right refused':>14}{'wrong accepted':>16}{'known':>7}")
    for name, refused_by in CHECKERS.items():
        if shutil.which("zmypy" if name == "zuban" else name) is None:
            print(f"{name:14} is not installed")
            continue
        refused, expected = refused_by(), marked(name)
        known = len(marked("") ^ expected)
        print(f"{name:14}{len(refused - expected):14}{len(expected - refused):16}{known:7}")
        for what, lines in (("refused", refused - expected), ("accepted", expected - refused)):
            for file, line in sorted(lines):
                text = (HERE / file).read_text().splitlines()[line - 1].strip()
                print(f"    {what} {file}:{line}  {text}")


if __name__ == "__main__":
    main()
