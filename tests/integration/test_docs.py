"""Every code block of the documentation runs, or says what it is instead of Python."""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import shlex
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import indent
from typing import Any, cast

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

import dynasafe
from dynasafe import AsyncDynamoDB, DynamoDB, unguard_process
from dynasafe.testing.engines import Engine
from tests.integration.conftest import ALL, CREDENTIALS, REGION, Engines, connect, key_schema
from tests.integration.differences import DIFFERENCES

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
# A finding's page shows fragments under "Wrong" and "Right"; they are tested as explanations.
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *(path for path in sorted(DOCS.rglob("*.md")) if path.parent.name != "findings"),
]
START = DOCS / "start.md"
TOUR = DOCS / "tour.md"
SHOWN = "--8<-- "
# A whole program, which readers store as a file.
FILE = re.compile(r'python title="(?P<name>\w+\.py)"')
OUTPUT = 'text title="Output"'
TAB = re.compile(r'=== "(?P<label>[^"]+)"')
SYNC = "Sync"
"""The label of what is shown of the face for code that is not async; the other is "Async"."""
NEEDS_A_LOOP = re.compile(r"asyncio|\bAsync|aioboto3|_unawaited|_blocking|create_tables")
RESOLVE = socket.getaddrinfo
NOT_PYTHON = {"console", "ini", "json", "text", "toml", "yaml"}
OF_AWS = {"docs/guides/connections.md"}
"""The pages that are about AWS itself, where a reader has keys."""
# What a page needs that some engines lack; any other page runs on each engine.
NEEDS: dict[str, tuple[str, ...]] = {
    "docs/guides/deadlines-and-cancellation.md": ("recognises a repeated token",),
    "docs/guides/did-the-write-happen.md": ("returns the old item of a failed condition",),
    "docs/guides/exactly-once.md": ("recognises a repeated token",),
    "docs/guides/tables.md": ("transactions", "returns the old item of a failed condition"),
    "docs/guides/transactions.md": ("transactions",),
}


@dataclass(frozen=True)
class Block:
    info: str
    """What stands after the fence; empty for an indented block."""
    text: str
    line: int
    tab: str = ""
    """The label of the tab that it is in."""

    @property
    def language(self) -> str:
        return self.info.partition(" ")[0]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def blocks_of(page: Path) -> tuple[Block, ...]:
    return tuple(
        Block(token.info.strip(), token.content, line, tab)
        for token, line, tab in tokens_of(page.read_text())
        if token.type in ("fence", "code_block")
    )


def tokens_of(text: str, above: int = 0, tab: str = "") -> Iterator[tuple[Token, int, str]]:
    """Each token with its line and the label of the tab that it is in.

    What a tab holds stands indented below its label.
    """
    label = ""
    for token in MarkdownIt().parse(text):
        line = above + (token.map[0] if token.map else 0)
        if token.type == "code_block" and label:
            yield from tokens_of(token.content, line, label)
        else:
            yield token, line + 1, tab
        if token.type == "inline":
            found = TAB.fullmatch(token.content)
            label = found["label"] if found else ""
        elif token.type not in ("paragraph_open", "paragraph_close"):
            label = ""


def python_of(page: Path) -> list[Block]:
    """What runs; a file that is shown whole is tested where it lies."""
    return [
        block
        for block in blocks_of(page)
        if block.language == "python" and not block.text.startswith(SHOWN)
    ]


def run(page: Path, names: dict[str, Any], runner: asyncio.Runner) -> None:
    """The page's Python blocks from top to bottom, each of which may await."""
    for block in python_of(page):
        if block.tab == SYNC:
            continue
        source = "\n" * block.line + block.text  # so that a failure names the page's own line
        code = compile(source, str(page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        running = eval(code, names)
        if inspect.iscoroutine(running):
            runner.run(running)


def run_sync(page: Path, names: dict[str, Any]) -> None:
    """The page's Python blocks without `await`, as the guide to the sync face promises.

    What needs an event loop, or has a tab for each face, is left out.
    """
    for block in python_of(page):
        if block.tab == SYNC or (not block.tab and not needs_a_loop(block.text)):
            tree = WithoutAwait().visit(ast.parse("\n" * block.line + block.text, str(page)))
            tree = ast.fix_missing_locations(tree)
            exec(compile(tree, str(page), "exec", dont_inherit=True), names)


def needs_a_loop(source: str) -> bool:
    return NEEDS_A_LOOP.search(ast.unparse(ast.parse(source))) is not None  # without comments


class WithoutAwait(ast.NodeTransformer):
    """Makes plain code of async code."""

    def visit_Await(self, node: ast.Await) -> ast.AST:
        return cast("ast.AST", self.visit(node.value))

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._as(ast.FunctionDef, node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        return self._as(ast.For, node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        return self._as(ast.With, node)

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        node.is_async = 0
        return self.generic_visit(node)

    def _as(self, kind: type[ast.AST], node: ast.AST) -> ast.AST:
        plain = kind(**{name: getattr(node, name) for name in kind._fields if hasattr(node, name)})
        return self.generic_visit(ast.copy_location(plain, node))


@cache
def person_of_the_start_page() -> type:
    """The class that the guides mean by `Person`."""
    (block, *_) = python_of(START)
    tree = ast.parse(block.text)
    tree.body = [
        node
        for node in tree.body
        if isinstance(node, ast.ImportFrom) or getattr(node, "name", None) == "Person"
    ]
    names: dict[str, Any] = {"__name__": "docs.start"}
    exec(compile(tree, str(START), "exec", dont_inherit=True), names)
    person: type = names["Person"]
    return person


def cases() -> Iterator[Any]:
    for page in PAGES:
        if not python_of(page) or page == TOUR:  # the tour has a test of its own
            continue
        lacking = {
            engine for need in NEEDS.get(name_of(page), ()) for engine in DIFFERENCES[need].engines
        }
        for engine in ALL:
            if engine not in lacking:
                yield pytest.param(page, engine, "async", id=f"{name_of(page)}-{engine}")
        if any(block.tab == SYNC or "await" in block.text for block in python_of(page)):
            yield pytest.param(page, "dynamodb-local", "sync", id=f"{name_of(page)}-sync")


@pytest.mark.parametrize(("page", "engine_name", "shown"), [*cases()])
def test_examples_of_pages_run(
    page: Path, engine_name: Any, shown: str, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The examples of each page run, and their assertions hold."""
    engine = engines.get(engine_name)
    # A reader who pastes a block has no such variable: each block must name the engine.
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    monkeypatch.setattr("socket.getaddrinfo", resolve_loopback_only)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in CREDENTIALS.items():
        if name_of(page) in OF_AWS:
            monkeypatch.setenv(name.upper(), value)
        else:
            monkeypatch.delenv(name.upper(), raising=False)

    def to(endpoint_url: str) -> AsyncDynamoDB:
        return connect(Engine(engine.name, endpoint_url, engine.is_strict))

    def to_sync(endpoint_url: str) -> DynamoDB:
        return DynamoDB.connect(
            region_name=REGION, endpoint_url=endpoint_url, client_options=CREDENTIALS
        )

    with asyncio.Runner() as runner:
        db = runner.run(connect(engine).__aenter__())
        table = {"TableName": "people", "BillingMode": "PAY_PER_REQUEST", **key_schema(id="S")}
        runner.run(db.call("CreateTable", table))
        runner.run(until_active(db, "people"))
        before = set(runner.run(db.call("ListTables", {}))["TableNames"])
        names: dict[str, Any] = {
            "__name__": f"docs.{page.stem}",
            "db": db,
            "Person": person_of_the_start_page(),
            "engine_url": engine.endpoint_url,
            "connect": to,
        }
        try:
            if shown == "async":
                run(page, names, runner)
            else:
                names |= {"db": to_sync(engine.endpoint_url).open(), "connect": to_sync}
                run_sync(page, names)
        finally:
            unguard_process()
            for each in names.values():
                if isinstance(each, DynamoDB):
                    each.close()
            after = runner.run(db.call("ListTables", {}))["TableNames"]
            for created in {"people", *(set(after) - before)}:
                runner.run(db.call("DeleteTable", {"TableName": created}))
            runner.run(db.__aexit__(None, None, None))


def resolve_loopback_only(host: object, *arguments: Any, **options: Any) -> list[Any]:
    """The addresses of this machine; a block that asks for another host would reach AWS."""
    if host not in ("127.0.0.1", "localhost", b"127.0.0.1", b"localhost"):
        raise AssertionError(f"a block of the documentation would call {host!r}")
    return RESOLVE(host, *arguments, **options)


async def until_active(db: AsyncDynamoDB, table_name: str) -> None:
    for _ in range(1000):  # dynalite answers before the table is there
        answer = await db.call("DescribeTable", {"TableName": table_name})
        if answer["Table"]["TableStatus"] == "ACTIVE":
            return
    pytest.fail(f"the table {table_name} did not become active")


def programs() -> Iterator[Any]:
    """Each whole program of a page, and what the page says that it prints."""
    for page in PAGES:
        if page == TOUR:  # whose programs and commands belong together
            continue
        blocks = blocks_of(page)
        for number, block in enumerate(blocks):
            name = FILE.fullmatch(block.info)
            if name is None:
                continue
            output = next(each for each in blocks[number:] if each.info == OUTPUT)
            yield pytest.param(name["name"], block, output, id=f"{name_of(page)}-{name['name']}")


@pytest.mark.parametrize(("name", "program", "output"), [*programs()])
def test_programs_print_what_the_page_says(
    name: str, program: Block, output: Block, tmp_path: Path
) -> None:
    """A program of a page prints what the page says."""
    (tmp_path / name).write_text(program.text)

    ran = subprocess.run(
        [sys.executable, name],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    assert (ran.stdout, ran.stderr) == (output.text, "")


def clean_environment() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def pasted_text(numbered: tuple[int, Block]) -> str:
    """The block as it may stand in an async function; that of a sync tab is a function in it."""
    number, block = numbered
    if block.tab != SYNC:
        return block.text
    head = f"def _of_tab_{number}(db: _sync.DynamoDB, people: _sync.Table[Person]) -> None:\n"
    return head + indent(block.text, " " * 4)


def test_examples_pass_the_type_checker(tmp_path: Path) -> None:
    """The examples of all pages pass the type checker."""
    # As the start page says: pasted into its `main`; but what is there to be replaced.
    before, rest = python_of(START)[0].text.split("await create_table(db)\n")
    after = rest[rest.index("\n\nif __name__") :]
    for page in PAGES:
        blocks = [
            block
            for block in python_of(page)
            if not FILE.fullmatch(block.info) and block.info != 'python title="Before"'
        ]
        pasted = "\n".join(["...", *map(pasted_text, enumerate(blocks))])
        name = re.sub(r"\W", "_", name_of(page))
        program = before + indent(pasted, " " * 8).lstrip() + after
        (tmp_path / f"{name}.py").write_text("import dynasafe as _sync\n" + program)

    command = [sys.executable, "-m", "mypy", "--config-file=", "--check-untyped-defs"]
    checked = subprocess.run(
        [*command, "--ignore-missing-imports", "--follow-imports=silent", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert [line for line in checked.stdout.splitlines() if ": error:" in line] == []


def test_pages_are_in_the_navigation() -> None:
    """Each page has a place in the navigation."""
    places = re.findall(r"^ *- (\S+)$", (DOCS / ".nav.yml").read_text(), re.MULTILINE)
    for page in DOCS.rglob("*.md"):
        path = page.relative_to(DOCS)
        assert any(path.match(place) for place in places), f"{path} is not in docs/.nav.yml"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page: Path) -> None:
    """The links of a page lead to files that exist."""
    parts = [part for token, _, _ in tokens_of(page.read_text()) for part in token.children or ()]
    targets = [
        str(part.attrs[name]) for part in parts for name in ("href", "src") if name in part.attrs
    ]
    for target in targets:
        path = target.partition("#")[0]
        if path and ":" not in path:
            assert (page.parent / path).exists(), f"{name_of(page)} links to {target}"


def test_pages_show_each_example() -> None:
    """The source pages show each file of the examples."""
    shown = {
        path
        for page in DOCS.glob("sources/*.md")
        for path in re.findall(rf'^{SHOWN}"(\S+)"$', page.read_text(), re.MULTILINE)
    }
    examples = {
        path.relative_to(ROOT).as_posix()
        for kind in ("*.py", "*.json", "*.yaml", "*.yml")
        for path in (ROOT / "examples").rglob(kind)
    }
    folders = ("", "recipes/", "accounts_sync/", "recipes_sync/", "registry_sync/", "sync/")
    packages = {f"examples/{each}__init__.py" for each in folders}
    assert shown == examples - packages


def test_reference_has_each_public_name() -> None:
    """The reference has each public name."""
    reference = "".join(path.read_text() for path in DOCS.glob("reference/*.md"))
    shown = set(re.findall(r"^::: (\S+)$", reference, re.MULTILINE))
    for name in dynasafe.__all__:
        home = inspect.getmodule(getattr(dynasafe, name))
        assert home is not None
        assert {f"dynasafe.{name}", f"{home.__name__}.{name}"} & shown, f"{name} has no reference"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_say_what_they_are(page: Path) -> None:
    """Each code block of a page names its language, and unmarked blocks have only commands."""
    for block in blocks_of(page):
        where = f"{name_of(page)}, line {block.line}"
        if block.info:
            assert block.language in {"python", *NOT_PYTHON}, f"{where}: ```{block.info}"
        # An indented block, or a fence that says nothing, may hold commands only.
        if block.language in ("", "console"):
            for line in block.text.splitlines():
                assert is_command(line), f"{where}: neither marked nor a command: {line}"


def is_command(line: str) -> bool:
    """Whether the line is a command of this project that exists, or one of the system's own."""
    program, *arguments = shlex.split(line, comments=True) or ["#"]
    match Path(program).name, arguments:
        case "#", []:
            return True
        case "make", [*targets]:
            return {name for name in targets if "=" not in name} <= make_targets()
        case "pip", ["install", requirement]:
            extras = re.fullmatch(
                r"(?:dynasafe|\.|\./dynasafe-source)(?:\[([a-z0-9,]+)\])?", requirement
            )
            return extras is not None and set((extras[1] or "testing").split(",")) <= set(
                project()["optional-dependencies"]
            )
        case "python" | "python3", ["-m", "dynasafe", *words]:
            command = [sys.executable, "-m", "dynasafe", *words]
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        case "python" | "python3", ["-m", "pip", "install", requirement]:
            return is_command(f"pip install {shlex.quote(requirement)}")
        case "dynasafe", [name, *words]:
            command = [sys.executable, "-m", "dynasafe", name, "--help"]
            helped = subprocess.run(command, capture_output=True, text=True, check=False)
            options = [word for word in words if word.startswith("--")]
            return helped.returncode == 0 and all(each in helped.stdout for each in options)
        case "python" | "python3", ["-m", "venv" | "http.server", *_]:
            return True
        case "python" | "python3", [str(name)] if re.fullmatch(r"\w+\.py", name):
            return True
        case "pytest", options:
            command = [sys.executable, "-m", "pytest", *options, "--version"]
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        case "git", ["config", *_]:
            return True
        case _:
            return False


@cache
def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@cache
def project() -> Mapping[str, Any]:
    parsed: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return parsed
