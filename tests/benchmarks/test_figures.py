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
def test_given_any_rounds_when_one_machine_is_slower_then_no_ratio_changes(
    pairs: list[tuple[float, float]], factor: float
) -> None:
    ours, theirs = map(list, zip(*pairs, strict=True))
    slower = figure([each * factor for each in ours], [each * factor for each in theirs])

    ratio = slower.ratio(OURS, PEER)

    assert ratio.low <= ratio.middle <= ratio.high
    assert ratio.middle == pytest.approx(figure(ours, theirs).ratio(OURS, PEER).middle)
    assert ratio.middle == pytest.approx(median(mine / other for mine, other in pairs))


@given(pairs=rounds, bound=st.floats(min_value=0.1, max_value=10))
def test_given_any_rounds_when_written_and_read_then_the_same_is_said(
    pairs: list[tuple[float, float]], bound: float
) -> None:
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
def test_given_a_target_then_what_just_meets_it_meets_it(
    target: Target, met: float, missed: float
) -> None:
    assert target.is_met(figure([met], [10.0]))
    assert not target.is_met(figure([missed], [10.0]))


def test_given_figures_when_written_as_markdown_then_each_group_has_its_table() -> None:
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
def test_given_a_page_when_its_tables_are_put_in_then_the_rest_stays(
    before: str, after: str, old: str, tables: str
) -> None:
    page = between_markers(f"{before}{BEGIN}{old}{END}{after}", tables)

    assert page == f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def test_given_a_page_without_markers_when_tables_are_put_in_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        between_markers("# Performance", "tables")


def test_given_the_interpreters_report_then_only_what_came_after_its_start_counts() -> None:
    report = (
        "import time: self [us] | cumulative | imported package\n"
        "import time:       900 |        900 |   encodings\n"
        "import time:      1000 |       1900 | site\n"
        "import time:      1500 |       1500 |   json\n"
        "import time:       250 |       1750 | dynasafe\n"
    )

    assert import_ms(report) == 1.75


def test_given_the_committed_results_then_the_docs_have_their_tables() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text())

    assert between_markers(page, markdown(results)) == page
