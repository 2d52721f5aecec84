"""Password management: sign-in with lockout, and changes that repeat no recent password.

What it does: `verify` checks a password, and locks a name for a while after so many wrong ones;
`change` sets a new one that differs from the last ones.

Threat model: Strangers guess passwords, thousands at once and from many addresses, lock others out,
and measure which names exist; a thief copies the table. Whoever runs code on the host sees
passwords as they come in, and is beyond this.

What it guarantees:
- Of a thousand guesses at once, no more than MAX_ATTEMPTS are looked at until a right one comes,
  whatever happens to answers.
- Right passwords are not counted: 20 sign-ins of one person at once all succeed.
- Strangers lock out strangers: a device that has signed in before has attempts of its own.
- A lockout ends by itself after LOCKOUT; wrong passwords further apart than that are not added up.
- An unknown name costs the same requests, the same hashing and the same lockout as a known one.
- Of two changes at once, one is made; the other is refused.
- Once a change has returned, no sign-in with the old password succeeds, not even one under way.
- A change raises `session_epoch`, so that sessions which carry the epoch are over.
- The work of hashing may be raised at any time; a stored hash is renewed at the next sign-in.
- A host whose clock is 40 s wrong moves the end of a lockout by 40 s, and breaks nothing else.
- An item that lacks every optional attribute, as after a migration, signs in like any other.
- The database has salted scrypt hashes only, behind a pepper if you give one.

What it leaves to you: a limit per address (see rate_limiting), which also bounds what strangers
can store in `attempts`; judging passwords; keeping `secret` and `pepper` in a secret store; TLS.
A stranger can keep a name locked for devices that never signed in: offer password_reset.

The tables: `credentials`, partition key `person_id`; `attempts`, partition key `subject`, Time to
Live on `blocked_until`. Needs `pip install dynasafe`; `python password_management.py` runs it in
memory.
"""

# Made from examples/recipes/password_management.py by `make twins`: change that one.

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dynasafe import Attr, DynamoDB, Item, Table, UpdateBuilder, attribute
from dynasafe.errors import (
    ConditionalCheckFailedError,
    TransactionCanceledError,
)
from dynasafe.sync import retry_conflicts, settle

MAX_ATTEMPTS = 10
LOCKOUT = timedelta(minutes=15)
REMEMBERED = 5
"""How many passwords before the current one may not come back."""
MAX_LENGTH = 1024
"""Longer passwords are refused: hashing takes time that a stranger should not choose."""


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
    password: Attr[PasswordHash]
    previous: Attr[list[PasswordHash]] = attribute(default_factory=list)
    session_epoch: Attr[int] = attribute(default=0)
    """Raised by each change; a session that began in an earlier epoch is over."""
    version: Attr[int] = attribute(default=0, version=True)


class Attempts(Item):
    """The attempts of one device, or of all strangers, on one name."""

    subject: Attr[str] = attribute(key="partition")
    taken: Attr[int] = attribute(default=0)
    """How many were let through, with those that are being looked at."""
    wrong: Attr[int] = attribute(default=0)
    blocked_until: Attr[datetime] = attribute(ttl=True)
    """Until when they count."""


TABLES: dict[str, type[Item]] = {"credentials": Credentials, "attempts": Attempts}


class WrongPasswordError(Exception):
    """The password is wrong, or there is no such person. A caller does not learn which."""

    def __str__(self) -> str:
        return "The name or the password is wrong."


class LockedOutError(Exception):
    """Too many attempts; the password was not looked at."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until

    def __str__(self) -> str:
        return f"Too many attempts. Fix: try again after {self.until:%H:%M}."


class BusyError(LockedOutError):
    """So many attempts are being looked at that there is no room for another one."""


class RepeatedPasswordError(Exception):
    """The new password is one of the last ones."""

    def __str__(self) -> str:
        return f"This is one of your last {REMEMBERED + 1} passwords. Fix: choose another."


class UnfitPasswordError(Exception):
    """The new password is empty or too long."""

    def __str__(self) -> str:
        return f"A password has 1 to {MAX_LENGTH} characters. Fix: choose another."


class Passwords:
    """Passwords and their attempts.

    Args:
        secret: signs the names of devices; the same on all hosts.
        pepper: is mixed into passwords, so that a copy of the table is not enough to guess them.
            It cannot be changed later.
        work: of new hashes.
    """

    def __init__(
        self, db: DynamoDB, *, secret: bytes, pepper: bytes = b"", work: Work | None = None
    ) -> None:
        self._db = db
        self._credentials: Table[Credentials] = db.table("credentials", Credentials)
        self._attempts: Table[Attempts] = db.table("attempts", Attempts)
        self._secret = secret
        self._pepper = pepper
        self._work = work or Work()

    def create(self, person_id: str, password: str) -> None:
        """Give a person a first password.

        Raises:
            ConditionalCheckFailedError: there is one already.
            UnfitPasswordError
            OutcomeUnknownError: DynamoDB cannot be reached; sign in to find out.
        """
        require_fit(password)
        credentials = Credentials(person_id=person_id, password=self._hash(password))
        is_new = Credentials.person_id.not_exists()
        put = self._credentials.put_item
        retry_conflicts(
            lambda: settle(lambda: put(credentials, condition=is_new, exactly_once=True))
        )

    def verify(
        self, person_id: str, password: str, *, now: datetime, device: str | None = None
    ) -> Credentials:
        """The person's credentials, if it is their password.

        Args:
            device: what `device_of` gave after an earlier sign-in, from a cookie. Anything else
                counts as a stranger.

        Raises:
            WrongPasswordError, LockedOutError
            OutcomeUnknownError: DynamoDB cannot be reached; the attempt may have been counted,
                and nobody is signed in.
        """
        subject = self._subject(person_id, device)
        # Those who wait for an attempt to be looked at are not locked out yet.
        retry_conflicts(lambda: self._take_attempt(subject, now), on=BusyError)
        while True:
            credentials = self._look_at(person_id, password)
            if credentials is None:
                self._count_wrong(subject)
                raise WrongPasswordError
            if self._is_still(credentials, subject):
                return credentials

    def device_of(self, person_id: str) -> str:
        """A name for the device that has just signed in: send it as a cookie that lasts.

        It lets nobody in. It keeps strangers from using up the attempts of this device.
        """
        name = secrets.token_urlsafe(16)
        return f"{name}.{self._sign(person_id, name)}"

    def change(self, person_id: str, old: str, new: str, *, now: datetime) -> None:
        """Set a new password.

        Raises:
            WrongPasswordError: the old one is wrong, or was changed meanwhile.
            LockedOutError, RepeatedPasswordError, UnfitPasswordError
            OutcomeUnknownError: DynamoDB cannot be reached; the password is the old or the new.
        """
        require_fit(new)
        credentials = self.verify(person_id, old, now=now)
        recent = [credentials.password, *credentials.previous]
        for hashed in recent:
            if self._is_password(new, hashed):
                raise RepeatedPasswordError
        update = (
            UpdateBuilder(Credentials)
            .set(Credentials.password, self._hash(new))
            .set(Credentials.previous, recent[:REMEMBERED])
            .increment(Credentials.session_epoch, 1)
            .condition(Credentials.person_id.exists())
        )

        def store() -> None:
            try:
                # By the instance, not by its key: so its version is checked.
                settle(
                    lambda: self._credentials.update_item(credentials, update, exactly_once=True)
                )
            except ConditionalCheckFailedError as error:
                raise WrongPasswordError from error

        retry_conflicts(store)

    # Attempts

    def _subject(self, person_id: str, device: str | None) -> str:
        name, _, signature = (device or "").partition(".")
        expected = self._sign(person_id, name)
        given = signature.encode("utf-8", "surrogatepass")
        if name and hmac.compare_digest(expected.encode(), given):
            return f"device#{name}"
        return f"person#{person_id}"

    def _sign(self, person_id: str, name: str) -> str:
        text = f"{len(person_id)}#{person_id}#{name}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, text, "sha256").hex()

    def _take_attempt(self, subject: str, now: datetime) -> None:
        """Count an attempt, unless there have been too many."""
        until = now + LOCKOUT
        count = (
            UpdateBuilder(Attempts)
            .increment(Attempts.taken, 1)
            .set(Attempts.blocked_until, until)
            .condition(Attempts.blocked_until > now)
            .condition(Attempts.taken.not_exists() | (Attempts.taken < MAX_ATTEMPTS))
        )
        try:
            settle(
                lambda: self._attempts.update_item({"subject": subject}, count, exactly_once=True)
            )
        except ConditionalCheckFailedError as error:
            stored: Attempts | None = error.item
        else:
            return
        if stored is not None and stored.blocked_until > now:
            is_locked = stored.wrong >= MAX_ATTEMPTS
            raise (LockedOutError if is_locked else BusyError)(stored.blocked_until)
        # There are none yet, or they are over. Of many callers who find it so, one starts again.
        again = Attempts(subject=subject, taken=1, blocked_until=until)
        is_over = Attempts.subject.not_exists() | (Attempts.blocked_until <= now)
        try:
            settle(lambda: self._attempts.put_item(again, condition=is_over, exactly_once=True))
        except ConditionalCheckFailedError as error:
            raise BusyError(until) from error

    def _count_wrong(self, subject: str) -> None:
        wrong = UpdateBuilder(Attempts).increment(Attempts.wrong, 1)
        wrong.condition(Attempts.subject.exists())
        key = {"subject": subject}
        try:
            retry_conflicts(
                lambda: settle(lambda: self._attempts.update_item(key, wrong, exactly_once=True))
            )
        except ConditionalCheckFailedError:
            return  # a right password came meanwhile

    # Passwords

    def _look_at(self, person_id: str, password: str) -> Credentials | None:
        """The credentials, if it is their password."""
        key = {"person_id": person_id}
        credentials = self._credentials.get_item(key, consistent_read=True)
        if credentials is None:
            self._hash(password)  # as long as for one who is there
            return None
        if not self._is_password(password, credentials.password):
            return None
        stored = credentials.password
        if (stored.n, stored.r, stored.p) != (self._work.n, self._work.r, self._work.p):
            renewed = UpdateBuilder(Credentials)
            renewed.set(Credentials.password, self._hash(password))
            renewed.condition(Credentials.person_id.exists())
            with suppress(ConditionalCheckFailedError):  # changed meanwhile: it is looked at again
                settle(
                    lambda: self._credentials.update_item(credentials, renewed, exactly_once=True)
                )
            return self._look_at(person_id, password)
        return credentials

    def _is_still(self, credentials: Credentials, subject: str) -> bool:
        """Forget the attempts, if the password has not been changed meanwhile."""
        # An item of an older service has no version, and counts as one of version 0.
        same = Credentials.version == credentials.version
        if credentials.version == 0:
            same = Credentials.person_id.exists() & Credentials.version.not_exists() | same
        writes = [
            self._credentials.check({"person_id": credentials.person_id}, same),
            self._attempts.delete({"subject": subject}),
        ]
        try:
            retry_conflicts(lambda: settle(lambda: self._db.transact_write_items(writes)))
        except TransactionCanceledError as error:
            if any(reason.code == "ConditionalCheckFailed" for reason in error.reasons):
                return False
            raise
        return True

    def _hash(self, password: str) -> PasswordHash:
        work = self._work
        hashed = PasswordHash(
            salt=secrets.token_bytes(16), digest=b"", n=work.n, r=work.r, p=work.p
        )
        hashed.digest = scrypt(password, hashed, self._pepper)
        return hashed

    def _is_password(self, password: str, hashed: PasswordHash) -> bool:
        digest = scrypt(password, hashed, self._pepper)
        return hmac.compare_digest(hashed.digest, digest)


def require_fit(password: str) -> None:
    if not 1 <= len(password) <= MAX_LENGTH:
        raise UnfitPasswordError


def scrypt(password: str, like: PasswordHash, pepper: bytes) -> bytes:
    """The digest of a password, which takes its time: call it in a thread."""
    # One text has several spellings in Unicode, and keyboards differ in which they send.
    text = unicodedata.normalize("NFC", password[: MAX_LENGTH + 1])
    secret = text.encode("utf-8", "surrogatepass")
    if pepper:
        secret = hmac.digest(pepper, secret, "sha256")
    # OpenSSL refuses more than 32 MB by itself, which n=2**15 exceeds.
    memory_bytes = 128 * like.r * (like.n + like.p + 2) + 2**16
    return hashlib.scrypt(secret, salt=like.salt, n=like.n, r=like.r, p=like.p, maxmem=memory_bytes)


def main() -> None:
    """Sign in, and change the password, on tables in memory."""
    from dynasafe.testing.sync import create_tables, fake_database

    db = fake_database()
    create_tables(db, TABLES)
    passwords, now = (
        Passwords(db, secret=secrets.token_bytes(32)),
        datetime(2026, 11, 24, tzinfo=UTC),
    )
    passwords.create("p1", "correct horse")
    passwords.verify("p1", "correct horse", now=now)
    print("signed in; the device is", passwords.device_of("p1")[:8])
    passwords.change("p1", "correct horse", "battery staple", now=now)
    try:
        passwords.verify("p1", "correct horse", now=now)
    except WrongPasswordError as error:
        print(error)


if __name__ == "__main__":
    main()
