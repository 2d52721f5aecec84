"""Password reset: a mailed token sets one new password, once.

What it does: `request` makes a token, which you mail; `reset` takes it back with a new password,
and signs the person out everywhere. It shares its tables with password_management.

Threat model: Strangers guess tokens, ask for resets of others again and again, and measure who has
an account; the thief of a password is signed in while its owner resets it; a thief copies the
table. Whoever reads the mailbox is beyond this.

What it guarantees:
- Of many callers with one token, one sets the password.
- No crash and no lost answer leaves the token used without the password set, or the reverse.
- Asking again does not void the tokens that were mailed before; a reset voids all of them.
- A reset raises `session_epoch` in the same transaction, so that no session opened meanwhile with
  the old password survives.
- A reset ends the lockout of strangers, and repeats none of the last passwords.
- A wrong, old or malformed token raises InvalidTokenError, which does not say why.
- A known and an unknown person cost the same requests, so that time does not tell them apart.
- A host whose clock is 40 s wrong moves the expiry by 40 s, and breaks nothing else.
- Credentials that lack every optional attribute are reset like any other.
- The database has hashes only: a fast one of the token, a slow one of the password.

What it leaves to you: limits (see rate_limiting), mail, judging passwords. Keep the token out of
logs and Referer headers: let the link show a page whose form sends a POST. Whoever reads the
mailbox can set the password.

The tables: `credentials`, partition key `person_id`; `attempts`, partition key `subject`, and
`resets`, partition key `person_id`, sort key `token_id`, both with Time to Live. Needs `pip
install dynasafe`; `python password_reset.py` runs it in memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
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
from dynasafe.typing import Condition

LIFETIME = timedelta(hours=1)
REMEMBERED = 5
"""How many passwords before the current one may not come back."""
MAX_LENGTH = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The cost of a hash. By default some tenths of a second, and 16 MB."""

    n: int = 2**14
    r: int = 8
    p: int = 5


class PasswordHash(Item):
    """A salted scrypt hash, with what it took."""

    salt: Attr[bytes]
    digest: Attr[bytes]
    n: Attr[int] = attribute(default=2**14)
    r: Attr[int] = attribute(default=8)
    p: Attr[int] = attribute(default=5)


class Credentials(Item):
    person_id: Attr[str] = attribute(key="partition")
    password: Attr[PasswordHash | None] = attribute(default=None)
    previous: Attr[list[PasswordHash]] = attribute(default_factory=list)
    session_epoch: Attr[int] = attribute(default=0)
    """Raised by each reset; a session that began in an earlier epoch is over."""
    version: Attr[int] = attribute(default=0, version=True)


class Attempts(Item):
    """The attempts that password_management counts. The reset deletes them."""

    subject: Attr[str] = attribute(key="partition")
    blocked_until: Attr[datetime] = attribute(ttl=True)


class Reset(Item):
    """A token that was mailed, as a hash."""

    person_id: Attr[str] = attribute(key="partition")
    token_id: Attr[str] = attribute(key="sort")
    digest: Attr[bytes]
    session_epoch: Attr[int] = attribute(default=0)
    """The epoch of the request. In a later epoch, the token is void."""
    expires_at: Attr[datetime] = attribute(ttl=True)


TABLES: dict[str, type[Item]] = {
    "credentials": Credentials,
    "attempts": Attempts,
    "resets": Reset,
}


class InvalidTokenError(Exception):
    """The token is wrong, used, void, or too old. A caller does not learn which."""

    def __str__(self) -> str:
        return "This token is not valid. Fix: ask for a new one."


class RepeatedPasswordError(Exception):
    """The new password is one of the last ones. The token is still good."""

    def __str__(self) -> str:
        return f"This is one of your last {REMEMBERED + 1} passwords. Fix: choose another."


class UnfitPasswordError(Exception):
    """The new password is empty or too long."""

    def __str__(self) -> str:
        return f"A password has 1 to {MAX_LENGTH} characters. Fix: choose another."


class PasswordReset:
    """Makes tokens, and takes them back.

    Args:
        pepper, work: as in password_management.
    """

    def __init__(self, db: AsyncDynamoDB, *, pepper: bytes = b"", work: Work | None = None) -> None:
        self._db = db
        self._credentials: AsyncTable[Credentials] = db.table("credentials", Credentials)
        self._attempts: AsyncTable[Attempts] = db.table("attempts", Attempts)
        self._resets: AsyncTable[Reset] = db.table("resets", Reset)
        self._pepper = pepper
        self._work = work or Work()

    async def request(self, person_id: str, *, now: datetime) -> str | None:
        """The token to mail; None if there is no such person.

        Answer the outside the same in both cases, and mail after you have answered.

        Raises:
            OutcomeUnknownError: mail nothing, and ask again.
        """
        key = {"person_id": person_id}
        credentials = await self._credentials.get_item(key, consistent_read=True)
        token_id, secret = secrets.token_urlsafe(8), secrets.token_urlsafe(32)
        # Without a person something is stored too, where no caller finds it: so both take as long.
        reset = Reset(
            person_id=person_id if credentials else f"nobody#{secrets.token_hex(8)}",
            token_id=token_id,
            digest=digest_of(secret),
            session_epoch=credentials.session_epoch if credentials else 0,
            expires_at=now + LIFETIME,
        )
        await retry_conflicts(lambda: self._resets.put_item(reset))
        return f"{token_id}.{secret}" if credentials else None

    async def reset(self, person_id: str, token: str, password: str, *, now: datetime) -> None:
        """Take the token, and set the password.

        Raises:
            InvalidTokenError, RepeatedPasswordError, UnfitPasswordError
            OutcomeUnknownError: DynamoDB cannot be reached; the password is the old or the new
                one. Say so: the person finds out by signing in.
        """
        if not 1 <= len(password) <= MAX_LENGTH:
            raise UnfitPasswordError
        await retry_conflicts(lambda: self._reset(person_id, token, password, now))
        # Not in the transaction: strangers who guess all the time would make it conflict. If this
        # fails, the lockout ends by itself.
        subject = {"subject": f"person#{person_id}"}
        await retry_conflicts(lambda: self._attempts.delete_item(subject))

    async def _reset(self, person_id: str, token: str, password: str, now: datetime) -> None:
        token_id, _, secret = token.partition(".")
        if not token_id.isascii() or not token_id:
            raise InvalidTokenError
        reset_key = {"person_id": person_id, "token_id": token_id}
        found = await self._resets.get_item(reset_key, consistent_read=True)
        digest = b"" if found is None else found.digest
        is_right = hmac.compare_digest(digest, digest_of(secret))
        # Time to Live deletes late, so the time is looked at as well.
        if found is None or not is_right or found.expires_at <= now:
            raise InvalidTokenError
        key = {"person_id": person_id}
        credentials = await self._credentials.get_item(key, consistent_read=True)
        if credentials is None or credentials.session_epoch != found.session_epoch:
            raise InvalidTokenError
        recent = [*([credentials.password] if credentials.password else []), *credentials.previous]
        for hashed in recent:
            if await self._is_password(password, hashed):
                raise RepeatedPasswordError
        changed = (
            UpdateBuilder(Credentials)
            .set(Credentials.password, await self._hash(password))
            .set(Credentials.previous, recent[:REMEMBERED])
            .increment(Credentials.session_epoch, 1)
            .increment(Credentials.version, 1)  # for password_management, which looks at it
            .condition(Credentials.person_id.exists() & is_epoch(found.session_epoch))
        )
        writes = [
            self._resets.delete(reset_key, condition=Reset.digest == found.digest),
            self._credentials.update(key, changed),
        ]
        try:
            await settle(self._db.transact_write_items(writes))
        except TransactionCanceledError as error:
            if any(reason.code == "ConditionalCheckFailed" for reason in error.reasons):
                raise InvalidTokenError from error
            raise

    async def _hash(self, password: str) -> PasswordHash:
        work = self._work
        hashed = PasswordHash(
            salt=secrets.token_bytes(16), digest=b"", n=work.n, r=work.r, p=work.p
        )
        hashed.digest = await asyncio.to_thread(scrypt, password, hashed, self._pepper)
        return hashed

    async def _is_password(self, password: str, hashed: PasswordHash) -> bool:
        digest = await asyncio.to_thread(scrypt, password, hashed, self._pepper)
        return hmac.compare_digest(hashed.digest, digest)


def is_epoch(epoch: int) -> Condition:
    """That the epoch is still this one. Credentials without one are in epoch 0."""
    is_same = Credentials.session_epoch == epoch
    return is_same | Credentials.session_epoch.not_exists() if epoch == 0 else is_same


def digest_of(secret: str) -> bytes:
    """The hash that is stored in the token's place.

    It needs no salt and no slowness: nobody can guess 256 random bits, and no two tokens are alike.
    """
    return hmac.digest(b"password reset", secret.encode("utf-8", "surrogatepass"), "sha256")


def scrypt(password: str, like: PasswordHash, pepper: bytes) -> bytes:
    """The digest of a password, which takes its time: call it in a thread."""
    text = unicodedata.normalize("NFC", password)
    secret = text.encode("utf-8", "surrogatepass")
    if pepper:
        secret = hmac.digest(pepper, secret, "sha256")
    # OpenSSL refuses more than 32 MB by itself, which n=2**15 exceeds.
    memory_bytes = 128 * like.r * (like.n + like.p + 2) + 2**16
    return hashlib.scrypt(secret, salt=like.salt, n=like.n, r=like.r, p=like.p, maxmem=memory_bytes)


async def main() -> None:
    """Reset a password, on tables in memory."""
    from dynasafe.testing import create_tables, fake_database

    db = fake_database()
    await create_tables(db, TABLES)
    credentials = db.table("credentials", Credentials)
    await credentials.put_item(Credentials(person_id="p1"))
    resets, now = PasswordReset(db), datetime(2026, 11, 24, tzinfo=UTC)
    token = await resets.request("p1", now=now)
    assert token is not None
    await resets.reset("p1", token, "correct horse", now=now)
    print("the password is set")
    try:
        await resets.reset("p1", token, "battery staple", now=now)
    except InvalidTokenError as error:
        print(error)


if __name__ == "__main__":
    asyncio.run(main())
