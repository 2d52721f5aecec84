"""A cache that is bounded in bytes, and that a flood of new keys does not empty."""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_LARGEST = 64
"""An entry larger than 1/64 of the cache is not kept: it would cost much and save little."""


class Cache(Generic[K, V]):
    """The entries that were used last, up to a number of bytes.

    Entries that were used again are kept separately from those that were used once, such as unusual
    names from one user. So new entries push out only each other.
    """

    __slots__ = ("_bytes_new", "_bytes_used", "_new", "_used", "max_bytes")

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes: int = max_bytes
        self._new: dict[K, tuple[V, int]] = {}
        self._used: dict[K, tuple[V, int]] = {}
        self._bytes_new: int = 0
        self._bytes_used: int = 0

    def get(self, key: K) -> V | None:
        """The value that was put last, unless it is gone."""
        entry = self._used.get(key)
        if entry is None:
            entry = self._new.get(key)
            if entry is None:
                return None
            self._keep(key, entry)
        return entry[0]

    def put(self, key: K, value: V, size_bytes: int) -> None:
        """Keep the value, unless it is large. `size` is the bytes of key and content."""
        if size_bytes * _LARGEST > self.max_bytes:
            return
        # Threads may count at the same time, and lose a little. Both counts start again with their
        # dict.
        if (self._bytes_new + size_bytes) * 2 > self.max_bytes:
            self._new, self._bytes_new = {}, 0
        self._new[key] = value, size_bytes
        self._bytes_new += size_bytes

    def _keep(self, key: K, entry: tuple[V, int]) -> None:
        if (self._bytes_used + entry[1]) * 2 > self.max_bytes:
            # Entries that are still in use come back one by one.
            self._new, self._bytes_new = self._used, self._bytes_used
            self._used, self._bytes_used = {}, 0
        self._used[key] = entry
        self._bytes_used += entry[1]

    def __len__(self) -> int:
        return len(self._new.keys() | self._used.keys())
