"""The accounts service as a whole: the recipes composed, under races and faults."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dynasafe import AsyncDynamoDB, UpdateBuilder
from dynasafe.errors import DynasafeError
from dynasafe.testing import fake_database, table_description
from examples.accounts.errors import (
    AccountsError,
    BadEmailError,
    BrokenChainError,
    EmailTakenError,
    InvalidTokenError,
    LockedOutError,
    NotAllowedError,
    NotSignedInError,
    RepeatedPasswordError,
    UnfitPasswordError,
    WrongPasswordError,
)
from examples.accounts.lockout import MAX_ATTEMPTS
from examples.accounts.models import (
    INDEXES,
    ITEM_CLASSES,
    TABLES,
    Account,
    Email,
    Entry,
    Event,
    Kind,
    account_key,
    email_key,
    entry_key,
)
from examples.accounts.service import (
    CONFIRM_LIFETIME,
    RESET_LIFETIME,
    RESTORABLE,
    SESSION_LIFETIME,
    Accounts,
    Mail,
    SignedIn,
)
from examples.accounts.texts import Work
from tests.examples.conftest import (
    MakeDatabase,
    Rough,
    count,
    outcomes,
    rough_database,
)

ROOT = Path(__file__).parent.parent.parent
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ADA, GRACE = "ada@example.org", "grace@example.org"
PASSWORD = "correct horse"
DESCRIBED = {"accounts": table_description(Event, indexes=INDEXES["accounts"])}


def accounts_of(db: AsyncDynamoDB) -> Accounts:
    return Accounts(db, secret=b"s" * 32, audit_key=b"a" * 32, work=Work(n=2**4, p=1))


async def member(accounts: Accounts, email: str = ADA) -> str:
    """A new member, who has confirmed their address: their id."""
    mail = await accounts.sign_up(email, PASSWORD, now=NOW)
    assert mail.token is not None
    assert await accounts.confirm_email(mail.person_id, mail.token, now=NOW)
    return mail.person_id


async def session_of(accounts: Accounts, email: str = ADA, now: datetime = NOW) -> str:
    return (await accounts.sign_in(email, PASSWORD, now=now)).session


async def administrator(db: AsyncDynamoDB, accounts: Accounts) -> str:
    person_id = await member(accounts, "root@example.org")
    appointed = UpdateBuilder(Account).set(Account.is_admin, True)
    await db.table("accounts", Account).update_item(account_key(person_id), appointed)
    return await session_of(accounts, "root@example.org")


async def require_in_step(db: AsyncDynamoDB) -> None:
    """Each account has its marker and its chain, and each marker its account."""
    plain = await db.table("accounts").scan(consistent_read=True).to_list()
    people = [each for each in plain if each["sk"] == "ACCOUNT"]
    markers = {each["pk"]: each["person_id"] for each in plain if each["sk"] == "EMAIL"}
    addresses = {f"EMAIL#{each['email']}": each["person_id"] for each in people if "email" in each}
    assert addresses == markers
    ledger = accounts_of(db)._ledger
    for each in people:
        account = await ledger.get(each["person_id"])
        assert account is not None
        await ledger.audit(account)


@pytest.fixture
def db() -> AsyncDynamoDB:
    return fake_database(**DESCRIBED)


@pytest.fixture
def accounts(db: AsyncDynamoDB) -> Accounts:
    return accounts_of(db)


async def test_story(database: MakeDatabase) -> None:
    """From sign-up to erasure, on one table."""
    db = await database(indexes=INDEXES, **TABLES)
    accounts = accounts_of(db)
    person_id = await member(accounts)
    signed_in = await accounts.sign_in("Ada@Example.org", PASSWORD, now=NOW)
    assert await accounts.who(signed_in.session, now=NOW) == person_id
    await accounts.change_password(signed_in.session, PASSWORD, "battery staple", now=NOW)
    mail = await accounts.request_reset(ADA, now=NOW)
    assert mail is not None
    assert mail.token is not None
    with pytest.raises(RepeatedPasswordError):
        await accounts.reset(person_id, mail.token, PASSWORD, now=NOW)
    await accounts.reset(person_id, mail.token, "another horse", now=NOW)
    session = (await accounts.sign_in(ADA, "another horse", now=NOW)).session
    assert [entry.kind for entry in await accounts.audit(session, now=NOW)] == [
        Kind.SIGNED_UP.value,
        Kind.CONFIRMED.value,
        Kind.CHANGED.value,
        Kind.RESET.value,
    ]
    await accounts.erase(session, "another horse", person_id, now=NOW)

    left = await db.table("accounts").scan(consistent_read=True).to_list()
    assert ADA not in repr(left)
    assert {each["pk"].partition("#")[0] for each in left} <= {"AUDIT", "SESSION", "EVENT"}
    await member(accounts)


async def test_sign_ups(db: AsyncDynamoDB, accounts: Accounts) -> None:
    """Of 50 sign-ups with one address at once, one account is made, and nobody learns whether the
    address was taken."""
    mails = await outcomes([partial(accounts.sign_up, ADA, PASSWORD, now=NOW)] * 50, at_once=50)
    assert count(mails, Mail) == 50

    confirmed = await outcomes(
        (partial(accounts.confirm_email, m.person_id, m.token, now=NOW) for m in mails), at_once=50
    )

    assert (count(confirmed, True), count(confirmed, EmailTakenError)) == (1, 49)
    late = await accounts.sign_up(ADA, PASSWORD, now=NOW)
    assert (late.email, late.token) == (ADA, None)
    await require_in_step(db)


async def test_confirmation(accounts: Accounts) -> None:
    """An address is the account's only after its owner has confirmed it; until then it signs
    nobody in."""
    mail = await accounts.sign_up(ADA, PASSWORD, now=NOW)
    assert mail.token is not None
    with pytest.raises(WrongPasswordError):
        await accounts.sign_in(ADA, PASSWORD, now=NOW)
    for person_id, token, now in (
        (mail.person_id, "", NOW),
        (mail.person_id, "x.y", NOW),
        (mail.person_id, "\ud800.\ud800", NOW),
        (mail.person_id, mail.token + "x", NOW),
        (mail.person_id, mail.token, NOW + CONFIRM_LIFETIME),
        ("somebody", mail.token, NOW),
    ):
        with pytest.raises(InvalidTokenError):
            await accounts.confirm_email(person_id, token, now=now)

    assert await accounts.confirm_email(mail.person_id, mail.token, now=NOW)
    assert not await accounts.confirm_email(mail.person_id, mail.token, now=NOW)
    await session_of(accounts)


async def test_change_of_address(db: AsyncDynamoDB, accounts: Accounts) -> None:
    """A new address takes effect when it is confirmed; the old one gets a notice."""
    person_id = await member(accounts)
    session = await session_of(accounts)
    new, old = await accounts.request_email(session, PASSWORD, GRACE, now=NOW)
    assert (new.email, old.email, old.token) == (GRACE, ADA, None)
    assert new.token is not None
    await session_of(accounts, ADA)

    assert await accounts.confirm_email(person_id, new.token, now=NOW)

    await session_of(accounts, GRACE)
    with pytest.raises(WrongPasswordError):
        await accounts.sign_in(ADA, PASSWORD, now=NOW)
    await member(accounts, ADA)
    await require_in_step(db)


async def test_audit(db: AsyncDynamoDB, accounts: Accounts) -> None:
    """Each change and its audit entry are one transaction: no change is unrecorded, and no entry
    is there without its change."""
    person_id = await member(accounts)
    sessions = [await session_of(accounts) for _ in range(10)]

    await outcomes(
        (partial(accounts.end_sessions, session, now=NOW) for session in sessions), at_once=10
    )

    account = await db.table("accounts", Account).get_item(account_key(person_id))
    assert account is not None
    ended = await accounts._ledger.audit(account)
    assert account.session_epoch == len(ended) - 2 >= 1


async def take_out(db: AsyncDynamoDB, person_id: str) -> None:
    await db.table("accounts", Entry).delete_item(entry_key(person_id, 1))


async def take_the_last(db: AsyncDynamoDB, person_id: str) -> None:
    await db.table("accounts", Entry).delete_item(entry_key(person_id, 2))


async def change(db: AsyncDynamoDB, person_id: str) -> None:
    changed = UpdateBuilder(Entry).set(Entry.kind, Kind.SIGNED_IN.value)
    await db.table("accounts", Entry).update_item(entry_key(person_id, 1), changed)


@pytest.mark.parametrize("attack", [take_out, take_the_last, change])
async def test_chain(
    db: AsyncDynamoDB,
    accounts: Accounts,
    attack: Callable[[AsyncDynamoDB, str], Awaitable[None]],
) -> None:
    """The entries of a person form a chain whose head is in the account: `audit` finds what is
    missing."""
    person_id = await member(accounts)
    session = await session_of(accounts)
    assert len(await accounts.audit(session, now=NOW)) == 2

    await attack(db, person_id)

    with pytest.raises(BrokenChainError):
        await accounts.audit(session, now=NOW)


async def changes(accounts: Accounts, session: str) -> None:
    await accounts.change_password(session, PASSWORD, "battery staple", now=NOW)


async def resets(accounts: Accounts, session: str) -> None:
    mail = await accounts.request_reset(ADA, now=NOW)
    assert mail is not None
    assert mail.token is not None
    await accounts.reset(mail.person_id, mail.token, "battery staple", now=NOW)


async def ends(accounts: Accounts, session: str) -> None:
    await accounts.end_sessions(session, now=NOW)


async def deletes(accounts: Accounts, session: str) -> None:
    await accounts.delete(session, PASSWORD, now=NOW)


@pytest.mark.parametrize("end", [changes, resets, ends, deletes])
async def test_sessions_end(
    accounts: Accounts, end: Callable[[Accounts, str], Awaitable[None]]
) -> None:
    """A change of the password, a reset, an end of all sessions and a deletion end every session
    that was opened before, whatever raced it."""
    await member(accounts)
    mine = await session_of(accounts)
    signing_in = [partial(accounts.sign_in, ADA, PASSWORD, now=NOW) for _ in range(8)]

    found = await outcomes([*signing_in[:4], partial(end, accounts, mine), *signing_in[4:]])

    assert count(found, None) == 1
    opened = [each.session for each in found if isinstance(each, SignedIn)]
    alive = 0
    for session in (mine, *opened):
        try:
            await accounts.who(session, now=NOW)
        except NotSignedInError:
            continue
        alive += 1
    # Only an end of the sessions leaves the password, so that later sign-ins may be there.
    assert alive == 0 or end is ends
    with pytest.raises(NotSignedInError):
        await accounts.who(mine, now=NOW)


async def test_lockout(accounts: Accounts) -> None:
    """Guesses lock out strangers, and not the devices of the owner."""
    await member(accounts)
    signed_in = await accounts.sign_in(ADA, PASSWORD, now=NOW)

    found = await outcomes(
        (partial(accounts.sign_in, ADA, f"guess {each}", now=NOW) for each in range(50)), at_once=50
    )

    assert count(found, WrongPasswordError) == MAX_ATTEMPTS
    assert count(found, LockedOutError) == 50 - MAX_ATTEMPTS
    with pytest.raises(LockedOutError):
        await accounts.sign_in(ADA, PASSWORD, now=NOW)
    await accounts.sign_in(ADA, PASSWORD, now=NOW, device=signed_in.device)
    unknown = await outcomes(
        (partial(accounts.sign_in, GRACE, f"guess {each}", now=NOW) for each in range(14)),
        at_once=1,
    )
    assert count(unknown, LockedOutError) == 4


@pytest.mark.parametrize("session", ["", ".", "x.y", "\ud800.x", "{id}.x", "x" * 300])
async def test_authentication(accounts: Accounts, session: str) -> None:
    """Every call on behalf of a person needs their session; the dashboard needs an
    administrator's."""
    person_id = await member(accounts)
    good = await session_of(accounts)
    forged = session.replace("{id}", good.partition(".")[0])
    for call in (
        partial(accounts.who, forged),
        partial(accounts.request_email, forged, PASSWORD, GRACE),
        partial(accounts.end_sessions, forged),
        partial(accounts.change_password, forged, PASSWORD, "battery staple"),
        partial(accounts.delete, forged, PASSWORD),
        partial(accounts.erase, forged, PASSWORD, person_id),
        partial(accounts.restore, forged, person_id),
        partial(accounts.audit, forged),
        partial(accounts.dashboard, forged, Kind.SIGNED_IN, since=NOW),
    ):
        with pytest.raises(NotSignedInError):
            await call(now=NOW)
    for allowed in (
        partial(accounts.dashboard, good, Kind.SIGNED_IN, since=NOW),
        partial(accounts.erase, good, PASSWORD, "another"),
        partial(accounts.restore, good, person_id),
    ):
        with pytest.raises(NotAllowedError):
            await allowed(now=NOW)
    with pytest.raises(NotSignedInError):
        await accounts.who(good, now=NOW + SESSION_LIFETIME)
    await accounts.sign_out(forged)
    assert await accounts.who(good, now=NOW) == person_id
    await accounts.sign_out(good)
    with pytest.raises(NotSignedInError):
        await accounts.who(good, now=NOW)


async def test_stolen_session(db: AsyncDynamoDB, accounts: Accounts) -> None:
    """A stolen session alone changes nothing: changes, deletion and erasure need the password
    too."""
    person_id = await member(accounts)
    session = await session_of(accounts)
    before = await accounts._ledger.get(person_id)

    for call in (
        partial(accounts.request_email, session, "guess", GRACE),
        partial(accounts.change_password, session, "guess", "battery staple"),
        partial(accounts.delete, session, "guess"),
        partial(accounts.erase, session, "guess", person_id),
    ):
        found = await outcomes([partial(call, now=NOW)] * 4, at_once=1)
        assert count(found, WrongPasswordError) + count(found, LockedOutError) == 4

    assert await accounts._ledger.get(person_id) == before
    with pytest.raises(LockedOutError):
        await accounts.delete(session, PASSWORD, now=NOW)


async def test_unconfirmed(db: AsyncDynamoDB, accounts: Accounts) -> None:
    """An account whose address nobody confirms is removed by Time to Live."""
    mail = await accounts.sign_up(ADA, PASSWORD, now=NOW)
    unconfirmed = await accounts._ledger.get(mail.person_id)
    assert unconfirmed is not None
    assert unconfirmed.expires_at == NOW + CONFIRM_LIFETIME
    assert mail.token is not None

    await accounts.confirm_email(mail.person_id, mail.token, now=NOW)

    confirmed = await accounts._ledger.get(mail.person_id)
    assert confirmed is not None
    assert confirmed.expires_at is None


async def test_dashboard(db: AsyncDynamoDB, accounts: Accounts) -> None:
    """An administrator sees what happened, newest first."""
    admin = await administrator(db, accounts)
    person_id = await member(accounts)
    for seconds in range(3):
        await outcomes([partial(accounts.sign_in, ADA, "x", now=NOW + seconds * SECOND)])

    until = NOW + timedelta(minutes=1)
    failed = await accounts.dashboard(admin, Kind.SIGN_IN_FAILED, since=NOW, now=until)
    confirmed = await accounts.dashboard(admin, Kind.CONFIRMED, since=NOW, now=until, limit=10**6)

    assert failed == [(NOW + seconds * SECOND, person_id) for seconds in (2, 1, 0)]
    assert len(confirmed) == 2


async def test_deletion(db: AsyncDynamoDB, accounts: Accounts) -> None:
    """A deleted person can be restored for a month, keeps the address so long, and can be
    erased."""
    admin = await administrator(db, accounts)
    person_id = await member(accounts)
    await accounts.delete(await session_of(accounts), PASSWORD, now=NOW)
    assert await accounts.request_reset(ADA, now=NOW) is None
    assert (await accounts.sign_up(ADA, PASSWORD, now=NOW)).token is None
    with pytest.raises(WrongPasswordError):
        await accounts.sign_in(ADA, PASSWORD, now=NOW)

    last = NOW + RESTORABLE - SECOND
    admin = await session_of(accounts, "root@example.org", last)
    await accounts.restore(admin, person_id, now=last)
    await accounts.delete(await session_of(accounts), PASSWORD, now=NOW)
    with pytest.raises(InvalidTokenError):
        await accounts.restore(admin, person_id, now=NOW + RESTORABLE)
    await accounts.erase(admin, PASSWORD, person_id, now=NOW)
    await accounts.erase(admin, PASSWORD, person_id, now=NOW)

    await member(accounts)
    await require_in_step(db)


async def test_address_after_deletion(db: AsyncDynamoDB, accounts: Accounts) -> None:
    """After the month another person may have the address, and erasing the first leaves it."""
    first = await member(accounts)
    admin = await administrator(db, accounts)
    await accounts.delete(await session_of(accounts), PASSWORD, now=NOW)
    late = NOW + RESTORABLE
    mail = await accounts.sign_up(ADA, PASSWORD, now=late)
    assert mail.token is not None
    await accounts.confirm_email(mail.person_id, mail.token, now=late)

    await accounts.erase(admin, PASSWORD, first, now=NOW)

    marker = await db.table("accounts", Email).get_item(email_key(ADA))
    assert marker is not None
    assert marker.person_id == mail.person_id


async def test_erasure(db: AsyncDynamoDB, accounts: Accounts) -> None:
    """Erasure leaves entries that name an id and no more."""
    person_id = await member(accounts)
    session = await session_of(accounts)
    await accounts.request_email(session, PASSWORD, GRACE, now=NOW)

    await accounts.erase(session, PASSWORD, person_id, now=NOW)

    left = await db.table("accounts").scan().to_list()
    assert ADA not in repr(left)
    assert GRACE not in repr(left)
    entries = [each for each in left if each["pk"] == f"AUDIT#{person_id}"]
    assert [each["kind"] for each in entries][-1] == Kind.ERASED.value
    assert {name for each in entries for name in each} == {
        *("pk", "sk", "kind", "at", "person_id", "digest")
    }


async def test_faults() -> None:
    """Through lost answers and conflicts, an account, its address and its entries stay in step."""
    transport = Rough(DESCRIBED, rate=0.3)
    db = rough_database(transport)
    accounts = accounts_of(db)

    async def life(number: int) -> None:
        email = f"{number}@example.org"
        person_id = await member(accounts, email)
        session = await session_of(accounts, email)
        await accounts.end_sessions(session, now=NOW)
        session = await session_of(accounts, email)
        if number % 3 == 0:
            await accounts.erase(session, PASSWORD, person_id, now=NOW)
        elif number % 3 == 1:
            await accounts.delete(session, PASSWORD, now=NOW)

    found = await outcomes((partial(life, number) for number in range(24)), at_once=6)

    assert count(found, None) + count(found, DynasafeError) + count(found, AccountsError) == 24
    assert count(found, None) > 12
    assert transport.lost > 30
    await require_in_step(db)


async def test_migrated() -> None:
    """Items that lack every optional attribute, as after a migration, work like any others."""
    transport = Rough(DESCRIBED)
    accounts = accounts_of(rough_database(transport))
    person_id = await member(accounts)
    session = await session_of(accounts)
    await outcomes([partial(accounts.sign_in, ADA, "wrong", now=NOW)])
    kept = {"email", "audit_sequence", "audit_digest"}  # the address, and the head of the chain
    prefixes = ("PERSON", "EMAIL", "TOKEN", "SESSION", "ATTEMPTS", "AUDIT", "EVENT")
    classes = dict(zip(prefixes, ITEM_CLASSES, strict=True))
    for item in transport.tables["accounts"].items.values():
        is_token = item["sk"]["S"].startswith("TOKEN#")
        item_class = classes["TOKEN" if is_token else item["pk"]["S"].partition("#")[0]]
        for each in item_class.__dynasafe_schema__.attributes:
            if each.has_default and each.name not in kept:
                item.pop(each.name, None)

    assert await accounts.who(session, now=NOW) == person_id
    session = await session_of(accounts)
    await accounts.end_sessions(session, now=NOW)
    session = await session_of(accounts)
    await accounts.change_password(session, PASSWORD, "battery staple", now=NOW)
    session = (await accounts.sign_in(ADA, "battery staple", now=NOW)).session
    await accounts.erase(session, "battery staple", person_id, now=NOW)


async def test_skew(accounts: Accounts) -> None:
    """A host whose clock is 40 s wrong moves expiries by 40 s, and breaks nothing else."""
    skew = timedelta(seconds=40)
    person_id = await member(accounts)
    mail = await accounts.request_reset(ADA, now=NOW + skew)
    assert mail is not None
    assert mail.token is not None
    with pytest.raises(InvalidTokenError):
        await accounts.reset(person_id, mail.token, "x" * 8, now=NOW + skew + RESET_LIFETIME)
    await accounts.reset(person_id, mail.token, "x" * 8, now=NOW - skew + RESET_LIFETIME)


@pytest.mark.parametrize(
    "email", ["", "ada", "Ada <ada@x.org>, eve@x", "a\u200bda@x.org", "\ud800@x.org"]
)
async def test_bad_addresses(accounts: Accounts, email: str) -> None:
    """What is not exactly one address is refused everywhere."""
    for call in (
        partial(accounts.sign_up, email, PASSWORD),
        partial(accounts.sign_in, email, PASSWORD),
        partial(accounts.request_reset, email),
    ):
        with pytest.raises(BadEmailError):
            await call(now=NOW)


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
async def test_unfit_passwords(accounts: Accounts, password: str) -> None:
    """A password that is too short or too long is refused before it is hashed."""
    with pytest.raises(UnfitPasswordError):
        await accounts.sign_up(ADA, password, now=NOW)
    with pytest.raises(UnfitPasswordError):
        await accounts.reset("nobody", "x.y", password, now=NOW)


async def test_unknown_address_costs_the_same() -> None:
    """A known and an unknown address cost the same requests, at sign-up, sign-in and reset."""
    transport = Rough(DESCRIBED)
    accounts = accounts_of(rough_database(transport))
    await member(accounts)
    seen: list[Any] = []
    for email in (ADA, GRACE):
        transport.calls.clear()
        await accounts.sign_up(email, PASSWORD, now=NOW)
        await accounts.request_reset(email, now=NOW)
        await outcomes([partial(accounts.sign_in, email, "wrong", now=NOW)])
        seen.append([call.operation for call in transport.calls])

    assert seen[0] == seen[1]


def test_alone(tmp_path: Path) -> None:
    """The package runs where nothing else of this repository is."""
    shutil.copytree(ROOT / "examples" / "accounts", tmp_path / "accounts")

    ran = subprocess.run(
        [sys.executable, "-m", "accounts"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "You are not signed in" in ran.stdout
