"""Sums and standard deviations of one slice of a column in plain Python numbers, bit for bit equal to those of
`exact_sums` for many slices at once.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from ml_assets.core.features.exact_sums import DIGIT_BITS, HUNDREDTHS, LOWEST_DIGIT, SMALLEST_SQUARED, ExactSums, Floats

LOWEST_BITS = -DIGIT_BITS * LOWEST_DIGIT
BASE, MASK = 2.0**DIGIT_BITS, (1 << DIGIT_BITS) - 1
WHOLE = 1 << 53
NAN = math.nan
Pair = tuple[float, float]
Exact = tuple[int, int]
"""(number, bits): number / 2**bits."""


class ColumnSums(ExactSums):
    """Prefix sums of a column, for the exact sum of one slice."""

    def add(self, values: Floats) -> "ColumnSums":
        """Add another column of the same length to the sums."""
        super().add(values)
        # A memoryview returns Python integers, several times faster than a numpy array.
        self._bits = max([0, *(-DIGIT_BITS * digit for digit in self._prefixes)])
        self._digits = [
            (self._bits + DIGIT_BITS * digit, memoryview(prefix)) for digit, prefix in self._prefixes.items()
        ]
        return self

    def exact(self, first: int, last: int) -> Exact:
        """Return the exact sum of the values at positions first, ..., last - 1."""
        number = 0
        for shift, prefix in self._digits:
            number += (prefix[last] - prefix[first]) << shift
        return number, self._bits


def exact_sum(values: Iterable[float]) -> Exact:
    """Return the exact sum of finite values; the part of each value below the lowest digit of `ExactSums` is
    truncated."""
    number, bits = 0, 0
    for value in values:
        top, bottom = value.as_integer_ratio()
        needed = bottom.bit_length() - 1
        if needed > LOWEST_BITS:
            part = abs(top) >> (needed - LOWEST_BITS)
            top, needed = part if top > 0 else -part, LOWEST_BITS
        number, bits = add_exact((number, bits), (top, needed))
    # Digits of ExactSums begin at multiples of DIGIT_BITS.
    whole = -(-bits // DIGIT_BITS) * DIGIT_BITS
    return number << (whole - bits), whole


def add_exact(first: Exact, second: Exact) -> Exact:
    """Add two exact numbers."""
    (first_number, first_bits), (second_number, second_bits) = first, second
    if first_bits == second_bits:
        return first_number + second_number, first_bits
    bits = max(first_bits, second_bits)
    return (first_number << (bits - first_bits)) + (second_number << (bits - second_bits)), bits


def round_exact(exact: Exact) -> Pair:
    """Round an exact number to an unevaluated sum of two doubles, added from its highest digit down as in
    `ExactSums.over`.
    """
    number, bits = exact
    if not bits and -WHOLE < number < WHOLE:
        return float(number), 0.0
    terms, unit = [], 2.0**-bits
    while number not in (0, -1):
        terms.append((number & MASK) * unit)
        number >>= DIGIT_BITS
        unit *= BASE
    high, low = number * unit, 0.0
    for term in reversed(terms):
        total = high + term
        part = total - high
        low += (high - (total - part)) + (term - part)
        high = total
    total = high + low
    part = total - high
    return total, (high - (total - part)) + (low - part)


class AddedValues:
    """Values in addition to a column, none of them missing, both in hundredths and unchanged, for either kind of
    sum."""

    def __init__(self, values: Sequence[float]) -> None:
        self.values, self.number = values, len(values)
        self.hundredths = self.squares = 0
        self.others: list[float] = []
        for value in values:
            hundredths = round(value * HUNDREDTHS)
            if hundredths / HUNDREDTHS == value and -WHOLE < hundredths < WHOLE:
                self.hundredths += hundredths
                self.squares += hundredths * hundredths
            else:
                self.others.append(value)


class ColumnMoments:
    """A column with NaN for missing values, which gives number, sum, mean and standard deviation of a slice plus
    further values.

    `exact_sums.ExactMoments` describes which values are summed in hundredths.
    """

    def __init__(self, values: Floats, squares: bool) -> None:
        """Build the prefix sums of the column; `squares`: whether standard deviations are needed."""
        present = ~np.isnan(values)
        self._numbers = None if present.all() else memoryview(np.append(0, np.cumsum(present)))
        values = np.where(present, values, 0.0)
        hundredths = np.rint(values * HUNDREDTHS)
        is_decimal = (hundredths / HUNDREDTHS == values) & (np.abs(hundredths) < 2.0**53)
        self._decimals = ColumnSums(np.where(is_decimal, hundredths, 0.0))
        self._others = None if is_decimal.all() else ColumnSums(np.where(is_decimal, 0.0, values))
        if squares:
            others = np.where(is_decimal, 0.0, values * HUNDREDTHS)
            others = np.where(np.abs(others) < SMALLEST_SQUARED, 0.0, others)
            self._scaled_others = ColumnSums(others) if self._others is not None else None
            scaled = np.where(is_decimal, hundredths, others)
            square, rounding_error = _two_products(scaled)
            self._squares = ColumnSums(square).add(rounding_error)

    def number(self, first: int, last: int) -> int:
        """Return the number of values of a slice."""
        return last - first if self._numbers is None else self._numbers[last] - self._numbers[first]

    def sum(self, first: int, last: int, beside: AddedValues, divisor: float = 1.0) -> float:
        """Return the sum of a slice and further values, divided by `divisor`."""
        number, bits = self._decimals.exact(first, last)
        result = round_exact((number + (beside.hundredths << bits), bits))[0] / (HUNDREDTHS * divisor)
        if self._others is not None:
            result += round_exact(add_exact(self._others.exact(first, last), exact_sum(beside.others)))[0] / divisor
        elif beside.others:
            result += round_exact(exact_sum(beside.others))[0] / divisor
        return result

    def std(self, first: int, last: int, beside: AddedValues, number: int) -> float:
        """Return the sample standard deviation of a slice and further values, `number` in total; see
        `ExactMoments.std`."""
        if number < 2:
            return NAN
        exact = add_exact(self._decimals.exact(first, last), (beside.hundredths, 0))
        exact_squares = add_exact(self._squares.exact(first, last), (beside.squares, 0))
        if self._scaled_others is not None:
            exact = add_exact(exact, self._scaled_others.exact(first, last))
        if beside.others:
            others = [value * HUNDREDTHS for value in beside.others if abs(value * HUNDREDTHS) >= SMALLEST_SQUARED]
            exact = add_exact(exact, exact_sum(others))
            exact_squares = add_exact(
                exact_squares, exact_sum(part for value in others for part in two_product(value, value))
            )
        total, total_low = round_exact(exact)
        squares, squares_low = round_exact(exact_squares)
        left, left_low = two_product(float(number), squares)
        right, right_low = two_product(total, total)
        spread = (left - right) + ((left_low + number * squares_low) - (right_low + 2.0 * total * total_low))
        if spread <= left * 2.0**-100:
            return 0.0
        return math.sqrt(spread / (number * (number - 1.0))) / HUNDREDTHS


def two_product(left: float, right: float) -> Pair:
    """Return product and rounding error exactly (Dekker, 1971), in the order of operations of `exact_sums`."""
    product = left * right
    scaled = left * 134217729.0  # 2**27 + 1 splits the 53 bits of a double in two halves.
    left_high = scaled - (scaled - left)
    left_low = left - left_high
    scaled = right * 134217729.0
    right_high = scaled - (scaled - right)
    right_low = right - right_high
    return product, (
        (left_high * right_high - product) + left_high * right_low + left_low * right_high
    ) + left_low * right_low


def _two_products(values: Floats) -> tuple[Floats, Floats]:
    """Return the square of each value and its rounding error."""
    return two_product(values, values)  # type: ignore[arg-type,return-value]
