"""E-mail verification: a token that is mailed, good for one use, until it expires.

What it does: `request` makes a token for the person's address, which you mail; `confirm` takes it
back, and marks the address as verified.

What it guarantees: of many callers with one token, one succeeds. The token is deleted and the
address is marked in one transaction, which holds only if the address is still the one that the
token was mailed to. A new token replaces the older one. The database has no token, only a salted
hash of it.

What it does not: send mail, or limit how often a token is asked for or guessed; see rate_limiting.

The tables: `accounts`, partition key `id`; `verifications`, partition key `person_id`, Time to
Live on `expires_at`.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import TypeVar

from dynasafe import AsyncDynamoDB, AsyncTable, Attr, Item, UpdateBuilder, attribute
from dynasafe.errors import OutcomeUnknownError, TransactionCanceledError

T = TypeVar("T")

LIFETIME = timedelta(hours=24)


class Account(Item):
    id: Attr[str] = attribute(key="partition")
    email: Attr[str]
    is_email_verified: Attr[bool] = attribute(default=False, patchable=False)


class Verification(Item):
    """The token that was mailed last to a person, as a salted hash."""

    person_id: Attr[str] = attribute(key="partition")
    email: Attr[str]
    salt: Attr[bytes]
    digest: Attr[bytes]
    expires_at: Attr[datetime] = attribute(ttl=True)


class InvalidTokenError(Exception):
    """The token is wrong, used, replaced, or too old. A caller is not told which."""

    def __str__(self) -> str:
        return "This token is not valid. Fix: ask for a new one."


class EmailVerification:
    def __init__(
        self,
        db: AsyncDynamoDB,
        accounts: AsyncTable[Account],
        verifications: AsyncTable[Verification],
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._verifications = verifications

    async def request(self, person_id: str, *, now: datetime) -> tuple[str, str] | None:
        """The address and the token to mail to it; None if there is no such person.

        Tell the outside the same in both cases.

        Raises:
            OutcomeUnknownError: mail nothing, and ask again.
        """
        account = await self._accounts.get_item({"id": person_id}, consistent_read=True)
        if account is None:
            return None
        token = secrets.token_urlsafe(32)
        salt = secrets.token_bytes(16)
        await self._verifications.put_item(
            Verification(
                person_id=person_id,
                email=account.email,
                salt=salt,
                digest=digest_of(token, salt),
                expires_at=now + LIFETIME,
            )
        )
        return account.email, token

    async def confirm(self, person_id: str, token: str, *, now: datetime) -> None:
        """Take the token, and mark the person's address as verified.

        Raises:
            InvalidTokenError
            OutcomeUnknownError: DynamoDB cannot be reached; the address may be verified or not.
        """
        key = {"person_id": person_id}
        found = await self._verifications.get_item(key, consistent_read=True)
        # Time to Live deletes late, so the time is looked at as well.
        if found is None or found.expires_at <= now:
            raise InvalidTokenError
        if not hmac.compare_digest(found.digest, digest_of(token, found.salt)):
            raise InvalidTokenError
        verified = UpdateBuilder(Account).set(Account.is_email_verified, True)
        writes = [
            self._verifications.delete(key, condition=Verification.digest == found.digest),
            self._accounts.update(
                {"id": person_id}, verified, condition=Account.email == found.email
            ),
        ]
        try:
            await settle(self._db.transact_write_items(writes))
        except TransactionCanceledError as error:
            if any(reason.code == "ConditionalCheckFailed" for reason in error.reasons):
                raise InvalidTokenError from error
            raise


def digest_of(token: str, salt: bytes) -> bytes:
    """The salted hash that is stored in the token's place.

    A fast hash is enough for 256 random bits, which nobody can guess; passwords need a slow one.
    """
    return hmac.digest(salt, token.encode(), "sha256")


async def settle(call: Awaitable[T]) -> T:
    """What a call under a token returns. If its answer is lost, it is asked for once more."""
    try:
        return await call
    except OutcomeUnknownError as error:
        result: T = await error.resolve()
        return result
