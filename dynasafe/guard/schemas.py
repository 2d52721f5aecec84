"""Table schemas that a guarded client reads from DynamoDB, each once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from inspect import isawaitable
from threading import Lock
from typing import Any

from dynasafe.hooks import logger
from dynasafe.validation.table_schema import TableSchema, table_schema

_MOST_FAILURES = 3
"""How often DescribeTable may fail for reasons other than a missing permission."""


class DescribedTables:
    """The schemas of one client's tables, from DescribeTable.

    Without permission to describe a table, it has no schema for the lifetime of the client. A table
    that does not exist is described again at its next use.
    """

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client
        self._known: dict[str, TableSchema | None] = {}
        self._failures: dict[str, int] = {}
        self._asking: dict[str, Any] = {}
        self._lock = Lock()

    def schema(self, table_names: Iterable[str]) -> TableSchema | Mapping[str, Any] | None:
        """The schema for `check_request`: of the one table, or by name."""
        known = {name: self._known.get(name) for name in table_names}
        return next(iter(known.values())) if len(known) == 1 else known

    def ask(self, table_names: Iterable[str], *, again: bool = False) -> Awaitable[None] | None:
        """Describe unknown tables. With an async client, await the result.

        Args: again: describe known tables too: a table may be re-created, or get an index.
        """
        wanted = [name for name in table_names if again or name not in self._known]
        if not wanted:
            return None
        waiting = []
        with self._lock:  # so that threads describe each table only once
            for name in wanted:
                if name in self._asking:
                    waiting.append(self._asking[name])
                elif again or name not in self._known:
                    answer = self._describe(name)
                    if isawaitable(answer):
                        waiting.append(self._answered_later(name, answer))
        return _all(waiting) if waiting else None

    def _describe(self, name: str) -> Awaitable[Any] | None:
        client = self._client()
        try:
            answer = client.describe_table(TableName=name)
        except Exception as error:  # the request itself will get the same error
            self._failed(name, error)
            return None
        if isawaitable(answer):
            return answer
        self._known[name] = table_schema(answer, name)
        return None

    def _answered_later(self, name: str, answer: Awaitable[Any]) -> Any:
        import asyncio

        async def answered() -> None:
            try:
                self._known[name] = table_schema(await answer, name)
            except Exception as error:
                self._failed(name, error)
            finally:
                del self._asking[name]

        # A separate task: other calls wait for it too, and it survives a cancelled caller.
        self._asking[name] = asyncio.ensure_future(answered())
        return self._asking[name]

    def _failed(self, name: str, error: Exception) -> None:
        response = getattr(error, "response", None) or {}
        code = str(response.get("Error", {}).get("Code", type(error).__name__))
        if code == "ResourceNotFoundException":
            self._known.pop(name, None)
            return
        if name in self._known:
            return
        self._failures[name] = self._failures.get(name, 0) + 1
        if code.startswith("AccessDenied") or self._failures[name] >= _MOST_FAILURES:
            self._known[name] = None
            logger().warning(
                "DescribeTable of %r failed (%s): its keys and indexes are not checked. "
                "Fix: allow dynamodb:DescribeTable, or give the guard a schema.",
                name,
                code,
            )


async def _all(waiting: list[Any]) -> None:
    import asyncio

    for each in waiting:
        await asyncio.shield(each)
