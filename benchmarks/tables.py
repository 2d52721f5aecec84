"""Figures as Markdown: a table per group, and one of the targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from benchmarks.figures import OURS, Figure, Spread, Target, from_json

BEGIN = "<!-- figures: begin -->"
END = "<!-- figures: end -->"


def markdown(results: Mapping[str, Any]) -> str:
    """The contents of results.json: the circumstances, the targets, and a table for each group."""
    figures = [from_json(each) for each in results["figures"]]
    groups = groupby(figures, key=lambda figure: figure.group)
    parts = [_group(name, list(members)) for name, members in groups]
    return "\n\n".join([_circumstances(results), _targets(figures), *parts])


def between_markers(page: str, tables: str) -> str:
    """The page with the tables between its markers.

    Raises:
        ValueError: the page lacks a marker.
    """
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def _circumstances(results: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in results["packages"].items())
    return (
        f"Measured on {results['date']}: {results['python']}, {results['system']}, "
        f"{results['cores']} cores of {results['processor']}, a load of "
        f"{results['load_before']:.1f} before the start; {packages}."
    )


def _targets(figures: Iterable[Figure]) -> str:
    rows = [
        [
            _what(target, figure),
            _aim(target, figure.unit),
            _measured(target, figure),
            "yes" if target.is_met(figure) else "**no**",
        ]
        for figure in figures
        for target in figure.targets
    ]
    return "### Targets\n\n" + _table(["what", "target", "measured", "met"], rows)


def _what(target: Target, figure: Figure) -> str:
    work = f"{figure.group}: {figure.title}"
    return work if target.contender == OURS else f"{work}, {target.contender}"


def _aim(target: Target, unit: str) -> str:
    match target.kind:
        case "at most":
            return f"at most {target.bound:g} {_word(unit)}"
        case "at most times":
            return f"at most {target.bound:g} x {target.against}"
        case "at least times faster":
            return f"at least {target.bound:g} x faster than {target.against}"


def _measured(target: Target, figure: Figure) -> str:
    spread = target.measured(figure)
    unit = _word(figure.unit) if target.kind == "at most" else "x"
    return f"{_short(spread.middle)} {unit}{_range(spread)}"


def _range(spread: Spread) -> str:
    """The quartiles; empty with only one round."""
    if spread.low == spread.high:
        return ""
    return f" ({_short(spread.low)} to {_short(spread.high)})"


def _group(name: str, figures: Sequence[Figure]) -> str:
    contenders = list(dict.fromkeys(each for figure in figures for each in figure.rounds))
    rows = [
        [contender, *(_cell(figure, contender) for figure in figures)] for contender in contenders
    ]
    heads = [f"{figure.title}, {_word(figure.unit)}" for figure in figures]
    return f"### {name}\n\n" + _table(["", *heads], rows)


def _cell(figure: Figure, contender: str) -> str:
    if contender not in figure.rounds:
        return ""
    value = _short(figure.spread(contender).middle)
    if contender == OURS or OURS not in figure.rounds:
        return value
    return f"{value} ({figure.ratio(contender, OURS).middle:.2f} x)"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _word(unit: str) -> str:
    return "µs" if unit == "us" else unit


def _short(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
