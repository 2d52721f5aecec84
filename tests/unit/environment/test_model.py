"""botocore's model, for parameters that its client refuses."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import Session

from dynasafe.environment.model import shape_findings

ARN = "arn:aws:dynamodb:us-east-1:1:table/t"


@pytest.mark.parametrize(
    ("params", "places"),
    [
        ({"ResourceArn": ARN, "Tags": [{"Key": "a", "Value": "b"}]}, []),
        ({"ResourceArn": ARN, "Tags": [{"Key": "a", "Value": 3}]}, ["Tags[0].Value"]),
        ({}, ["parameters", "parameters"]),
    ],
)
def test_findings(params: dict[str, Any], places: list[str]) -> None:
    """Values that do not fit the model are found by place."""
    model: Any = Session().get_service_model("dynamodb").operation_model("TagResource")
    assert [each.where.parameter for each in shape_findings(params, model.input_shape)] == places
