"""Rules about answers: a missing item, further pages, entries that come back unprocessed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dynasafe.lint.calls import Call, answer_of, bound_value
from dynasafe.lint.literals import text_constant
from dynasafe.lint.module import Module
from dynasafe.lint.problem import Draft, Edit, rule
from dynasafe.lint.scopes import FUNCTIONS

_PAGES = ("LastEvaluatedKey", "ExclusiveStartKey")
_UNPROCESSED = {"BatchWriteItem": "UnprocessedItems", "BatchGetItem": "UnprocessedKeys"}
_BROAD = frozenset({"", "KeyError", "LookupError", "Exception", "BaseException"})


@rule("DYS330", level="error", in_tests=False)
def missing_item(module: Module) -> Iterator[Draft]:
    """`get_item(...)["Item"]`, where the item may be missing."""
    for call in module.known_calls():
        if call.operation != "GetItem" or not isinstance(
            module.names.function(call.node), FUNCTIONS
        ):
            continue
        answer = answer_of(call, module.names)
        if "Item" in answer.looks or _looks_for_item(module, call):
            continue
        for use in answer.reads.get("Item", []):
            caught = {name for each in module.handlers(use) for name in module.caught(each)}
            if caught & _BROAD:
                continue
            assert isinstance(use, ast.Subscript)
            start = module.source.text.rfind("[", 0, module.source.span(use.slice)[0])
            _, end = module.source.span(use)
            is_deeper = isinstance(module.names.parents[use], ast.Subscript | ast.Attribute)
            yield Draft(
                node=use,
                span=(start, end),
                message="the answer has no Item if the item does not exist",
                answer="KeyError: 'Item'",
                fix='.get("Item"), and a case for None',
                edits=() if is_deeper else (Edit(start, end, '.get("Item")'),),
                safety="unsafe",
            )


def _looks_for_item(module: Module, call: Call) -> bool:
    """Whether the function contains `"Item" in ...` or `.get("Item")`."""
    for node in ast.walk(module.names.function(call.node)):
        if isinstance(node, ast.Compare) and text_constant(node.left) == "Item":
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_get = node.func.attr == "get" and node.args
            if is_get and text_constant(node.args[0]) == "Item":
                return True
    return False


@rule("DYS331", level="warning", in_tests=False)
def first_page(module: Module) -> Iterator[Draft]:
    """A query or scan whose first page alone is read."""
    for call in module.known_calls():
        if call.operation not in ("Query", "Scan") or call.has_more or "Limit" in call.members:
            continue
        if module.names.mentions(module.names.function(call.node), *_PAGES):
            continue
        answer = answer_of(call, module.names)
        if answer.is_handed_on or answer.keys.isdisjoint({"Items", "Count"}):
            continue
        if _is_first_item(call, answer.reads.get("Items", []), module):
            continue
        yield Draft(
            node=call.node,
            span=module.method_span(call),
            message=f"only the first page of the {call.method} is read",
            answer="no error: what does not fit into 1 MB is left out",
            fix="repeat with ExclusiveStartKey while there is a LastEvaluatedKey, or use "
            "get_paginator or AsyncTable.query",
        )


def _is_first_item(call: Call, reads: list[ast.expr], module: Module) -> bool:
    """Whether the code takes only the first item of a query without a filter."""
    if "FilterExpression" in call.members or not reads:
        return False
    for read in reads:
        above = module.names.parents[read]
        match above:
            case ast.Subscript(slice=ast.Constant(value=0)):
                pass
            case ast.If() | ast.UnaryOp() | ast.BoolOp() | ast.IfExp() | ast.Compare():
                pass
            case _:
                return False
    return True


@rule("DYS332", level="warning", in_tests=False)
def empty_page(module: Module) -> Iterator[Draft]:
    """A loop over pages that ends at the first empty page."""
    loops: list[ast.While | ast.For] = [*module.names.all(ast.While), *module.names.all(ast.For)]
    for loop in loops:
        if not module.names.mentions(loop, "ExclusiveStartKey"):
            continue
        if not any(loop in set(module.names.above(call.node)) for call in module.known_calls()):
            continue
        for test in _ends(loop, module):
            yield Draft(
                node=test,
                message="the loop ends at an empty page, and more pages may follow",
                answer="no error: a page may have no items and a LastEvaluatedKey",
                fix="end when there is no LastEvaluatedKey",
            )


def _ends(loop: ast.While | ast.For, module: Module) -> Iterator[ast.expr]:
    """The tests of a page's items that end a loop."""
    if isinstance(loop, ast.While) and _reads_items(loop.test, module):
        yield loop.test
    for node in ast.walk(loop):
        match node:
            case ast.If(test=ast.UnaryOp(op=ast.Not(), operand=operand), body=body):
                is_end = any(isinstance(each, ast.Break) for each in body)
                if is_end and _reads_items(operand, module):
                    yield node.test


def _reads_items(node: ast.expr, module: Module) -> bool:
    match node:
        case ast.Subscript(slice=ast.Constant(value="Items")):
            return True
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value="Items"), *_]):
            return True
        case ast.Name():
            bindings = module.names.scopes[node].lookup(node.id)
            values = [each.value for each in bindings if each.value is not None]
            return bool(values) and all(
                not isinstance(each, ast.Name) and _reads_items(each, module) for each in values
            )
        case _:
            return False


@rule("DYS333", level="warning", in_tests=False)
def unprocessed_entries(module: Module) -> Iterator[Draft]:
    """A batch whose unprocessed entries are not read."""
    for call in module.known_calls():
        key = _UNPROCESSED.get(call.operation)
        if key is None or module.names.mentions(module.names.function(call.node), key):
            continue
        if answer_of(call, module.names).is_handed_on:
            continue
        yield Draft(
            node=call.node,
            span=module.method_span(call),
            message=f"{key} of the answer is not read",
            answer=f"no error: entries that were not processed come back in {key}",
            fix="send them again, or use batch_writer() or AsyncTable's batches",
        )


@rule("DYS334", level="warning", in_tests=False)
def limit_before_filter(module: Module) -> Iterator[Draft]:
    """`Limit` and `FilterExpression` in one call, and no further page."""
    for call in module.known_calls():
        keyword = call.keywords.get("Limit")
        if keyword is None or "FilterExpression" not in call.members:
            continue
        if module.names.mentions(module.names.function(call.node), *_PAGES):
            continue
        if answer_of(call, module.names).is_handed_on and call.has_more:
            continue
        yield Draft(
            node=keyword,
            message="Limit counts the items before the filter",
            answer="no error: items that match the filter are missing",
            fix="leave Limit out, and read pages until there are enough items",
        )


@rule("DYS335", level="warning", in_tests=False)
def item_in_json(module: Module) -> Iterator[Draft]:
    """`json.dumps` of an item of a Table, which has Decimals."""
    for node in module.names.all(ast.Call):
        if module.names.canonical(node.func) != "json.dumps" or not node.args:
            continue
        if any(each.arg in ("default", "cls", None) for each in node.keywords):
            continue
        if _is_stored(node.args[0], module, 0):
            yield Draft(
                node=node,
                message="json.dumps of an item of a Table",
                answer="TypeError: Object of type Decimal is not JSON serializable",
                fix="json.dumps(..., default=str), or an Item class and to_dict(mode='json')",
            )


_STORED = frozenset({"Item", "Items", "Attributes"})


def _is_stored(node: ast.expr, module: Module, depth: int) -> bool:
    """Whether an expression is an item, or a list of items, from a Table or meta client."""
    if depth > 4:
        return False
    match node:
        case ast.Subscript(value=value, slice=ast.Constant(value=key)) if key in _STORED:
            return _is_answer(value, module)
        case ast.Call(
            func=ast.Attribute(value=value, attr="get"), args=[ast.Constant(value=key), *_]
        ):
            return key in _STORED and _is_answer(value, module)
        case ast.Dict():
            return any(_is_stored(each, module, depth + 1) for each in node.values)
        case ast.Name():
            value_of = bound_value(node, module.names)
            return value_of is not None and _is_stored(value_of, module, depth + 1)
        case _:
            return False


def _is_answer(node: ast.expr, module: Module) -> bool:
    node = bound_value(node, module.names) or node
    if isinstance(node, ast.Await):
        node = node.value
    return any(
        each.node is node and each.form in ("resource", "meta") for each in module.known_calls()
    )
