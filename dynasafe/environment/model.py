"""botocore's model of DynamoDB, for parameters that its client refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynasafe.findings.finding import Finding, Where


def shape_findings(params: Mapping[str, Any], shape: Any) -> list[Finding]:
    """botocore's findings, by place. Its own report quotes values."""
    from botocore.validate import ParamValidator

    return [
        Finding(
            code="DYS101",
            message=reason,
            where=Where(parameter=name.removeprefix(".") or "parameters"),
            fix="give the operation's members with the right types",
        )
        for reason, name, _ in ParamValidator().validate(params, shape)._errors
    ]
