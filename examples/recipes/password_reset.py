"""Password reset: a mailed token sets one new password, once.

What it does: `request` makes a token, which you mail; `reset` takes it back with a new password,
and signs the person out everywhere.

What it guarantees: of many callers with one token, one sets the password. The token is deleted and
the password is set in one transaction: no crash and no lost answer leaves one without the other.
A new token replaces the older one. The database has salted hashes only: a fast one of the token,
which is random, and a slow one of the password, which may not be.

What it does not: send mail, judge passwords, or limit how often a token is asked for or guessed;
see rate_limiting.

The tables: `accounts`, partition key `id`; `resets`, partition key `person_id`, Time to Live on
`expires_at`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import TypeVar

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import OutcomeUnknownError, TransactionCanceledError

T = TypeVar("T")

LIFETIME = timedelta(hours=1)


class PasswordHash(Item):
    """A salted scrypt hash, with what it cost, so that the cost can be raised later."""

    salt: Attr[bytes]
    digest: Attr[bytes]
    n: Attr[int] = attribute(default=2**14)
    r: Attr[int] = attribute(default=8)
    p: Attr[int] = attribute(default=5)


class Account(Item):
    id: Attr[str] = attribute(key="partition")
    password: Attr[PasswordHash | None] = attribute(default=None, patchable=False)
    signed_out_at: Attr[datetime | None] = attribute(default=None, patchable=False)
    """Sessions that began before it are over."""


class Reset(Item):
    """The token that was mailed last to a person, as a salted hash."""

    person_id: Attr[str] = attribute(key="partition")
    salt: Attr[bytes]
    digest: Attr[bytes]
    expires_at: Attr[datetime] = attribute(ttl=True)


class InvalidTokenError(Exception):
    """The token is wrong, used, replaced, or too old. A caller is not told which."""

    def __str__(self) -> str:
        return "This token is not valid. Fix: ask for a new one."


class PasswordReset:
    def __init__(
        self, db: AsyncDynamoDB, accounts: AsyncTable[Account], resets: AsyncTable[Reset]
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._resets = resets

    async def request(self, person_id: str, *, now: datetime) -> str | None:
        """The token to mail; None if there is no such person.

        Tell the outside the same in both cases.

        Raises:
            OutcomeUnknownError: mail nothing, and ask again.
        """
        if await self._accounts.get_item({"id": person_id}) is None:
            return None
        token = secrets.token_urlsafe(32)
        salt = secrets.token_bytes(16)
        await self._resets.put_item(
            Reset(
                person_id=person_id,
                salt=salt,
                digest=digest_of(token, salt),
                expires_at=now + LIFETIME,
            )
        )
        return token

    async def reset(self, person_id: str, token: str, password: str, *, now: datetime) -> None:
        """Take the token, and set the password.

        Raises:
            InvalidTokenError
            OutcomeUnknownError: DynamoDB cannot be reached; the password is the old or the new
                one. Say so: the person finds out by signing in.
        """
        key = {"person_id": person_id}
        found = await self._resets.get_item(key, consistent_read=True)
        # Time to Live deletes late, so the time is looked at as well.
        if found is None or found.expires_at <= now:
            raise InvalidTokenError
        if not hmac.compare_digest(found.digest, digest_of(token, found.salt)):
            raise InvalidTokenError
        hashed = await asyncio.to_thread(hash_password, password)  # takes long: not on the loop
        changed = (
            UpdateBuilder(Account)
            .set(Account.password, hashed)
            .set(Account.signed_out_at, now)
            .condition(Account.id.exists())
        )
        writes = [
            self._resets.delete(key, condition=Reset.digest == found.digest),
            self._accounts.update({"id": person_id}, changed),
        ]
        try:
            await settle(self._db.transact_write_items(writes))
        except TransactionCanceledError as error:
            if any(reason.code == "ConditionalCheckFailed" for reason in error.reasons):
                raise InvalidTokenError from error
            raise


def digest_of(token: str, salt: bytes) -> bytes:
    """The salted hash that is stored in the token's place."""
    return hmac.digest(salt, token.encode(), "sha256")


def hash_password(password: str) -> PasswordHash:
    """A salted hash of the password; it takes some tenths of a second, and 16 MB."""
    hashed = PasswordHash(salt=secrets.token_bytes(16), digest=b"")
    hashed.digest = scrypt(password, hashed)
    return hashed


def is_password(password: str, hashed: PasswordHash) -> bool:
    """Whether it is the password that was hashed; takes as long as hashing."""
    return hmac.compare_digest(hashed.digest, scrypt(password, hashed))


def scrypt(password: str, like: PasswordHash) -> bytes:
    return hashlib.scrypt(password.encode(), salt=like.salt, n=like.n, r=like.r, p=like.p)


async def settle(call: Awaitable[T]) -> T:
    """What a call under a token returns. If its answer is lost, it is asked for once more."""
    try:
        return await call
    except OutcomeUnknownError as error:
        result: T = await error.resolve()
        return result
