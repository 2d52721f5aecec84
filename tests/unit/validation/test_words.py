"""What DynamoDB itself answered in 2026: its verdict, its exception and its first message.

Source: paritysuite/dynamodb-conformance, whose tests and captures record the service's answers.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dynasafe import check_request
from dynasafe.validation.words import HIDDEN, HISTORY, SPLITS

DATA: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data/aws_2026.json").read_text())
ECHOES = (
    (r"(numeric value: ).*?(?= for key|$)", rf"\g<1>{HIDDEN}"),
    (r"(Input collection )\[.*?\]", rf"\g<1>[{HIDDEN}]"),
    (r"(Value )'\{.*?\}'( at 'requestItems')", rf"\g<1>'{{{HIDDEN}}}'\g<2>"),
    (r"(Value )'x{37}'( at 'clientRequestToken')", rf"\g<1>'{HIDDEN}'\g<2>"),
)
"""Where the service prints values of the request."""


def whole(part: Any) -> Any:
    """The part as it was sent."""
    match part:
        case {"$nested": levels}:
            value: Any = {"S": "leaf"}
            for _ in range(levels):
                value = {"M": {"n": value}}
            return value
        case {"$repeat": [text, count]}:
            return text * count
        case dict():
            return {name: whole(each) for name, each in part.items()}
        case list():
            return [whole(each) for each in part]
        case _:
            return part


def without_values(message: str) -> str:
    for pattern, hidden in ECHOES:
        message = re.sub(pattern, hidden, message, flags=re.DOTALL)
    return message


@pytest.mark.parametrize(
    "row", DATA["rows"], ids=[f"{index}-{row['kind']}" for index, row in enumerate(DATA["rows"])]
)
def test_answer(row: dict[str, Any]) -> None:
    """The first finding is what the service said, but for the values that it prints."""
    findings = check_request(
        row["operation"], whole(row["params"]), schema=DATA["schemas"], form="wire"
    )
    if "regions" in row:
        assert findings == ()  # some regions accept it, so it is not refused
        return
    messages = [without_values(each) for each in row["messages"]]
    found = findings[0]

    assert found.exception == row["exception"]
    if row.get("holds"):
        assert any(each in found.message for each in messages)
    else:
        assert found.message in messages
    is_reason = found.exception == "TransactionCanceledException"
    assert found.reason_index == (0 if is_reason else None)


def test_splits() -> None:
    """Each observation that regions differ has its day and its regions."""
    for split in SPLITS:
        assert re.fullmatch(r"2026-\d\d-\d\d", split.observed)
        assert split.what
        assert split.regions == tuple(sorted(split.regions))
        assert all(re.fullmatch(r"[a-z]{2}-[a-z]+-\d", region) for region in split.regions)


def test_history() -> None:
    """The rows are in the order of their dates, and the newer layer never loses an operation."""
    dates = [each.since for each in HISTORY]
    assert dates == sorted(dates)
    for before, after in pairwise(HISTORY):
        assert before.newer <= after.newer
        assert after.enveloped <= after.newer
