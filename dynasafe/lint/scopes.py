"""The names of a file: their scopes, bindings and uses.

One walk over the tree finds them all. Nothing here is about DynamoDB.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from dynasafe.lint.source import Source

NodeT = TypeVar("NodeT", bound=ast.AST)
Definition = ast.FunctionDef | ast.AsyncFunctionDef
Function = Definition | ast.Lambda
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)

BindingKind = Literal[
    "assign", "augment", "for", "with", "parameter", "import", "function", "class", "other"
]


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """One way in which a name, or an attribute of `self`, gets its value.

    `value` is the expression for "assign" and "augment", the iterable for "for", the context
    manager for "with", and the default for "parameter". `canonical` is the full name of an import.
    """

    kind: BindingKind
    node: ast.AST
    scope: Scope
    value: ast.expr | None = None
    annotation: ast.expr | None = None
    canonical: str | None = None


@dataclass(slots=True, eq=False)
class Scope:
    """A module, a class, a function or a comprehension, and the names that it binds."""

    node: ast.AST
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=lambda: defaultdict(list))
    attributes: dict[str, list[Binding]] = field(default_factory=lambda: defaultdict(list))
    """For a class: `self.x = ...` in its methods."""
    outer: dict[str, Scope] = field(default_factory=dict)
    """Names that `global` or `nonlocal` declares, with the scope that binds them."""

    @property
    def is_class(self) -> bool:
        return isinstance(self.node, ast.ClassDef)

    def home(self, name: str) -> Scope | None:
        """The scope whose binding is used when the name is read here."""
        if name in self.outer:
            return self.outer[name]
        if name in self.bindings:
            return self
        scope = self.parent
        while scope is not None:
            if name in scope.bindings and not scope.is_class:
                return scope
            scope = scope.parent
        return None

    def lookup(self, name: str) -> list[Binding]:
        home = self.home(name)
        return [] if home is None else home.bindings[name]

    @property
    def function(self) -> Scope:
        """This scope, or the function or module around a comprehension."""
        scope = self
        while scope.parent is not None and isinstance(scope.node, _COMPREHENSIONS):
            scope = scope.parent
        return scope

    @property
    def class_scope(self) -> Scope | None:
        """The class of this method, or of the method around it."""
        scope: Scope | None = self
        while scope is not None and not scope.is_class:
            scope = scope.parent
        return scope


class Names:
    """The scopes, parents and uses of a file's tree."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.module: Scope = Scope(source.tree, None)
        self.parents: dict[ast.AST, ast.AST] = {}
        self.scopes: dict[ast.AST, Scope] = {}
        """The scope in which each node is evaluated."""
        self.inner: dict[ast.AST, Scope] = {source.tree: self.module}
        """The scope that a function, class or comprehension makes."""
        self.loads: dict[str, list[ast.Name]] = defaultdict(list)
        self._by_type: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        self._walk()

    # Questions

    def all(self, kind: type[NodeT]) -> list[NodeT]:
        """All nodes of a type, in the order of the text."""
        return self._by_type.get(kind, [])  # type: ignore[return-value]

    def definitions(self) -> list[Definition]:
        """All functions with a name."""
        return [*self.all(ast.FunctionDef), *self.all(ast.AsyncFunctionDef)]

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, the nearest first."""
        parents = self.parents
        above = parents.get(node)
        while above is not None:
            yield above
            above = parents.get(above)

    def statement(self, node: ast.AST) -> ast.stmt:
        """The statement in which an expression stands."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node

    def function(self, node: ast.AST) -> ast.AST:
        """The function around a node, or the module; comprehensions do not count."""
        return self.scopes[node].function.node

    def qualified_name(self, node: ast.AST) -> str:
        """The name as in `Class.method`; "" at module level."""
        scope: Scope | None = self.scopes[node]
        names = []
        while scope is not None:
            if isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.append(scope.node.name)
            scope = scope.parent
        return ".".join(reversed(names))

    def mentions(self, node: ast.AST, *words: str) -> bool:
        """Whether a string, keyword, name or attribute below a node is one of the words."""
        text = self.source.text
        if not isinstance(node, ast.Module):
            text = self.source.segment(node)
        if not any(word in text for word in words):
            return False  # the usual case, without a walk
        for each in ast.walk(node):
            match each:
                case (
                    ast.Constant(value=str(word))
                    | ast.keyword(arg=str(word))
                    | ast.Name(id=word)
                    | ast.Attribute(attr=word)
                ) if word in words:
                    return True
        return False

    def uses(self, name: str, home: Scope) -> list[ast.Name]:
        """The reads of a name that a scope binds, in the order of the text."""
        return [each for each in self.loads[name] if self.scopes[each].home(name) is home]

    def canonical(self, node: ast.expr) -> str | None:
        """The full name of an imported module or object: `boto3.dynamodb.conditions.Key`."""
        if isinstance(node, ast.Name):
            bindings = self.scopes[node].lookup(node.id) if node in self.scopes else []
            return next((each.canonical for each in bindings if each.canonical), None)
        if isinstance(node, ast.Attribute):
            outer = self.canonical(node.value)
            return None if outer is None else f"{outer}.{node.attr}"
        return None

    def attribute_bindings(self, node: ast.Attribute) -> list[Binding]:
        """The bindings of `self.x`, `cls.x` or `Class.x`."""
        if not isinstance(node.value, ast.Name):
            return []
        scope = self.scopes[node]
        owner: Scope | None = None
        if self.is_self(node.value):
            owner = scope.class_scope
        else:
            for binding in scope.lookup(node.value.id):
                if binding.kind == "class":
                    owner = self.inner[binding.node]
        if owner is None:
            return []
        return owner.attributes.get(node.attr, []) + owner.bindings.get(node.attr, [])

    def is_self(self, node: ast.Name) -> bool:
        """Whether a name is the first parameter of a method around it."""
        home = self.scopes[node].home(node.id)
        if home is None or home.parent is None or not home.parent.is_class:
            return False
        function = home.node
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        arguments = function.args.posonlyargs + function.args.args
        return bool(arguments) and arguments[0].arg == node.id

    # The walk

    def _walk(self) -> None:
        todo: list[tuple[ast.AST, Scope]] = [(self.source.tree, self.module)]
        parents, scopes, by_type = self.parents, self.scopes, self._by_type
        while todo:
            node, scope = todo.pop()
            scopes[node] = scope
            kind = type(node)
            by_type[kind].append(node)
            if kind is ast.Name:
                if isinstance(node.ctx, ast.Load):  # type: ignore[attr-defined]
                    self.loads[node.id].append(node)  # type: ignore[attr-defined,arg-type]
                continue
            binder = _BINDERS.get(kind)
            if binder is not None:
                binder(self, node, scope)
            inner = scope
            if isinstance(node, _SCOPES):
                inner = self.inner[node] = Scope(node, scope)
                if isinstance(node, FUNCTIONS):
                    self._bind_parameters(node, inner)
            children: list[tuple[ast.AST, Scope]] = []
            for name in node._fields:
                value = getattr(node, name, None)
                of = inner if inner is scope or name not in _OUTER else scope
                if isinstance(value, ast.AST):
                    if value.__class__ not in _SHARED:
                        parents[value] = node
                        children.append((value, of))
                elif isinstance(value, list):
                    for each in value:
                        if isinstance(each, ast.AST) and each.__class__ not in _SHARED:
                            parents[each] = node
                            children.append((each, of))
            todo.extend(reversed(children))

    def _bind_parameters(self, node: Function, inner: Scope) -> None:
        arguments = node.args
        plain = arguments.posonlyargs + arguments.args
        without = len(plain) - len(arguments.defaults)
        defaults: list[ast.expr | None] = [*[None] * without, *arguments.defaults]
        for argument, default in zip(plain, defaults, strict=True):
            self._bind_parameter(argument, default, inner)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            self._bind_parameter(argument, default, inner)
        for rest in (arguments.vararg, arguments.kwarg):
            if rest is not None:
                inner.bindings[rest.arg].append(Binding("other", rest, inner))

    def _bind_parameter(self, argument: ast.arg, default: ast.expr | None, inner: Scope) -> None:
        inner.bindings[argument.arg].append(
            Binding("parameter", argument, inner, default, argument.annotation)
        )

    def bind(
        self,
        target: ast.expr,
        kind: BindingKind,
        node: ast.AST,
        scope: Scope,
        value: ast.expr | None = None,
        annotation: ast.expr | None = None,
    ) -> None:
        """Record the value of a target of an assignment, a loop or a `with`."""
        if isinstance(target, ast.Name):
            home = scope.outer.get(target.id, scope)
            home.bindings[target.id].append(Binding(kind, node, scope, value, annotation))
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            class_scope = scope.class_scope
            function = scope.function.node
            if class_scope is None:
                return
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                return
            first = (function.args.posonlyargs + function.args.args)[:1]
            if first and first[0].arg == target.value.id:
                binding = Binding(kind, node, scope, value, annotation)
                class_scope.attributes[target.attr].append(binding)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, "other", node, scope)
        elif isinstance(target, ast.Tuple | ast.List):
            values: list[ast.expr | None] = [None] * len(target.elts)
            is_pairwise = isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts)
            if kind == "assign" and is_pairwise:
                values = list(value.elts)  # type: ignore[union-attr]
            for each, part in zip(target.elts, values, strict=True):
                self.bind(each, "assign" if part is not None else "other", node, scope, part)


# The body of a function is inside; decorators, defaults and annotations are outside.
_OUTER = frozenset({"decorator_list", "args", "returns", "bases", "keywords"})
_SHARED = (ast.Load, ast.Store, ast.Del)


def _assign(names: Names, node: ast.Assign, scope: Scope) -> None:
    for target in node.targets:
        names.bind(target, "assign", node, scope, node.value)


def _annotated(names: Names, node: ast.AnnAssign, scope: Scope) -> None:
    if node.value is not None or not isinstance(node.target, ast.Name) or scope.is_class:
        names.bind(node.target, "assign", node, scope, node.value, node.annotation)
    else:
        names.bind(node.target, "other", node, scope, None, node.annotation)


def _augmented(names: Names, node: ast.AugAssign, scope: Scope) -> None:
    names.bind(node.target, "augment", node, scope, node.value)


def _loop(names: Names, node: ast.For | ast.AsyncFor | ast.comprehension, scope: Scope) -> None:
    names.bind(node.target, "for", node, scope, node.iter)


def _with(names: Names, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
    for item in node.items:
        if item.optional_vars is not None:
            names.bind(item.optional_vars, "with", node, scope, item.context_expr)


def _walrus(names: Names, node: ast.NamedExpr, scope: Scope) -> None:
    names.bind(node.target, "assign", node, scope.function, node.value)


def _import(names: Names, node: ast.Import, scope: Scope) -> None:
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        full = alias.name if alias.asname else name
        scope.bindings[name].append(Binding("import", node, scope, canonical=full))


def _import_from(names: Names, node: ast.ImportFrom, scope: Scope) -> None:
    module = "." * node.level + (node.module or "")
    for alias in node.names:
        full = f"{module}.{alias.name}" if module.strip(".") else f"{module}{alias.name}"
        name = alias.asname or alias.name
        scope.bindings[name].append(Binding("import", node, scope, canonical=full))


def _definition(names: Names, node: ast.AST, scope: Scope) -> None:
    kind: BindingKind = "class" if isinstance(node, ast.ClassDef) else "function"
    scope.bindings[node.name].append(Binding(kind, node, scope))  # type: ignore[attr-defined]


def _handler(names: Names, node: ast.ExceptHandler, scope: Scope) -> None:
    if node.name is not None:
        scope.bindings[node.name].append(Binding("other", node, scope))


def _global(names: Names, node: ast.Global, scope: Scope) -> None:
    scope.outer.update(dict.fromkeys(node.names, names.module))


def _nonlocal(names: Names, node: ast.Nonlocal, scope: Scope) -> None:
    for name in node.names:
        home = scope.parent.home(name) if scope.parent is not None else None
        if home is not None:
            scope.outer[name] = home


def _delete(names: Names, node: ast.Delete, scope: Scope) -> None:
    for target in node.targets:
        names.bind(target, "other", node, scope)


def _capture(names: Names, node: ast.MatchAs | ast.MatchStar, scope: Scope) -> None:
    if node.name is not None:
        scope.bindings[node.name].append(Binding("other", node, scope))


def _mapping_rest(names: Names, node: ast.MatchMapping, scope: Scope) -> None:
    if node.rest is not None:
        scope.bindings[node.rest].append(Binding("other", node, scope))


_BINDERS: dict[type[ast.AST], Callable[[Names, Any, Scope], None]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.For: _loop,
    ast.AsyncFor: _loop,
    ast.comprehension: _loop,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.NamedExpr: _walrus,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.FunctionDef: _definition,
    ast.AsyncFunctionDef: _definition,
    ast.ClassDef: _definition,
    ast.ExceptHandler: _handler,
    ast.Global: _global,
    ast.Nonlocal: _nonlocal,
    ast.Delete: _delete,
    ast.MatchAs: _capture,
    ast.MatchStar: _capture,
    ast.MatchMapping: _mapping_rest,
}
