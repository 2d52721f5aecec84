"""dynamoxy, whose core is written in Rust, by tables of dicts."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.work import ITEM, REGION, TABLE_NAME, Calls


def client(endpoint_url: str) -> Any:
    from dynamoxy import Client, Credentials

    # By default it asks for the consumed capacity, as the others do not.
    return Client(
        region=REGION,
        endpoint_url=endpoint_url,
        credentials=Credentials("a", "b"),
        consumed_capacity="NONE",
    )


@asynccontextmanager
async def connect(endpoint_url: str, certificate: str | None = None) -> AsyncIterator[Calls]:
    from dynamoxy import F

    if certificate is not None:
        os.environ["SSL_CERT_FILE"] = certificate  # it asks for no other
    async with client(endpoint_url) as service:
        table = service.table(TABLE_NAME)

        async def update(turn: int) -> object:
            return await table.update(
                {"id": f"p{turn}"},
                F("name").set(f"Ada {turn}"),
                F("visits").set(F("visits").if_not_exists(0) + 1),
                F("email").remove(),
                F("tags").add({f"tag{turn}"}),
                return_values="NONE",
            )

        async def get(turn: int) -> object:
            return await table.get({"id": f"p{turn}"})

        async def put(turn: int) -> object:
            return await table.put({**ITEM, "id": f"p{turn}"})

        async def query(turn: int) -> object:
            return await table.query(F("id") == f"p{turn}").all()

        yield Calls(update, get, put, query)
