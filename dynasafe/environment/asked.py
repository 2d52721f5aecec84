"""Endpoints and credentials as botocore finds them.

botocore makes a client, and a request is stopped just before it would be sent. So the installed
version of botocore decides the address and the signing region of a request.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping
from typing import Any, Final

from dynasafe.environment.forks import renewed_after_fork
from dynasafe.errors import NO_CREDENTIALS
from dynasafe.http.credentials import CredentialProblem, Credentials
from dynasafe.http.endpoint import Endpoint, endpoint

_SCOPE: Final = re.compile(r"Credential=[^/]+/\d+/([^/]+)/dynamodb/")
_STATIC: Final = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


class Asked:
    """botocore's answers; blocking.

    Args:
        session: a boto3 or botocore session, or None for a new one.
        client_options: arguments of botocore's create_client.

    Raises:
        ValueError: botocore cannot make a client from these settings. The text is botocore's.
    """

    def __init__(
        self, session: Any, profile_name: str | None, client_options: Mapping[str, Any]
    ) -> None:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        self.renew_locks()
        renewed_after_fork(self)
        self._own: Final = session is None
        self._profile_name: Final = profile_name
        options = dict(client_options)
        given = options.pop("config", None)
        config = Config(parameter_validation=False)
        options["config"] = config if given is None else given.merge(config)
        self._is_static: Final = options.get(_STATIC[0]) is not None
        self._endpoints: dict[tuple[str | None, str | None, bool], Endpoint] = {}
        try:
            self._session: Any = _session(profile_name) if session is None else _inner(session)
            self._client: Any = self._session.create_client("dynamodb", **options)
        except BotoCoreError as error:
            raise ValueError(_words(error)) from error
        self._client.meta.events.register("before-send.dynamodb", _Stop().stop)
        self.ca_bundle: str | None = self._session.get_config_variable("ca_bundle")
        self.region: str = self._client.meta.region_name
        self._options: Final = options

    def renew_locks(self) -> None:
        self._lock = threading.Lock()

    def endpoint(
        self, account_id: str | None, resource: str | None = None, *, is_search: bool = False
    ) -> Endpoint:
        """The endpoint of a request, as `Place.endpoint`. The first call needs credentials.

        Raises:
            ValueError: botocore has no endpoint for the request.
        """
        key = (account_id, resource, is_search)
        with self._lock:
            found = self._endpoints.get(key)
            if found is None:
                found = self._probe(resource, is_search)
                if len(self._endpoints) > 1000:
                    self._endpoints.clear()
                self._endpoints[key] = found
        return found

    def _probe(self, resource: str | None, is_search: bool) -> Endpoint:
        from botocore.exceptions import BotoCoreError

        operation = "SearchVectors" if is_search else "DescribeTable"
        try:
            self._client._make_api_call(operation, {"TableName": resource or "probe"})
        except _Stopped as stopped:
            match = _SCOPE.search(stopped.authorization)
            return endpoint(stopped.url, match[1] if match else self.region)
        except (BotoCoreError, ValueError) as error:
            raise ValueError(_words(error)) from error
        raise ValueError("botocore sent a request past its own hook")

    def fetch(self, *, is_forced: bool = False) -> Credentials:
        """The credentials that botocore's chain has now.

        Args:
            is_forced: fetch them from their source, even if they have not expired.

        Raises:
            CredentialProblem: it has none.
        """
        with self._lock:
            try:
                return self._fetch(is_forced)
            except CredentialProblem:
                raise
            except Exception as error:
                provider = getattr(error, "kwargs", {}).get("provider") or _source(self._found())
                raise CredentialProblem(provider, _words(error)) from error

    def _fetch(self, is_forced: bool) -> Credentials:
        if is_forced and not self._is_static:
            found = self._found()
            if self._own:
                # The chain caches assumed roles, so only a new chain fetches them again.
                self._session = _session(self._profile_name)
                found = self._session.get_credentials()
                self._client._request_signer._credentials = found
            elif hasattr(found, "_protected_refresh"):
                with found._refresh_lock:
                    found._protected_refresh(is_mandatory=True)
        found = self._found()
        if found is None and not self._is_static:
            # If the chain found nothing, try again: the metadata service may be available now.
            if self._own:
                self._session = _session(self._profile_name)
            found = self._session.get_credentials()
            self._client._request_signer._credentials = found
        if found is None:
            raise CredentialProblem("botocore's chain", NO_CREDENTIALS)
        frozen = found.get_frozen_credentials()
        expires = getattr(found, "_expiry_time", None)
        return Credentials(
            frozen.access_key,
            frozen.secret_key,
            frozen.token or None,
            account_id=getattr(frozen, "account_id", None),
            expires_at_s=math.inf if expires is None else expires.timestamp(),
        )

    def _found(self) -> Any:
        return self._client._request_signer._credentials


def _session(profile_name: str | None) -> Any:
    from botocore.session import Session

    return Session(profile=profile_name)


def _inner(session: Any) -> Any:
    """The botocore session inside a boto3 session."""
    return getattr(session, "_session", session)


def _source(found: Any) -> str:
    return str(getattr(found, "method", None) or "botocore's chain")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


class _Stopped(Exception):
    def __init__(self, url: str, authorization: str) -> None:
        super().__init__(url)
        self.url = url
        self.authorization = authorization


class _Stop:
    """Receives a prepared request in place of the network."""

    def stop(self, request: Any, **_: Any) -> Any:
        authorization = request.headers.get("Authorization", "")
        if isinstance(authorization, bytes):
            authorization = authorization.decode()
        raise _Stopped(request.url, authorization)
