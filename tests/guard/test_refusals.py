"""Refusals in the classes that existing code has handlers for."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from dynasafe import guard
from dynasafe.errors import InvalidRequestError, NotSentError

OPTIONS = {
    "region_name": "us-east-1",
    "endpoint_url": "http://127.0.0.1:1",
    "aws_access_key_id": "a",
    "aws_secret_access_key": "b",
}
INVALID: dict[str, Any] = {
    "TableName": "people",
    "Key": {"id": {"S": "SECRET"}},
    "UpdateExpression": "SET email = :e, email = :e",
    "ExpressionAttributeValues": {":e": {"S": "SECRET"}},
}
PARAMETERS: dict[str, Any] = {"TableName": "people", "Item": {"id": "SECRET"}}


def refused(operation: str, params: dict[str, Any], **settings: Any) -> Any:
    client = guard(boto3.client("dynamodb", **OPTIONS), **settings)
    with pytest.raises(InvalidRequestError) as caught:
        getattr(client, operation)(**params)
    return caught.value


def test_refusal_is_a_client_error() -> None:
    """What the service would refuse is a ClientError with its code and words, and no request id."""
    error = refused("update_item", INVALID)

    assert isinstance(error, InvalidRequestError)
    assert isinstance(error, ClientError)
    assert not isinstance(error, BotoCoreError)
    assert error.operation_name == error.operation == "UpdateItem"
    assert error.response == {
        "Error": {"Code": "ValidationException", "Message": error.findings[0].message},
        "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}, "RetryAttempts": 0},
    }
    assert str(error).startswith(
        "An error occurred (ValidationException) when calling the UpdateItem operation: "
        f"{error.findings[0].message}\n"
    )
    assert "UpdateItem was not sent." in str(error)


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("put_item", PARAMETERS),
        ("put_item", {"TableName": "people"}),
        ("update_item", {**INVALID, "ExpressionAttributeNames": None}),
        ("get_item", {"TableName": "people", "Key": {"id": {"S": "a"}}, "Projection": "a"}),
    ],
    ids=["value", "missing", "none", "unknown"],
)
def test_refusal_is_a_parameter_error(operation: str, params: dict[str, Any]) -> None:
    """Where botocore itself would raise a ParamValidationError, the refusal is one."""
    error = refused(operation, params)

    assert isinstance(error, ParamValidationError)
    assert isinstance(error, NotSentError)
    assert not isinstance(error, ClientError)
    assert str(error).startswith("Parameter validation failed:\n")
    with pytest.raises(ParamValidationError):
        getattr(boto3.client("dynamodb", **OPTIONS), operation)(**params)


@pytest.mark.parametrize(
    ("operation", "params"), [("update_item", INVALID), ("put_item", PARAMETERS)]
)
def test_refusal_survives(operation: str, params: dict[str, Any]) -> None:
    """A pickled or copied refusal is equal, and its text has no attribute value."""
    error = refused(operation, params)

    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert again.findings == error.findings
        assert str(again) == str(error)
        assert vars(again) == vars(error)
    assert "SECRET" not in str(error)
    assert "SECRET" not in repr(error)


def test_refusal_of_dynasafe_alone() -> None:
    """With errors="dynasafe", no handler of botocore's errors swallows it."""
    for params in (INVALID, {**INVALID, "ExpressionAttributeNames": None}):
        error = refused("update_item", params, errors="dynasafe")

        assert type(error) is InvalidRequestError
