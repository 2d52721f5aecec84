"""Which files to read, and which pyproject.toml configures each."""

from __future__ import annotations

import os
import subprocess
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from pathlib import Path, PurePath

from dynasafe.lint.schemas import read_schema
from dynasafe.lint.settings import LintSettings, SettingsError, read_settings

_SKIPPED = frozenset({"node_modules", "build", "dist", "__pycache__", "venv", "site-packages"})


def python_files(path: Path) -> list[Path]:
    """The file itself, or the Python files in the folder.

    Hidden folders, virtual environments, build folders and what git ignores are left out.

    Raises:
        SettingsError: the path does not exist.
    """
    if not path.exists():
        raise SettingsError(f"{path} does not exist. Fix: give files or folders")
    return list(_below(path)) if path.is_dir() else [path]


def _below(folder: Path) -> Iterator[Path]:
    listed = _listed_by_git(folder)
    if listed is not None:
        yield from sorted(each for each in listed if not _is_skipped(each.relative_to(folder)))
        return
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(
            each
            for each in folders
            if each not in _SKIPPED
            and not each.startswith(".")
            and not (Path(root) / each / "pyvenv.cfg").exists()
        )
        yield from (Path(root) / name for name in sorted(names) if name.endswith(".py"))


def _is_skipped(path: PurePath) -> bool:
    return any(part in _SKIPPED or part.startswith(".") for part in path.parts[:-1])


def _listed_by_git(folder: Path) -> list[Path] | None:
    """The files that git tracks, and new ones that it does not ignore; None outside of git."""
    try:
        result = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.py"],
            cwd=folder,
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    names = [os.fsdecode(each) for each in result.stdout.split(b"\0") if each]
    if not names:
        return None  # a folder that git ignores, but that was given
    return [path for name in dict.fromkeys(names) if (path := folder / name).is_file()]


def decode(content: bytes) -> tuple[str, str]:
    """The text of a Python file, with its line ends, and its encoding.

    Raises:
        SyntaxError: the encoding is unknown, or does not fit the content.
    """
    encoding, _ = tokenize.detect_encoding(BytesIO(content).readline)
    try:
        return content.decode(encoding), encoding
    except UnicodeDecodeError as error:
        raise SyntaxError(f"not {encoding}: {error.reason}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """Settings, and the folder that their paths are relative to."""

    settings: LintSettings
    folder: Path


def read_config(file: Path) -> Configured:
    """The settings of a pyproject.toml.

    Raises:
        SettingsError: the file, or a schema that it names, cannot be read.
    """
    try:
        whole = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error
    try:
        settings = read_settings(whole.get("tool", {}).get("dynasafe", {}).get("lint", {}))
    except SettingsError as error:
        raise SettingsError(f"{file}: {error}") from error
    schemas = {name: read_schema(place, file.parent) for name, place in settings.schemas.items()}
    rules = replace(settings.rules, schemas=schemas)
    return Configured(settings=replace(settings, rules=rules), folder=file.parent)


@cache
def nearest_config(folder: Path) -> Configured:
    """The settings of the nearest pyproject.toml, in a folder or above it."""
    file = folder / "pyproject.toml"
    if file.is_file():
        return read_config(file)
    if folder.parent == folder:
        return Configured(settings=LintSettings(), folder=folder)
    return nearest_config(folder.parent)
