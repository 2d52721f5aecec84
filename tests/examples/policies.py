"""The IAM policy of each example: what its code calls, and nothing else.

    python -m tests.examples.policies

writes them to `examples/policies/`, from the calls in the syntax trees; a test fails where one of
them is out of date. Other tests run each recipe with nothing but its policy.

Source: "Actions, resources, and condition keys for Amazon DynamoDB", Service Authorization
Reference; "DynamoDB API permissions for transactions" in the Amazon DynamoDB Developer Guide.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.examples.templates import MODULES, ROOT

POLICIES = ROOT / "examples" / "policies"
ACCOUNT = "arn:aws:dynamodb:us-east-1:111122223333:table/"
ACTIONS = {
    "get_item": "GetItem",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "query": "Query",
    "scan": "Scan",
    "batch_get_item": "BatchGetItem",
    "batch_write_item": "BatchWriteItem",
    # In a transaction, which needs the same permissions as the operations by themselves.
    "put": "PutItem",
    "update": "UpdateItem",
    "delete": "DeleteItem",
    "check": "ConditionCheckItem",
}
"""The methods of a table, and the action that each needs."""

Calls = set[tuple[str, str]]
"""Actions, each with a resource: a table, or `table/index/name`."""


def policy_of(example: str) -> dict[str, Any]:
    """The policy of an example."""
    module = import_module(MODULES[example])
    if hasattr(module, "policy"):  # one with conditions, which the recipe makes by itself
        (table,) = module.TABLES
        made: dict[str, Any] = module.policy(ACCOUNT + table)
        return made
    by_resource: dict[str, list[str]] = {}
    for action, resource in sorted(calls_of(example)):
        by_resource.setdefault(resource, []).append(f"dynamodb:{action}")
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": ACCOUNT + resource}
            for resource, actions in sorted(by_resource.items())
        ],
    }


def calls_of(example: str) -> Calls:
    """The calls of an example's code, but for what `main` does to try it."""
    module = import_module(MODULES[example])
    path = Path(str(module.__file__))
    files = [path] if path.parent.name == "recipes" else sorted(path.parent.glob("[a-z]*.py"))
    reader = _Reader(module.TABLES, getattr(module, "INDEXES", {}))
    return {call for file in files for call in reader.calls(ast.parse(file.read_text()))}


class _Reader:
    """Finds the calls of tables: by the names that are annotated, or made with `db.table()`."""

    def __init__(self, tables: Mapping[str, Any], indexes: Mapping[str, Any]) -> None:
        self._tables = tables
        self._indexes = indexes

    def calls(self, tree: ast.Module) -> Iterator[tuple[str, str]]:
        yield from self._within(tree, {})

    def _within(self, scope: ast.AST, above: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """The calls of a module, a class or a function, whose names are known from above too."""
        tables = {**above, **dict(self._names(scope))}
        for node in ast.iter_child_nodes(scope):
            yield from self._node(node, tables)

    def _node(self, node: ast.AST, tables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        match node:
            case ast.FunctionDef(name="main") | ast.AsyncFunctionDef(name="main"):
                return
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from self._within(node, tables)
                return
            case ast.Call(func=ast.Attribute(value=owner, attr="query")) if table := self._table(
                owner, tables
            ):
                yield from (("Query", resource) for resource in self._queried(node, table))
            case ast.Call(
                func=ast.Attribute(attr="call"), args=[ast.Constant(value=str(operation)), *_]
            ):
                yield operation, next(iter(self._tables))
            case ast.Attribute(value=owner, attr=method) if method in ACTIONS and method != "query":
                table = self._table(owner, tables)
                if table is not None:
                    yield ACTIONS[method], table
            case _:
                pass
        for child in ast.iter_child_nodes(node):
            yield from self._node(child, tables)

    def _names(self, scope: ast.AST) -> Iterator[tuple[str, str]]:
        """The names of a scope that mean tables: `people`, `self._people`."""
        for node in ast.walk(scope):
            match node:
                case ast.arg(arg=name, annotation=annotation) if annotation is not None:
                    table = self._annotated(annotation)
                    if table is not None:
                        yield name, table
                case ast.AnnAssign(target=target, annotation=annotation, value=value):
                    table = self._annotated(annotation) or self._made(value)
                    if table is not None:
                        yield ast.unparse(target), table
                case ast.Assign(targets=[target], value=value):
                    table = self._made(value) or self._given(scope, value)
                    if table is not None:
                        yield ast.unparse(target), table
                case _:
                    pass

    def _given(self, scope: ast.AST, value: ast.expr) -> str | None:
        """The table of an argument of the scope's functions, as in `self._table = table`."""
        if not isinstance(scope, ast.ClassDef) or not isinstance(value, ast.Name):
            return None
        arguments = (node for node in ast.walk(scope) if isinstance(node, ast.arg))
        return next(
            (
                table
                for each in arguments
                if each.arg == value.id
                and each.annotation is not None
                and (table := self._annotated(each.annotation))
            ),
            None,
        )

    def _annotated(self, annotation: ast.expr) -> str | None:
        match annotation:
            case ast.Subscript(value=ast.Name(id="AsyncTable"), slice=ast.Name(id=name)):
                return self._of_class(name)
            case ast.Name(id="People"):  # FastAPI's Annotated[AsyncTable[Person], Depends(...)]
                return self._of_class("Person")
            case _:
                return None

    def _of_class(self, name: str) -> str | None:
        if len(self._tables) == 1:
            return next(iter(self._tables))
        classes = {item_class.__name__: table for table, item_class in self._tables.items()}
        return classes.get(name)

    def _made(self, value: ast.expr | None) -> str | None:
        match value:
            case ast.Call(
                func=ast.Attribute(attr="table"), args=[ast.Constant(value=str(name)), *_]
            ):
                return name
            case ast.Call(func=ast.Attribute(attr="table"), args=[_, *_]):
                return next(iter(self._tables)) if len(self._tables) == 1 else None
            case _:
                return None

    def _table(self, owner: ast.expr, tables: Mapping[str, str]) -> str | None:
        return tables.get(ast.unparse(owner)) or self._made(owner)

    def _queried(self, call: ast.AST, table: str) -> Iterator[str]:
        assert isinstance(call, ast.Call)
        given = {each.arg: each.value for each in call.keywords}.get("index_name")
        match given:
            case None:
                yield table
            case ast.Constant(value=name):
                yield f"{table}/index/{name}"
            case _:  # one of them, by a variable
                yield from (f"{table}/index/{name}" for name in self._indexes[table])


def is_allowed(policy: Mapping[str, Any], operation: str, params: Mapping[str, Any]) -> bool:
    """Whether a policy allows a request."""
    allowed = {
        (action, statement["Resource"].removeprefix(ACCOUNT))
        for statement in policy["Statement"]
        for action in statement["Action"]
    }
    return all(
        (f"dynamodb:{action}", resource) in allowed
        for action, resource in _needed(operation, params)
    )


def _needed(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if operation in ("TransactWriteItems", "TransactGetItems"):
        for action in params["TransactItems"]:
            for kind, member in action.items():
                yield (
                    "ConditionCheckItem" if kind == "ConditionCheck" else f"{kind}Item",
                    member["TableName"],
                )
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for table in params["RequestItems"]:
            yield operation, table
    else:
        index = params.get("IndexName")
        table = params["TableName"]
        yield operation, f"{table}/index/{index}" if index else table


def text_of(example: str) -> str:
    return json.dumps(policy_of(example), indent=2) + "\n"


def main() -> None:
    POLICIES.mkdir(exist_ok=True)
    for example in MODULES:
        (POLICIES / f"{example}.json").write_text(text_of(example))


if __name__ == "__main__":
    main()
