"""Makes an async client's transport: connections of our own, or a client of aioboto3."""

from __future__ import annotations

from typing import Any, Protocol

from dynasafe.aio.transport import Transport
from dynasafe.errors import ValueOutOfRangeError
from dynasafe.values.arguments import require_choice


class Connection(Protocol):
    """Opens a transport and closes it, also several times."""

    slot_count: int

    async def open(self) -> Transport: ...

    async def close(self) -> None: ...


def transport_over(client: Any, max_connections: int | None) -> tuple[Transport, int]:
    """The transport over a user's client, and the number of requests that it takes at once.

    Raises:
        ClientRetriesError: the client repeats requests by itself.
        InvalidValueError: it is not a DynamoDB client, or has fewer connections.
    """
    from dynasafe.aio.aioboto import AiobotoTransport
    from dynasafe.environment.clients import slot_count

    transport = AiobotoTransport(client)
    return transport, slot_count(max_connections, transport.max_connections)


def connection_of(transport: str, given: dict[str, Any], own: dict[str, Any]) -> Connection:
    """The object that makes the transport.

    Args:
        given: arguments for both kinds.
        own: arguments only for our own connections.
    """
    require_choice("transport", transport, ("http", "aioboto3"))
    if transport == "http" and not _is_async_session(given["session"]):
        from dynasafe.aio.http_connect import HttpConnection

        return HttpConnection(**given, **own)
    from dynasafe.aio.aioboto import AiobotoConnection

    for name, value in own.items():
        if value is not None and name != "verify":
            raise ValueOutOfRangeError(
                name,
                "aioboto3 does not take this argument. Fix: put it into a session or config",
            )
    if own["verify"] is not None:
        given["client_options"] = {**(given["client_options"] or {}), "verify": own["verify"]}
    return AiobotoConnection(**given)


def _is_async_session(session: Any) -> bool:
    inner = getattr(session, "_session", session)
    return any(cls.__name__ == "AioSession" for cls in type(inner).__mro__)
