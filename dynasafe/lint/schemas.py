"""Table schemas that the configuration names: files, or Item classes in the source."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from dynasafe.lint.literals import text_constant
from dynasafe.lint.settings import SettingsError

_TYPES = {"str": "S", "int": "N", "float": "N", "Decimal": "N", "bytes": "B", "datetime": "S"}


def read_schema(place: str, folder: Path) -> dict[str, Any]:
    """The schema that `place` names. A path is relative to the folder.

    Args:
        place: "table.json" with an answer of DescribeTable; "template.json#People" for a resource
            of a CloudFormation template in JSON; or "app.models.Person" for an Item class.

    Raises:
        SettingsError: the schema does not exist, or is not valid.
    """
    file, _, resource = place.partition("#")
    if file.endswith(".json"):
        return _of_json(folder / file, resource)
    if file.endswith((".yaml", ".yml")):
        raise SettingsError(f"schema {place!r}: only JSON is read. Fix: convert the template")
    return _of_class(place, folder)


def _of_json(file: Path, resource: str) -> dict[str, Any]:
    try:
        whole = json.loads(file.read_text("utf-8"))
        if resource:
            whole = whole["Resources"][resource]["Properties"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"schema {file}: {type(error).__name__}: {error}") from error
    if not isinstance(whole, dict):
        raise SettingsError(f"schema {file} is not a JSON object")
    return whole


def _of_class(place: str, folder: Path) -> dict[str, Any]:
    module, _, name = place.rpartition(".")
    stem = Path(*module.split("."))
    files = [
        folder / root / each
        for root in (".", "src")
        for each in (stem.with_suffix(".py"), stem / "__init__.py")
    ]
    file = next((each for each in files if each.is_file()), None)
    if file is None:
        raise SettingsError(f"schema {place!r}: there is no module {module}")
    tree = ast.parse(file.read_text("utf-8"))
    node = next(
        (each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == name), None
    )
    if node is None:
        raise SettingsError(f"schema {place!r}: {file} has no class {name}")
    keys = [key for each in node.body if (key := _key(each)) is not None]
    if not any(role == "partition" for _, _, role in keys):
        raise SettingsError(
            f"schema {place!r}: {name} has no attribute(key='partition'). Fix: name an Item class"
        )
    roles = {"partition": "HASH", "sort": "RANGE"}
    return {
        "KeySchema": [
            {"AttributeName": attribute, "KeyType": roles[role]} for attribute, _, role in keys
        ],
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": type_name}
            for attribute, type_name, _ in keys
        ],
    }


def _key(node: ast.stmt) -> tuple[str, str, str] | None:
    """The name, type and role of a key attribute."""
    match node:
        case ast.AnnAssign(
            target=ast.Name(id=name),
            annotation=ast.Subscript(slice=ast.Name(id=type_name)),
            value=ast.Call(func=ast.Name(id="attribute"), keywords=keywords),
        ):
            given = {each.arg: text_constant(each.value) for each in keywords}
            role = given.get("key")
            if role in ("partition", "sort") and type_name in _TYPES:
                return given.get("name") or name, _TYPES[type_name], role
    return None
