"""Values in wire form: equal where DynamoDB has them equal, and bounded where they are read."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynasafe.errors import (
    InvalidValueError,
    StoredValueError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.testing import strategies
from dynasafe.values.codecs import codec_for
from dynasafe.values.convert import from_attribute_value, register_codec, to_attribute_value
from dynasafe.values.scalars import EpochSecondsCodec
from dynasafe.values.wire import fingerprint, identity, is_equal, sort_key

SAME = [
    ({"N": "1"}, {"N": "1.0"}),
    ({"N": "100"}, {"N": "1E2"}),
    ({"N": "0"}, {"N": "-0.00"}),
    ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}),
    ({"NS": ["1", "2"]}, {"NS": ["2.0", "1.0"]}),
    ({"B": b"\x00\x01"}, {"B": "AAE="}),
    ({"BS": [b"\x00", b"\x01"]}, {"BS": ["AQ==", "AA=="]}),
    ({"L": [{"N": "1"}]}, {"L": [{"N": "1.0"}]}),
    ({"M": {"a": {"N": "1"}, "b": {"S": "x"}}}, {"M": {"b": {"S": "x"}, "a": {"N": "1.0"}}}),
    ({"NULL": True}, {"NULL": "true"}),
]
OTHERS = [
    ({"S": "1"}, {"N": "1"}),
    ({"S": "a"}, {"SS": ["a"]}),
    ({"S": "a"}, {"S": "A"}),
    ({"N": "1"}, {"N": "1." + "0" * 36 + "1"}),
    ({"SS": ["a"]}, {"SS": ["a", "b"]}),
    ({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "b"}, {"S": "a"}]}),
    ({"L": []}, {"M": {}}),
    ({"M": {"a": {"S": "x"}}}, {"M": {"a": {"S": "x"}, "b": {"S": "x"}}}),
    ({"BOOL": True}, {"BOOL": False}),
    ({"BOOL": True}, {"N": "1"}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_equal(one: Any, other: Any) -> None:
    """Values that differ only in their spelling are equal."""
    assert is_equal(one, other)
    assert is_equal(other, one)
    assert fingerprint({"k": one, "l": other}) == fingerprint({"l": one, "k": other})


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_not_equal(one: Any, other: Any) -> None:
    """Values of different meaning are not equal."""
    assert not is_equal(one, other)
    assert not is_equal(other, one)


@pytest.mark.parametrize("malformed", [{}, {"S": "a", "N": "1"}])
def test_malformed_equals_nothing(malformed: Any) -> None:
    """Comparing with a malformed value raises."""
    with pytest.raises(UnsupportedTypeError):
        is_equal({"S": "a"}, malformed)


@given(strategies.values(), strategies.values())
def test_equal_as_python(one: Any, other: Any) -> None:
    """Values are equal on the wire where what is read of them is."""
    wires = to_attribute_value(one), to_attribute_value(other)
    assert is_equal(wires[0], wires[0])
    assert is_equal(*wires) == (repr(wires[0]) == repr(wires[1]))
    assert (identity(wires[0]) == identity(wires[1])) == is_equal(*wires)


@given(st.text(), st.text())
def test_text_order(one: str, other: str) -> None:
    """Strings are ordered by their bytes in UTF-8."""
    assert (sort_key({"S": one}) < sort_key({"S": other})) == (one.encode() < other.encode())


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(levels):
        value = {"L": [value]}
    return value


def test_equality_is_bounded() -> None:
    """Values that nest without end are refused, not followed."""
    assert is_equal(deep(32), deep(32))
    with pytest.raises(ValueOutOfRangeError, match="nest deeper than 32 levels"):
        is_equal(deep(30_000), deep(30_000))


HUGE = ["1E+1000000", "1E-1000000", "1" + "0" * 100_000, "0." + "0" * 200 + "1", "1." + "1" * 50]


@pytest.mark.parametrize("text", HUGE, ids=range(len(HUGE)))
@pytest.mark.parametrize("kind", [int, float, Decimal, Any])
def test_numbers_are_bounded_on_reading(text: str, kind: Any) -> None:
    """A number that DynamoDB cannot store is refused before it is worked on."""
    with pytest.raises(StoredValueError):
        codec_for(kind).decode({"N": text})
    with pytest.raises(StoredValueError):
        EpochSecondsCodec().decode({"N": text})
    with pytest.raises(ValueOutOfRangeError):
        from_attribute_value({"N": text})


@pytest.mark.parametrize(
    "number", [10**1_000_000, -(10**126), Decimal("1E+999999")], ids=["huge", "below", "Decimal"]
)
def test_numbers_are_bounded_on_writing(number: Any) -> None:
    """A huge number is refused without being written out."""
    with pytest.raises(ValueOutOfRangeError, match="outside DynamoDB's range of 1E-130 to"):
        to_attribute_value(number)
    with pytest.raises(ValueOutOfRangeError, match="outside DynamoDB's range of 1E-130 to"):
        codec_for(Decimal).encode(number)


@pytest.mark.parametrize("text", ["0E+999999999", "0E-999999999", "-0"])
def test_zero_has_no_exponent(text: str) -> None:
    """Zero is read as zero, whatever its exponent."""
    assert from_attribute_value({"N": text}) == 0
    assert codec_for(int).decode({"N": text}) == 0


def test_binary_is_no_number() -> None:
    """A number in the place of bytes is refused, not taken for a length."""
    with pytest.raises(UnsupportedTypeError):
        from_attribute_value({"B": 10**9})
    with pytest.raises(StoredValueError):
        codec_for(bytes).decode({"B": 10**9})


@pytest.mark.parametrize("kind", [int, datetime, bool, bytes, list[int], dict[str, int]])
@pytest.mark.parametrize(
    "content", [{}, {"N": 5}, {"S": 5}, {"B": 5}, {"BOOL": "true"}, {"L": 5}, {"L": {}}, {"M": []}]
)
def test_malformed_content_is_a_stored_value(kind: Any, content: Any) -> None:
    """Whatever stands in an event, a typed reader raises StoredValueError."""
    with pytest.raises(StoredValueError):
        codec_for(kind).decode(content)


def test_keys_of_maps_are_not_shown() -> None:
    """A path in a message has no key of a map; the attribute `path` has all."""
    with pytest.raises(InvalidValueError) as caught:
        to_attribute_value({"ada@example.org": [1, {"secret": object()}]})
    error = caught.value
    assert str(error).startswith("*[1].*: object has no AttributeValue. Fix: ")
    assert error.path == "ada@example.org[1].secret"
    assert error.public_message == "ada@example.org[1].secret: object has no AttributeValue"
    assert "secret" not in repr(error)


@pytest.mark.parametrize("kind", [str, int, bool, dict, list, object])
def test_codecs_of_plain_types_stay(kind: Any) -> None:
    """A codec is for a type of one's own."""
    with pytest.raises(TypeError, match="has a codec that cannot be replaced"):
        register_codec(kind, encode=str, decode=kind)
