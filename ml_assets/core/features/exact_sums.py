"""Exact sums over slices of a column, rounded once at the end, so that values outside a slice have no influence."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DIGIT_BITS = 32
LOWEST_DIGIT = -31  # 2**-992: anything below counts as 0.
HUNDREDTHS = 100.0
# The square of a smaller value is too close to the end of the range of doubles; standard deviations treat it as 0.
SMALLEST_SQUARED = 1e-130
# Values processed at once: few enough for their intermediate results to stay in the processor's cache.
BLOCK = 2**14


class ExactSums:
    """Prefix sums of a column of finite values, which give the sum over any slice.

    Each value is split at fixed binary places into digits of 32 bits, and each place is summed as integers: a
    superaccumulator (Kulisch, Computer Arithmetic and Validity, 2013). Floating-point prefix sums would carry the
    rounding errors of all rows before a slice into its sum.
    """

    def __init__(self, values: Floats) -> None:
        self._prefixes: dict[int, Integers] = {}
        self.add(values)

    def add(self, values: Floats) -> "ExactSums":
        """Add a column of the same length, row by row, to the summed column."""
        digits: dict[int, Integers] = {}
        for block in _blocks(len(values)):
            rest = values[block]
            place = (int(np.frexp(np.abs(rest).max(initial=0.0))[1]) - 1) // DIGIT_BITS
            while place >= LOWEST_DIGIT and rest.any():
                unit = 2.0 ** (DIGIT_BITS * place)
                digit = np.trunc(rest / unit)
                rest = rest - digit * unit
                if place not in digits:
                    digits[place] = np.zeros(len(values) + 1, np.int64)
                digits[place][block.start + 1 : block.stop + 1] = digit
                place -= 1
        for place, prefix in digits.items():
            # A prefix that overflows wraps around, and differences of prefixes stay correct: only a slice of more than
            # 2**31 rows would be wrong.
            np.cumsum(prefix, out=prefix)
            self._prefixes[place] = self._prefixes[place] + prefix if place in self._prefixes else prefix
        return self

    def over(self, first: Integers, last: Integers) -> tuple[Floats, Floats]:
        """Sum the values at positions first, ..., last - 1 of each slice.

        Each sum is an unevaluated sum of two doubles: the rounded sum and the rounding error.
        """
        high, low = np.zeros(len(first)), np.zeros(len(first))
        if not self._prefixes:
            return high, low
        places = range(min(self._prefixes), max(self._prefixes) + 1)
        terms, carry = [], np.zeros(len(first), np.int64)
        for place in places:
            total = carry
            if place in self._prefixes:
                prefix = self._prefixes[place]
                total = total + prefix[last] - prefix[first]
            carry = total >> DIGIT_BITS
            terms.append((total - (carry << DIGIT_BITS)) * 2.0 ** (DIGIT_BITS * place))
        terms.append(carry * 2.0 ** (DIGIT_BITS * places.stop))
        for term in reversed(terms):
            high, error = _two_sum(high, term)
            low = low + error
        return _two_sum(high, low)


class ExactMoments:
    """Sums, means and standard deviations over slices of a column, in which missing values are given as 0.

    Values with at most two decimal places, such as amounts of money and labels, are summed in hundredths, as integers:
    0.1 plus 0.2 is 0.3. All other values are summed as doubles.
    """

    def __init__(self, values: Floats) -> None:
        hundredths = np.rint(values * HUNDREDTHS)
        is_decimal = (hundredths / HUNDREDTHS == values) & (np.abs(hundredths) < 2.0**53)
        self._scaled = np.where(is_decimal, hundredths, values * HUNDREDTHS)
        self._decimals = ExactSums(np.where(is_decimal, hundredths, 0.0))
        self._others = None if is_decimal.all() else ExactSums(values[~is_decimal])
        self._rank_of_others = np.append(0, np.cumsum(~is_decimal))
        self._squares: tuple[ExactSums, ExactSums] | None = None

    def sum(self, first: Integers, last: Integers) -> Floats:
        """Sum each slice.

        The sum is correctly rounded if all values have at most two decimal places, else within two units in the last
        place.
        """
        return self._divide_sums(first, last, np.ones(len(first)))

    def mean(self, first: Integers, last: Integers, number: Floats) -> Floats:
        """Compute the mean of each slice, which holds `number` values; NaN if that is 0."""
        return self._divide_sums(first, last, np.where(number > 0, number, np.nan))

    def std(self, first: Integers, last: Integers, number: Floats) -> Floats:
        """Compute the sample standard deviation (ddof 1) of each slice, which holds `number` values.

        It is NaN for fewer than two values, and exactly 0 if all values are equal. The variance is (n * sum(x**2) -
        sum(x)**2) / (n * (n - 1)), from exact sums and in double-double arithmetic (Dekker, Numerische Mathematik 18,
        1971).
        """
        if self._squares is None:
            self._squares = self._sum_squares()
        sums, squares = self._squares
        result = np.empty(len(first))
        for block in _blocks(len(first)):
            result[block] = _deviation(
                *sums.over(first[block], last[block]), *squares.over(first[block], last[block]), number[block]
            )
        return result

    def _sum_squares(self) -> tuple[ExactSums, ExactSums]:
        scaled = np.where(np.abs(self._scaled) < SMALLEST_SQUARED, 0.0, self._scaled)
        square, error = np.empty(len(scaled)), np.empty(len(scaled))
        for block in _blocks(len(scaled)):
            square[block], error[block] = _two_product(scaled[block], scaled[block])
        return ExactSums(scaled), ExactSums(square).add(error)

    def _divide_sums(self, first: Integers, last: Integers, divisor: Floats) -> Floats:
        result = np.empty(len(first))
        for block in _blocks(len(first)):
            low, high, share = first[block], last[block], divisor[block]
            result[block] = self._decimals.over(low, high)[0] / (HUNDREDTHS * share)
            if self._others is not None:
                result[block] += self._others.over(self._rank_of_others[low], self._rank_of_others[high])[0] / share
        return result


def _blocks(length: int) -> Iterator[slice]:
    return (slice(start, min(start + BLOCK, length)) for start in range(0, length, BLOCK))


def _deviation(total: Floats, total_low: Floats, squares: Floats, squares_low: Floats, number: Floats) -> Floats:
    left, left_low = _two_product(number, squares)
    right, right_low = _two_product(total, total)
    squared_deviations = (left - right) + ((left_low + number * squares_low) - (right_low + 2.0 * total * total_low))
    # Double-double arithmetic is accurate to about 104 bits; the remainder of equal values lies below this bound.
    squared_deviations = np.where(squared_deviations <= left * 2.0**-100, 0.0, squared_deviations)
    return np.sqrt(squared_deviations / np.where(number > 1, number * (number - 1.0), np.nan)) / HUNDREDTHS


def _two_sum(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Return sum and rounding error, exactly (Knuth, The Art of Computer Programming 2, 4.2.2)."""
    total = left + right
    part = total - left
    return total, (left - (total - part)) + (right - part)


def _two_product(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Return product and rounding error, exactly (Dekker, 1971)."""
    product = left * right
    left_high, left_low = _split_in_halves(left)
    right_high, right_low = _split_in_halves(right)
    return product, (
        (left_high * right_high - product) + left_high * right_low + left_low * right_high
    ) + left_low * right_low


def _split_in_halves(values: Floats) -> tuple[Floats, Floats]:
    scaled = values * 134217729.0  # 2**27 + 1 splits the 53 bits of a double in two halves.
    high = scaled - (scaled - values)
    return high, values - high
