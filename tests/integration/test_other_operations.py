"""The operations that are not of items: the verdict of DynamoDB Local on nearly right requests."""

from __future__ import annotations

import os
from collections import Counter
from random import Random
from typing import Any

import pytest

from dynasafe.findings.finding import Finding
from dynasafe.operations import OPERATIONS
from dynasafe.testing.engines import Engine
from dynasafe.validation.shapes import REQUESTS, request_shape
from tests.support.requests import FAULT_RATES, near, send
from tests.support.words import check_as_before

COUNT = 1000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 40
OF_THE_EMULATOR = [
    *("BatchExecuteStatement", "CreateTable", "DeleteTable", "DescribeLimits", "DescribeTable"),
    *("DescribeTimeToLive", "ExecuteStatement", "ExecuteTransaction", "ListTables"),
    *("UpdateTable", "UpdateTimeToLive"),
]
REFUSED_BY_THE_EMULATOR = {
    # Of a table that cannot exist the service says that, or this.
    "Invalid table/index name": "TableName, DescribeTable, API Reference: 1 to 1024 characters",
    # Statements are not parsed here.
    "Unsupported operation": "PartiQL",
    "Statement wasn't well formed": "PartiQL",
    "Cannot do operations on a non-existent table": "the table",
    "Requested resource not found": "the table",
}
"""How theirs begins, and what decides it, or the source that says that the emulator is wrong."""


def is_named(operation: str, body: dict[str, Any], theirs: str, ours: list[Finding]) -> bool:
    if not ours and "GlobalTableSourceArn" in body:
        return True  # CreateTable, API Reference: the keys are those of the source
    if not ours:
        return theirs.startswith(tuple(REFUSED_BY_THE_EMULATOR))
    # Of members that it does not know, or of another type than the API Reference says; and
    # "BatchExecuteStatement", API Reference: there each statement has an error of its own.
    own = {"DYS110", "DYS187"} if operation == "BatchExecuteStatement" else set()
    return {each.code for each in ours} <= {"DYS102", "DYS105", *own}


@pytest.mark.parametrize("operation", OF_THE_EMULATOR)
def test_verdicts(dynamodb_local: Engine, operation: str) -> None:
    """Each operation is accepted or refused as by the engine, but for the named differences."""
    counts: Counter[str] = Counter()
    for seed in range(COUNT):
        random = Random(seed)
        body = near(request_shape(operation), random, random.choice(FAULT_RATES))
        if not isinstance(body, dict):
            continue
        code, theirs = send(dynamodb_local.endpoint_url, operation, body)
        ours = list(check_as_before(operation, body, form="wire"))
        counts["refused" if code else "accepted"] += 1
        if bool(code) is not bool(ours):
            assert is_named(operation, body, theirs, ours), (body, code, theirs, ours)
            counts["named"] += 1
    assert sum(counts.values()) > COUNT // 2


def test_no_others(dynamodb_local: Engine) -> None:
    """The emulator has no other operation of the service."""
    url = dynamodb_local.endpoint_url
    others = set(OPERATIONS) - set(REQUESTS) - set(OF_THE_EMULATOR)

    assert {send(url, operation, {})[0] for operation in others} == {"UnknownOperationException"}
