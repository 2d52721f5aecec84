"""The exception that a request would end in."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynasafe import check_request
from dynasafe.validation import Form
from tests.support.requests import TABLE, Requests

S, N = {"S": "a"}, {"N": "1"}
KEY = {"pk": S, "sk": N}
LARGE = {"S": "x" * 409_600}
CANCELED, REFUSED = "TransactionCanceledException", "ValidationException"


def update(value: Any, name: str = "a", **key: Any) -> dict[str, Any]:
    return {
        "Update": {
            "Key": KEY | key,
            "UpdateExpression": f"SET {name} = :v",
            "ExpressionAttributeValues": {":v": value},
        }
    }


@pytest.mark.parametrize(
    ("entry", "code", "exception"),
    [
        ({"Put": {"Item": {"pk": S}}}, "DYS131", CANCELED),
        ({"Put": {"Item": KEY | {"pk": N}}}, "DYS136", CANCELED),
        ({"Put": {"Item": KEY | {"g": N}}}, "DYS136", CANCELED),
        ({"Put": {"Item": KEY | {"pk": {"S": ""}}}}, "DYS132", REFUSED),
        ({"Put": {"Item": KEY | {"g": {"S": ""}}}}, "DYS132", REFUSED),
        ({"Put": {"Item": KEY | {"a": LARGE}}}, "DYS135", REFUSED),
        ({"Put": {"Item": KEY | {"a": {"N": "x"}}}}, "DYS119", REFUSED),
        (update(S, pk=N), "DYS130", CANCELED),
        (update(S, extra=S), "DYS130", CANCELED),
        (update(S, pk={"S": ""}), "DYS132", REFUSED),
        (update(N, "g"), "DYS136", CANCELED),
        (update({"S": ""}, "g"), "DYS132", REFUSED),
        (update(S, "pk"), "DYS120", CANCELED),
        (update(LARGE), "DYS135", CANCELED),
        (update(S, "status"), "DYS215", REFUSED),
        ({"Delete": {"Key": {"pk": S}}}, "DYS130", CANCELED),
        ({"Delete": {"Key": KEY | {"pk": {"L": []}}}}, "DYS130", CANCELED),
        (
            {"ConditionCheck": {"Key": {"pk": S}, "ConditionExpression": "attribute_exists(a)"}},
            "DYS130",
            CANCELED,
        ),
    ],
)
def test_transaction(entry: dict[str, Any], code: str, exception: str) -> None:
    """What is found while a transaction runs cancels it, and names the entry; the rest does not."""
    ((action, part),) = entry.items()
    fine = {"Put": {"TableName": "requests", "Item": KEY | {"pk": {"S": "other"}}}}
    entries = [fine, {action: {"TableName": "requests", **part}}]

    for schema in (TABLE, {"requests": TABLE}):
        findings = check_request("TransactWriteItems", {"TransactItems": entries}, schema=schema)
        index = 1 if exception == CANCELED else None
        found = {(each.code, each.exception, each.reason_index) for each in findings}
        assert found == {(code, exception, index)}  # of each of two indexes


def test_transaction_that_reads() -> None:
    """The key of a read cancels as well, with the index of each."""
    gets = [{"Get": {"TableName": "requests", "Key": key}} for key in (KEY, {}, {"pk": S})]

    findings = check_request("TransactGetItems", {"TransactItems": gets}, schema=TABLE)

    assert [(each.exception, each.reason_index) for each in findings] == [
        (CANCELED, 1),
        (CANCELED, 2),
    ]


def test_refusal_comes_before_cancellation() -> None:
    """An empty key of a later entry comes before a mismatch of an earlier one."""
    entries = [{"Delete": {"TableName": "requests", "Key": key}} for key in ({}, KEY | {"sk": N})]
    entries[1]["Delete"]["Key"] = {"pk": {"S": ""}, "sk": N}

    findings = check_request("TransactWriteItems", {"TransactItems": entries}, schema=TABLE)

    assert [each.code for each in findings] == ["DYS132", "DYS130"]


def test_outside_of_a_transaction() -> None:
    """A finding outside of a transaction is a ValidationException, in a batch too."""
    put = {"PutRequest": {"Item": {"pk": S}}}
    for operation, params in (
        ("DeleteItem", {"TableName": "requests", "Key": {"pk": S}}),
        ("BatchWriteItem", {"RequestItems": {"requests": [put]}}),
    ):
        (finding,) = check_request(operation, params, schema=TABLE)
        assert (finding.exception, finding.reason_index) == (REFUSED, None)


@pytest.mark.parametrize(
    ("form", "params", "exception"),
    [
        ("wire", {"Key": {"pk": {"S": 1}}}, "SerializationException"),
        ("client", {"Key": {"pk": {"S": 1}}}, "ParamValidationError"),
        ("wire", {"Key": "a"}, "SerializationException"),
        ("client", {"Key": "a"}, "ParamValidationError"),
        ("wire", {}, "ValidationException"),
        ("client", {}, "ParamValidationError"),
        ("client", {"Key": {"pk": S}, "Nope": 1}, "ParamValidationError"),
        ("client", {"Key": {"pk": S}, "ConsistentRead": None}, "ParamValidationError"),
        ("client", {"Key": {"pk": S}, "ReturnConsumedCapacity": "X"}, "ValidationException"),
        ("resource", {"Key": {"pk": 1.5}}, "TypeError"),
        ("resource", {"Key": {"pk": ""}}, "ValidationException"),
    ],
)
def test_forms(form: Form, params: dict[str, Any], exception: str) -> None:
    """The exception of a finding depends on the form: boto3 refuses a wrong type by itself."""
    findings = check_request("GetItem", {"TableName": "table", **params}, form=form)

    assert findings[0].exception == exception


@cache
def shape_of(operation: str) -> Any:
    client = boto3.client(
        "dynamodb", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    return client.meta.service_model.operation_model(operation).input_shape


@settings(suppress_health_check=list(HealthCheck), max_examples=300)
@given(random=st.randoms(use_true_random=False))
def test_what_botocore_refuses(random: Random) -> None:
    """Where botocore refuses a request, and only there, a finding says ParamValidationError."""
    operation, body = Requests(random).make()

    found = {each.exception for each in check_request(operation, body, form="client")}

    is_refused = ParamValidator().validate(body, shape_of(operation)).has_errors()
    assert ("ParamValidationError" in found) is is_refused
