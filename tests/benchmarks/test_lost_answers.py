"""What becomes of an increment whose answer is lost, with the clients that the tests have."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.lost_answers import CLIENTS, Outcome, losing_server, outcome

SUCCESS = "success"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("boto3", Outcome(sent=2, counted=2, reported=SUCCESS)),
        ("aioboto3", Outcome(sent=2, counted=2, reported=SUCCESS)),
        *(
            (
                f"{client}, guarded ({mode})",
                Outcome(sent=1, counted=1, reported="ConnectionClosedError"),
            )
            for client in ("boto3", "aioboto3")
            for mode in ("legacy", "standard", "adaptive")
        ),
        ("dynasafe", Outcome(sent=1, counted=1, reported="OutcomeUnknownError")),
        ("dynasafe, exactly once", Outcome(sent=2, counted=1, reported=SUCCESS)),
    ],
)
async def test_lost_answer_of_each_client(name: str, expected: Outcome) -> None:
    """An increment whose answer is lost has the outcome that the page says."""
    assert await outcome(CLIENTS[name]) == expected


def test_server_counts_a_token_once() -> None:
    """The losing server counts each token once."""
    with losing_server() as server:
        answered = [
            server.apply(b'{"ClientRequestToken": "%s"}' % token)
            for token in (b"one", b"one", b"two", b"two")
        ]

    assert answered == [False, True, True, True]
    assert (server.sent, server.counted) == (4, 2)


ROWS = {
    "boto3, aioboto3": ("boto3", "aioboto3"),
    "boto3, aioboto3 with `guard(client)`": (
        "boto3, guarded (standard)",
        "aioboto3, guarded (legacy)",
    ),
    "dynasafe": ("dynasafe",),
    "dynasafe with `exactly_once=True`": ("dynasafe, exactly once",),
}


@pytest.mark.parametrize("row", ROWS)
async def test_the_readme_has_the_figures(row: str) -> None:
    """The table of the README is what the command measures."""
    lines = (Path(__file__).parents[2] / "README.md").read_text().splitlines()
    (line,) = (each for each in lines if each.startswith(f"| {row} |"))
    for name in ROWS[row]:
        sent, counted, reported = await outcome(CLIENTS[name])
        assert line == f"| {row} | {sent} | {counted} | {reported} |"
