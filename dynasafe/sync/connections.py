"""Makes a sync client's transport: connections of our own, or a client of boto3."""

from __future__ import annotations

from typing import Any, Protocol

from dynasafe.errors import ValueOutOfRangeError
from dynasafe.sync.transport import Transport


class Connection(Protocol):
    """Opens a transport and closes it, also several times."""

    slot_count: int

    def open(self) -> Transport: ...

    def close(self) -> None: ...


def transport_over(client: Any, max_connections: int | None) -> tuple[Transport, int]:
    """The transport over a user's client, and the number of requests that it takes at once.

    Raises:
        ClientRetriesError: the client repeats requests by itself.
        InvalidValueError: it is not a DynamoDB client, or has fewer connections.
    """
    from dynasafe.environment.clients import slot_count
    from dynasafe.sync.boto import BotoTransport

    transport = BotoTransport(client)
    return transport, slot_count(max_connections, transport.max_connections)


def connection_of(transport: str, given: dict[str, Any], own: dict[str, Any]) -> Connection:
    """The object that makes the transport.

    Args:
        given: arguments for both kinds.
        own: arguments only for our own connections.
    """
    if transport == "http":
        from dynasafe.sync.http_connect import HttpConnection

        return HttpConnection(**given, **own)
    if transport != "boto3":
        raise ValueOutOfRangeError(
            "transport", f'no transport {transport!r}. Fix: "http" or "boto3"'
        )
    from dynasafe.sync.boto import BotoConnection

    for name, value in own.items():
        if value is not None and name != "verify":
            raise ValueOutOfRangeError(
                name, "boto3 does not take it from here. Fix: give it a session or config"
            )
    if own["verify"] is not None:
        given["client_options"] = {**(given["client_options"] or {}), "verify": own["verify"]}
    return BotoConnection(**given)
