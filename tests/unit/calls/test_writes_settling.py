"""Writes that leave an id: what one consistent read after a lost answer says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, Attr, Item, UpdateBuilder, attr, attribute
from dynasafe.errors import (
    CircuitOpenError,
    OutcomeUnknownError,
    ThrottledError,
)
from dynasafe.testing import ManualClock, ScriptedTransport
from dynasafe.testing.scripted import (
    ScriptedCall,
    condition_failed,
    connection_refused,
    ok,
    server_error,
    throttled,
    timed_out,
    transaction_canceled,
)


class Account(Item):
    id: Attr[str] = attribute(key="partition")
    n: Attr[int] = attribute(default=0)
    write_id: Attr[str] = attribute(default_factory=str, write_id=True)


KEY = {"id": "a"}


def increment() -> UpdateBuilder:
    return UpdateBuilder(Account).increment(Account.n, 1)


def id_of(call: ScriptedCall) -> str:
    """The write id that a request leaves."""
    params = call.params
    if "TransactItems" in params:
        ((_, params),) = params["TransactItems"][0].items()
    if "Item" in params:
        return str(params["Item"]["write_id"]["S"])
    texts = [value["S"] for value in params["ExpressionAttributeValues"].values() if "S" in value]
    (write_id,) = texts
    return str(write_id)


def accounts(*replies: Any, **options: Any) -> tuple[AsyncDynamoDB, Any, ScriptedTransport]:
    transport = ScriptedTransport(replies)
    clock = options.pop("clock", None) or ManualClock()
    db = AsyncDynamoDB.over(transport, clock=clock, **options)
    return db, db.table("accounts", Account), transport


def stored(transport: Callable[[], ScriptedTransport], write_id: str | None = None) -> Any:
    """A read that finds the item, with the id of the first write or another one."""

    def answer(call: ScriptedCall) -> Any:
        assert call.operation == "GetItem"
        assert call.params["ConsistentRead"] is True
        found = id_of(transport().calls[0]) if write_id is None else write_id
        return ok({"Item": {"id": {"S": "a"}, "n": {"N": "7"}, "write_id": {"S": found}}})

    return answer


@pytest.mark.parametrize("return_values", [None, "NONE", "ALL_NEW"])
async def test_own_id_is_stored(return_values: Any) -> None:
    """The write was applied: the item as it is now is the result."""
    _db, table, transport = accounts(timed_out(), stored(lambda: transport))

    result = await table.update_item(KEY, increment(), return_values=return_values)

    assert [call.operation for call in transport.calls] == ["UpdateItem", "GetItem"]
    assert result.attempts == 2
    item = Account(id="a", n=7, write_id=id_of(transport.calls[0]))
    assert result.attributes == (item if return_values == "ALL_NEW" else None)


async def test_put_settles_and_its_instance_has_the_id() -> None:
    """A put is idempotent, so it is repeated first; then one read decides."""
    _db, table, transport = accounts(*[timed_out()] * 4, stored(lambda: transport))
    account = Account(id="a")

    await table.put_item(account)

    assert [call.operation for call in transport.calls] == ["PutItem"] * 4 + ["GetItem"]
    assert account.write_id == id_of(transport.calls[0])


@pytest.mark.parametrize(
    "answer",
    [
        ok({}),
        ok({"Item": {"id": {"S": "a"}}}),
        ok({"Item": {"id": {"S": "a"}, "write_id": {"S": "another"}}}),
    ],
)
async def test_another_id_or_none_stays_unknown(answer: Any) -> None:
    """The request may never have arrived, or another writer came after it."""
    _db, table, transport = accounts(timed_out(), answer)

    with pytest.raises(OutcomeUnknownError) as caught:
        await table.update_item(KEY, increment())

    error = caught.value
    assert error.item == answer.get("Item")
    assert error.write_id == id_of(transport.calls[0])
    assert error.key == KEY


@pytest.mark.parametrize(
    "failure", [timed_out(), server_error(), throttled(), connection_refused()]
)
async def test_read_that_fails_is_sent_once(failure: Exception) -> None:
    """In an outage the read does not multiply requests; the error stays that of the write."""
    _db, table, transport = accounts(timed_out(), failure)

    with pytest.raises(OutcomeUnknownError, match="no answer in time") as caught:
        await table.update_item(KEY, increment())

    assert len(transport.calls) == 2
    assert any("could not be read" in note for note in caught.value.__notes__)


async def test_resolve_reads_again() -> None:
    """Later the item may show the id."""
    db, table, transport = accounts(
        timed_out(), ok({}), ok({}), stored(lambda: transport), stored(lambda: transport)
    )
    with pytest.raises(OutcomeUnknownError) as caught:
        await table.update_item(KEY, increment(), return_values="ALL_NEW")
    with pytest.raises(OutcomeUnknownError) as again:
        await db.resolve(caught.value)
    assert again.value is caught.value

    assert (await db.resolve(caught.value)).attributes.n == 7
    assert (await caught.value.resolve()).attributes.n == 7
    assert [call.operation for call in transport.calls] == ["UpdateItem", *["GetItem"] * 4]


@pytest.mark.parametrize(
    "write",
    [
        lambda table: table.update_item(KEY, increment(), return_values="ALL_OLD"),
        lambda table: table.update_item(KEY, increment(), return_values="UPDATED_NEW"),
        lambda table: table.put_item(Account(id="a"), return_values="ALL_OLD"),
    ],
)
async def test_old_values_cannot_be_settled(write: Any) -> None:
    """The stored item cannot give back what was there before."""
    _db, table, transport = accounts(timed_out())

    with pytest.raises(OutcomeUnknownError) as caught:
        await write(table)

    assert caught.value.write_id == id_of(transport.calls[0])
    assert len(transport.calls) == 1


async def test_deletes_stay_unknown() -> None:
    """A delete leaves no item that could show an id."""
    _db, table, _transport = accounts(*[timed_out()] * 4)

    with pytest.raises(OutcomeUnknownError) as caught:
        await table.delete_item(KEY, condition=Account.n > 0)

    assert (caught.value.key, caught.value.write_id) == (KEY, None)


async def test_own_id_in_the_refused_condition() -> None:
    """A condition that the first attempt made false: its item shows the id, so it was applied."""

    def refused(call: ScriptedCall) -> Exception:
        return condition_failed({"id": {"S": "a"}, "n": {"N": "1"}, "write_id": {"S": id_of(call)}})

    _db, table, _transport = accounts(timed_out(), refused)

    result = await table.put_item(Account(id="a"), condition=Account.id.not_exists())

    assert result.attempts == 2


async def test_read_is_within_the_deadline() -> None:
    """The read has what is left of the call's time, not a time of its own."""
    clock = ManualClock()

    def lose(call: ScriptedCall) -> Exception:
        clock.advance(4.0)
        return timed_out()

    _db, table, transport = accounts(lose, ok({}), clock=clock, timeout_s=5.0)

    with pytest.raises(OutcomeUnknownError):
        await table.update_item(KEY, increment())

    assert transport.calls[1].timeout_s == pytest.approx(1.0)


async def test_token_makes_the_write_id_the_same_again() -> None:
    """After a crash the same call with the same token is the same request."""
    for token in ("t-1", "t-1", "t-2"):
        _db, table, transport = accounts(ok())
        await table.update_item(KEY, increment(), client_request_token=token)
        if token == "t-1":
            first = transport.calls[0].params
    _again_db, again, again_transport = accounts(ok())
    await again.update_item(KEY, increment(), client_request_token="t-1")

    assert again_transport.calls[0].params == first
    assert transport.calls[0].params != first


async def test_transaction_token_gives_its_write_ids() -> None:
    """Each write of a transaction has its own id, and the same one each time."""
    params = []
    for _ in range(2):
        db, table, transport = accounts(ok())
        writes = [table.update({"id": "b"}, increment()), table.put(Account(id="c"))]
        await db.transact_write_items(writes, client_request_token="t")
        params.append(transport.calls[0].params)

    assert params[0] == params[1]
    update, put = params[0]["TransactItems"]
    ids = {value.get("S") for value in update["Update"]["ExpressionAttributeValues"].values()}
    assert put["Put"]["Item"]["write_id"]["S"] not in ids


async def test_after_the_token_window_the_item_decides() -> None:
    """When DynamoDB may have forgotten the token, the write's id is looked for instead."""
    clock = ManualClock()
    db, table, transport = accounts(*[timed_out()] * 4, stored(lambda: transport), clock=clock)
    with pytest.raises(OutcomeUnknownError) as caught:
        await table.update_item(KEY, increment(), exactly_once=True, return_values="ALL_NEW")
    clock.advance(600)

    assert (await db.resolve(caught.value)).attributes.n == 7
    assert transport.calls[-1].operation == "GetItem"


async def test_batch_puts_leave_ids() -> None:
    """Each put of a batch leaves an id of its own."""
    _db, table, transport = accounts(ok())

    await table.batch_write_item(put=[Account(id="a"), Account(id="b")])

    requests = transport.calls[0].params["RequestItems"]["accounts"]
    ids = {request["PutRequest"]["Item"]["write_id"]["S"] for request in requests}
    assert len(ids) == 2
    assert "" not in ids


# Resolving under a token


class Plain(Item):
    id: Attr[str] = attribute(key="partition")
    n: Attr[int] = attribute(default=0)


@pytest.mark.parametrize("failure", [throttled(), connection_refused(), server_error()])
async def test_refused_resolve_stays_unknown(failure: Exception) -> None:
    """The first request may still have been applied."""
    transport = ScriptedTransport([*[timed_out()] * 4, *[failure] * 4])
    db = AsyncDynamoDB.over(transport, clock=ManualClock())
    table = db.table("plain", Plain)
    with pytest.raises(OutcomeUnknownError) as caught:
        await table.update_item(KEY, UpdateBuilder(Plain).add(Plain.n, 1), exactly_once=True)

    with pytest.raises(OutcomeUnknownError):
        await db.resolve(caught.value)


async def test_resolve_on_a_closed_client_stays_unknown() -> None:
    """ClientClosedError is true of the repeat, and not of the request before it."""
    transport = ScriptedTransport([timed_out()] * 4)
    db = AsyncDynamoDB.over(transport, clock=ManualClock())
    async with db:
        with pytest.raises(OutcomeUnknownError) as caught:
            await db.table("plain").update_item(KEY, UpdateBuilder().add("n", 1), exactly_once=True)

    with pytest.raises(OutcomeUnknownError) as again:
        await caught.value.resolve()
    assert type(again.value.__cause__).__name__ == "ClientClosedError"


async def test_cancelled_resolve_was_not_applied() -> None:
    """A completed transaction answers its repeat with success; so this one was not applied."""
    transport = ScriptedTransport(
        [*[timed_out()] * 4, transaction_canceled("ConditionalCheckFailed")]
    )
    db = AsyncDynamoDB.over(transport, clock=ManualClock())
    update = UpdateBuilder().add("n", 1).condition(attr("n") < 9)
    with pytest.raises(OutcomeUnknownError) as caught:
        await db.table("plain").update_item(KEY, update, exactly_once=True)

    with pytest.raises(Exception, match="ConditionalCheckFailed") as refused:
        await db.resolve(caught.value)
    assert type(refused.value).__name__ == "ConditionalCheckFailedError"


async def test_window_counts_from_the_first_call() -> None:
    """A resolve that is slow does not send after ten minutes from the start."""
    clock = ManualClock()

    def lose_slowly(call: ScriptedCall) -> Exception:
        clock.advance(1.0)
        return timed_out()

    transport = ScriptedTransport([*[timed_out()] * 4, lose_slowly], otherwise=ok())
    db = AsyncDynamoDB.over(transport, clock=clock)
    with pytest.raises(OutcomeUnknownError) as caught:
        await db.table("plain").update_item(KEY, UpdateBuilder().add("n", 1), exactly_once=True)
    clock.advance(594.9 - clock.now_s())

    with pytest.raises(OutcomeUnknownError):
        await db.resolve(caught.value)
    assert len(transport.calls) == 4 + 1


# Batches


async def test_handed_back_after_a_loss_stays_unknown() -> None:
    """What the second attempt hands back may have been applied by the lost first one."""
    item = {"PutRequest": {"Item": {"id": {"S": "a"}}}}
    back = ok({"UnprocessedItems": {"plain": [item]}})
    transport = ScriptedTransport([timed_out(), back, *[back] * 9])
    db = AsyncDynamoDB.over(transport, clock=ManualClock())

    with pytest.raises(OutcomeUnknownError):
        await db.table("plain").batch_write_item(put=[{"id": "a"}])


async def test_handed_back_is_a_throttle() -> None:
    """An entry that is handed back each time, without a lost answer, is throttled, not unknown."""
    item = {"PutRequest": {"Item": {"id": {"S": "a"}}}}
    back = ok({"UnprocessedItems": {"plain": [item]}})
    transport = ScriptedTransport([back] * 10)
    db = AsyncDynamoDB.over(transport, clock=ManualClock())

    with pytest.raises(ThrottledError):
        await db.table("plain").batch_write_item(put=[{"id": "a"}])


async def test_open_read_breaker_stops_the_read() -> None:
    """The read that settles is behind the breaker for reads."""
    from dynasafe import CircuitBreaker

    breakers: dict[str, CircuitBreaker] = {}

    def factory(name: str) -> CircuitBreaker:
        breakers[name] = CircuitBreaker(name=name)
        if name.endswith("/read"):
            breakers[name].force_open()
        return breakers[name]

    _db, table, transport = accounts(timed_out(), breaker=factory)

    with pytest.raises(OutcomeUnknownError) as caught:
        await table.update_item(KEY, increment())

    assert len(transport.calls) == 1
    assert any(CircuitOpenError.__name__ in note for note in caught.value.__notes__)
