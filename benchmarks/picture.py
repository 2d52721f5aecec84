"""The picture of docs/performance.md: bars for the calls that most programs make.

python -m benchmarks.picture    # docs/diagrams/performance.svg, from benchmarks/results.json
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from benchmarks.figures import OURS, Figure, from_json

HERE = Path(__file__).resolve().parent
PICTURE = HERE.parent / "docs" / "diagrams" / "performance.svg"

PANELS = (
    ("A call, in CPU time of the client's process", "update, 1 caller", "An update, CPU time"),
    ("A call, in CPU time of the client's process", "get", "A get, CPU time"),
    ("Cold start, to the first answer", "plain", "A cold start, to the first answer"),
)
"""The group and the title of a figure, and its heading in the picture."""

LEFT, RIGHT, END = 210, 520, 640
LINE, GAP, HEAD = 24, 26, 30

STYLE = """
    text { font: 14px system-ui, "DejaVu Sans", sans-serif; fill: #1f2430; }
    .head { font-weight: 600; }
    .soft { fill: #4a5264; }
    .ours { fill: #2f7d4f; }
    .other { fill: #9aa7c7; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e8ebf2; }
      .soft { fill: #b7bfd0; }
      .ours { fill: #7fcf9e; }
      .other { fill: #5a6a94; }
    }
"""


class Bar(NamedTuple):
    """One contender in one panel."""

    contender: str
    value: float
    unit: str


def svg(results: Mapping[str, Any]) -> str:
    """The bars of the panels that results.json has; the shortest bar of each comes first."""
    figures = {(each.group, each.title): each for each in map(from_json, results["figures"])}
    lines, words, y = [], [], 8
    for group, title, heading in PANELS:
        figure = figures.get((group, title))
        if figure is None:
            continue
        bars = bars_of(figure)
        words.append(f"{heading}: {', '.join(map(_words, bars))}.")
        lines.append(f'<text class="head" x="8" y="{y + 18}">{escape(heading)}</text>')
        y += HEAD
        longest = max(bar.value for bar in bars)
        for bar in bars:
            lines += _row(bar, y, longest)
            y += LINE
        y += GAP
    height = y - GAP + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {END} {height}" width="{END}" '
        f'height="{height}" role="img" aria-labelledby="title desc">\n'
        '  <title id="title">What a call costs with each library; shorter is better</title>\n'
        f'  <desc id="desc">{escape(" ".join(words))}</desc>\n'
        f"  <style>{STYLE}  </style>\n" + "".join(f"  {line}\n" for line in lines) + "</svg>\n"
    )


def bars_of(figure: Figure) -> list[Bar]:
    """By value. Of dynasafe the row with the default settings alone, as of the others."""
    return sorted(
        (
            Bar(contender, figure.spread(contender).middle, figure.unit)
            for contender in figure.rounds
            if contender == OURS or not contender.startswith(OURS)
        ),
        key=lambda bar: (bar.value, bar.contender),
    )


def _row(bar: Bar, y: int, longest: float) -> Iterator[str]:
    kind = "ours" if bar.contender == OURS else "other"
    width = max(1, round((RIGHT - LEFT) * bar.value / longest))
    middle = y + LINE // 2 + 4
    yield f'<text x="{LEFT - 8}" y="{middle}" text-anchor="end">{escape(bar.contender)}</text>'
    height = LINE - 6
    yield f'<rect class="{kind}" x="{LEFT}" y="{y + 3}" width="{width}" height="{height}" rx="2"/>'
    yield f'<text class="soft" x="{LEFT + width + 6}" y="{middle}">{_value(bar)}</text>'


def _words(bar: Bar) -> str:
    return f"{bar.contender} {_value(bar)}"


def _value(bar: Bar) -> str:
    """Three digits, and milliseconds from a thousand microseconds on."""
    value, unit = bar.value, "µs" if bar.unit == "us" else bar.unit
    if unit == "µs" and value >= 1000:
        value, unit = value / 1000, "ms"
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def write(results: Mapping[str, Any]) -> None:
    PICTURE.write_text(svg(results), encoding="utf-8")


if __name__ == "__main__":
    write(json.loads((HERE / "results.json").read_text()))
