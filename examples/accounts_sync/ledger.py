"""Changes of an account, each with its entry in the audit log, in one transaction."""

# Made from examples/accounts/ledger.py by `make twins`: change that one.

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from dynasafe import DynamoDB, Table, UpdateBuilder
from dynasafe.errors import TransactionCanceledError
from dynasafe.sync import settle
from dynasafe.typing import Write

from .errors import BrokenChainError, ChangedError
from .models import TABLE_NAME, Account, Entry, Kind, account_key, entry_key


class Ledger:
    """The accounts and their entries.

    Each write raises OutcomeUnknownError where DynamoDB cannot be reached: the change and its entry
    are both made, or neither.

    Args:
        key: of the chain; 32 random bytes, the same on all hosts.
    """

    def __init__(self, db: DynamoDB, *, key: bytes) -> None:
        self._db = db
        self._accounts: Table[Account] = db.table(TABLE_NAME, Account)
        self._entries: Table[Entry] = db.table(TABLE_NAME, Entry)
        self._key = key

    def get(self, person_id: str) -> Account | None:
        """The account as of the last write, deleted or not."""
        return self._accounts.get_item(account_key(person_id), consistent_read=True)

    def create(
        self, account: Account, kind: Kind, writes: Sequence[Write], *, at: datetime
    ) -> None:
        """Store a new account with its first entry, and make the other writes.

        Raises:
            ChangedError: the account is there, or a condition of the other writes did not hold.
        """
        account.audit_sequence, account.audit_digest = 0, b""  # also where it is tried again
        entry = self._next(account, kind, at)
        account.audit_sequence, account.audit_digest = 1, entry.digest
        self._commit(
            [self._accounts.put(account, condition=Account.pk.not_exists())], entry, writes
        )

    def change(
        self,
        account: Account,
        kind: Kind,
        update: UpdateBuilder,
        writes: Sequence[Write] = (),
        *,
        at: datetime,
    ) -> None:
        """Change an account that was read, and make the other writes.

        Raises:
            ChangedError: it was changed since, or a condition of the other writes did not hold.
        """
        entry = self._next(account, kind, at)
        update.set(Account.audit_sequence, account.audit_sequence + 1)
        update.set(Account.audit_digest, entry.digest)
        update.condition(Account.pk.exists())
        # By the instance, not by its key: so its version is checked.
        self._commit([self._accounts.update(account, update)], entry, writes)

    def remove(self, account: Account, writes: Sequence[Write], *, at: datetime) -> None:
        """Delete an account that was read, and make the other writes; its entries stay.

        Raises:
            ChangedError
        """
        entry = self._next(account, Kind.ERASED, at)
        is_same = Account.version == account.version
        if account.version == 0:  # an account of an older service may have no version
            is_same = is_same | Account.version.not_exists()
        key = account_key(account.person_id)
        gone = self._accounts.delete(key, condition=Account.pk.exists() & is_same)
        self._commit([gone], entry, writes)

    def _commit(self, first: list[Write], entry: Entry, writes: Sequence[Write]) -> None:
        put = self._entries.put(entry, condition=Entry.pk.not_exists())
        try:
            settle(lambda: self._db.transact_write_items([*first, put, *writes]))
        except TransactionCanceledError as error:
            if any(reason.code == "ConditionalCheckFailed" for reason in error.reasons):
                raise ChangedError from error
            raise

    def audit(self, account: Account) -> list[Entry]:
        """All entries of the person, in order.

        Raises:
            BrokenChainError: one was changed, added, or taken out.
        """
        partition = entry_key(account.person_id, 0)["pk"]
        entries = self._entries.query(Entry.pk == partition, consistent_read=True).to_list()
        digest = b""
        for sequence, entry in enumerate(entries, start=1):
            is_next = entry.sk == entry_key(account.person_id, sequence)["sk"]
            expected = self._digest(account.person_id, sequence, entry.kind, entry.at, digest)
            if not is_next or not hmac.compare_digest(expected, entry.digest):
                raise BrokenChainError(account.person_id, sequence)
            digest = entry.digest
        is_head = hmac.compare_digest(digest, account.audit_digest)
        if len(entries) != account.audit_sequence or not is_head:
            raise BrokenChainError(account.person_id, len(entries) + 1)
        return entries

    def _next(self, account: Account, kind: Kind, at: datetime) -> Entry:
        sequence = account.audit_sequence + 1
        return Entry(
            **entry_key(account.person_id, sequence),
            kind=kind.value,
            at=at,
            person_id=account.person_id,
            digest=self._digest(account.person_id, sequence, kind.value, at, account.audit_digest),
        )

    def _digest(
        self, person_id: str, sequence: int, kind: str, at: datetime, previous: bytes
    ) -> bytes:
        written = [person_id, sequence, kind, at.astimezone(UTC).isoformat(), previous.hex()]
        return hmac.digest(self._key, json.dumps(written).encode(), "sha256")
