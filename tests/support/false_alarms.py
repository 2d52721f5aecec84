"""False alarms: requests that an engine accepted, and that check_request would have refused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from aiobotocore.client import AioBaseClient
from botocore.client import BaseClient

from dynasafe import Finding, check_request
from dynasafe.aio.http_transport import HttpTransport
from dynasafe.sync.http_transport import HttpTransport as SyncHttpTransport

Check = Callable[[str, Mapping[str, Any]], tuple[Finding, ...]]


@dataclass(slots=True)
class FalseAlarms:
    """What was found in requests that were accepted, and how many were."""

    accepted: int = 0
    found: list[tuple[str, Finding]] = field(default_factory=list)

    def require_none(self, *, but: Collection[str] = ()) -> None:
        """Fail for each finding whose code is not among `but`."""
        listed = [
            f"{operation}: {finding}"
            for operation, finding in self.found
            if finding.code not in but
        ]
        if listed:
            raise AssertionError(
                "\n".join(["the engine accepted what check_request refuses:", *listed])
            )

    def note(self, operation: str, findings: tuple[Finding, ...], answer: Any) -> None:
        # moto accepts what DynamoDB does not.
        # Its request ids have small letters; dynalite's have capitals alone, as AWS's have, and
        # DynamoDB Local's are UUIDs.
        request_id = answer["ResponseMetadata"]["RequestId"]
        if "-" not in request_id and request_id != request_id.upper():
            return
        self.accepted += 1
        self.found += ((operation, finding) for finding in findings)


@contextmanager
def false_alarms(check: Check = check_request) -> Iterator[FalseAlarms]:
    """Check the requests of all clients within the block that strict engines accept.

    Each is checked as the caller gave it, before the client writes into it.
    """
    alarms = FalseAlarms()
    call, call_async = BaseClient._make_api_call, AioBaseClient._make_api_call
    send, send_sync = HttpTransport.send, SyncHttpTransport.send

    def checked(client: Any, operation: str, params: Any) -> tuple[Finding, ...]:
        is_dynamodb = client.meta.service_model.service_name == "dynamodb"
        return check(operation, params) if is_dynamodb else ()

    def checked_call(client: Any, operation_name: str, api_params: Any) -> Any:
        findings = checked(client, operation_name, api_params)
        answer = call(client, operation_name, api_params)
        alarms.note(operation_name, findings, answer)
        return answer

    async def checked_call_async(client: Any, operation_name: str, api_params: Any) -> Any:
        findings = checked(client, operation_name, api_params)
        answer = await call_async(client, operation_name, api_params)
        alarms.note(operation_name, findings, answer)
        return answer

    async def checked_send(
        transport: Any, operation: str, params: Any, *, timeout_s: float | None
    ) -> Any:
        findings = check(operation, params)
        answer = await send(transport, operation, params, timeout_s=timeout_s)
        alarms.note(operation, findings, answer)
        return answer

    def checked_send_sync(
        transport: Any, operation: str, params: Any, *, timeout_s: float | None
    ) -> Any:
        findings = check(operation, params)
        answer = send_sync(transport, operation, params, timeout_s=timeout_s)
        alarms.note(operation, findings, answer)
        return answer

    with (
        patch.object(BaseClient, "_make_api_call", checked_call),
        patch.object(AioBaseClient, "_make_api_call", checked_call_async),
        patch.object(HttpTransport, "send", checked_send),
        patch.object(SyncHttpTransport, "send", checked_send_sync),
    ):
        yield alarms
