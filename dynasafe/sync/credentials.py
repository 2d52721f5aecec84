"""The credentials of one client: fetched once for all threads, and before they expire.

They are fetched in a separate thread, so that each call waits only within its time limit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final

from dynasafe.environment.clock import draw
from dynasafe.http.credentials import (
    CredentialProblem,
    Credentials,
    CredentialState,
    require_credentials,
)
from dynasafe.sync.threads import Work


class CredentialSource(CredentialState):
    """The source of a client's credentials.

    Args:
        fetch: returns credentials; its argument says whether to fetch from the source. None for
            static credentials.
        now_s: seconds since the epoch.
    """

    def __init__(
        self,
        fetch: Callable[[bool], Any] | None,
        current: Credentials | None,
        *,
        now_s: Callable[[], float],
    ) -> None:
        super().__init__(current, can_fetch=fetch is not None, now_s=now_s())
        self._fetch: Final = fetch
        self._now_s: Final = now_s
        self._lock: Final = threading.Lock()
        self._work: Work[Credentials] | None = None

    def get(self, timeout_s: float | None) -> Credentials:
        """Valid credentials.

        Raises:
            CredentialProblem: no credentials were found.
            TimeoutError: they were not there in time.
        """
        now_s = self._now_s()
        usable = self.usable(now_s)
        if usable is None:
            with self._lock:
                # Another thread may have just fetched them.
                usable = self.usable(now_s)
                work = self._begin(is_forced=self.is_refused) if usable is None else None
            if work is not None:
                return work.result(timeout_s)
            assert usable is not None
            return usable
        with self._lock:
            if self.is_stale(now_s):
                self._begin(is_forced=False)
        return usable

    def refresh(self, refused: Credentials | None, timeout_s: float | None) -> bool:
        """Whether there are new credentials now, in place of the refused ones.

        Raises:
            CredentialProblem: they could not be fetched.
            TimeoutError: they were not there in time.
        """
        if not self.can_fetch:
            return False
        with self._lock:
            must_ask = self.must_ask(refused)
            work = self._begin(is_forced=True) if must_ask else None
        if work is not None:
            work.result(timeout_s)
        return self.current != refused

    def refuse(self, credentials: Credentials) -> None:
        with self._lock:
            super().refuse(credentials)

    def _begin(self, *, is_forced: bool) -> Work[Credentials]:
        """The running fetch, or a new one. The caller has the lock."""
        if self._work is None:
            self._work = Work(lambda: self._run(is_forced)).start()
        return self._work

    def _run(self, is_forced: bool) -> Credentials:
        try:
            credentials = self._fetched(is_forced)
        except BaseException:
            with self._lock:
                self._work = None
                self.failed(self._now_s(), draw())
            raise
        with self._lock:
            self._work = None
        return credentials

    def _fetched(self, is_forced: bool) -> Credentials:
        assert self._fetch is not None
        try:
            found = self._fetch(is_forced)
        except CredentialProblem:
            raise
        except Exception as error:
            raise CredentialProblem("credentials=", f"{type(error).__name__}: {error}") from error
        if isinstance(found, Coroutine):
            found.close()
            raise CredentialProblem("credentials=", "an async function gives them. Fix: use `def`")
        credentials = require_credentials(found)
        with self._lock:
            self.fetched(credentials, self._now_s())
        return credentials
