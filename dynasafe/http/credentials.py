"""Credentials: what they are, where the environment keeps them, when they are fetched again.

The environment and container endpoints are decided here. Anything else, such as a profile, a role
or the metadata of an instance, is for botocore's chain.

Sources: botocore/credentials.py (EnvProvider, ContainerProvider, RefreshableCredentials); "Amazon
ECS task IAM role"; "EKS Pod Identity", for the token files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

ADVISORY_S: Final = 900.0
"""Seconds before their expiry from which credentials are fetched again in the background."""

_CONTAINER_HOST: Final = "169.254.170.2"
_CONTAINER_HOSTS: Final = frozenset(
    {_CONTAINER_HOST, "169.254.170.23", "fd00:ec2::23", "localhost", "127.0.0.1", "::1"}
)


class CredentialProblem(Exception):
    """Credentials that could not be fetched. `provider` names where they should have come from."""

    def __init__(self, provider: str, reason: str) -> None:
        super().__init__(provider, reason)
        self.provider = provider
        self.reason = reason


class Credentials:
    """One set of credentials. Immutable; its repr shows no secret.

    Args:
        expires_at_s: seconds since the epoch; infinite for those that do not expire.
    """

    __slots__ = ("access_key", "account_id", "expires_at_s", "secret_key", "token")

    def __init__(
        self,
        access_key: str,
        secret_key: str,
        token: str | None = None,
        *,
        account_id: str | None = None,
        expires_at_s: float = math.inf,
    ) -> None:
        self.access_key: Final = access_key
        self.secret_key: Final = secret_key
        self.token: Final = token
        self.account_id: Final = account_id
        self.expires_at_s: Final = expires_at_s

    def __repr__(self) -> str:
        return f"Credentials(access_key={self.access_key!r})"

    def __reduce__(self) -> str:
        raise TypeError("credentials are not pickled")

    def _facts(self) -> tuple[object, ...]:
        return (
            self.access_key,
            self.secret_key,
            self.token,
            self.account_id,
            self.expires_at_s,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Credentials) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())


class Container:
    """Where a container's credentials are asked for.

    Args:
        token: goes into the header Authorization.
        token_file: holds the token, and is read again each time, since it is rotated.
    """

    __slots__ = ("token", "token_file", "url")

    def __init__(self, url: str, token: str | None, token_file: str | None) -> None:
        self.url: Final = url
        self.token: Final = token
        self.token_file: Final = token_file


def environment_credentials(environ: Mapping[str, str]) -> Credentials | None:
    """The credentials that the environment holds, or None where it does not decide by itself."""
    access_key = environ.get("AWS_ACCESS_KEY_ID")
    secret_key = environ.get("AWS_SECRET_ACCESS_KEY")
    if not access_key or not secret_key or environ.get("AWS_CREDENTIAL_EXPIRATION"):
        return None
    return Credentials(
        access_key,
        secret_key,
        environ.get("AWS_SECURITY_TOKEN") or environ.get("AWS_SESSION_TOKEN") or None,
        account_id=environ.get("AWS_ACCOUNT_ID") or None,
    )


def container(environ: Mapping[str, str]) -> Container | None:
    """The container's endpoint, or None where it is not the first in botocore's chain.

    Its caller makes sure that no file comes before it.
    """
    if any(environ.get(name) for name in _BEFORE_CONTAINER):
        return None
    relative = environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    url = environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if relative is not None:
        url = f"http://{_CONTAINER_HOST}{relative}"
    if not url:
        return None
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme != "http" or host not in _CONTAINER_HOSTS:
        return None
    return Container(
        url,
        environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
    )


_BEFORE_CONTAINER: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_CREDENTIAL_FILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "BOTO_CONFIG",
)


def container_answer(answer: Any) -> Credentials:
    """The credentials in a container endpoint's answer.

    Raises:
        CredentialProblem: it has none.
    """
    provider = "container-role"
    if not isinstance(answer, Mapping):
        raise CredentialProblem(provider, "the endpoint's answer is no JSON object")
    missing = [
        name
        for name in ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")
        if not isinstance(answer.get(name), str)
    ]
    if missing:
        raise CredentialProblem(provider, f"the endpoint's answer has no {', '.join(missing)}")
    try:
        expires_at_s = timestamp_s(answer["Expiration"])
    except ValueError as error:
        raise CredentialProblem(provider, "Expiration is no timestamp") from error
    account_id = answer.get("AccountId")
    return Credentials(
        answer["AccessKeyId"],
        answer["SecretAccessKey"],
        answer["Token"],
        account_id=account_id if isinstance(account_id, str) else None,
        expires_at_s=expires_at_s,
    )


def timestamp_s(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 timestamp; one without an offset is in UTC.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


_FRESH_S: Final = 10.0
"""For so long after a fetch, calls that were refused take what was fetched."""


class CredentialState:
    """The credentials of a client, and when they are to be fetched again. Time is an argument.

    `current` is what calls use, and `stale_at_s` from when on they ask whether to fetch.

    Args:
        can_fetch: whether there is a source that can be asked again.
    """

    def __init__(self, current: Credentials | None, *, can_fetch: bool, now_s: float) -> None:
        self.current: Credentials | None = None
        self.stale_at_s: float = -math.inf
        self.can_fetch: Final = can_fetch
        self._failures = 0
        self._next_try_s = -math.inf
        self._refreshed_at_s = -math.inf
        if current is not None:
            self._take(current, now_s)

    def usable(self, now_s: float) -> Credentials | None:
        """The credentials, if they are good now; None: they must be fetched first.

        Raises:
            CredentialProblem: they cannot be.
        """
        current = self.current
        if current is not None and now_s < current.expires_at_s:
            return current
        if not self.can_fetch:
            raise CredentialProblem("static", "the credentials have expired")
        return None

    def is_stale(self, now_s: float) -> bool:
        """Whether to fetch others meanwhile: soon they expire, and no fetch failed just now."""
        return self.can_fetch and now_s >= max(self.stale_at_s, self._next_try_s)

    def must_ask(self, refused: Credentials | None, now_s: float) -> bool:
        """Whether the source must be asked, since these credentials were refused.

        Of many calls that meet the expiry together, one asks.
        """
        return now_s - self._refreshed_at_s >= _FRESH_S or self.current is refused

    def fetched(self, credentials: Credentials, now_s: float) -> None:
        """These were fetched.

        Raises:
            CredentialProblem: they have expired.
        """
        if now_s >= credentials.expires_at_s:
            raise CredentialProblem("credentials", "what was fetched has expired already")
        self._take(credentials, now_s)
        self._failures = 0
        self._refreshed_at_s = now_s

    def failed(self, now_s: float, draw: float) -> None:
        """They could not be fetched."""
        self._failures += 1
        self._next_try_s = now_s + refresh_delay_s(self._failures, draw=draw)

    def _take(self, credentials: Credentials, now_s: float) -> None:
        self.current = credentials
        # Those of a short life are fetched again in its second half.
        lifetime_s = credentials.expires_at_s - now_s
        self.stale_at_s = credentials.expires_at_s - min(ADVISORY_S, lifetime_s / 2)


def refresh_delay_s(failures: int, *, draw: float) -> float:
    """Seconds until credentials are asked for again after so many failures in a row.

    Half of it is drawn: `min(60, 2 ** (failures - 1))` seconds at most.
    """
    ceiling = min(60.0, 2.0 ** (min(failures, 10) - 1))
    return ceiling * (0.5 + draw / 2)


def require_credentials(found: Any) -> Credentials:
    """Credentials of ours, from any object that has a botocore credential's attributes.

    Raises:
        CredentialProblem: it has none.
    """
    if isinstance(found, Credentials):
        return found
    frozen = getattr(found, "get_frozen_credentials", None)
    expires = getattr(found, "_expiry_time", None)
    source = frozen() if callable(frozen) else found
    access_key = getattr(source, "access_key", None)
    secret_key = getattr(source, "secret_key", None)
    if not isinstance(access_key, str) or not isinstance(secret_key, str):
        raise CredentialProblem(
            "credentials=", f"credentials are expected, not {type(found).__name__}"
        )
    return Credentials(
        access_key,
        secret_key,
        getattr(source, "token", None) or None,
        account_id=getattr(source, "account_id", None),
        expires_at_s=math.inf if expires is None else expires.timestamp(),
    )
