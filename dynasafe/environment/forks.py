"""Locks after a fork: a child process begins with free ones.

Another thread of the parent may have held a lock at that moment. In the child it would be held
without end, since that thread is not there.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class HasLocks(Protocol):
    """What has locks."""

    def renew_locks(self) -> None:
        """Put new locks in place of its own."""
        ...


_owners: WeakSet[HasLocks] = WeakSet()


def renewed_after_fork(owner: HasLocks) -> None:
    """From now on, in a child process its locks are new ones."""
    _owners.add(owner)


def _renew() -> None:
    for owner in list(_owners):
        owner.renew_locks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
