"""The service: what a caller from outside can do."""

# Made from examples/accounts/service.py by `make twins`: change that one.

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from dynasafe import DynamoDB, Table, UpdateBuilder
from dynasafe.errors import DynasafeError, TransactionCanceledError
from dynasafe.sync import retry_conflicts, settle
from dynasafe.typing import Condition, Write

from .errors import (
    ChangedError,
    EmailTakenError,
    InvalidTokenError,
    NotAllowedError,
    NotSignedInError,
    RepeatedPasswordError,
    WrongPasswordError,
)
from .ledger import Ledger
from .lockout import Lockout
from .models import (
    TABLE_NAME,
    Account,
    Email,
    Entry,
    Event,
    Kind,
    PasswordHash,
    Purpose,
    Session,
    Token,
    account_key,
    email_key,
    session_key,
    token_key,
)
from .texts import (
    Work,
    digest_of,
    hash_password,
    is_password,
    new_token,
    normalised,
    require_fit,
    split_token,
)

T = TypeVar("T")

CONFIRM_LIFETIME = timedelta(hours=24)
RESET_LIFETIME = timedelta(hours=1)
SESSION_LIFETIME = timedelta(days=14)
RESTORABLE = timedelta(days=30)
EVENT_LIFETIME = timedelta(days=90)
REMEMBERED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What is to be mailed after the answer was given."""

    email: str
    person_id: str
    token: str | None
    """None: tell the owner that somebody used the address, or that it was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    person_id: str
    session: str
    device: str
    """For a cookie that lasts; give it back at the next sign-in."""


class Accounts:
    """The accounts service.

    What stays unknown of a write reaches the caller as OutcomeUnknownError: the change and its
    entry were both made, or neither.

    Args:
        secret, audit_key: 32 random bytes each, the same on all hosts.
        work: what a password's hash takes.
    """

    def __init__(
        self, db: DynamoDB, *, secret: bytes, audit_key: bytes, work: Work | None = None
    ) -> None:
        self._db = db
        self._ledger = Ledger(db, key=audit_key)
        self._lockout = Lockout(db, secret=secret)
        self._emails: Table[Email] = db.table(TABLE_NAME, Email)
        self._tokens: Table[Token] = db.table(TABLE_NAME, Token)
        self._sessions: Table[Session] = db.table(TABLE_NAME, Session)
        self._accounts: Table[Account] = db.table(TABLE_NAME, Account)
        self._events: Table[Event] = db.table(TABLE_NAME, Event)
        self._work = work or Work()

    # Sign-up and addresses

    def sign_up(self, email: str, password: str, *, now: datetime) -> Mail:
        """Make an account, if nobody has the address: what to mail, in either case.

        Raises:
            BadEmailError, UnfitPasswordError
        """
        require_fit(password)
        address = normalised(email)
        hashed = self._hash(password)
        owner = self._owner(address, now)
        # Made for a taken address too, so that both take as long. Time to Live removes what nobody
        # confirms.
        person_id = secrets.token_urlsafe(12)
        account = Account(
            **account_key(person_id),
            person_id=person_id,
            password=hashed,
            expires_at=now + CONFIRM_LIFETIME,
        )
        token, write = self._new_token(
            account, Purpose.CONFIRM, now + CONFIRM_LIFETIME, email=address
        )
        self._retried(lambda: self._ledger.create(account, Kind.SIGNED_UP, [write], at=now))
        if owner is not None:
            return Mail(email=address, person_id=owner, token=None)
        return Mail(email=address, person_id=person_id, token=token)

    def request_email(
        self, session: str, password: str, email: str, *, now: datetime
    ) -> list[Mail]:
        """Begin a change of the address: the token for the new one, and a word to the old one.

        Raises:
            NotSignedInError, WrongPasswordError, LockedOutError, BadEmailError
        """
        address = normalised(email)
        account = self._with_password(session, password, now)
        token, write = self._new_token(
            account, Purpose.CONFIRM, now + CONFIRM_LIFETIME, email=address
        )
        self._retried(lambda: settle(lambda: self._db.transact_write_items([write])))
        mails = [Mail(email=address, person_id=account.person_id, token=token)]
        if account.email is not None:
            mails.append(Mail(email=account.email, person_id=account.person_id, token=None))
        return mails

    def confirm_email(self, person_id: str, token: str, *, now: datetime) -> bool:
        """Give the account the address that the token was mailed to; False if it has it already.

        Raises:
            InvalidTokenError, EmailTakenError
        """
        return self._retried(lambda: self._confirm(person_id, token, now))

    def _confirm(self, person_id: str, token: str, now: datetime) -> bool:
        account, found = self._account_and_token(person_id, token, Purpose.CONFIRM, now)
        assert found.email is not None
        if account.email == found.email:
            return False
        owner = self._owner(found.email, now)
        if owner is not None:
            raise EmailTakenError
        marker = Email(**email_key(found.email), person_id=person_id)
        is_free = Email.pk.not_exists() | (Email.expires_at <= now)
        writes = [self._emails.put(marker, condition=is_free)]
        if account.email is not None:
            writes.append(self._free(account.email, person_id))
        update = UpdateBuilder(Account).set(Account.email, found.email)
        update.remove(Account.expires_at)
        self._ledger.change(account, Kind.CONFIRMED, update, writes, at=now)
        return True

    # Sign-in and sessions

    def sign_in(
        self, email: str, password: str, *, now: datetime, device: str | None = None
    ) -> SignedIn:
        """Open a session, if it is the password of the address.

        Raises:
            WrongPasswordError, LockedOutError, BadEmailError
        """
        address = normalised(email)
        subject = self._lockout.subject(address, device)
        self._lockout.take(subject, now=now)
        person_id = self._owner(address, now)
        account = self._ledger.get(person_id or "nobody")
        if account is None:
            self._hash(password)  # as long as for one who is there
        elif self._is_password(password, account.password) and not account.is_deleted:
            session, write = self._new_session(account, now)
            if self._is_unchanged(account, write):
                self._lockout.forget(subject)
                device = self._lockout.new_device(address)
                self._note(Kind.SIGNED_IN, account.person_id, now)
                return SignedIn(person_id=account.person_id, session=session, device=device)
        self._lockout.note_wrong(subject)
        self._note(Kind.SIGN_IN_FAILED, person_id or "nobody", now)
        raise WrongPasswordError

    def who(self, session: str, *, now: datetime) -> str:
        """The id of the person whose session it is.

        Raises:
            NotSignedInError
        """
        return (self._authenticated(session, now)).person_id

    def sign_out(self, session: str) -> None:
        """End the session; one that has ended is no error."""
        id_, secret = split_token(session)
        found = self._sessions.get_item(session_key(id_ or "none"), consistent_read=True)
        if found is not None and hmac.compare_digest(found.digest, digest_of(secret)):
            self._sessions.delete_item(session_key(id_))

    def end_sessions(self, session: str, *, now: datetime) -> None:
        """End all sessions of the caller.

        Raises:
            NotSignedInError
        """

        def end() -> None:
            account = self._authenticated(session, now)
            update = UpdateBuilder(Account).increment(Account.session_epoch, 1)
            self._ledger.change(account, Kind.SESSIONS_ENDED, update, at=now)

        self._retried(end)

    # Passwords

    def change_password(self, session: str, old: str, new: str, *, now: datetime) -> None:
        """Set a new password, and end all sessions.

        Raises:
            NotSignedInError, WrongPasswordError, LockedOutError, RepeatedPasswordError,
            UnfitPasswordError
        """
        require_fit(new)
        account = self._with_password(session, old, now)

        def change() -> None:
            fresh = self._authenticated(session, now)
            if fresh.session_epoch != account.session_epoch:
                raise WrongPasswordError
            update = self._new_password(fresh, new)
            self._ledger.change(fresh, Kind.CHANGED, update, at=now)

        self._retried(change)

    def request_reset(self, email: str, *, now: datetime) -> Mail | None:
        """What to mail; None if nobody has the address. Answer the outside the same.

        Raises:
            BadEmailError
        """
        person_id = self._owner(normalised(email), now)
        account = self._ledger.get(person_id or "nobody")
        is_there = account is not None and not account.is_deleted
        # Without an account a token is stored too, where nobody finds it: so both take as long.
        nobody = Account(
            **account_key(f"nobody {secrets.token_hex(8)}"),
            person_id="nobody",
            password=PasswordHash(salt=b"", digest=b""),
        )
        subject = account if account is not None and is_there else nobody
        token, write = self._new_token(subject, Purpose.RESET, now + RESET_LIFETIME)
        self._retried(lambda: settle(lambda: self._db.transact_write_items([write])))
        if account is None or not is_there:
            return None
        return Mail(email=normalised(email), person_id=account.person_id, token=token)

    def reset(self, person_id: str, token: str, password: str, *, now: datetime) -> None:
        """Take the token, set the password, and end all sessions and the strangers' lockout.

        Raises:
            InvalidTokenError, RepeatedPasswordError, UnfitPasswordError
        """
        require_fit(password)

        def reset() -> Account:
            account, found = self._account_and_token(person_id, token, Purpose.RESET, now)
            if found.session_epoch != account.session_epoch:
                raise InvalidTokenError
            update = self._new_password(account, password)
            used = self._tokens.delete({"pk": found.pk, "sk": found.sk})
            self._ledger.change(account, Kind.RESET, update, [used], at=now)
            return account

        account = self._retried(reset)
        if account.email is not None:
            self._lockout.forget(self._lockout.subject(account.email, None))

    # Deletion

    def delete(self, session: str, password: str, *, now: datetime) -> None:
        """Delete the caller's account, which can be restored for a month.

        Raises:
            NotSignedInError, WrongPasswordError, LockedOutError
        """
        self._with_password(session, password, now)

        def delete() -> None:
            account = self._authenticated(session, now)
            gone_at = now + RESTORABLE
            update = (
                UpdateBuilder(Account)
                .set(Account.is_deleted, True)
                .set(Account.expires_at, gone_at)
                .increment(Account.session_epoch, 1)
            )
            writes = self._leave_marker(account, gone_at)
            self._ledger.change(account, Kind.DELETED, update, writes, at=now)

        self._retried(delete)

    def restore(self, admin_session: str, person_id: str, *, now: datetime) -> None:
        """Bring back a deleted account.

        Raises:
            NotSignedInError, NotAllowedError
            InvalidTokenError: there is nobody to bring back.
        """
        self._administrator(admin_session, now)

        def restore() -> None:
            account = self._ledger.get(person_id)
            if account is None or not account.is_deleted or is_over(account.expires_at, now):
                raise InvalidTokenError
            update = UpdateBuilder(Account).set(Account.is_deleted, False)
            update.remove(Account.expires_at)
            writes = self._leave_marker(account, None)
            self._ledger.change(account, Kind.RESTORED, update, writes, at=now)

        self._retried(restore)

    def erase(self, session: str, password: str, person_id: str, *, now: datetime) -> None:
        """Remove an account for good, deleted or not: one's own, or any as an administrator.

        Args:
            password: the caller's.

        Raises:
            NotSignedInError, WrongPasswordError, LockedOutError, NotAllowedError
        """
        caller = self._with_password(session, password, now)
        if caller.person_id != person_id and not caller.is_admin:
            raise NotAllowedError

        def erase() -> None:
            account = self._ledger.get(person_id)
            if account is not None:
                writes = []
                # Time to Live may have removed the marker, and another one may have the address.
                if account.email and self._marked(account.email) == person_id:
                    writes.append(self._free(account.email, person_id))
                self._ledger.remove(account, writes, at=now)

        self._retried(erase)
        partition = account_key(person_id)["pk"]
        tokens = self._tokens.query(
            (Token.pk == partition) & Token.sk.begins_with("TOKEN#"), consistent_read=True
        ).to_list()
        keys = [{"pk": token.pk, "sk": token.sk} for token in tokens]
        self._tokens.batch_write_item(delete=keys)

    # Looking back

    def audit(self, session: str, *, now: datetime) -> list[Entry]:
        """The entries of the caller.

        Raises:
            NotSignedInError, BrokenChainError
        """
        return self._ledger.audit(self._authenticated(session, now))

    def dashboard(
        self, session: str, kind: Kind, *, since: datetime, now: datetime, limit: int = 50
    ) -> list[tuple[datetime, str]]:
        """When something of a kind happened, and to whom, newest first.

        Raises:
            NotSignedInError, NotAllowedError
        """
        self._administrator(session, now)
        question = (Event.kind == kind.value) & Event.at.between(since, now)
        found = self._db.table(TABLE_NAME).query(
            question,
            index_name="by_kind",
            scan_index_forward=False,
            max_items=min(max(limit, 1), 100),
        )
        return [(datetime.fromisoformat(each["at"]), each["person_id"]) for each in found]

    # Within

    def _retried(self, call: Callable[[], T]) -> T:
        return retry_conflicts(call, on=ChangedError)

    def _authenticated(self, session: str, now: datetime) -> Account:
        id_, secret = split_token(session)
        found = self._sessions.get_item(session_key(id_ or "none"), consistent_read=True)
        digest = b"" if found is None else found.digest
        is_right = hmac.compare_digest(digest, digest_of(secret))
        if found is None or not is_right or found.expires_at <= now:
            raise NotSignedInError
        account = self._ledger.get(found.person_id)
        if account is None or account.is_deleted or account.session_epoch != found.session_epoch:
            raise NotSignedInError
        return account

    def _with_password(self, session: str, password: str, now: datetime) -> Account:
        """The caller, who shows that they know the password: a session alone may be stolen.

        Raises:
            NotSignedInError, WrongPasswordError, LockedOutError
        """
        account = self._authenticated(session, now)
        subject = f"CALLER#{account.person_id}"
        self._lockout.take(subject, now=now)
        if not self._is_password(password, account.password):
            self._lockout.note_wrong(subject)
            raise WrongPasswordError
        self._lockout.forget(subject)
        return account

    def _administrator(self, session: str, now: datetime) -> None:
        if not (self._authenticated(session, now)).is_admin:
            raise NotAllowedError

    def _owner(self, address: str, now: datetime) -> str | None:
        marker = self._emails.get_item(email_key(address), consistent_read=True)
        return None if marker is None or is_over(marker.expires_at, now) else marker.person_id

    def _marked(self, address: str) -> str | None:
        """Whose the marker is, whether its time is over or not."""
        marker = self._emails.get_item(email_key(address), consistent_read=True)
        return None if marker is None else marker.person_id

    def _free(self, address: str, person_id: str) -> Write:
        return self._emails.delete(email_key(address), condition=Email.person_id == person_id)

    def _leave_marker(self, account: Account, until: datetime | None) -> list[Write]:
        """Have the address end together with the account."""
        if account.email is None:
            return []
        update = UpdateBuilder(Email)
        if until is None:
            update.remove(Email.expires_at)
        else:
            update.set(Email.expires_at, until)
        update.condition(Email.person_id == account.person_id)
        return [self._emails.update(email_key(account.email), update)]

    def _new_token(
        self, account: Account, purpose: Purpose, expires_at: datetime, *, email: str | None = None
    ) -> tuple[str, Write]:
        token_id, secret = new_token()
        token = Token(
            pk=account.pk,
            sk=f"TOKEN#{token_id}",
            purpose=purpose,
            digest=digest_of(secret),
            email=email,
            session_epoch=account.session_epoch,
            expires_at=expires_at,
        )
        return f"{token_id}.{secret}", self._tokens.put(token, condition=Token.pk.not_exists())

    def _account_and_token(
        self, person_id: str, token: str, purpose: Purpose, now: datetime
    ) -> tuple[Account, Token]:
        token_id, secret = split_token(token)
        found = self._tokens.get_item(
            token_key(person_id, token_id or "none"), consistent_read=True
        )
        digest = b"" if found is None else found.digest
        is_right = hmac.compare_digest(digest, digest_of(secret))
        if found is None or not is_right or found.purpose is not purpose:
            raise InvalidTokenError
        account = self._ledger.get(person_id)
        if found.expires_at <= now or account is None or account.is_deleted:
            raise InvalidTokenError
        return account, found

    def _new_session(self, account: Account, now: datetime) -> tuple[str, Write]:
        session_id, secret = new_token()
        session = Session(
            **session_key(session_id),
            person_id=account.person_id,
            digest=digest_of(secret),
            session_epoch=account.session_epoch,
            expires_at=now + SESSION_LIFETIME,
        )
        return f"{session_id}.{secret}", self._sessions.put(session)

    def _is_unchanged(self, account: Account, write: Write) -> bool:
        """Make the write, if no password was changed and no session ended since it was read."""
        check = self._accounts.check(account_key(account.person_id), is_epoch(account))
        try:
            retry_conflicts(lambda: settle(lambda: self._db.transact_write_items([check, write])))
        except TransactionCanceledError as error:
            if any(reason.code == "ConditionalCheckFailed" for reason in error.reasons):
                return False
            raise
        return True

    def _new_password(self, account: Account, password: str) -> UpdateBuilder:
        """An update of the password, which ends all sessions.

        Raises:
            RepeatedPasswordError
        """
        recent = [account.password, *account.previous]
        for hashed in recent:
            if self._is_password(password, hashed):
                raise RepeatedPasswordError
        return (
            UpdateBuilder(Account)
            .set(Account.password, self._hash(password))
            .set(Account.previous, recent[:REMEMBERED])
            .increment(Account.session_epoch, 1)
        )

    def _note(self, kind: Kind, person_id: str, now: datetime) -> None:
        """Tell the dashboard. If this fails, it fails alone."""
        event_id = secrets.token_hex(16)
        event = Event(
            pk=f"EVENT#{event_id}",
            sk="EVENT",
            kind=kind.value,
            at=now,
            person_id=person_id,
            expires_at=now + EVENT_LIFETIME,
        )
        try:
            self._events.put_item(event)
        except DynasafeError:
            return

    def _hash(self, password: str) -> PasswordHash:
        return hash_password(password, self._work)

    def _is_password(self, password: str, hashed: PasswordHash) -> bool:
        return is_password(password, hashed)


def is_over(time: datetime | None, now: datetime) -> bool:
    return time is not None and time <= now


def is_epoch(account: Account) -> Condition:
    """That the account is there, in the epoch in which it was read."""
    is_same = Account.session_epoch == account.session_epoch
    if account.session_epoch == 0:
        is_same = is_same | Account.session_epoch.not_exists()
    is_active = Account.is_deleted.not_exists() | (Account.is_deleted == False)  # noqa: E712
    return Account.pk.exists() & is_same & is_active
