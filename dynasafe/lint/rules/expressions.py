"""Rules about expressions: findings of `check_request`, and names or values in the text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from dynasafe.findings.finding import Finding
from dynasafe.lint.calls import Call, bound_value, only_value
from dynasafe.lint.literals import constant, text_constant, texts
from dynasafe.lint.module import Module, last_name
from dynasafe.lint.problem import Draft, Edit, rule
from dynasafe.lint.requests import Verdict, judge
from dynasafe.lint.source import Span
from dynasafe.validation.expression_rules import KINDS

_OF_BOTO3 = frozenset({"DYS101", "DYS102", "DYS104", "DYS110", "DYS111", "DYS112", "DYS113"})


# Findings of check_request


def request_findings(module: Module) -> Iterator[Draft]:
    """The findings of `check_request`, each with its place in the source."""
    for call in module.known_calls():
        schema = module.settings.schemas.get(_table_name(call, module) or "")
        verdicts, unseen = judge(call, module.names, schema)
        if unseen:
            module.partly.add(call)
            module.unseen += unseen
        for verdict in verdicts:
            yield _draft(verdict, call, module)


def _table_name(call: Call, module: Module) -> str | None:
    given = call.members.get("TableName")
    if given is not None:
        found = texts(given, module.names)
        return found[0].value if found is not None and len(found) == 1 else None
    value = bound_value(call.receiver, module.names) or call.receiver
    if isinstance(value, ast.Await):
        value = value.value
    if isinstance(value, ast.Call) and last_name(value.func) == "Table" and value.args:
        return text_constant(value.args[0])
    return None


def _draft(verdict: Verdict, call: Call, module: Module) -> Draft:
    finding = verdict.finding
    node, span, is_exact = _place(verdict, call, module)
    words = finding.message.partition("\n")[0]
    is_boto3 = finding.code in _OF_BOTO3
    return Draft(
        node=node,
        span=span,
        code=finding.code,
        message=words,
        answer=f"{'ParamValidationError' if is_boto3 else 'ValidationException'}: {words}",
        fix=finding.fix,
        edits=tuple(_edits(finding, call, module, span, is_exact)),
        level="error",
    )


def _place(verdict: Verdict, call: Call, module: Module) -> tuple[ast.AST, Span, bool]:
    """The place of a finding in the source, and whether it is exact."""
    finding, template = verdict.finding, verdict.template
    where = finding.where
    text = template.texts.get(where.parameter)
    if text is not None and where.span is not None:
        span, is_exact = text.span(*where.span, module.source)
        return template.places[where.parameter], span, is_exact
    place = where.parameter
    named = re.search(r" at '(\w+)", finding.message)
    if place == "parameters" and named:
        place = named[1][0].upper() + named[1][1:]
    while place:
        node = template.places.get(place)
        if node is not None:
            return node, module.source.span(node), False
        place = re.sub(r"(\.[^.\[]*|\[\d+\])$", "", place) if re.search(r"[.\[]", place) else ""
    return call.node, module.method_span(call), False


def _edits(finding: Finding, call: Call, module: Module, span: Span, is_exact: bool) -> list[Edit]:
    parameter = finding.where.parameter
    if parameter not in call.keywords:
        return []
    start, end = module.source.span(call.node)
    is_here = start <= span[0] and span[1] <= end
    if not is_here:
        return []
    match finding.code:
        case "DYS215" if is_exact:
            return _alias(finding, call, module, span)
        case "DYS202" if is_exact:
            return _without_brackets(module, span)
        case "DYS103" | "DYS107" if parameter not in ("UpdateExpression", "Key", "Item"):
            return [module.remove_argument(call.node, call.keywords[parameter])]
        case "DYS222":
            return _without_entries(finding, call, module)
        case _:
            return []


def _alias(finding: Finding, call: Call, module: Module, span: Span) -> list[Edit]:
    """Edits that write `#name` and define it."""
    name = finding.message.rpartition(": ")[2]
    found = re.search(rf"(?<![#:\w]){re.escape(name)}\b", module.source.text[span[0] : span[1]])
    if found is None:
        return []
    at = span[0] + found.start()
    edits = [Edit(at, at, "#")]
    member = "ExpressionAttributeNames"
    given = call.members.get(member)
    if given is None:
        if call.has_more:
            return []
        _, end = module.source.span(call.keywords[finding.where.parameter])
        lines = {
            module.source.place(module.source.span(each)[0]).line for each in call.node.keywords
        }
        separator = ", "
        if len(lines) == len(call.node.keywords) > 1:
            column = module.source.place(
                module.source.span(call.keywords[finding.where.parameter])[0]
            ).column
            separator = ",\n" + " " * (column - 1)
        return [*edits, Edit(end, end, f'{separator}{member}={{"#{name}": "{name}"}}')]
    if not isinstance(given, ast.Dict) or member not in call.keywords:
        return []
    defined = {text_constant(key): text_constant(value) for key, value in _entries(given)}
    if f"#{name}" in defined:
        return edits if defined[f"#{name}"] == name else []
    entry = f'"#{name}": "{name}"'
    if given.values:
        _, end = module.source.span(given.values[-1])
        return [*edits, Edit(end, end, f", {entry}")]
    start, end = module.source.span(given)
    return [*edits, Edit(start, end, f"{{{entry}}}")]


def _entries(display: ast.Dict) -> list[tuple[ast.expr | None, ast.expr]]:
    return list(zip(display.keys, display.values, strict=True))


def _without_brackets(module: Module, span: Span) -> list[Edit]:
    text = module.source.text[span[0] : span[1]]
    if not (text.startswith("((") and text.endswith("))")):
        return []
    return [Edit(span[0], span[0] + 1, ""), Edit(span[1] - 1, span[1], "")]


def _without_entries(finding: Finding, call: Call, module: Module) -> list[Edit]:
    """Edits that drop entries that no expression uses, if evaluating their values has no effect."""
    display = call.members[finding.where.parameter]
    unused = set(re.findall(r"[#:]\w+", finding.message.rpartition("keys: ")[2]))
    if not isinstance(display, ast.Dict):
        return []
    kept = [(key, value) for key, value in _entries(display) if text_constant(key) not in unused]
    for key, value in _entries(display):
        is_plain = constant(value) is not None or isinstance(value, ast.Name)
        if key is None or (text_constant(key) in unused and not is_plain):
            return []
    if not kept:
        return [module.remove_argument(call.node, call.keywords[finding.where.parameter])]
    text = ", ".join(f"{module.text(key)}: {module.text(value)}" for key, value in kept if key)
    return [module.replace(display, f"{{{text}}}")]


# Names and values in the text


@rule("DYS321", level="warning")
def outside_name(module: Module) -> Iterator[Draft]:
    """`f"SET {key} = :v"`, where the key comes from outside."""
    for call, hole, before, after in _holes(module):
        if before.endswith(("#", ":", "[")) or _is_quoted(before, after):
            continue
        if re.search(r"[#:]\w*\Z", before) or not _is_name_position(before, after):
            continue
        if _is_from_outside(hole, module):
            yield Draft(
                node=hole,
                message=f"the expression of {call.method} takes names from `{module.text(hole)}`",
                answer=(
                    "ValidationException for a reserved word or a name such as first-name; "
                    "otherwise the sender can write any attribute"
                ),
                fix="UpdateBuilder.from_patch(..., allow={...}), or attr(name=...)",
            )


@rule("DYS322", level="error")
def value_in_text(module: Module) -> Iterator[Draft]:
    """`f"SET a = '{value}'"`."""
    for _, hole, before, after in _holes(module):
        if _is_quoted(before, after):
            quote = before[-1]
            yield Draft(
                node=hole,
                message="a value in the text of an expression; expressions have no literals",
                answer=f'ValidationException: Syntax error; token: "{quote}"',
                fix="use a placeholder, and give the value in ExpressionAttributeValues",
            )


@rule("DYS324", level="risk")
def placeholder_of_data(module: Module) -> Iterator[Draft]:
    """`f"#{key} = :{key}"`, where the key comes from outside."""
    seen: set[tuple[Call, str]] = set()
    for call, hole, before, _ in _holes(module):
        if not before.endswith(("#", ":")) or (call, module.text(hole)) in seen:
            continue
        if _is_from_outside(hole, module):
            seen.add((call, module.text(hole)))
            yield Draft(
                node=hole,
                message=f"a placeholder is made from `{module.text(hole)}`",
                answer=(
                    "ValidationException: ExpressionAttributeNames contains invalid key: Syntax "
                    'error; key: "#first-name"'
                ),
                fix="number the placeholders, or use UpdateBuilder",
            )


def _holes(module: Module) -> Iterator[tuple[Call, ast.expr, str, str]]:
    """Each inserted value in the text of an expression, with the text before and after it."""
    seen: set[ast.AST] = set()
    for call in module.known_calls():
        for member in KINDS:
            node = call.members.get(member)
            if node is None or texts(node, module.names) is not None:
                continue
            for made in _pieces(node, module, 0):
                if made not in seen:
                    seen.add(made)
                    for hole, before, after in _holes_of(made):
                        yield call, hole, before, after


def _pieces(node: ast.expr, module: Module, depth: int) -> Iterator[ast.expr]:
    """The f-strings, `%` and `.format()` that make up a text."""
    if depth > 6:
        return
    inner: list[ast.expr] = []
    match node:
        case ast.JoinedStr():
            yield node
            inner = [hole for hole, before, _ in _holes_of(node) if before[-1:] not in ("#", ":")]
        case ast.BinOp(op=ast.Add()):
            inner = [node.left, node.right]
        case ast.BinOp(op=ast.Mod()) if text_constant(node.left) is not None:
            yield node
        case ast.IfExp():
            inner = [node.body, node.orelse]
        case ast.ListComp() | ast.GeneratorExp():
            inner = [node.elt]
        case ast.List() | ast.Tuple():
            inner = list(node.elts)
        case ast.Call(func=ast.Attribute(attr="format", value=ast.Constant(value=str()))):
            yield node
        case ast.Call(func=ast.Attribute(attr="join")) if node.args:
            inner = [node.args[0]]
        case ast.Call(func=ast.Attribute(attr="rstrip" | "strip" | "lstrip", value=value)):
            inner = [value]
        case ast.Name():
            inner = _contents(node, module)
    for each in inner:
        yield from _pieces(each, module, depth + 1)


def _contents(node: ast.Name, module: Module) -> list[ast.expr]:
    """The contents of a local text or list: its bindings, and what the code appends."""
    home = module.names.scopes[node].home(node.id)
    if home is None or home.function is not module.names.scopes[node].function:
        return []
    found = [
        each.value
        for each in home.bindings[node.id]
        if each.kind in ("assign", "augment") and each.value is not None
    ]
    for use in module.names.uses(node.id, home):
        above = module.names.parents[use]
        outer = module.names.parents.get(above)
        is_append = isinstance(above, ast.Attribute) and above.attr == "append"
        if is_append and isinstance(outer, ast.Call) and outer.args:
            found.append(outer.args[0])
    return found


def _holes_of(node: ast.expr) -> Iterator[tuple[ast.expr, str, str]]:
    match node:
        case ast.JoinedStr():
            parts = [
                each.value if isinstance(each, ast.FormattedValue) else str(constant(each))
                for each in node.values
            ]
        case ast.BinOp():
            arguments = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            parts = _filled(re.split(r"%[sdr]", text_constant(node.left) or ""), arguments)
        case ast.Call(func=ast.Attribute(value=text)):
            pieces = re.split(r"\{\d*\}", text_constant(text) or "")
            parts = _filled(pieces, node.args)
        case _:
            return
    for index, part in enumerate(parts):
        if isinstance(part, str):
            continue
        before = "".join(each if isinstance(each, str) else "x" for each in parts[:index])
        after = "".join(each if isinstance(each, str) else "x" for each in parts[index + 1 :])
        yield part, before, after


def _filled(pieces: list[str], arguments: list[ast.expr]) -> list[ast.expr | str]:
    if len(pieces) != len(arguments) + 1:
        return []
    parts: list[ast.expr | str] = [pieces[0]]
    for argument, piece in zip(arguments, pieces[1:], strict=True):
        parts += [argument, piece]
    return parts


def _is_quoted(before: str, after: str) -> bool:
    return bool(before) and before[-1] in "'\"" and after.startswith(before[-1])


def _is_name_position(before: str, after: str) -> bool:
    """Whether the inserted value is an attribute: before an operator, or in a path or function."""
    if re.match(r"\w*\s*(=|<|>|\+|-|\.|,|\)|\[|\Z|BETWEEN|IN\b)", after) is None:
        return False
    return re.search(r"(=|<|>)\s*\Z", before) is None


def _is_from_outside(hole: ast.expr, module: Module) -> bool:
    """Whether a name is a parameter, or iterates over values that the source does not show."""
    if not isinstance(hole, ast.Name):
        return False
    home = module.names.scopes[hole].home(hole.id)
    if home is None or home.parent is None:
        return False
    bindings = home.bindings[hole.id]
    if len(bindings) != 1:
        return False
    (binding,) = bindings
    if binding.kind == "parameter":
        return hole.id not in ("self", "cls")
    if binding.kind == "for" and binding.value is not None:
        return _is_of_data(binding.value, module)
    return binding.kind == "other" and _is_unpacked_from_data(hole.id, binding.node, module)


def _is_unpacked_from_data(name: str, node: ast.AST, module: Module) -> bool:
    if not isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        return False
    if isinstance(node.iter, ast.Call) and last_name(node.iter.func) == "enumerate":
        targets = node.target.elts if isinstance(node.target, ast.Tuple) else []
        if targets and isinstance(targets[0], ast.Name) and targets[0].id == name:
            return False  # a number
    return _is_of_data(node.iter, module)


def _is_of_data(node: ast.expr, module: Module) -> bool:
    """Whether an iterable is neither a display of constants nor made from one."""
    match node:
        case ast.Call(
            func=ast.Name(id="enumerate" | "sorted" | "list" | "zip" | "set" | "reversed")
        ):
            return any(_is_of_data(each, module) for each in node.args)
        case ast.Call(func=ast.Name(id="range")):
            return False
        case ast.Call(func=ast.Attribute(attr="items" | "keys", value=value)):
            return _is_of_data(value, module)
        case ast.Name():
            value_of = only_value(node, module.names)
            return value_of is None or _is_of_data(value_of, module)
        case ast.List() | ast.Tuple() | ast.Set():
            return not all(text_constant(each) is not None for each in node.elts)
        case ast.Dict():
            return not all(text_constant(each) is not None for each in node.keys)
        case ast.Attribute():
            return False  # names that the code itself defines
        case _:
            return True


# Conditions of boto3


@rule("DYS323", level="warning")
def joined_conditions(module: Module) -> Iterator[Draft]:
    """`Attr("a").eq(1) and Attr("b").eq(2)`, which is only the second condition."""
    for node in module.names.all(ast.BoolOp):
        if not all(module.is_condition(each) for each in node.values):
            continue
        sign, word = ("&", "and") if isinstance(node.op, ast.And) else ("|", "or")
        which = "last" if word == "and" else "first"
        text = f" {sign} ".join(_bracketed(each, module) for each in node.values)
        yield Draft(
            node=node,
            message=f"conditions of boto3 joined with `{word}`: Python takes only the {which} one",
            answer=f"no error: only the {which} condition is sent",
            fix=text,
            edits=(module.replace(node, text),),
            safety="unsafe",
        )
    for negation in module.names.all(ast.UnaryOp):
        if isinstance(negation.op, ast.Not) and module.is_condition(negation.operand):
            text = f"~{_bracketed(negation.operand, module)}"
            yield Draft(
                node=negation,
                message="`not` of a condition of boto3 is False",
                answer="ParamValidationError: Invalid type for parameter FilterExpression, value: "
                "False",
                fix=text,
                level="error",
                edits=(module.replace(negation, text),),
                safety="unsafe",
            )
    for comparison in module.names.all(ast.Compare):
        if module.is_attribute(comparison.left) and len(comparison.ops) == 1:
            yield from _compared(comparison, module)


_METHODS: dict[type[ast.cmpop], str] = {
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Lt: "lt",
    ast.LtE: "lte",
    ast.Gt: "gt",
    ast.GtE: "gte",
}


def _compared(node: ast.Compare, module: Module) -> Iterator[Draft]:
    method = _METHODS.get(type(node.ops[0]))
    if method is None:
        return
    text = f"{module.text(node.left)}.{method}({module.text(node.comparators[0])})"
    if method == "eq":
        answer = "ParamValidationError: Invalid type for parameter KeyConditionExpression, value: "
        answer += "False"
    elif method == "ne":
        answer = "ParamValidationError: Invalid type for parameter FilterExpression, value: True"
    else:
        answer = "TypeError: '<' not supported between instances of 'Key' and 'str'"
    yield Draft(
        node=node,
        message="a Python comparison of boto3's Key or Attr, which gives True or False",
        answer=answer,
        fix=text,
        level="error",
        edits=(module.replace(node, text),),
        safety="unsafe",
    )


def _bracketed(node: ast.expr, module: Module) -> str:
    text = module.text(node)
    return text if isinstance(node, ast.Call | ast.Name) else f"({text})"
