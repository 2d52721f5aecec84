"""Locks after a fork: a child process starts with new locks.

Another thread of the parent may have held a lock at that moment. In the child, that thread does not
exist, so nothing would release the lock.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class HasLocks(Protocol):
    """An object with locks."""

    def renew_locks(self) -> None:
        """Replace the object's locks by new ones."""
        ...


_owners: WeakSet[HasLocks] = WeakSet()


def renewed_after_fork(owner: HasLocks) -> None:
    """Renew the object's locks in child processes from now on."""
    _owners.add(owner)


def _renew() -> None:
    for owner in list(_owners):
        owner.renew_locks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
