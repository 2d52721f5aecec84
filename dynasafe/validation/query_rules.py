"""Rules about queries and scans: indexes, filters and start keys.

Sources: "Query", "Scan", Amazon DynamoDB API Reference; "Querying tables in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dynasafe.validation.expression_rules import Expressions
from dynasafe.validation.key_conditions import KeyCondition
from dynasafe.validation.key_rules import (
    check_key_attributes,
)
from dynasafe.validation.report import INVALID_VALUES, Report
from dynasafe.validation.table_schema import KeyAttribute, KeySchema, TableSchema
from dynasafe.validation.value_rules import check_attribute_value, only_member

_START = "ExclusiveStartKey"
_START_IS_INVALID = "The provided starting key is invalid"
# The service leaves these words out before some of its messages.
_WITHOUT_PREFIX = (
    "contains duplicates",
    "number set",
    "numeric value",
    "significant digits",
    "number with magnitude",
)


# Filters and projections


def check_filters(
    params: Mapping[str, Any], expressions: Expressions, names: Iterable[str], report: Report
) -> None:
    """A query's filter must not name key attributes."""
    filters = params.get("QueryFilter", {})
    named = expressions.named("FilterExpression")
    for name in names:
        if name in filters or name in named:
            is_legacy = name in filters
            report.add(
                "DYS159",
                f"{'QueryFilter' if is_legacy else 'Filter Expression'} can only contain "
                f"non-primary key attributes: Primary key attribute: {name}",
                "QueryFilter" if is_legacy else "FilterExpression",
                "put conditions on keys into KeyConditionExpression",
                text=None if is_legacy else expressions.texts["FilterExpression"],
                span=None if is_legacy else named[name].span,
            )
            return


def check_projected(
    params: Mapping[str, Any],
    expressions: Expressions,
    index: KeySchema | None,
    report: Report,
    *,
    is_query: bool,
) -> None:
    """A query of a global index may return and filter only projected attributes."""
    if index is None or index.projected is None or not index.is_global:
        return
    if params.get("Select") == "ALL_ATTRIBUTES":
        report.add(
            "DYS165",
            f"{INVALID_VALUES}Select type ALL_ATTRIBUTES is not supported for global secondary "
            f"index {index.index_name} because its projection type is not ALL",
            "Select",
            "leave Select out, and read the items by their keys",
        )
    wanted = {*params.get("AttributesToGet", ()), *expressions.named("ProjectionExpression")}
    absent = sorted(wanted - index.projected)
    if absent:
        report.add(
            "DYS166",
            f"{INVALID_VALUES}Global secondary index {index.index_name} does not project "
            f"[{', '.join(absent)}]",
            "ProjectionExpression" if "ProjectionExpression" in params else "AttributesToGet",
            "read the items by their keys, or let the index project these attributes",
        )
    filtered = {*params.get("QueryFilter", ()), *expressions.named("FilterExpression")}
    absent = sorted(filtered - index.projected)
    if absent and is_query:
        report.add(
            "DYS166",
            f"{INVALID_VALUES}Secondary index {index.index_name} does not project one or more "
            f"filter attributes: [{', '.join(absent)}]",
            "FilterExpression" if "FilterExpression" in params else "QueryFilter",
            "let the index project these attributes",
        )


# Where to go on


def check_start_values(params: Mapping[str, Any], report: Report) -> None:
    """The values of ExclusiveStartKey."""
    for name, value in params.get(_START, {}).items():
        inner = report.aside()
        check_attribute_value(value, f"{_START}.{name}", inner)
        for finding in inner.findings:
            is_bare = any(words in finding.message for words in _WITHOUT_PREFIX)
            message = finding.message if is_bare else f"{_START_IS_INVALID}: {finding.message}"
            report.add(finding.code, message, finding.where.parameter, finding.fix)


def check_start(
    params: Mapping[str, Any],
    table: TableSchema | None,
    keys: KeySchema | None,
    report: Report,
    *,
    is_query: bool,
) -> bool:
    """Whether ExclusiveStartKey, if there is one, is a key of what is read."""
    if table is None or keys is None or _START not in params:
        return True
    start = params[_START]
    before = len(report.findings)
    is_by_key = is_query or "IndexName" in params
    if start.keys() != {each.name for each in (*table.key.attributes, *keys.attributes)}:
        reason = "" if is_by_key else ": The provided key element does not match the schema"
        _invalid_start(reason, report)
    elif is_by_key:
        check_key_attributes(start, keys, _START, report)
    if len(report.findings) == before:
        inner = report.aside()
        check_key_attributes(start, table.key, _START, inner)
        for finding in inner.findings:
            _invalid_start(f": {finding.message}", report)
    return len(report.findings) == before


def check_start_bounds(
    params: Mapping[str, Any],
    conditions: Mapping[str, KeyCondition],
    keys: KeySchema | None,
    report: Report,
) -> None:
    """The start key of a query lies within what its conditions, which fit the keys, allow."""
    if keys is None or _START not in params or not conditions:
        return
    start = {name: only_member(value) for name, value in params[_START].items()}

    def holds(attribute: KeyAttribute) -> bool:
        value = start.get(attribute.name)
        return value is None or conditions[attribute.name].holds(value)

    ranged = [each for each in keys.sort_attributes if each.name in conditions]
    if not all(map(holds, ranged)):
        words = "The provided starting key does not match the range key predicate"
    elif all(map(holds, keys.partition_attributes)):
        return
    elif ranged:
        words = "The query can return at most one row and cannot be restarted"
    else:
        words = "The provided starting key is outside query boundaries based on provided conditions"
    report.add("DYS167", words, _START, "give the LastEvaluatedKey of the page before")


def _invalid_start(reason: str, report: Report) -> None:
    report.add(
        "DYS167",
        f"{_START_IS_INVALID}{reason}",
        _START,
        "give the LastEvaluatedKey of the page before",
    )


# What is read


def check_index(
    params: Mapping[str, Any], schema: TableSchema | None, report: Report
) -> KeySchema | None:
    """The key schema of the table or index that is read."""
    index_name = params.get("IndexName")
    if schema is None:
        return None
    if index_name is None:
        return schema.key
    if not schema.knows_indexes:
        return None
    index = schema.indexes.get(index_name)
    if index is None:
        report.add(
            "DYS163",
            f"The table does not have the specified index: {index_name}",
            "IndexName",
            "name one of: " + (", ".join(sorted(schema.indexes)) or "none, it has no indexes"),
        )
    elif index.is_global and params.get("ConsistentRead"):
        report.add(
            "DYS164",
            "Consistent reads are not supported on global secondary indexes",
            "ConsistentRead",
            "leave it out, or read from the table",
        )
    return index


def check_segments(params: Mapping[str, Any], report: Report) -> None:
    """Segment and TotalSegments of a parallel scan."""
    segment, total = params.get("Segment"), params.get("TotalSegments")
    if (segment is None) is (total is None):
        if segment is not None and total is not None and segment >= total:
            report.add(
                "DYS162",
                "The Segment parameter is zero-based and must be less than parameter "
                f"TotalSegments: Segment: {segment} is not less than TotalSegments: {total}",
                "Segment",
                "count segments from 0",
            )
        return
    missing, given = ("TotalSegments", "Segment") if total is None else ("Segment", "TotalSegments")
    when = "Segment parameter is present" if total is None else "parameter TotalSegments is present"
    report.add(
        "DYS161",
        f"The {missing} parameter is required but was not present in the request when {when}",
        missing,
        f"give both, or leave {given} out",
    )


def check_select(params: Mapping[str, Any], report: Report) -> None:
    """Check that Select and the projection agree."""
    select = params.get("Select")
    if select is None:
        return
    chosen = next(
        (m for m in ("ProjectionExpression", "AttributesToGet") if params.get(m) is not None), None
    )
    message = None
    if select == "SPECIFIC_ATTRIBUTES" and chosen is None:
        message = (
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
            "SPECIFIC_ATTRIBUTES"
        )
    elif select == "COUNT" and chosen is not None:
        message = f"Cannot specify the {chosen} when choosing to get only the Count"
    elif select in ("ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES") and chosen is not None:
        message = f"Cannot specify the {chosen} when choosing to get {select}"
    elif select == "ALL_PROJECTED_ATTRIBUTES" and params.get("IndexName") is None:
        message = "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
    if message is not None:
        report.add("DYS165", message, "Select", "leave Select out: the rest implies it")
