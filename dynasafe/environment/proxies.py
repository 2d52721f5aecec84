"""Proxies from the environment: HTTPS_PROXY, HTTP_PROXY and NO_PROXY.

On macOS and Windows the system's settings count as well, as with botocore.

Source: botocore/utils.py, get_environ_proxies; urllib.request.
"""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Mapping
from typing import Final

from dynasafe.http.endpoint import Endpoint

_HAS_SYSTEM_SETTINGS: Final = sys.platform in ("darwin", "win32")


class Proxy:
    """A proxy. Its repr shows no password.

    Args:
        authorization: the value of Proxy-Authorization, if the URL has a user.
    """

    __slots__ = ("authorization", "host", "is_tls", "port")

    def __init__(self, url: str) -> None:
        if "://" not in url:
            url = f"http://{url}"
        from urllib.parse import unquote, urlsplit

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("a proxy needs an http:// or https:// URL")
        self.is_tls: Final = parts.scheme == "https"
        self.host: Final = parts.hostname
        self.port: Final = parts.port or (443 if self.is_tls else 80)
        self.authorization: str | None = None
        if parts.username is not None:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self.authorization = f"Basic {b64encode(user.encode()).decode()}"

    def __repr__(self) -> str:
        return f"Proxy({self.host}:{self.port})"


def proxy_of(
    endpoint: Endpoint, environ: Mapping[str, str], given: Mapping[str, str] | None = None
) -> Proxy | None:
    """The proxy for requests to an endpoint.

    Args:
        given: proxies by scheme in place of the environment's; empty for none.

    Raises:
        ValueError: its URL is not valid for a proxy.
    """
    scheme = "https" if endpoint.is_tls else "http"
    if given is None:
        if not _HAS_SYSTEM_SETTINGS and not any(
            name.lower().endswith("_proxy") for name in environ
        ):
            return None
        # Takes some 10 ms, only with a proxy.
        from urllib.parse import urlsplit
        from urllib.request import getproxies, proxy_bypass

        if proxy_bypass(urlsplit(endpoint.url).netloc):
            return None
        given = getproxies()
    url = given.get(scheme)
    return Proxy(url) if url else None
