"""E-mail verification: a token that is mailed, good for one use, until it expires.

What it does: `request` makes a token for the person's address, which you mail; `confirm` takes it
back, and stores which address was verified.

Threat model: A stranger guesses tokens, asks for tokens of other people, or measures who has an
account; a person verifies one address and then claims another. Whoever reads the mailbox or writes
to the table is beyond this.

What it guarantees:
- Of many callers with one token, one verifies the address; the others learn that it was verified.
- A change of the address, by whatever way, leaves the new one unverified.
- A token verifies the address that it was mailed to, and no other.
- A new token replaces the older one.
- A wrong, old or malformed token raises InvalidTokenError, which does not say why.
- A known and an unknown person cost the same requests, so that time does not tell them apart.
- A lost answer leaves the address verified or not, and never the token used without it.
- A host whose clock is 40 s wrong moves the expiry by 40 s, and breaks nothing else.
- The database has no token, only a salted hash of it.

What it leaves to you: who may ask for whose token, limits (see rate_limiting), and mail. Mail
scanners open links, so let the link show a page whose button sends a POST, and confirm in that.
Whoever reads the mailbox, or can write to the table, is verified as well.

The tables: `accounts`, partition key `id`; `verifications`, partition key `person_id`, Time to
Live on `expires_at`. Needs `pip install dynasafe`; `python email_verification.py` runs it in
memory.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from datetime import UTC, datetime, timedelta

from dynasafe import (
    AsyncDynamoDB,
    AsyncTable,
    Attr,
    Item,
    UpdateBuilder,
    attribute,
    retry_conflicts,
    settle,
)
from dynasafe.errors import TransactionCanceledError

LIFETIME = timedelta(hours=24)


class Account(Item):
    id: Attr[str] = attribute(key="partition")
    email: Attr[str]
    verified_email: Attr[str | None] = attribute(default=None, patchable=False)
    """The address that was verified last. A flag would outlive a change of the address."""

    @property
    def is_verified(self) -> bool:
        """Whether the present address is the one that was verified."""
        return self.verified_email == self.email


class Verification(Item):
    """The token that was mailed last to a person, as a salted hash."""

    person_id: Attr[str] = attribute(key="partition")
    email: Attr[str]
    salt: Attr[bytes]
    digest: Attr[bytes]
    is_used: Attr[bool] = attribute(default=False)
    expires_at: Attr[datetime] = attribute(ttl=True)


TABLES: dict[str, type[Item]] = {"accounts": Account, "verifications": Verification}


class InvalidTokenError(Exception):
    """The token is wrong, replaced, too old, or of another address. Callers cannot see which."""

    def __str__(self) -> str:
        return "This token is not valid. Fix: ask for a new one."


class EmailVerification:
    """Makes tokens, and takes them back."""

    def __init__(self, db: AsyncDynamoDB) -> None:
        self._db = db
        self._accounts: AsyncTable[Account] = db.table("accounts", Account)
        self._verifications: AsyncTable[Verification] = db.table("verifications", Verification)

    async def request(self, person_id: str, *, now: datetime) -> tuple[str, str] | None:
        """The address and the token to mail to it; None if there is no such person.

        Answer the outside the same in both cases, and mail after you have answered.

        Raises:
            OutcomeUnknownError: mail nothing, and ask again.
        """
        account = await self._accounts.get_item({"id": person_id}, consistent_read=True)
        token = secrets.token_urlsafe(32)
        salt = secrets.token_bytes(16)
        # Without an account something is stored too, where nobody finds it: so both take as long.
        verification = Verification(
            person_id=f"nobody#{secrets.token_hex(8)}" if account is None else person_id,
            email="" if account is None else account.email,
            salt=salt,
            digest=digest_of(token, salt),
            expires_at=now + LIFETIME,
        )
        await retry_conflicts(lambda: self._verifications.put_item(verification))
        return None if account is None else (account.email, token)

    async def confirm(self, person_id: str, token: str, *, now: datetime) -> bool:
        """Take the token: True if the address is verified now, False if it was already.

        Raises:
            InvalidTokenError
            OutcomeUnknownError: DynamoDB cannot be reached; the address may be verified or not.
        """
        return await retry_conflicts(lambda: self._confirm(person_id, token, now))

    async def _confirm(self, person_id: str, token: str, now: datetime) -> bool:
        if await self._is_verified_by(person_id, token, now):
            return False
        found = await self._find(person_id, token, now)
        used = UpdateBuilder(Verification).set(Verification.is_used, True)
        used.condition(Verification.digest == found.digest)
        used.condition(Verification.is_used.not_exists() | (Verification.is_used == False))  # noqa: E712
        verified = UpdateBuilder(Account).set(Account.verified_email, found.email)
        verified.condition(Account.email == found.email)
        writes = [
            self._verifications.update({"person_id": person_id}, used),
            self._accounts.update({"id": person_id}, verified),
        ]
        try:
            await settle(self._db.transact_write_items(writes))
        except TransactionCanceledError as error:
            if any(reason.code == "ConditionalCheckFailed" for reason in error.reasons):
                if await self._is_verified_by(person_id, token, now):
                    return False  # another caller was quicker
                raise InvalidTokenError from error
            raise
        return True

    async def _is_verified_by(self, person_id: str, token: str, now: datetime) -> bool:
        """Whether the token was used, for the address that the person still has."""
        found = await self._find(person_id, token, now)
        if not found.is_used:
            return False
        account = await self._accounts.get_item({"id": person_id}, consistent_read=True)
        if account is None or not account.is_verified or account.email != found.email:
            raise InvalidTokenError
        return True

    async def _find(self, person_id: str, token: str, now: datetime) -> Verification:
        found = await self._verifications.get_item({"person_id": person_id}, consistent_read=True)
        salt, digest = (b"", b"") if found is None else (found.salt, found.digest)
        is_right = hmac.compare_digest(digest, digest_of(token, salt))
        # Time to Live deletes late, so the time is looked at as well.
        if found is None or not is_right or found.expires_at <= now:
            raise InvalidTokenError
        return found


def digest_of(token: str, salt: bytes) -> bytes:
    """The salted hash that is stored in the token's place.

    A fast hash is enough for 256 random bits, which nobody can guess; passwords need a slow one.
    """
    return hmac.digest(salt, token.encode("utf-8", "surrogatepass"), "sha256")


async def main() -> None:
    """Verify an address, on tables in memory."""
    from dynasafe.testing import create_tables, fake_database

    db = fake_database()
    await create_tables(db, TABLES)
    await db.table("accounts", Account).put_item(Account(id="p1", email="ada@example.org"))
    verification, now = EmailVerification(db), datetime(2026, 11, 24, tzinfo=UTC)
    requested = await verification.request("p1", now=now)
    assert requested is not None
    email, token = requested
    print(f"mailed to {email}; verified now: {await verification.confirm('p1', token, now=now)}")
    print(f"a second click: {await verification.confirm('p1', token, now=now)}")


if __name__ == "__main__":
    asyncio.run(main())
