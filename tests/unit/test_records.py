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
from dynasafe.expressions.nodes import ConditionNode, In, Node, Not, Path, Size
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
    Not(In(Size(Path(("tags", 0))), (Path(("most",)),), (1, 2))),
]
one_of_them = pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)


@one_of_them
def test_copies_are_equal(record: Record | Node) -> None:
    """Copies, pickled copies and evaluated reprs of a record are equal to it."""
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
def test_nothing_can_be_set(record: Record | Node) -> None:
    """No field of a record can be set or deleted, and no other attribute can be added."""
    for name in (*record._names(), "other"):
        with pytest.raises(AttributeError, match="cannot be set: it never changes"):
            setattr(record, name, None)
        with pytest.raises(AttributeError, match="cannot be deleted: it never changes"):
            delattr(record, name)


@given(st.integers(1, 9), st.integers(1, 9))
def test_equal_records_have_equal_fields(one: int, other: int) -> None:
    """Records are equal if they have the same class and the same fields."""
    assert (CountWindow(one) == CountWindow(other)) is (one == other)
    assert (CountWindow(one).replaced(calls=other) == CountWindow(other)) is True
    assert CountWindow(one) != TimeWindow(one)


def test_deep_trees_are_safe() -> None:
    """Comparing, showing or pickling a deep tree raises RecursionError, also in compiled code."""

    def deep() -> ConditionNode:
        node: ConditionNode = In(Path(("a",)), (Path(("b",)),))
        for _ in range(100_000):
            node = Not(node)
        return node

    one, other = deep(), deep()

    assert hash(one) == hash(other)
    for call in (lambda: one == other, lambda: repr(one), lambda: pickle.dumps(one)):
        with pytest.raises(RecursionError):
            call()


def test_results_show_no_attributes() -> None:
    """The repr of a result shows no attributes, since they may be personal data."""
    result = WriteResult(attributes={"name": "Ada"}, attempts=1)
    assert repr(result) == "WriteResult(attempts=1)"
    assert pickle.loads(pickle.dumps(result)) == result


@pytest.mark.parametrize(
    "settings", [{"max_attempts": 0}, {"quota": -1}, {"base_delay_s": -1.0}, {"max_delay_s": "1"}]
)
def test_changed_settings_are_checked(settings: dict[str, Any]) -> None:
    """Changed settings of a policy are checked as those of a new one."""
    with pytest.raises((TypeError, ValueError)):
        RetryPolicy().replaced(**settings)
