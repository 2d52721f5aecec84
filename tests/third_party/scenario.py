"""Scenarios: what a package's user does, in a few lines, and returns."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scenario runs: the engine, and the name of a table that nobody else has."""

    url: str
    table: str

    def options(self) -> dict[str, Any]:
        """For clients that are made by hand."""
        return {"region_name": REGION, "endpoint_url": self.url}

    def create_table(self, client: Any, **types: str) -> None:
        """Make the table, whose key has these attributes, the partition key first."""
        client.create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": name, "KeyType": kind}
                for name, kind in zip(types, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": type_name}
                for name, type_name in types.items()
            ],
        )


Run = Callable[[Place], Any]
SCENARIOS: dict[str, dict[str, Run]] = {}
"""By the package's name on PyPI, and the scenario's."""


def scenario(package: str) -> Callable[[Run], Run]:
    """Make a function a scenario of a package; what it returns has to be the same each time."""

    def add(run: Run) -> Run:
        SCENARIOS.setdefault(package, {})[run.__name__] = run
        return run

    return add


def use_engine(url: str) -> None:
    """Clients that packages make themselves find the engine in the environment."""
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL_DYNAMODB": url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
