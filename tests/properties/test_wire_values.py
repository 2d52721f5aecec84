"""Values that are looked at all at once are judged as those that are looked at one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynasafe.errors import InvalidValueError
from dynasafe.testing import strategies
from dynasafe.validation.check import Form, check_from_scratch
from dynasafe.values.convert import to_attribute_map, to_attribute_value
from dynasafe.values.wire import (
    attribute_value_size_bytes,
    fine_item_size_bytes,
    fine_size_bytes,
    item_size_bytes,
)
from tests.properties.test_fast_paths import CONTENTS


class Odd(dict[str, Any]):
    """A map that the quick check does not handle, because it has another class."""


def findings(value: Any, form: Form) -> list[tuple[str, str, str]]:
    item = {"id": {"S": "x"}, "v": value}
    found = check_from_scratch("PutItem", {"TableName": "docs", "Item": item}, form=form)
    return [(each.code, each.message, each.where.parameter) for each in found]


@pytest.mark.parametrize("form", ["client", "wire"])
@given(content=CONTENTS)
def test_findings(form: Form, content: Any) -> None:
    """A value has the same findings, whether the quick check accepts it or not."""
    for value in (content, {"L": [content, content]}, {"M": {"a": content, "b": {"S": "x"}}}):
        if isinstance(value, dict):
            assert findings(value, form) == findings(Odd(value), form)
        size_bytes = fine_size_bytes(value, is_wire=form == "wire")
        if size_bytes >= 0:
            assert findings(value, form) == []
            assert size_bytes == attribute_value_size_bytes(value)


@given(strategies.items())
def test_sizes(item: dict[str, Any]) -> None:
    """What we write is accepted by the quick check, and has the size that the service counts."""
    wire = to_attribute_map(item)
    assert fine_item_size_bytes(wire) == item_size_bytes(wire)


def test_levels() -> None:
    """The quick check accepts 31 levels of nesting and refuses the next one."""
    value: Any = {"S": "x"}
    for depth in range(1, 34):
        value = {"L": [value]} if depth % 2 else {"M": {"a": value}}
        assert (fine_size_bytes(value) >= 0) is (depth <= 31)


def test_a_list_that_holds_itself_twice() -> None:
    """A list that holds itself twice is not accepted by the quick check, which ends."""
    content: list[Any] = []
    content += [{"L": content}, {"L": content}]
    assert fine_size_bytes({"L": content}) == -1


NUMBERS = st.one_of(
    st.from_regex(r"-?[0-9]{1,40}(\\.[0-9]{1,9})?", fullmatch=True),
    st.integers(-(10**40), 10**40).map(str),
    st.sampled_from(["0", "-0", "007", "100", "0.05", "1.50", ".5", "5.", "", "-", "--1", "1E+40"]),
    st.sampled_from(["\u0663", "1_0", " 1", "+1", "0.00005", "x"]),
)


@given(few=st.lists(NUMBERS, min_size=1, max_size=3), count=st.integers(17, 20))
def test_many_numbers(few: list[str], count: int) -> None:
    """Many numbers at once have the sizes that they have one by one."""
    alone = [fine_size_bytes({"N": each}) for each in few]
    together = fine_size_bytes({"L": [{"N": each} for each in few * count]})
    expected = 3 + count * sum(1 + each for each in alone)
    assert together == (-1 if min(alone) < 0 else expected)


SCALARS = st.one_of(
    st.integers(-(10**19), 10**19),
    st.floats(),
    st.text(max_size=3),
    st.booleans(),
    st.none(),
    st.sampled_from([[], {}, [1], "\ud800", 1e22, -0.0, 5e-324, 10**200, b"a", object()]),
)


@given(few=st.lists(SCALARS, min_size=1, max_size=3), is_map=st.booleans())
@settings(max_examples=200)
def test_many_values(few: list[Any], is_map: bool) -> None:
    """Many values at once are written as they are written one by one."""
    many = few * 17

    def written(value: Any) -> Any:
        try:
            return to_attribute_value(value)
        except InvalidValueError as error:
            return error.reason

    alone = [written(each) for each in many]
    wrong = next((index for index, each in enumerate(alone) if isinstance(each, str)), None)
    names = [f"k{index}" for index in range(len(many))]
    value = dict(zip(names, many, strict=True)) if is_map else many
    if wrong is None:
        content = dict(zip(names, alone, strict=True)) if is_map else alone
        assert to_attribute_value(value) == {"M" if is_map else "L": content}
    else:
        with pytest.raises(InvalidValueError) as caught:
            to_attribute_value(value)
        assert caught.value.reason == alone[wrong]
        assert caught.value.path == (f"k{wrong}" if is_map else f"[{wrong}]")


@given(
    places=st.sets(st.integers(0, 299), min_size=1, max_size=4),
    deep=st.booleans(),
    bad=st.sampled_from([{"N": "x"}, {"NS": []}, {"S": 1}, {"X": "a"}, {}, "x"]),
)
@settings(max_examples=60)
def test_what_is_wrong_among_many(places: set[int], deep: bool, bad: Any) -> None:
    """Wrong values among many are found at their places, and nowhere else."""
    elements: list[Any] = [{"N": "1"}, {"S": "a"}, {"L": [{"BOOL": True}]}] * 100
    for place in places:
        elements[place] = bad
    value = {"L": [*([{"N": "7"}] * 20), {"L": elements}]} if deep else {"L": elements}
    inside = "Item.v[20]" if deep else "Item.v"
    found = [place for _, _, place in findings(value, "client")]
    assert {each.removesuffix(".S") for each in found} == {f"{inside}[{each}]" for each in places}


class Float(float):
    """A float of which no short way knows."""


@given(st.floats() | st.floats(allow_nan=False).map(lambda each: round(each, 3)))
def test_floats(value: float) -> None:
    """A float has one text, whatever way it takes."""
    written: list[object] = []
    for each in (value, Float(value), [value] * 20):
        try:
            made = to_attribute_value(each)
            written.append(made["L"][-1] if "L" in made else made)
        except InvalidValueError as error:
            written.append(error.reason)
    assert written[0] == written[1] == written[2]
