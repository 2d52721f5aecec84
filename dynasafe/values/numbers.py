"""Writes numbers as their wire text, and reads them.

Source: "Supported data types and naming rules in Amazon DynamoDB", under Number.
"""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from dynasafe.errors import ValueOutOfRangeError
from dynasafe.limits import (
    MAX_NUMBER_DIGITS,
    MAX_NUMBER_MAGNITUDE,
    MIN_NUMBER_MAGNITUDE,
)

# Beyond these an int may have too many digits.
_MIN_INT: Final = -(10**MAX_NUMBER_DIGITS)
_MAX_INT: Final = 10**MAX_NUMBER_DIGITS
_MAX_BITS: Final = 420
"""An int with more bits is above 1E+126. It is not written out to check that."""
_LARGEST: Final[int] = 10 ** (MAX_NUMBER_MAGNITUDE + 1)
_LOWEST: Final[int] = -_LARGEST
"""Each whole number of DynamoDB is between these."""
_ZERO: Final = Decimal(0)
_MAX_TEXT: Final = 1024
"""The most characters of a number that is read: far more than any number of DynamoDB needs."""


def encode_number(value: int | float | Decimal) -> str:
    """The only text of a number: no exponent between 1E-7 and 1E+40, no trailing zeros.

    A float becomes the shortest decimal that reads back as the same float.

    Raises:
        ValueOutOfRangeError: NaN, an infinity, over 38 digits, or outside 1E-130 to 9.9E+125.
    """
    kind = type(value)
    if kind is int and _MIN_INT < value < _MAX_INT:
        return str(value)
    written = ""
    if kind is Decimal:
        written = _of_decimal_text(str(value))
    elif kind is float:
        written = of_float(repr(value))
    elif kind is int:
        written = _of_long_int(int(value))
    return written or written_from_digits(value)


def _of_decimal_text(text: str) -> str:
    """The text of a Decimal, from what str() gives; empty if the general case must decide."""
    if len(text) > MAX_NUMBER_DIGITS or "e" in text:  # as the context of decimal may want it
        return ""
    if "E" in text:
        return _of_exponent(text, "E")
    if "." in text:
        if text[-1] != "0":
            return text
        text = text.rstrip("0").removesuffix(".")
        return "0" if text == "-0" else text
    if text == "-0":
        return "0"
    return text if text.removeprefix("-").isdecimal() else ""  # neither NaN nor Infinity


def _of_long_int(value: int) -> str:
    """The text of an int of more than 38 digits; empty if the general case must decide."""
    if not _LOWEST < value < _LARGEST:
        return ""
    text = str(value)
    first = 1 if text[0] == "-" else 0
    magnitude = len(text) - first - 1
    zeros = magnitude + 1 - MAX_NUMBER_DIGITS
    if text[-zeros:] != "0" * zeros:
        return ""
    if magnitude < 40:
        return text
    digits = text[:-zeros].rstrip("0")  # not of the whole text, which takes longer than all else
    fraction = f".{digits[first + 1 :]}" if len(digits) > first + 1 else ""
    return f"{digits[: first + 1]}{fraction}E+{magnitude}"


def written_from_digits(value: int | float | Decimal) -> str:
    """The same text for any number, also for those of subclasses."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _not_finite()
        value = Decimal(repr(float(value)))
    if not isinstance(value, Decimal):
        value = int(value)
        if value.bit_length() > _MAX_BITS:
            raise _out_of_range()
    # From a Decimal's tuple, since arithmetic would round to the context's precision.
    number = Decimal(value)
    if not number.is_finite():
        raise _not_finite()
    sign, digit_tuple, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # only NaN and infinities have letters there
    all_digits = "".join(map(str, digit_tuple)).lstrip("0")
    digits = all_digits.rstrip("0")
    if not digits:
        return "0"
    exponent += len(all_digits) - len(digits)
    if len(digits) > MAX_NUMBER_DIGITS:
        raise _too_many_digits(len(digits))
    magnitude = len(digits) + exponent - 1
    if not MIN_NUMBER_MAGNITUDE <= magnitude <= MAX_NUMBER_MAGNITUDE:
        raise _out_of_range()
    minus = "-" if sign else ""
    if exponent >= 0 and magnitude < 40:
        return minus + digits + "0" * exponent
    if exponent < 0 and magnitude >= 0:
        return f"{minus}{digits[: magnitude + 1]}.{digits[magnitude + 1 :]}"
    if -7 <= magnitude < 0:
        return f"{minus}0.{'0' * (-magnitude - 1)}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{minus}{digits[0]}{fraction}E{magnitude:+d}"


def of_float(text: str) -> str:
    """The text of a float, from its repr; empty if the general case must decide."""
    if "e" in text:
        # The most common ones as they are: from e-99 to e-10, and from e+40 to e+99.
        if text[-4] == "e" and text[-2] >= ("1" if text[-3] == "-" else "4"):
            return text.upper()
        return _of_exponent(text, "e")
    return "" if "n" in text else of_plain_float(text)  # nan or inf


def of_plain_float(text: str) -> str:
    """The text of a float whose repr has no exponent, and is neither nan nor inf."""
    if text[-2:] != ".0":
        return text
    return "0" if text == "-0.0" else text[:-2]


def _of_exponent(text: str, letter: str) -> str:
    """The text of a number with one digit before the point, a fraction or none, and an exponent of
    ten; empty if the general case must decide.
    """
    mantissa, _, exponent = text.partition(letter)
    if "." in mantissa and mantissa[-1] == "0":
        mantissa = mantissa.rstrip("0").removesuffix(".")
    if mantissa == "0" or mantissa == "-0":
        return "0"
    power = int(exponent)
    if 40 <= power < MAX_NUMBER_MAGNITUDE:
        return f"{mantissa}E+{power}"
    if MIN_NUMBER_MAGNITUDE < power < -7:
        return f"{mantissa}E{power}"
    whole, _, fraction = mantissa.partition(".")
    if len(fraction) <= power < 40:
        return f"{whole}{fraction}{'0' * (power - len(fraction))}"
    if -7 <= power < 0:
        minus = "-" if whole[0] == "-" else ""
        return f"{minus}0.{'0' * (-power - 1)}{whole[len(minus) :]}{fraction}"
    return ""


def _not_finite() -> ValueOutOfRangeError:
    return ValueOutOfRangeError(
        "", "NaN and infinities are not DynamoDB numbers. Fix: leave the attribute out"
    )


def _out_of_range() -> ValueOutOfRangeError:
    return ValueOutOfRangeError("", "the number is outside DynamoDB's range of 1E-130 to 9.9E+125")


def _too_many_digits(count: int) -> ValueOutOfRangeError:
    return ValueOutOfRangeError(
        "",
        f"a number of {count} digits; DynamoDB keeps 38. Fix: round it yourself, or store it as a "
        "string",
    )


def decode_number(text: str) -> int | Decimal:
    """An int if the number is whole, else a Decimal; never rounded.

    Raises:
        ValueOutOfRangeError: the text is not a number, or one that DynamoDB cannot store.
    """
    if len(text) <= MAX_NUMBER_DIGITS and text.removeprefix("-").isdecimal():
        return int(text)
    if "E+" in text and len(text) <= MAX_NUMBER_DIGITS:
        written_out = _with_zeros(text)
        if written_out is not None:
            return written_out
    number = decode_decimal(text)
    if "." in text and text[-1] != "0" and "E" not in text and "e" not in text:
        return number
    whole = int(number)
    return whole if whole == number else number


_POWERS: Final[list[int]] = [10**power for power in range(MAX_NUMBER_MAGNITUDE + 1)]


def _with_zeros(text: str) -> int | None:
    """The whole number with a positive exponent; None if the general case must decide."""
    mantissa, _, exponent = text.partition("E+")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    if not digits.removeprefix("-").isdecimal() or not exponent.isdecimal():
        return None
    zeros = int(exponent) - len(fraction)
    if zeros < 0 or len(digits) + zeros > MAX_NUMBER_MAGNITUDE:
        return None
    return int(digits) * _POWERS[zeros]


def is_plain_fraction(text: Any) -> bool:
    """Whether it is surely the text of a number that is not whole, and has no exponent."""
    if type(text) is not str or "." not in text or len(text) > MAX_NUMBER_DIGITS:
        return False
    whole, _, fraction = text.partition(".")
    return (
        whole.removeprefix("-").isdecimal()
        and fraction.isdecimal()
        and fraction.isascii()
        and fraction[-1] != "0"
    )


def decode_decimal(text: str) -> Decimal:
    """The number as a Decimal, without rounding.

    Raises:
        ValueOutOfRangeError: as of `decode_number`.
    """
    if len(text) > _MAX_TEXT:
        raise _out_of_range()
    try:
        number = Decimal(text)
    except InvalidOperation:
        # Without the text, which may be personal data.
        raise ValueOutOfRangeError("", "the text of a number is not one") from None
    if not number.is_finite():
        raise _out_of_range()
    if len(text) <= MAX_NUMBER_DIGITS:
        if "E" not in text and "e" not in text:
            return number
        if not number:
            return _ZERO  # whatever its exponent
        if MIN_NUMBER_MAGNITUDE <= number.adjusted() <= MAX_NUMBER_MAGNITUDE:
            return number
        raise _out_of_range()
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if not digits:
        return _ZERO  # whatever its exponent
    if not MIN_NUMBER_MAGNITUDE <= number.adjusted() <= MAX_NUMBER_MAGNITUDE:
        raise _out_of_range()
    if len(digits) > MAX_NUMBER_DIGITS:
        raise _too_many_digits(len(digits))
    return number


def decode_float(text: Any) -> float:
    """The number as the nearest float.

    Raises:
        ValueOutOfRangeError: as of `decode_number`.
    """
    if type(text) is str and len(text) <= MAX_NUMBER_DIGITS:
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if 1e-100 < abs(number) < 1e100:  # neither NaN nor outside DynamoDB's range
            return number
    return float(decode_decimal(text))


def decode_int(text: str) -> int:
    """The number as an int.

    Raises:
        ValueOutOfRangeError: as of `decode_number`, or it has a fraction.
    """
    number = decode_number(text)
    if isinstance(number, int):
        return number
    whole = int(number)
    if whole != number:
        raise ValueOutOfRangeError("", "the number has a fraction")
    return whole
