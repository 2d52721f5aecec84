"""Pages of a list, and the text by which a caller asks for the next one.

A cursor comes back from outside, so it is read with suspicion. It holds keys in plain sight: where
they are nobody's business, encrypt it.
"""

# Made from examples/registry/paging.py by `make twins`: change that one.

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from dynasafe.sync import Pages

from .errors import BadCursorError

T = TypeVar("T")

MAX_CURSOR_LENGTH = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOf(Generic[T]):
    """Some items, and the cursor of the next page, or None at the end."""

    items: tuple[T, ...]
    cursor: str | None


def first_page(pages: Pages[T]) -> PageOf[T]:
    """One answer of a query or scan that was made with `limit`."""
    with closing(pages.pages()) as answers:
        page = next(answers)
    return PageOf(items=page.items, cursor=write_cursor(page.last_evaluated_key))


def write_cursor(key: Mapping[str, Any] | None) -> str | None:
    """The cursor of a `last_evaluated_key`, whose parts are texts and datetimes."""
    if key is None:
        return None
    parts = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in key.items()
    }
    return urlsafe_b64encode(json.dumps(parts).encode()).decode()


def read_cursor(cursor: str, *names: str, times: tuple[str, ...] = ()) -> dict[str, Any]:
    """The `exclusive_start_key` of a cursor: texts of these names, and datetimes.

    Raises:
        BadCursorError: it is not a cursor with these names.
    """
    if len(cursor) > MAX_CURSOR_LENGTH:
        raise BadCursorError("The cursor is too long.")
    try:
        parts = json.loads(urlsafe_b64decode(cursor.encode()))
        if parts.keys() != {*names, *times}:
            raise BadCursorError("The cursor is of another list.")
        if not all(isinstance(value, str) and is_key(value) for value in parts.values()):
            raise BadCursorError("The cursor is of another list.")
        return {name: time_of(each) if name in times else each for name, each in parts.items()}
    except (ValueError, AttributeError, RecursionError) as error:
        # AttributeError: no object. RecursionError: hundreds of brackets.
        raise BadCursorError("The text is not a cursor.") from error


def is_key(text: str) -> bool:
    """Whether DynamoDB may have given the text as a part of a key."""
    return 0 < len(text) <= MAX_CURSOR_LENGTH and text.isprintable()


def time_of(text: str) -> datetime:
    """The time, with its zone.

    Raises:
        ValueError: it is none.
    """
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("A time has a zone.")
    return time
