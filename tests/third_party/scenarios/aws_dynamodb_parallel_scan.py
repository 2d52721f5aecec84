"""aws-dynamodb-parallel-scan: a paginator over segments."""

from __future__ import annotations

from typing import Any

import aws_dynamodb_parallel_scan
import boto3

from tests.third_party.scenario import Place, scenario


def pages(place: Place, **options: Any) -> Any:
    client = boto3.client("dynamodb", **place.options())
    place.create_table(client, id="S")
    for n in range(5):
        client.put_item(TableName=place.table, Item={"id": {"S": str(n)}, "n": {"N": str(n)}})
    paginator = aws_dynamodb_parallel_scan.get_paginator(client)
    return paginator.paginate(TableName=place.table, **options)


@scenario("aws-dynamodb-parallel-scan")
def scans(place: Place) -> Any:
    return sum(page["Count"] for page in pages(place, TotalSegments=2))


@scenario("aws-dynamodb-parallel-scan")
def scans_with_a_filter(place: Place) -> Any:
    options = {"FilterExpression": "n > :n", "ExpressionAttributeValues": {":n": {"N": "2"}}}
    return sum(page["Count"] for page in pages(place, TotalSegments=2, **options))


@scenario("aws-dynamodb-parallel-scan")
def scans_with_a_reserved_word(place: Place) -> Any:
    return [page["Items"] for page in pages(place, TotalSegments=1, ProjectionExpression="name")]
