"""The arguments of connect() for connections of our own."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config

from dynasafe import client_config
from dynasafe.environment.arguments import http_settings, opening_error
from dynasafe.errors import (
    NO_CREDENTIALS,
    ClientRetriesError,
    CredentialsError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.http.credentials import Credentials
from dynasafe.resilience.boundary import NotSent

NOTHING: dict[str, Any] = {
    "other": "boto3",
    "region_name": None,
    "endpoint_url": None,
    "session": None,
    "config": None,
    "max_connections": None,
    "connect_timeout_s": 5.0,
    "client_options": None,
    "credentials": None,
    "profile_name": None,
    "verify": None,
    "proxies": None,
    "client_cert": None,
}
KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}


def settings(**given: Any) -> dict[str, Any]:
    """What differs from the settings without any argument."""
    plain = http_settings(**NOTHING)
    found = http_settings(**NOTHING | given)
    return {name: value for name, value in found.items() if value != plain[name]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"max_connections": 4}, {"max_connections": 4}),
        (
            {"client_options": {"region_name": "r", "verify": False}},
            {"region_name": "r", "verify": False},
        ),
        ({"client_options": {"verify": False}, "verify": True}, {"verify": True}),
        (
            {"client_options": {**KEYS, "aws_session_token": "t", "aws_account_id": "1"}},
            {"credentials": Credentials("a", "b", "t", account_id="1")},
        ),
    ],
)
def test_settings(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """Options of a client are taken where no argument is given."""
    assert settings(**given) == expected


@pytest.mark.parametrize(
    ("config", "max_connections", "expected"),
    [
        (Config(), None, 50),
        (Config(), 4, 4),
        (Config(max_pool_connections=10), None, 10),
        (Config(max_pool_connections=10), 9, 9),
        (client_config(max_pool_connections=20), 20, 20),
    ],
)
def test_pool_size(config: Any, max_connections: int | None, expected: int) -> None:
    """A pool has the connections of the argument, or else of the config."""
    given = {"config": config, "max_connections": max_connections}
    assert http_settings(**NOTHING | given)["max_connections"] == expected


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (
            {"client_options": {"use_ssl": False}},
            ValueOutOfRangeError,
            "'use_ssl' is not supported here. Fix: connect(transport='boto3')",
        ),
        (
            {"client_options": {"config": Config()}},
            ValueOutOfRangeError,
            "Fix: connect(config=...)",
        ),
        (
            {"session": object(), "profile_name": "dev"},
            ValueOutOfRangeError,
            "profile_name: the session already has one",
        ),
        (
            {"client_options": {"aws_access_key_id": "a"}},
            CredentialsError,
            "aws_access_key_id and aws_secret_access_key go together",
        ),
        (
            {"client_options": {"aws_acces_key_id": "a"}},
            ValueOutOfRangeError,
            "'aws_acces_key_id' is not supported here. Did you mean 'aws_access_key_id'?",
        ),
        (
            {"credentials": {"access_key": "a", "secret_key": "b"}},
            UnsupportedTypeError,
            "credentials: an object with access_key and secret_key, or a function that returns "
            "one, is expected, not dict. Fix: botocore.credentials.Credentials(",
        ),
        ({"config": {}}, UnsupportedTypeError, "a botocore Config is expected, not dict"),
        ({"config": Config(retries={"max_attempts": 3})}, ClientRetriesError, "max_attempts"),
        (
            {"config": Config(max_pool_connections=10), "max_connections": 11},
            ValueOutOfRangeError,
            "11, but the client's pool has 10 connections",
        ),
    ],
)
def test_refused(given: dict[str, Any], error: type[Exception], words: str) -> None:
    """What contradicts another argument, or is not supported, is refused."""
    with pytest.raises(error) as caught:
        http_settings(**NOTHING | given)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("fact", "error"),
    [
        (NotSent("no answer", provider="sso"), CredentialsError),
        (NotSent("ProfileNotFound: dev"), CredentialsError),
        (NotSent("no such file"), ValueOutOfRangeError),
    ],
)
def test_opening_error(fact: NotSent, error: type[Exception]) -> None:
    """A transport that does not open says whether credentials are missing."""
    assert type(opening_error(fact)) is error


@pytest.mark.parametrize(
    ("fact", "fix"),
    [
        (
            NotSent("NoRegionError: You must specify a region."),
            "connect(region_name=...), or set AWS_DEFAULT_REGION. AWS_REGION alone is not read",
        ),
        (
            NotSent("Invalid endpoint: 127.0.0.1:8000"),
            "Fix: an endpoint_url that begins with http:// or https://",
        ),
        (
            NotSent(NO_CREDENTIALS, provider="botocore's chain"),
            "Fix: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the "
            "process a role. An engine on this machine takes any keys: connect(client_options="
            "{'aws_access_key_id': 'test', 'aws_secret_access_key': 'test'}).",
        ),
        (
            NotSent("the token has expired", provider="sso"),
            "Fix: check that source of credentials, its permissions and the network.",
        ),
    ],
    ids=["region", "endpoint", "no credentials", "a source"],
)
def test_fix_of_an_opening_error(fact: NotSent, fix: str) -> None:
    """The commonest mistakes of a first call have a fix of their own."""
    assert str(opening_error(fact)).endswith(fix)


def test_config_of_aiobotocore() -> None:
    """A config of aiobotocore is taken, unless it has options of its own."""
    config_class = pytest.importorskip("aiobotocore.config").AioConfig
    given = {"config": config_class(max_pool_connections=20)}
    assert http_settings(**NOTHING | given)["max_connections"] == 20
    for own in ({"connector_args": {"use_dns_cache": False}}, {"http_session_cls": int}):
        with pytest.raises(ValueOutOfRangeError, match="options of aiobotocore only"):
            http_settings(**NOTHING | {"config": config_class(**own)})
