"""Rules about writes: lost updates, repeated increments, missing operands, wrong TTLs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from dynasafe.errors import ExpressionSyntaxError
from dynasafe.expressions.nodes import (
    Arithmetic,
    IfNotExists,
    ListAppend,
    NamePlaceholder,
    Path,
    SetAction,
    Update,
)
from dynasafe.expressions.reader import read_expression
from dynasafe.lint.calls import Call, answer_of, constant_display, only_value
from dynasafe.lint.literals import Text, constant, text_constant, texts
from dynasafe.lint.module import Module, last_name
from dynasafe.lint.problem import Draft, Edit, rule

_TTL = re.compile(r"(?i)ttl|expires?_?(at|on)?|expiration(_?time)?|time_?to_?live|expiry")


def updates(call: Call, module: Module) -> Iterator[tuple[Text, Update]]:
    """The literal update expressions of a call, with their trees."""
    node = call.members.get("UpdateExpression")
    for text in (texts(node, module.names) or []) if node is not None else []:
        try:
            reading = read_expression("update", text.value)
        except ExpressionSyntaxError:
            continue
        if isinstance(reading.node, Update):
            yield text, reading.node


@rule("DYS340", level="risk", in_tests=False)
def read_change_put(module: Module) -> Iterator[Draft]:
    """An item that is read, changed and put back without a condition."""
    read_items: dict[ast.AST, set[str]] = {}
    for call in module.known_calls():
        if call.operation == "GetItem":
            name = answer_of(call, module.names).name or _item_name(call, module)
            if name is not None:
                function = module.names.function(call.node)
                read_items.setdefault(function, set()).update({name, *_parts(name, function)})
    for call in module.known_calls():
        if call.operation != "PutItem" or "ConditionExpression" in call.members or call.has_more:
            continue
        item = call.members.get("Item")
        names = read_items.get(module.names.function(call.node), set())
        if item is not None and any(
            isinstance(each, ast.Name) and each.id in names for each in _whole(item)
        ):
            yield Draft(
                node=item,
                message="the item was read before, and is put without a condition",
                answer="no error: the later of two writers overwrites the other's change",
                fix="update_item for the changed attributes, or a ConditionExpression on a version",
            )


def _item_name(call: Call, module: Module) -> str | None:
    """The local name of the item itself: `item = table.get_item(...)["Item"]`."""
    for above in module.names.above(call.node):
        if isinstance(above, ast.Assign):
            target = above.targets[0]
            return target.id if isinstance(target, ast.Name) else None
        if not isinstance(above, ast.Await | ast.Subscript | ast.Attribute | ast.Call):
            return None
        if isinstance(above, ast.Call) and last_name(above.func) != "get":
            return None
    return None


def _parts(name: str, function: ast.AST) -> Iterator[str]:
    """Local names of the item of an answer."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            match node.value:
                case (
                    ast.Subscript(value=ast.Name(id=of), slice=ast.Constant(value="Item"))
                    | ast.Call(func=ast.Attribute(value=ast.Name(id=of), attr="get"))
                ) if of == name:
                    yield node.targets[0].id


def _whole(item: ast.expr) -> list[ast.expr]:
    """The item, or the dict that is spread into its display."""
    match item:
        case ast.Dict():
            return [value for key, value in zip(item.keys, item.values, strict=True) if key is None]
        case ast.Subscript():
            return [item.value]
        case _:
            return [item]


@rule("DYS341", level="risk", in_tests=False)
def repeated_count(module: Module) -> Iterator[Draft]:
    """`ADD visits :one`, which a client's retries may apply twice."""
    calls = [call for call in module.known_calls() if is_counting(call, module)]
    if calls and module.names.mentions(module.source.tree, "total_max_attempts", "max_attempts"):
        return
    for call in calls:
        yield Draft(
            node=call.node,
            span=module.method_span(call),
            message="the update has another effect when it is sent twice",
            answer="no error: botocore sends it up to 10 times when an answer is lost",
            fix="AsyncTable.update_item(..., exactly_once=True), or a condition",
        )


def is_counting(call: Call, module: Module) -> bool:
    """Whether an update without a condition adds or appends."""
    if call.operation != "UpdateItem" or "ConditionExpression" in call.members or call.has_more:
        return False
    for _, update in updates(call, module):
        if any(not _adds_set(each, call, module) for each in update.add):
            return True
        if any(isinstance(each.value, Arithmetic | ListAppend) for each in update.set):
            return True
    return False


def _adds_set(action: object, call: Call, module: Module) -> bool:
    """Whether an ADD adds to a set, which is safe to repeat."""
    values = call.members.get("ExpressionAttributeValues")
    display = None if values is None else constant_display(values, module.names)
    placeholder = str(getattr(getattr(action, "value", None), "text", ""))
    for key, value in zip(display.keys, display.values, strict=True) if display else ():
        if text_constant(key) == placeholder:
            if isinstance(value, ast.Set | ast.SetComp):
                return True
            if isinstance(value, ast.Call) and last_name(value.func) in ("set", "frozenset"):
                return True
            if isinstance(value, ast.Dict) and len(value.keys) == 1:
                return text_constant(value.keys[0]) in ("SS", "NS", "BS")
    return False


@rule("DYS342", level="risk", in_tests=False)
def creating_update(module: Module) -> Iterator[Draft]:
    """An update without a condition, which creates an item that is missing."""
    for call in module.known_calls():
        if call.operation != "UpdateItem" or "ConditionExpression" in call.members or call.has_more:
            continue
        for _, update in updates(call, module):
            if update.set and not all(_has_default(each) for each in update.set):
                yield Draft(
                    node=call.node,
                    span=module.method_span(call),
                    message="the update creates the item if it is missing",
                    answer="no error: DynamoDB creates an item with only these attributes",
                    fix="ConditionExpression='attribute_exists(<partition key>)'",
                )
                break


def _has_default(action: SetAction) -> bool:
    value = action.value
    operands = (value.left, value.right) if isinstance(value, Arithmetic | ListAppend) else (value,)
    return any(isinstance(each, IfNotExists) for each in operands)


@rule("DYS343", level="warning", in_tests=False)
def missing_operand(module: Module) -> Iterator[Draft]:
    """`SET visits = visits + :one`, where the item may have no visits."""
    for call in module.known_calls():
        if call.operation != "UpdateItem" or "ConditionExpression" in call.members or call.has_more:
            continue
        for text, update in updates(call, module):
            for action in update.set:
                value = action.value
                if not isinstance(value, Arithmetic | ListAppend):
                    continue
                for operand in (value.left, value.right):
                    if isinstance(operand, Path) and operand.span is not None:
                        yield _missing(operand, value, text, call, module)


def _missing(
    path: Path, value: Arithmetic | ListAppend, text: Text, call: Call, module: Module
) -> Draft:
    assert path.span is not None
    span, is_exact = text.span(*path.span, module.source)
    written = text.value[path.span[0] : path.span[1]]
    neutral = "0" if isinstance(value, Arithmetic) else "[]"
    placeholder = ":zero" if isinstance(value, Arithmetic) else ":empty"
    replacement = f"if_not_exists({written}, {placeholder})"
    if isinstance(value, Arithmetic):
        method = "increment"
    else:
        method = "append" if path is value.left else "prepend"
    edits: tuple[Edit, ...] = ()
    values = call.members.get("ExpressionAttributeValues")
    is_plain = isinstance(values, ast.Dict) and bool(values.values) and call.form == "resource"
    if is_exact and is_plain and isinstance(values, ast.Dict):
        defined = {text_constant(key) for key in values.keys}
        _, end = module.source.span(values.values[-1])
        start, stop = module.source.span(call.node)
        if placeholder not in defined and start <= span[0] < span[1] <= stop:
            edits = (Edit(*span, replacement), Edit(end, end, f', "{placeholder}": {neutral}'))
    return Draft(
        node=call.members["UpdateExpression"],
        span=span,
        message=f"the item may have no {written}",
        answer="ValidationException: The provided expression refers to an attribute that does not "
        "exist in the item",
        fix=f"{replacement}, as UpdateBuilder.{method} writes it",
        edits=edits,
        safety="unsafe",
    )


@rule("DYS344", level="warning", in_tests=False)
def never_expires(module: Module) -> Iterator[Draft]:
    """A TTL that is a string or in milliseconds, which DynamoDB does not use."""
    configured = module.settings.ttl_attributes
    for call in module.known_calls():
        for name, value in _written(call, module):
            is_ttl = name in configured if configured else _TTL.fullmatch(name) is not None
            what = _not_seconds(value, module) if is_ttl else None
            if what is not None:
                yield Draft(
                    node=value,
                    message=f"{name} is {what}",
                    answer="no error: the item never expires: a TTL is a number of epoch seconds",
                    fix="int(....timestamp())",
                )


def _written(call: Call, module: Module) -> Iterator[tuple[str, ast.expr]]:
    """The attributes that a put or an update writes, with their values."""
    item = call.members.get("Item")
    display = None if item is None else constant_display(item, module.names)
    for key, value in zip(display.keys, display.values, strict=True) if display else ():
        name = text_constant(key)
        if name is not None:
            yield name, _content(value)
    values = call.members.get("ExpressionAttributeValues")
    given = None if values is None else constant_display(values, module.names)
    by_placeholder = (
        {text_constant(key): value for key, value in zip(given.keys, given.values, strict=True)}
        if given
        else {}
    )
    names = call.members.get("ExpressionAttributeNames")
    aliases = None if names is None else constant_display(names, module.names)
    by_alias = (
        {
            text_constant(key): text_constant(value)
            for key, value in zip(aliases.keys, aliases.values, strict=True)
        }
        if aliases
        else {}
    )
    for _, update in updates(call, module):
        for action in update.set:
            element = action.path.elements[-1]
            attribute: object = element
            if isinstance(element, NamePlaceholder):
                attribute = by_alias.get(element.text)
            placeholder = getattr(action.value, "text", None)
            if isinstance(attribute, str) and placeholder in by_placeholder:
                yield attribute, _content(by_placeholder[placeholder])


def _content(node: ast.expr) -> ast.expr:
    """The content of an AttributeValue display; any other value unchanged."""
    is_typed = isinstance(node, ast.Dict) and len(node.keys) == 1
    if is_typed and isinstance(node, ast.Dict) and text_constant(node.keys[0]) in ("S", "N"):
        return node.values[0]
    return node


def _not_seconds(node: ast.expr, module: Module) -> str | None:
    if isinstance(node, ast.Name):
        value = only_value(node, module.names)
        return None if value is None else _not_seconds(value, module)
    match node:
        case ast.Call(func=ast.Attribute(attr="isoformat" | "strftime")):
            return "a string, not a number"
        case ast.Call(func=ast.Name(id="str" | "int"), args=[inner]):
            return _not_seconds(inner, module)
        case ast.BinOp(op=ast.Mult(), left=left, right=right):
            if 1000 in (constant(left), constant(right)):
                return "in milliseconds"
            return None
        case ast.BinOp(op=ast.Add(), left=left):
            return _not_seconds(left, module)
        case _:
            return None
