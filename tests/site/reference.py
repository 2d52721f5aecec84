"""An extension of griffe: the reference shows each keyword of a call, in place of `**options`.

Calls take their keywords as `**options: Unpack[QueryOptions]`. The reference lists them with their
types, those that a TypedDict inherits too, in signatures, overloads and tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from griffe import (
    Class,
    DocstringParameter,
    DocstringSection,
    DocstringSectionKind,
    DocstringSectionParameters,
    Expr,
    ExprSubscript,
    Extension,
    Function,
    Parameter,
    ParameterKind,
)


class KeywordsInReference(Extension):
    """Puts the keys of a TypedDict in the place of the `**options` that it is the type of."""

    def on_function(self, *, func: Function, **_: Any) -> None:
        for each in [func, *(func.overloads or ())]:
            _expand(each)


def _expand(func: Function) -> None:
    parameter = next((each for each in func.parameters if _is_unpacked(each)), None)
    if parameter is None:
        return
    del func.parameters[parameter.name]
    assert isinstance(parameter.annotation, ExprSubscript)
    options = func.modules_collection[_path(parameter.annotation.slice)]
    added = {each.name: each for each in _keywords(options)}
    for name in [*added]:
        if name in func.parameters:
            del added[name]
        else:
            func.parameters.add(added[name])
    if func.docstring is not None:
        # The parser takes types and defaults from the parameters, which are now there.
        _describe(func.docstring.parsed, func, added)


def _describe(
    sections: list[DocstringSection], func: Function, added: Mapping[str, Parameter]
) -> None:
    """Give the table of parameters a row for each that was added, and types to all rows."""
    table = next((each for each in sections if each.kind is DocstringSectionKind.parameters), None)
    if table is None:
        table = DocstringSectionParameters([])
        sections.append(table)
    described = set()
    for row in table.value:
        names = [name.strip() for name in row.name.split(",")]
        described.update(names)
        if len(names) > 1 and names[0] in func.parameters:
            parameter = func.parameters[names[0]]
            row.annotation, row.value = parameter.annotation, parameter.default
    for name, each in added.items():
        if name not in described:
            words = each.docstring.value if each.docstring else ""
            table.value.append(
                DocstringParameter(
                    name, description=words, annotation=each.annotation, value=each.default
                )
            )


def _is_unpacked(parameter: Parameter) -> bool:
    return (
        parameter.kind is ParameterKind.var_keyword
        and isinstance(parameter.annotation, ExprSubscript)
        and parameter.annotation.canonical_path.endswith(".Unpack")
    )


def default_of(options: str, annotation: str) -> str:
    """The default of a keyword, as the reference shows it.

    Settings of a client, a table or a call have the default of whatever is above them, which their
    descriptions name.
    """
    if options in ("CallOptions", "TableOptions"):
        return "..."
    return {"bool": "False", "OnInvalid": "'raise'"}.get(annotation, "None")


def _path(expression: str | Expr) -> str:
    return expression if isinstance(expression, str) else expression.canonical_path


def _keywords(options: Class) -> list[Parameter]:
    """The keys of a TypedDict: its own, and then those of its bases."""
    found = [
        Parameter(
            each.name,
            annotation=each.annotation,
            kind=ParameterKind.keyword_only,
            default=default_of(options.name, str(each.annotation)),
            docstring=each.docstring,
        )
        for each in options.attributes.values()
    ]
    for base in options.bases:
        path = _path(base)
        if not path.endswith(".TypedDict"):
            found += _keywords(options.modules_collection[path])
    return found
