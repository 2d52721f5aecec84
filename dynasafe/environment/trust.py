"""TLS: trusted certificates, chosen as botocore does.

Reading all of certifi's authorities takes some 16 ms, which matters in a cold start. AWS hosts have
certificates from Amazon's five roots, so these are tried first. A chain that does not end in one of
them is checked again with all authorities.

Sources: botocore/httpsession.py; "Amazon Trust Services", for the roots.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from typing import Any, Final

_AMAZON_ROOTS: Final = (
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
)
_END: Final = "-----END CERTIFICATE-----"


class Trust:
    """The TLS contexts of a client.

    Args:
        verify: True, False, or the path of a bundle of authorities; None asks the environment.
        client_cert: the path of a certificate and its key, or one path for each.

    Raises:
        OSError: a file has no certificates.
        ValueError: a file is missing.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        verify: bool | str | None = None,
        client_cert: str | tuple[str, str] | None = None,
    ) -> None:
        if verify is None:
            verify = environ.get("AWS_CA_BUNDLE") or environ.get("REQUESTS_CA_BUNDLE") or True
        self._verify: Final = verify
        self._client_cert: Final = client_cert
        self._full: ssl.SSLContext | None = None
        self._amazon: ssl.SSLContext | None = None
        if verify is True:
            pem = amazon_roots(_bundle())
            if pem is not None:
                self._amazon = self._context()
                self._amazon.load_verify_locations(cadata=pem)
                return
        self.full()

    def context(self, *, is_aws: bool) -> ssl.SSLContext:
        """The context to try first."""
        return self._amazon if is_aws and self._amazon is not None else self.full()

    def is_full(self, context: ssl.SSLContext) -> bool:
        return context is not self._amazon

    def full(self) -> ssl.SSLContext:
        """The context with all authorities."""
        if self._full is None:
            context = self._context()
            if self._verify is not False:
                location = _bundle() if self._verify is True else self._verify
                if not os.path.exists(location):
                    # OpenSSL's own error does not name the file.
                    raise ValueError(f"no such file or folder of authorities: {location}")
                if os.path.isdir(location):
                    context.load_verify_locations(capath=location)
                else:
                    context.load_verify_locations(cafile=location)
            self._full = context
        return self._full

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        if self._verify is False:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if isinstance(self._client_cert, tuple):
            context.load_cert_chain(*self._client_cert)
        elif self._client_cert is not None:
            context.load_cert_chain(self._client_cert)
        keylog = os.environ.get("SSLKEYLOGFILE")
        if keylog:
            context.keylog_filename = keylog
        return context


def _bundle() -> str:
    """The path of the authorities: certifi's, or botocore's own if certifi is not installed."""
    try:
        import certifi
    except ImportError:
        from importlib.util import find_spec

        spec: Any = find_spec("botocore")  # only located, not imported
        return os.path.join(spec.submodule_search_locations[0], "cacert.pem")
    return certifi.where()


def amazon_roots(bundle: str) -> str | None:
    """Amazon's own authorities in a bundle, or None if some are missing."""
    with open(bundle, encoding="utf-8", errors="replace") as file:
        text = file.read()
    found = []
    for name in _AMAZON_ROOTS:
        label = text.find(f'# Label: "{name}"')
        begin = text.find("-----BEGIN CERTIFICATE-----", label)
        end = text.find(_END, begin)
        if -1 in (label, begin, end):
            return None
        found.append(text[begin : end + len(_END)])
    return "\n".join(found)
