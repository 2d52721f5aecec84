"""Pictures of the dashboards: their panels, drawn with an hour of invented values.

python -m tests.support.dashboard_pictures    # writes docs/dashboards/*.svg
"""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from dynasafe.logs.dashboards import cloudwatch_dashboard, grafana_dashboard

FOLDER = Path(__file__).parent.parent.parent / "docs" / "dashboards"
WIDTH, HEIGHT, GAP, COLUMNS = 360, 150, 12, 2
POINTS = 60
OUTAGE = range(24, 37)
"""The minutes in which DynamoDB does not answer in time."""

QUIET = ("DynamoDBBug", "DynamoDBState", "DynamoDBSetup", "DynamoDBLeak", "DynamoDBOwn")
STEADY = ("Calls", "Attempts", "attempts", "capacity", "Duration", "duration", "wait")
"""What goes on all the time, and what an outage does not bring; the rest happens in it only."""
COLOURS = ("#2f6fbb", "#b3402f", "#2f7d4f", "#a8741a", "#6d4aa8", "#187f8a", "#8a5a3c")
STYLE = """\
    text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #1f2430; }
    .small { font-size: 10px; fill: #4a5264; }
    .panel { fill: #fbfcfe; stroke: #c9d1e0; }
    .axis { stroke: #c9d1e0; }
    .series { fill: none; stroke-width: 1.6; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e8ebf2; }
      .small { fill: #b7bfd0; }
      .panel { fill: #1d222c; stroke: #454f63; }
      .axis { stroke: #454f63; }
    }
"""

Panel = tuple[str, Sequence[str]]
"""A title, and the names of its series."""


def cloudwatch_panels() -> list[Panel]:
    """The panels of the dashboard for CloudWatch."""
    widgets = json.loads(cloudwatch_dashboard("people", region="us-east-1"))["widgets"]
    properties = [each["properties"] for each in widgets]
    return [(each["title"], [metric[1] for metric in each["metrics"]]) for each in properties]


def grafana_panels() -> list[Panel]:
    """The panels of the dashboard for Grafana, each with its metric."""
    panels = json.loads(grafana_dashboard())["panels"]
    return [(each["title"], [_metric(each["targets"][0]["expr"])]) for each in panels]


def _metric(expression: str) -> str:
    """The metric of a query: what has a range, or what all of it is about."""
    found = re.search(r"(\w+)\[", expression) or re.search(r"(\w+)\)$", expression)
    assert found is not None, expression
    return found[1]


def picture(title: str, panels: Sequence[Panel]) -> str:
    """An SVG with all panels, two in a row."""
    rows = math.ceil(len(panels) / COLUMNS)
    width = COLUMNS * (WIDTH + GAP) + GAP
    height = rows * (HEIGHT + GAP) + GAP
    described = f"{len(panels)} panels: {'; '.join(name for name, _ in panels)}."
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-labelledby="title desc">',
        f'  <title id="title">{escape(title)}</title>',
        f'  <desc id="desc">{escape(described)} The values are invented.</desc>',
        f"  <style>\n{STYLE}  </style>",
    ]
    for number, (name, series) in enumerate(panels):
        x = GAP + number % COLUMNS * (WIDTH + GAP)
        y = GAP + number // COLUMNS * (HEIGHT + GAP)
        parts += _panel(name, series, x, y)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(title: str, series: Sequence[str], x: int, y: int) -> list[str]:
    lines = [
        f'  <g transform="translate({x} {y})">',
        f'    <rect class="panel" width="{WIDTH}" height="{HEIGHT}" rx="4"/>',
        f'    <text x="10" y="20">{escape(title)}</text>',
        f'    <path class="axis" d="M10 {HEIGHT - 32}H{WIDTH - 10}"/>',
    ]
    at = 10
    for index, name in enumerate(series):
        colour = COLOURS[index % len(COLOURS)]
        path = _path(_values(name, index))
        lines.append(f'    <path class="series" stroke="{colour}" d="{path}"/>')
        label = name.removeprefix("DynamoDB")
        lines += [
            f'    <rect x="{at}" y="{HEIGHT - 19}" width="8" height="8" fill="{colour}"/>',
            f'    <text class="small" x="{at + 12}" y="{HEIGHT - 11}">{escape(label)}</text>',
        ]
        at += 20 + round(6.0 * len(label)) + 4 * (len(label) > 12)
    return [*lines, "  </g>"]


def _values(name: str, index: int) -> list[float]:
    """An hour: steady with noise, or nothing but for an outage."""
    if name in QUIET:
        return [0.0] * POINTS
    draw = random.Random(f"{name} {index}")
    is_steady = any(word in name for word in STEADY) and "ailure" not in name and "slot" not in name
    level = 0.5 + 0.12 * index if is_steady else 0.0
    high = 0.9 - 0.1 * index
    return [
        max(0.0, (high if minute in OUTAGE else level) + draw.uniform(-0.06, 0.06))
        if is_steady or minute in OUTAGE
        else 0.0
        for minute in range(POINTS)
    ]


def _path(values: Sequence[float]) -> str:
    step = (WIDTH - 20) / (len(values) - 1)
    bottom, room = HEIGHT - 32, HEIGHT - 66
    places = [
        f"{10 + index * step:.1f} {bottom - value * room:.1f}" for index, value in enumerate(values)
    ]
    return f"M{' '.join(places)}"


PICTURES = {
    "cloudwatch.svg": ("The dashboard for CloudWatch", cloudwatch_panels),
    "grafana.svg": ("The dashboard for Grafana over Prometheus", grafana_panels),
}


def drawn() -> dict[str, str]:
    """Each picture by its file name."""
    return {name: picture(title, panels()) for name, (title, panels) in PICTURES.items()}


if __name__ == "__main__":
    for name, text in drawn().items():
        (FOLDER / name).write_text(text)
