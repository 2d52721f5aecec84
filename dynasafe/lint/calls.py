"""The calls of DynamoDB's item operations in a file, with operation, receiver and parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from dynasafe.lint.receivers import METHODS, Flavour, Kind, Receivers
from dynasafe.lint.scopes import Names, Scope

Form = Literal["resource", "client", "meta", "writer"]
How = Literal["known", "signature", "name"]

OPERATIONS = {method: "".join(map(str.capitalize, method.split("_"))) for method in METHODS}
READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
_OF_TABLE = frozenset({"put_item", "get_item", "update_item", "delete_item", "query", "scan"})
_OF_RESOURCE = frozenset({"batch_get_item", "batch_write_item"})
_OF_WRITER = frozenset({"put_item", "delete_item"})
_FORMS: dict[str, tuple[Form, frozenset[str]]] = {
    "table": ("resource", _OF_TABLE),
    "resource": ("resource", _OF_RESOURCE),
    "client": ("client", METHODS),
    "meta client": ("meta", METHODS),
    "batch writer": ("writer", _OF_WRITER),
}
_ONLY_DYNAMODB = frozenset(
    {
        "Item",
        "Key",
        "UpdateExpression",
        "AttributeUpdates",
        "KeyConditionExpression",
        "KeyConditions",
        "FilterExpression",
        "RequestItems",
        "TransactItems",
    }
)
_HINTS = ("table", "dynamo", "ddb")


@dataclass(slots=True, eq=False)
class Call:
    """A call of an item operation.

    `form` is None if the receiver may be a table or a client. `how` says why this is a DynamoDB
    call: "known" from dataflow, an annotation or the configuration; "signature" from keywords that
    only DynamoDB's calls have; "name" from the receiver's name in a call with `**`, which proves
    little.
    """

    node: ast.Call
    function: ast.Attribute
    operation: str
    how: How
    kind: Kind | None
    form: Form | None
    flavour: Flavour | None
    members: dict[str, ast.expr] = field(default_factory=dict)
    keywords: dict[str, ast.keyword] = field(default_factory=dict)
    """The parameters that are written as keywords of this call."""
    maybe: dict[str, list[ast.expr]] = field(default_factory=dict)
    """Values that some branch puts into a dict that the call spreads: `params["Limit"] = 5`."""
    has_more: bool = False
    """Whether the call may have parameters that the source does not show, such as `**params`."""

    @property
    def method(self) -> str:
        return self.function.attr

    @property
    def receiver(self) -> ast.expr:
        return self.function.value

    @property
    def is_read(self) -> bool:
        return self.operation in READS


def find_calls(names: Names, receivers: Receivers) -> Iterator[Call]:
    """The calls of item operations, in the order of the text."""
    for node in names.all(ast.Call):
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in METHODS:
            call = _call(node, function, names, receivers)
            if call is not None:
                yield call


def find_face_calls(names: Names, receivers: Receivers) -> Iterator[Call]:
    """The calls of update_item on a dynasafe table that have boto3's parameters."""
    for node in names.all(ast.Call):
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr == "update_item":
            kind = receivers.kind(function.value)
            if kind is not None and kind.is_a("face"):
                call = Call(node, function, "UpdateItem", "known", kind, "resource", kind.flavour)
                _fill(call, names)
                if "UpdateExpression" in call.members:
                    yield call


def _call(
    node: ast.Call, function: ast.Attribute, names: Names, receivers: Receivers
) -> Call | None:
    kind = receivers.kind(function.value)
    parent = names.parents[node]
    is_awaited = isinstance(parent, ast.Await)
    if kind is not None:
        if kind.what not in _FORMS or function.attr not in _FORMS[kind.what][1]:
            return None
        form = _FORMS[kind.what][0]
        call = Call(node, function, OPERATIONS[function.attr], "known", kind, form, kind.flavour)
        _fill(call, names)
        return call
    if isinstance(function.value, ast.Name | ast.Call) and _is_of_own_class(
        function.value, names, receivers
    ):
        return None
    call = Call(
        node,
        function,
        OPERATIONS[function.attr],
        "signature",
        None,
        None,
        "async" if is_awaited else None,
    )
    _fill(call, names)
    if call.members.keys().isdisjoint(_ONLY_DYNAMODB) and not (
        function.attr == "scan" and "TableName" in call.members
    ):
        text = ast.unparse(function.value).lower()
        if not call.has_more or not any(hint in text for hint in _HINTS):
            return None
        call.how = "name"
    if "TableName" not in call.members and not call.has_more and call.method in _OF_TABLE:
        call.form = "resource"  # a client's call would name its table
    elif "TableName" in call.members and _has_typed_key(call):
        call.form = "client"
    return call


def _has_typed_key(call: Call) -> bool:
    """Whether a key or item is written with AttributeValues, which only a client takes."""
    given = call.members.get("Key") or call.members.get("Item")
    return (
        isinstance(given, ast.Dict)
        and bool(given.values)
        and all(map(is_typed_display, given.values))
    )


TYPES = ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")


def is_typed_display(node: ast.expr) -> bool:
    """Whether a dict display looks like an AttributeValue: one member, named like a type."""
    return (
        isinstance(node, ast.Dict)
        and len(node.keys) == 1
        and isinstance(node.keys[0], ast.Constant)
        and node.keys[0].value in TYPES
    )


def _is_of_own_class(node: ast.expr, names: Names, receivers: Receivers) -> bool:
    """`self.put_item(...)` or `super().put_item(...)` of a class that defines it."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "super"
    if not isinstance(node, ast.Name) or not names.is_self(node):
        return False
    owner = names.scopes[node].class_scope
    return owner is not None and (
        not isinstance(owner.node, ast.ClassDef) or receivers.has_own_methods(owner.node)
    )


def _fill(call: Call, names: Names) -> None:
    """Collect the parameters of a call: its keywords, and those of displays given with `**`."""
    call.has_more = bool(call.node.args)
    for keyword in call.node.keywords:
        if keyword.arg is not None:
            call.members[keyword.arg] = keyword.value
            call.keywords[keyword.arg] = keyword
            continue
        display = constant_display(keyword.value, names) or _returned_display(keyword.value, names)
        if display is None:
            display = _filled_display(keyword.value, call, names)
            call.has_more = True
        if display is None:
            continue
        for key, value in zip(display.keys, display.values, strict=True):
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                call.has_more = True
            elif key.value not in call.maybe:
                call.members[key.value] = value


def _returned_display(node: ast.expr, names: Names) -> ast.Dict | None:
    """The display that a function of the file returns, if it does nothing else with it."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return None
    bindings = names.scopes[node].lookup(node.func.id)
    function = bindings[0].node if len(bindings) == 1 else None
    if not isinstance(function, ast.FunctionDef) or function.decorator_list:
        return None
    own = names.inner[function]
    returned = [each.value for each in names.all(ast.Return) if names.scopes[each].function is own]
    (value,) = returned if len(returned) == 1 else (None,)
    return None if value is None else constant_display(value, names)


def _filled_display(node: ast.expr, call: Call, names: Names) -> ast.Dict | None:
    """The display that a local dict starts with. Entries that are added later go to `call.maybe`.

    None if the code does anything else with the dict, such as pass it to a function that removes
    None.
    """
    value = bound_value(node, names)
    if not isinstance(node, ast.Name) or not isinstance(value, ast.Dict):
        return None
    home = names.scopes[node].home(node.id)
    assert home is not None
    puts: dict[str, list[ast.expr]] = {}
    for use in names.uses(node.id, home):
        above = names.parents[use]
        statement = names.parents.get(above)
        match above, statement:
            case (
                ast.Subscript(slice=ast.Constant(value=str(key)), ctx=ast.Store()),
                ast.Assign(targets=[_], value=put),
            ):
                puts.setdefault(key, []).append(put)
            case _ if may_change(use, names):
                return None
    call.maybe.update(puts)
    return value


def constant_display(node: ast.expr, names: Names) -> ast.Dict | None:
    """The dict display of a value: written here, or in a local that does not change."""
    if isinstance(node, ast.Dict):
        return node
    value = only_value(node, names)
    return value if isinstance(value, ast.Dict) else None


def only_value(node: ast.expr, names: Names) -> ast.expr | None:
    """The expression whose value a name has, if nothing changes that value."""
    if not isinstance(node, ast.Name):
        return None
    value = bound_value(node, names)
    home = names.scopes[node].home(node.id)
    if value is None or home is None or is_changed(node.id, home, names):
        return None
    return value


def bound_value(node: ast.expr, names: Names) -> ast.expr | None:
    """The expression to which a name is bound, if it is bound once."""
    if not isinstance(node, ast.Name):
        return None
    bindings = names.scopes[node].lookup(node.id)
    if len(bindings) != 1 or bindings[0].kind != "assign":
        return None
    return bindings[0].value


_LOOKS = frozenset({"get", "items", "keys", "values", "copy", "count", "index", "format", "join"})
_LOOKING = frozenset(
    {"len", "bool", "dict", "list", "set", "sorted", "tuple", "print", "str", "repr", "any", "all"}
)


def is_changed(name: str, home: Scope, names: Names) -> bool:
    """Whether a dict or list that a name holds may be changed: filled, or given to a function."""
    return any(may_change(use, names) for use in names.uses(name, home))


def may_change(use: ast.Name, names: Names) -> bool:
    """Whether the code may change the value of a name at this use."""
    above = names.parents[use]
    if isinstance(above, ast.Subscript):
        return above.value is use and not isinstance(above.ctx, ast.Load)
    if isinstance(above, ast.Attribute):
        return above.attr not in _LOOKS
    if isinstance(above, ast.keyword):
        call = names.parents[above]
        assert isinstance(call, ast.Call | ast.ClassDef)
        return not (isinstance(call, ast.Call) and _only_reads(call))
    if isinstance(above, ast.Call):
        return above.func is not use and not _only_reads(above)
    if isinstance(above, ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.withitem):
        return not isinstance(names.scopes[use].node, ast.ClassDef)
    return isinstance(above, ast.Starred | ast.Yield | ast.List | ast.Tuple | ast.Set)


def _only_reads(call: ast.Call) -> bool:
    """Whether a call does not change its arguments, as those of boto3 and of built-in functions."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr in METHODS or call.func.attr in (
            "paginate",
            "dumps",
            *("debug", "info", "warning", "error", "exception"),
        )
    return isinstance(call.func, ast.Name) and call.func.id in _LOOKING


# How an answer is used


@dataclass(slots=True)
class Answer:
    """How the code uses a call's answer.

    `reads` has the constant keys that are read, as in `answer["Item"]`. `looks` has those that the
    code tests first, as in `answer.get("Item")` or `"Item" in answer`.
    """

    reads: dict[str, list[ast.expr]] = field(default_factory=dict)
    looks: set[str] = field(default_factory=set)
    is_handed_on: bool = False
    is_dropped: bool = False
    name: str | None = None

    @property
    def keys(self) -> set[str]:
        return self.looks | self.reads.keys()


def answer_of(call: Call, names: Names) -> Answer:
    """How the code uses the answer of a call."""
    answer = Answer()
    value: ast.expr = call.node
    above = names.parents[value]
    if isinstance(above, ast.Await):
        value, above = above, names.parents[above]
    if isinstance(above, ast.Expr):
        answer.is_dropped = True
        return answer
    target: ast.expr | None = None
    if isinstance(above, ast.Assign) and len(above.targets) == 1:
        target = above.targets[0]
    elif isinstance(above, ast.AnnAssign | ast.NamedExpr):
        target = above.target
    if isinstance(target, ast.Name):
        answer.name = target.id
        home = names.scopes[target].home(target.id)
        if isinstance(above, ast.NamedExpr):
            _note_use(above, answer, names)
        for use in names.uses(target.id, home) if home is not None else ():
            _note_use(use, answer, names)
    elif target is not None:
        answer.is_handed_on = True
    else:
        _note_use(value, answer, names)
    return answer


def _note_use(use: ast.expr, answer: Answer, names: Names) -> None:
    above = names.parents[use]
    match above:
        case ast.Subscript(slice=ast.Constant(value=str(key))) if above.value is use:
            if isinstance(above.ctx, ast.Load):
                answer.reads.setdefault(key, []).append(above)
        case ast.Attribute(attr="get" | "pop"):
            outer = names.parents[above]
            if isinstance(outer, ast.Call) and outer.args and outer.func is above:
                asked = outer.args[0]
                if isinstance(asked, ast.Constant) and isinstance(asked.value, str):
                    answer.looks.add(asked.value)
                    return
            answer.is_handed_on = True
        case ast.Compare(left=ast.Constant(value=str(key))):
            answer.looks.add(key)
        case ast.If() | ast.While() | ast.UnaryOp() | ast.BoolOp() | ast.IfExp() | ast.Compare():
            pass
        case ast.Expr():
            pass
        case ast.Call(func=ast.Attribute(attr=method)) if method in (
            *("debug", "info", "warning", "error", "exception", "log"),
        ):
            pass
        case ast.Call(func=ast.Name(id="print")) | ast.FormattedValue():
            pass
        case _:
            answer.is_handed_on = True
