"""Reads and checks the arguments of `connect()` for connections of our own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dynasafe.calls.options import DEFAULT_MAX_CONNECTIONS
from dynasafe.environment.clients import own_options, sends_once
from dynasafe.errors import (
    ClientRetriesError,
    CredentialsError,
    NotSentError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
    did_you_mean,
)
from dynasafe.http.credentials import Credentials
from dynasafe.resilience.boundary import NotSent
from dynasafe.resilience.settings_rules import require_count, require_seconds

_KEYS: Final = ("aws_access_key_id", "aws_secret_access_key")
_OPTIONS: Final = frozenset(
    {*_KEYS, "aws_session_token", "aws_account_id", "region_name", "endpoint_url", "verify"}
)
_KEEPALIVE: Final = ("keepalive_timeout", 12)


def http_settings(
    *,
    other: str,
    region_name: str | None,
    endpoint_url: str | None,
    session: Any,
    config: Any,
    max_connections: int | None,
    connect_timeout_s: float,
    client_options: Mapping[str, Any] | None,
    credentials: Any,
    profile_name: str | None,
    verify: bool | str | None,
    proxies: Mapping[str, str] | None,
    client_cert: str | tuple[str, str] | None,
) -> dict[str, Any]:
    """The keywords of an HttpTransport, and the number of calls that run at once.

    Args:
        other: the transport that accepts arguments that this one refuses.

    Raises:
        ClientRetriesError: the config would make the client repeat requests.
        InvalidValueError: an argument has the wrong type, or contradicts another.
    """
    require_seconds("connect_timeout_s", connect_timeout_s)
    if max_connections is not None:
        require_count("max_connections", max_connections)
    options = own_options(client_options)
    unknown = sorted(options.keys() - _OPTIONS)
    if unknown:
        raise ValueOutOfRangeError(
            "client_options",
            f"{unknown[0]!r} is not supported here.{did_you_mean(unknown[0], _OPTIONS)} "
            f"Fix: connect(transport={other!r})",
        )
    if session is not None and profile_name is not None:
        raise ValueOutOfRangeError(
            "profile_name", "the session already has one. Fix: give only one of them"
        )
    _require_config(config, other)
    _require_source(credentials)
    return {
        "region_name": region_name or options.get("region_name"),
        "endpoint_url": endpoint_url or options.get("endpoint_url"),
        "credentials": _static(options) if credentials is None else credentials,
        "profile_name": profile_name,
        "session": session,
        "config": config,
        "verify": options.get("verify") if verify is None else verify,
        "proxies": proxies,
        "client_cert": client_cert,
        "max_connections": _pool_size(config, max_connections),
        "connect_timeout_s": connect_timeout_s,
    }


def opening_error(fact: NotSent) -> NotSentError:
    """The error for a transport that does not open."""
    if fact.provider is not None:
        return CredentialsError("connect()", fact.provider, fact.reason)
    if any(word in fact.reason for word in ("ProfileNotFound", "CredentialsError", "SSOError")):
        return CredentialsError("connect()", "the configured source", fact.reason)
    fix = next((fix for start, fix in _FIXES.items() if fact.reason.startswith(start)), "")
    return ValueOutOfRangeError("connect()", f"{fact.reason}{fix}")


_FIXES: Final = {
    "NoRegionError": " Fix: connect(region_name=...), or set AWS_DEFAULT_REGION. "
    "AWS_REGION alone is not read",
    "Invalid endpoint": ". Fix: an endpoint_url that begins with http:// or https://",
}


def _require_source(credentials: object) -> None:
    if credentials is None or callable(credentials):
        return
    if hasattr(credentials, "get_frozen_credentials") or hasattr(credentials, "access_key"):
        return
    raise UnsupportedTypeError(
        "credentials",
        "an object with access_key and secret_key, or a function that returns one, is expected, "
        f"not {type(credentials).__name__}. Fix: botocore.credentials.Credentials(access_key, "
        "secret_key)",
    )


def _static(options: Mapping[str, Any]) -> Credentials | None:
    access_key, secret_key = (options.get(name) for name in _KEYS)
    if access_key is None and secret_key is None:
        return None
    if not (isinstance(access_key, str) and isinstance(secret_key, str)):
        raise CredentialsError("connect()", "client_options", f"{' and '.join(_KEYS)} go together")
    token, account_id = options.get("aws_session_token"), options.get("aws_account_id")
    return Credentials(access_key, secret_key, token, account_id=account_id)


def _require_config(config: Any, other: str) -> None:
    if config is None:
        return
    from botocore.config import Config

    if not isinstance(config, Config):
        raise UnsupportedTypeError(
            "config", f"a botocore Config is expected, not {type(config).__name__}"
        )
    given: Any = config  # its options are attributes that are made at run time
    retries: Mapping[str, Any] = given.retries or {}
    if retries and not sends_once(retries):
        raise ClientRetriesError(str(dict(retries)))
    # aiobotocore's Config has more options. Only their defaults are supported here.
    http_class = getattr(config, "http_session_cls", None)
    is_foreign = http_class is not None and http_class.__module__ != "aiobotocore.httpsession"
    if is_foreign or _connector_args(config):
        raise ValueOutOfRangeError(
            "config",
            f"it has options of aiobotocore only. Fix: connect(transport={other!r})",
        )


def _connector_args(config: Any) -> dict[str, Any]:
    # aiobotocore adds its own default.
    given = getattr(config, "connector_args", None) or {}
    return {name: value for name, value in given.items() if (name, value) != _KEEPALIVE}


def _pool_size(config: Any, max_connections: int | None) -> int:
    given = getattr(config, "_user_provided_options", {}).get("max_pool_connections")
    if given is None:
        return DEFAULT_MAX_CONNECTIONS if max_connections is None else max_connections
    if max_connections is not None and max_connections > given:
        raise ValueOutOfRangeError(
            "max_connections",
            f"{max_connections}, but the client's pool has {given} connections. Fix: "
            f"client_config(max_pool_connections={max_connections}), or a lower max_connections",
        )
    return int(given) if max_connections is None else max_connections
