"""Where the engines differ, which one is right, and why.

A test that meets a difference asks `lacks(engine, ...)`, and says what the engine does instead; so
a difference that goes away with a newer engine fails the test that knows of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from dynasafe.testing.engines import Engine, EngineName


@dataclass(frozen=True)
class Difference:
    engines: tuple[EngineName, ...]
    """Those that are wrong."""
    what: str
    right: str
    why: str


DIFFERENCES: dict[str, Difference] = {
    "refuses empty names": Difference(
        engines=("moto",),
        what="accepts ExpressionAttributeNames={}",
        right="dynalite, DynamoDB Local",
        why="the service refuses it; it was the incident that this library grew from",
    ),
    "transactions": Difference(
        engines=("dynalite",),
        what="UnknownOperationException for TransactWriteItems and TransactGetItems",
        right="moto, DynamoDB Local",
        why="dynalite has the API as of before 2018",
    ),
    "returns the old item of a failed condition": Difference(
        engines=("dynalite",),
        what="ignores ReturnValuesOnConditionCheckFailure, which came in 2023",
        right="moto, DynamoDB Local",
        why="'Handle conditional write errors in high concurrency scenarios', AWS blog, 2023",
    ),
    "reads the item as it was before the update": Difference(
        engines=("dynalite",),
        what="in `SET b = a REMOVE a[0]`, b becomes what the update leaves of a",
        right="DynamoDB Local",
        why="'Update expressions in DynamoDB': all operands are read before anything is written",
    ),
    "has no magic names": Difference(
        engines=("dynalite",),
        what="loses an attribute that is named __proto__",
        right="moto, DynamoDB Local",
        why="JavaScript gives this name a meaning of its own",
    ),
    "compares every type": Difference(
        engines=("dynalite",),
        what="IN and contains do not find empty strings, maps and lists",
        right="DynamoDB Local",
        why="'Condition and filter expressions': operands may be of any type",
    ),
    "projects in TransactGetItems": Difference(
        engines=("moto",),
        what="returns whole items, whatever ProjectionExpression says",
        right="DynamoDB Local",
        why="'TransactGetItems', API Reference: each Get has a ProjectionExpression",
    ),
    "recognises a repeated token": Difference(
        engines=("moto", "dynalite"),
        what="moto applies a transaction again under the same ClientRequestToken",
        right="DynamoDB Local",
        why="'Amazon DynamoDB Transactions: How it works', section 'Idempotency'",
    ),
}


def lacks(engine: Engine, ability: str) -> bool:
    return engine.name in DIFFERENCES[ability].engines
