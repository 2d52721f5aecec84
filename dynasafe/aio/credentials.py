"""The credentials of one client: fetched once for all calls, and before they expire.

Source: botocore/credentials.py, RefreshableCredentials, for the 15 minutes; here a failed refresh
backs off, and credentials that are still valid stay in use.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, Final

from dynasafe.aio.connection import in_thread
from dynasafe.environment.clock import draw
from dynasafe.http.credentials import (
    CredentialProblem,
    Credentials,
    CredentialState,
    require_credentials,
)
from dynasafe.resilience.boundary import client_closed


class CredentialSource(CredentialState):
    """The source of a client's credentials.

    Args:
        fetch: returns credentials, and may block. Its argument says whether to fetch from the
            source. None for static credentials.
        now_s: seconds since the epoch.
    """

    def __init__(
        self,
        fetch: Callable[[bool], Any] | None,
        current: Credentials | None,
        *,
        loop: asyncio.AbstractEventLoop,
        now_s: Callable[[], float],
    ) -> None:
        super().__init__(current, can_fetch=fetch is not None, now_s=now_s())
        self._fetch: Final = fetch
        self._loop: Final = loop
        self._now_s: Final = now_s
        self._task: asyncio.Task[Credentials] | None = None
        # What the calls wait for. It is not the task, whose cancellation would look to them as if
        # they were cancelled themselves.
        self._found: asyncio.Future[Credentials] = loop.create_future()
        self._is_closed = False

    async def get(self) -> Credentials:
        """Valid credentials. The caller limits the wait.

        Raises:
            CredentialProblem: no credentials were found.
            NotSent: the client was closed.
        """
        now_s = self._now_s()
        usable = self.usable(now_s)
        if usable is None:
            return await self._wait(is_forced=self.is_refused)
        if self.is_stale(now_s):
            self._begin(is_forced=False)
        return usable

    async def refresh(self, refused: Credentials | None) -> bool:
        """Whether there are new credentials now, in place of the refused ones.

        Raises:
            CredentialProblem: they could not be fetched.
            NotSent: the client was closed.
        """
        if not self.can_fetch:
            return False
        if self.must_ask(refused):
            await self._wait(is_forced=True)
        return self.current != refused

    def close(self) -> None:
        """End the fetch. Calls that wait for it are not sent."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()

    async def _wait(self, *, is_forced: bool) -> Credentials:
        if self._is_closed:
            raise client_closed()
        self._begin(is_forced=is_forced)
        # A call that gives up must not end the fetch for the others.
        return await asyncio.shield(self._found)

    def _begin(self, *, is_forced: bool) -> None:
        if self._task is None:
            self._found = self._loop.create_future()
            self._task = self._loop.create_task(self._run(is_forced))
            self._task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[Credentials]) -> None:
        self._task = None
        found = self._found
        if task.cancelled():
            if self._is_closed:
                found.set_exception(client_closed())
            else:
                found.cancel()
        elif (error := task.exception()) is not None:
            self.failed(self._now_s(), draw())
            found.set_exception(error)
        else:
            found.set_result(task.result())
        if not found.cancelled():
            found.exception()  # perhaps no call waits for it

    async def _run(self, is_forced: bool) -> Credentials:
        fetch = self._fetch
        assert fetch is not None
        try:
            if inspect.iscoroutinefunction(fetch):
                found = await fetch(is_forced)
            else:
                found = await in_thread(self._loop, lambda: fetch(is_forced))
                if inspect.isawaitable(found):
                    found = await found
        except CredentialProblem:
            raise
        except Exception as error:
            raise CredentialProblem("credentials=", f"{type(error).__name__}: {error}") from error
        credentials = require_credentials(found)
        self.fetched(credentials, self._now_s())
        return credentials
