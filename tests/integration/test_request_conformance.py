"""check_request and the engines on generated requests of all operations, sent past every client.

DynamoDB Local judges whether a request is accepted. dynalite, whose authors recorded the service,
has the words of the checks that come first: types and constraints.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from dynasafe.testing.engines import Engine
from dynasafe.validation.member_rules import check_members
from dynasafe.validation.report import Context, Report
from dynasafe.validation.shapes import REQUESTS
from dynasafe.validation.words import HISTORY, wording
from tests.integration.conftest import boto3_client
from tests.support.budgets import examples
from tests.support.requests import FAULT_RATES, RANDOMS, TABLE, Requests, near, send
from tests.support.words import check_as_before

# What only the stored item decides.
OF_THE_STORED_ITEM = (
    "The document path provided in the update expression is invalid for update",
    "An operand in the update expression has an incorrect data type",
    "The provided expression refers to an attribute that does not exist in the item",
    "Type mismatch for attribute to update",
)
# Where the emulator accepts what the service refuses.
ACCEPTED_BY_THE_EMULATOR = {
    # dynalite, whose authors recorded it of the service.
    "Type mismatch for Index Key": ("UpdateItem", "TransactWriteItems"),
    # "TransactWriteItems", API Reference: each item once; the emulator misses some pairs.
    "Transaction request cannot include multiple operations on one item": ("TransactWriteItems",),
    # "Update", API Reference: UpdateExpression is required.
    "updateExpression' failed to satisfy constraint: Member must not be null": (
        "TransactWriteItems",
    ),
    # The emulator checks these for single operations only.
    "Key attributes must be scalars": ("TransactWriteItems", "TransactGetItems", "BatchGetItem"),
}
# The emulator's words, and the service's, which are ours: as dynalite's authors recorded them, but
# for those of transactions, which dynalite does not have.
# Where several of ours stand for one of the emulator's, the service tells apart what it does not:
# it checks constraints before the rest, and types of keys with the table in view.
DIFFERENCES = {
    "A value provided cannot be converted into a number": "cannot be converted to a numeric value",
    "DynamoDB only supports precision up to 38 digits": "more than 38 significant digits|overflow",
    "contains duplicates": "Input collection .* contains duplicates",
    "The number of conditions on the keys is invalid": "The provided key element does not match",
    "One of the required keys was not given a value": "The provided key element|Missing the key",
    "Invalid attribute value type": "The provided key element|Type mismatch for",
    "Type mismatch for key": "The provided key element|Type mismatch for key",
    "Type mismatch for attribute to update": "The provided key element does not match the schema",
    "Exclusive Start Key must have same size": "The provided starting key is invalid",
    "The provided starting key does not match the range": "The provided starting key is outside|"
    "The query can return at most one row",
    "The query can return at most one row and cannot be restarted": "The provided starting key|"
    "does not match the schema|cannot contain an empty",
    "Return values set to invalid value": "ReturnValues can only be ALL_OLD or NONE",
    "Cannot have two attributes with the same name": "Duplicate value in attribute name",
    "Consistent read cannot be true when": "Consistent reads are not supported",
    "If total segments is specified": "The Segment parameter is required",
    "If segment is specified": "The TotalSegments parameter is required",
    "Comparison type does not exist": "comparisonOperator' failed to satisfy constraint",
    "Cannot have null key": "Value null at 'key'",
    "Get Condition for key": "key' failed to satisfy constraint",
    "Item to put in PutItem cannot be null": "Value null at 'item'",
    "The supplied Item contains a null": "failed to satisfy constraint: Member must not be null",
    "Write Condition for": "failed to satisfy constraint: Member must not be null",
    "Value null at 'transactItems": "Member must not be null|TransactItems can only contain one of",
    "must have some requests set": "at 'requestItems' failed to satisfy constraint",
    "cannot have a null or no requests set": "at 'requestItems' failed to satisfy constraint",
    "The list of keys in RequestItems": "keys' failed to satisfy constraint",
    "The batch write request list for a table": "Map value must satisfy constraint",
    "is not valid for": "AttributeValues inside AttributeValueList must be of same type",
    "STRING": "type S",
    # Ours leaves the value out.
    "Invalid attribute type name": "Invalid attribute type name",
    "Supplied AttributeValue is empty": "The supplied|Supplied|Member must",
}


@pytest.fixture
def local(dynamodb_local: Engine) -> Iterator[str]:
    client = boto3_client(dynamodb_local)
    client.create_table(**TABLE)
    yield dynamodb_local.endpoint_url
    client.delete_table(TableName="requests")


def fails_the_emulator(operation: str, body: dict[str, Any]) -> bool:
    """An update of nothing that asks what it updated; of a stored item, it answers status 500."""
    is_of_nothing = not body.keys() & {"UpdateExpression", "AttributeUpdates"}
    asks = body.get("ReturnValues") in ("UPDATED_OLD", "UPDATED_NEW")
    return operation == "UpdateItem" and is_of_nothing and asks


@pytest.mark.parametrize("return_values", ["UPDATED_OLD", "UPDATED_NEW"])
def test_emulator_fails_on_an_empty_update(local: str, return_values: str) -> None:
    """An update without actions is valid, though the emulator fails if values are returned."""
    # "UpdateItem", API Reference: neither member is required, and it may return these values.
    key = {"pk": {"S": "a"}, "sk": {"N": "1"}}
    body = {"TableName": "requests", "Key": key, "ReturnValues": return_values}

    assert fails_the_emulator("UpdateItem", body)
    assert send(local, "PutItem", {"TableName": "requests", "Item": key}) == ("", "")
    assert send(local, "UpdateItem", body)[0] == "InternalFailure"
    assert check_as_before("UpdateItem", body, schema={"requests": TABLE}) == ()


def emulator_accepts(operation: str, messages: list[str]) -> bool:
    return all(
        any(
            words in message and operation in operations
            for words, operations in ACCEPTED_BY_THE_EMULATOR.items()
        )
        for message in messages
    )


def same_words(theirs: str, ours: list[str]) -> bool:
    start = theirs.rstrip(";")
    if any(each.startswith(start) or theirs.startswith(each) for each in ours):
        return True
    patterns = [right for left, right in DIFFERENCES.items() if left in theirs]
    return any(re.search(words, each) for words in patterns for each in ours)


def test_generated_requests(local: str) -> None:
    """Generated requests have the engine's verdict, and at least 98% have its words."""
    counts: Counter[str] = Counter()
    different: list[Any] = []

    @settings(suppress_health_check=list(HealthCheck), max_examples=examples(4000))
    @given(random=RANDOMS)
    def run(random: Random) -> None:
        operation, body = Requests(random).make()
        code, theirs = send(local, operation, body)
        ours = [
            finding.message
            for finding in check_as_before(operation, body, schema={"requests": TABLE}, form="wire")
        ]
        if (
            "ConditionalCheckFailed" in code + theirs
            or (operation not in ("Query", "Scan") and theirs.startswith(OF_THE_STORED_ITEM))
            or (code == "InternalFailure" and fails_the_emulator(operation, body))
        ):
            counts["undecided"] += 1
        elif not code:
            counts["accepted"] += 1
            assert ours == [] or emulator_accepts(operation, ours), (operation, body, ours)
        else:
            counts["refused"] += 1
            assert ours, (operation, body, theirs)
            # The emulator's cancelled transactions, and its failures, have no words.
            if code in ("TransactionCanceledException", "InternalFailure"):
                counts["wordless"] += 1
            elif not same_words(theirs, ours):
                different.append((operation, body, theirs, ours))

    run()

    told = counts["refused"] - counts["wordless"]
    assert counts["accepted"] > 1000
    assert told > 1000
    assert len(different) <= 0.02 * told, different[:20]


# dynalite has never heard of these members of some operations.
NOT_IN_DYNALITE = {"ReturnValuesOnConditionCheckFailure", "ConsistentRead"}


def has_unknown_action(body: dict[str, Any]) -> bool:
    """An Action other than the three, which dynalite overlooks."""
    updates = body.get("AttributeUpdates")
    entries = updates.values() if isinstance(updates, dict) else ()
    actions = [each["Action"] for each in entries if isinstance(each, dict) and "Action" in each]
    return any(isinstance(each, str) and each not in ("ADD", "DELETE", "PUT") for each in actions)


def test_dynalite_accepts_an_unknown_action(dynalite: Engine) -> None:
    """An unknown action of a legacy update is refused, though dynalite does not check it."""
    # "AttributeValueUpdate", API Reference: ADD, PUT or DELETE.
    body = {
        "TableName": "requests",
        "Key": {"pk": {"S": "a"}},
        "AttributeUpdates": {"a": {"Action": "NOPE", "Value": {"S": "a"}}},
    }

    assert has_unknown_action(body)
    assert send(dynalite.endpoint_url, "UpdateItem", body)[0] == "ResourceNotFoundException"
    assert [each.code for each in check_as_before("UpdateItem", body)] == ["DYS105"]


def plain(message: str) -> str:
    """Without the attribute values, which our messages do not have."""
    return re.sub(r"Value '([{\[]).*?[}\]]' at", r"Value '\1' at", message)


# How dynalite differs from the service, member by member. All else has to be word for word.
# "GetItem", API Reference: the name of a table has at least one character; dynalite says three, as
# the service did before it took ARNs.
TOO_SHORT = re.compile(r"Value '.+' at 'tableName' .* length greater than or equal to 3")
SHORTEST_NAME = "at 'tableName' failed to satisfy constraint: Member must have length greater"
# It finds that an empty name breaks the pattern, before it finds that it is too short.
EMPTY_PATTERN = re.compile(r"Value '' at .* regular expression pattern")


def of_the_service(operation: str, theirs: str) -> str:
    """What the service says, where dynalite says this; empty if it says nothing."""
    _, detected, rest = plain(theirs).partition(" detected: ")
    if not detected:
        return theirs  # of the parser
    clauses = [
        each.replace("equal to 3", "equal to 1") if SHORTEST_NAME in each else each
        for each in rest.split("; ")
        if not (TOO_SHORT.match(each) or EMPTY_PATTERN.match(each))
    ]
    if not clauses:
        return ""
    errors = "errors" if len(clauses) > 1 else "error"
    return f"{len(clauses)} validation {errors} detected: {'; '.join(clauses)}"


def parts(message: str) -> list[str]:
    """How many errors, and each of them, in no order."""
    start, _, rest = message.partition(" detected: ")
    return [start, *sorted(rest.split("; "))]


def of_members(operation: str, body: Any) -> list[str]:
    """Our messages, in the words that dynalite's authors recorded."""
    report = Report(context=Context(is_wire=True, wording=wording(operation, HISTORY[0])))
    check_members(operation, body, report)
    return [plain(finding.message) for finding in report.findings]


def test_dynalite_has_another_order(dynalite: Engine) -> None:
    """The errors of RequestItems are the same ones, though dynalite puts them after the others."""
    keys = {"Keys": [], "ExpressionAttributeNames": {"requests": "a;"}}
    body = {"RequestItems": {"requests": keys}, "ReturnConsumedCapacity": ""}

    _, theirs = send(dynalite.endpoint_url, "BatchGetItem", body)
    (ours,) = of_members("BatchGetItem", body)

    assert ours != plain(theirs)
    assert parts(ours) == parts(plain(theirs))


def test_nearly_correct_requests_have_the_words(dynalite: Engine) -> None:
    """Requests that are nearly of their shape are refused in the service's words."""
    counts: Counter[str] = Counter()
    operations = [name for name in REQUESTS if not name.startswith("Transact")]

    @settings(suppress_health_check=list(HealthCheck), max_examples=examples(2000))
    @given(random=RANDOMS)
    def run(random: Random) -> None:
        operation = random.choice(operations)
        body = near(REQUESTS[operation], random, random.choice(FAULT_RATES))
        if not isinstance(body, dict) or NOT_IN_DYNALITE & body.keys():
            return
        if has_unknown_action(body):
            return
        code, theirs = send(dynalite.endpoint_url, operation, body)
        is_refused = code == "SerializationException" or " detected: " in theirs
        expected = of_the_service(operation, theirs) if is_refused else ""
        ours = of_members(operation, body)
        if operation == "BatchGetItem":
            # dynalite has the errors of RequestItems in another place than the service.
            ours = [expected if parts(each) == parts(expected) else each for each in ours]
            ours.sort(key=lambda each: each != expected)
        assert ours[:1] == ([expected] if expected else []), (operation, body, theirs)
        counts["refused" if expected else "accepted"] += 1

    run()

    assert counts["accepted"] > 300
    assert counts["refused"] > 500
