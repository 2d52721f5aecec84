"""The stories of the engines, told again of tables in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from dynasafe import AsyncDynamoDB
from dynasafe.testing.engines import Engine
from dynasafe.testing.memory import MemoryTransport
from tests.integration.test_tables import *  # noqa: F403


@pytest.fixture
def engine() -> Engine:
    """What the stories ask an engine for; it has all that the strictest one has."""
    return Engine("dynamodb-local", endpoint_url="", is_strict=True)


@pytest.fixture
async def db() -> AsyncIterator[AsyncDynamoDB]:
    async with AsyncDynamoDB.over(MemoryTransport({})) as db:
        yield db
