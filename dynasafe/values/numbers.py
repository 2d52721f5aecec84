"""The text that a number has on the wire, and the number of a text.

Source: "Supported data types and naming rules in Amazon DynamoDB", under Number.
"""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation

from dynasafe.errors import ValueOutOfRangeError
from dynasafe.limits import (
    MAX_NUMBER_DIGITS,
    MAX_NUMBER_MAGNITUDE,
    MIN_NUMBER_MAGNITUDE,
)

# Beyond these an int may have too many digits.
_MIN_INT, _MAX_INT = -(10**MAX_NUMBER_DIGITS), 10**MAX_NUMBER_DIGITS
_MAX_BITS = 420
"""An int of more is above 1E+126, and need not be written out to see that."""
_ZERO = Decimal(0)
_MAX_TEXT = 1024
"""Characters of a number as it is read: far above what any number of DynamoDB needs."""


def encode_number(value: int | float | Decimal) -> str:
    """The one text of a number: no exponent between 1E-7 and 1E+40, no trailing zeros.

    A float becomes the shortest decimal that reads back as the same float.

    Raises:
        ValueOutOfRangeError: NaN, an infinity, over 38 digits, or outside 1E-130 to 9.9E+125.
    """
    if type(value) is int and _MIN_INT < value < _MAX_INT:
        return str(value)
    if type(value) is Decimal:
        text = str(value)
        # The commonest: no exponent, and no zero at the end of a fraction.
        if "." in text and text[-1] != "0" and "E" not in text and len(text) <= MAX_NUMBER_DIGITS:
            return text
    if type(value) is float:
        text = repr(value)
        if "n" not in text:  # neither nan nor inf
            written = of_plain_float(text) if "e" not in text else _of_exponent(text)
            if written:
                return written
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


def of_plain_float(text: str) -> str:
    """The text of a float whose repr has no exponent, and is neither nan nor inf."""
    if text[-2:] != ".0":
        return text
    return "0" if text == "-0.0" else text[:-2]


def _of_exponent(text: str) -> str:
    """The text of a float whose repr has an exponent; nothing where that takes a closer look."""
    mantissa, _, exponent = text.partition("e")
    power = int(exponent)
    if 40 <= power < MAX_NUMBER_MAGNITUDE or MIN_NUMBER_MAGNITUDE < power < -7:
        return f"{mantissa}E{power:+d}"
    whole, _, fraction = mantissa.partition(".")
    return f"{whole}{fraction}{'0' * (power - len(fraction))}" if 16 <= power < 40 else ""


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
    """int where the number is integral, Decimal elsewhere; never rounded.

    Raises:
        ValueOutOfRangeError: the text is not a number, or one that DynamoDB cannot store.
    """
    if len(text) <= MAX_NUMBER_DIGITS and text.removeprefix("-").isdecimal():
        return int(text)
    number = decode_decimal(text)
    if "." in text and text[-1] != "0" and "E" not in text and "e" not in text:
        return number
    return int(number) if number == number.to_integral_value() else number


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
    if len(text) <= MAX_NUMBER_DIGITS and "E" not in text and "e" not in text:
        return number
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if not digits:
        return _ZERO  # whatever its exponent
    if not MIN_NUMBER_MAGNITUDE <= number.adjusted() <= MAX_NUMBER_MAGNITUDE:
        raise _out_of_range()
    if len(digits) > MAX_NUMBER_DIGITS:
        raise _too_many_digits(len(digits))
    return number


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
