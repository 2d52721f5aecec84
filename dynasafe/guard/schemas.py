"""Schemas of tables that a guarded client asks DynamoDB for, each once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from inspect import isawaitable
from threading import Lock
from typing import Any

from dynasafe.hooks import logger
from dynasafe.validation.table_schema import TableSchema, table_schema

_MOST_FAILURES = 3
"""How often DescribeTable may fail, for another reason than a lack of permission."""


class DescribedTables:
    """What DescribeTable says of the tables that one client uses.

    A table whose description may not be read has no schema, for as long as the client lives. One
    that does not exist is asked for again.
    """

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client
        self._known: dict[str, TableSchema | None] = {}
        self._failures: dict[str, int] = {}
        self._asking: dict[str, Any] = {}
        self._lock = Lock()

    def schema(self, table_names: Iterable[str]) -> TableSchema | Mapping[str, Any] | None:
        """For `check_request`: of the one table, or by name."""
        known = {name: self._known.get(name) for name in table_names}
        return next(iter(known.values())) if len(known) == 1 else known

    def ask(self, table_names: Iterable[str], *, again: bool = False) -> Awaitable[None] | None:
        """Describe those that are not known. With an async client, once the result is awaited.

        Args:
            again: those that are known, too: a table may be made again, or get an index.
        """
        wanted = [name for name in table_names if again or name not in self._known]
        if not wanted:
            return None
        waiting = []
        with self._lock:  # so that each is asked for once, whatever the number of threads
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
        except Exception as error:  # whatever it is, the request itself will meet it too
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

        # A task of its own: others wait for it too, and it outlives a caller that is cancelled.
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
