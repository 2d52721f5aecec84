"""The picture of docs/performance.md says what results.json says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import OURS, Figure, to_json
from benchmarks.picture import PANELS, PICTURE, bars_of, svg

ROOT = Path(__file__).parents[2]
RESULTS = json.loads((ROOT / "benchmarks" / "results.json").read_text())
SPACE = "{http://www.w3.org/2000/svg}"
GROUP, TITLE, HEADING = PANELS[0]

values = st.dictionaries(
    st.sampled_from([OURS, "boto3", "a <peer>", "dynasafe, OtelHook"]),
    st.floats(min_value=0.01, max_value=1e7),
    min_size=1,
)


def figure(rounds: dict[str, float]) -> Figure:
    return Figure(
        group=GROUP, title=TITLE, unit="us", rounds={name: [each] for name, each in rounds.items()}
    )


@given(rounds=values)
def test_bars_are_as_long_as_the_figures(rounds: dict[str, float]) -> None:
    """A longer bar is a larger figure; dynasafe has one bar, of its default settings."""
    drawn = ElementTree.fromstring(svg({"figures": [to_json(figure(rounds | {OURS: 1.0}))]}))
    bars = bars_of(figure(rounds | {OURS: 1.0}))
    widths = [int(each.attrib["width"]) for each in drawn.iter(f"{SPACE}rect")]
    assert len(widths) == len(bars)
    assert widths == sorted(widths)
    assert [bar.contender for bar in bars if bar.contender.startswith(OURS)] == [OURS]
    assert [each.attrib["class"] for each in drawn.iter(f"{SPACE}rect")].count("ours") == 1


def test_words() -> None:
    """The description names every bar, for those who do not see it."""
    drawn = svg({"figures": [to_json(figure({OURS: 12.34, "boto3": 1234.5, "a & b": 250.0}))]})
    description = re.search(r"<desc[^>]*>(.*)</desc>", drawn)
    assert description is not None
    assert description[1] == f"{HEADING}: dynasafe 12.3 µs, a &amp; b 250 µs, boto3 1.23 ms."


def test_panels_are_in_the_results() -> None:
    """Each panel has a figure; one whose group or title has changed would be left out."""
    present = {(each["group"], each["title"]) for each in RESULTS["figures"]}
    assert [each[:2] for each in PANELS if each[:2] not in present] == []


def test_the_page_has_the_picture_of_the_results() -> None:
    """The committed picture is made from the committed results."""
    assert PICTURE.read_text(encoding="utf-8") == svg(RESULTS)
    page = (ROOT / "docs" / "performance.md").read_text()
    assert page.startswith("# Performance\n\n![")


@pytest.mark.parametrize("name", ["title", "desc"])
def test_it_has_words_for_readers(name: str) -> None:
    """The picture has a title and a description for screen readers."""
    drawn = ElementTree.fromstring(svg(RESULTS))
    assert drawn.findtext(f"{SPACE}{name}")
    assert name in drawn.attrib["aria-labelledby"].split()
