"""The cost of the guard: the CPU time of boto3 with it, as a multiple of boto3 without it.

    python -m benchmarks.guard_overhead

Both send their requests to a server on loopback, in a process of its own, that answers at once.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.stub_server import stub_server
from benchmarks.work import REGION
from dynasafe import guard

ROUNDS = 41
"""Many short rounds: other work on the machine disturbs some rounds, and rarely most of them."""
CREDENTIALS = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
KEY = {"id": {"S": "p1"}}
SMALL = {"M": {"name": {"S": "x" * 20}, "count": {"N": "12"}, "on": {"BOOL": True}}}
CALLS: dict[str, tuple[str, dict[str, Any], int]] = {
    "get_item": ("get_item", {"TableName": "people", "Key": KEY}, 50),
    "put_item": (
        "put_item",
        {
            "TableName": "people",
            "Item": {**KEY, "name": {"S": "Ada"}, "visits": {"N": "3"}, "tags": {"SS": ["a", "b"]}},
        },
        50,
    ),
    "update_item": (
        "update_item",
        {
            "TableName": "people",
            "Key": KEY,
            "UpdateExpression": "SET #name = :name, email = :email ADD visits :one",
            "ConditionExpression": "attribute_exists(id)",
            "ExpressionAttributeNames": {"#name": "name"},
            "ExpressionAttributeValues": {
                ":name": {"S": "Ada"},
                ":email": {"S": "ada@example.org"},
                ":one": {"N": "1"},
            },
        },
        50,
    ),
    "query": (
        "query",
        {
            "TableName": "people",
            "KeyConditionExpression": "id = :id AND turn > :turn",
            "ExpressionAttributeValues": {":id": {"S": "p1"}, ":turn": {"N": "3"}},
        },
        3,
    ),
    "batch_write_item of 25": (
        "batch_write_item",
        {
            "RequestItems": {
                "people": [
                    {"PutRequest": {"Item": {"id": {"S": f"p{n}"}, "visits": {"N": str(n)}}}}
                    for n in range(25)
                ]
            }
        },
        25,
    ),
    "transact_write_items of 10": (
        "transact_write_items",
        {
            "TransactItems": [
                {"Put": {"TableName": "people", "Item": {"id": {"S": f"p{n}"}}}} for n in range(10)
            ]
        },
        25,
    ),
    "put_item of 800 small maps": (
        "put_item",
        {"TableName": "people", "Item": {**KEY, "maps": {"L": [SMALL] * 800}}},
        5,
    ),
}
MOST_OF_ONE_ITEM = 1.05
MOST = {
    "batch_write_item of 25": 1.15,
    "transact_write_items of 10": 1.15,
    "put_item of 800 small maps": 1.5,
}


def client(url: str) -> Any:
    import boto3

    return boto3.client("dynamodb", region_name=REGION, endpoint_url=url, **CREDENTIALS)


def cpu_s(call: Callable[..., object], params: dict[str, Any], count: int) -> float:
    started = time.process_time()
    for _ in range(count):
        call(**params)
    return time.process_time() - started


def ratios(url: str, rounds: int = ROUNDS) -> dict[str, float]:
    """By call: the median ratio with and without the guard, over rounds that run in turns."""
    plain, guarded = client(url), guard(client(url))
    found = {}
    for name, (method, params, count) in CALLS.items():
        calls = getattr(plain, method), getattr(guarded, method)
        for call in calls:
            cpu_s(call, params, count)
        found[name] = statistics.median(
            _ratio(*calls, params, count, is_guarded_first=bool(number % 2))
            for number in range(rounds)
        )
    return found


def _ratio(
    plain: Callable[..., object],
    guarded: Callable[..., object],
    params: dict[str, Any],
    count: int,
    *,
    is_guarded_first: bool,
) -> float:
    """Of one round: each goes first as often as the other."""
    if is_guarded_first:
        after_s = cpu_s(guarded, params, count)
        return after_s / cpu_s(plain, params, count)
    before_s = cpu_s(plain, params, count)
    return cpu_s(guarded, params, count) / before_s


def main() -> None:
    with stub_server() as url:
        for name, ratio in ratios(url).items():
            print(f"{name}: {ratio:.3f} x, at most {MOST.get(name, MOST_OF_ONE_ITEM)} x wanted")


if __name__ == "__main__":
    main()
