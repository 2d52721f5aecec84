"""Linting of source text in tests."""

from __future__ import annotations

from textwrap import dedent

from dynasafe.lint.engine import FileReport, check_source
from dynasafe.lint.fixes import fix_source
from dynasafe.lint.migrate import migrate_source
from dynasafe.lint.module import RuleSettings
from dynasafe.lint.problem import Problem
from dynasafe.lint.settings import Selection
from dynasafe.lint.source import Source

SYNC = """\
import boto3
from boto3.dynamodb.conditions import Attr, Key

dynamodb = boto3.resource("dynamodb")
table = dynamodb.Table("people")
client = boto3.client("dynamodb")
"""


def look(
    code: str,
    *also: str,
    path: str = "app.py",
    settings: RuleSettings | None = None,
    before: str = SYNC,
) -> FileReport:
    """The report on a text, below the tables that most texts use."""
    selection = Selection(select=("DYS", *also))
    return check_source(Source(before + dedent(code), path), selection=selection, settings=settings)


def problems(code: str, *also: str, path: str = "app.py", before: str = SYNC) -> list[Problem]:
    return list(look(code, *also, path=path, before=before).problems)


def codes(code: str, *also: str, path: str = "app.py", before: str = SYNC) -> list[str]:
    """The codes that are found in a text, in its order."""
    return [each.code for each in problems(code, *also, path=path, before=before)]


def fixed(code: str, *also: str, unsafe: bool = False, before: str = SYNC) -> str:
    """The text after its fixes, without what stands above it."""
    selection = Selection(select=("DYS", *also))
    source = Source(before + dedent(code), "app.py")
    text = fix_source(source, unsafe=unsafe, selection=selection).text
    return text.removeprefix(before)


def migrated(code: str) -> str:
    """The text after the migration, without what stands above it."""
    made = migrate_source(Source(SYNC + dedent(code), "app.py"))
    assert made.left == ()
    return made.text.partition('client = boto3.client("dynamodb")\n')[2]


def left(code: str) -> list[str]:
    """Why calls stay as they are."""
    made = migrate_source(Source(SYNC + dedent(code), "app.py"))
    assert made.count == 0
    assert made.text == SYNC + dedent(code)
    return [each.reason for each in made.left]
