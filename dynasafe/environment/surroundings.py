"""Finds a client's endpoint, credentials, proxy and certificates.

Blocking: reads files, and imports botocore if it must decide.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from dynasafe.environment.proxies import Proxy, proxy_of
from dynasafe.environment.trust import Trust
from dynasafe.http.credentials import (
    CredentialProblem,
    Credentials,
    container,
    environment_credentials,
    require_credentials,
)
from dynasafe.http.endpoint import Ask, Endpoint, Place, decide
from dynasafe.resilience.boundary import NotSent

if TYPE_CHECKING:
    from dynasafe.environment.asked import Asked


class Wanted:
    """The arguments of a client.

    Args:
        credentials: an object with `access_key`, `secret_key` and optionally `token`, or a function
            that returns one; by default as botocore finds them.
        session: a boto3 or botocore session, whose settings and credentials are used.
        config: a botocore Config. Its proxies, client certificate and endpoint settings are used.
        verify: True, False or the path of a bundle of authorities; by default as in botocore.
        proxies: by scheme, in place of the environment's; empty for none.
        client_cert: the path of a certificate with its key, or a path for each.
    """

    __slots__ = (
        "client_cert",
        "config",
        "credentials",
        "endpoint_url",
        "profile_name",
        "proxies",
        "region_name",
        "session",
        "verify",
    )

    def __init__(
        self,
        *,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        credentials: Any = None,
        profile_name: str | None = None,
        session: Any = None,
        config: Any = None,
        verify: bool | str | None = None,
        proxies: Mapping[str, str] | None = None,
        client_cert: str | tuple[str, str] | None = None,
    ) -> None:
        self.region_name: Final = region_name
        self.endpoint_url: Final = endpoint_url
        self.credentials: Final = credentials
        self.profile_name: Final = profile_name
        self.session: Final = session
        self.config: Final = config
        self.verify: Final = verify
        self.proxies: Final = proxies or getattr(config, "proxies", None) or proxies
        self.client_cert: Final = client_cert or getattr(config, "client_cert", None)


class Surroundings:
    """The settings that were found.

    Args:
        fetch: returns credentials; its argument says whether to fetch them from their source. None
            if `credentials` are static.
    """

    __slots__ = ("_environ", "_trust", "_wanted", "credentials", "fetch", "place")

    def __init__(
        self,
        wanted: Wanted,
        environ: Mapping[str, str],
        place: Place | Asked,
        trust: Trust | None,
        fetch: Callable[[bool], Any] | None,
        credentials: Credentials | None,
    ) -> None:
        self._wanted: Final = wanted
        self._environ: Final = environ
        self._trust = trust
        self.place: Final = place
        self.fetch: Final = fetch
        self.credentials: Final = credentials

    def proxy(self, endpoint: Endpoint) -> Proxy | None:
        """The proxy that requests to an endpoint go through.

        Raises:
            ValueError: its URL is not one of a proxy.
        """
        return proxy_of(endpoint, self._environ, self._wanted.proxies)

    def require_trust(self) -> Trust:
        """The certificates for TLS."""
        if self._trust is None:
            self._trust = Trust(self._environ, self._wanted.verify, self._wanted.client_cert)
        return self._trust


def look_around(wanted: Wanted, environ: Mapping[str, str]) -> Surroundings:
    """Find the settings that the arguments do not give.

    Raises:
        ValueError: botocore cannot use these settings. The text is botocore's.
        CredentialProblem: the given object has no credentials.
        OSError: a file cannot be read.
    """
    given = wanted.credentials
    credentials = None
    if given is not None and not callable(given):
        credentials = require_credentials(given)
    elif given is None and wanted.session is None and wanted.profile_name is None:
        credentials = environment_credentials(environ)
    place: Place | Asked | Ask
    if any(each is not None for each in (wanted.session, wanted.profile_name, wanted.config)):
        place = Ask("a session, a profile or a config is given")
    else:
        place = decide(
            environ,
            region_name=wanted.region_name,
            endpoint_url=wanted.endpoint_url,
            account_id=None if credentials is None else credentials.account_id,
            has_files=_has_any(
                environ.get("AWS_CONFIG_FILE", "~/.aws/config"),
                environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
            ),
        )
    asked = None
    if isinstance(place, Ask):
        place = asked = _ask(wanted, credentials)
    trust = None
    if not (isinstance(place, Place) and (place.endpoint_url or "").startswith("http://")):
        # Read here, so that a missing file is reported before any call.
        verify = wanted.verify
        if verify is None and asked is not None:
            verify = asked.ca_bundle or None  # botocore also ignores an empty setting
        trust = Trust(environ, verify, wanted.client_cert)
    fetch: Callable[[bool], Any] | None = None
    if credentials is None:
        fetch = _source(wanted, environ, asked)
    return Surroundings(wanted, environ, place, trust, fetch, credentials)


def require_surroundings(wanted: Wanted, environ: Mapping[str, str]) -> Surroundings:
    """`look_around`, for a transport.

    Raises:
        NotSent: the settings contradict each other, or are incomplete.
    """
    try:
        return look_around(wanted, environ)
    except (ValueError, ImportError) as error:
        raise NotSent(str(error), is_retryable=False) from error
    except OSError as error:
        raise NotSent(f"a file cannot be read: {error}", is_retryable=False) from error
    except CredentialProblem as problem:
        raise without_credentials(problem) from problem


def without_credentials(problem: CredentialProblem) -> NotSent:
    """The failure of a request without credentials."""
    return NotSent(problem.reason, is_retryable=False, provider=problem.provider)


def _source(
    wanted: Wanted, environ: Mapping[str, str], asked: Asked | None
) -> Callable[[bool], Any]:
    given = wanted.credentials
    if given is not None:
        return lambda is_forced: given()
    if asked is None and not _has_any("/etc/boto.cfg", "~/.boto"):
        near = container(environ)
        if near is not None:
            from dynasafe.environment.container import fetch_container

            return lambda is_forced: fetch_container(near)
    chain = _ask(wanted, None) if asked is None else asked
    return lambda is_forced: chain.fetch(is_forced=is_forced)


def _ask(wanted: Wanted, credentials: Credentials | None) -> Asked:
    from dynasafe.environment.asked import Asked

    options: dict[str, Any] = {
        "region_name": wanted.region_name,
        "endpoint_url": wanted.endpoint_url,
    }
    if wanted.config is not None:
        options["config"] = wanted.config
    if wanted.credentials is not None:
        # Only for the endpoint, which depends on the account.
        options["aws_access_key_id"] = "unused"
        options["aws_secret_access_key"] = "unused"
        if credentials is not None and credentials.account_id is not None:
            options["aws_account_id"] = credentials.account_id
    return Asked(wanted.session, wanted.profile_name, options)


def _has_any(*paths: str) -> bool:
    return any(os.path.exists(os.path.expanduser(path)) for path in paths)
