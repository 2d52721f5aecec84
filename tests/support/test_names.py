"""Each test has a short name, and a docstring that says what holds."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.order import ROOT

LONGEST_NAME = 60


def collected(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions that pytest collects, those of test classes included."""
    module = ast.parse(source)
    functions = [*module.body]
    for each in module.body:
        if isinstance(each, ast.ClassDef) and each.name.startswith("Test"):
            functions += each.body
    for each in functions:
        match each:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if each.name.startswith("test"):
                yield each


def faults_of(source: str) -> Iterator[str]:
    """What is wrong with the names and docstrings of a file's tests."""
    for test in collected(source):
        if not ast.get_docstring(test):
            yield f"{test.name} has no docstring"
        if len(test.name) > LONGEST_NAME:
            yield f"{test.name} has more than {LONGEST_NAME} characters"


def test_names_and_docstrings() -> None:
    """Each test in tests/ has a docstring, and a name of up to 60 characters."""
    sources = {path: path.read_text() for path in sorted((ROOT / "tests").rglob("test_*.py"))}
    faults = [
        f"{path.relative_to(ROOT)}: {fault}"
        for path, source in sources.items()
        for fault in faults_of(source)
    ]
    assert not faults, "\n".join(["", *faults])
    assert sum(len([*collected(source)]) for source in sources.values()) > 1500


def test_faults_are_found() -> None:
    """A missing docstring and a long name are found, also in a class, but not in a helper."""
    long = "test_" + "x" * 55
    source = f'''
def test_fine():
    """It is fine."""
    def test_inside(): ...

def {long}():
    """As long as a name may be."""

def {long}x():
    """Too long."""

class TestMore:
    async def test_bare(self): ...

class Client:
    def test_metric_filter(self): ...
'''
    assert [*faults_of(source)] == [
        f"{long}x has more than 60 characters",
        "test_bare has no docstring",
    ]
