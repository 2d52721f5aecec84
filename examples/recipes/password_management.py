"""Password management: sign-in with lockout, and changes that repeat no recent password.

What it does: `verify` checks a password, and locks the person out for a while after so many wrong
ones in a row; `change` sets a new one that is none of the last ones.

What it guarantees: an attempt is counted before the password is looked at, so a thousand guesses
at once are no more than ten in turn; and it is counted once, whatever happens to its answer. Two
changes at once do not overwrite each other: the version lets one through. A person who does not
exist costs the same hashing as one who does. Passwords are stored as salted scrypt hashes.

What it does not: keep a stranger from locking somebody out on purpose (limit the rate by address
too, see rate_limiting), judge passwords, or raise the cost of hashes that are stored.

The table: `credentials`, partition key `person_id`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

from dynasafe import AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import (
    ConditionalCheckFailedError,
    OutcomeUnknownError,
    VersionConflictError,
)

T = TypeVar("T")

MAX_ATTEMPTS = 10
LOCKOUT = timedelta(minutes=15)
REMEMBERED = 5
"""How many passwords before the current one may not come back."""


class PasswordHash(Item):
    """A salted scrypt hash, with what it cost, so that the cost can be raised later."""

    salt: Attr[bytes]
    digest: Attr[bytes]
    n: Attr[int] = attribute(default=2**14)
    r: Attr[int] = attribute(default=8)
    p: Attr[int] = attribute(default=5)


class Credentials(Item):
    person_id: Attr[str] = attribute(key="partition")
    password: Attr[PasswordHash]
    previous: Attr[list[PasswordHash]] = attribute(default_factory=list)
    attempts: Attr[int] = attribute(default=0)
    """How many since the last success."""
    blocked_until: Attr[datetime | None] = attribute(default=None)
    """Until when no attempt is let through, once there have been so many."""
    version: Attr[int] = attribute(default=0, version=True)


class WrongPasswordError(Exception):
    """The password is wrong, or there is no such person. A caller is not told which."""

    def __str__(self) -> str:
        return "The name or the password is wrong."


class LockedOutError(Exception):
    """Too many attempts; the password was not looked at."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until

    def __str__(self) -> str:
        return f"Too many attempts. Fix: try again after {self.until:%H:%M}."


class RepeatedPasswordError(Exception):
    """The new password is one of the last ones."""

    def __str__(self) -> str:
        return f"This is one of your last {REMEMBERED + 1} passwords. Fix: choose another."


class Passwords:
    def __init__(self, table: AsyncTable[Credentials]) -> None:
        self._table = table

    async def create(self, person_id: str, password: str) -> None:
        """Give a person a first password.

        Raises:
            ConditionalCheckFailedError: there is one already.
        """
        credentials = Credentials(
            person_id=person_id, password=await asyncio.to_thread(hash_password, password)
        )
        await settle(
            self._table.put_item(
                credentials, condition=Credentials.person_id.not_exists(), exactly_once=True
            )
        )

    async def verify(self, person_id: str, password: str, *, now: datetime) -> Credentials:
        """The person's credentials, if it is their password.

        Raises:
            WrongPasswordError, LockedOutError
            OutcomeUnknownError: DynamoDB cannot be reached; the attempt may have been counted,
                and nobody is signed in.
        """
        await self._take_attempt(person_id, now)
        key = {"person_id": person_id}
        credentials = await self._table.get_item(key, consistent_read=True)
        if credentials is None:
            await asyncio.to_thread(hash_password, password)  # as long as for one who is there
            raise WrongPasswordError
        if not await asyncio.to_thread(is_password, password, credentials.password):
            raise WrongPasswordError
        success = UpdateBuilder(Credentials).set(Credentials.attempts, 0)
        success.condition(Credentials.person_id.exists())
        try:
            await self._table.update_item(key, success)
        except ConditionalCheckFailedError as error:
            raise WrongPasswordError from error  # deleted meanwhile
        return credentials

    async def change(self, person_id: str, old: str, new: str, *, now: datetime) -> None:
        """Set a new password.

        Raises:
            WrongPasswordError: the old one is wrong, or was changed meanwhile.
            LockedOutError, RepeatedPasswordError
            OutcomeUnknownError: DynamoDB cannot be reached; the password is the old or the new.
        """
        credentials = await self.verify(person_id, old, now=now)
        recent = [credentials.password, *credentials.previous]
        for hashed in recent:
            if await asyncio.to_thread(is_password, new, hashed):
                raise RepeatedPasswordError
        update = (
            UpdateBuilder(Credentials)
            .set(Credentials.password, await asyncio.to_thread(hash_password, new))
            .set(Credentials.previous, recent[:REMEMBERED])
        )
        try:
            # By the instance, not by its key: so its version is checked.
            await settle(self._table.update_item(credentials, update, exactly_once=True))
        except VersionConflictError as error:
            raise WrongPasswordError from error

    async def _take_attempt(self, person_id: str, now: datetime) -> None:
        """Count an attempt, unless there have been too many; of nobody, count none."""
        key = {"person_id": person_id}
        count = (
            UpdateBuilder(Credentials)
            .increment(Credentials.attempts, 1)
            .set(Credentials.blocked_until, now + LOCKOUT)
            .condition(Credentials.attempts < MAX_ATTEMPTS)
        )
        until = now + LOCKOUT
        for _ in range(2):
            try:
                await settle(self._table.update_item(key, count, exactly_once=True))
            except ConditionalCheckFailedError as error:
                stored: Credentials | None = error.item
                if stored is None:
                    return
                until = stored.blocked_until or until
                if until > now:
                    break
                # The lockout is over. Of many callers who find it so, one begins anew.
                anew = (
                    UpdateBuilder(Credentials)
                    .set(Credentials.attempts, 0)
                    .condition(Credentials.attempts >= MAX_ATTEMPTS)
                    .condition(Credentials.blocked_until == until)
                )
                with suppress(ConditionalCheckFailedError):
                    await settle(self._table.update_item(key, anew, exactly_once=True))
            else:
                return
        raise LockedOutError(until)


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
