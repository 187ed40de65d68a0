"""Sums over stretches of a column that are exact until the last rounding, so that only the values in a stretch decide
its sum.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.integer]

DIGIT_BITS = 32
LOWEST_DIGIT = -31  # 2**-992: what lies below counts as 0.
HUNDREDTHS = 100.0
SMALLEST_SQUARED = 1e-130  # The square of a smaller value is too near the end of the range of doubles; standard deviations take it as 0.


class ExactSums:
    """Prefix sums of a column of finite values, from which the sum over any stretch follows.

    Each value is cut at fixed binary places into digits of 32 bits, and each place is summed as integers: a
    superaccumulator (Kulisch, Computer Arithmetic and Validity, 2013). Floating-point prefix sums would carry the
    rounding errors of every row before the stretch into it.
    """

    def __init__(self, values: Floats) -> None:
        self._prefixes: dict[int, Integers] = {}
        self.add(values)

    def add(self, values: Floats) -> "ExactSums":
        """Add a column of the same length to the one that is summed."""
        rest = values
        largest = float(np.abs(values).max(initial=0.0))
        place = (int(np.frexp(largest)[1]) - 1) // DIGIT_BITS
        while place >= LOWEST_DIGIT and rest.any():
            unit = 2.0 ** (DIGIT_BITS * place)
            digits = np.trunc(rest / unit)
            rest = rest - digits * unit
            prefix = np.zeros(len(values) + 1, np.int64)
            np.cumsum(digits.astype(np.int64), out=prefix[1:])
            # Should a prefix overflow, it wraps, and differences of prefixes stay right: only a stretch of over 2**31
            # rows would be wrong.
            self._prefixes[place] = self._prefixes[place] + prefix if place in self._prefixes else prefix
            place -= 1
        return self

    def over(self, first: Integers, last: Integers) -> tuple[Floats, Floats]:
        """The sums of the values at positions first, ..., last - 1, each as an unevaluated sum of two doubles: the
        rounded sum, and what it lacks.
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
            high, lost = _two_sum(high, term)
            low = low + lost
        return _two_sum(high, low)


class ExactMoments:
    """Sums, means and standard deviations over stretches of a column in which a missing value is 0 and left out of the
    number of values.

    Values with at most two decimal places, such as amounts of money and labels, are summed in hundredths, as integers:
    0.1 and 0.2 make 0.3. All others are summed as the doubles that they are.
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
        """Sums over stretches; correctly rounded where all values have at most two decimal places, else within two
        units of the last place.
        """
        return self._over(first, last, np.ones(len(first)))

    def mean(self, first: Integers, last: Integers, number: Floats) -> Floats:
        """Means over stretches that hold `number` values; NaN where that is 0."""
        return self._over(first, last, np.where(number > 0, number, np.nan))

    def std(self, first: Integers, last: Integers, number: Floats) -> Floats:
        """Sample standard deviations (ddof 1) of stretches that hold `number` values: NaN below two, exactly 0 where
        all are equal.

        (n * sum(x**2) - sum(x)**2) / (n * (n - 1)), from exact sums and in double-double arithmetic (Dekker, Numerische
        Mathematik 18, 1971).
        """
        if self._squares is None:
            scaled = np.where(np.abs(self._scaled) < SMALLEST_SQUARED, 0.0, self._scaled)
            square, lost = _two_product(scaled, scaled)
            self._squares = ExactSums(scaled), ExactSums(square).add(lost)
        total, total_low = self._squares[0].over(first, last)
        squares, squares_low = self._squares[1].over(first, last)
        left, left_low = _two_product(number, squares)
        right, right_low = _two_product(total, total)
        spread = (left - right) + ((left_low + number * squares_low) - (right_low + 2.0 * total * total_low))
        # Double-double arithmetic is good for about 104 bits; what is left of equal values lies below this bound.
        spread = np.where(spread <= left * 2.0**-100, 0.0, spread)
        return np.sqrt(spread / np.where(number > 1, number * (number - 1.0), np.nan)) / HUNDREDTHS

    def _over(self, first: Integers, last: Integers, divisor: Floats) -> Floats:
        result = self._decimals.over(first, last)[0] / (HUNDREDTHS * divisor)
        if self._others is not None:
            result += self._others.over(self._rank_of_others[first], self._rank_of_others[last])[0] / divisor
        return result


def _two_sum(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Sum and rounding error, exactly (Knuth, The Art of Computer Programming 2, 4.2.2)."""
    total = left + right
    part = total - left
    return total, (left - (total - part)) + (right - part)


def _two_product(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Product and rounding error, exactly (Dekker, 1971)."""
    product = left * right
    left_high, left_low = _halves(left)
    right_high, right_low = _halves(right)
    return product, (
        (left_high * right_high - product) + left_high * right_low + left_low * right_high
    ) + left_low * right_low


def _halves(values: Floats) -> tuple[Floats, Floats]:
    scaled = values * 134217729.0  # 2**27 + 1 splits the 53 bits of a double in two halves.
    high = scaled - (scaled - values)
    return high, values - high
