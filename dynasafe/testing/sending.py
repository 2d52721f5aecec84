"""Observers of each request that any client sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True, slots=True)
class Sending:
    """A request that is about to be sent: the parameters as they were given to the client."""

    service: str
    operation: str
    params: Mapping[str, Any] = field(repr=False)  # values may be personal data
    is_blocking: bool
    client: str = "boto3"


Watch = Callable[[Sending], None]

# Blocks of several tasks may end in any order, so the first one patches the clients, and the last
# one restores them.
_watches: list[Watch] = []
_patches = ExitStack()


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Call the watch for each request in the block. Its errors go to the caller of the client."""
    if not _watches:
        _patch_clients()
    _watches.append(watch)
    try:
        yield
    finally:
        _watches.remove(watch)
        if not _watches:
            _patches.close()


def tell(sending: Sending) -> None:
    """The innermost block is notified first."""
    for watch in reversed(_watches):
        watch(sending)


def _patch_clients() -> None:
    from botocore.client import BaseClient

    from dynasafe.aio.http_transport import HttpTransport
    from dynasafe.sync.http_transport import HttpTransport as SyncHttpTransport

    call, send, send_now = BaseClient._make_api_call, HttpTransport.send, SyncHttpTransport.send

    def told_call(client: Any, operation_name: str, api_params: Any) -> Any:
        service = client.meta.service_model.service_name
        tell(Sending(service, operation_name, api_params, is_blocking=True))
        return call(client, operation_name, api_params)

    async def told_send(
        transport: Any, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        tell(Sending("dynamodb", operation, params, is_blocking=False))
        return await send(transport, operation, params, timeout_s=timeout_s)

    def told_send_now(
        transport: Any, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        tell(Sending("dynamodb", operation, params, is_blocking=True, client="dynasafe.DynamoDB"))
        return send_now(transport, operation, params, timeout_s=timeout_s)

    _patches.enter_context(patch.object(BaseClient, "_make_api_call", told_call))
    _patches.enter_context(patch.object(SyncHttpTransport, "send", told_send_now))
    _patches.enter_context(patch.object(HttpTransport, "send", told_send))
    try:
        from aiobotocore.client import AioBaseClient
    except ImportError:  # an extra
        return
    call_async = AioBaseClient._make_api_call

    async def told_call_async(client: Any, operation_name: str, api_params: Any) -> Any:
        service = client.meta.service_model.service_name
        tell(Sending(service, operation_name, api_params, is_blocking=False))
        return await call_async(client, operation_name, api_params)

    _patches.enter_context(patch.object(AioBaseClient, "_make_api_call", told_call_async))
