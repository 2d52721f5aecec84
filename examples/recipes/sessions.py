"""Sessions: a token that stands for a person who has signed in, until it is revoked.

What it does: `open` makes a session after a sign-in, `check` says whose it is, `close` ends it, and
`close_all` ends all sessions of a person at once.

Threat model: A thief has an old token, or signs in with a stolen password while its owner changes
it; strangers guess tokens; a thief copies the table. A token that is stolen from a browser works
until it ends or is revoked.

What it guarantees:
- Once `close_all` has returned, no session that was opened before is accepted, whatever raced it.
- A session is opened only if the epoch is still the one that the sign-in saw: no sign-in that was
  under way survives a change of the password.
- A session ends after LIFETIME, and after IDLE without a request.
- A wrong, closed, old or malformed token raises NotSignedInError, which does not say why.
- Of 50 checks at once, one stores the time, and that once in each TOUCH_EVERY.
- A host whose clock is 40 s wrong moves the ends by 40 s, and breaks nothing else.
- An account that lacks every optional attribute, as after a migration, has sessions like any other.
- The database has no token, only a hash of it.

What it leaves to you: signing in (see password_management, whose `session_epoch` this is), and the
cookie: Secure, HttpOnly, SameSite=Lax, with the prefix __Host-. A check costs two reads.

The tables: `accounts`, partition key `id`; `sessions`, partition key `id`, Time to Live on
`expires_at`. Needs `pip install dynasafe`; `python sessions.py` runs it in memory.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from contextlib import suppress
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
from dynasafe.errors import ConditionalCheckFailedError, TransactionCanceledError
from dynasafe.typing import Condition

LIFETIME = timedelta(days=14)
IDLE = timedelta(days=2)
TOUCH_EVERY = timedelta(minutes=5)


class Account(Item):
    id: Attr[str] = attribute(key="partition")
    session_epoch: Attr[int] = attribute(default=0, patchable=False)
    """Raised to end all sessions; also by a change of the password."""


class Session(Item):
    id: Attr[str] = attribute(key="partition")
    """The first part of the token."""
    digest: Attr[bytes]
    person_id: Attr[str]
    epoch: Attr[int] = attribute(default=0)
    seen_at: Attr[datetime]
    """At some request of the last TOUCH_EVERY."""
    expires_at: Attr[datetime] = attribute(ttl=True)


TABLES: dict[str, type[Item]] = {"accounts": Account, "sessions": Session}


class NotSignedInError(Exception):
    """The token belongs to nobody. Answer 401."""

    def __str__(self) -> str:
        return "You are not signed in. Fix: sign in."


class Sessions:
    """Sessions of accounts.

    Each write raises OutcomeUnknownError where DynamoDB cannot be reached: to repeat it is safe.
    """

    def __init__(self, db: AsyncDynamoDB) -> None:
        self._db = db
        self._accounts: AsyncTable[Account] = db.table("accounts", Account)
        self._sessions: AsyncTable[Session] = db.table("sessions", Session)

    async def open(self, person_id: str, *, epoch: int, now: datetime) -> str:
        """The token of a new session.

        Args:
            epoch: the account's, as it was read with the password that was right.

        Raises:
            NotSignedInError: all sessions were ended meanwhile; sign in again.
        """
        id_, secret = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        session = Session(
            id=id_,
            digest=digest_of(secret),
            person_id=person_id,
            epoch=epoch,
            seen_at=now,
            expires_at=now + LIFETIME,
        )
        writes = [
            self._accounts.check({"id": person_id}, Account.id.exists() & is_epoch(epoch)),
            self._sessions.put(session, condition=Session.id.not_exists()),
        ]
        try:
            await retry_conflicts(lambda: settle(self._db.transact_write_items(writes)))
        except TransactionCanceledError as error:
            if any(reason.code == "ConditionalCheckFailed" for reason in error.reasons):
                raise NotSignedInError from error
            raise
        return f"{id_}.{secret}"

    async def check(self, token: str, *, now: datetime) -> str:
        """The id of the person whose session it is.

        Raises:
            NotSignedInError
        """
        session = await self._find(token)
        if session.expires_at <= now or session.seen_at + IDLE <= now:
            raise NotSignedInError
        # After the session, so that no end which was reported before this call is missed.
        account = await self._accounts.get_item({"id": session.person_id}, consistent_read=True)
        if account is None or account.session_epoch != session.epoch:
            raise NotSignedInError
        if session.seen_at + TOUCH_EVERY <= now:
            touched = UpdateBuilder(Session).set(Session.seen_at, now)
            touched.condition(Session.seen_at == session.seen_at)
            with suppress(ConditionalCheckFailedError):  # another request was quicker, or it ended
                await self._sessions.update_item({"id": session.id}, touched)
        return session.person_id

    async def close(self, token: str) -> None:
        """End the session; one that has ended is no error."""
        with suppress(NotSignedInError):
            session = await self._find(token)
            await self._sessions.delete_item({"id": session.id})

    async def close_all(self, person_id: str) -> None:
        """End all sessions of the person.

        Raises:
            NotSignedInError: there is no such account.
        """
        raised = UpdateBuilder(Account).increment(Account.session_epoch, 1)
        raised.condition(Account.id.exists())
        key = {"id": person_id}
        try:
            await retry_conflicts(
                lambda: settle(self._accounts.update_item(key, raised, exactly_once=True))
            )
        except ConditionalCheckFailedError as error:
            raise NotSignedInError from error

    async def _find(self, token: str) -> Session:
        id_, _, secret = token.partition(".")
        if not id_ or not id_.isascii() or len(token) > 200:
            raise NotSignedInError
        session = await self._sessions.get_item({"id": id_}, consistent_read=True)
        digest = b"" if session is None else session.digest
        if not hmac.compare_digest(digest, digest_of(secret)) or session is None:
            raise NotSignedInError
        return session


def is_epoch(epoch: int) -> Condition:
    """That the epoch is still this one. An account without one is in epoch 0."""
    is_same = Account.session_epoch == epoch
    return is_same | Account.session_epoch.not_exists() if epoch == 0 else is_same


def digest_of(secret: str) -> bytes:
    """The hash that is stored in the token's place; nobody can guess 256 random bits."""
    return hmac.digest(b"session", secret.encode("utf-8", "surrogatepass"), "sha256")


async def main() -> None:
    """Open two sessions and end all, on tables in memory."""
    from dynasafe.testing import create_tables, fake_database

    db = fake_database()
    await create_tables(db, TABLES)
    await db.table("accounts", Account).put_item(Account(id="ada"))
    sessions, now = Sessions(db), datetime(2026, 11, 24, tzinfo=UTC)
    token = await sessions.open("ada", epoch=0, now=now)
    print("the session is of", await sessions.check(token, now=now))
    await sessions.close_all("ada")
    try:
        await sessions.check(token, now=now)
    except NotSignedInError as error:
        print(error)


if __name__ == "__main__":
    asyncio.run(main())
