"""A certificate for the stub server, which the contenders must trust."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_certificate(directory: Path) -> Path:
    """A file with a certificate for localhost, and its key; made by the command openssl."""
    path, key = directory / "localhost.pem", directory / "localhost.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-addext", "basicConstraints=critical,CA:FALSE"),
            *("-keyout", str(key), "-out", str(path)),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + key.read_text())
    key.unlink()
    return path
