"""The settings of clients of botocore."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import NoCredentialsError, ProfileNotFound, UnknownServiceError

from dynasafe.environment.clients import client_config, opening_error, pool_size
from dynasafe.errors import (
    ClientRetriesError,
    CredentialsError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)


def test_config_without_aiobotocore(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without aiobotocore the config is botocore's own."""
    monkeypatch.setitem(sys.modules, "aiobotocore.config", None)
    assert type(client_config()) is Config


@pytest.mark.parametrize(
    ("config", "error"),
    [({}, UnsupportedTypeError), (Config(retries={"max_attempts": 3}), ClientRetriesError)],
)
def test_wrong_config(config: Any, error: type[Exception]) -> None:
    """A config of another class, or with retries, is refused."""
    with pytest.raises(error):
        pool_size(config, 50)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NoCredentialsError(), CredentialsError),
        (ProfileNotFound(profile="dev"), CredentialsError),
        (UnknownServiceError(service_name="x", known_service_names="y"), ValueOutOfRangeError),
    ],
)
def test_opening_error(error: Exception, expected: type[Exception]) -> None:
    """A client that could not be made says whether credentials are missing."""
    assert type(opening_error(error)) is expected
