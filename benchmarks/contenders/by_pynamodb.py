"""PynamoDB, as far as the request: it has no async calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.operand import Path
from pynamodb.models import Model

from benchmarks.work import REGION, TABLE_NAME, Change, NewNames


class Person(Model):  # type: ignore[misc]
    class Meta:
        table_name = TABLE_NAME
        region = REGION

    id = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()
    email = UnicodeAttribute(null=True)
    visits = NumberAttribute(default=0)
    tags = UnicodeSetAttribute()


_connection = Person._get_connection()


def build(change: Change) -> Mapping[str, Any]:
    # As Model.update does it, up to where it sends.
    return _request(
        change.key,
        [
            Person.name.set(change.name),
            Person.visits.set((Person.visits | 0) + change.amount),
            Person.email.remove(),
            Person.tags.add(change.tags),
        ],
    )


def build_new(change: Change, names: NewNames) -> Mapping[str, Any]:
    visits = Path(names.visits)
    return _request(
        change.key,
        [
            Path(names.name).set(change.name),
            visits.set((visits | 0) + change.amount),
            Path(names.email).remove(),
            Path(names.tags).add(change.tags),
        ],
    )


def build_long(actions: int, turn: int) -> Mapping[str, Any]:
    sets = [Path(f"attribute{turn}_{index}").set(turn) for index in range(actions)]
    return _request("p1", sets)


def _request(key: str, actions: list[Any]) -> Mapping[str, Any]:
    request: Mapping[str, Any] = _connection.get_operation_kwargs(key, actions=actions)
    return request
