"""Credentials as one client's calls share them: fetched once for all, and ahead of their expiry.

Source: botocore/credentials.py, RefreshableCredentials, for the 15 minutes; here a failed refresh
backs off, and credentials that are still good stay in use.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable
from random import random
from typing import Any, Final

from dynasafe.aio.connection import in_thread
from dynasafe.http.credentials import (
    ADVISORY_S,
    CredentialProblem,
    Credentials,
    refresh_delay_s,
    require_credentials,
)

_FRESH_S: Final = 10.0


class CredentialSource:
    """Where a client's credentials come from.

    Args:
        fetch: gives credentials; it may block, and takes whether to ask the source itself. None
            for credentials that never change.
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
        self.current = current
        self.stale_at_s: float = -math.inf
        self._fetch: Final = fetch
        self._loop: Final = loop
        self._now_s: Final = now_s
        self._task: asyncio.Task[Credentials] | None = None
        self._failures = 0
        self._next_try_s = -math.inf
        self._refreshed_at_s = -math.inf
        if current is not None:
            self._take(current)

    async def get(self) -> Credentials:
        """Credentials that are good now. Its caller bounds the wait.

        Raises:
            CredentialProblem: there are none.
        """
        now_s = self._now_s()
        current = self.current
        if current is not None and now_s < current.expires_at_s:
            if self._fetch is not None and now_s >= max(self.stale_at_s, self._next_try_s):
                self._begin(is_forced=False)
            return current
        if self._fetch is None:
            raise CredentialProblem("static", "the credentials have expired")
        return await asyncio.shield(self._begin(is_forced=False))

    async def refresh(self, refused: Credentials | None) -> bool:
        """Whether there are other credentials now than those that were refused.

        Raises:
            CredentialProblem: they could not be fetched.
        """
        if self._fetch is None:
            return False
        is_new = self._loop.time() - self._refreshed_at_s < _FRESH_S
        if not is_new or self.current is refused:
            # Of many calls that meet the expiry together, one asks.
            await asyncio.shield(self._begin(is_forced=True))
        return self.current != refused

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _begin(self, *, is_forced: bool) -> asyncio.Task[Credentials]:
        if self._task is None:
            self._task = self._loop.create_task(self._run(is_forced))
            self._task.add_done_callback(self._end)
        return self._task

    def _end(self, task: asyncio.Task[Credentials]) -> None:
        self._task = None
        if task.cancelled():
            return
        if task.exception() is None:
            self._failures = 0
            self._refreshed_at_s = self._loop.time()
        else:
            self._failures += 1
            delay_s = refresh_delay_s(self._failures, draw=random())
            self._next_try_s = self._now_s() + delay_s

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
        if self._now_s() >= credentials.expires_at_s:
            raise CredentialProblem("credentials", "what was fetched has expired already")
        self._take(credentials)
        return credentials

    def _take(self, credentials: Credentials) -> None:
        self.current = credentials
        lifetime_s = credentials.expires_at_s - self._now_s()
        # Those of a short life are fetched again in its second half.
        self.stale_at_s = credentials.expires_at_s - min(ADVISORY_S, lifetime_s / 2)
