"""Figures: the time of each contender in each round, and the targets.

Rounds are interleaved, so a slow machine slows all contenders. A ratio is taken within each round,
and the median of the rounds counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any, Literal

OURS = "dynasafe"
FROM_SOURCE = "dynasafe, not compiled"

Kind = Literal["at most", "at most times", "at least times faster"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The target of a contender's figure, absolute or relative to another one."""

    kind: Kind
    bound: float
    against: str | None = None
    contender: str = OURS

    def measured(self, figure: Figure) -> Spread:
        """The measured value of the target."""
        match self.kind:
            case "at most":
                return figure.spread(self.contender)
            case "at most times":
                return figure.ratio(self.contender, self._against)
            case "at least times faster":
                return figure.ratio(self._against, self.contender)

    def is_met(self, figure: Figure) -> bool:
        middle = self.measured(figure).middle
        if self.kind == "at least times faster":
            return middle >= self.bound
        return middle <= self.bound

    @property
    def _against(self) -> str:
        assert self.against is not None, "a target of this kind names another contender"
        return self.against


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of the rounds, with the quartiles beside it."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, middle, high = quantiles(values, n=4, method="inclusive")
        return cls(low, middle, high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One piece of work, and the time of each contender in each round."""

    group: str
    title: str
    unit: str
    rounds: Mapping[str, Sequence[float]]
    targets: Sequence[Target] = field(default=())

    def spread(self, contender: str) -> Spread:
        return Spread.of(self.rounds[contender])

    def ratio(self, contender: str, other: str) -> Spread:
        """The ratio of two contenders' times in the same round."""
        pairs = zip(self.rounds[contender], self.rounds[other], strict=True)
        return Spread.of([mine / theirs for mine, theirs in pairs])


def to_json(figure: Figure) -> dict[str, Any]:
    """The figure as results.json has it: values, ratios to ours, and how targets fared."""
    return {
        "group": figure.group,
        "title": figure.title,
        "unit": figure.unit,
        "contenders": {
            name: {
                "median": _rounded(median(values)),
                "beside_dynasafe": (
                    _rounded(figure.ratio(name, OURS).middle) if OURS in figure.rounds else None
                ),
                "rounds": [_rounded(value) for value in values],
            }
            for name, values in figure.rounds.items()
        },
        "targets": [
            {
                "contender": target.contender,
                "kind": target.kind,
                "bound": target.bound,
                "against": target.against,
                "measured": _rounded(target.measured(figure).middle),
                "quartiles": [
                    _rounded(target.measured(figure).low),
                    _rounded(target.measured(figure).high),
                ],
                "is_met": target.is_met(figure),
            }
            for target in figure.targets
        ],
    }


def from_json(data: Mapping[str, Any]) -> Figure:
    """The figure that `to_json` wrote."""
    return Figure(
        group=data["group"],
        title=data["title"],
        unit=data["unit"],
        rounds={name: each["rounds"] for name, each in data["contenders"].items()},
        targets=tuple(
            Target(
                kind=each["kind"],
                bound=each["bound"],
                against=each["against"],
                contender=each["contender"],
            )
            for each in data["targets"]
        ),
    )


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
