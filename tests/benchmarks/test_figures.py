"""What the figures of a benchmark say of its rounds, and how they are written."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import OURS, Figure, Target, from_json, to_json
from benchmarks.imports import import_ms
from benchmarks.tables import BEGIN, END, between_markers, markdown

ROOT = Path(__file__).parent.parent.parent
PEER = "a peer"

positive = st.floats(min_value=1e-3, max_value=1e6)
rounds = st.lists(st.tuples(positive, positive), min_size=1, max_size=9)


def figure(ours: list[float], theirs: list[float], *targets: Target) -> Figure:
    return Figure(
        group="Work", title="some", unit="us", rounds={OURS: ours, PEER: theirs}, targets=targets
    )


@given(pairs=rounds, factor=st.floats(min_value=0.1, max_value=10))
def test_slower_machine_changes_no_ratio(pairs: list[tuple[float, float]], factor: float) -> None:
    """On a slower machine the ratio of two contenders is the same, and is the median."""
    ours, theirs = map(list, zip(*pairs, strict=True))
    slower = figure([each * factor for each in ours], [each * factor for each in theirs])

    ratio = slower.ratio(OURS, PEER)

    assert ratio.low <= ratio.middle <= ratio.high
    assert ratio.middle == pytest.approx(figure(ours, theirs).ratio(OURS, PEER).middle)
    assert ratio.middle == pytest.approx(median(mine / other for mine, other in pairs))


@given(pairs=rounds, bound=st.floats(min_value=0.1, max_value=10))
def test_figure_json_roundtrip(pairs: list[tuple[float, float]], bound: float) -> None:
    """A figure that is written and read is written the same again."""
    ours, theirs = map(list, zip(*pairs, strict=True))
    written = to_json(figure(ours, theirs, Target(kind="at most", bound=bound)))

    again = to_json(from_json(json.loads(json.dumps(written))))

    assert again == to_json(from_json(again))
    assert again["contenders"][PEER]["rounds"] == pytest.approx(theirs, rel=1e-3)
    assert again["targets"][0]["bound"] == bound


@pytest.mark.parametrize(
    ("target", "met", "missed"),
    [
        (Target(kind="at most", bound=2), 2.0, 2.01),
        (Target(kind="at most times", bound=0.5, against=PEER), 5.0, 5.01),
        (Target(kind="at least times faster", bound=5, against=PEER), 2.0, 2.01),
    ],
)
def test_target_is_met_by_its_limit(target: Target, met: float, missed: float) -> None:
    """A value at the limit of a target meets it, and one beyond it does not."""
    assert target.is_met(figure([met], [10.0]))
    assert not target.is_met(figure([missed], [10.0]))


def test_markdown_has_a_table_for_each_group() -> None:
    """The Markdown has the machine, the targets and a table for each group."""
    fast = Target(kind="at least times faster", bound=5, against=PEER)
    short = Target(kind="at most", bound=2.5)
    peers = Target(kind="at most", bound=60, contender=PEER)
    alone = Figure(
        group="Import", title="import", unit="ms", rounds={PEER: [61.5]}, targets=(peers,)
    )
    results: dict[str, Any] = {
        "date": "2026-11-24",
        "python": "CPython 3.11.7",
        "system": "Linux x86_64",
        "processor": "a processor",
        "cores": 2,
        "load_before": 0.25,
        "packages": {"dynasafe": "0.1.0", "boto3": "1.40.61"},
        "figures": [
            to_json(each)
            for each in (
                figure([2.0, 2.5, 4.0], [10.0, 15.0, 16.0], fast, short),
                Figure(group="Work", title="more", unit="us", rounds={OURS: [1234.5]}),
                alone,
            )
        ],
    }

    assert markdown(results) == (
        "Measured on 2026-11-24: CPython 3.11.7, Linux x86_64, 2 cores of a processor, a load of "
        "0.2 before the start; dynasafe 0.1.0, boto3 1.40.61.\n"
        "\n"
        "### Targets\n"
        "\n"
        "| what | target | measured | met |\n"
        "| --- | --- | --- | --- |\n"
        "| Work: some | at least 5 x faster than a peer | 5 x (4.5 to 5.5) | yes |\n"
        "| Work: some | at most 2.5 µs | 2.5 µs (2.25 to 3.25) | yes |\n"
        "| Import: import, a peer | at most 60 ms | 61.5 ms | **no** |\n"
        "\n"
        "### Work\n"
        "\n"
        "|  | some, µs | more, µs |\n"
        "| --- | --- | --- |\n"
        "| dynasafe | 2.5 | 1234 |\n"
        "| a peer | 15 (5.00 x) |  |\n"
        "\n"
        "### Import\n"
        "\n"
        "|  | import, ms |\n"
        "| --- | --- |\n"
        "| a peer | 61.5 |"
    )


@given(before=st.text(), after=st.text(), old=st.text(), tables=st.text())
def test_rest_of_the_page_stays(before: str, after: str, old: str, tables: str) -> None:
    """Replacing the tables of a page keeps the rest of it."""
    page = between_markers(f"{before}{BEGIN}{old}{END}{after}", tables)

    assert page == f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def test_page_without_markers_is_refused() -> None:
    """A page without markers is refused."""
    with pytest.raises(ValueError, match="not enough values"):
        between_markers("# Performance", "tables")


def test_import_time_starts_after_the_interpreter() -> None:
    """The import time leaves out what the interpreter itself imports."""
    report = (
        "import time: self [us] | cumulative | imported package\n"
        "import time:       900 |        900 |   encodings\n"
        "import time:      1000 |       1900 | site\n"
        "import time:      1500 |       1500 |   json\n"
        "import time:       250 |       1750 | dynasafe\n"
    )

    assert import_ms(report) == 1.75


def test_docs_have_the_committed_results() -> None:
    """The tables in the docs are those of the committed results."""
    page = (ROOT / "docs" / "performance.md").read_text()
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text())

    assert between_markers(page, markdown(results)) == page
