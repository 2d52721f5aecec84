"""Celery's result backend, which stores each result as text for B."""

from __future__ import annotations

from typing import Any

from celery import Celery

from tests.third_party.scenario import Place, scenario


def backend(place: Place) -> Any:
    app = Celery("app", backend=f"dynamodb://@us-east-1/{place.table}?read=1&write=1")
    app.conf.update(dynamodb_endpoint_url=place.url)
    made: Any = app.backend
    made.endpoint_url = place.url
    return made


@scenario("celery")
def stores_a_result(place: Place) -> Any:
    made = backend(place)
    made.store_result("task-1", {"total": 3}, "SUCCESS")
    return made.get_result("task-1"), made.get_state("task-1")


@scenario("celery")
def forgets(place: Place) -> Any:
    made = backend(place)
    made.store_result("task-1", "x" * 1000, "SUCCESS")
    made.forget("task-1")
    return made.get_state("task-1")


@scenario("celery")
def counts(place: Place) -> Any:
    made = backend(place)
    made.client.put_item(**made._prepare_init_count_request(str(b"chord-1")))
    return [made.incr(b"chord-1") for _ in range(2)]


@scenario("celery")
def stores_what_is_too_large(place: Place) -> Any:
    return backend(place).store_result("task-1", "x" * 450_000, "SUCCESS")


@scenario("celery")
def stores_under_no_key(place: Place) -> Any:
    return backend(place).set("", "x")
