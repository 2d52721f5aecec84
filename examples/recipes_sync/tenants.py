"""Multi-tenant isolation: many tenants in one table, and none sees another one's.

What it does: `Notes` stores and lists the notes of one tenant. The tenant is the partition key, so
that an IAM policy can hold each session to its own (`policy`).

Threat model: A caller of one tenant chooses ids, cursors and bodies to reach the items of another,
or a mistake in the service's own code does. Who administers the account is beyond this.

What it guarantees:
- No id, whatever characters it has, reaches an item of another tenant.
- A list and its cursor show the tenant's own notes only, even with another tenant's cursor.
- A tenant id that is empty, too long, or has other characters than a-z, 0-9 and "-" is refused.
- The policy allows no Scan, and no index, and only the partition of the session's tenant.
- A patch changes neither the tenant nor the id.
- A note that lacks every optional attribute, as after a migration, is served like any other.

What it leaves to you: who the caller is, and of which tenant; take it from the verified token, and
never from the path or the body. Assume a role with the session tag `tenant_id`, and make one client
for each tenant: without that, only this code separates them. One busy tenant shares a partition's
throughput of 1,000 writes a second.

The table: `notes`, partition key `tenant_id`, sort key `id`. Needs `pip install dynasafe`; `python
tenants.py` runs it in memory.
"""

# Made from examples/recipes/tenants.py by `make twins`: change that one.

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dynasafe import Attr, DynamoDB, Item, Table, UpdateBuilder, attribute
from dynasafe.errors import ConditionalCheckFailedError
from dynasafe.sync import retry_conflicts

TENANT_ID = re.compile(r"[a-z0-9-]{1,64}")
MAX_ID_LENGTH = 128


class Note(Item):
    tenant_id: Attr[str] = attribute(key="partition")
    id: Attr[str] = attribute(key="sort")
    text: Attr[str] = attribute(default="")


TABLES: dict[str, type[Item]] = {"notes": Note}


class BadIdError(ValueError):
    """The text is no id."""


class NoSuchNoteError(Exception):
    """The tenant has no such note."""


class Notes:
    """The notes of one tenant.

    Each write raises OutcomeUnknownError where DynamoDB cannot be reached; to repeat it is safe.

    Args:
        db: opened with the tenant's own session, where you have one.
        tenant_id: from the verified token.

    Raises:
        BadIdError
    """

    def __init__(self, db: DynamoDB, tenant_id: str) -> None:
        if TENANT_ID.fullmatch(tenant_id) is None:
            raise BadIdError("A tenant id has 1 to 64 of a-z, 0-9 and '-'.")
        self._table: Table[Note] = db.table("notes", Note)
        self._tenant_id = tenant_id

    def store(self, note_id: str, text: str) -> None:
        """Store a note, in place of the one of that id."""
        key, update = self._key(note_id), UpdateBuilder(Note).set(Note.text, text)
        retry_conflicts(lambda: self._table.update_item(key, update))

    def get(self, note_id: str) -> Note:
        """The note.

        Raises:
            NoSuchNoteError
        """
        note = self._table.get_item(self._key(note_id), consistent_read=True)
        if note is None:
            raise NoSuchNoteError(note_id)
        return note

    def patch(self, note_id: str, patch: Mapping[str, object]) -> Note:
        """Change what the patch names: the note afterwards.

        Raises:
            NoSuchNoteError
            InvalidRequestError: the patch names what must not be changed.
        """
        update = UpdateBuilder(Note).patch(patch, none="remove")
        if update.is_empty:
            return self.get(note_id)
        update.condition(Note.id.exists())
        key = self._key(note_id)
        try:
            result = retry_conflicts(
                lambda: self._table.update_item(key, update, return_values="ALL_NEW")
            )
        except ConditionalCheckFailedError as error:
            raise NoSuchNoteError(note_id) from error
        return result.attributes

    def list(self, *, limit: int = 25, after: str | None = None) -> list[Note]:
        """So many notes in the order of their ids, from the one after that id."""
        own = Note.tenant_id == self._tenant_id
        # The cursor is an id. The tenant never comes from outside.
        start = None if after is None else self._key(after)
        pages = self._table.query(
            own, limit=limit, max_items=limit, exclusive_start_key=start, consistent_read=True
        )
        return pages.to_list()

    def delete(self, note_id: str) -> None:
        """Delete the note; one that is not there is no error."""
        key = self._key(note_id)
        retry_conflicts(lambda: self._table.delete_item(key))

    def _key(self, note_id: str) -> dict[str, str]:
        if not 0 < len(note_id) <= MAX_ID_LENGTH or not note_id.isprintable():
            raise BadIdError("A note's id has 1 to 128 printable characters.")
        return {"tenant_id": self._tenant_id, "id": note_id}


def policy(table_arn: str) -> dict[str, Any]:
    """An IAM policy for sessions with the tag `tenant_id`: their own partition, and nothing else.

    `Null` is there because `ForAllValues` holds for a request without any leading key.
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [
                    f"dynamodb:{operation}"
                    for operation in ("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")
                ],
                "Resource": table_arn,
                "Condition": {
                    "ForAllValues:StringEquals": {
                        "dynamodb:LeadingKeys": ["${aws:PrincipalTag/tenant_id}"]
                    },
                    "Null": {"dynamodb:LeadingKeys": "false"},
                },
            }
        ],
    }


def main() -> None:
    """Two tenants with a note of one id, on a table in memory."""
    from dynasafe.testing.sync import create_tables, fake_database

    db = fake_database()
    create_tables(db, TABLES)
    for tenant in ("acme", "globex"):
        Notes(db, tenant).store("n1", f"of {tenant}")
    print(Notes(db, "acme").list())
    print(json.dumps(policy("arn:aws:dynamodb:us-east-1:111122223333:table/notes"), indent=2))


if __name__ == "__main__":
    main()
