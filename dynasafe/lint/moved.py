"""Dicts that are made for one call, so their entries can be written in the call."""

from __future__ import annotations

import ast

from dynasafe.lint.calls import bound_value
from dynasafe.lint.module import Module

_ACTS = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Lambda)
_LOOKS = (ast.Attribute, ast.Subscript)


def display_for(node: ast.expr, module: Module) -> tuple[ast.Dict, ast.Assign] | None:
    """The dict display that a name has only for this use, and the statement that makes it.

    None if its entries could have other values at the place of the name.
    """
    value = bound_value(node, module.names)
    if not isinstance(node, ast.Name) or not isinstance(value, ast.Dict):
        return None
    names = module.names
    home = names.scopes[node].home(node.id)
    statement = names.statement(value)
    if home is None or len(names.uses(node.id, home)) != 1 or home is not names.scopes[value]:
        return None
    if not isinstance(statement, ast.Assign) or statement.value is not value:
        return None
    if len(statement.targets) != 1 or not isinstance(statement.targets[0], ast.Name):
        return None
    inside = [each for part in value.values for each in ast.walk(part)]
    if any(isinstance(each, _ACTS) for each in inside):
        return None
    if any(isinstance(each, _LOOKS) for each in inside):
        return (value, statement) if _is_soon(statement, node, module) else None
    for each in inside:
        if isinstance(each, ast.Name) and len(names.scopes[each].lookup(each.id)) > 1:
            return None
    return value, statement


def _is_soon(statement: ast.stmt, node: ast.expr, module: Module) -> bool:
    """Whether no other code runs between a statement and a node's statement in the same block."""
    last = module.names.statement(node)
    parent = module.names.parents[statement]
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and statement in block and last in block:
            between = block[block.index(statement) + 1 : block.index(last)]
            return not any(
                not isinstance(each, ast.Assign | ast.AnnAssign)
                or any(isinstance(part, _ACTS) for part in ast.walk(each))
                for each in between
            )
    return False
