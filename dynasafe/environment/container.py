"""Credentials from the endpoint of a container: ECS, and EKS Pod Identity.

Source: botocore/utils.py, ContainerMetadataFetcher.
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import Final

from dynasafe.http.credentials import (
    Container,
    CredentialProblem,
    Credentials,
    container_answer,
)

_TIMEOUT_S: Final = 2.0
_MAX_BYTES: Final = 64 * 1024
_PROVIDER: Final = "container-role"


def fetch_container(container: Container) -> Credentials:
    """Fetch from the endpoint once. Blocks, at most 2 s for each step.

    Raises:
        CredentialProblem: it gave no credentials.
    """
    from http.client import HTTPConnection, HTTPException
    from urllib.parse import urlsplit

    parts = urlsplit(container.url)
    assert parts.hostname is not None
    headers = {"Accept": "application/json"}
    token = _token(container)
    if token is not None:
        headers["Authorization"] = token
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # No proxy: the endpoint is on the same machine.
    connection = HTTPConnection(parts.hostname, parts.port or 80, timeout=_TIMEOUT_S)
    try:
        with closing(connection):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read(_MAX_BYTES)
    except (OSError, HTTPException, ValueError) as error:
        raise CredentialProblem(_PROVIDER, f"no answer ({type(error).__name__})") from error
    if answer.status != 200:
        raise CredentialProblem(_PROVIDER, f"HTTP {answer.status}")
    try:
        found = json.loads(body)
    except ValueError as error:
        raise CredentialProblem(_PROVIDER, "its answer is not JSON") from error
    return container_answer(found)


def _token(container: Container) -> str | None:
    if container.token_file is None:
        token = container.token
    else:
        try:
            with open(container.token_file, encoding="utf-8") as file:
                token = file.read()
        except (OSError, ValueError) as error:
            raise CredentialProblem(
                _PROVIDER, f"its token file cannot be read ({type(error).__name__})"
            ) from error
    if token is not None and ("\r" in token or "\n" in token):
        raise CredentialProblem(_PROVIDER, "its token has line breaks")
    return token
