"""Endpoints and credentials that botocore is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.session import Session

from dynasafe.environment.asked import Asked

SHARED = """\
[default]
aws_access_key_id = {key}
aws_secret_access_key = secret
"""
REGION = {"region_name": "us-east-1"}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of credentials, which is the only source."""
    path = tmp_path / "credentials"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return path


def test_fetched_again(file: Path) -> None:
    """Credentials are kept until they are fetched again; then their source has the new ones."""
    file.write_text(SHARED.format(key="old"))
    asked = Asked(None, None, REGION)
    assert asked.fetch().access_key == "old"

    file.write_text(SHARED.format(key="new"))

    assert asked.fetch().access_key == "old"
    assert asked.fetch(is_forced=True).access_key == "new"
    assert asked.fetch().access_key == "new"


def test_session_of_the_caller() -> None:
    """The credentials of a session are refreshed by their own function, if they have one."""
    fetches: list[int] = []

    def fetch() -> dict[str, str]:
        fetches.append(1)
        return {
            "access_key": f"key{len(fetches)}",
            "secret_key": "secret",
            "token": "token",
            "expiry_time": "2099-01-01T00:00:00Z",
        }

    session: Any = Session()
    session._credentials = RefreshableCredentials.create_from_metadata(fetch(), fetch, "test")
    asked = Asked(session, None, REGION)
    assert asked.fetch().access_key == "key1"
    assert asked.fetch(is_forced=True).access_key == "key2"

    session = Session()
    session._credentials = Credentials("fixed", "secret")
    assert Asked(session, None, REGION).fetch(is_forced=True).access_key == "fixed"
