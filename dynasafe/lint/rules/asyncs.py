"""Rules about async code: a missing await, a blocked event loop, a client that is not entered."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase

from dynasafe.lint.calls import Call
from dynasafe.lint.module import Module, last_name
from dynasafe.lint.problem import Draft, Edit, rule
from dynasafe.lint.receivers import METHODS
from dynasafe.lint.scopes import FUNCTIONS

_NEVER = (
    "RuntimeWarning: coroutine 'AIOBoto3ResourceFactory._create_action.<locals>.do_action' was "
    "never awaited"
)
_NEVER_CLIENT = "RuntimeWarning: coroutine 'AioBaseClient._make_api_call' was never awaited"
_SCHEDULES = frozenset(
    {"gather", "create_task", "wait_for", "ensure_future", "wait", "as_completed", "shield"}
)


def _is_async_function(module: Module, node: ast.AST) -> bool:
    return isinstance(module.names.function(node), ast.AsyncFunctionDef)


def _awaited(module: Module, node: ast.expr) -> Edit:
    start, _ = module.source.span(node)
    return Edit(start, start, "await ")


@rule("DYS360", level="error")
def not_awaited(module: Module) -> Iterator[Draft]:
    """A call of an async table that nobody awaits."""
    for call in module.calls:
        if call.how != "known" or call.flavour != "async":
            continue
        misuse = _misuse(call, module)
        if misuse is None:
            continue
        answer, needs_brackets = misuse
        edits: tuple[Edit, ...] = ()
        if _is_async_function(module, call.node):
            start, end = module.source.span(call.node)
            edits = (Edit(start, start, "(await " if needs_brackets else "await "),)
            if needs_brackets:
                edits = (*edits, Edit(end, end, ")"))
        yield Draft(
            node=call.node,
            span=module.method_span(call),
            message=f"{call.method} is not awaited, so nothing is sent",
            answer=answer,
            fix="await it",
            edits=edits,
            safety="unsafe",
        )


def _misuse(call: Call, module: Module) -> tuple[str, bool] | None:
    """The error when a coroutine is used as if it were awaited, and whether `await` needs
    brackets."""
    names = module.names
    above = names.parents[call.node]
    match above:
        case ast.Expr():
            never = _NEVER if call.form in ("resource", "writer") else _NEVER_CLIENT
            return never, False
        case ast.Subscript() if above.value is call.node:
            return "TypeError: 'coroutine' object is not subscriptable", True
        case ast.Attribute():
            return f"AttributeError: 'coroutine' object has no attribute '{above.attr}'", True
        case ast.For():
            return "TypeError: 'coroutine' object is not iterable", False
        case ast.Assign(targets=[ast.Name(id=name) as target]):
            home = names.scopes[target].home(name)
            if home is None or len(home.bindings[name]) != 1:
                return None
            uses = names.uses(name, home)
            for use in uses:
                outer = names.parents[use]
                if isinstance(outer, ast.Subscript) and outer.value is use:
                    continue
                if isinstance(outer, ast.Attribute) and outer.attr not in ("close", "send"):
                    continue
                return None
            if not uses:
                return _NEVER if call.form in ("resource", "writer") else _NEVER_CLIENT, False
            first = names.parents[uses[0]]
            if isinstance(first, ast.Subscript):
                return "TypeError: 'coroutine' object is not subscriptable", False
            attribute = first.attr if isinstance(first, ast.Attribute) else ""
            return f"AttributeError: 'coroutine' object has no attribute '{attribute}'", False
        case _:
            return None


@rule("DYS361", level="error")
def table_not_awaited(module: Module) -> Iterator[Draft]:
    """`dynamodb.Table("people").put_item(...)` of aioboto3, whose `Table()` is a coroutine."""
    for node in module.names.all(ast.Call):
        if not isinstance(node.func, ast.Attribute) or node.func.attr != "Table":
            continue
        kind = module.receivers.kind(node)
        if kind is None or kind.what != "table" or kind.wrapping != "coroutine":
            continue
        attribute, is_chained = _first_attribute(node, module)
        if attribute is None:
            continue
        edits: tuple[Edit, ...] = ()
        if _is_async_function(module, node):
            start, end = module.source.span(node)
            edits = (Edit(start, start, "(await " if is_chained else "await "),)
            edits += (Edit(end, end, ")"),) if is_chained else ()
        start, end = module.source.span(node.func)
        yield Draft(
            node=node,
            span=(end - len("Table"), end),
            message="Table() of aioboto3 is not awaited",
            answer=f"AttributeError: 'coroutine' object has no attribute '{attribute}'",
            fix="await it",
            edits=edits,
        )


def _first_attribute(node: ast.Call, module: Module) -> tuple[str | None, bool]:
    """The attribute that is read from the coroutine, and whether in the same expression."""
    names = module.names
    above = names.parents[node]
    if isinstance(above, ast.Attribute):
        return above.attr, True
    targets: list[ast.expr] = []
    if isinstance(above, ast.Assign):
        targets = above.targets
    elif isinstance(above, ast.AnnAssign):
        targets = [above.target]
    for target in targets:
        for use in _uses(target, module):
            outer = names.parents[use]
            if isinstance(outer, ast.Await):
                return None, False
            if isinstance(outer, ast.Attribute) and outer.attr in (*METHODS, "batch_writer"):
                return outer.attr, False
    return None, False


def _uses(target: ast.expr, module: Module) -> Iterator[ast.expr]:
    """Where a name, or an attribute of `self`, is read."""
    names = module.names
    if isinstance(target, ast.Name):
        home = names.scopes[target].home(target.id)
        yield from names.uses(target.id, home) if home is not None else ()
    elif isinstance(target, ast.Attribute):
        mine = {each.node for each in names.attribute_bindings(target)}
        for node in names.all(ast.Attribute):
            is_read = node.attr == target.attr and isinstance(node.ctx, ast.Load)
            if is_read and mine & {each.node for each in names.attribute_bindings(node)}:
                yield node


@rule("DYS362", level="warning", in_tests=False)
def blocking_call(module: Module) -> Iterator[Draft]:
    """boto3 in an `async def`: the event loop waits for the answer."""
    allowed = module.settings.blocking_ok
    if any(fnmatchcase(module.dotted_name, each) for each in allowed):
        return
    for call in module.calls:
        if call.how != "known" or call.flavour != "sync" or call.form == "writer":
            continue
        if not _is_async_function(module, call.node):
            continue
        if isinstance(module.names.parents[call.node], ast.Await) or _schedule(call, module):
            continue  # other rules report these
        yield Draft(
            node=call.node,
            span=module.method_span(call),
            message=f"{call.method} of boto3 blocks the event loop",
            answer="no error: every other task waits until DynamoDB answers",
            fix="aioboto3 or AsyncTable, or asyncio.to_thread(...)",
        )


@rule("DYS363", level="error")
def awaited_boto3(module: Module) -> Iterator[Draft]:
    """`await` of a boto3 call: the call is made, and then `await` raises."""
    for call in module.calls:
        above = module.names.parents[call.node]
        if call.how != "known" or call.flavour != "sync" or not isinstance(above, ast.Await):
            continue
        result = "NoneType" if call.form == "writer" else "dict"
        yield Draft(
            node=above,
            span=module.method_span(call),
            message=f"await of boto3's {call.method}, which is not async",
            answer=f"TypeError: object {result} can't be used in 'await' expression",
            fix="aioboto3 or AsyncTable, or leave await out; the call itself was made",
        )


@rule("DYS364", level="error")
def other_loop(module: Module) -> Iterator[Draft]:
    """`for` over the pages of aiobotocore, or `async for` over those of boto3."""
    loops: list[ast.For | ast.AsyncFor | ast.comprehension] = [
        *module.names.all(ast.For),
        *module.names.all(ast.AsyncFor),
        *module.names.all(ast.comprehension),
    ]
    for loop in loops:
        kind = module.receivers.kind(loop.iter)
        if kind is None or not kind.is_a("pages"):
            continue
        is_async = isinstance(loop, ast.AsyncFor) or bool(getattr(loop, "is_async", 0))
        if is_async == (kind.flavour == "async"):
            continue
        edits: tuple[Edit, ...] = ()
        if not isinstance(loop, ast.comprehension):
            start, _ = module.source.span(loop)
            if is_async:
                edits = (_without_async(module, start),)
            elif _is_async_function(module, loop):
                edits = (Edit(start, start, "async "),)
        yield Draft(
            node=loop.iter,
            message=f"{'async for' if is_async else 'for'} over {kind.flavour} pages",
            answer=(
                "TypeError: 'async for' requires an object with __aiter__ method, got PageIterator"
                if is_async
                else "RuntimeWarning: coroutine 'AioPageIterator._make_request' was never awaited"
            ),
            fix="for" if is_async else "async for",
            edits=edits,
        )


def _without_async(module: Module, start: int) -> Edit:
    text = module.source.text
    end = start + len("async")
    while text[end].isspace():
        end += 1
    return Edit(start, end, "")


@rule("DYS365", level="error")
def other_with(module: Module) -> Iterator[Draft]:
    """`with` where `async with` belongs, or the reverse."""
    statements: list[ast.With | ast.AsyncWith] = [
        *module.names.all(ast.With),
        *module.names.all(ast.AsyncWith),
    ]
    for node in statements:
        is_async = isinstance(node, ast.AsyncWith)
        for item in node.items:
            answer = _refusal(item.context_expr, module, is_async=is_async)
            if answer is None:
                continue
            edits: tuple[Edit, ...] = ()
            if len(node.items) == 1:
                start, _ = module.source.span(node)
                if not is_async and _is_async_function(module, node):
                    edits = (Edit(start, start, "async "),)
                elif is_async and "BatchWriter" in answer:
                    edits = (_without_async(module, start),)
            yield Draft(
                node=item.context_expr,
                message=f"{'async with' if is_async else 'with'} on an object that needs the other",
                answer=answer,
                fix="with" if is_async else "async with",
                edits=edits,
            )


def _refusal(manager: ast.expr, module: Module, *, is_async: bool) -> str | None:
    kind = module.receivers.kind(manager)
    if kind is None or kind.what not in ("client", "resource", "batch writer"):
        return None
    if kind.flavour == "async" and not is_async:
        if kind.what == "batch writer":
            return "TypeError: 'BatchWriter' object does not support the context manager protocol"
        if kind.wrapping == "context":
            name = "ClientCreator" if kind.what == "client" else "ResourceCreator"
            return (
                f"TypeError: '{name}Context' object does not support the context manager protocol"
            )
    if kind.flavour == "sync" and is_async:
        name = {"client": "DynamoDB", "batch writer": "BatchWriter"}.get(
            kind.what, "dynamodb.ServiceResource"
        )
        return (
            f"TypeError: '{name}' object does not support the asynchronous context manager protocol"
        )
    return None


@rule("DYS366", level="error")
def not_entered(module: Module) -> Iterator[Draft]:
    """`client = session.client("dynamodb")` of aioboto3, which must be entered first."""
    for node in module.names.all(ast.Call):
        kind = module.receivers.kind(node)
        if kind is None or kind.what not in ("client", "resource") or kind.wrapping != "context":
            continue
        attribute = _used_unentered(node, module)
        if attribute is None:
            continue
        name = "ClientCreatorContext" if kind.what == "client" else "ResourceCreatorContext"
        yield Draft(
            node=node,
            message=f"a {kind.what} of aioboto3 that is not entered",
            answer=f"AttributeError: '{name}' object has no attribute '{attribute}'",
            fix=f"async with {module.text(node)} as {kind.what}:",
        )


def _used_unentered(node: ast.Call, module: Module) -> str | None:
    names = module.names
    wanted = (*METHODS, "Table", "get_paginator", "batch_writer", "create_table")
    above = names.parents[node]
    if isinstance(above, ast.Attribute):
        return above.attr if above.attr in wanted else None
    if not isinstance(above, ast.Assign) or len(above.targets) != 1:
        return None
    found = None
    for use in _uses(above.targets[0], module):
        outer = names.parents[use]
        if isinstance(outer, ast.Attribute) and outer.attr in wanted:
            found = found or outer.attr
        elif not isinstance(outer, ast.Expr):
            return None
    return found


_ROUTES = frozenset({"get", "post", "put", "patch", "delete", "route", "websocket"})


@rule("DYS367", level="risk", in_tests=False)
def client_for_each_call(module: Module) -> Iterator[Draft]:
    """A client or resource that is made in a request handler."""
    for node in module.names.all(ast.Call):
        kind = module.receivers.kind(node)
        if kind is None or kind.what not in ("client", "resource"):
            continue
        if not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr not in ("client", "resource", "create_client"):
            continue
        function = module.names.function(node)
        if isinstance(function, FUNCTIONS) and _is_request_handler(function):
            yield Draft(
                node=node,
                message="a client for each request: each opens new connections",
                answer="no error: each request waits for a new connection and TLS handshake",
                fix="make it once, when the application starts",
            )


def _is_request_handler(function: ast.AST) -> bool:
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    names = [each.arg for each in function.args.args]
    if names[:2] == ["event", "context"]:
        return True
    return any(
        isinstance(each, ast.Call) and last_name(each) in _ROUTES
        for each in function.decorator_list
    )


@rule("DYS368", level="error")
def scheduled_boto3(module: Module) -> Iterator[Draft]:
    """`asyncio.gather(table.put_item(...))`, where boto3 makes the call before gather runs."""
    for call in module.calls:
        if call.how != "known" or call.flavour != "sync" or call.form == "writer":
            continue
        name = _schedule(call, module)
        if name is None:
            continue
        answers = {
            "gather": "TypeError: unhashable type: 'dict'",
            "create_task": "TypeError: a coroutine was expected, got {",
            "wait_for": "TypeError: An asyncio.Future, a coroutine or an awaitable is required",
        }
        yield Draft(
            node=call.node,
            span=module.method_span(call),
            message=f"{call.method} of boto3 is not a coroutine, and {name} takes coroutines",
            answer=answers.get(name, answers["wait_for"]),
            fix=f"asyncio.to_thread({module.text(call.function)}, ...), or aioboto3",
        )


def _schedule(call: Call, module: Module) -> str | None:
    """The function of asyncio to which the call's answer is given."""
    above = module.names.parents[call.node]
    if isinstance(above, ast.Call) and call.node in above.args:
        name = last_name(above.func)
        full = module.names.canonical(above.func) or ""
        is_asyncio = full.startswith("asyncio.") or name == "create_task"
        return name if is_asyncio and name in _SCHEDULES else None
    return None
