"""Rules about errors: codes and classes that do not exist, and hidden failures."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from difflib import get_close_matches

from dynasafe.lint.literals import text_constant
from dynasafe.lint.module import Module, last_name
from dynasafe.lint.problem import Draft, Edit, rule
from dynasafe.lint.rules.writes import is_counting
from dynasafe.lint.scopes import FUNCTIONS

CLIENT_EXCEPTIONS = frozenset(
    {
        "BackupInUseException",
        "BackupNotFoundException",
        "ConditionalCheckFailedException",
        "ContinuousBackupsUnavailableException",
        "DuplicateItemException",
        "ExportConflictException",
        "ExportNotFoundException",
        "GlobalTableAlreadyExistsException",
        "GlobalTableNotFoundException",
        "IdempotentParameterMismatchException",
        "ImportConflictException",
        "ImportNotFoundException",
        "IndexNotFoundException",
        "InternalServerError",
        "InvalidExportTimeException",
        "InvalidRestoreTimeException",
        "ItemCollectionSizeLimitExceededException",
        "LimitExceededException",
        "PointInTimeRecoveryUnavailableException",
        "PolicyNotFoundException",
        "ProvisionedThroughputExceededException",
        "ReplicaAlreadyExistsException",
        "ReplicaNotFoundException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "ResourceInUseException",
        "ResourceNotFoundException",
        "TableAlreadyExistsException",
        "TableInUseException",
        "TableNotFoundException",
        "ThrottlingException",
        "TransactionCanceledException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
"""The exceptions that a client of DynamoDB has, as botocore's model names them."""

_CODES = CLIENT_EXCEPTIONS | {
    "InvalidEndpointException",
    "ValidationException",
    "AccessDeniedException",
    "UnrecognizedClientException",
    "ExpiredTokenException",
    "ServiceUnavailable",
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "SerializationException",
}
# Codes of other services, or codes that are correct elsewhere.
_FOREIGN = frozenset({"ConditionalCheckFailed", "None", "TransactionConflict", "ThrottlingError"})
_WIDE = frozenset({"", "ClientError", "BotoCoreError", "Exception", "BaseException"})


# Codes


@rule("DYS350", level="error")
def unknown_code(module: Module) -> Iterator[Draft]:
    """`error.response["Error"]["Code"] == "ConditionalCheckFailed"`."""
    if not any(module.known_calls()):
        return
    for node in module.names.all(ast.Compare):
        sides = [node.left, *node.comparators]
        if not any(_is_code(each, module) for each in sides):
            continue
        for side in sides:
            listed = side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]
            for each in listed:
                given = text_constant(each)
                near = None if given is None else _near_code(given)
                if near is not None:
                    yield Draft(
                        node=each,
                        message=f"DynamoDB has no error code {given!r}",
                        answer="no error: the comparison is never true",
                        fix=f'"{near}"',
                        edits=(module.replace(each, f'"{near}"'),),
                    )


def _is_code(node: ast.expr, module: Module) -> bool:
    """Whether an expression is `error.response["Error"]["Code"]`, or a local of it."""
    match node:
        case ast.Subscript(value=inner, slice=ast.Constant(value="Code")):
            return _is_error_part(inner)
        case ast.Call(
            func=ast.Attribute(value=inner, attr="get"), args=[ast.Constant(value="Code"), *_]
        ):
            return _is_error_part(inner)
        case ast.Name():
            bindings = module.names.scopes[node].lookup(node.id)
            return len(bindings) == 1 and any(
                each.value is not None
                and not isinstance(each.value, ast.Name)
                and _is_code(each.value, module)
                for each in bindings
            )
        case _:
            return False


def _is_error_part(node: ast.expr) -> bool:
    match node:
        case ast.Subscript(slice=ast.Constant(value="Error")):
            return True
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value="Error"), *_]):
            return True
        case _:
            return False


def _near_code(given: str) -> str | None:
    """The most similar code; None if the given one exists, or no code is similar."""
    if given in _CODES:
        return None
    by_letters = {each.lower(): each for each in _CODES}
    stem = re.sub(r"(exception|error)$", "", given.lower())
    for candidate in (given.lower(), f"{stem}exception", stem):
        if candidate in by_letters:
            return by_letters[candidate]
    if len(given) < 12:
        return None
    found = get_close_matches(given.lower(), by_letters, 1, 0.93)
    return by_letters[found[0]] if found else None


# Hidden failures


@rule("DYS351", level="warning", in_tests=False)
def swallowed_failure(module: Module) -> Iterator[Draft]:
    """A write whose failure is only logged or ignored."""
    seen: set[ast.ExceptHandler] = set()
    for call in module.known_calls():
        if call.is_read:
            continue
        for handler in module.handlers(call.node):
            if handler in seen or not set(module.caught(handler)) & _WIDE:
                continue
            seen.add(handler)
            if all(_goes_on(each) for each in handler.body):
                start, _ = module.source.span(handler)
                yield Draft(
                    node=handler,
                    span=(start, start + len("except")),
                    message=f"a failure of {call.method} is swallowed",
                    answer="no error: a throttle, an outage and a bug all look like success",
                    fix="catch what you expect, such as ConditionalCheckFailedException, and raise "
                    "the rest",
                )


_LOGS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})


def _goes_on(statement: ast.stmt) -> bool:
    """Whether a statement of a handler hides the failure: it logs, passes or returns nothing."""
    match statement:
        case ast.Pass() | ast.Continue():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name))):
            return name in _LOGS or name in ("print", "pprint", "print_exc")
        case ast.Return(value=None | ast.Constant(value=None | True)):
            return True
        case _:
            return False


@rule("DYS352", level="warning", in_tests=False)
def code_in_text(module: Module) -> Iterator[Draft]:
    """`"ConditionalCheckFailedException" in str(error)`."""
    for node in module.names.all(ast.Compare):
        code = text_constant(node.left)
        if code not in _CODES or not isinstance(node.ops[0], ast.In):
            continue
        match node.comparators[0]:
            case ast.Call(func=ast.Name(id="str" | "repr"), args=[ast.Name(id=name)]):
                text = f'{name}.response["Error"]["Code"] == "{code}"'
                is_plain = _is_client_error(name, node, module)
                yield Draft(
                    node=node,
                    message="an error code is searched for in the text of an error",
                    answer="no error: any message that contains the code matches too",
                    fix=text,
                    edits=(module.replace(node, text),) if is_plain else (),
                    safety="unsafe",
                )


def _is_client_error(name: str, node: ast.AST, module: Module) -> bool:
    for above in module.names.above(node):
        if isinstance(above, ast.ExceptHandler) and above.name == name:
            return module.caught(above) == ["ClientError"]
    return False


# Classes


@rule("DYS353", level="error")
def exceptions_of_resource(module: Module) -> Iterator[Draft]:
    """`table.exceptions.ConditionalCheckFailedException`."""
    for node in module.names.all(ast.Attribute):
        if node.attr != "exceptions":
            continue
        kind = module.receivers.kind(node.value)
        if kind is None or not kind.is_a("resource", "table"):
            continue
        _, end = module.source.span(node)
        start = end - len("exceptions")
        name = "dynamodb.Table" if kind.what == "table" else "dynamodb.ServiceResource"
        yield Draft(
            node=node,
            span=(start, end),
            message="a Table or resource of boto3 has no exceptions",
            answer=f"AttributeError: '{name}' object has no attribute 'exceptions'",
            fix=".meta.client.exceptions",
            edits=(Edit(start, end, "meta.client.exceptions"),),
        )


@rule("DYS354", level="error")
def unknown_exception(module: Module) -> Iterator[Draft]:
    """`client.exceptions.ConditionalCheckFailed`."""
    for node in module.names.all(ast.Attribute):
        outer = node.value
        if not isinstance(outer, ast.Attribute) or outer.attr != "exceptions":
            continue
        kind = module.receivers.kind(outer.value)
        if kind is None or not kind.is_a("client", "meta client"):
            continue
        if node.attr in CLIENT_EXCEPTIONS or node.attr in ("ClientError", "from_code"):
            continue
        near = _near_code(node.attr)
        near = near if near in CLIENT_EXCEPTIONS else None
        _, end = module.source.span(node)
        start = end - len(node.attr)
        yield Draft(
            node=node,
            span=(start, end),
            message=f"a client of DynamoDB has no exception {node.attr}",
            answer=f"has no attribute {node.attr}. Valid exceptions are:",
            fix=near or "catch ClientError, and compare the code",
            edits=(Edit(start, end, near),) if near else (),
        )


_RETRIES = frozenset({"retry", "on_exception", "on_predicate", "retry_context"})


@rule("DYS355", level="risk", in_tests=False)
def retried_count(module: Module) -> Iterator[Draft]:
    """A retry decorator around an update that increments a counter."""
    for call in module.known_calls():
        function = module.names.function(call.node)
        if not isinstance(function, FUNCTIONS) or isinstance(function, ast.Lambda):
            continue
        retries = [each for each in function.decorator_list if last_name(each) in _RETRIES]
        if retries and is_counting(call, module):
            yield Draft(
                node=retries[0],
                message="attempts multiply with botocore's own, around an update that counts",
                answer="no error: the count is applied once for each attempt that arrives",
                fix="AsyncTable.update_item(..., exactly_once=True), without a decorator",
            )
