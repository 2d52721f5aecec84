"""The items, all in one table: partition key `pk`, sort key `sk`, Time to Live on `expires_at`.

| item     | pk               | sk              |
|----------|------------------|-----------------|
| Account  | PERSON#id        | ACCOUNT         |
| Token    | PERSON#id        | TOKEN#token id  |
| Entry    | AUDIT#id         | its number      |
| Email    | EMAIL#address    | EMAIL           |
| Session  | SESSION#id       | SESSION         |
| Attempts | ATTEMPTS#subject | ATTEMPTS        |
| Event    | EVENT#id         | EVENT           |

The index `by_kind` (`kind`, `at`) has entries and events, for the dashboard.
"""

# Made from examples/accounts/models.py by `make twins`: change that one.

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from dynasafe import Attr, Item, attribute


class Kind(StrEnum):
    SIGNED_UP = "signed up"
    CONFIRMED = "address confirmed"
    SIGNED_IN = "signed in"
    SIGN_IN_FAILED = "sign-in failed"
    SESSIONS_ENDED = "sessions ended"
    CHANGED = "password changed"
    RESET = "password reset"
    DELETED = "deleted"
    RESTORED = "restored"
    ERASED = "erased"


class PasswordHash(Item):
    """A salted scrypt hash, with what it took."""

    salt: Attr[bytes]
    digest: Attr[bytes]
    n: Attr[int] = attribute(default=2**14)
    r: Attr[int] = attribute(default=8)
    p: Attr[int] = attribute(default=5)


class Account(Item):
    pk: Attr[str] = attribute(key="partition")
    sk: Attr[str] = attribute(key="sort")
    person_id: Attr[str]
    password: Attr[PasswordHash]
    previous: Attr[list[PasswordHash]] = attribute(default_factory=list)
    email: Attr[str | None] = attribute(default=None)
    """Confirmed, and normalised. None: no address was confirmed yet."""
    is_admin: Attr[bool] = attribute(default=False)
    session_epoch: Attr[int] = attribute(default=0)
    audit_sequence: Attr[int] = attribute(default=0)
    audit_digest: Attr[bytes] = attribute(default=b"")
    is_deleted: Attr[bool] = attribute(default=False)
    expires_at: Attr[datetime | None] = attribute(default=None, ttl=True)
    version: Attr[int] = attribute(default=0, version=True)


class Email(Item):
    """An address in use, and by whom."""

    pk: Attr[str] = attribute(key="partition")
    sk: Attr[str] = attribute(key="sort")
    person_id: Attr[str]
    expires_at: Attr[datetime | None] = attribute(default=None, ttl=True)


class Purpose(StrEnum):
    CONFIRM = "confirm"
    RESET = "reset"


class Token(Item):
    """A token that was mailed, as a hash."""

    pk: Attr[str] = attribute(key="partition")
    sk: Attr[str] = attribute(key="sort")
    purpose: Attr[Purpose]
    digest: Attr[bytes]
    email: Attr[str | None] = attribute(default=None)
    """The address that it confirms."""
    session_epoch: Attr[int] = attribute(default=0)
    """A reset's token is void in a later epoch."""
    expires_at: Attr[datetime] = attribute(ttl=True)


class Session(Item):
    pk: Attr[str] = attribute(key="partition")
    sk: Attr[str] = attribute(key="sort")
    person_id: Attr[str]
    digest: Attr[bytes]
    session_epoch: Attr[int] = attribute(default=0)
    expires_at: Attr[datetime] = attribute(ttl=True)


class Attempts(Item):
    pk: Attr[str] = attribute(key="partition")
    sk: Attr[str] = attribute(key="sort")
    taken: Attr[int] = attribute(default=0)
    wrong: Attr[int] = attribute(default=0)
    expires_at: Attr[datetime] = attribute(ttl=True)
    """Until when they count."""


class Entry(Item):
    """Of the audit log. It names nobody but by an id."""

    pk: Attr[str] = attribute(key="partition")
    sk: Attr[str] = attribute(key="sort")
    kind: Attr[str]
    at: Attr[datetime]
    person_id: Attr[str]
    digest: Attr[bytes]


class Event(Item):
    """Of the dashboard alone: what strangers cause must not make an account's writes wait."""

    pk: Attr[str] = attribute(key="partition")
    sk: Attr[str] = attribute(key="sort")
    kind: Attr[str]
    at: Attr[datetime]
    person_id: Attr[str]
    expires_at: Attr[datetime] = attribute(ttl=True)


TABLE_NAME = "accounts"
ITEM_CLASSES = (Account, Email, Token, Session, Attempts, Entry, Event)
# All classes have the same keys; Event has the index's attributes, and Time to Live, as well.
TABLES: dict[str, type[Item]] = {TABLE_NAME: Event}
INDEXES = {TABLE_NAME: {"by_kind": ("kind", "at")}}


class Key(TypedDict):
    pk: str
    sk: str


def account_key(person_id: str) -> Key:
    return Key(pk=f"PERSON#{person_id}", sk="ACCOUNT")


def email_key(email: str) -> Key:
    return Key(pk=f"EMAIL#{email}", sk="EMAIL")


def token_key(person_id: str, token_id: str) -> Key:
    return Key(pk=f"PERSON#{person_id}", sk=f"TOKEN#{token_id}")


def session_key(session_id: str) -> Key:
    return Key(pk=f"SESSION#{session_id}", sk="SESSION")


def attempts_key(subject: str) -> Key:
    return Key(pk=f"ATTEMPTS#{subject}", sk="ATTEMPTS")


def entry_key(person_id: str, sequence: int) -> Key:
    return Key(pk=f"AUDIT#{person_id}", sk=f"{sequence:012}")
