"""The examples run, and say what they promise."""

from __future__ import annotations

import pytest

from dynasafe.errors import ServiceError
from dynasafe.testing.engines import Engine
from examples import demo
from tests.integration.differences import lacks


async def test_demo_prints_its_story(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """The demo prints these lines on an engine with transactions."""
    if lacks(engine, "transactions"):
        with pytest.raises(ServiceError, match="UnknownOperationException"):
            await demo.main(engine.endpoint_url)
        return

    await demo.main(engine.endpoint_url)

    told = capsys.readouterr().out
    for line in (
        "'ExpressionAttributeNames': {'#name': 'name', '#status': 'status'}",
        "{'Key': {'id': 'p1'},\n 'UpdateExpression': 'SET email = :email',\n "
        "'ExpressionAttributeValues': {':email': 'ada@example.org'}}",
        "The patch sets attributes that are not allowed: 'is_admin' [DYS141]",
        "not written; the stored visits are 1",
        "expected version 1, stored version 2",
        "['Put: ConditionalCheckFailed', 'Delete: None']",
        "['Ada L.', 'Grace']",
        "visits: 3",
    ):
        assert line in told
