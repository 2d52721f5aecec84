"""Rewrites update expressions that comprehensions build from a mapping to a patch.

    table.update_item(                                     table.update_item(
        UpdateExpression="SET "                                **UpdateBuilder.from_patch(
        + ", ".join(f"#{k} = :{k}" for k in data),                 data, allow=data.keys(),
        ExpressionAttributeNames={                                 none="null")
            f"#{k}": k for k in data},                         .build(key=key)
        ExpressionAttributeValues={                        )
            f":{k}": v for k, v in data.items()})

As before, everything in the mapping is written. To write less, name the attributes in `allow`.
"""

from __future__ import annotations

import ast
from typing import Any

from dynasafe.errors import DynasafeError
from dynasafe.expressions.parser import parse_update
from dynasafe.items.updates import UpdateBuilder
from dynasafe.lint.calls import Call
from dynasafe.lint.literals import text_constant
from dynasafe.lint.module import Module
from dynasafe.lint.problem import Edit
from dynasafe.lint.rewrite import NotMigratedError
from dynasafe.values.convert import to_attribute_map

_SAMPLE = {"alpha": "a", "beta": 7, "gamma": None, "delta": [1, {"epsilon": "e"}]}
"""The old and the new code run with this mapping."""
_METHODS = frozenset({"items", "keys", "join"})
_COMPREHENSIONS = (ast.GeneratorExp, ast.ListComp, ast.DictComp)


class Comprehended:
    """Rewrites one call whose expression, names and values come from one mapping.

    Raises:
        NotMigratedError: they are built in another way, or from something else.
    """

    def __init__(self, call: Call, module: Module) -> None:
        self._call = call
        self._module = module
        self._text = call.members["UpdateExpression"]
        self._names = call.members.get("ExpressionAttributeNames")
        self._values = call.members.get("ExpressionAttributeValues")
        given = [each for each in (self._text, self._names, self._values) if each is not None]
        data = {name for each in given for name in self._mappings(each)}
        if len(data) != 1 or self._values is None or call.form == "client":
            raise NotMigratedError("UpdateExpression is not literal")
        (self._data,) = data
        if len(module.names.scopes[call.node].lookup(self._data)) != 1:
            raise NotMigratedError("what the expression is made of is bound twice")
        self._prove()

    def edits(self, build: str) -> list[Edit]:
        """The edit of the call's arguments."""
        source, node, data = self._module.source, self._call.node, self._data
        start, end = source.span(node.func)[1], source.span(node)[1]
        patch = f'UpdateBuilder.from_patch({data}, allow={data}.keys(), none="null")'
        return [Edit(start, end, f"(**{patch}{build})")]

    def _mappings(self, node: ast.expr) -> set[str]:
        """The names that comprehensions iterate over, if the rest is text and their variables."""
        found: set[str] = set()
        own: set[str] = set()
        for each in ast.walk(node):
            match each:
                case ast.Call(func=ast.Attribute(attr=method)) if method not in _METHODS:
                    raise NotMigratedError("UpdateExpression is not literal")
                case ast.Call(func=ast.Attribute()) | ast.Attribute():
                    pass
                case ast.Call() | ast.Lambda() | ast.Await() | ast.NamedExpr():
                    raise NotMigratedError("UpdateExpression is not literal")
                case ast.comprehension(target=target, iter=over, ifs=[], is_async=0):
                    own |= {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}
                    found |= {part.id for part in ast.walk(over) if isinstance(part, ast.Name)}
                case ast.comprehension():
                    raise NotMigratedError("UpdateExpression is not literal")
                case _:
                    pass
        read = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        if not found or read - own - found or found & own:
            raise NotMigratedError("UpdateExpression is not literal")
        return found

    def _prove(self) -> None:
        """Run the old expressions and the new code over a sample, and compare the trees."""
        names = {} if self._names is None else self._run(self._names)
        values = self._run(self._values)
        try:
            old = parse_update(self._run(self._text), names, to_attribute_map(values))
            update = UpdateBuilder.from_patch(_SAMPLE, allow=_SAMPLE.keys(), none="null")
            new = update.build_client(table_name="a-table", key={"dynasafe-key": "a"})
            same = parse_update(
                new["UpdateExpression"],
                new.get("ExpressionAttributeNames", {}),
                new["ExpressionAttributeValues"],
            )
        except (DynasafeError, TypeError, ValueError) as error:
            raise NotMigratedError("UpdateExpression is not literal") from error
        if old != same:
            raise NotMigratedError("the builder's tree is another one")

    def _run(self, node: ast.expr | None) -> Any:
        """Evaluate an expression of comprehensions that calls nothing else."""
        code = compile(self._module.text(node) if node is not None else "None", "sample", "eval")
        try:
            return eval(code, {"__builtins__": {}, self._data: dict(_SAMPLE)})
        except Exception as error:
            raise NotMigratedError("UpdateExpression is not literal") from error


def is_comprehended(node: ast.expr) -> bool:
    """Whether the text joins the results of a comprehension."""
    match node:
        case ast.BinOp(op=ast.Add(), right=joined):
            pass
        case ast.JoinedStr(values=[ast.Constant(), ast.FormattedValue(value=joined)]):
            pass
        case _:
            return False
    match joined:
        case ast.Call(func=ast.Attribute(value=ast.Constant() as joint, attr="join"), args=[made]):
            return text_constant(joint) is not None and isinstance(made, _COMPREHENSIONS)
        case _:
            return False
