"""Rules about tests: mocks that accept calls that boto3 refuses, or that nothing can await."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dynasafe.lint.module import Module
from dynasafe.lint.problem import Draft, rule
from dynasafe.lint.receivers import METHODS
from dynasafe.lint.scopes import Scope

_MOCKS = frozenset({"unittest.mock.Mock", "unittest.mock.MagicMock", "mock.Mock", "mock.MagicMock"})


@rule("DYS370", level="error")
def awaited_mock(module: Module) -> Iterator[Draft]:
    """A Mock in the place of an async client or table."""
    if not module.is_test:
        return
    for node, name, home in _mocks(module):
        uses = module.names.uses(name, home)
        configured = [each for each in uses if _is_return_value(each, module)]
        if configured and any(_is_awaited(each, module) for each in uses):
            yield Draft(
                node=node,
                message=f"`{name}` is a Mock, and the code awaits its methods",
                answer="TypeError: object dict can't be used in 'await' expression",
                fix="dynasafe.testing.spec_mock, fake_table(), or AsyncMock",
            )


@rule("DYS371", level="risk")
def mock_without_spec(module: Module) -> Iterator[Draft]:
    """A Mock without a spec, which accepts calls that boto3 refuses."""
    if not module.is_test:
        return
    for node, name, home in _mocks(module):
        if any(each.arg in ("spec", "spec_set", None) for each in node.keywords) or node.args:
            continue
        if any(_method(each, module) for each in module.names.uses(name, home)):
            yield Draft(
                node=node,
                message=f"`{name}` accepts any call, such as put_item(item=...)",
                answer="no error: the test passes, but boto3 refuses the call",
                fix="dynasafe.testing.spec_mock, or fake_table()",
            )


def _mocks(module: Module) -> Iterator[tuple[ast.Call, str, Scope]]:
    """Each Mock that is bound to a local name."""
    for node in module.names.all(ast.Call):
        above = module.names.parents[node]
        if module.names.canonical(node.func) not in _MOCKS or not isinstance(above, ast.Assign):
            continue
        target = above.targets[0]
        if isinstance(target, ast.Name):
            home = module.names.scopes[target].home(target.id)
            if home is not None:
                yield node, target.id, home


def _method(use: ast.Name, module: Module) -> ast.Attribute | None:
    above = module.names.parents[use]
    is_method = isinstance(above, ast.Attribute) and above.attr in METHODS
    return above if is_method and isinstance(above, ast.Attribute) else None


def _is_return_value(use: ast.Name, module: Module) -> bool:
    """Whether `mock.put_item.return_value = ...` is set here."""
    method = _method(use, module)
    above = None if method is None else module.names.parents[method]
    return (
        isinstance(above, ast.Attribute)
        and above.attr == "return_value"
        and isinstance(above.ctx, ast.Store)
    )


def _is_awaited(use: ast.Name, module: Module) -> bool:
    """Whether the mock is passed to a function of this file that awaits one of its methods."""
    above = module.names.parents[use]
    call = module.names.parents[above] if isinstance(above, ast.keyword) else above
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return False
    bindings = module.names.scopes[call.func].lookup(call.func.id)
    function = bindings[0].node if len(bindings) == 1 else None
    if not isinstance(function, ast.AsyncFunctionDef):
        return False
    if isinstance(above, ast.keyword):
        parameter = above.arg
    else:
        position = call.args.index(use)
        arguments = function.args.posonlyargs + function.args.args
        parameter = arguments[position].arg if position < len(arguments) else None
    return any(
        isinstance(node, ast.Await)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr in METHODS
        and isinstance(node.value.func.value, ast.Name)
        and node.value.func.value.id == parameter
        for node in ast.walk(function)
    )
