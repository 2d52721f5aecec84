"""Credentials: their parts, their place in the environment, and when to fetch them again.

This module handles the environment and container endpoints. botocore's chain handles everything
else, such as profiles, roles and instance metadata.

Sources: botocore/credentials.py (EnvProvider, ContainerProvider, RefreshableCredentials); "Amazon
ECS task IAM role"; "EKS Pod Identity", for the token files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

ADVISORY_S: Final = 900.0
"""Seconds before the expiry at which credentials are fetched again in the background."""

_CONTAINER_HOST: Final = "169.254.170.2"
_CONTAINER_HOSTS: Final = frozenset(
    {_CONTAINER_HOST, "169.254.170.23", "fd00:ec2::23", "localhost", "127.0.0.1", "::1"}
)


class CredentialProblem(Exception):
    """Credentials that could not be fetched. `provider` names their source."""

    def __init__(self, provider: str, reason: str) -> None:
        super().__init__(provider, reason)
        self.provider = provider
        self.reason = reason


class Credentials:
    """One set of credentials. Immutable; its repr shows no secret.

    Args:
        expires_at_s: seconds since the epoch; infinite if they do not expire.
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
    """The endpoint that gives a container's credentials.

    Args:
        token: the value of the header Authorization.
        token_file: a file with the token, which is read each time because the token is rotated.
    """

    __slots__ = ("token", "token_file", "url")

    def __init__(self, url: str, token: str | None, token_file: str | None) -> None:
        self.url: Final = url
        self.token: Final = token
        self.token_file: Final = token_file


def environment_credentials(environ: Mapping[str, str]) -> Credentials | None:
    """The credentials in the environment, or None if it has none or does not decide alone."""
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
    """The container's endpoint, or None if botocore's chain would use another source first.

    The caller checks that no file comes before it in the chain.
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
        raise CredentialProblem(provider, "the endpoint's answer is not a JSON object")
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
        raise CredentialProblem(provider, "Expiration is not a timestamp") from error
    account_id = answer.get("AccountId")
    return Credentials(
        answer["AccessKeyId"],
        answer["SecretAccessKey"],
        answer["Token"],
        account_id=account_id if isinstance(account_id, str) else None,
        expires_at_s=expires_at_s,
    )


def timestamp_s(text: str) -> float:
    """An ISO 8601 timestamp in seconds since the epoch. Without an offset it is in UTC.

    Raises:
        ValueError: the text is not a timestamp.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class CredentialState:
    """The credentials of a client, and when to fetch them again. Time is an argument.

    Calls use `current`. From `stale_at_s` on they check whether to fetch.

    Args:
        can_fetch: whether there is a source to fetch from.
    """

    def __init__(self, current: Credentials | None, *, can_fetch: bool, now_s: float) -> None:
        self.current: Credentials | None = None
        self.stale_at_s: float = -math.inf
        self.can_fetch: Final = can_fetch
        self._failures = 0
        self._next_try_s = -math.inf
        self.is_refused: bool = False  # the current ones, by DynamoDB
        if current is not None:
            self._take(current, now_s)

    def usable(self, now_s: float) -> Credentials | None:
        """The credentials if they are valid now; None if others must be fetched first.

        Raises:
            CredentialProblem: they cannot be fetched.
        """
        current = self.current
        if current is not None and now_s < current.expires_at_s and not self.is_refused:
            return current
        if not self.can_fetch:
            raise CredentialProblem("static", "the credentials have expired")
        return None

    def is_stale(self, now_s: float) -> bool:
        """Whether to fetch in the background: they expire soon, and no fetch failed just now."""
        return self.can_fetch and now_s >= max(self.stale_at_s, self._next_try_s)

    def refuse(self, credentials: Credentials) -> None:
        """Note that DynamoDB refused these credentials. The next call fetches others first."""
        if self.can_fetch and self.current == credentials:
            self.is_refused = True
            self.stale_at_s = -math.inf

    def must_ask(self, refused: Credentials | None) -> bool:
        """Whether to fetch from the source, because these credentials were refused.

        If many calls meet the expiry together, only one fetches. The others find that the current
        credentials are not those that they were refused with.
        """
        return self.is_refused or self.current == refused

    def fetched(self, credentials: Credentials, now_s: float) -> None:
        """Take fetched credentials.

        Raises:
            CredentialProblem: they have expired.
        """
        if now_s >= credentials.expires_at_s:
            raise CredentialProblem("credentials", "the fetched credentials have already expired")
        self._take(credentials, now_s)
        self._failures = 0

    def failed(self, now_s: float, draw: float) -> None:
        """Note that a fetch failed."""
        self._failures += 1
        self._next_try_s = now_s + refresh_delay_s(self._failures, draw=draw)

    def _take(self, credentials: Credentials, now_s: float) -> None:
        self.current = credentials
        self.is_refused = False
        # Short-lived credentials are fetched again in the second half of their lifetime.
        lifetime_s = credentials.expires_at_s - now_s
        self.stale_at_s = credentials.expires_at_s - min(ADVISORY_S, lifetime_s / 2)


def refresh_delay_s(failures: int, *, draw: float) -> float:
    """Seconds until the next fetch after a number of consecutive failures.

    At most `min(60, 2 ** (failures - 1))` seconds. Half of that is random.
    """
    ceiling = min(60.0, 2.0 ** (min(failures, 10) - 1))
    return ceiling * (0.5 + draw / 2)


def require_credentials(found: Any) -> Credentials:
    """Our Credentials, from any object with the attributes of botocore's.

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
