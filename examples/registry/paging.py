"""Pages of a list, and the text by which a caller asks for the next one.

A cursor comes back from outside, so it is read with suspicion. It holds keys in plain sight: where
they are nobody's business, encrypt it.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from dynasafe.aio.pages import Pages
from examples.registry.errors import BadCursorError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOf(Generic[T]):
    """Some items, and the cursor of the next page, or None at the end."""

    items: tuple[T, ...]
    cursor: str | None


async def first_page(pages: Pages[T]) -> PageOf[T]:
    """One answer of a query or scan that was made with `limit`."""
    async with aclosing(pages.pages()) as answers:
        page = await anext(answers)
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


def read_cursor(cursor: str | None, *names: str, times: tuple[str, ...] = ()) -> dict[str, Any]:
    """The `exclusive_start_key` of a cursor: texts of these names, and datetimes.

    Raises:
        BadCursorError: it is not a cursor with these names.
    """
    try:
        parts = json.loads(urlsafe_b64decode((cursor or "").encode()))
        if parts.keys() != {*names, *times}:
            raise BadCursorError("a cursor of another list")
        if not all(isinstance(value, str) and value for value in parts.values()):
            raise BadCursorError("a cursor whose parts are not texts")
        return {
            name: datetime.fromisoformat(value) if name in times else value
            for name, value in parts.items()
        }
    except (ValueError, AttributeError) as error:
        raise BadCursorError("not a cursor") from error
