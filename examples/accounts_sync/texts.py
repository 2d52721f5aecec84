"""Passwords, tokens and addresses: functions without a database."""

# Made from examples/accounts/texts.py by `make twins`: change that one.

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass

from .errors import BadEmailError, UnfitPasswordError
from .models import PasswordHash

MIN_LENGTH, MAX_LENGTH = 8, 1024
ODD = frozenset('<>()[]",;:\\')


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a hash takes. By default some tenths of a second, and 16 MB."""

    n: int = 2**14
    r: int = 8
    p: int = 5


def require_fit(password: str) -> None:
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise UnfitPasswordError


def hash_password(password: str, work: Work) -> PasswordHash:
    """A salted hash; it takes its time: call it in a thread."""
    hashed = PasswordHash(salt=secrets.token_bytes(16), digest=b"", n=work.n, r=work.r, p=work.p)
    hashed.digest = _scrypt(password, hashed)
    return hashed


def is_password(password: str, hashed: PasswordHash) -> bool:
    return hmac.compare_digest(hashed.digest, _scrypt(password, hashed))


def _scrypt(password: str, like: PasswordHash) -> bytes:
    text = unicodedata.normalize("NFC", password[: MAX_LENGTH + 1])
    secret = text.encode("utf-8", "surrogatepass")
    # OpenSSL refuses more than 32 MB by itself, which n=2**15 exceeds.
    memory_bytes = 128 * like.r * (like.n + like.p + 2) + 2**16
    return hashlib.scrypt(secret, salt=like.salt, n=like.n, r=like.r, p=like.p, maxmem=memory_bytes)


def new_token() -> tuple[str, str]:
    """An id, to find the token by, and a secret, of which a hash is stored."""
    return secrets.token_urlsafe(12), secrets.token_urlsafe(32)


def split_token(token: str) -> tuple[str, str]:
    """The id and the secret; an empty id where it is malformed."""
    id_, _, secret = token.partition(".")
    is_fit = len(token) <= 200 and id_.isascii() and id_.isprintable()
    return (id_, secret) if is_fit else ("", "")


def digest_of(secret: str) -> bytes:
    """The hash that is stored in the secret's place; nobody can guess 256 random bits."""
    return hmac.digest(b"accounts", secret.encode("utf-8", "surrogatepass"), "sha256")


def normalised(email: str) -> str:
    """What is the same for all spellings of one address.

    Raises:
        BadEmailError: it is not exactly one address.
    """
    folded = unicodedata.normalize("NFKC", email.strip()).casefold()
    folded = unicodedata.normalize("NFKC", folded)
    has_odd = any(unicodedata.category(each)[0] in "CZ" or each in ODD for each in folded)
    name, at, domain = folded.partition("@")
    if has_odd or not name or not at or "@" in domain or len(folded) > 254:
        raise BadEmailError
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise BadEmailError from error
    if "." not in ascii_domain or ascii_domain.endswith("."):
        raise BadEmailError
    return f"{name}@{ascii_domain}"
