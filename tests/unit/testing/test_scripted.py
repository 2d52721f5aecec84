"""ScriptedTransport refuses replies that DynamoDB cannot give to the request."""

from __future__ import annotations

from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, AsyncTable, attr
from dynasafe.errors import ConditionalCheckFailedError, TransactionCanceledError
from dynasafe.testing import (
    ManualClock,
    ScriptedTransport,
    condition_failed,
    refused,
    throttled,
    transaction_canceled,
)
from dynasafe.testing import sync as blocking
from dynasafe.testing.scripted import ImpossibleReplyError

CONDITION = attr("pk").not_exists()


def table(reply: Exception) -> AsyncTable[Any]:
    return AsyncTable("orders", transport=ScriptedTransport([reply]), clock=ManualClock())


def database(reply: Exception) -> AsyncDynamoDB:
    return AsyncDynamoDB.over(ScriptedTransport([reply]), clock=ManualClock())


async def test_a_failed_condition_needs_one() -> None:
    """A put without a condition cannot fail by it; with one it can."""
    with pytest.raises(ImpossibleReplyError) as caught:
        await table(condition_failed()).put_item({"pk": "a"})
    assert str(caught.value) == (
        "condition_failed() answers a request of PutItem that has no condition. "
        "Fix: give the call its condition=, or script another reply"
    )
    with pytest.raises(ConditionalCheckFailedError):
        await table(condition_failed()).put_item({"pk": "a"}, condition=CONDITION)


def test_failed_condition_on_the_sync_face() -> None:
    """On the sync face, too, a scripted failed condition needs a request with a condition."""
    from dynasafe import Table

    transport = blocking.ScriptedTransport([condition_failed()])
    with pytest.raises(ImpossibleReplyError, match="DeleteItem that has no condition"):
        Table("orders", transport=transport).delete_item({"pk": "a"})


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (("ConditionalCheckFailed",), r"has 1 reason\(s\) for 2 operation\(s\)\. Fix: give one"),
        (("None", "None", "None"), r"has 3 reason\(s\) for 2 operation\(s\)"),
        (
            ("None", "ConditionalCheckFailed"),
            "a failed condition for operation 1, which has no condition",
        ),
    ],
)
async def test_one_reason_for_each_operation(codes: tuple[str, ...], words: str) -> None:
    """A script with a reason too few or too many, or for a missing condition, is refused."""
    db = database(transaction_canceled(*codes))
    orders = db.table("orders")
    writes = [orders.put({"pk": "a"}, condition=CONDITION), orders.put({"pk": "b"})]

    with pytest.raises(ImpossibleReplyError, match=words):
        await db.transact_write_items(writes)


async def test_reasons_that_fit() -> None:
    """One reason for each operation is what DynamoDB gives."""
    db = database(transaction_canceled("ConditionalCheckFailed", "None"))
    orders = db.table("orders")
    writes = [orders.put({"pk": "a"}, condition=CONDITION), orders.put({"pk": "b"})]

    with pytest.raises(TransactionCanceledError) as caught:
        await db.transact_write_items(writes)
    assert [reason.code for reason in caught.value.reasons] == ["ConditionalCheckFailed", "None"]


async def test_what_is_no_transaction_is_not_cancelled() -> None:
    """A scripted cancelled transaction needs a transaction."""
    with pytest.raises(ImpossibleReplyError, match="GetItem, which is no transaction"):
        await table(transaction_canceled("None")).get_item({"pk": "a"})


@pytest.mark.parametrize("reply", [throttled(), refused("ResourceNotFoundException")])
async def test_other_refusals_answer_anything(reply: Exception) -> None:
    """What any request may meet is not looked at."""
    orders = AsyncTable("orders", transport=ScriptedTransport([reply]), retry=None)
    with pytest.raises(Exception, match=r"Throttling|ResourceNotFound|refused"):
        await orders.put_item({"pk": "a"})
