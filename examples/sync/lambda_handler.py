"""AWS Lambda without an event loop: PATCH of a person's name, behind an HTTP API.

One client serves all invocations of a process. It is opened when the module is loaded, and its idle
connections are looked at before they are used: Lambda freezes the process between invocations.

A call ends before the invocation's time does, so that the caller gets an answer. A change that may
have been made is answered as unknown.

Set the function's handler to `examples.sync.lambda_handler.handler`, and PEOPLE_TABLE.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Protocol

from dynasafe import DynamoDB, Table, UpdateBuilder
from dynasafe.errors import InvalidPatchError, NotSentError, OutcomeUnknownError, ThrottledError
from examples.sync.people import Person

RESERVE_S = 0.5
"""The part of the invocation's time that is kept for the answer."""


class Context(Protocol):
    """The used parts of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int: ...


def rename(
    people: Table[Person], event: Mapping[str, Any], context: Context
) -> Mapping[str, object]:
    """The answer to one request."""
    try:
        change = json.loads(event.get("body") or "")
        update = UpdateBuilder(Person).patch(change, allow={"name"})
    except InvalidPatchError as error:
        return _answer(422, {"problems": dict(error.problems)})
    except ValueError:
        return _answer(422, {"problem": "the body is not JSON"})
    left_s = context.get_remaining_time_in_millis() / 1000 - RESERVE_S
    try:
        result = people.update_item(
            {"id": event["pathParameters"]["id"]},
            update.condition(Person.id.exists()),
            return_values="ALL_NEW",
            timeout_s=max(left_s, 0.1),
        )
    except OutcomeUnknownError:
        return _answer(504, {"problem": "the change may have been made: read it again"})
    except (NotSentError, ThrottledError):
        return _answer(503, {"problem": "try again"})
    return _answer(200, {"id": result.attributes.id, "name": result.attributes.name})


def _answer(status: int, body: object) -> Mapping[str, object]:
    return {"statusCode": status, "body": json.dumps(body)}


def open_database() -> DynamoDB:
    """Of the function's own region and credentials."""
    return DynamoDB.connect(max_connections=1).open()


_people: Table[Person] | None = None
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _people = open_database().table(os.environ["PEOPLE_TABLE"], Person)


def handler(event: Mapping[str, Any], context: Context) -> Mapping[str, object]:
    """Lambda's entry."""
    assert _people is not None
    return rename(_people, event, context)
