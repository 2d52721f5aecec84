"""LangGraph's checkpoints on DynamoDB."""

from __future__ import annotations

from typing import Any

import boto3
from langgraph.checkpoint.base import empty_checkpoint
from langgraph_checkpoint_aws import DynamoDBSaver

from tests.third_party.scenario import REGION, Place, scenario


def saver(place: Place) -> Any:
    place.create_table(boto3.client("dynamodb", **place.options()), PK="S", SK="S")
    return DynamoDBSaver(place.table, region_name=REGION, endpoint_url=place.url)


def config(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}


@scenario("langgraph-checkpoint-aws")
def puts_and_lists(place: Place) -> Any:
    made = saver(place)
    checkpoint = {**empty_checkpoint(), "id": "1"}
    stored = made.put(config("t1"), checkpoint, {"source": "input", "step": 1}, {})
    made.put_writes(stored, [("channel", "value")], "task-1")
    found = made.get_tuple(config("t1"))
    return found.checkpoint["id"], found.pending_writes, len(list(made.list(config("t1"))))


@scenario("langgraph-checkpoint-aws")
def puts_many_writes(place: Place) -> Any:
    made = saver(place)
    checkpoint = {**empty_checkpoint(), "id": "1"}
    stored = made.put(config("t1"), checkpoint, {"source": "input", "step": 1}, {})
    made.put_writes(stored, [(f"channel-{n}", n) for n in range(40)], "task-1")
    return len(made.get_tuple(config("t1")).pending_writes)


@scenario("langgraph-checkpoint-aws")
def deletes_a_thread(place: Place) -> Any:
    made = saver(place)
    for number in "12":
        checkpoint = {**empty_checkpoint(), "id": number}
        made.put(config("t1"), checkpoint, {"source": "input", "step": 1}, {})
    made.delete_thread("t1")
    return made.get_tuple(config("t1"))
