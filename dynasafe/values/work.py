"""How much was converted since other threads had their turn.

Containers count their values before they convert them. So any value of up to 400 KB, of whatever
shape, is converted in pieces that take milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any, Final

from dynasafe.values.turns import let_others_run

OF_A_TURN: Final = 1024
"""Values that are converted in one piece."""


class _Left:
    """The number of values until the next turn of others. Threads may share it: it is no limit."""

    def __init__(self) -> None:
        self.count: int = OF_A_TURN


_LEFT: Final = _Left()


def worked(count: int) -> None:
    """Count values that are about to be converted, and let others run if there were many."""
    left = _LEFT
    left.count -= count
    if left.count < 0:
        left.count = OF_A_TURN
        let_others_run()


def parts_of_list(values: Collection[Any]) -> list[list[Any]]:
    """The values in pieces, for which one turn is enough."""
    every = values if type(values) is list else [*values]
    if len(every) <= OF_A_TURN:
        return [every]
    return [every[start : start + OF_A_TURN] for start in range(0, len(every), OF_A_TURN)]


def parts_of_map(values: Mapping[Any, Any]) -> list[dict[Any, Any]]:
    """The members of a map in pieces, for which one turn is enough."""
    members = iter([*values.items()])
    return [dict(islice(members, OF_A_TURN)) for _ in range(0, len(values), OF_A_TURN)]


def in_order(values: list[Any]) -> list[Any]:
    """The values from the smallest to the largest."""
    if len(values) <= OF_A_TURN:
        values.sort()
        return values
    ordered: list[Any] = []
    for part in parts_of_list(values):
        worked(len(part))
        part.sort()
        ordered += part
    ordered.sort()  # which finds that the parts are sorted
    return ordered
