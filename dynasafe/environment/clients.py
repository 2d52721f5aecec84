"""botocore clients that users bring: their required settings, and the meaning of their failures."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dynasafe.calls.options import DEFAULT_CONNECT_TIMEOUT_S, DEFAULT_MAX_CONNECTIONS
from dynasafe.errors import (
    ClientRetriesError,
    CredentialsError,
    NotSentError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.resilience.settings_rules import require_count, require_seconds

if TYPE_CHECKING:
    from botocore.config import Config


def client_config(**options: Any) -> Config:
    """A botocore config for a client that never repeats a request by itself.

    Connecting is given up after 3.1 s, before dynasafe gives up the attempt, so it is known that
    nothing was sent. The User-Agent is fixed, because botocore would build its own twice for each
    request, which takes about a sixth of the client's time for a request.

    Args:
        options: further options of botocore's Config, such as `max_pool_connections`.

    Raises:
        ClientRetriesError: `retries` is among them.
    """
    if "retries" in options:
        raise ClientRetriesError(str(options["retries"]))
    config_class = _config_class()
    if "user_agent" not in options and "user_agent_appid" not in options:
        options["user_agent"] = _user_agent()
    options.setdefault("connect_timeout", DEFAULT_CONNECT_TIMEOUT_S)
    # "total_max_attempts": 1 sends once. In legacy mode 1 would still check the crc32 by
    # repeating; in standard mode nothing checks it, so the transports do.
    config: Config = config_class(retries={"mode": "standard", "total_max_attempts": 1}, **options)
    return config


def _config_class() -> Any:
    """aiobotocore's Config, which botocore accepts too; botocore's own if that is not installed."""
    try:
        from aiobotocore.config import AioConfig
    except ImportError:
        from botocore.config import Config

        return Config
    return AioConfig


class ClientConnection:
    """The settings of a connection through a botocore client.

    Raises:
        ClientRetriesError: the config would have requests repeated.
        InvalidValueError: an argument is of a wrong type, or contradicts another.
    """

    def __init__(
        self,
        *,
        region_name: str | None,
        endpoint_url: str | None,
        session: Any,
        config: Any,
        max_connections: int | None,
        connect_timeout_s: float,
        client_options: Mapping[str, Any] | None,
    ) -> None:
        require_seconds("connect_timeout_s", connect_timeout_s)
        self._options = own_options(client_options)
        if region_name is not None:
            self._options["region_name"] = region_name
        if endpoint_url is not None:
            self._options["endpoint_url"] = endpoint_url
        self._session = session
        self._config = config
        self._connect_timeout_s = connect_timeout_s
        self._pool_size = pool_size(
            config, DEFAULT_MAX_CONNECTIONS if max_connections is None else max_connections
        )
        self.slot_count: int = slot_count(max_connections, self._pool_size)


def own_options(client_options: Mapping[str, Any] | None) -> dict[str, Any]:
    """The options of a client. The config is not among them: it is a separate argument.

    Raises:
        ValueOutOfRangeError: the options have a config.
    """
    options = dict(client_options or {})
    if "config" in options:
        raise ValueOutOfRangeError(
            "client_options", "the config is a separate argument. Fix: connect(config=...)"
        )
    return options


def slot_count(max_connections: int | None, pool_size: int) -> int:
    """How many requests may be in progress at once. Each needs a connection.

    Raises:
        InvalidValueError: the client has fewer connections.
    """
    if max_connections is None:
        return pool_size
    require_count("max_connections", max_connections)
    if max_connections > pool_size:
        # They would wait inside the client, and the attempt's time limit would already run.
        raise ValueOutOfRangeError(
            "max_connections",
            f"{max_connections}, but the client's pool has {pool_size} connections. Fix: "
            f"client_config(max_pool_connections={max_connections}), or a lower max_connections",
        )
    return max_connections


def pool_size(given: Any, default: int) -> int:
    if given is None:
        return default
    from botocore.config import Config

    if not isinstance(given, Config):
        raise UnsupportedTypeError(
            "config", f"a botocore Config is expected, not {type(given).__name__}"
        )
    merged: Any = client_config(max_pool_connections=default).merge(given)
    if merged.retries and not sends_once(merged.retries):
        raise ClientRetriesError(str(merged.retries))
    return int(merged.max_pool_connections)


def is_refreshable(credentials: Any) -> bool:
    """Whether a client's credentials can be fetched again."""
    return getattr(credentials, "_protected_refresh", None) is not None


def is_signed_with(credentials: Any, headers: Any) -> bool:
    """Whether a request with these headers was signed with the present credentials of its client.

    Also true if the headers or the credentials do not say it.
    """
    frozen = getattr(credentials, "_frozen_credentials", None)
    if headers is None or frozen is None:
        return True
    signature = _header_text(headers.get("Authorization"))
    token = _header_text(headers.get("X-Amz-Security-Token"))
    return f"Credential={frozen.access_key}/" in signature and token == (frozen.token or "")


def _header_text(value: str | bytes | None) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value or ""


def forget_assumed_role(credentials: Any) -> None:
    """Remove credentials from the cache of an assumed role, which still has the refused ones."""
    source = getattr(credentials._refresh_using, "__self__", None)
    cache, key = getattr(source, "_cache", None), getattr(source, "_cache_key", None)
    if cache is not None and key is not None:
        with suppress(KeyError):
            del cache[key]


def require_sent_once(retries: Mapping[str, Any]) -> None:
    """Require a client that does not repeat requests by itself.

    Raises:
        ClientRetriesError: it does.
    """
    if not sends_once(retries):
        raise ClientRetriesError(str(dict(retries) or "botocore's default of 10 attempts"))


def sends_once(retries: Mapping[str, Any]) -> bool:
    if "total_max_attempts" in retries:
        return bool(retries["total_max_attempts"] == 1)
    return retries.get("max_attempts") == 0  # these come after the first


def _user_agent() -> str:
    library: Any = sys.modules.get("aiobotocore") or sys.modules["botocore"]
    name = f"{library.__name__}/{library.__version__}"
    return f"dynasafe {name} python/{sys.version.split()[0]}"


def opening_error(error: Exception) -> NotSentError:
    """The error for a client that could not be made, by the class name of botocore's error."""
    names = {cls.__name__ for cls in type(error).__mro__}
    if names & {
        "CredentialRetrievalError",
        "InvalidConfigError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "SSOError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    }:
        return CredentialsError("connect()", "the configured source", str(error))
    return ValueOutOfRangeError("connect()", f"{type(error).__name__}: {error}")


# Exceptions before the request is signed that are not about credentials.
NOT_CREDENTIALS = frozenset(
    {
        "BaseEndpointResolverError",
        "EndpointProviderError",
        "OverflowError",
        "TypeError",
        "UnknownSignatureVersionError",
        "UnsupportedSignatureVersionError",
        "ValueError",
    }
)


def is_quoting(error: Exception, *, is_reached: bool) -> bool:
    """Whether botocore's error may contain values, passwords, or an unreadable answer.

    Args:
        is_reached: whether the request reached the HTTP client.
    """
    name = type(error).__name__
    return not is_reached or "Proxy" in name or name in ("ResponseParserError", "HTTPClientError")


def reason_of(error: Exception) -> str:
    """The exception and its inner exception as text, without values of the request."""
    inner = getattr(error, "kwargs", {}).get("error")
    name = type(error).__name__
    if inner is not None:
        return f"{name} ({type(inner).__name__})"
    return f"{name}: {error}" if str(error) else name
