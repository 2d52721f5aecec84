"""Values both ways, numbers exactly, sizes by the documented formula, and every refusal's path."""

from __future__ import annotations

import dataclasses
import re
from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from dynasafe.errors import InvalidValueError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.values.codecs import codec_for
from dynasafe.values.convert import (
    from_attribute_map,
    from_attribute_value,
    register_codec,
    registered_codecs,
    to_attribute_map,
    to_attribute_value,
)
from dynasafe.values.numbers import encode_number
from dynasafe.values.wire import attribute_value_size_bytes, item_size_bytes
from tests.properties.update_strategies import VALUES


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Point:
    x: int
    label: str = ""


class Model(BaseModel):
    first_name: str = Field(alias="firstName")
    age: int = 0


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ("é🙂", {"S": "é🙂"}),
        ("", {"S": ""}),
        (3, {"N": "3"}),
        (-0.0, {"N": "0"}),
        (0.1, {"N": "0.1"}),
        (1e22, {"N": "10000000000000000000000"}),
        (1e-7, {"N": "0.0000001"}),
        (Decimal("1.50"), {"N": "1.5"}),
        (Decimal("1E+125"), {"N": "1E+125"}),
        (Decimal("-1E-130"), {"N": "-1E-130"}),
        (10**38, {"N": "1" + "0" * 38}),
        (True, {"BOOL": True}),
        (None, {"NULL": True}),
        (b"\x00", {"B": b"\x00"}),
        (bytearray(b"x"), {"B": b"x"}),
        (memoryview(b"x"), {"B": b"x"}),
        ([1, "a"], {"L": [{"N": "1"}, {"S": "a"}]}),
        ((), {"L": []}),
        ({"a": {}}, {"M": {"a": {"M": {}}}}),
        (OrderedDict(a=1), {"M": {"a": {"N": "1"}}}),
        ({10, 9, 1.5}, {"NS": ["1.5", "9", "10"]}),
        (frozenset({"b", "a"}), {"SS": ["a", "b"]}),
        ({b"b", b"a"}, {"BS": [b"a", b"b"]}),
        (datetime(2030, 1, 2, 3, 4, 5, 6, UTC), {"S": "2030-01-02T03:04:05.000006Z"}),
        (
            datetime(2030, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))),
            {"S": "2030-01-02T01:00:00.000000Z"},
        ),
        (datetime(1, 1, 1, tzinfo=UTC), {"S": "0001-01-01T00:00:00.000000Z"}),
        (date(2030, 1, 2), {"S": "2030-01-02"}),
        (UUID(int=1), {"S": "00000000-0000-0000-0000-000000000001"}),
        (Colour.RED, {"S": "red"}),
        (Level.HIGH, {"N": "3"}),
        (Point(1, "a"), {"M": {"x": {"N": "1"}, "label": {"S": "a"}}}),
        (Model(firstName="Ada"), {"M": {"firstName": {"S": "Ada"}, "age": {"N": "0"}}}),
    ],
)
def test_wire_form_of_each_type(value: Any, wire: Any) -> None:
    """Each Python value has this one wire form."""
    assert to_attribute_value(value) == wire


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


def cyclic() -> Any:
    value: list[Any] = []
    value.append(value)
    return {"a": value}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"address": {"geo": {"lat": float("nan")}}},
            "address.*.*: NaN and infinities are not DynamoDB numbers. "
            "Fix: leave the attribute out",
        ),
        ({"a": [1, float("inf")]}, "a[1]: NaN and infinities are not DynamoDB numbers."),
        ({"a": Decimal("sNaN")}, "a: NaN and infinities"),
        ({"a": 10**38 + 1}, "a: a number of 39 digits; DynamoDB keeps 38."),
        ({"a": Decimal("1E+126")}, "a: the number is outside DynamoDB's range"),
        ({"a": Decimal("9E-131")}, "a: the number is outside DynamoDB's range"),
        ({"a": {"b": set()}}, "a.*: DynamoDB has no empty set. Fix: leave the attribute out"),
        ({"a": {1, "x"}}, "a: a set's members are all str, all numbers, or all bytes, not N, S"),
        ({"a": {True}}, "a: a set's members are all str, all numbers, or all bytes, not BOOL"),
        ({"a": {(1, 2)}}, "a: a set's members are all str"),
        ({"a": {"b": {1: 2}}}, "a.*: a map's keys are str, not int"),
        ({"a": [object()]}, "a[0]: object has no AttributeValue. Fix: convert it, or teach it"),
        ({"a": datetime(2030, 1, 1)}, "a: a datetime without a timezone means another time"),
        ({"a": "\ud800"}, "a: the str has a lone surrogate"),
        ({"\ud800": 1}, "\\ud800: the str has a lone surrogate"),
        (
            {"a": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1)))},
            "a: the datetime lies outside the years 1 to 9999 in UTC",
        ),
        ({"a": {"\ud800": 1}}, "a.*: the str has a lone surrogate"),
        ({"a": nested(32)}, "lists and maps nest deeper than 32 levels, of which the item"),
        (cyclic(), "is the first, or hold themselves"),
    ],
)
def test_values_that_cannot_be_stored(value: Any, message: str) -> None:
    """The error for a value that DynamoDB does not store has its path."""
    with pytest.raises(InvalidValueError) as caught:
        to_attribute_map(value)

    assert message in str(caught.value)
    assert isinstance(caught.value, TypeError | ValueError)


def test_deepest_nesting_is_accepted() -> None:
    """A value with the deepest nesting is accepted."""
    to_attribute_map({"a": nested(31)})


@given(VALUES)
def test_value_roundtrip(value: Any) -> None:
    """Writing and reading any value gives the same value and the same wire form."""
    wire = to_attribute_value(value)

    assert to_attribute_value(from_attribute_value(wire)) == wire
    assert from_attribute_value(wire) == value


NUMBERS = st.one_of(
    st.integers(-(10**40), 10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent),
        st.integers(-(10**38) + 1, 10**38 - 1),
        st.integers(-180, 140),
    ),
)


@given(NUMBERS)
@example(Decimal("1E-130"))
@example(Decimal("9.9999999999999999999999999999999999999E+125"))
@example(Decimal("100E+123"))
def test_number_is_exact_or_refused(number: Any) -> None:
    """Any number is written with all its digits, or refused."""
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    digits = "".join(map(str, exact.as_tuple().digits)).strip("0")
    is_fine = exact == 0 or (len(digits) <= 38 and -130 <= exact.adjusted() <= 125)
    if not is_fine:
        with pytest.raises(ValueOutOfRangeError):
            encode_number(number)
        return

    text = encode_number(number)

    assert Decimal(text) == exact
    assert encode_number(Decimal(text)) == text
    if isinstance(number, float):
        assert float(text) == number


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e100, max_value=1e100))
def test_float_roundtrip(number: float) -> None:
    """A typed read gives back the float that was stored."""
    if number != 0 and abs(number) < 1e-120:
        return
    codec = codec_for(float)
    assert codec.decode(codec.encode(number)) == number


@pytest.mark.parametrize(
    ("value", "size_bytes"),
    [
        ("é", 2),
        ("", 0),
        (b"abc", 3),
        (None, 1),
        (True, 1),
        (0, 1),
        (1, 2),
        (12, 2),
        (123, 3),
        (1200, 2),
        (-1, 3),
        (Decimal("0.1"), 2),
        (Decimal("1.23"), 3),
        ([], 3),
        ([None, "ab"], 3 + 2 + 3),
        ({}, 3),
        ({"ab": "c"}, 3 + 1 + 3),
        ({"ab", "c"}, 3),
        ({1, 12}, 4),
        ({b"ab"}, 2),
    ],
)
def test_size_of_each_type(value: Any, size_bytes: int) -> None:
    """The size of a value follows the documented formula."""
    assert attribute_value_size_bytes(to_attribute_value(value)) == size_bytes


def test_names_count_in_utf8() -> None:
    """The size of an item counts names in UTF-8 bytes."""
    assert item_size_bytes(to_attribute_map({"é": "x", "n": 1})) == 2 + 1 + 1 + 2


@given(VALUES)
def test_size_of_a_map(value: Any) -> None:
    """A map around a value adds the documented bytes to its size."""
    wire = to_attribute_value(value)
    assert attribute_value_size_bytes({"M": {"ab": wire}}) == (
        3 + 1 + 2 + attribute_value_size_bytes(wire)
    )


@pytest.fixture
def own_type() -> Iterator[type]:
    class Money:
        def __init__(self, cents: int) -> None:
            self.cents = cents

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Money) and other.cents == self.cents

        __hash__ = None  # type: ignore[assignment]

    register_codec(Money, encode=lambda money: money.cents, decode=Money)
    yield Money
    del registered_codecs[Money]


def test_registered_type_goes_both_ways(own_type: Any) -> None:
    """A registered type, and a subclass of it, is written; the type is read back."""

    class Price(own_type):
        pass

    assert to_attribute_value([own_type(3), Price(4)]) == {"L": [{"N": "3"}, {"N": "4"}]}
    codec = codec_for(list[own_type])
    wire = codec.encode([own_type(5)])
    assert codec.decode(wire) == [own_type(5)]


def test_registered_type_that_gives_nonsense(own_type: Any) -> None:
    """A registered type that gives NaN is refused with the path."""
    with pytest.raises(ValueOutOfRangeError, match=r"a\[0\]: NaN"):
        to_attribute_map({"a": [own_type(float("nan"))]})


@pytest.mark.parametrize("wrong", [{"X": 1}, {}, {"S": "x", "N": "1"}, "text", 3, {"L": ["x"]}])
def test_other_attribute_values_are_refused(wrong: Any) -> None:
    """What is not an AttributeValue is refused."""
    with pytest.raises(UnsupportedTypeError, match="not an AttributeValue"):
        from_attribute_value(wrong)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"a": {"N": 3}}, "a"),
        ({"a": {"N": None}}, "a"),
        ({"a": {"S": 3}}, "a"),
        ({"a": {"BOOL": "true"}}, "a"),
        ({"a": {"B": "no base64"}}, "a"),
        ({"a": {"B": 3.5}}, "a"),
        ({"a": {"L": 5}}, "a"),
        ({"a": {"M": None}}, "a"),
        ({"a": {"M": {"b": "text"}}}, "a.b"),
        ({"a": {"L": [{"S": "x"}, {"M": {"b": {"SS": [3]}}}]}}, "a[1].b"),
        ({"a": {"NS": [None]}}, "a"),
        ({"a": {"BS": 5}}, "a"),
        ({"a": None}, "a"),
        ([("a", {"S": "x"})], ""),
        (None, ""),
    ],
)
def test_malformed_map_has_its_path(wrong: Any, path: str) -> None:
    """The error for a malformed map has the path of the wrong value."""
    with pytest.raises(UnsupportedTypeError, match="not an AttributeValue") as caught:
        from_attribute_map(wrong)
    assert caught.value.path == path


@pytest.mark.parametrize("text", ["", "x", "NaN", "sNaN", "-Infinity", "1E126", "1E999999", "--1"])
def test_malformed_number_has_its_path(text: str) -> None:
    """The error for a text that is not a stored number has its path."""
    with pytest.raises(ValueOutOfRangeError, match="number") as caught:
        from_attribute_map({"a": {"L": [{"N": text}]}})
    assert caught.value.path == "a[0]"


def test_deeper_values_are_refused_when_read() -> None:
    """Reading a value that is nested deeper than DynamoDB allows is refused."""
    wire: dict[str, Any] = {"S": "x"}
    for _ in range(31):
        wire = {"L": [{"M": {"a": wire}}]} if "M" not in wire else {"M": {"a": wire}}
    with pytest.raises(ValueOutOfRangeError, match="deeper than 32 levels"):
        from_attribute_map({"a": wire})
    from_attribute_map({"a": to_attribute_value(nested(31))})


def test_error_does_not_show_the_number() -> None:
    """The error for a wrong number does not show its text."""
    with pytest.raises(ValueOutOfRangeError) as caught:
        from_attribute_value({"N": "secret"})
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


@given(st.binary(max_size=40))
def test_binary_kinds_give_bytes(data: bytes) -> None:
    """A binary of any kind comes back as bytes."""
    for value in (data, bytearray(data), memoryview(data)):
        assert from_attribute_value(to_attribute_value(value)) == data


def _stand_in(module: str, name: str, **members: Any) -> Any:
    """A value of a class that says it is another library's, which need not be installed."""
    return type(name, (), {"__module__": module, **members})()


@pytest.mark.parametrize(
    ("value", "named", "fix"),
    [
        (_stand_in("numpy", "int64", tolist=int), "numpy.int64", "value.tolist(), which"),
        (_stand_in("numpy", "bool", tolist=bool), "numpy.bool", "value.tolist(), which"),
        (_stand_in("numpy", "datetime64", tolist=int), "numpy.datetime64", "a datetime of Python"),
        (_stand_in("pandas.core.series", "Series", tolist=list), "pandas.Series", "value.tolist()"),
        (_stand_in("pandas._libs.missing", "NAType"), "pandas.NAType", "None for a missing"),
    ],
)
def test_values_of_numpy_and_pandas_say_how(value: Any, named: str, fix: str) -> None:
    """Typed or not, the error names the library and the way to Python's own value."""
    for refused in (to_attribute_value, codec_for(int).encode, codec_for(str | None).encode):
        with pytest.raises(UnsupportedTypeError, match=re.escape(f"Fix: {fix}")) as caught:
            refused(value)
        assert named in str(caught.value)
