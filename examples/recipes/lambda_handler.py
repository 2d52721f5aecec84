"""AWS Lambda: a sync entry that keeps one event loop and one client over all invocations.

What it does: answers GET and PATCH of /people/{id} behind an HTTP API (payload format 2.0).

What it guarantees: the client is made at the first invocation of a process, is used by all later
ones, and is closed when the process ends in order (Lambda may end it without asking). A call ends
before the invocation's time does, so that the caller gets an answer in place of a timeout. An
update whose outcome is not known is told as such, and may be sent again, since it sets what it
names.

What it does not: keep connections alive while the process is frozen. The first call afterwards may
find them closed, which is why its request is repeated where that is safe.

The table: partition key `id`; its name is in the environment variable PEOPLE_TABLE. Set the
function's handler to `lambda_handler.handler`.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import os
from base64 import b64decode
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Protocol

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import (
    ConditionalCheckFailedError,
    DynasafeError,
    InvalidRequestError,
    InvalidValueError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    ThrottledError,
)

logger = logging.getLogger(__name__)

Connect = Callable[[], AbstractAsyncContextManager[AsyncDynamoDB]]

RESERVE_S = 0.5
"""What is left of the invocation's time for the answer."""


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str] = attribute(default="")
    email: Attr[str | None] = attribute(default=None)
    is_admin: Attr[bool] = attribute(default=False, patchable=False)


class Context(Protocol):
    """What is used of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int: ...


class Handler:
    """The entry. One event loop and one client, for as long as the process lives.

    Args:
        connect: makes the client, which is opened at the first invocation.
        table_name: of the people.
    """

    def __init__(self, connect: Connect, table_name: str) -> None:
        self._connect = connect
        self._table_name = table_name
        # asyncio.run() would make a loop for each invocation, and a client lives on one loop.
        self._runner = asyncio.Runner()
        self._exit_stack = AsyncExitStack()
        self._people: AsyncTable[Person] | None = None

    def __call__(self, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        remaining_s = context.get_remaining_time_in_millis() / 1000 - RESERVE_S
        if remaining_s <= 0:
            return answer(503, {"error": "no time is left"}, retry_after_s=1)
        return self._runner.run(self._answer(event, remaining_s))

    def close(self) -> None:
        """Close the client, and the loop after it."""
        with self._runner as runner:
            runner.run(self._exit_stack.aclose())

    async def _answer(self, event: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        if self._people is None:
            db = await self._exit_stack.enter_async_context(self._connect())
            self._people = db.table(self._table_name, Person)
        method = event["requestContext"]["http"]["method"]
        person_id = (event.get("pathParameters") or {}).get("id")
        if not person_id:
            return answer(404, {"error": "there is no such page"})
        try:
            match method:
                case "GET":
                    return await get(self._people, person_id, timeout_s)
                case "PATCH":
                    return await patch(self._people, person_id, body_of(event), timeout_s)
                case _:
                    return answer(405, {"error": f"{method} is not allowed"})
        except DynasafeError as error:
            return answer_of(error)


async def get(people: AsyncTable[Person], person_id: str, timeout_s: float) -> dict[str, Any]:
    person = await people.get_item({"id": person_id}, consistent_read=True, timeout_s=timeout_s)
    return answer(404, {"error": "there is no such person"}) if person is None else show(person)


async def patch(
    people: AsyncTable[Person], person_id: str, body: object, timeout_s: float
) -> dict[str, Any]:
    if not isinstance(body, dict) or ("name" in body and not body["name"]):
        return answer(422, {"error": "the body is a JSON object, and a name is not empty"})
    update = UpdateBuilder(Person).patch(body, none="remove")
    if update.is_empty:
        return await get(people, person_id, timeout_s)
    try:
        result = await people.update_item(
            {"id": person_id},
            update,
            condition=Person.id.exists(),
            return_values="ALL_NEW",
            timeout_s=timeout_s,
        )
    except ConditionalCheckFailedError:
        return answer(404, {"error": "there is no such person"})
    return show(result.attributes)


def body_of(event: Mapping[str, Any]) -> object:
    """What the body says, or None if it is not JSON."""
    body = event.get("body") or ""
    try:
        return json.loads(b64decode(body) if event.get("isBase64Encoded") else body)
    except ValueError:
        return None


def show(person: Person) -> dict[str, Any]:
    return answer(200, {"id": person.id, "name": person.name, "email": person.email})


def answer_of(error: DynasafeError) -> dict[str, Any]:
    """The answer to a call that failed. No message of dynasafe holds an attribute's value."""
    match error:
        case InvalidRequestError():
            return answer(422, {"error": [finding.message for finding in error.findings]})
        case InvalidValueError():
            return answer(422, {"error": str(error)})
        case ThrottledError():
            return answer(429, {"error": "too many requests"}, retry_after_s=1)
        case OutcomeUnknownError() | NoAnswerError():
            logger.warning("%s", error)
            return answer(504, {"error": "it is not known whether the change was made"})
        case NotSentError():
            logger.warning("%s", error)
            return answer(503, {"error": "not now"}, retry_after_s=1)
        case _:
            logger.error("%s", error)
            return answer(500, {"error": "the request was refused"})


def answer(status: int, body: object, *, retry_after_s: int | None = None) -> dict[str, Any]:
    headers = {"content-type": "application/json"}
    if retry_after_s is not None:
        headers["retry-after"] = str(retry_after_s)
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}


def open_database() -> AsyncDynamoDB:
    """Region and credentials come from Lambda's environment."""
    return AsyncDynamoDB.connect(max_connections=4, attempt_timeout_s=2.0)


handler = Handler(open_database, os.environ.get("PEOPLE_TABLE", "people"))
atexit.register(handler.close)
