"""How each call ends: with one event, within its time, and with the number of its requests."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import DynasafeError, NotSentError
from dynasafe.events import CallFailed, CallStarted, CallSucceeded, Event
from dynasafe.testing import (
    ManualClock,
    ScriptedTransport,
    condition_failed,
    ok,
    refused,
    timed_out,
)
from dynasafe.testing.scripted import Reply, ScriptedCall

KEY = {"id": "p1"}


class Person(Item):
    id: Attr[str] = attribute(key="partition")
    visits: Attr[int] = attribute(default=0)
    version: Attr[int] = attribute(default=0, version=True)


STORED = {"id": {"S": "p1"}, "visits": {"N": "3"}, "version": {"N": "9"}}


def increment() -> UpdateBuilder[Person]:
    return UpdateBuilder(Person).increment(Person.visits, 1)


Call = Callable[[AsyncTable[Person]], Any]

ENDS: dict[str, tuple[list[Reply], Call, int]] = {
    "InvalidRequestError": (
        [],
        lambda table: table.query(Person.visits == 3).to_list(),
        0,
    ),
    "EmptyUpdateError": ([], lambda table: table.update_item(KEY, UpdateBuilder(Person)), 0),
    "StoredValueError": (
        [ok({"Item": {"id": {"S": "p1"}, "visits": {"S": "many"}}})],
        lambda table: table.get_item(KEY),
        1,
    ),
    "VersionConflictError": (
        [condition_failed(STORED)],
        lambda table: table.put_item(Person(id="p1", version=4)),
        1,
    ),
    "ConditionalCheckFailedError": (
        [condition_failed(STORED)],
        lambda table: table.delete_item(KEY, condition=Person.visits > 10),
        1,
    ),
    "OutcomeUnknownError": (
        [ok(), refused("AccessDeniedException")],
        lambda table: table.update_item(
            KEY, increment(), exactly_once=True, return_values="ALL_NEW"
        ),
        2,
    ),
}


@pytest.mark.parametrize("error", ENDS)
async def test_raising_call_has_one_end(error: str) -> None:
    """A call that raises has one CallFailed event, also if nothing was sent."""
    replies, call, attempts = ENDS[error]
    events: list[Event] = []
    with ScriptedTransport(replies) as transport:
        table = AsyncTable("people", Person, transport=transport, hooks=[events.append])
        with pytest.raises(DynasafeError) as caught:
            await call(table)

    assert type(caught.value).__name__ == error
    ends = [each for each in events if isinstance(each, CallFailed | CallSucceeded)]
    assert [(type(each), each.attempts) for each in ends] == [(CallFailed, attempts)]
    assert isinstance(ends[0], CallFailed)
    assert ends[0].error == error
    assert [type(each) for each in events].count(CallStarted) == 1


async def test_call_on_a_closed_client_has_one_end() -> None:
    """A call on a closed client has one event for its end, with ClientClosedError."""
    events: list[Event] = []
    db = AsyncDynamoDB.over(ScriptedTransport(), hooks=[events.append])
    await db.aclose()
    with pytest.raises(DynasafeError):
        await db.table("people", Person).get_item(KEY)
    ends = [each for each in events if isinstance(each, CallFailed | CallSucceeded)]
    assert [getattr(each, "error", None) for each in ends] == ["ClientClosedError"]


async def test_reading_back_has_the_time_that_is_left() -> None:
    """ALL_NEW of a transaction is a second request: it gets what is left of `timeout_s`."""
    clock = ManualClock()

    def written(call: ScriptedCall) -> Any:
        clock.advance(0.7)
        return ok()

    transport = ScriptedTransport([written, ok({"Item": STORED})])
    table = AsyncTable("people", Person, transport=transport, clock=clock, timeout_s=1.0)

    await table.update_item(KEY, increment(), exactly_once=True, return_values="ALL_NEW")

    assert [call.operation for call in transport.calls] == ["TransactWriteItems", "GetItem"]
    assert transport.calls[1].timeout_s == pytest.approx(0.3)


async def test_attempts_counts_every_request() -> None:
    """`attempts` counts repeats, and the read of ALL_NEW after a transaction."""
    transport = ScriptedTransport([timed_out(), ok(), ok({"Item": STORED})])
    table = AsyncTable("people", Person, transport=transport, clock=ManualClock())

    result = await table.update_item(KEY, increment(), exactly_once=True, return_values="ALL_NEW")

    assert result.attempts == len(transport.calls) == 3


@pytest.mark.parametrize(
    "options",
    [
        {"exclusive_start_key": {}},
        {"index_name": ""},
        {"projection": []},
        {"filter": None, "exclusive_start_key": None, "index_name": None, "projection": None},
    ],
)
async def test_no_empty_member_without_validation(options: dict[str, Any]) -> None:
    """With `validate=False`, too, empty members are left out of the request."""
    transport = ScriptedTransport(otherwise=ok({"Items": []}))
    table = AsyncTable("people", Person, transport=transport, validate=False)

    with suppress(NotSentError):
        await table.query(Person.id == "p1", **options).to_list()

    sent = [value for call in transport.calls for value in call.params.values()]
    assert [each for each in sent if each in (None, "", {}, [])] == []


async def test_connections_are_a_setting_of_the_client() -> None:
    """max_connections is an option of the client alone: tables and calls refuse it."""
    db: Any = AsyncDynamoDB.over(ScriptedTransport())
    with pytest.raises(NotSentError, match="max_connections"):
        db.table("people", Person, max_connections=3)
    with pytest.raises(NotSentError, match="max_connections"):
        await db.table("people", Person).get_item(KEY, max_connections=3)
