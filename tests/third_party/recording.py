"""What becomes of each request that a package makes: the engine's verdict beside the guard's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from aiobotocore.client import AioBaseClient
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ParamValidationError

from dynasafe.events import Event, RequestRefused


@dataclass(slots=True)
class Records:
    """The requests of one run, counted; and what the guard found in them."""

    accepted: int = 0
    false_alarms: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    """Of requests that the engine refused, or would have."""
    missed: list[str] = field(default_factory=list)
    other_errors: int = 0
    """A condition that does not hold, a table that is not there: no fault of the request."""
    _events: list[RequestRefused] = field(default_factory=list)

    def note(self, event: Event) -> None:
        """A hook of the guard."""
        if isinstance(event, RequestRefused):
            self._events.append(event)

    def _verdict(self) -> str:
        return ", ".join(f"{each.code} {each.message}" for each in self._events[-1].findings)

    def begin(self) -> None:
        self._events.clear()

    def end(self, operation: str, params: Any, error: Exception | None) -> None:
        if error is None:
            self.accepted += 1
            if self._events:
                self.false_alarms.append(f"{operation}: {self._verdict()}: {_shown(params)}")
            return
        is_refused = isinstance(error, ParamValidationError) or (
            isinstance(error, ClientError)
            and error.response["Error"]["Code"] in ("ValidationException", "SerializationException")
        )
        if self._events:
            self.found.append(f"{operation}: {self._verdict()}")
        elif is_refused:
            self.missed.append(f"{operation}: {error}: {_shown(params)}")
        else:
            self.other_errors += 1


def _shown(params: Any) -> str:
    return json.dumps(params, default=repr)[:300]


@contextmanager
def recording() -> Iterator[Records]:
    """Record the requests of all clients within the block, one after the other."""
    records = Records()
    call, call_async = BaseClient._make_api_call, AioBaseClient._make_api_call

    def recorded(client: Any, operation_name: str, api_params: Any) -> Any:
        records.begin()
        try:
            answer = call(client, operation_name, api_params)
        except Exception as error:
            records.end(operation_name, api_params, error)
            raise
        records.end(operation_name, api_params, None)
        return answer

    async def recorded_async(client: Any, operation_name: str, api_params: Any) -> Any:
        records.begin()
        try:
            answer = await call_async(client, operation_name, api_params)
        except Exception as error:
            records.end(operation_name, api_params, error)
            raise
        records.end(operation_name, api_params, None)
        return answer

    with (
        patch.object(BaseClient, "_make_api_call", recorded),
        patch.object(AioBaseClient, "_make_api_call", recorded_async),
    ):
        yield records
