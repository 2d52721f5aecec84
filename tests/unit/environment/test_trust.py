"""Which authorities TLS trusts."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path
from typing import Any

import certifi
import pytest

from dynasafe.environment.trust import Trust, amazon_roots


def test_folder(tmp_path: Path) -> None:
    """A folder of authorities is taken, and a missing one is named."""
    context = Trust({"AWS_CA_BUNDLE": str(tmp_path)}).context(is_aws=True)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.get_ca_certs() == []
    with pytest.raises(ValueError, match="no such file or folder of authorities: /none"):
        Trust({"REQUESTS_CA_BUNDLE": "/none"})


def test_without_verification() -> None:
    """Without verification no name and no certificate is checked."""
    context = Trust({}, verify=False).context(is_aws=False)
    assert (context.check_hostname, context.verify_mode) == (False, ssl.CERT_NONE)


def test_missing_pair(tmp_path: Path) -> None:
    """A client certificate in two files that do not exist is refused."""
    with pytest.raises(OSError, match="No such file"):
        Trust({}, client_cert=(str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")))


def test_key_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys of sessions are written where SSLKEYLOGFILE says."""
    path = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(path))
    assert Trust({}).full().keylog_filename == str(path)


def test_without_certifi(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without certifi the authorities are those of botocore."""
    monkeypatch.setitem(sys.modules, "certifi", None)
    subjects: list[Any] = [each["subject"] for each in Trust({}).full().get_ca_certs()]
    assert len(subjects) > 50


def test_other_bundle(tmp_path: Path) -> None:
    """A bundle without one of Amazon's authorities has none to try first."""
    path = tmp_path / "bundle.pem"
    path.write_text(Path(certifi.where()).read_text().replace("Amazon Root CA 3", "Another"))
    assert amazon_roots(str(path)) is None
    assert str(amazon_roots(certifi.where())).count("BEGIN CERTIFICATE") == 5
