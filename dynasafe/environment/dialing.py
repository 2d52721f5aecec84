"""Rules for making and keeping connections: limits, socket options, proxy tunnels.

Sources: the AWS SDKs' "standard" defaults, for the connect bound; "NAT gateways", Amazon VPC User
Guide, for idle connections that are dropped after 350 s; RFC 9110, 9.3.6, for CONNECT.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import Any, Final

from dynasafe.environment.clock import draw
from dynasafe.environment.proxies import Proxy
from dynasafe.http.endpoint import Endpoint
from dynasafe.resilience.boundary import NotSent

CONNECT_TIMEOUT_S: Final = 3.1
STAGGER_S: Final = 0.25
"""If one address of a host has not answered after this time, the next one is tried too."""
MAX_IDLE_S: Final = 50.0
"""DynamoDB closes connections that were idle for a minute."""
_MAX_AGE_S: Final = 900.0
_MAX_TUNNEL_HEAD_BYTES: Final = 16 * 1024
_KEEPALIVE_IDLE_S: Final = 120
TUNNEL_CLOSED: Final = "the proxy closed the connection"


def drawn_age_s() -> float:
    """The lifetime of a connection. It is random, so that connections made together do not end
    together."""
    return _MAX_AGE_S * (0.9 + 0.2 * draw())


def keep_alive(taken: Any) -> None:
    """Set TCP keep-alive: the system notices a dead peer, and NAT gateways keep the connection."""
    with suppress(OSError, AttributeError):
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_IDLE_S)
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 30)


def is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def failure_words(error: OSError) -> str:
    """Why no connection was made."""
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason or type(error).__name__})"
    if isinstance(error, socket.gaierror):
        return f"the host name was not resolved ({error.strerror or error.args})"
    return error.strerror or str(error) or type(error).__name__


def tunnel_request(endpoint: Endpoint, proxy: Proxy) -> bytes:
    """The request for a proxy's tunnel to an endpoint."""
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    target = f"{host}:{endpoint.port}"
    head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"
    if proxy.authorization is not None:
        head += f"Proxy-Authorization: {proxy.authorization}\r\n"
    return f"{head}\r\n".encode()


def is_tunnel_open(received: bytes) -> bool:
    """Whether a proxy's answer is complete and opens the tunnel. False while it is incomplete.

    Raises:
        NotSent: the proxy refuses the tunnel.
    """
    head, end, rest = received.partition(b"\r\n\r\n")
    if not end:
        if len(received) > _MAX_TUNNEL_HEAD_BYTES:
            raise NotSent("the proxy's answer is too long")
        return False
    status = head.split(b"\r\n", 1)[0].split(b" ")
    if len(status) < 2 or not status[0].startswith(b"HTTP/1."):
        raise NotSent("the proxy's answer is not HTTP")
    if status[1] == b"407":
        reason = "the proxy asks for a user and password (HTTP 407)"
        raise NotSent(reason, is_retryable=False)
    if not status[1].startswith(b"2") or rest:
        shown = status[1][:3].decode("ascii", "replace")
        raise NotSent(f"the proxy refused the tunnel (HTTP {shown})")
    return True
