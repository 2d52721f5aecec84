"""PyDynamoDB: PartiQL through the interface of Python's databases."""

from __future__ import annotations

from typing import Any

import boto3
from pydynamodb import connect

from tests.third_party.scenario import Place, scenario


def cursor(place: Place) -> Any:
    place.create_table(boto3.client("dynamodb", **place.options()), id="S")
    return connect(
        region_name="us-east-1",
        endpoint_url=place.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    ).cursor()


@scenario("pydynamodb")
def inserts_and_selects(place: Place) -> Any:
    made = cursor(place)
    made.execute(f"INSERT INTO \"{place.table}\" VALUE {{'id': ?, 'n': ?}}", ["a", 3])
    made.execute(f'SELECT id, n FROM "{place.table}" WHERE id = ?', ["a"])
    return made.fetchall()


@scenario("pydynamodb")
def selects_without_a_parameter(place: Place) -> Any:
    made = cursor(place)
    made.execute(f'SELECT id FROM "{place.table}" WHERE id = ?')
    return made.fetchall()


@scenario("pydynamodb")
def inserts_one_item_twice(place: Place) -> Any:
    made = cursor(place)
    for _ in range(2):
        made.execute(f"INSERT INTO \"{place.table}\" VALUE {{'id': ?}}", ["a"])
