"""Each shorter way gives what the longer one does, the first time and every time after."""

from __future__ import annotations

import copy
import dataclasses
import gc
import sys
import weakref
from collections import UserDict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal, localcontext
from enum import Enum, Flag, IntEnum, StrEnum
from random import Random
from typing import Any, Literal, TypedDict, Union
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    computed_field,
    field_serializer,
    field_validator,
)

from dynasafe import Attr, Item, UpdateBuilder, attr, attribute, check_request
from dynasafe.errors import (
    InvalidRequestError,
    InvalidValueError,
    StoredValueError,
    UnsupportedTypeError,
    ValueOutOfRangeError,
)
from dynasafe.expressions.idempotency import is_idempotent
from dynasafe.expressions.nodes import conjunction
from dynasafe.expressions.render import Placeholders, render_condition, render_update
from dynasafe.items.update_actions import Action
from dynasafe.items.written_updates import WrittenUpdates
from dynasafe.testing import strategies
from dynasafe.validation.check import check_from_scratch
from dynasafe.values.classes import unreadable
from dynasafe.values.codec import JSON_KINDS, mismatch, stored_mismatch
from dynasafe.values.codecs import codec_for
from dynasafe.values.convert import (
    from_attribute_map,
    from_attribute_value,
    set_of,
    to_attribute_map,
    to_attribute_value,
)
from dynasafe.values.converted import ConvertedCodec
from dynasafe.values.converted import member_of as converted_member_of
from dynasafe.values.models import (
    AmbiguousUnionError,
    dumped,
    is_same,
    loaded,
    parsed_model,
    plain_model,
)
from dynasafe.values.numbers import (
    decode_decimal,
    decode_number,
    encode_number,
    written_from_digits,
)
from dynasafe.values.plain import as_json, as_python
from dynasafe.values.scalars import ScalarCodec
from dynasafe.values.unions import UnionCodec
from dynasafe.values.wire import TOO_DEEP, fine_size_bytes
from tests.properties.update_strategies import true_conditions, updates
from tests.support.people import Person
from tests.support.requests import RANDOMS, Requests


def outcome(function: Any, *arguments: Any) -> Any:
    """What the function returns or raises."""
    try:
        return function(*arguments)
    except (InvalidValueError, StoredValueError) as error:
        return error


class Keyed(Item):
    pk: Attr[str] = attribute(key="partition")
    sk: Attr[int] = attribute(key="sort")


class Thing(Item):
    pk: Attr[int] = attribute(key="partition")


def place(outcome: Any, *parts: str | int) -> Any:
    """The outcome for a value that stands at this place of another."""
    if not isinstance(outcome, InvalidValueError | StoredValueError):
        return outcome
    for part in reversed(parts):
        outcome.within(part)
    path = "" if outcome.reason == TOO_DEEP else outcome.path  # which ends where the levels do
    return type(outcome), path, outcome.reason


@given(strategies.values() | strategies.bad_values() | st.floats() | st.integers())
def test_write_anywhere(value: Any) -> None:
    """A value is written alone as it is in a list, a map, an item, and by the codec of any type."""
    for container, parts in (([value], [0]), ({"a": value}, ["a"]), ({"a": [value]}, ["a", 0])):
        alone = place(outcome(to_attribute_value, value), *parts)
        within = place(outcome(to_attribute_value, container))
        for part in parts if isinstance(within, dict) else ():
            ((_, content),) = within.items()
            within = content[part]
        assert repr(within) == repr(alone)
    alone = place(outcome(to_attribute_value, value), "a")
    item = place(outcome(to_attribute_map, {"a": value}))
    assert repr(item["a"] if isinstance(item, dict) else item) == repr(alone)
    typed = place(outcome(codec_for(Any).encode, value), "a")
    assert repr(typed) == repr(alone)


@given(strategies.values() | strategies.bad_values() | st.floats() | st.decimals())
def test_json_anywhere(value: Any) -> None:
    """A value has the same JSON form alone, in a list, in a tuple and in a map."""
    alone = place(outcome(as_json, value), "a", 1)
    for container in ([0, value], (0, value), [[], value]):
        within = place(outcome(as_json, {"a": container}))
        assert repr(within["a"][1] if isinstance(within, dict) else within) == repr(alone)
    plain = as_python({"a": [value, 1]})
    assert repr(plain) == repr({"a": [as_python(value), 1]})
    assert type(plain["a"][0]) is type(as_python(value))


@given(strategies.items())
def test_map_reads_as_its_values(item: dict[str, Any]) -> None:
    """Reading a map gives the same as reading each of its values."""
    wire = to_attribute_map(item)
    expected = {name: from_attribute_value(value) for name, value in wire.items()}
    assert from_attribute_map(wire) == expected
    assert from_attribute_value({"M": wire}) == expected


NUMBERS = st.one_of(
    st.integers(),
    st.builds(
        lambda digits, zeros: digits * 10**zeros, st.integers(-(10**6), 10**6), st.integers(0, 130)
    ),
    st.floats(),
    st.floats(-1e9, 1e9).map(lambda number: round(number, 2)),
    st.decimals(),
    st.builds(
        lambda digits, power: Decimal(digits).scaleb(power),
        st.integers(-(10**9), 10**9),
        st.integers(-140, 130),
    ),
    st.from_regex(r"-?[0-9]{1,20}\.[0-9]{0,20}", fullmatch=True).map(Decimal),
)


@example(Decimal("0E+5"))
@example(Decimal("-0.00"))
@example(Decimal("1E+39"))
@example(Decimal("1E+40"))
@example(Decimal("1E-7"))
@example(Decimal("1.50E-8"))
@example(Decimal("9.9E+125"))
@example(Decimal("1E-130"))
@example(Decimal("NaN123"))
@example(10**40)
@example(-(10**125))
@example(1e22)
@example(5e-05)
@given(NUMBERS)
def test_numbers(number: Any) -> None:
    """A number is written as from its digits, and read as the number that it is."""
    written = place(outcome(encode_number, number))
    assert written == place(outcome(written_from_digits, number))
    with localcontext() as context:
        context.capitals = 0
        context.prec = 1
        assert place(outcome(encode_number, number)) == written
    if isinstance(written, str):
        read = decode_number(written)
        assert read == Decimal(repr(number) if isinstance(number, float) else number)
        assert isinstance(read, int) == (read == Decimal(read).to_integral_value())


@given(st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{0,3})?[eE][+-]?[0-9]{1,3}", fullmatch=True))
def test_numbers_with_exponents(text: str) -> None:
    """What has an exponent is read as its digits say."""
    number = Decimal(text)
    read = place(outcome(decode_number, text))
    if number and not -130 <= number.adjusted() <= 125:
        assert read[0] is ValueOutOfRangeError
    else:
        assert read == number
        assert isinstance(read, int) == (int(number) == number)


@given(
    st.sets(NUMBERS.filter(lambda number: "nan" not in str(number).lower()), max_size=6)
    | st.sets(st.integers(), max_size=40)
    | st.sets(st.binary(max_size=3), max_size=40)
    | st.sets(st.text(max_size=3), max_size=40)
    | st.sets(st.integers(10**16, 10**16 + 40).map(Decimal), max_size=40)
)
def test_sets(members: Any) -> None:
    """A set of one type is written as its members are, in their order."""
    each = outcome(lambda: set_of([to_attribute_value(member) for member in members]))
    for written in (
        outcome(to_attribute_value, members),
        outcome(codec_for(set[Any]).encode, members),
    ):
        assert place(written) == place(each)
    if isinstance(each, dict):
        ((type_name, content),) = each.items()
        in_order = sorted(content, key=Decimal) if type_name == "NS" else sorted(content)
        assert content == in_order


@given(
    st.lists(
        st.integers(-20, 20).map(str)
        | st.from_regex(r"-?[0-9]{1,2}(\.[0-9]{1,2})?(E[+-]?[0-9])?", fullmatch=True)
        | st.sampled_from(["1.0", "01", "00.5", "0.5", "-0.5", "x", "", "1E400", "5E-1"]),
        min_size=1,
        max_size=40,
        unique=True,
    )
)
def test_size_of_a_set(texts: list[str]) -> None:
    """A set of numbers is fine if each is, and no two are the same; its size is their sum."""
    sizes_bytes = [fine_size_bytes({"N": text}) for text in texts]
    is_fine = min(sizes_bytes) >= 0 and len({*map(Decimal, texts)}) == len(texts)
    found = fine_size_bytes({"NS": texts})
    assert found == (sum(sizes_bytes) if is_fine else -1)


@pytest.mark.parametrize("hint", [int, float, Decimal, str, bytes])
@given(st.data())
def test_typed_sets(hint: Any, data: st.DataObject) -> None:
    """A set of a type is written as its members are."""
    values: dict[Any, Any] = {
        float: st.integers() | st.floats(),
        Decimal: st.integers() | st.decimals(allow_nan=False),
        str: st.text(max_size=2),
        bytes: st.binary(max_size=2),
    }
    members = data.draw(st.sets(st.booleans() | values.get(hint, st.integers()), max_size=20))
    element = codec_for(hint)
    each = outcome(lambda: set_of([element.encode(member) for member in members]))
    assert place(outcome(codec_for(set[hint]).encode, members)) == place(each)


class Letter(Enum):
    A = "a"
    ALSO_A = "a"  # noqa: PIE796  (an alias)
    ACCENT = "\u00e9"
    ONE = 1


class Word(StrEnum):
    A = "a"
    DATE = "2030-01-31"


class Digit(IntEnum):
    ONE = 1
    TWO = 2
    LARGE = 10**30


class Bits(Flag):
    ONE = 1
    TWO = 2


class Odd(Enum):
    FRACTION = 0.5
    PAIR = (1, "a")
    CHANGED: list[int] = [1]  # noqa: RUF012  (which changes)
    TRUE = True
    SURROGATE = "\ud800"


class Found(Enum):
    """One that takes any value."""

    A = "a"
    B = "b"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        return cls.B


class Own(Enum):
    """One whose values are not those that it was given."""

    A = "a"
    B = "b"

    @property
    def value(self) -> Any:
        return self.name.lower() * 2 if self is Own.A else "a"


HINTS: list[Any] = [
    *(int, float, Decimal, str, bytes, bool, date, datetime, UUID, None, Any, Letter, Word, Digit),
    *(Found, Own, Literal["a", 1], Literal["a"], Literal[1, 2], list[int], list[str]),
    *(tuple[int, str], set[int], dict[str, int], int | None),
]
VALUES = (
    st.integers()
    | st.floats()
    | st.decimals(-9, 9)
    | st.sampled_from(["", "a", "b", "aa", "YWJj", "2030-01-31", "2030-01-31T00:00:00Z", "0.5"])
    | st.sampled_from([str(UUID(int=7)), "\u00e9", "\ud800", 1.0, 0.5, 1e23, 1e300, 2**53 + 1])
    | st.sampled_from([1e-20, 2.5e-101, 1.5e100, -0.0, 10**30, 10**40, 10**130, UUID(int=7)])
    | st.sampled_from([*Letter, *Word, *Digit, *Bits, Bits.ONE | Bits.TWO, *Odd, *Found, *Own])
    | st.booleans()
    | st.none()
    | st.lists(st.integers() | st.text(max_size=1), max_size=2)
    | st.tuples(st.integers(), st.text(max_size=1))
    | st.sets(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=1), st.integers(), max_size=2)
)


@settings(max_examples=400)
@given(st.sampled_from(HINTS), VALUES)
def test_kinds_that_are_surely_refused(hint: Any, value: Any) -> None:
    """What a codec surely refuses because of its type is refused, and as a whole."""
    codec = codec_for(hint)
    if type(value) in JSON_KINDS and codec.surely_parses_no(type(value)):
        assert place(outcome(codec.parse, value)) == place(codec.refused())
    if codec.is_surely_not(type(value)):
        assert place(outcome(codec.encode, value))[1] == ""
    stored = outcome(to_attribute_value, value)
    if isinstance(stored, dict):
        ((type_name, content),) = stored.items()
        if type(content) is not list or type_name == "L":
            read = outcome(codec.decode, stored)
            is_refused = isinstance(read, StoredValueError)
            assert is_refused or not codec.is_never_stored_as(type_name)


ENUMS: list[Any] = [Letter, Word, Digit, Bits, Odd, Found, Own]


@settings(max_examples=400)
@given(st.sampled_from(ENUMS), VALUES)
def test_enums(enum: Any, value: Any) -> None:
    """A member of any enum is parsed, written and read as the general way does."""

    def member_of(value: Any) -> Any:
        try:
            return enum(value)
        except ValueError:
            for member in enum:
                if from_attribute_value(to_attribute_value(member.value)) == value:
                    return member
            raise

    fast = codec_for(enum)
    general = ConvertedCodec(enum, lambda member: member.value, member_of)
    if enum is Own:  # whose own values are searched first
        general = ConvertedCodec(enum, lambda member: member.value, converted_member_of(enum))
    assert fast.type_name == general.type_name
    for each in (value, getattr(value, "value", value)):
        parsed = place(outcome(fast.parse, each))
        assert repr(parsed) == repr(place(outcome(general.parse, each)))
        written = outcome(fast.encode, each)
        assert place(written) == place(outcome(general.encode, each))
        plain = outcome(to_attribute_value, each)
        for stored in (written, plain, {"N": "1.0"}, {"N": "01"}, {"N": "a"}, {"S": "1"}, {"S": 1}):
            if isinstance(stored, dict):
                read = repr(place(outcome(fast.decode, stored)))
                assert read == repr(place(outcome(general.decode, stored)))
        if isinstance(written, dict):
            assert fast.encode(each) is not written
    Odd.CHANGED.value[0] += 1


@settings(max_examples=500)
@given(
    st.from_regex(r"[-+]?[0-9]{0,40}\.?[0-9]{0,3}([eE][-+]?[0-9]{1,3})?", fullmatch=True)
    | st.text(st.sampled_from("01_.-+eE \u0661\u2003nafi"), max_size=6)
    | st.floats().map(repr)
    | st.sampled_from(["Infinity", "NaN", "sNaN", "1E-130", "1E126", "-0", "-0E5", b"1", 1, None])
)
def test_floats_are_read_as_decimals_are(text: Any) -> None:
    """A float is read as the float of the Decimal that its text is."""

    def general(text: Any) -> float:
        return float(decode_decimal(text))

    codec: Any = ScalarCodec("float", (float, int), "N", general)
    read = place(outcome(codec_for(float).decode, {"N": text}))
    assert repr(read) == repr(place(outcome(codec.decode, {"N": text})))


@given(
    st.floats()
    | st.integers()
    | st.booleans()
    | st.none()
    | st.lists(st.integers(), max_size=1)
    | st.floats().map(repr)
    | st.decimals().map(str)
    | st.text("01.-eE_ nai", max_size=4)
)
def test_decimals_of_json(value: Any) -> None:
    """A Decimal is parsed from the text of its JSON form, and not from a truth value."""
    codec = codec_for(Decimal)
    parsed = place(outcome(codec.parse, value))
    is_number = isinstance(value, str | int | float) and not isinstance(value, bool)
    read: Any = outcome(decode_decimal, str(value)) if is_number else None
    if not isinstance(read, Decimal):
        assert parsed == place(codec.refused())
    else:
        expected = value if isinstance(value, int) else read
        assert repr(parsed) == repr(expected)


@given(st.floats() | st.integers(-(10**130), 10**130).map(float) | st.integers(-9, 9).map(float))
def test_whole_numbers_of_json(value: float) -> None:
    """An int is parsed from a whole float that is within the range."""
    parsed = place(outcome(codec_for(int).parse, value))
    if value.is_integer() and abs(value) <= 10**126:
        assert repr(parsed) == repr(int(value))
    else:
        assert parsed == place(codec_for(int).refused())


@given(st.integers(-(10**45), 10**45), st.integers(0, 130))
def test_long_ints(digits: int, zeros: int) -> None:
    """A long int is written as from its digits, also by the codec of int."""
    number = digits * 10**zeros
    expected = place(outcome(written_from_digits, number))
    assert place(outcome(encode_number, number)) == expected
    written = place(outcome(codec_for(int).encode, number))
    assert (written["N"] if isinstance(written, dict) else written) == expected
    if isinstance(written, dict):
        assert repr(codec_for(int).decode(written)) == repr(number)


@given(st.floats(1, 10, exclude_max=True), st.integers(-140, 130), st.sampled_from(["", "-"]))
def test_floats_with_exponents(mantissa: float, power: int, minus: str) -> None:
    """A float of any magnitude is written as from its digits."""
    number = float(f"{minus}{mantissa!r}e{power}")
    expected = place(outcome(written_from_digits, number))
    assert place(outcome(encode_number, number)) == expected
    written = outcome(to_attribute_value, [number] * 20)
    if isinstance(written, dict):
        assert written["L"][19]["N"] == expected
    else:
        assert place(written) == place(outcome(encode_number, number), 0)


@settings(max_examples=600)
@given(
    members=st.lists(st.sampled_from(HINTS), min_size=2, max_size=4, unique_by=repr),
    value=VALUES,
)
def test_members_of_unions(members: list[Any], value: Any) -> None:
    """The members of a union that are not tried would have refused the value."""
    try:
        union = codec_for(Union[tuple(members)])  # noqa: UP007  (of a tuple)
    except AmbiguousUnionError:
        return
    if not isinstance(union, UnionCodec):
        return
    written = outcome(union.encode, value)
    assert place(written) == place(outcome(written_by_any, union, value))
    read = outcome(union.parse, value)
    assert repr(place(read)) == repr(place(outcome(parsed_by_any, union, value)))
    again = outcome(union.parse, value)  # with what is remembered of its type
    assert repr(place(again)) == repr(place(read))
    for stored in (written, outcome(to_attribute_value, value), {"NS": []}, {"S": 1}, {"N": "x.5"}):
        if isinstance(stored, dict):
            read = outcome(union.decode, stored)
            assert repr(place(read)) == repr(place(outcome(read_by_any, union, stored)))


def written_by_any(union: UnionCodec, value: Any) -> Any:
    if value is None and union.takes_none:
        return {"NULL": True}
    error = None
    for member in union._members:
        try:
            encoded = member.encode(value)
        except InvalidValueError as refused:
            if refused.path or isinstance(refused, ValueOutOfRangeError):
                error = error or refused
            continue
        if union._is_compared and outcome(read_by_any, union, encoded) != value:
            raise ValueOutOfRangeError(
                "",
                f"this {type(value).__name__} would be read as another value of {union.name}. "
                "Fix: annotate with one of them",
            )
        return encoded
    raise error or mismatch(union.name, value)


def parsed_by_any(union: UnionCodec, value: Any) -> Any:
    if value is None and union.takes_none:
        return None
    tagged = union._tagged(value)
    if tagged is not None:
        return tagged.parse(value)
    if len(union._members) == 1:
        return union._members[0].parse(value)
    error = None
    for member in union._members:
        if isinstance(value, Mapping) and member in union._untried:
            continue
        try:
            parsed = member.parse(value)
            if member.type_name not in ("L", "M"):
                member.encode(parsed)
        except InvalidValueError as refused:
            if refused.path and isinstance(refused, UnsupportedTypeError):
                error = error or refused
            continue
        return parsed
    raise error or union.refused()


def read_by_any(union: UnionCodec, stored: Any) -> Any:
    if union.takes_none and "NULL" in stored:
        return None
    for member in union._members:
        try:
            return member.decode(stored)
        except StoredValueError as refused:
            if len(union._members) == 1:
                raise refused
    raise stored_mismatch(union.name, stored)


@dataclasses.dataclass
class Cat:
    kind: Literal["cat"]
    lives: int = 9


@dataclasses.dataclass
class Dog:
    kind: Literal["dog"] = "dog"
    lives: int = 1


class Bird(TypedDict):
    kind: Literal["bird", 3]
    lives: int


TAGGED = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["cat", "dog", "bird", 3, 3.0, True, None]),
        "lives": st.integers(0, 9) | st.just("x"),
        "a": st.integers(0, 9),
    },
)
PETS: list[Any] = [Cat, Dog, Bird]


@given(
    pets=st.lists(st.sampled_from(PETS), min_size=2, max_size=3, unique=True),
    others=st.lists(st.sampled_from([int, str, float, list[int], None]), max_size=2, unique=True),
    values=st.lists(
        st.builds(Cat, st.just("cat")) | st.builds(Dog) | TAGGED | TAGGED.map(UserDict) | VALUES,
        min_size=1,
        max_size=4,
    ),
)
def test_unions_with_a_tag(pets: list[Any], others: list[Any], values: list[Any]) -> None:
    """A union of classes parses and writes each value as if no other had come before."""
    union: Any = codec_for(Union[(*pets, *others)])
    for value in values:
        new: Any = codec_for(Union[(*pets, *others)])
        parsed = repr(place(outcome(union.parse, value)))
        assert parsed == repr(place(outcome(parsed_by_any, new, value)))
        assert place(outcome(union.encode, value)) == place(outcome(new.encode, value))


class Inner(BaseModel):
    x: int
    note: str | None = None


class Plain(BaseModel):
    a: int
    b: str | None = None
    c: list[float] = []
    d: Decimal | None = Decimal(1)
    e: bool = False
    f: Inner | None = None
    g: list[Inner] = []
    h: list[Plain] = []
    i: list[int | None] = []


class Stricter(Plain):
    a: int = Field(ge=0)


class Checked(Plain):
    @field_validator("b")
    @classmethod
    def check(cls, value: Any) -> Any:
        return value.strip() if value else value


class Around(BaseModel):
    a: int
    g: list[Checked] = []


class Shifted(Plain):
    @field_serializer("a")
    def write(self, value: Any) -> Any:
        return value + 1 if isinstance(value, int) else value


class Trimmed(Plain):
    model_config = ConfigDict(str_strip_whitespace=True)


class Counted(Plain):
    @computed_field
    def count(self) -> int:
        return 1


class Renamed(Plain):
    j: int = Field(default=0, alias="other")


class Private(Plain):
    _secret: int = PrivateAttr(default=1)


class Open(Plain):
    model_config = ConfigDict(extra="allow")


class Unequal(Plain):
    def __eq__(self, other: object) -> bool:
        return False


class Dumped(Plain):
    def model_dump(self, **options: Any) -> dict[str, Any]:
        return {"a": 5}


MODELS: list[Any] = [
    *(Plain, Stricter, Checked, Shifted, Trimmed, Counted, Renamed, Private, Open, Unequal, Dumped)
]
INNER = st.builds(Inner, x=st.integers(), note=st.none() | st.text(max_size=2))
FIELDS: dict[str, Any] = {
    "a": st.integers(),
    "b": st.none() | st.text(max_size=3) | st.sampled_from([" a ", "\ud800"]),
    "c": st.lists(st.floats(), max_size=3),
    "d": st.none() | st.decimals(),
    "e": st.booleans(),
    "f": st.none() | INNER,
    "g": st.lists(INNER, max_size=2),
    "h": st.lists(st.builds(Plain, a=st.integers()), max_size=2),
    "i": st.lists(st.none() | st.integers(), max_size=2),
}
ODD = st.sampled_from([None, 1, 1.0, "1", True, [1.0], [None], {"x": 1}, Inner(x=1), set(), (1,)])


def written_in_full(model: Any, value: Any) -> Any:
    """As a model without short ways is written: from its dump, if that reads as the same."""
    encoded = to_attribute_value(dumped(value))
    try:
        is_read = is_same(loaded(model, from_attribute_value(encoded)), value)
    except (TypeError, ValueError, ArithmeticError):
        is_read = False
    if not is_read:
        raise unreadable(model.__name__)
    return encoded


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("model", MODELS)
@given(data=st.data())
def test_models(model: Any, data: st.DataObject) -> None:
    """A model is written, read and parsed as by its own methods, whatever its fields hold."""
    values = {name: data.draw(field) for name, field in FIELDS.items()}
    odd = data.draw(st.dictionaries(st.sampled_from(sorted(FIELDS)), ODD, max_size=1))
    value = model.model_construct(**{**values, **odd})
    codec = codec_for(model)
    written = outcome(codec.encode, value)
    assert repr(place(written)) == repr(place(outcome(written_in_full, model, value)))
    untyped = outcome(to_attribute_value, value)
    assert repr(place(untyped)) == repr(place(outcome(lambda: to_attribute_value(dumped(value)))))
    if isinstance(untyped, dict):
        read = outcome(codec.decode, untyped)
        try:
            expected = loaded(model, from_attribute_value(untyped))
        except (TypeError, ValueError, ArithmeticError):
            assert isinstance(read, StoredValueError)
        else:
            assert repr(read) == repr(expected)
    given_values = data.draw(st.dictionaries(st.sampled_from([*FIELDS, "j", "x"]), ODD, max_size=3))
    parsed = outcome(codec.parse, given_values)
    try:
        expected = parsed_model(model, given_values)
    except (TypeError, ValueError, ArithmeticError):
        assert isinstance(parsed, UnsupportedTypeError)
    else:
        assert repr(parsed) == repr(expected)


def test_plain_models() -> None:
    """Of these models, some are written from their values, of which one is surely read."""
    found = {model: plain_model(model) for model in [*MODELS, Around]}
    plain = {model: each for model, each in found.items() if each is not None}
    assert list(plain) == [Plain, Stricter, Checked, Around]
    assert [model for model, each in plain.items() if each.is_surely_read] == [Plain]


@given(st.integers(), st.lists(st.text(max_size=2), max_size=2))
def test_models_around_others(number: int, texts: list[str]) -> None:
    """A model whose inner models have validators is written if they would accept it."""
    inner = [Checked.model_construct(a=1, b=text) for text in texts]
    value = Around.model_construct(a=number, g=inner)
    written = outcome(codec_for(Around).encode, value)
    assert repr(place(written)) == repr(place(outcome(written_in_full, Around, value)))


TEXTS_OF_NUMBERS = st.from_regex(
    r"-?[0-9]{1,3}(\.[0-9]{0,3})?([eE][+-]?[0-9]{1,4})?", fullmatch=True
)
CONTENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | TEXTS_OF_NUMBERS
    | st.sampled_from(
        [
            "NaN",
            "sNaN",
            "-Infinity",
            "1E125",
            "1E126",
            "9" * 60,
            "9" * 126,
            "9" * 127,
            "9" * 5000,
            "0" * 200,
            "-12",
            "+1",
            " 1 ",
            "1_0",
            "\u0661",
            "\u00b2",
        ]
    )
    | st.binary(max_size=3),
    lambda within: (
        st.lists(within, max_size=3)
        | st.dictionaries(
            st.sampled_from(["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS", "X"]),
            within,
            max_size=2,
        )
    ),
)
"""What may stand in JSON where AttributeValues are expected."""


@given(CONTENTS)
def test_read_anywhere(content: Any) -> None:
    """A value is read alone as it is in a list, a map, an item, and by the codec of any type."""
    alone = place(outcome(from_attribute_value, content), 0)
    within = place(outcome(from_attribute_value, {"L": [content]}))
    assert repr(within[0] if isinstance(within, list) else within) == repr(alone)
    alone = place(outcome(from_attribute_value, content), "a", "b")
    for read, wire in (
        (from_attribute_value, {"M": {"a": {"M": {"b": content}}}}),
        (from_attribute_map, {"a": {"M": {"b": content}}}),
    ):
        within = place(outcome(read, wire))
        assert repr(within["a"]["b"] if isinstance(within, dict) else within) == repr(alone)
    alone = place(outcome(from_attribute_value, content))
    typed = place(outcome(codec_for(Any).decode, content))
    assert repr(typed[1:] if isinstance(typed, tuple) else typed) == (
        repr(alone[1:] if isinstance(alone, tuple) else alone)
    )


def written_anew(builder: UpdateBuilder) -> dict[str, Any]:
    """The builder's members, from its tree."""
    placeholders = Placeholders(escape=builder.escape)
    members: dict[str, Any] = {"UpdateExpression": render_update(builder.update, placeholders)}
    if builder.condition_node is not None:
        condition = conjunction(builder.condition_node)
        members["ConditionExpression"] = render_condition(condition, placeholders)
    if placeholders.names:
        members["ExpressionAttributeNames"] = placeholders.names
    if placeholders.values:
        members["ExpressionAttributeValues"] = placeholders.values
    return members


@given(request=updates(), data=st.data())
def test_text_of_any_chain(request: Any, data: st.DataObject) -> None:
    """The text of any chain, new or known, is that of its tree."""
    item, builder, _ = request
    if data.draw(st.booleans()):
        builder.condition(data.draw(true_conditions(item)))

    for _ in range(2):
        assert builder.expressions() == written_anew(builder)
    assert builder.is_idempotent == is_idempotent(builder.update, builder.condition_node)


@given(
    names=st.lists(st.sampled_from(["Ada", "Bo", "é"]), min_size=2, max_size=5),
    amounts=st.lists(st.integers(-5, 5), min_size=2, max_size=5),
    escape=st.sampled_from(["auto", "always"]),
)
def test_known_chain_has_its_own_values(names: list[str], amounts: list[int], escape: Any) -> None:
    """A known chain with other values has those values."""
    for name, amount in zip(names, amounts, strict=False):
        builder = (
            UpdateBuilder(Person, escape=escape)
            .set(Person.name, name)
            .increment(Person.visits, amount)
            .append(Person.scores, [amount])
            .add(Person.tags, {name})
            .remove("email")
        )
        params = builder.build(key={"id": "p1"})
        assert builder.expressions() == written_anew(builder)
        values = params["ExpressionAttributeValues"]
        assert (values[":name"], values[":visits"], values[":scores"]) == (name, amount, [amount])


def test_long_chain() -> None:
    """A chain that is too long for the cache has the text of its tree."""
    for _ in range(2):
        builder = UpdateBuilder()
        for number in range(20):
            builder.increment(f"a{number}", number).remove(f"b{number}").add(f"c{number}", {"x"})
            builder.set(f"d[{number}].e", number).prepend(f"f{number}", [number])
        assert builder.expressions() == written_anew(builder)
        assert builder.is_idempotent == is_idempotent(builder.update) is False


def test_refused_value_leaves_the_builder() -> None:
    """After a refused value, a builder of a new, partly known or known chain is unchanged."""
    for _ in range(3):  # a new chain, one of which a part is known, and a known one
        builder = UpdateBuilder(Person).set(Person.name, "Ada")
        with pytest.raises(InvalidValueError):
            builder.increment(Person.visits, "x")
        with pytest.raises(InvalidRequestError):
            builder.set(Person.name, "Bo")
        builder.add(Person.tags, {"t"}).increment(Person.visits, 1)
        assert builder.expressions() == written_anew(builder)
        assert len(builder.update.actions) == 3


def chain(random: Random) -> UpdateBuilder:
    """A chain of some of a few actions, so that chains meet and part."""
    builder = UpdateBuilder()
    for name in random.sample(["a", "b", "status", "d.e", "f[0]"], random.randint(1, 5)):
        match random.randrange(4):
            case 0:
                builder.set(name, random.random())
            case 1:
                builder.increment(name, random.randrange(9))
            case 2:
                builder.add(name, random.choice([1, {"x"}]))
            case _:
                builder.remove(name)
    return builder


def test_threads_build_their_own_requests() -> None:
    """Threads that build at the same time each get their own request."""

    def build(seed: int) -> None:
        random = Random(seed)
        for _ in range(200):
            builder = chain(random)
            assert builder.expressions() == written_anew(builder)

    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(build, range(16)))
    finally:
        sys.setswitchinterval(interval_s)


def test_more_chains_than_the_cache_has() -> None:
    """With more chains than the cache takes, each has its own text."""
    for number in range(3000):
        builder = UpdateBuilder().set(f"name{number}", number).remove(f"other{number}")
        members = builder.expressions()
        assert members["UpdateExpression"] == (
            f"SET name{number} = :name{number} REMOVE other{number}"
        )
    assert builder.expressions() == written_anew(builder)


def test_names_of_an_enum() -> None:
    """Members of a StrEnum are names of attributes."""

    class Name(StrEnum):
        FIRST = "first"
        SECOND = "second"

    for _ in range(2):
        builder = UpdateBuilder().set(Name.FIRST, 1).set("other", 2).remove(Name.SECOND)
        assert builder.expressions() == written_anew(builder)
        assert builder.expressions()["UpdateExpression"] == (
            "SET #first = :first, #other = :other REMOVE #second"
        )


def test_same_path_of_another_type() -> None:
    """A path of an Item class keeps its type, also if the same text is known without one."""

    class Town(Item):
        name: Attr[str]

    class House(Item):
        town: Attr[Town]
        rooms: Attr[list[str]]

    UpdateBuilder().set(House.town[Town.name], "Ely").set(House.rooms[0], "hall")
    UpdateBuilder().set(attr("town.name"), 3).set(attr("rooms[0]"), 4)
    UpdateBuilder().set("town.name", 3).set("rooms[0]", 4)
    for wrong in (House.town[Town.name], House.rooms[0]):
        with pytest.raises(InvalidValueError, match="str is expected, not int"):
            UpdateBuilder().set(wrong, 3)


@settings(suppress_health_check=list(HealthCheck))
@given(random=RANDOMS)
def test_earlier_requests_change_no_verdict(random: Random) -> None:
    """The findings of a request are the same when it is checked again, with any schema."""
    operation, body = Requests(random).make()

    for schema in (None, Keyed, Thing):
        expected = check_from_scratch(operation, body, schema=schema)
        for _ in range(2):
            assert check_request(operation, body, schema=schema) == expected


@pytest.mark.parametrize("pk", ["k", "", "k" * 240, "k" * 2048, "k" * 2049])
@pytest.mark.parametrize("schema", [None, Keyed])
def test_key_lengths_change_no_verdict(pk: str, schema: Any) -> None:
    """The findings of a key of any length are the same when it is checked again."""
    values = {":pk": {"S": pk}}
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values}
    requests: dict[str, dict[str, Any]] = {
        "PutItem": {"Item": {"pk": {"S": pk}, "sk": {"N": "1"}, "text": {"S": "x" * 3000}}},
        "GetItem": {"Key": {"pk": {"S": pk}, "sk": {"N": "1"}}},
        "Query": query,
        "Scan": {"ExclusiveStartKey": {"pk": {"S": pk}, "sk": {"N": "1"}}},
    }
    for operation, members in requests.items():
        body = {"TableName": "requests", **members}
        expected = check_from_scratch(operation, body, schema=schema)
        for _ in range(2):
            assert check_request(operation, body, schema=schema) == expected


def test_copied_builder_changes_no_other() -> None:
    """Changing a copy of a builder changes neither the original nor a new one."""
    first = UpdateBuilder().remove("draft")
    copy.copy(first).remove("other")

    assert first.expressions() == {"UpdateExpression": "REMOVE draft"}
    assert UpdateBuilder().remove("draft").expressions() == {"UpdateExpression": "REMOVE draft"}


def test_builder_that_changes_while_it_is_read() -> None:
    """A builder that its own values change does not affect other builders."""
    builder = UpdateBuilder()

    def values() -> Iterator[int]:
        builder.remove("a")
        yield 1

    builder.append("lines", values()).build_client(table_name="t", key={"id": "x"})
    other = UpdateBuilder().append("lines", [2])
    assert other.expressions() == written_anew(other)


def test_sum_of_literals_is_checked_each_time() -> None:
    """A sum of two literals is checked for each request."""

    def update(one: str, two: str) -> dict[str, Any]:
        return {
            "TableName": "requests",
            "Key": {"pk": {"S": "k"}},
            "UpdateExpression": "SET a = :one + :two",
            "ExpressionAttributeValues": {":one": {"N": one}, ":two": {"N": two}},
        }

    for request in (update("1", "2"), update("9" * 38, "0.1")):
        expected = check_from_scratch("UpdateItem", request)
        assert check_request("UpdateItem", request) == expected
    assert expected != ()


class Named(str, Enum):  # noqa: UP042  (not a StrEnum, whose str() is its value)
    RED = "red"


class Added(Enum):
    MEMBERS = frozenset({"x"})
    NUMBER = 1


def test_str_enum_gives_its_value() -> None:
    """A member of a str enum names the attribute that its value names."""
    assert UpdateBuilder().set(Named.RED, 1).expressions()["UpdateExpression"] == "SET red = :red"
    nested = UpdateBuilder().set(attr("m")[Named.RED], 1).expressions()
    assert nested["UpdateExpression"] == "SET m.red = :red"
    patched = UpdateBuilder().patch({Named.RED: 1}, allow=["red"]).expressions()
    assert patched["UpdateExpression"] == "SET red = :red"
    by_name = UpdateBuilder().remove(attr(name=Named.RED)).expressions()
    assert by_name["UpdateExpression"] == "REMOVE red"


def test_added_enum_members() -> None:
    """Adding a number is not idempotent and adding members of a set is, also for enum members."""
    for _ in range(2):
        assert UpdateBuilder().add("a", Added.MEMBERS).is_idempotent
        assert not UpdateBuilder().add("a", Added.NUMBER).is_idempotent


def test_index_is_an_int() -> None:
    """An index of a path that is not an int is refused."""
    for wrong in (True, 1.0, None):
        with pytest.raises(TypeError, match="q: a list index, a map key or an attribute is"):
            attr("q")[wrong]
    assert str(attr("q")[1]) == "q[1]"


NESTED = {"l": [1, {"m": [2]}], "s": {"x"}}


def test_a_built_request_is_of_its_own() -> None:
    """Changing what was given, or what was built, changes no other request."""
    given = copy.deepcopy(NESTED)
    condition = attr("c") != [1]
    first = UpdateBuilder().set("a", given).append("b", [given]).increment("n", 1)
    first.condition(condition)
    twin = first.copy()
    expected = first.build_client(table_name="t", key={"id": "x"})
    for changed in (given, first.build(key={"id": "x"}), copy.deepcopy(expected)):
        spoil(changed)
    spoil(first.build_client(table_name="t", key={"id": "x"}))
    again = UpdateBuilder().set("a", NESTED).append("b", [NESTED]).increment("n", 1)
    for builder in (first, twin, again.condition(condition)):
        assert builder.build_client(table_name="t", key={"id": "x"}) == expected


def spoil(value: Any) -> None:
    """Change all that can be changed."""
    match value:
        case dict():
            for each in value.values():
                spoil(each)
            value["spoilt"] = "leak"
        case list():
            for each in value:
                spoil(each)
            value.append("leak")
        case set():
            value.add("leak")


def test_new_names_push_out_only_each_other() -> None:
    """What is used again stays in the cache, whatever the names of others; and all is bounded."""
    cache = WrittenUpdates("auto")
    for number in range(6000):
        for name in ("updated", "status", f"name{number}", "é" * number):
            action = cache.actions.get(("set", name))
            if action is None:
                assert number == 0 or name not in ("updated", "status")
                action = Action("set", attr(name=name or "x"))
                cache.keep_action(("set", name), action)
            cache.text([action], [{"N": "1"}])
    assert len(cache.actions) < 1024
    assert len(cache.texts) < 1024


def test_classes_are_not_kept() -> None:
    """A class that is made at run time goes, with all that was built and read of it."""

    def use() -> weakref.ref[type]:
        class Local(Item):
            pk: Attr[str] = attribute(key="partition")
            n: Attr[int] = attribute(default=0)

        @dataclasses.dataclass
        class Point:
            x: int

        UpdateBuilder(Local).set(Local.n, 1).build_client(table_name="t", key={"pk": "a"})
        UpdateBuilder().set(Local.n, 1).add("a", 1).expressions()
        UpdateBuilder().set("local", Local(pk="a")).set("point", Point(1)).expressions()
        return weakref.ref(Local)

    local = use()
    gc.collect()
    assert local() is None
