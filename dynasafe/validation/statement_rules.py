"""PartiQL statements, as far as their parameters are counted.

Sources: "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction", Amazon DynamoDB API
Reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dynasafe.validation.report import Report
from dynasafe.validation.value_rules import check_attribute_value

# Texts in single quotes, names in double quotes, comments; then the place of a parameter.
_PARTS = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|(\?)", re.DOTALL)


def check_parameters(statement: Mapping[str, Any], report: Report) -> None:
    """A statement has as many parameters as places for them, and their values are fine."""
    parameters = statement.get("Parameters", ())
    for index, value in enumerate(parameters):
        check_attribute_value(value, f"Parameters[{index}]", report)
    text = statement.get("Statement")
    if text is None:
        return
    places = sum(each.group(1) is not None for each in _PARTS.finditer(text))
    given = len(parameters)
    if places != given:
        report.add(
            "DYS187",
            "Number of parameters in request and statement don't match.",
            "Parameters",
            f"give one parameter for each ?: the statement has {places}, and {given} are given",
        )
