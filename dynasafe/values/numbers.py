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


def encode_number(value: int | float | Decimal, path: str = "") -> str:
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
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueOutOfRangeError(
                path, "NaN and infinities are not DynamoDB numbers. Fix: leave the attribute out"
            )
        value = Decimal(repr(float(value)))
    # From a Decimal's tuple, since arithmetic would round to the context's precision.
    number = value if isinstance(value, Decimal) else Decimal(int(value))
    if not number.is_finite():
        raise ValueOutOfRangeError(
            path, "NaN and infinities are not DynamoDB numbers. Fix: leave the attribute out"
        )
    sign, digit_tuple, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # only NaN and infinities have letters there
    all_digits = "".join(map(str, digit_tuple)).lstrip("0")
    digits = all_digits.rstrip("0")
    if not digits:
        return "0"
    exponent += len(all_digits) - len(digits)
    if len(digits) > MAX_NUMBER_DIGITS:
        raise ValueOutOfRangeError(
            path,
            f"a number of {len(digits)} digits; DynamoDB keeps 38. Fix: round it yourself, or "
            "store it as a string",
        )
    magnitude = len(digits) + exponent - 1
    if not MIN_NUMBER_MAGNITUDE <= magnitude <= MAX_NUMBER_MAGNITUDE:
        raise ValueOutOfRangeError(
            path, "the number is outside DynamoDB's range of 1E-130 to 9.9E+125"
        )
    minus = "-" if sign else ""
    if exponent >= 0 and magnitude < 40:
        return minus + digits + "0" * exponent
    if exponent < 0 and magnitude >= 0:
        return f"{minus}{digits[: magnitude + 1]}.{digits[magnitude + 1 :]}"
    if -7 <= magnitude < 0:
        return f"{minus}0.{'0' * (-magnitude - 1)}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{minus}{digits[0]}{fraction}E{magnitude:+d}"


def decode_number(text: str, path: str = "") -> int | Decimal:
    """int where the number is integral, Decimal elsewhere; never rounded.

    Raises:
        ValueOutOfRangeError: the text is not a number.
    """
    if "." not in text and text.isdecimal() and len(text) <= MAX_NUMBER_MAGNITUDE:
        return int(text)
    try:
        number = Decimal(text)
    except InvalidOperation:
        # Without the text, which may be personal data.
        raise ValueOutOfRangeError(path, "the text of a number is not one") from None
    if "." in text and text[-1] != "0" and "E" not in text and "e" not in text:
        return number
    if not number.is_finite() or number.adjusted() > MAX_NUMBER_MAGNITUDE:
        raise ValueOutOfRangeError(path, "the number is outside DynamoDB's range, to 9.9E+125")
    return int(number) if number == number.to_integral_value() else number
