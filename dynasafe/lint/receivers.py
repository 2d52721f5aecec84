"""Whether an expression is a table, a client or a session, and of boto3 or aioboto3.

The kind comes from the origin of the value in the file, from annotations, or from the
configuration. A name alone proves nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

from dynasafe.lint.scopes import Binding, Names, Scope

What = Literal[
    "session",
    "resource",
    "table",
    "client",
    "meta",
    "meta client",
    "batch writer",
    "paginator",
    "pages",
    "exit stack",
    "database",
    "face",
    "own",
    "other",
]
Flavour = Literal["sync", "async"]
Wrapping = Literal["", "coroutine", "context"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value is.

    `wrapping` is "coroutine" if the value must be awaited first, and "context" if it must be
    entered first. "database" and "face" are dynasafe's own: a face is a table. "own" is an instance
    of a class of the file that defines methods with these names. "other" is a boto3 object of
    another service.
    """

    what: What
    flavour: Flavour
    wrapping: Wrapping = ""

    def is_a(self, *kinds: What) -> bool:
        return self.what in kinds and self.wrapping == ""


_OTHER = Kind("other", "sync")
_OWN = Kind("own", "sync")
_FACTORIES: dict[str, tuple[What, Flavour]] = {
    "boto3.Session": ("session", "sync"),
    "boto3.session.Session": ("session", "sync"),
    "botocore.session.get_session": ("session", "sync"),
    "botocore.session.Session": ("session", "sync"),
    "aioboto3.Session": ("session", "async"),
    "aioboto3.session.Session": ("session", "async"),
    "aiobotocore.session.get_session": ("session", "async"),
    "aiobotocore.session.AioSession": ("session", "async"),
    "aiobotocore.get_session": ("session", "async"),
    "contextlib.ExitStack": ("exit stack", "sync"),
    "contextlib.AsyncExitStack": ("exit stack", "async"),
}
_DATABASES: dict[str, Flavour] = {
    "dynasafe.DynamoDB": "sync",
    "dynasafe.DynamoDB.connect": "sync",
    "dynasafe.AsyncDynamoDB": "async",
    "dynasafe.AsyncDynamoDB.connect": "async",
}
_FACES: dict[str, Flavour] = {"dynasafe.Table": "sync", "dynasafe.AsyncTable": "async"}
_MODULES: dict[str, Flavour] = {"boto3": "sync", "aioboto3": "async"}
_STUBS: dict[str, Flavour] = {
    "mypy_boto3_dynamodb": "sync",
    "types_boto3_dynamodb": "sync",
    "types_aiobotocore_dynamodb": "async",
}
_STUB_CLASSES: dict[str, What] = {
    "DynamoDBClient": "client",
    "DynamoDBServiceResource": "resource",
    "ServiceResource": "resource",
    "Table": "table",
    "BatchWriter": "batch writer",
    "ScanPaginator": "paginator",
    "QueryPaginator": "paginator",
}
METHODS = frozenset(
    {
        "put_item",
        "get_item",
        "update_item",
        "delete_item",
        "query",
        "scan",
        "batch_get_item",
        "batch_write_item",
        "transact_get_items",
        "transact_write_items",
    }
)


@dataclass(frozen=True, slots=True)
class Declared:
    """Full names that the configuration declares; they may have `*`."""

    tables: tuple[str, ...] = ()
    async_tables: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    async_clients: tuple[str, ...] = ()

    def kind(self, name: str) -> Kind | None:
        for patterns, what, flavour in (
            (self.tables, "table", "sync"),
            (self.async_tables, "table", "async"),
            (self.clients, "client", "sync"),
            (self.async_clients, "client", "async"),
        ):
            if any(fnmatchcase(name, each) for each in patterns):
                return Kind(what, flavour)  # type: ignore[arg-type]
        return None


class Receivers:
    """The kinds of the expressions of a file, each computed once."""

    def __init__(self, names: Names, declared: Declared) -> None:
        self._names = names
        self._declared = declared
        self._known: dict[ast.expr, Kind | None] = {}
        self._of_functions: dict[ast.AST, Kind | None] = {}
        self._fixtures: dict[str, ast.AST] | None = None

    def kind(self, node: ast.expr) -> Kind | None:
        """The kind of an expression, or None if it is unknown."""
        if node not in self._known:
            self._known[node] = None  # a value that depends on itself
            self._known[node] = self._find(node)
        return self._known[node]

    # Expressions

    def _find(self, node: ast.expr) -> Kind | None:
        match node:
            case ast.Name():
                return self._of_name(node)
            case ast.Attribute():
                return self._of_attribute(node)
            case ast.Call():
                return self._of_call(node)
            case ast.Await():
                return _unwrapped(self.kind(node.value), "coroutine")
            case ast.IfExp():
                return self._agreed([node.body, node.orelse])
            case ast.BoolOp(op=ast.Or()):
                return self._agreed(node.values)
            case ast.NamedExpr():
                return self.kind(node.value)
            case _:
                return None

    def _agreed(self, values: Iterable[ast.expr]) -> Kind | None:
        """The common kind of all values except None."""
        kinds = {self.kind(each) for each in values if not _is_none(each)}
        return kinds.pop() if len(kinds) == 1 else None

    def _of_name(self, node: ast.Name) -> Kind | None:
        scope = self._names.scopes[node]
        return self._of_bindings(scope.lookup(node.id), node)

    def _of_bindings(self, bindings: list[Binding], node: ast.expr) -> Kind | None:
        """The common kind of all bindings; None for a parameter, which may have any value."""
        kinds: set[Kind | None] = set()
        for binding in bindings:
            if binding.value is not None and _is_none(binding.value) and not binding.annotation:
                continue
            kind = self._of_binding(binding)
            if kind is None and binding.kind == "parameter" and len(bindings) > 1:
                continue
            kinds.add(kind)
        if len(kinds) == 1:
            (known,) = kinds
            if known is not None:
                return known
        return self._of_declared(node)

    def _of_declared(self, node: ast.expr) -> Kind | None:
        name = self._names.canonical(node)
        return None if name is None else self._declared.kind(name)

    def _of_binding(self, binding: Binding) -> Kind | None:
        if binding.annotation is not None:
            annotated = self._of_annotation(binding.annotation, binding.scope)
            if annotated is not None:
                return annotated
        if binding.kind == "assign" and binding.value is not None:
            return self.kind(binding.value)
        if binding.kind == "with" and binding.value is not None:
            return self._entered(binding.value)
        if binding.kind == "parameter" and isinstance(binding.node, ast.arg):
            return self._of_fixture(binding.node.arg)
        return None

    def _entered(self, manager: ast.expr) -> Kind | None:
        kind = self.kind(manager)
        if kind is not None and kind.what in ("batch writer", "exit stack", "database"):
            return kind
        return _unwrapped(kind, "context")

    def _of_fixture(self, name: str) -> Kind | None:
        """The kind of the pytest fixture of this file with the parameter's name."""
        if self._fixtures is None:
            self._fixtures = {
                each.name: each
                for each in self._names.definitions()
                if any("fixture" in ast.dump(decorator) for decorator in each.decorator_list)
            }
        found = self._fixtures.get(name)
        if found is None:
            return None
        kind = self._of_function(found)
        return None if kind is None else replace(kind, wrapping="")

    def _of_attribute(self, node: ast.Attribute) -> Kind | None:
        outer = self.kind(node.value)
        if outer is not None and outer.wrapping == "":
            if node.attr == "meta" and outer.what in ("resource", "table"):
                return Kind("meta", outer.flavour)
            if node.attr == "client" and outer.what == "meta":
                return Kind("meta client", outer.flavour)
            if node.attr in ("tables", "exceptions"):
                return None
        bindings = self._names.attribute_bindings(node)
        for binding in bindings:
            if isinstance(binding.node, ast.FunctionDef) and _is_property(binding.node):
                return self._of_function(binding.node)
        values = [each for each in bindings if each.kind != "function"]
        return self._of_bindings(values, node)

    def _of_call(self, node: ast.Call) -> Kind | None:
        function = node.func
        full = self._names.canonical(function)
        if full in _FACTORIES:
            return Kind(*_FACTORIES[full])
        if full in _DATABASES:
            return Kind("database", _DATABASES[full])
        if isinstance(function, ast.Attribute):
            found = self._of_method(node, function, full)
            if found is not None:
                return found
        return self._of_own_call(function)

    def _of_method(self, node: ast.Call, function: ast.Attribute, full: str | None) -> Kind | None:
        method = function.attr
        module = full.rpartition(".")[0] if full else ""
        outer = self.kind(function.value)
        session = outer if outer is not None and outer.is_a("session") else None
        if method in ("resource", "client", "create_client"):
            flavour = _MODULES.get(module) or (session.flavour if session else None)
            service = _service(node)
            if service is None or (flavour is None and service != "dynamodb"):
                return None
            if flavour is None:
                # This makes a DynamoDB client. Its use shows later whether it is async.
                return self._of_unknown_factory(node, method)
            what: What = "resource" if method == "resource" else "client"
            kind = Kind(what, flavour) if service == "dynamodb" else _OTHER
            return replace(kind, flavour=flavour, wrapping="context" if flavour == "async" else "")
        if outer is None or outer.wrapping:
            return None
        wrapping: Wrapping = "coroutine" if outer.flavour == "async" else ""
        match outer.what, method:
            case "resource", "Table" | "create_table":
                return Kind("table", outer.flavour, wrapping)
            case "database", "table":
                return Kind("face", outer.flavour)
            case "table", "batch_writer":
                return Kind("batch writer", outer.flavour)
            case "client" | "meta client", "get_paginator":
                return Kind("paginator", outer.flavour)
            case "paginator", "paginate":
                return Kind("pages", outer.flavour)
            case "exit stack", "enter_context" if node.args:
                return self._entered(node.args[0])
            case "exit stack", "enter_async_context" if node.args:
                entered = self._entered(node.args[0])
                return None if entered is None else replace(entered, wrapping="coroutine")
            case _:
                return None

    def _of_unknown_factory(self, node: ast.Call, method: str) -> Kind | None:
        """`anything.resource("dynamodb")`: async if it is entered with `async with`."""
        above = self._names.parents.get(node)
        what: What = "resource" if method == "resource" else "client"
        if isinstance(above, ast.withitem):
            statement = self._names.parents[above]
            if isinstance(statement, ast.AsyncWith):
                return Kind(what, "async", "context")
        return None

    # Functions and classes of the file

    def _of_own_call(self, function: ast.expr) -> Kind | None:
        bindings: list[Binding] = []
        if isinstance(function, ast.Name):
            bindings = self._names.scopes[function].lookup(function.id)
        elif isinstance(function, ast.Attribute):
            bindings = self._names.attribute_bindings(function)
        if len(bindings) != 1:
            return None
        (binding,) = bindings
        if isinstance(binding.node, ast.ClassDef):
            return _OWN if self.has_own_methods(binding.node) else None
        if isinstance(binding.node, ast.FunctionDef | ast.AsyncFunctionDef):
            return self._of_function(binding.node)
        return None

    def has_own_methods(self, node: ast.ClassDef) -> bool:
        """Whether a class defines methods named as DynamoDB's operations."""
        return any(
            isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name in METHODS
            for each in node.body
        )

    def _of_function(self, node: ast.AST) -> Kind | None:
        """The kind of a function's result, or of a fixture or property."""
        if node not in self._of_functions:
            self._of_functions[node] = None  # a function that calls itself
            self._of_functions[node] = self._returned(node)
        return self._of_functions[node]

    def _returned(self, node: ast.AST) -> Kind | None:
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        is_async = isinstance(node, ast.AsyncFunctionDef)
        own = self._names.inner[node]
        given: list[ast.expr] = []
        yields = False
        ends: list[ast.Return | ast.Yield] = [*self._names.all(ast.Return)]
        for each in [*ends, *self._names.all(ast.Yield)]:
            if each.value is not None and self._names.scopes[each].function is own:
                given.append(each.value)
                yields = yields or isinstance(each, ast.Yield)
        kind = self._agreed(given) if given else None
        if kind is None and node.returns is not None:
            kind = self._of_annotation(node.returns, self._names.scopes[node])
        if kind is None or kind.wrapping:
            return kind if not is_async and not yields else None
        if yields:
            is_manager = any("contextmanager" in ast.dump(each) for each in node.decorator_list)
            is_fixture = any("fixture" in ast.dump(each) for each in node.decorator_list)
            return replace(kind, wrapping="context") if is_manager else kind if is_fixture else None
        return replace(kind, wrapping="coroutine") if is_async else kind

    # Annotations

    def _of_annotation(self, node: ast.expr, scope: Scope) -> Kind | None:
        match node:
            case ast.Constant(value=str(text)):
                try:
                    parsed = ast.parse(text, mode="eval").body
                except SyntaxError:
                    return None
                return self._of_annotation(parsed, scope)
            case ast.BinOp(op=ast.BitOr()):
                found = [self._of_annotation(each, scope) for each in (node.left, node.right)]
                kinds = [each for each in found if each is not None]
                return kinds[0] if len(kinds) == 1 else None
            case ast.Subscript():
                outer = ast.unparse(node.value).rpartition(".")[2]
                inner = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
                if outer in ("Optional", "Annotated"):
                    return self._of_annotation(inner, scope)
                return self._of_face(node.value, scope)
            case ast.Name() | ast.Attribute():
                return self._of_face(node, scope) or self._of_stub(
                    self._annotated_name(node, scope)
                )
            case _:
                return None

    def _of_face(self, node: ast.expr, scope: Scope) -> Kind | None:
        """A dynasafe table: `Table` or `AsyncTable[Person]`."""
        flavour = _FACES.get(self._annotated_name(node, scope) or "")
        return None if flavour is None else Kind("face", flavour)

    def _annotated_name(self, node: ast.expr, scope: Scope) -> str | None:
        """The full name. The nodes of an annotation in quotes are not part of the tree."""
        if isinstance(node, ast.Name):
            return next((each.canonical for each in scope.lookup(node.id) if each.canonical), None)
        if isinstance(node, ast.Attribute):
            outer = self._annotated_name(node.value, scope)
            return None if outer is None else f"{outer}.{node.attr}"
        return None

    def _of_stub(self, full: str | None) -> Kind | None:
        if full is None:
            return None
        declared = self._declared.kind(full)
        if declared is not None:
            return declared
        flavour = _STUBS.get(full.partition(".")[0])
        what = _STUB_CLASSES.get(full.rpartition(".")[2])
        return None if flavour is None or what is None else Kind(what, flavour)


def _unwrapped(kind: Kind | None, wrapping: Wrapping) -> Kind | None:
    if kind is None or kind.wrapping != wrapping:
        return None
    return replace(kind, wrapping="")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_property(node: ast.FunctionDef) -> bool:
    names = {ast.unparse(each).rpartition(".")[2] for each in node.decorator_list}
    return not names.isdisjoint({"property", "cached_property"})


def _service(node: ast.Call) -> str | None:
    """The constant name of the service of `client("dynamodb")`."""
    given = node.args[0] if node.args else None
    for keyword in node.keywords:
        if keyword.arg == "service_name":
            given = keyword.value
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        return given.value
    return None
