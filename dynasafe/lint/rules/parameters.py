"""Rules about the parameters of a call: None, empty, unknown, or of the wrong form or type."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from decimal import Decimal
from difflib import get_close_matches

from dynasafe.lint.calls import (
    Call,
    bound_value,
    constant_display,
    is_typed_display,
    may_change,
    only_value,
)
from dynasafe.lint.literals import constant, text_constant
from dynasafe.lint.module import Module, last_name
from dynasafe.lint.problem import Draft, Edit, Level, rule
from dynasafe.lint.scopes import Binding, Scope
from dynasafe.validation.shapes import REQUESTS

_PLACEHOLDERS = ("ExpressionAttributeNames", "ExpressionAttributeValues")
_NONE_UPDATE = "AttributeError: 'NoneType' object has no attribute 'update'"
_NEEDED = frozenset({"Key", "Item", "UpdateExpression", "TableName", "RequestItems"})


# None and empty


@rule("DYS310", level="error")
def may_be_none(module: Module) -> Iterator[Draft]:
    """`ExpressionAttributeNames=names if names else None`."""
    for call in module.known_calls():
        put = [(member, each) for member, values in call.maybe.items() for each in values]
        for member, value in [*call.members.items(), *put]:
            found = _none_case(value, module, call) if member in _parameters(call) else None
            if found is None:
                continue
            present, condition, level = found
            keyword = call.keywords.get(member)
            edits: tuple[Edit, ...] = ()
            message = f"{member} is None unless `{condition}`"
            text = f'**({{"{member}": {present}}} if {condition} else {{}})'
            is_optional = keyword is not None and member not in _NEEDED and level == "error"
            if not condition:
                message, text = f"{member} is None", f"leave {member} out"
            if is_optional and keyword is not None:
                edits = (
                    module.replace(keyword, text)
                    if condition
                    else module.remove_argument(call.node, keyword),
                )
            yield Draft(
                node=value,
                message=message,
                answer=_answer_to_none(member, call),
                fix=text,
                edits=edits,
                level=level,
            )


def _none_case(value: ast.expr, module: Module, call: Call) -> tuple[str, str, Level] | None:
    """The value if it is not None, the condition for that ("" if none), and the level."""
    level: Level = "error"
    match value:
        case ast.Constant(value=None):
            return "", "", level
        case ast.IfExp(body=ast.Constant(value=None)):
            return module.text(value.orelse), f"not ({module.text(value.test)})", level
        case ast.IfExp(orelse=ast.Constant(value=None)):
            return module.text(value.body), module.text(value.test), level
        case ast.BoolOp(op=ast.Or()) if _is_none(value.values[-1]):
            present = module.text(value.values[0])
            return (present, present, level) if len(value.values) == 2 else None
        case ast.Name():
            scope = module.names.scopes[value]
            home = scope.home(value.id)
            if home is None or len(home.bindings[value.id]) != 1:
                return None
            (binding,) = home.bindings[value.id]
            if _is_looked_at(value, module, call):
                return None
            if binding.kind == "parameter" and binding.value is not None:
                is_own = home.function is scope.function
                if is_own and _is_none(binding.value):
                    return value.id, f"{value.id} is not None", "risk"
            if binding.kind != "assign" or binding.value is None:
                return None
            if isinstance(binding.value, ast.Name):
                return None
            inner = _none_case(binding.value, module, call)
            return None if inner is None else (value.id, f"{value.id} is not None", inner[2])
        case _:
            return None


def _is_looked_at(use: ast.Name, module: Module, call: Call) -> bool:
    """Whether the code tests a name, so that it may not be None at the call."""
    home = module.names.scopes[use].home(use.id)
    assert home is not None
    return any(_is_test(each, module) for each in module.names.uses(use.id, home))


def _is_test(use: ast.AST, module: Module) -> bool:
    """Whether a name is used in a condition: of `if`, `while`, `assert`, `and`, `or`, `not`."""
    below: ast.AST = use
    for above in module.names.above(use):
        match above:
            case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
                return above.test is below
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                return True
            case ast.comprehension():
                return below in above.ifs
            case ast.Match():
                return above.subject is below
            case ast.Compare() | ast.Call() | ast.Attribute() | ast.NamedExpr():
                below = above
            case _:
                return False
    return False


def _answer_to_none(member: str, call: Call) -> str:
    if member in _PLACEHOLDERS and call.form in ("resource", None):
        return _NONE_UPDATE
    return f"ParamValidationError: Invalid type for parameter {member}, value: None"


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


_EMPTY_CALLS = frozenset({"dict", "list", "str"})


@rule("DYS311", level="error")
def empty_member(module: Module) -> Iterator[Draft]:
    """`ExpressionAttributeNames=dict()`. For `{}`, `check_request` has a finding."""
    for call in module.known_calls():
        for member in (*_PLACEHOLDERS, "ExclusiveStartKey"):
            value = call.members.get(member)
            if value is None:
                continue
            is_display = isinstance(value, ast.Dict) and not value.keys
            is_call = (
                isinstance(value, ast.Call)
                and isinstance(value.func, ast.Name)
                and value.func.id in _EMPTY_CALLS
                and not value.args
                and not value.keywords
            )
            if not is_call and not (is_display and member == "ExclusiveStartKey"):
                continue
            keyword = call.keywords.get(member)
            edits = (module.remove_argument(call.node, keyword),) if keyword else ()
            yield Draft(
                node=value,
                message=f"{member} is empty",
                answer=(
                    "ValidationException: Exclusive Start Key must have same size as table's key "
                    "schema"
                    if member == "ExclusiveStartKey"
                    else f"ValidationException: {member} must not be empty"
                ),
                fix=f"leave {member} out",
                edits=edits,
            )


_ADDS = frozenset({"append", "extend", "add", "update", "setdefault", "insert"})


@rule("DYS312", level="warning")
def may_be_empty(module: Module) -> Iterator[Draft]:
    """A dict that starts as `{}`, is filled only in branches, and is passed without a test."""
    for call in module.known_calls():
        for member in _PLACEHOLDERS:
            value = call.members.get(member)
            if not isinstance(value, ast.Name) or not _is_filled_in_branches(value, call, module):
                continue
            keyword = call.keywords.get(member)
            text = f'**({{"{member}": {value.id}}} if {value.id} else {{}})'
            edits = (module.replace(keyword, text),) if keyword is not None else ()
            yield Draft(
                node=value,
                message=f"{member} is empty when no branch fills `{value.id}`",
                answer=f"ValidationException: {member} must not be empty",
                fix=f"{text}, or UpdateBuilder",
                edits=edits,
            )


def _is_filled_in_branches(use: ast.Name, call: Call, module: Module) -> bool:
    names = module.names
    home = names.scopes[use].home(use.id)
    if home is None or home.function is not names.scopes[use].function:
        return False
    bindings = home.bindings[use.id]
    if len(bindings) != 1 or bindings[0].kind != "assign" or not _is_empty(bindings[0].value):
        return False
    fills: list[ast.AST] = []
    for each in names.uses(use.id, home):
        if _is_test(each, module):
            return False
        fill = _fill(each, module)
        if fill is not None:
            fills.append(fill)
        elif each is not use and may_change(each, names):
            return False
    around = set(names.above(call.node))
    branches = [_branches(fill, module, around) for fill in fills]
    if not branches or any(not each for each in branches) or _is_complete(branches):
        return False
    mine = {each[0] for each in branches}
    return not _is_decided_elsewhere(mine, use, home, module)


def _is_empty(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Dict):
        return not node.keys
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "dict"
        and not node.args
        and not node.keywords
    )


def _fill(use: ast.Name, module: Module) -> ast.AST | None:
    """The statement that fills a collection, if this use of its name does so."""
    above = module.names.parents[use]
    if isinstance(above, ast.Subscript) and isinstance(above.ctx, ast.Store):
        return module.names.statement(above)
    if isinstance(above, ast.Attribute) and above.attr in _ADDS:
        outer = module.names.parents[above]
        if isinstance(outer, ast.Call) and outer.func is above:
            return module.names.statement(outer)
    return None


def _branches(node: ast.AST, module: Module, around: set[ast.AST]) -> list[ast.AST]:
    """The branches around a statement that are not around the call, nearest first."""
    found: list[ast.AST] = []
    below = node
    for above in module.names.above(node):
        if above in around:
            break
        if isinstance(above, ast.For | ast.AsyncFor) and below in above.body:
            if not _is_never_empty(above.iter, module):
                found.append(above)
        elif isinstance(above, ast.If | ast.While | ast.Try | ast.Match):
            found.append(above)
        elif isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            break
        below = above
    return found


def _is_never_empty(node: ast.expr, module: Module) -> bool:
    """Whether a loop certainly runs: over a display with entries, or a constant one."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        name = last_name(node.func)
        if name in ("enumerate", "sorted", "list", "items", "keys", "values"):
            inner = node.func.value if isinstance(node.func, ast.Attribute) else None
            operand = inner if inner is not None else node.args[0] if node.args else None
            return operand is not None and _is_never_empty(operand, module)
    value = only_value(node, module.names) or node
    if isinstance(value, ast.Dict):
        return bool(value.keys)
    return isinstance(value, ast.List | ast.Tuple | ast.Set) and bool(value.elts)


def _is_complete(branches: list[list[ast.AST]]) -> bool:
    """Whether both branches of one `if` fill the dict, so that it is not empty."""
    outermost = [each[-1] for each in branches]
    return any(
        isinstance(each, ast.If) and each.orelse and outermost.count(each) > 1 for each in outermost
    )


def _is_decided_elsewhere(mine: set[ast.AST], use: ast.Name, home: Scope, module: Module) -> bool:
    """Whether the code tests another variable that the same branches fill."""
    names = module.names
    function = names.scopes[use].function
    looped = {
        each.id
        for branch in mine
        if isinstance(branch, ast.For | ast.AsyncFor)
        for each in ast.walk(branch.iter)
        if isinstance(each, ast.Name)
    }
    tested = {
        each.id
        for name, uses in names.loads.items()
        if name != use.id
        for each in uses
        if names.scopes[each].function is function and _is_test(each, module)
    }
    if looped & tested:
        return True
    around = set(names.above(use))
    for name in tested:
        fills = [
            fill for each in names.uses(name, home) if (fill := _fill(each, module)) is not None
        ]
        # Texts that grow, and flags that are set.
        bound = [each.node for each in home.bindings.get(name, []) if each.value is not None]
        filled = [_branches(each, module, around) for each in [*fills, *bound]]
        if filled and {each[0] for each in filled if each} >= mine:
            return True
    return False


# Unknown, positional, of the wrong form


@rule("DYS313", level="error")
def unknown_parameter(module: Module) -> Iterator[Draft]:
    """`put_item(item=...)`."""
    for call in module.known_calls():
        known = _parameters(call)
        for member, keyword in call.keywords.items():
            if member in known:
                continue
            near = _nearest(member, known)
            if near is None and call.how != "known":
                continue  # a wrapper with its own parameters
            start, _ = module.source.span(keyword)
            is_safe = near is not None and _letters(near) == _letters(member)
            edits = (Edit(start, start + len(member), near),) if is_safe and near else ()
            given = near is not None and near in call.members
            if call.form == "writer":
                answer = (
                    f"TypeError: BatchWriter.{call.method}() got an unexpected keyword argument "
                    f"'{member}'"
                )
            else:
                answer = f'ParamValidationError: Unknown parameter in input: "{member}"'
            yield Draft(
                node=keyword,
                span=(start, start + len(member)),
                message=f"{call.method} has no parameter {member}",
                answer=answer,
                fix=f"{near}=" if near else f"its parameters are {', '.join(sorted(known))}",
                edits=() if given else edits,
            )


def _parameters(call: Call) -> frozenset[str]:
    if call.form == "writer":
        return frozenset({"Item" if call.method == "put_item" else "Key"})
    return frozenset(REQUESTS[call.operation].members)


def _letters(name: str) -> str:
    return name.replace("_", "").lower()


def _nearest(member: str, known: frozenset[str]) -> str | None:
    by_letters = {_letters(each): each for each in known}
    found = get_close_matches(_letters(member), by_letters, 1, 0.85)
    return by_letters[found[0]] if found else None


@rule("DYS314", level="error")
def positional_argument(module: Module) -> Iterator[Draft]:
    """`put_item({"id": "a"})`."""
    for call in module.calls:
        if call.how != "known" or call.form == "writer" or not call.node.args:
            continue
        first = call.node.args[0]
        name = {"put_item": "Item", "get_item": "Key", "delete_item": "Key"}.get(call.method)
        edits: tuple[Edit, ...] = ()
        if (
            name is not None
            and len(call.node.args) == 1
            and call.form == "resource"
            and name not in call.members
            and not isinstance(first, ast.Starred)
        ):
            start, _ = module.source.span(first)
            edits = (Edit(start, start, f"{name}="),)
        yield Draft(
            node=first,
            message=f"{call.method} takes no positional arguments",
            answer=f"TypeError: {call.method}() only accepts keyword arguments.",
            fix=f"{name}=..." if name else "name each argument",
            edits=edits,
        )


_UNTYPED = (ast.JoinedStr, ast.List, ast.Tuple, ast.Set)


@rule("DYS315", level="error")
def other_form(module: Module) -> Iterator[Draft]:
    """AttributeValues given to a Table, or Python values to a client."""
    for call in module.calls:
        if call.how != "known":
            continue
        if call.form in ("resource", "meta", "writer"):
            yield from _typed_values(call, module)
        elif call.form == "client":
            yield from _untyped_values(call, module)


def _typed_values(call: Call, module: Module) -> Iterator[Draft]:
    for member in ("Key", "Item", "ExpressionAttributeValues"):
        node = call.members.get(member)
        display = None if node is None else constant_display(node, module.names)
        if display is None or not display.values:
            continue
        if not all(_is_attribute_value(each) for each in display.values):
            continue
        is_key = member == "Key"
        yield Draft(
            node=display,
            message=f"{member} has AttributeValues, but a boto3 Table takes Python values",
            answer=(
                "ValidationException: The provided key element does not match the schema"
                if is_key
                else f"no error: {member} is stored or compared as maps, such as "
                '{"M": {"S": {"S": ...}}}'
            ),
            fix='give the plain value: \'a\' instead of {"S": "a"}',
            level="error" if is_key else "warning",
        )


def _is_attribute_value(node: ast.expr) -> bool:
    if not is_typed_display(node):
        return False
    assert isinstance(node, ast.Dict)
    content = node.values[0]
    match text_constant(node.keys[0]):
        case "S" | "N" | "B":
            return not isinstance(content, ast.Dict | ast.List | ast.Set) and not isinstance(
                constant(content), bool
            )
        case "BOOL" | "NULL":
            return isinstance(constant(content), bool)
        case "L" | "SS" | "NS" | "BS":
            return isinstance(content, ast.List)
        case _:
            return isinstance(content, ast.Dict)


def _untyped_values(call: Call, module: Module) -> Iterator[Draft]:
    for member in ("Key", "Item", "ExpressionAttributeValues", "ExclusiveStartKey"):
        node = call.members.get(member)
        display = None if node is None else constant_display(node, module.names)
        if display is None:
            continue
        for key, value in zip(display.keys, display.values, strict=True):
            if key is None or not _is_python_value(value):
                continue
            name = text_constant(key) or "..."
            yield Draft(
                node=value,
                message=f"{member} has a Python value, but a client takes AttributeValues",
                answer=f"ParamValidationError: Invalid type for parameter {member}.{name}",
                fix='give an AttributeValue: {"S": "a"}',
            )
    for member in ("KeyConditionExpression", "FilterExpression", "ConditionExpression"):
        node = call.members.get(member)
        if node is not None and module.is_condition(node):
            yield Draft(
                node=node,
                message=f"{member} is a condition of boto3, but a client takes text",
                answer=f"ParamValidationError: Invalid type for parameter {member}",
                fix="write the expression as text, or call the Table",
            )


def _is_python_value(node: ast.expr) -> bool:
    value = constant(node)
    return isinstance(value, str | int | float | bytes) or isinstance(node, _UNTYPED)


# Types


@rule("DYS316", level="error")
def float_value(module: Module) -> Iterator[Draft]:
    """A float, which boto3 refuses, or a Decimal made from one."""
    for call in module.known_calls():
        if call.form not in ("resource", "meta", "writer"):
            continue
        for leaf in module.leaves(call):
            yield from _of_float(leaf, module)
        item = call.members.get("Item")
        if isinstance(item, ast.Call) and _is_plain_json(item, module):
            yield Draft(
                node=item,
                message="Item comes from json.loads, which returns floats",
                answer="TypeError: Float types are not supported. Use Decimal types instead.",
                fix="json.loads(..., parse_float=Decimal)",
                level="risk",
            )


_FLOATS = frozenset({"time.time", "time.monotonic", "time.perf_counter", "random.random"})


def _of_float(leaf: ast.expr, module: Module) -> Iterator[Draft]:
    value = constant(leaf)
    answer = "TypeError: Float types are not supported. Use Decimal types instead."
    if isinstance(value, float):
        imports = module.add_import("decimal", "Decimal")
        is_known = bool(imports) or _is_decimal_known(module)
        text = f'Decimal("{module.text(leaf).replace("_", "")}")'
        edits = (module.replace(leaf, text), *imports) if is_known else ()
        yield Draft(
            node=leaf,
            message="a float, which boto3 does not store",
            answer=answer,
            fix=text,
            edits=edits,
        )
    elif isinstance(leaf, ast.Call):
        full = module.names.canonical(leaf.func) or ""
        is_float = isinstance(leaf.func, ast.Name) and leaf.func.id == "float"
        is_shadowed = is_float and bool(module.names.scopes[leaf].lookup("float"))
        is_timestamp = isinstance(leaf.func, ast.Attribute) and leaf.func.attr == "timestamp"
        if (is_float and not is_shadowed) or full in _FLOATS or (is_timestamp and not leaf.args):
            yield Draft(
                node=leaf,
                message=f"{module.text(leaf)} is a float, which boto3 does not store",
                answer=answer,
                fix="int(...) for whole numbers, Decimal(str(...)) else",
            )
        elif full == "decimal.Decimal" and len(leaf.args) == 1:
            exact = constant(leaf.args[0])
            if isinstance(exact, float) and _digits(exact) > 38:
                text = f'"{module.text(leaf.args[0]).replace("_", "")}"'
                yield Draft(
                    node=leaf,
                    message="a Decimal made from a float has more than 38 digits",
                    answer="decimal.Inexact: [<class 'decimal.Inexact'>",
                    fix=f"Decimal({text})",
                    edits=(module.replace(leaf.args[0], text),),
                )


def _digits(number: float) -> int:
    return len(Decimal(number).as_tuple().digits)


def _is_decimal_known(module: Module) -> bool:
    bindings = module.names.module.bindings.get("Decimal", [])
    return any(each.canonical == "decimal.Decimal" for each in bindings)


def _is_plain_json(node: ast.Call, module: Module) -> bool:
    return module.names.canonical(node.func) in ("json.loads", "json.load") and not any(
        each.arg in ("parse_float", None) for each in node.keywords
    )


_UNSUPPORTED = {
    "datetime.datetime.now": "datetime.datetime",
    "datetime.datetime.utcnow": "datetime.datetime",
    "datetime.datetime.today": "datetime.datetime",
    "datetime.datetime": "datetime.datetime",
    "datetime.datetime.fromisoformat": "datetime.datetime",
    "datetime.datetime.fromtimestamp": "datetime.datetime",
    "datetime.date.today": "datetime.date",
    "datetime.date": "datetime.date",
    "datetime.timedelta": "datetime.timedelta",
    "uuid.uuid1": "uuid.UUID",
    "uuid.uuid4": "uuid.UUID",
    "uuid.uuid5": "uuid.UUID",
    "uuid.UUID": "uuid.UUID",
    "pathlib.Path": "pathlib.PosixPath",
}


@rule("DYS317", level="error")
def unsupported_type(module: Module) -> Iterator[Draft]:
    """A datetime, a UUID, an Enum member, a dataclass or a mixed set."""
    for call in module.known_calls():
        if call.form not in ("resource", "meta", "writer"):
            continue
        for leaf in module.leaves(call):
            type_name = _unsupported(leaf, module)
            if type_name == "set()":
                yield Draft(
                    node=leaf,
                    message="an empty set, which DynamoDB does not have",
                    answer="ValidationException: One or more parameter values were invalid: An "
                    "number set  may not be empty",
                    fix="leave the attribute out",
                )
            elif type_name is not None:
                yield Draft(
                    node=leaf,
                    message=f"{module.text(leaf)} is of a type that boto3 does not store",
                    answer=f'TypeError: Unsupported type "{type_name}',
                    fix="convert it to str or int; UpdateBuilder and Item classes have codecs",
                )


def _unsupported(leaf: ast.expr, module: Module) -> str | None:
    """The start of boto3's message about the value's type; "set()" for an empty set."""
    if isinstance(leaf, ast.Set):
        kinds = {type(constant(each)) for each in leaf.elts}
        is_mixed = len(kinds) > 1 and kinds <= {str, int, bytes}
        return "<class 'set'>\" for value" if is_mixed else None
    if isinstance(leaf, ast.Attribute) and isinstance(leaf.value, ast.Name):
        node = _own_class(leaf.value, module)
        if node is not None and [last_name(each) for each in node.bases] == ["Enum"]:
            is_member = any(
                isinstance(each, ast.Assign)
                and any(isinstance(t, ast.Name) and t.id == leaf.attr for t in each.targets)
                for each in node.body
            )
            return f"<enum '{node.name}'>\" for value" if is_member else None
    if not isinstance(leaf, ast.Call):
        return None
    if isinstance(leaf.func, ast.Name):
        if leaf.func.id == "set" and not leaf.args:
            return None if module.names.scopes[leaf].lookup("set") else "set()"
        node = _own_class(leaf.func, module)
        if node is not None and not node.bases:
            decorators = {last_name(each) for each in node.decorator_list}
            return "<class '" if "dataclass" in decorators else None
    name = _UNSUPPORTED.get(module.names.canonical(leaf.func) or "")
    return None if name is None else f"<class '{name}'>\" for value"


def _own_class(name: ast.Name, module: Module) -> ast.ClassDef | None:
    bindings: list[Binding] = module.names.scopes[name].lookup(name.id)
    node = bindings[0].node if len(bindings) == 1 else None
    return node if isinstance(node, ast.ClassDef) else None


# Others


@rule("DYS318", level="warning")
def table_name_on_table(module: Module) -> Iterator[Draft]:
    """`table.put_item(TableName=...)`."""
    for call in module.calls:
        keyword = call.keywords.get("TableName")
        if call.how != "known" or keyword is None or call.form != "resource":
            continue
        if call.kind is None or call.kind.what != "table":
            continue
        given, own = text_constant(keyword.value), _own_table_name(call.receiver, module)
        is_same = given is not None and given == own
        yield Draft(
            node=keyword,
            message="TableName on a Table replaces the table's own name",
            answer="no error if that table exists: the call goes to the table that TableName names",
            fix="leave TableName out",
            edits=(module.remove_argument(call.node, keyword),) if is_same else (),
        )


def _own_table_name(node: ast.expr, module: Module) -> str | None:
    value = bound_value(node, module.names) or node
    if isinstance(value, ast.Await):
        value = value.value
    if isinstance(value, ast.Call) and last_name(value.func) == "Table" and value.args:
        return text_constant(value.args[0])
    return None


_LEGACY = {
    "AttributeUpdates": "UpdateExpression",
    "Expected": "ConditionExpression",
    "KeyConditions": "KeyConditionExpression",
    "QueryFilter": "FilterExpression",
    "ScanFilter": "FilterExpression",
    "AttributesToGet": "ProjectionExpression",
    "ConditionalOperator": "an expression with AND or OR",
}


@rule("DYS319", level="risk")
def legacy_parameter(module: Module) -> Iterator[Draft]:
    """`AttributeUpdates`, `Expected` and the other parameters that expressions replaced."""
    for call in module.known_calls():
        for member, keyword in call.keywords.items():
            if member in _LEGACY:
                start, _ = module.source.span(keyword)
                yield Draft(
                    node=keyword,
                    span=(start, start + len(member)),
                    message=f"{member} is a legacy parameter",
                    answer="no error: it works, but cannot be combined with expressions",
                    fix=f"use {_LEGACY[member]}",
                )
