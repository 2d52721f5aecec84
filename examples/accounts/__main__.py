"""The accounts service, on a table in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from dynasafe.testing import create_tables, fake_database

from .errors import NotSignedInError
from .models import INDEXES, TABLES
from .service import Accounts


async def main() -> None:
    db = fake_database()
    await create_tables(db, TABLES, indexes=INDEXES)
    accounts = Accounts(db, secret=b"from a secret store", audit_key=b"from a secret store")
    now = datetime(2026, 11, 24, tzinfo=UTC)
    mail = await accounts.sign_up("ada@example.org", "correct horse", now=now)
    assert mail.token is not None
    await accounts.confirm_email(mail.person_id, mail.token, now=now)
    signed_in = await accounts.sign_in("Ada@Example.org", "correct horse", now=now)
    print([entry.kind for entry in await accounts.audit(signed_in.session, now=now)])
    await accounts.change_password(signed_in.session, "correct horse", "battery staple", now=now)
    try:
        await accounts.who(signed_in.session, now=now)
    except NotSignedInError as error:
        print(error)


if __name__ == "__main__":
    asyncio.run(main())
