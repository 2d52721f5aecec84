"""The examples teach the right habits, and the rules find the wrong ones."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.rules import findings_of

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in sorted((ROOT / "examples").rglob("*.py"))
    # A report of logs, by boto3 and without DynamoDB: it is not part of an async service.
    if "log_watch" not in path.parts
}
RECIPES = {
    Path(path).stem: source
    for path, source in EXAMPLES.items()
    if "/recipes/" in path and not path.endswith("__init__.py")
}
CONTRACTS = {
    **{f"examples/recipes/{recipe}.py": f"test_{recipe}.py" for recipe in RECIPES},
    "examples/accounts/__init__.py": "test_accounts.py",
    "examples/registry/__init__.py": "test_registry.py",
}
PUBLIC = {
    "dynasafe",
    "dynasafe.errors",
    "dynasafe.sync",
    "dynasafe.testing",
    "dynasafe.testing.engines",
    "dynasafe.testing.sync",
    "dynasafe.typing",
}
PARTS = (
    "What it does: ",
    "Threat model: ",
    "What it guarantees:\n- ",
    "What it leaves to you: ",
    "The table",
)
ASYNC_RULES = ("a call that nobody awaits", "an import of what blocks")
WRITES = re.compile(r"\.(put_item|update_item|delete_item|transact_write_items)\(")


def test_each_recipe_is_tested() -> None:
    """Each recipe has its tests."""
    assert len(RECIPES) >= 14
    for recipe in RECIPES:
        assert (ROOT / f"tests/examples/test_{recipe}.py").exists()


@pytest.mark.parametrize("path", EXAMPLES)
def test_examples_keep_the_rules(path: str) -> None:
    """Each example keeps the rules; those of async code are not for sync examples."""
    found = findings_of(EXAMPLES[path])
    if "sync/" in path:
        found = [each for each in found if not each.endswith(ASYNC_RULES)]
    assert found == []


@pytest.mark.parametrize("path", EXAMPLES)
def test_imports(path: str) -> None:
    """An example imports the public modules of dynasafe only."""
    imported = {
        node.module
        for node in ast.walk(ast.parse(EXAMPLES[path]))
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None
    }

    assert {each for each in imported if each.startswith("dynasafe")} <= PUBLIC


@pytest.mark.parametrize("path", [path for path in EXAMPLES if not path.endswith("demo.py")])
def test_examples_handle_lost_answers(path: str) -> None:
    """An example that writes handles OutcomeUnknownError."""
    source, *_ = re.split(r"\n(?:async )?def main\(", EXAMPLES[path])

    assert "OutcomeUnknownError" in source or not WRITES.search(source) or "/registry/" in path


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_say_what_they_do(recipe: str) -> None:
    """A recipe says what it does, guarantees and leaves to its reader."""
    docstring = ast.get_docstring(ast.parse(RECIPES[recipe])) or ""

    for part in PARTS:
        assert f"\n\n{part}" in docstring


def guarantees_of(source: str) -> list[str]:
    """Each sentence of "What it guarantees", on one line."""
    docstring = ast.get_docstring(ast.parse(source)) or ""
    (part,) = (each for each in docstring.split("\n\n") if each.startswith(PARTS[2]))
    _, *sentences = re.split(r"\n- ", part)
    return [" ".join(each.split()) for each in sentences]


@pytest.mark.parametrize("path", CONTRACTS)
def test_contract(path: str) -> None:
    """Each sentence of what an example guarantees is the docstring of a test."""
    test_path = ROOT / "tests/examples" / CONTRACTS[path]
    tests = [
        node
        for node in ast.walk(ast.parse(test_path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]
    tested = {" ".join((ast.get_docstring(node) or "").split()) for node in tests}
    guarantees = guarantees_of(EXAMPLES[path])

    assert len(guarantees) >= 3
    assert [each for each in guarantees if each not in tested] == []


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_stand_alone(recipe: str) -> None:
    """A recipe imports no other example."""
    imported = [
        node.module
        for node in ast.walk(ast.parse(RECIPES[recipe]))
        if isinstance(node, ast.ImportFrom)
    ]

    assert not any((module or ".").startswith(("examples", ".")) for module in imported)


def test_alone(tmp_path: Path) -> None:
    """Each recipe runs where nothing else of this repository is, and says what it did."""
    for recipe, source in RECIPES.items():
        (tmp_path / f"{recipe}.py").write_text(source)
    (tmp_path / "run.py").write_text(
        "import asyncio, importlib, inspect, sys\n"
        "for name in sys.argv[1:]:\n"
        "    print('==', name)\n"
        "    ran = importlib.import_module(name).main()\n"
        "    if inspect.isawaitable(ran):\n"
        "        asyncio.run(ran)\n"
    )

    ran = subprocess.run(
        [sys.executable, "run.py", *RECIPES],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    printed = ran.stdout.split("== ")[1:]
    assert [each.partition("\n")[0] for each in printed if each.count("\n") > 1] == [*RECIPES]


@pytest.mark.parametrize("recipe", RECIPES)
def test_page_has_each_recipe(recipe: str) -> None:
    """The page of examples links to each recipe."""
    page = (ROOT / "docs/examples.md").read_text()

    assert f"](../examples/recipes/{recipe}.py)" in page


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("try: f()\nexcept: pass", "a bare except"),
        ("try: f()\nexcept Exception: pass", "an except of everything"),
        ("try: f()\nexcept (ValueError, BaseException): pass", "an except of everything"),
        ("import boto3", "an import of what blocks"),
        ("import boto3.session", "an import of what blocks"),
        ("from time import sleep", "an import of what blocks"),
        ("import random", "random numbers that can be guessed"),
        ("from random import choice", "random numbers that can be guessed"),
        ("f(UpdateExpression=x)", "a hand-written expression"),
        ("{'ExpressionAttributeNames': {}}", "a hand-written expression"),
        ("f('SET #name = :name')", "a hand-written expression"),
        ("f('ADD visits :one')", "a hand-written expression"),
        ("f('REMOVE email')", "a hand-written expression"),
        ("f('attribute_not_exists(id)')", "a hand-written expression"),
        ("f('visits < :limit')", "a hand-written expression"),
        ("datetime.now(UTC)", "a clock: take the time as an argument"),
        ("hashlib.sha256(b'')", "a fast hash without a salt"),
        ("people.put_item(person)", "a call that nobody awaits"),
        ("db.transact_write_items([])", "a call that nobody awaits"),
        (
            "found.digest == digest",
            "a comparison that tells by its time: use hmac.compare_digest",
        ),
        (
            "def handler(event): AsyncDynamoDB.connect()",
            "a client that is made outside of the functions that open it",
        ),
        (
            "db = AsyncDynamoDB(client)",
            "a client that is made outside of the functions that open it",
        ),
        ("rate = 0.5", "a float that is not for seconds"),
        ("def f(x: float): ...", "a float that is not for seconds"),
        ("price: Attr[int]", "money that is not an int, in cents"),
        ("def f(amount_cents: Decimal): ...", "money that is not an int, in cents"),
    ],
)
def test_bad_habits_are_found(source: str, message: str) -> None:
    """Each of these bad habits is found."""
    found = findings_of(source)

    assert [each.partition(": ")[2] for each in found] == [message]


@pytest.mark.parametrize(
    "source",
    [
        "try: f()\nexcept ValueError: pass",
        "import aioboto3",
        "import secrets",
        "from time_of_day import noon",
        "'The settings of the update expression'",
        "'added three names'",
        "f('Set the name = what was given')",
        "await people.put_item(person)",
        "put = people.put_item(person)",
        "people.put(person)",
        "Reset.digest == found.digest",
        "digest is None",
        "def open_database(): return AsyncDynamoDB.connect()",
        "RESERVE_S = 0.5",
        "connect(timeout_s=5.0)",
        "def f(timeout_s: float): ...",
        "price_cents: Attr[int]",
        "def f(now: datetime): ...",
    ],
)
def test_good_habits_are_accepted(source: str) -> None:
    """The nearest good habit has no finding."""
    assert findings_of(source) == []
