"""forbid_aws: a test that would call the real AWS fails, and nothing is sent."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# The domains of AWS's partitions. Source: "AWS service endpoints", AWS General Reference.
_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn")
_FIX = (
    "Fix: give the client endpoint_url=, or the code under test a fixture of dynasafe "
    "or a table in memory"
)


class RealAwsError(AssertionError):
    """A client looked for a host of AWS during a test; nothing was sent to it."""


def is_aws(host: str) -> bool:
    """Whether a host belongs to AWS."""
    return f".{host.lower().rstrip('.')}".endswith(_DOMAINS)


@contextmanager
def forbid_aws() -> Iterator[None]:
    """Fail if anything in the process looks up a host name of AWS within the block.

    The lookup is refused, so no request is sent. The block fails at its end even if the code caught
    the refusal. Requests through a proxy are not detected, because the proxy looks up the name.
    Inside moto's `mock_aws`, no name is looked up.

    Raises:
        RealAwsError: it names the hosts.
    """
    found: dict[str, None] = {}
    resolve = socket.getaddrinfo

    def refuse(host: Any, *arguments: Any, **options: Any) -> Any:
        name = (host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)).lower()
        if is_aws(name):
            found[name] = None
            raise socket.gaierror(socket.EAI_NONAME, f"{name} is AWS itself. {_FIX}")
        return resolve(host, *arguments, **options)

    socket.getaddrinfo = refuse
    try:
        yield
    except BaseException as error:
        if found:
            error.add_note(_words(found))
        raise
    finally:
        socket.getaddrinfo = resolve
    if found:
        raise RealAwsError(_words(found))


def _words(hosts: dict[str, None]) -> str:
    return f"the test would call AWS itself: {', '.join(hosts)}. {_FIX}"
