"""Rewrites update_item calls to UpdateBuilder, each with a proof.

The call, its receiver and its error handling stay. Without a proof, the code is not changed.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from dynasafe.lint.calls import Call, constant_display, find_face_calls
from dynasafe.lint.comprehended import Comprehended, is_comprehended
from dynasafe.lint.grown import BUILDER, Grown, removal
from dynasafe.lint.literals import only_text, text_constant
from dynasafe.lint.module import Module, RuleSettings
from dynasafe.lint.moved import display_for
from dynasafe.lint.problem import Edit
from dynasafe.lint.requests import whole_literal
from dynasafe.lint.rewrite import Names, NotMigratedError, Rewrite, is_free, stand_in
from dynasafe.lint.source import Source

_OPTIONS = {
    "ReturnValues": "return_values",
    "ReturnConsumedCapacity": "return_consumed_capacity",
    "ReturnItemCollectionMetrics": "return_item_collection_metrics",
    "ReturnValuesOnConditionCheckFailure": "return_values_on_condition_check_failure",
}
_MEMBERS = {
    *_OPTIONS,
    *("Key", "TableName", "UpdateExpression", "ConditionExpression"),
    *("ExpressionAttributeNames", "ExpressionAttributeValues"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A call that was not migrated, and the reason."""

    offset: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """A text after its migration, and the calls that were left."""

    text: str
    count: int
    left: tuple[Left, ...] = ()

    @property
    def reasons(self) -> Counter[str]:
        return Counter(each.reason for each in self.left)


def migrate_source(source: Source, settings: RuleSettings | None = None) -> Migrated:
    """Rewrite each update_item call if its new form provably makes the same request."""
    module = Module(source, settings)
    edits: list[Edit] = []
    left: list[Left] = []
    needed: set[str] = set()
    count = 0
    updates = [each for each in module.known_calls() if each.operation == "UpdateItem"]
    for call in [*updates, *find_face_calls(module.names, module.receivers)]:
        try:
            new, names = _migrated(call, module)
            if any(
                one.start < other.end and other.start < one.end for one in new for other in edits
            ):
                raise NotMigratedError("another call is made of the same parts")
            edits += new
            needed |= names
            count += 1
        except NotMigratedError as error:
            left.append(Left(offset=module.method_span(call)[0], reason=str(error)))
    if not count:
        return Migrated(text=source.text, count=0, left=tuple(left))
    edits += _imports(module, needed)
    text = source.text
    for edit in sorted(edits, key=lambda each: each.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    ast.parse(text)
    return Migrated(text=text, count=count, left=tuple(left))


def _migrated(call: Call, module: Module) -> tuple[list[Edit], set[str]]:
    """The edits of a call's migration, and the names that they import."""
    migration = _Migration(call, module)
    text = call.members["UpdateExpression"]
    if only_text(text, module.names) is not None:
        edits = [*migration.edits(), *migration.result()]
        return edits, migration.needed
    if is_comprehended(text) and not migration.is_face:
        made = Comprehended(call, module)
        return made.edits(migration.build(with_condition=True)), migration.needed
    grown = Grown(call, module)
    edits = [*grown.edits(migration.grown()), *migration.result()]
    return edits, migration.needed | grown.needed


def _imports(module: Module, needed: set[str]) -> Iterator[Edit]:
    ours = sorted(
        name for name in needed - {"Decimal"} if not _is_imported(name, f"dynasafe.{name}", module)
    )
    if ours:
        yield from module.add_import("dynasafe", ", ".join(ours))
    if "Decimal" in needed and not _is_imported("Decimal", "decimal.Decimal", module):
        yield from module.add_import("decimal", "Decimal")


def _is_imported(name: str, full: str, module: Module) -> bool:
    bindings = module.names.module.bindings.get(name, [])
    return any(each.canonical == full for each in bindings)


class _Migration:
    """The migration of one call."""

    def __init__(self, call: Call, module: Module) -> None:
        self._call = call
        self._module = module
        self._check_call()
        self.needed = {"UpdateBuilder"}
        self._unneeded: list[ast.stmt] = []
        """Statements that made the arguments of the call."""
        self.is_face = call.kind is not None and call.kind.what == "face"
        """Whether the receiver is a dynasafe table, whose method takes a key and an
        UpdateBuilder."""

    # The old call

    def _check_call(self) -> None:
        call, module = self._call, self._module
        if call.has_more or call.node.args:
            raise NotMigratedError("** or positional arguments")
        if not call.members.keys() <= _MEMBERS:
            raise NotMigratedError("legacy or unknown parameters")
        if set(call.keywords) != set(call.members):
            raise NotMigratedError("members in a dict that is spread")
        if call.form not in ("resource", "client", "meta"):
            raise NotMigratedError("neither a Table nor a client for sure")
        if call.form == "resource" and "TableName" in call.members:
            raise NotMigratedError("TableName on a Table")
        needed = {"Key", "UpdateExpression"} | (set() if call.form == "resource" else {"TableName"})
        missing = needed - call.members.keys()
        if missing:
            raise NotMigratedError(f"no {' and no '.join(sorted(missing))}")
        if module.source.has_comment(module.source.span(call.node)):
            raise NotMigratedError("a comment within the call")
        for name, full in (("UpdateBuilder", "dynasafe.UpdateBuilder"), ("attr", "dynasafe.attr")):
            if not is_free(name, full, module, call.node):
                raise NotMigratedError(f"the name {name} is taken")

    def _text(self, member: str, *, may_be_condition: bool = False) -> str | None:
        node = self._call.members.get(member)
        if node is None or (may_be_condition and self._module.is_condition(node)):
            return None
        text = only_text(node, self._module.names)
        if text is None:
            raise NotMigratedError(f"{member} is not literal")
        return text

    def _read_names(self) -> Names:
        node = self._call.members.get("ExpressionAttributeNames")
        if node is None:
            return Names()
        texts = [
            self._text("UpdateExpression"),
            self._text("ConditionExpression", may_be_condition=True),
        ]
        if not any("#" in (text or "") for text in texts):
            return Names()  # DynamoDB refuses the old call, because nothing uses the names
        display = self._display("ExpressionAttributeNames", node)
        literal: dict[str, str] = {}
        written: dict[str, ast.expr] = {}
        for alias, name in self._entries(display, "ExpressionAttributeNames").items():
            text = text_constant(name)
            literal[alias] = stand_in(self._module.text(name)) if text is None else text
            if text is None:
                written[literal[alias]] = name
        return Names(literal, written)

    def _entries(self, display: ast.Dict, member: str) -> dict[str, ast.expr]:
        """The entries of a display whose keys are known."""
        found: dict[str, ast.expr] = {}
        for key, value in zip(display.keys, display.values, strict=True):
            text = None if key is None else only_text(key, self._module.names)
            if text is None or text in found:
                raise NotMigratedError(f"a key of {member} is not literal")
            found[text] = value
        return found

    def _given_values(self) -> dict[str, ast.expr]:
        node = self._call.members.get("ExpressionAttributeValues")
        if node is None:
            return {}
        display = self._display("ExpressionAttributeValues", node)
        return self._entries(display, "ExpressionAttributeValues")

    def _display(self, member: str, node: ast.expr) -> ast.Dict:
        """The dict display of a parameter: written here, literal elsewhere, or made for this
        call."""
        display = constant_display(node, self._module.names)
        if display is not None and (display is node or isinstance(whole_literal(display), dict)):
            return display
        made = display_for(node, self._module)
        if made is None:
            raise NotMigratedError(f"{member} is not literal")
        display, statement = made
        self._unneeded.append(statement)
        return display

    # The new call

    def edits(self) -> Iterator[Edit]:
        """Prove the call, and return the edits of its arguments and of the statements that made
        them."""
        yield self._edit()
        for statement in self._unneeded:
            yield removal(statement, self._module)

    def _edit(self) -> Edit:
        module, node = self._module, self._call.node
        update = self._text("UpdateExpression")
        assert update is not None
        rewrite = Rewrite(
            module,
            is_client=self._call.form == "client",
            update=update,
            condition=self._text("ConditionExpression", may_be_condition=True),
            names=self._read_names(),
            values=self._given_values(),
        )
        links = [*rewrite.links(), *self._boto3_condition()]
        self.needed |= rewrite.needed
        _, start = module.source.span(node.func)
        _, end = module.source.span(node)
        line = module.source.line(module.source.place(start).line)
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        chain = ["**UpdateBuilder()", *links, self.build()]
        if self.is_face:
            key, *options = self._face_arguments()
            chain = [f"{key},", "UpdateBuilder()", *links]
            chain = [*chain[:-1], f"{chain[-1]},", *(f"{each}," for each in options)]
        if self._call.form == "meta":
            chain.insert(0, f"TableName={module.text(self._call.members['TableName'])},")
        text = "".join(f"\n{indent}{each}" for each in chain)
        return Edit(start, end, f"({text}\n{indent[4:]})")

    def _boto3_condition(self) -> list[str]:
        """A boto3 condition, which the new call takes unchanged."""
        condition = self._call.members.get("ConditionExpression")
        if condition is None or not self._module.is_condition(condition):
            return []
        return [f".condition({self._module.text(condition)})"]

    def _face_arguments(self) -> list[str]:
        """The arguments for a dynasafe table: the key and the options."""
        members = self._call.members
        if not _OPTIONS.keys() & members.keys() <= {"ReturnValues"}:
            raise NotMigratedError("an option that a table of dynasafe does not have")
        given = [self._module.text(members["Key"])]
        if "ReturnValues" in members:
            given.append(f"return_values={self._module.text(members['ReturnValues'])}")
        return given

    def grown(self) -> str:
        """The arguments of a call whose builder grows above it."""
        if not self.is_face:
            return f"**{BUILDER}{self.build(with_condition=True)}"
        if "ConditionExpression" in self._call.members and not self._boto3_condition():
            raise NotMigratedError("a condition as text beside an expression that grows")
        key, *options = self._face_arguments()
        return ", ".join([key, BUILDER + "".join(self._boto3_condition()), *options])

    def result(self) -> Iterator[Edit]:
        """Edit the uses of the answer: a dynasafe table returns an object with attributes, not a
        dict."""
        if not self.is_face:
            return
        parents, source = self._module.names.parents, self._module.source
        value: ast.AST = self._call.node
        if isinstance(parents[value], ast.Await):
            value = parents[value]
        above = parents[value]
        if isinstance(above, ast.Expr):
            return
        if isinstance(above, ast.Subscript) and text_constant(above.slice) == "Attributes":
            start, end = source.span(value)[1], source.span(above)[1]
            yield Edit(source.text.index("[", start), end, ".attributes")
            return
        raise NotMigratedError("its answer is used as boto3's")

    def build(self, *, with_condition: bool = False) -> str:
        """The end of the chain. `with_condition` if the chain begins elsewhere."""
        if self._call.form == "meta" and with_condition:
            raise NotMigratedError("neither a Table nor a client for sure")
        condition = self._boto3_condition() if with_condition else []
        if with_condition and not condition and "ConditionExpression" in self._call.members:
            raise NotMigratedError("a condition as text beside an expression that grows")
        arguments = []
        key = self._call.members["Key"]
        if self._call.form == "client":
            arguments.append(f"table_name={self._module.text(self._call.members['TableName'])}")
            if not isinstance(key, ast.Dict) or None in key.keys:
                raise NotMigratedError("Key is no display of AttributeValues")
            entries = [
                f"{self._module.text(name)}: {self._plain_value(value)}"
                for name, value in zip(key.keys, key.values, strict=True)
                if name is not None
            ]
            arguments.append(f"key={{{', '.join(entries)}}}")
        else:
            arguments.append(f"key={self._module.text(key)}")
        arguments += [
            f"{option}={self._module.text(self._call.members[member])}"
            for member, option in _OPTIONS.items()
            if member in self._call.members
        ]
        method = "build_client" if self._call.form == "client" else "build"
        return f"{''.join(condition)}.{method}({', '.join(arguments)})"

    def _plain_value(self, node: ast.expr) -> str:
        rewrite = Rewrite(
            self._module,
            is_client=True,
            update="SET a = :a",
            condition=None,
            names=Names(),
            values={":a": node},
        )
        self.needed |= rewrite.needed - {"attr"}
        return rewrite.plain_value(node)[0]
