"""Attempts to sign in: counted before the password is looked at."""

# Made from examples/accounts/lockout.py by `make twins`: change that one.

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

from dynasafe import DynamoDB, Table, UpdateBuilder
from dynasafe.errors import ConditionalCheckFailedError
from dynasafe.sync import retry_conflicts, settle

from .errors import BusyError, LockedOutError
from .models import TABLE_NAME, Attempts, attempts_key

MAX_ATTEMPTS = 10
LOCKOUT = timedelta(minutes=15)


class Lockout:
    """Attempts on one address, apart for strangers and for each known device.

    Each write raises OutcomeUnknownError where DynamoDB cannot be reached: sign nobody in.

    Args:
        secret: signs the names of devices; the same on all hosts.
    """

    def __init__(self, db: DynamoDB, *, secret: bytes) -> None:
        self._attempts: Table[Attempts] = db.table(TABLE_NAME, Attempts)
        self._secret = secret

    def new_device(self, email: str) -> str:
        """A name for a device that has signed in, for a cookie that lasts; it lets nobody in."""
        name = secrets.token_urlsafe(16)
        return f"{name}.{self._sign(email, name)}"

    def subject(self, email: str, device: str | None) -> str:
        name, _, signature = (device or "").partition(".")
        given = signature.encode("utf-8", "surrogatepass")
        if name and hmac.compare_digest(self._sign(email, name).encode(), given):
            return f"DEVICE#{name}"
        return f"STRANGERS#{email}"

    def take(self, subject: str, *, now: datetime) -> None:
        """Count an attempt, or refuse it; one for which there is no room yet waits.

        Raises:
            LockedOutError
        """
        retry_conflicts(lambda: self._take(subject, now), on=BusyError)

    def note_wrong(self, subject: str) -> None:
        """The password of the attempt was wrong."""
        wrong = UpdateBuilder(Attempts).increment(Attempts.wrong, 1)
        wrong.condition(Attempts.pk.exists())
        key = attempts_key(subject)
        try:
            retry_conflicts(
                lambda: settle(lambda: self._attempts.update_item(key, wrong, exactly_once=True))
            )
        except ConditionalCheckFailedError:
            return  # a right password came meanwhile

    def forget(self, subject: str) -> None:
        """The password was right."""
        retry_conflicts(lambda: self._attempts.delete_item(attempts_key(subject)))

    def _take(self, subject: str, now: datetime) -> None:
        key, until = attempts_key(subject), now + LOCKOUT
        count = (
            UpdateBuilder(Attempts)
            .increment(Attempts.taken, 1)
            .set(Attempts.expires_at, until)
            .condition(Attempts.expires_at > now)
            .condition(Attempts.taken.not_exists() | (Attempts.taken < MAX_ATTEMPTS))
        )
        try:
            settle(lambda: self._attempts.update_item(key, count, exactly_once=True))
        except ConditionalCheckFailedError as error:
            stored: Attempts | None = error.item
        else:
            return
        if stored is not None and stored.expires_at > now:
            is_locked = stored.wrong >= MAX_ATTEMPTS
            raise (LockedOutError if is_locked else BusyError)(stored.expires_at)
        again = Attempts(**key, taken=1, expires_at=until)
        is_over = Attempts.pk.not_exists() | (Attempts.expires_at <= now)
        try:
            settle(lambda: self._attempts.put_item(again, condition=is_over, exactly_once=True))
        except ConditionalCheckFailedError as error:
            raise BusyError(until) from error

    def _sign(self, email: str, name: str) -> str:
        text = f"{len(email)}#{email}#{name}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, text, "sha256").hex()
