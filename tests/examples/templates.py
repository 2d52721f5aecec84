"""The tables of each example as a CloudFormation template, made from its Item classes.

    python -m tests.examples.templates

writes them to `examples/templates/`; a test fails where one of them is out of date.

Source: "AWS::DynamoDB::Table", AWS CloudFormation Template Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from dynasafe.testing import table_description
from dynasafe.testing.descriptions import create_table_params

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = ROOT / "examples" / "templates"
PACKAGES = {"accounts": "examples.accounts.models", "registry": "examples.registry.models"}
MODULES = {
    **{
        path.stem: f"examples.recipes.{path.stem}"
        for path in sorted((ROOT / "examples" / "recipes").glob("[a-z]*.py"))
    },
    **PACKAGES,
}


def template_of(example: str) -> str:
    """The template of an example, as YAML."""
    module = import_module(MODULES[example])
    tables: Mapping[str, Any] = module.TABLES
    indexes = getattr(module, "INDEXES", {})
    streams = getattr(module, "STREAMS", {})
    resources = {
        f"{name.title().replace('-', '')}Table": {
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": properties_of(name, item_class, indexes.get(name), streams.get(name)),
        }
        for name, item_class in tables.items()
    }
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
    text: str = yaml.dump(template, Dumper=Indented, sort_keys=False)
    return text


def properties_of(name: str, item_class: Any, indexes: Any, stream: str | None) -> dict[str, Any]:
    properties = create_table_params(name, table_description(item_class, indexes=indexes))
    ttl = item_class.__dynasafe_schema__.ttl
    if ttl is not None:
        specification = {"AttributeName": ttl.name, "Enabled": True}
        properties["TimeToLiveSpecification"] = specification
    if stream is not None:
        properties["StreamSpecification"] = {"StreamViewType": stream}
    recovery = {"PointInTimeRecoveryEnabled": True}
    return {**properties, "PointInTimeRecoverySpecification": recovery}


class Indented(yaml.SafeDumper):
    """Lists are indented, and nothing refers to another place."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def main() -> None:
    TEMPLATES.mkdir(exist_ok=True)
    for example in MODULES:
        (TEMPLATES / f"{example}.yaml").write_text(template_of(example))


if __name__ == "__main__":
    main()
