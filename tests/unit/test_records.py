"""Records are values: compared by what they hold, never changed, copied and pickled whole."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe import Finding, RetryPolicy
from dynasafe.calls.writes import WriteResult
from dynasafe.errors import CancellationReason
from dynasafe.findings.finding import Where
from dynasafe.records import Record
from dynasafe.resilience.circuit_breaker import CircuitMetrics, CountWindow, TimeWindow
from dynasafe.validation.table_schema import KeyAttribute, KeySchema

WHERE = Where(parameter="UpdateExpression", text="SET a = :a", span=(4, 5))
RECORDS: list[Any] = [
    WHERE,
    Finding(code="DYS103", message="m", where=WHERE, fix="f", reason_index=1),
    RetryPolicy(max_attempts=3, quota=None),
    CountWindow(7),
    TimeWindow(seconds=7),
    CircuitMetrics(buffered_calls=1, failed_calls=1, slow_calls=0, failure_rate=1.0, slow_rate=0.0),
    CancellationReason(operation="Put", code="None"),
    KeySchema(attributes=(KeyAttribute(name="id", type_name="S"),)),
]
one_of_them = pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)


@one_of_them
def test_copies_are_equal(record: Record) -> None:
    """Copied, pickled, written as its repr says."""
    copies = [
        copy.copy(record),
        copy.deepcopy(record),
        pickle.loads(pickle.dumps(record)),
        record.replaced(),
        eval(repr(record), globals()),
    ]
    assert copies == [record] * len(copies)
    assert {record, *copies} == {record}


@one_of_them
def test_nothing_can_be_set(record: Record) -> None:
    """Neither a field nor another attribute."""
    for name in (*record._names(), "other"):
        with pytest.raises(AttributeError, match="cannot be set: it never changes"):
            setattr(record, name, None)
        with pytest.raises(AttributeError, match="cannot be deleted: it never changes"):
            delattr(record, name)


@given(st.integers(1, 9), st.integers(1, 9))
def test_equal_is_what_holds_the_same(one: int, other: int) -> None:
    """Of another class is never equal."""
    assert (CountWindow(one) == CountWindow(other)) is (one == other)
    assert (CountWindow(one).replaced(calls=other) == CountWindow(other)) is True
    assert CountWindow(one) != TimeWindow(one)


def test_results_show_no_attributes() -> None:
    """They may be personal data."""
    result = WriteResult(attributes={"name": "Ada"}, attempts=1)
    assert repr(result) == "WriteResult(attempts=1)"
    assert pickle.loads(pickle.dumps(result)) == result


@pytest.mark.parametrize(
    "settings", [{"max_attempts": 0}, {"quota": -1}, {"base_delay_s": -1.0}, {"max_delay_s": "1"}]
)
def test_changed_settings_are_looked_at(settings: dict[str, Any]) -> None:
    """As those of a new policy."""
    with pytest.raises((TypeError, ValueError)):
        RetryPolicy().replaced(**settings)
