"""What must not stand in code that people copy, found in its syntax tree."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator

from dynasafe import AsyncDynamoDB, AsyncTable

PARAMETERS = frozenset(
    {
        "UpdateExpression",
        "ConditionExpression",
        "FilterExpression",
        "KeyConditionExpression",
        "ProjectionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
    }
)
EXPRESSION = re.compile(
    r"\b(SET|ADD|REMOVE|DELETE)\s+#?[\w.\[\]]+\s*(=|,|:|$)"
    r"|\b(attribute_(not_)?exists|begins_with|if_not_exists|list_append)\s*\("
    r"|[\w#]\s*(=|<>|<=?|>=?)\s*:\w+"
)
BLOCKING = frozenset({"boto3", "botocore", "requests", "urllib", "time"})
CLIENTS = frozenset(
    {"AsyncDynamoDB", "AsyncDynamoDB.connect", "aioboto3.Session", "boto3.client", "boto3.resource"}
)
MAY_CONNECT = frozenset({"open_database", "open_registry", "main"})
CLOCKS = frozenset({"datetime.now", "datetime.utcnow", "datetime.today", "date.today"})
WEAK = frozenset({"hashlib.md5", "hashlib.sha1", "hashlib.sha256", "hashlib.new"})
SECRET = re.compile(r"(digest|signature|token|password|secret)$")
MONEY = re.compile(r"(price|amount|balance|budget|cost|total|fee)")
ASYNC_METHODS = frozenset(
    name
    for cls in (AsyncTable, AsyncDynamoDB)
    for name, method in vars(cls).items()
    if inspect.iscoroutinefunction(method) and name not in ("open", "aclose")  # of many things
)


def findings_of(source: str) -> list[str]:
    """Each breach of the rules, with its line."""
    tree = ast.parse(source)
    found = [(node.lineno, message) for node, message in _breaches(tree)]
    return [f"line {line}: {message}" for line, message in sorted(found)]


def _breaches(tree: ast.Module) -> Iterator[tuple[ast.expr | ast.stmt | ast.excepthandler, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.ExceptHandler(type=None):
                yield node, "a bare except"
            case ast.ExceptHandler(type=kind) if kind is not None and _names(kind) & {
                "Exception",
                "BaseException",
            }:
                yield node, "an except of everything"
            case ast.Import(names=names) if {_top(each.name) for each in names} & BLOCKING:
                yield node, "an import of what blocks"
            case ast.ImportFrom(module=str(module)) if _top(module) in BLOCKING:
                yield node, "an import of what blocks"
            case ast.Import(names=names) if "random" in {each.name for each in names}:
                yield node, "random numbers that can be guessed"
            case ast.ImportFrom(module="random"):
                yield node, "random numbers that can be guessed"
            case ast.Constant(value=str(text)) if text in PARAMETERS or EXPRESSION.search(text):
                yield node, "a hand-written expression"
            case ast.keyword(arg=str(name), value=value) if name in PARAMETERS:
                yield value, "a hand-written expression"
            case ast.Call(func=function) if _dotted(function) in CLOCKS:
                yield node, "a clock: take the time as an argument"
            case ast.Call(func=function) if _dotted(function) in WEAK:
                yield node, "a fast hash without a salt"
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name))) if name in ASYNC_METHODS:
                yield node, "a call that nobody awaits"
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[right]) if (
                _are_secrets(left, right)
            ):
                yield node, "a comparison that tells by its time: use hmac.compare_digest"
    yield from _clients(tree, None)
    yield from _floats(tree)


def _clients(node: ast.AST, function: str | None) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = node.name
    if (
        isinstance(node, ast.Call)
        and _dotted(node.func) in CLIENTS
        and (function not in MAY_CONNECT)
    ):
        yield node, "a client that is made outside of the functions that open it"
    for child in ast.iter_child_nodes(node):
        yield from _clients(child, function)


def _floats(tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    """Floats are for seconds, in names that end in `_s` or `_S`."""
    seconds: set[ast.AST] = set()
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg=str(name), value=value) if name.lower().endswith("_s"):
                seconds |= set(ast.walk(value))
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name.lower().endswith(
                "_s"
            ):
                seconds |= set(ast.walk(value))
            case ast.arg(arg=name, annotation=annotation) if annotation is not None:
                yield from _money(name, annotation)
                if name.endswith("_s"):
                    seconds |= set(ast.walk(annotation))
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                yield from _money(name, annotation)
                if name.endswith("_s"):
                    seconds |= set(ast.walk(annotation))
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float()) | ast.Name(id="float") if node not in seconds:
                yield node, "a float that is not for seconds"


def _money(name: str, annotation: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if MONEY.search(name) and not (name.endswith("_cents") and "int" in _names(annotation)):
        yield annotation, "money that is not an int, in cents"


def _are_secrets(left: ast.expr, right: ast.expr) -> bool:
    """Whether Python compares a secret; with `Reset.digest`, it is DynamoDB that compares."""
    names = []
    for node in (left, right):
        match node:
            case ast.Attribute(value=ast.Name(id=owner)) if owner[0].isupper():
                return False
            case ast.Name(id=name) | ast.Attribute(attr=name):
                names.append(name)
    return any(SECRET.search(name) for name in names)


def _names(node: ast.expr) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _dotted(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def _top(module: str) -> str:
    return module.partition(".")[0]
