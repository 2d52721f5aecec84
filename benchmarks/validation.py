"""What check_request costs, beside building the request that it checks.

    python -m benchmarks.validation --fast

All figures are of one run, so that their ratios mean something on any machine.
"""

from __future__ import annotations

from typing import Any

import pyperf

from dynasafe import Attr, Item, UpdateBuilder, attribute, check_request
from dynasafe.attribute_value import to_attribute_map


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str]
    email: Attr[str | None] = attribute(default=None)
    visits: Attr[int] = attribute(default=0)
    tags: Attr[set[str]] = attribute(default_factory=set)


def build() -> dict[str, Any]:
    return (
        UpdateBuilder(Person)
        .set(Person.name, "Ada")
        .increment(Person.visits, 1)
        .add(Person.tags, {"new"})
        .remove(Person.email)
        .build_client(table_name="people", key={"id": "p1"})
    )


UPDATE = build()
PUT = {
    "TableName": "people",
    "Item": to_attribute_map(
        {
            "id": "p1",
            "name": "Ada",
            "scores": list(range(10)),
            "address": {"city": "London", "lines": ["a", "b"], "geo": {"lat": 1, "lon": 2}},
        }
    ),
}
GET = {"TableName": "people", "Key": {"id": {"S": "p1"}}}


def main() -> None:
    runner = pyperf.Runner()
    runner.bench_func("build an update of four actions", build)
    runner.bench_func("check that update", check_request, "UpdateItem", UPDATE)
    runner.bench_func("check a put of a nested item", check_request, "PutItem", PUT)
    runner.bench_func("check a get", check_request, "GetItem", GET)


if __name__ == "__main__":
    main()
