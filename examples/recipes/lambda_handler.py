"""AWS Lambda: a sync entry that keeps one event loop and one client over all invocations.

What it does: answers GET and PATCH of /people/{id} behind an HTTP API (payload format 2.0) with a
JWT authorizer, to each person about themselves.

Threat model: Any caller with a valid token sends any body to any id. Lambda starts the process
cold, freezes it, or stops it when its time is over.

What it guarantees:
- Without claims of the authorizer the answer is 401, and about another person it is 403.
- One client serves all invocations of a process; it is opened when the module is loaded.
- An answer is given before the invocation's time ends, whatever hangs: a cold start, connecting,
  DynamoDB.
- A body that is malformed, too long or too deep is answered with 422, and changes nothing.
- What is wrong on our side (a missing setting, a wrong table name) is answered with 500 and logged,
  and never blamed on the caller.
- A change that may have been made is answered as unknown; a read never says that.
- No answer and no log has an attribute's value.

What it leaves to you: the authorizer, an IAM policy of GetItem and UpdateItem on the one table, and
keeping connections: Lambda freezes the process between invocations. The first call afterwards may
find them closed, which is why a request is repeated where that is safe.

The table: partition key `id`; its name is in the environment variable PEOPLE_TABLE, the region in
AWS_REGION, which Lambda sets. Set the function's handler to `lambda_handler.handler`. Needs `pip
install dynasafe`; `python lambda_handler.py` runs it in memory.
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
from typing import Any, Protocol, TypeGuard

from dynasafe import (
    AsyncDynamoDB,
    AsyncTable,
    Attr,
    Item,
    UpdateBuilder,
    attribute,
    retry_conflicts,
)
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
"""The part of the invocation's time that is kept for the answer."""
INIT_S = 5.0
"""How long the first connection may take while the module is loaded; Lambda allows 10 s."""
MAX_BODY_LENGTH = 65_536
MAX_ID_LENGTH = 128


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    name: Attr[str] = attribute(default="")
    email: Attr[str | None] = attribute(default=None)
    is_admin: Attr[bool] = attribute(default=False, patchable=False)


TABLES: dict[str, type[Item]] = {"people": Person}


class Context(Protocol):
    """The used parts of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int: ...


class BadBodyError(Exception):
    """What the caller sent cannot be used. The message may be shown to them."""


class SettingMissingError(Exception):
    """An environment variable is not set."""

    def __str__(self) -> str:
        return f"The environment variable {self.args[0]} is not set. Fix: set it."


class Handler:
    """The entry. One event loop and one client, for as long as the process lives.

    Args:
        connect: makes the client.
        table_name: of the people.
    """

    def __init__(self, connect: Connect, table_name: str) -> None:
        self._connect = connect
        self._table_name = table_name
        # asyncio.run() would make a loop for each invocation, and a client lives on one loop.
        self._runner = asyncio.Runner()
        self._exit_stack = AsyncExitStack()
        self._people: AsyncTable[Person] | None = None

    def open(self) -> None:
        """Connect while the module is loaded, which Lambda does not count. A failure is logged,
        and connecting is tried again at the next invocation."""
        self._runner.run(self._open_early())

    def __call__(self, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        remaining_s = context.get_remaining_time_in_millis() / 1000 - RESERVE_S
        if remaining_s <= 0:
            return answer(503, {"error": "No time is left."}, retry_after_s=1)
        return self._runner.run(self._answer(event, remaining_s))

    def close(self) -> None:
        """Close the client, and the loop after it."""
        with self._runner as runner:
            runner.run(self._exit_stack.aclose())

    async def _open_early(self) -> None:
        try:
            async with asyncio.timeout(INIT_S):
                await self._open()
        except (DynasafeError, SettingMissingError, TimeoutError, OSError) as error:
            logger.error("Not connected yet: %s: %s", type(error).__name__, error)

    async def _open(self) -> AsyncTable[Person]:
        if self._people is None:
            db = await self._exit_stack.enter_async_context(self._connect())
            self._people = db.table(self._table_name, Person)
        return self._people

    async def _answer(self, event: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        # One moment for all that follows. Each call ends a little before it, to know how it ended.
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + timeout_s
        is_read = method_of(event) == "GET"
        try:
            async with asyncio.timeout_at(deadline_s):
                people = await self._open()
                return await serve(event, people, (deadline_s - loop.time()) * 9 / 10)
        except BadBodyError as error:
            return answer(422, {"error": str(error)})
        except TimeoutError:
            logger.error("no answer in time")
            return no_answer(is_read=is_read)
        except SettingMissingError as error:
            logger.error("%s", error)
            return answer(500, {"error": "The service is not set up."})
        except DynasafeError as error:
            return answer_of(error, is_read=is_read)


async def serve(
    event: Mapping[str, Any], people: AsyncTable[Person], timeout_s: float
) -> dict[str, Any]:
    method = method_of(event)
    person_id = (event.get("pathParameters") or {}).get("id")
    caller_id = caller_of(event)
    if caller_id is None:
        return answer(401, {"error": "Sign in first."})
    if not is_id(person_id):
        return answer(404, {"error": "There is no such page."})
    if person_id != caller_id:
        return answer(403, {"error": "This is not you."})
    match method:
        case "GET":
            return await get(people, person_id, timeout_s)
        case "PATCH":
            return await patch(people, person_id, body_of(event), timeout_s)
        case _:
            return answer(405, {"error": f"{method} is not allowed."})


def is_id(given: object) -> TypeGuard[str]:
    return isinstance(given, str) and 0 < len(given) <= MAX_ID_LENGTH and given.isprintable()


def method_of(event: Mapping[str, Any]) -> str:
    method: str = event["requestContext"]["http"]["method"]
    return method


def caller_of(event: Mapping[str, Any]) -> str | None:
    """Who the JWT authorizer says is calling. Never take it from a header or the body."""
    match event["requestContext"].get("authorizer"):
        case {"jwt": {"claims": {"sub": str(subject)}}} if subject:
            return subject
    return None


async def get(people: AsyncTable[Person], person_id: str, timeout_s: float) -> dict[str, Any]:
    person = await people.get_item({"id": person_id}, consistent_read=True, timeout_s=timeout_s)
    return answer(404, {"error": "There is no such person."}) if person is None else show(person)


async def patch(
    people: AsyncTable[Person], person_id: str, body: object, timeout_s: float
) -> dict[str, Any]:
    if not isinstance(body, dict) or ("name" in body and not body["name"]):
        raise BadBodyError("The body is a JSON object, and a name is not empty.")
    try:
        update = UpdateBuilder(Person).patch(body, none="remove")
    except InvalidRequestError as error:
        raise BadBodyError(" ".join(finding.message for finding in error.findings)) from error
    except InvalidValueError as error:
        raise BadBodyError(str(error)) from error
    if update.is_empty:
        return await get(people, person_id, timeout_s)
    update.condition(Person.id.exists())
    try:
        result = await retry_conflicts(
            lambda: people.update_item(
                {"id": person_id}, update, return_values="ALL_NEW", timeout_s=timeout_s
            )
        )
    except ConditionalCheckFailedError:
        return answer(404, {"error": "There is no such person."})
    return show(result.attributes)


def body_of(event: Mapping[str, Any]) -> object:
    """The contents of the body.

    Raises:
        BadBodyError: it is not JSON, or too long.
    """
    body = event.get("body") or ""
    if len(body) > MAX_BODY_LENGTH:
        raise BadBodyError("The body is too long.")
    try:
        return json.loads(b64decode(body) if event.get("isBase64Encoded") else body)
    except (ValueError, RecursionError) as error:  # RecursionError: thousands of brackets
        raise BadBodyError("The body is not JSON.") from error


def show(person: Person) -> dict[str, Any]:
    return answer(200, {"id": person.id, "name": person.name, "email": person.email})


def answer_of(error: DynasafeError, *, is_read: bool) -> dict[str, Any]:
    """The answer to a call that failed. No message of dynasafe holds an attribute's value."""
    match error:
        case ThrottledError():
            logger.warning("%s", error)
            return answer(503, {"error": "Too many requests."}, retry_after_s=1)
        case OutcomeUnknownError() | NoAnswerError():
            logger.warning("%s", error)
            return no_answer(is_read=is_read)
        case InvalidRequestError() | InvalidValueError():
            # The caller's part was checked before: this request is our own mistake.
            logger.error("%s", error)
            return answer(500, {"error": "The request was refused."})
        case NotSentError():
            logger.warning("%s", error)
            return answer(503, {"error": "Not now."}, retry_after_s=1)
        case _:
            logger.error("%s", error)
            return answer(500, {"error": "The request was refused."})


def no_answer(*, is_read: bool) -> dict[str, Any]:
    if is_read:
        return answer(504, {"error": "There was no answer. Fix: read again."}, retry_after_s=1)
    return answer(504, {"error": "It is not known whether the change was made. Fix: read it."})


def answer(status: int, body: object, *, retry_after_s: int | None = None) -> dict[str, Any]:
    headers = {"content-type": "application/json"}
    if retry_after_s is not None:
        headers["retry-after"] = str(retry_after_s)
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}


def open_database() -> AsyncDynamoDB:
    """Credentials come from Lambda's environment, and the region too."""
    region_name = os.environ.get("AWS_REGION")
    if not region_name:
        raise SettingMissingError("AWS_REGION")
    return AsyncDynamoDB.connect(region_name=region_name, max_connections=4, attempt_timeout_s=2.0)


handler = Handler(open_database, os.environ.get("PEOPLE_TABLE", "people"))
atexit.register(handler.close)
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    handler.open()


def main() -> None:
    """Invoke it, on a table in memory."""
    from dynasafe.testing import fake_database

    class Invocation:
        def get_remaining_time_in_millis(self) -> int:
            return 3000

    in_memory = Handler(lambda: fake_database(people=Person), "people")
    for claims in ({}, {"sub": "p1"}):
        context = {"http": {"method": "GET"}, "authorizer": {"jwt": {"claims": claims}}}
        event = {"requestContext": context, "pathParameters": {"id": "p1"}}
        print(in_memory(event, Invocation()))
    in_memory.close()


if __name__ == "__main__":
    main()
