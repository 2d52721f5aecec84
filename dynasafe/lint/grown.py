"""Rewrites update expressions that grow in branches to an UpdateBuilder that grows.

    parts, names, values = [], {}, {}         update = UpdateBuilder()
    if name:                                  if name:
        parts.append("#n = :n")                   update.set("name", name)
        names["#n"] = "name"
        values[":n"] = name
    table.update_item(                        table.update_item(
        UpdateExpression="SET "                   **update.build(key=key)
        + ", ".join(parts), ...)              )

A loop over names and values stays a loop: f"#{key} = :{key}" with its name and value in the same
block becomes update.set(attr(name=key), value).

A call is rewritten only if each part is proved, and if the code uses the collections only to create
them, to add a part with its names and values in one block, to test whether there are parts, and in
the call.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from dynasafe.lint.calls import Call
from dynasafe.lint.literals import text_constant
from dynasafe.lint.module import Module
from dynasafe.lint.problem import Edit
from dynasafe.lint.rewrite import Names, NotMigratedError, Rewrite, stand_in
from dynasafe.lint.scopes import FUNCTIONS, Scope

BUILDER = "update"
_NAMES = "ExpressionAttributeNames"
_VALUES = "ExpressionAttributeValues"


@dataclass(slots=True)
class _Group:
    """A part of the expression, in one block: text, names, values and statements."""

    block: ast.AST
    texts: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, ast.expr] = field(default_factory=dict)
    statements: list[ast.stmt] = field(default_factory=list)
    loop: ast.For | ast.AsyncFor | None = None
    written: dict[str, ast.expr] = field(default_factory=dict)
    """The code of names, by what stands for each."""
    holes: dict[str, ast.expr] = field(default_factory=dict)
    """The variables that are written into the texts, by what stands for each."""


class Grown:
    """Rewrites one call whose update expression grows.

    Raises:
        NotMigratedError: the function uses parts of the expression for something else.
    """

    def __init__(self, call: Call, module: Module) -> None:
        self._call = call
        self._module = module
        self._function = module.names.function(call.node)
        if not isinstance(self._function, FUNCTIONS):
            raise NotMigratedError("UpdateExpression is not literal")
        self._scope: Scope = module.names.inner[self._function]
        if self._scope.bindings.get(BUILDER):
            raise NotMigratedError(f"the name {BUILDER} is taken")
        self.needed: set[str] = {"UpdateBuilder"}
        self._edits: list[Edit] = []
        self._tests: list[ast.Name] = []
        self._groups: list[_Group] = []
        self._creations: dict[ast.stmt, set[str]] = {}
        self._parts = self._part_name()
        self._collections = list(dict.fromkeys([self._parts, *self._placeholder_names()]))
        self._first = _Group(self._function)
        self._additions: list[tuple[ast.stmt, ast.expr | None, ast.expr]] = []
        """What each statement adds: a part, or an entry with its placeholder."""
        self._read_creations()
        self._read_uses()
        for statement, placeholder, value in sorted(
            self._additions, key=lambda each: each[0].lineno
        ):
            group = self._group(statement)
            if placeholder is None:
                group.texts.append(self._template(group, value).strip(", "))
            else:
                self._note_entry(group, self._template(group, placeholder), value)

    # The old code

    def _part_name(self) -> str:
        """The name of the list that is joined, or of the text that grows."""
        node = self._call.members["UpdateExpression"]
        match node:
            case ast.BinOp(op=ast.Add(), left=prefix, right=joined):
                if (text_constant(prefix) or "").strip().upper() == "SET":
                    return _joined(joined)
            case ast.JoinedStr(
                values=[ast.Constant(value=str(prefix)), ast.FormattedValue(value=joined)]
            ):
                if prefix.strip().upper() == "SET":
                    return _joined(joined)
            case (
                ast.Name(id=name)
                | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="rstrip" | "strip"))
            ):
                return name
        raise NotMigratedError("UpdateExpression is not literal")

    def _placeholder_names(self) -> Iterator[str]:
        for member in (_NAMES, _VALUES):
            node = self._call.members.get(member)
            match node:
                case None:
                    continue
                case ast.Name(id=name):
                    yield name
                case (
                    ast.IfExp(test=_, body=ast.Name(id=name), orelse=ast.Constant(value=None))
                    | ast.BoolOp(op=ast.Or(), values=[ast.Name(id=name), ast.Constant(value=None)])
                ):
                    yield name
                case _:
                    raise NotMigratedError(f"{member} is not literal")

    def _read_creations(self) -> None:
        for name in self._collections:
            bindings = self._scope.bindings.get(name, [])
            created = [each for each in bindings if each.kind == "assign"]
            grown = [each for each in bindings if each.kind == "augment"]
            if len(created) != 1 or len(created) + len(grown) != len(bindings):
                raise NotMigratedError("what the expression is made of is bound twice")
            (binding,) = created
            statement = binding.node
            if not isinstance(statement, ast.Assign | ast.AnnAssign) or binding.value is None:
                raise NotMigratedError("what the expression is made of is not created here")
            self._require_above(statement)
            self._creations.setdefault(statement, set()).add(name)
            self._note(self._first, name, binding.value)
            for each in grown:
                assert isinstance(each.node, ast.AugAssign)
                assert each.value is not None
                if name != self._parts:
                    raise NotMigratedError("names or values grow otherwise")
                self._additions.append((each.node, None, each.value))
        for statement, names in self._creations.items():
            if len(names) < _target_count(statement):
                raise NotMigratedError(
                    "what the expression is made of is created with other things"
                )
        if any(not text.strip() for text in self._first.texts):
            self._first.texts = []

    def _require_above(self, statement: ast.stmt) -> None:
        """Require that the call is in or below the block that creates the collections."""
        names = self._module.names
        block = names.parents[statement]
        others = {names.parents[each] for each in self._creations}
        if others - {block} or block not in set(names.above(self._call.node)):
            raise NotMigratedError("what the expression is made of is created in a branch")
        self._block = block

    def _note(self, group: _Group, name: str, value: ast.expr) -> None:
        """Note the first value of a collection: empty, or literal parts."""
        match value:
            case ast.List(elts=elements) if name == self._parts:
                group.texts += [self._text(each) for each in elements]
            case ast.Call(func=ast.Name(id="list" | "dict"), args=[], keywords=[]):
                pass
            case ast.Constant(value=str(text)) if name == self._parts:
                words = text.strip()
                if words[:3].upper() != "SET":
                    raise NotMigratedError("the expression does not begin with SET")
                group.texts += [each for each in [words[3:].strip(", ")] if each]
            case ast.Dict(keys=keys, values=values) if name != self._parts:
                for key, each in zip(keys, values, strict=True):
                    self._note_entry(group, self._text(key), each)
            case _:
                raise NotMigratedError("what the expression is made of does not begin empty")

    def _note_entry(self, group: _Group, placeholder: str, value: ast.expr) -> None:
        if placeholder.startswith("#"):
            text = text_constant(value)
            if text is None:
                text = stand_in(self._module.text(value))
                group.written[text] = value
            group.names[placeholder] = text
        elif placeholder in group.values:
            raise NotMigratedError("a value is given twice")
        else:
            group.values[placeholder] = value
        if group.loop is not None and not self._is_own(group, placeholder, value):
            raise NotMigratedError(
                "the expression grows in a loop, with a placeholder that may stay the same"
            )

    def _is_own(self, group: _Group, placeholder: str, value: ast.expr) -> bool:
        """Whether each turn of the loop has its own placeholder."""
        assert group.loop is not None
        holes = [each for name, each in group.holes.items() if name in placeholder]
        if len(holes) != 1 or not isinstance(holes[0], ast.Name):
            return False
        hole = holes[0].id
        match group.loop.target, group.loop.iter:
            case (
                ast.Tuple(elts=[ast.Name(id=first), _]),
                (
                    ast.Call(func=ast.Attribute(attr="items"), args=[])
                    | ast.Call(func=ast.Name(id="enumerate"))
                ),
            ) if first == hole:
                return True
            case ast.Name(id=only), _ if only == hole:
                return _is_of(value, hole)
            case _:
                return False

    def _text(self, node: ast.expr | None) -> str:
        text = text_constant(node)
        if text is None:
            raise NotMigratedError("a part of the expression is not literal")
        return text

    def _read_uses(self) -> None:
        names = self._module.names
        calls = {self._call.node, *ast.walk(self._call.node)}
        for name in self._collections:
            for use in names.uses(name, self._scope):
                if use in calls:
                    continue
                if names.scopes[use].function is not self._scope:
                    raise NotMigratedError("the expression's parts are used elsewhere")
                statement = names.statement(use)
                match statement:
                    case ast.Expr(
                        value=ast.Call(
                            func=ast.Attribute(value=ast.Name() as of, attr="append"),
                            args=[part],
                            keywords=[],
                        )
                    ) if of is use and name == self._parts:
                        self._additions.append((statement, None, part))
                    case ast.Assign(
                        targets=[ast.Subscript(value=ast.Name() as of, slice=key)], value=value
                    ) if of is use and name != self._parts:
                        self._additions.append((statement, key, value))
                    case _ if name == self._parts and self._is_test(use):
                        self._tests.append(use)
                    case _:
                        raise NotMigratedError("the expression's parts are used elsewhere")

    def _is_test(self, use: ast.Name) -> bool:
        """Whether the name is the whole condition of an `if`, or `not` of it."""
        above = self._module.names.parents[use]
        if isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.Not):
            use_or_not: ast.AST = above
            above = self._module.names.parents[above]
        else:
            use_or_not = use
        return isinstance(above, ast.If) and above.test is use_or_not

    def _group(self, statement: ast.stmt) -> _Group:
        """The group of a statement: consecutive statements of one block."""
        block = self._module.names.parents[statement]
        loop = self._loop(block)
        for group in self._groups:
            if group.block is block and self._follows(statement, group.statements):
                group.statements.append(statement)
                return group
        group = _Group(block, statements=[statement], loop=loop)
        self._groups.append(group)
        return group

    def _loop(self, block: ast.AST) -> ast.For | ast.AsyncFor | None:
        """The loop around a block, below the creation."""
        found: ast.For | ast.AsyncFor | None = None
        for each in [block, *self._module.names.above(block)]:
            if each is self._block:
                return found
            if isinstance(each, ast.While) or (found and isinstance(each, ast.For | ast.AsyncFor)):
                raise NotMigratedError("the expression grows in a loop")
            if isinstance(each, ast.For | ast.AsyncFor):
                found = each
        raise NotMigratedError("the expression grows above its creation")

    def _template(self, group: _Group, node: ast.expr) -> str:
        """The text, with a word in place of each variable of a loop."""
        if group.loop is None or not isinstance(node, ast.JoinedStr):
            return self._text(node)
        parts = []
        for each in node.values:
            match each:
                case ast.Constant(value=str(text)):
                    parts.append(text)
                case ast.FormattedValue(
                    value=ast.Name(id=name) as hole, conversion=-1, format_spec=None
                ):
                    word = f"dynasafe_{name}_"
                    group.holes[word] = hole
                    parts.append(word)
                case _:
                    raise NotMigratedError("a part of the expression is not literal")
        return "".join(parts)

    def _follows(self, statement: ast.stmt, others: list[ast.stmt]) -> bool:
        """Whether a statement is in the same branch of a block as the others, next to one of
        them."""
        for name in ("body", "orelse", "finalbody"):
            arm = getattr(self._module.names.parents[statement], name, [])
            if isinstance(arm, list) and statement in arm:
                places = [arm.index(each) for each in others if each in arm]
                return any(abs(arm.index(statement) - place) == 1 for place in places)
        return False

    # The new code

    def edits(self, arguments: str) -> list[Edit]:
        """All edits: of the creation, each part, the tests, and the arguments of the call."""
        module = self._module
        names = dict(self._first.names)
        for group in self._groups:
            for alias, attribute in group.names.items():
                if names.setdefault(alias, attribute) != attribute:
                    raise NotMigratedError("a placeholder stands for two names")
        first = "".join(self._links(self._first, names)) if self._first.texts else ""
        created = sorted(self._creations, key=lambda each: each.lineno)
        last = created[-1]
        later = [each for group in self._groups for each in group.statements]
        later += [module.names.statement(each) for each in self._tests]
        if any(each.lineno <= last.lineno for each in later):
            raise NotMigratedError("the expression grows before all of it is created")
        edits = [module.replace(last, f"{BUILDER} = UpdateBuilder(){first}")]
        edits += [removal(each, module) for each in created[:-1]]
        for group in self._groups:
            statements = sorted(group.statements, key=lambda each: each.lineno)
            if not group.texts:
                raise NotMigratedError("names or values without a part beside them")
            links = "".join(self._links(group, names))
            edits.append(module.replace(statements[-1], f"{BUILDER}{links}"))
            edits += [removal(each, module) for each in statements[:-1]]
        for use in self._tests:
            above = module.names.parents[use]
            is_negated = isinstance(above, ast.UnaryOp)
            text = f"{BUILDER}.is_empty" if is_negated else f"not {BUILDER}.is_empty"
            edits.append(module.replace(above if is_negated else use, text))
        _, end = module.source.span(self._call.node)
        _, opened = module.source.span(self._call.node.func)
        edits.append(Edit(opened, end, f"({arguments})"))
        self._require_no_comment(edits)
        return edits

    def _links(self, group: _Group, names: dict[str, str]) -> list[str]:
        used = " ".join(group.texts)
        if group.loop is not None and not group.holes:
            raise NotMigratedError("the expression grows in a loop")
        rewrite = Rewrite(
            self._module,
            is_client=self._call.form == "client",
            update=f"SET {', '.join(group.texts)}",
            condition=None,
            names=Names(
                {alias: name for alias, name in names.items() if alias in used}, self._written()
            ),
            values=group.values,
            paths=group.holes,
        )
        links = rewrite.links()
        self.needed |= rewrite.needed
        return links

    def _written(self) -> dict[str, ast.expr]:
        return {
            name: code
            for group in [self._first, *self._groups]
            for name, code in group.written.items()
        }

    def _require_no_comment(self, edits: list[Edit]) -> None:
        if any(self._module.source.has_comment((each.start, each.end)) for each in edits):
            raise NotMigratedError("a comment within what would be rewritten")


def removal(statement: ast.stmt, module: Module) -> Edit:
    """The edit that removes a statement with its line.

    Raises:
        NotMigratedError: the line has more.
    """
    source = module.source
    start, end = source.span(statement)
    line = source.starts[statement.lineno - 1]
    following = [each for each in source.starts if each > end - 1]
    stop = following[0] if following else len(source.text)
    if source.text[line:start].strip() or source.text[end:stop].strip():
        raise NotMigratedError("a comment, or another statement, on the line")
    if source.has_comment((start, end)):
        raise NotMigratedError("a comment within what would be rewritten")
    return Edit(line, stop, "")


def _is_of(value: ast.expr, name: str) -> bool:
    """Whether a value is the variable itself, or a mapping's entry for it."""
    match value:
        case ast.Name(id=same):
            return same == name
        case ast.Subscript(value=ast.Name(), slice=ast.Name(id=same)):
            return same == name
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr="get"), args=[ast.Name(id=same)]):
            return same == name
        case _:
            return False


def _joined(node: ast.expr) -> str:
    """The list that `", ".join(parts)` joins."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str(joint)), attr="join"),
            args=[ast.Name(id=name)],
        ) if joint.strip() == ",":
            return name
    raise NotMigratedError("UpdateExpression is not literal")


def _target_count(statement: ast.stmt) -> int:
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
        return len(statement.targets[0].elts)
    return 1
