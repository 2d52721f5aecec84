"""Finds calls of boto3 and aioboto3 in source code that will fail, before they run.

`dynasafe lint` is the command. These are its parts, for editors and for your own checks. Nothing
here reads or writes files.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynasafe.lint.engine import FileReport, check_source
    from dynasafe.lint.fixes import Fixed, FixError, fix_source
    from dynasafe.lint.migrate import Left, Migrated, migrate_source
    from dynasafe.lint.module import RuleSettings
    from dynasafe.lint.problem import Edit, Problem
    from dynasafe.lint.receivers import Declared
    from dynasafe.lint.settings import Selection
    from dynasafe.lint.source import Source

__all__ = [
    "Declared",
    "Edit",
    "FileReport",
    "FixError",
    "Fixed",
    "Left",
    "Migrated",
    "Problem",
    "RuleSettings",
    "Selection",
    "Source",
    "check_source",
    "fix_source",
    "migrate_source",
]

# Loaded at first use: the command checks most files without them.
_HOMES = {
    "Declared": "receivers",
    "Edit": "problem",
    "FileReport": "engine",
    "FixError": "fixes",
    "Fixed": "fixes",
    "Left": "migrate",
    "Migrated": "migrate",
    "Problem": "problem",
    "RuleSettings": "module",
    "Selection": "settings",
    "Source": "source",
    "check_source": "engine",
    "fix_source": "fixes",
    "migrate_source": "migrate",
}

if not TYPE_CHECKING:  # with it, a type checker would accept any name

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
