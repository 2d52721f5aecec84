"""The accounts service, on a table in memory."""

# Made from examples/accounts/__main__.py by `make twins`: change that one.

from __future__ import annotations

from datetime import UTC, datetime

from dynasafe.testing.sync import create_tables, fake_database

from .errors import NotSignedInError
from .models import INDEXES, TABLES
from .service import Accounts


def main() -> None:
    db = fake_database()
    create_tables(db, TABLES, indexes=INDEXES)
    accounts = Accounts(db, secret=b"from a secret store", audit_key=b"from a secret store")
    now = datetime(2026, 11, 24, tzinfo=UTC)
    mail = accounts.sign_up("ada@example.org", "correct horse", now=now)
    assert mail.token is not None
    accounts.confirm_email(mail.person_id, mail.token, now=now)
    signed_in = accounts.sign_in("Ada@Example.org", "correct horse", now=now)
    print([entry.kind for entry in accounts.audit(signed_in.session, now=now)])
    accounts.change_password(signed_in.session, "correct horse", "battery staple", now=now)
    try:
        accounts.who(signed_in.session, now=now)
    except NotSignedInError as error:
        print(error)


if __name__ == "__main__":
    main()
