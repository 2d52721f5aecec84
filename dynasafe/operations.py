"""The operations of DynamoDB: one row for each.

Source: the service model of botocore 1.44.8 (API version 2012-08-10), and the operations' pages in
the Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple


class Access(Enum):
    """Whether an operation reads or writes."""

    READ = "read"
    WRITE = "write"
    BY_STATEMENT = "by statement"
    """PartiQL: a read if each statement is a SELECT, otherwise a write. See `is_read`."""


class Repeat(Enum):
    """Whether the same request may be sent again after its answer was lost."""

    ALWAYS = "always"
    """The result is the same, however often it is applied."""
    NEVER = "never"
    BY_EXPRESSION = "by expression"
    """It depends on what the update expression does. Not for the legacy AttributeUpdates."""
    BY_TOKEN = "by token"
    """With a token, the service recognises the repeat. See `Operation.token_member`."""


class Operation(NamedTuple):
    """One operation of the service."""

    name: str
    """As in the API Reference: "UpdateItem"."""
    access: Access
    repeat: Repeat
    token_member: str | None = None
    """The member that holds the token, if there is one."""
    tables: tuple[str, ...] = ()
    """The paths of the names or ARNs of its tables in the request.

    A dot leads into a member, `[]` into each element of a list, `*` into each value of a map; `{}`
    at the end means the keys of a map. In PartiQL the names are in the statement itself.
    """


def _read(name: str, *tables: str) -> Operation:
    return Operation(name, Access.READ, Repeat.ALWAYS, None, tables)


def _write(name: str, *tables: str, repeat: Repeat = Repeat.NEVER) -> Operation:
    return Operation(name, Access.WRITE, repeat, None, tables)


def _write_with_token(name: str, token_member: str, *tables: str) -> Operation:
    return Operation(name, Access.WRITE, Repeat.BY_TOKEN, token_member, tables)


_TABLE = "TableName"

OPERATIONS: Final[Mapping[str, Operation]] = {
    operation.name: operation
    for operation in (
        Operation("BatchExecuteStatement", Access.BY_STATEMENT, Repeat.NEVER),
        _read("BatchGetItem", "RequestItems{}"),
        _write("BatchWriteItem", "RequestItems{}", repeat=Repeat.ALWAYS),
        _write("CancelBulkOperation"),
        _write("CreateBackup", _TABLE),
        _write("CreateGlobalTable", "GlobalTableName"),
        _write("CreateTable", _TABLE, "GlobalTableSourceArn"),
        _write("DeleteBackup"),
        _write("DeleteItem", _TABLE, repeat=Repeat.ALWAYS),
        _write("DeleteResourcePolicy"),
        _write("DeleteTable", _TABLE),
        _read("DescribeBackup"),
        _read("DescribeBulkOperation"),
        _read("DescribeContinuousBackups", _TABLE),
        _read("DescribeContributorInsights", _TABLE),
        _read("DescribeEndpoints"),
        _read("DescribeExport"),
        _read("DescribeGlobalTable", "GlobalTableName"),
        _read("DescribeGlobalTableSettings", "GlobalTableName"),
        _read("DescribeImport"),
        _read("DescribeKinesisStreamingDestination", _TABLE),
        _read("DescribeLimits"),
        _read("DescribeTable", _TABLE),
        _read("DescribeTableReplicaAutoScaling", _TABLE),
        _read("DescribeTimeToLive", _TABLE),
        _write("DisableKinesisStreamingDestination", _TABLE),
        _write("EnableKinesisStreamingDestination", _TABLE),
        Operation("ExecuteStatement", Access.BY_STATEMENT, Repeat.NEVER),
        Operation("ExecuteTransaction", Access.BY_STATEMENT, Repeat.BY_TOKEN, "ClientRequestToken"),
        _write_with_token("ExportTableToPointInTime", "ClientToken", "TableArn"),
        _read("GetItem", _TABLE),
        _read("GetResourcePolicy"),
        _write_with_token("ImportTable", "ClientToken", "TableCreationParameters.TableName"),
        _read("ListBackups", _TABLE),
        _read("ListBulkOperations"),
        _read("ListContributorInsights", _TABLE),
        _read("ListExports", "TableArn"),
        _read("ListGlobalTables"),
        _read("ListImports", "TableArn"),
        _read("ListTables"),
        _read("ListTagsOfResource"),
        _write("PutItem", _TABLE, repeat=Repeat.ALWAYS),
        _write("PutResourcePolicy"),
        _read("Query", _TABLE),
        _write("RestoreTableFromBackup", "TargetTableName"),
        _write("RestoreTableToPointInTime", "SourceTableArn", "SourceTableName", "TargetTableName"),
        _read("Scan", _TABLE),
        _read("SearchVectors", _TABLE),
        _write_with_token("StartBulkPutItems", "ClientToken", _TABLE),
        _write("TagResource"),
        _read("TransactGetItems", "TransactItems[].*.TableName"),
        _write_with_token(
            "TransactWriteItems", "ClientRequestToken", "TransactItems[].*.TableName"
        ),
        _write("UntagResource"),
        _write("UpdateContinuousBackups", _TABLE),
        _write("UpdateContributorInsights", _TABLE),
        _write("UpdateGlobalTable", "GlobalTableName"),
        _write("UpdateGlobalTableSettings", "GlobalTableName"),
        _write("UpdateItem", _TABLE, repeat=Repeat.BY_EXPRESSION),
        _write("UpdateKinesisStreamingDestination", _TABLE),
        _write("UpdateTable", _TABLE),
        _write("UpdateTableReplicaAutoScaling", _TABLE),
        _write("UpdateTimeToLive", _TABLE),
    )
}
"""The operations by name."""

WITHOUT_OUTPUT: Final = frozenset({"TagResource", "UntagResource"})
"""The operations that DynamoDB answers with an empty body. All others answer with an object.

Source: "TagResource" and "UntagResource", Amazon DynamoDB API Reference.
"""


def suggestion(name: object) -> str:
    """The fix for an unknown operation name: "did you mean UpdateItem?"."""
    nearest = _nearest(name) if isinstance(name, str) else None
    if nearest is None:
        return 'give its name in the API Reference, as in "UpdateItem"'
    return f"did you mean {nearest}?"


def _nearest(name: str) -> str | None:
    from difflib import get_close_matches  # rarely needed, and slow to load

    plain = {known.lower(): known for known in OPERATIONS}
    matches = get_close_matches(name.replace("_", "").lower(), plain, n=1)
    return plain[matches[0]] if matches else None


# Reads and writes


def is_read(operation: Operation, params: Mapping[str, Any]) -> bool:
    """Whether the request changes nothing."""
    if operation.access is not Access.BY_STATEMENT:
        return operation.access is Access.READ
    statements = [*_statements(params)]
    return bool(statements) and all(map(is_select, statements))


def is_select(statement: object) -> bool:
    """Whether a PartiQL statement reads. All statements that do not begin with SELECT count as
    writes."""
    words = statement.split(maxsplit=1) if isinstance(statement, str) else []
    return bool(words) and words[0].upper() == "SELECT"


def _statements(params: Mapping[str, Any]) -> Iterator[object]:
    if "Statement" in params:
        yield params["Statement"]
    for member in ("Statements", "TransactStatements"):
        for entry in _elements(params.get(member)):
            yield entry.get("Statement") if isinstance(entry, Mapping) else None


# Tables


def table_names(operation: Operation, params: Mapping[str, Any]) -> tuple[str, ...]:
    """The names or ARNs of all tables in the request, each once, in order."""
    found = (name for path in operation.tables for name in _at(params, path.split(".")))
    return tuple(dict.fromkeys(name for name in found if isinstance(name, str)))


def _at(part: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield part
        return
    step, *rest = path
    if not isinstance(part, Mapping):
        return
    if step.endswith("{}"):
        keys = part.get(step[:-2])
        yield from keys if isinstance(keys, Mapping) else ()
    elif step == "*":
        for each in part.values():
            yield from _at(each, rest)
    elif step.endswith("[]"):
        for each in _elements(part.get(step[:-2])):
            yield from _at(each, rest)
    elif step in part:
        yield from _at(part[step], rest)


def _elements(part: Any) -> Sequence[Any]:
    return part if isinstance(part, list | tuple) else ()
