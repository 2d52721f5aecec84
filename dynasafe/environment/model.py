"""botocore's model of DynamoDB, for parameters that `check_request` does not look at.

Blocking: the model is read once, which takes some 50 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from dynasafe.findings.finding import Finding, Where


def model_findings(operation: str, params: Mapping[str, Any]) -> list[Finding]:
    """botocore's findings, by their places: its own report quotes the values.

    An operation that the installed botocore does not know has none.
    """
    from botocore.model import OperationNotFoundError

    try:
        shape = _service_model().operation_model(operation).input_shape
    except OperationNotFoundError:
        return []
    return shape_findings(params, shape)


def shape_findings(params: Mapping[str, Any], shape: Any) -> list[Finding]:
    """What does not fit a shape of botocore's model."""
    from botocore.validate import ParamValidator

    return [
        Finding(
            code="DYS101",
            message=reason,
            where=Where(parameter=name.removeprefix(".") or "parameters"),
            fix="give the members that the operation has, each of its type",
        )
        for reason, name, _ in ParamValidator().validate(params, shape)._errors
    ]


@cache
def _service_model() -> Any:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("dynamodb", "service-2"))
