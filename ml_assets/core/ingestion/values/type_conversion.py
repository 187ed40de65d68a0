"""Conversion of landed columns to the types of the spec, value by value."""

# pyarrow creates the functions of its compute module at run time, so type checkers do not know them.
# pyright: reportAttributeAccessIssue=false

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.core.ingestion.values.text_decoding import decode
from ml_assets.core.ingestion.values.time_conversion import describe_time, to_timestamp
from ml_assets.core.model_spec.source import ColumnType

_INTEGER = r"^[+-]?[0-9]+(\.0*)?$"
_LARGEST = 2**63 - 1
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
_EXACT = {16: 2.0**11, 32: 2.0**24, 64: 2.0**53}
"""From this value on, a double may stand for more than one integer."""
_TRUE, _FALSE = pa.array(["true", "1", "1.0"]), pa.array(["false", "0", "0.0"])


def convert(values: pa.ChunkedArray, to: ColumnType, time_zone: str) -> tuple[pa.Array, pa.Array | None]:
    """Read every value as type `to`.

    Args:
        values: the landed column, of any Arrow type.
        to: the type of the column in the spec.
        time_zone: IANA name of the time zone of timestamps without one.

    Returns:
        (values, texts): values of `arrow_type(to)`, null for missing and unreadable values, and the original text of
        each unreadable value, null elsewhere (None if all are readable). NaN counts as missing; infinity is unreadable.
    """
    column, unreadable = decode(_as_array(values))
    column = _without_nothing(column)
    converted = _CONVERTERS[to](column, time_zone)
    is_unreadable = pc.and_(pc.is_null(converted), pc.is_valid(column))
    if pc.any(is_unreadable).as_py():
        texts = pc.if_else(is_unreadable, _to_text(column, is_unreadable), pa.scalar(None, pa.string()))
        unreadable = texts if unreadable is None else pc.coalesce(unreadable, texts)
    return converted, unreadable


def _as_array(values: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    column = values.combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks else pa.array([], column.type)
    return column


def _without_nothing(column: pa.Array) -> pa.Array:
    """Replace values that count as missing by null: NaN, and text of spaces only."""
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if pa.types.is_string(column.type):
        column = pc.utf8_trim_whitespace(column)
        return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    return column


def _to_text(column: pa.Array, is_chosen: pa.Array) -> pa.Array:
    if (times := describe_time(column)) is not None:
        return times
    try:
        return _null_unless(is_chosen, column).cast(pa.string())
    except pa.ArrowException:
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())


def _null_unless(is_valid: pa.Array, column: pa.Array) -> pa.Array:
    return pc.if_else(is_valid, column, pa.scalar(None, column.type))


def _to_integer(column: pa.Array, _: str) -> pa.Array:
    kind = column.type
    if pa.types.is_uint64(kind):
        return _null_unless(pc.less_equal(column, pa.scalar(_LARGEST, kind)), column).cast(pa.int64())
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return column.cast(pa.int64())
    if pa.types.is_decimal(kind):
        # With the maximum precision, the largest integer fits whatever the scale of the column is.
        widest = pa.decimal256(76, kind.scale)
        wide = column.cast(widest)
        whole = pc.and_(
            pc.equal(pc.floor(wide), wide), pc.less_equal(pc.abs(wide), pa.scalar(Decimal(_LARGEST), widest))
        )
        return _null_unless(whole, wide).cast(pa.int64())
    if pa.types.is_floating(kind):
        exact = _EXACT[kind.bit_width]
        column = column.cast(pa.float64())
        whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), exact))
        return _null_unless(whole, column).cast(pa.int64())
    if pa.types.is_string(kind):
        column = _without_words(column)
        whole = pc.replace_substring_regex(
            _null_unless(pc.match_substring_regex(column, _INTEGER), column), r"^\+|\.0*$", ""
        )
        return _null_unless(_fits_int64(whole), whole).cast(pa.int64())
    return pa.nulls(len(column), pa.int64())


def _without_words(column: pa.Array) -> pa.Array:
    """Replace the words true and false by 1 and 0, as for Parquet booleans."""
    lower = pc.utf8_lower(column)
    return pc.if_else(pc.equal(lower, "true"), "1", pc.if_else(pc.equal(lower, "false"), "0", column))


def _fits_int64(whole: pa.Array) -> pa.Array:
    """Return whether digits, with or without a minus sign, fit in 64 bits; digits of equal length compare as text."""
    digits = pc.replace_substring_regex(whole, "^-?0*", "")
    length, largest = pc.utf8_length(digits), str(_LARGEST)
    fits = pc.or_(
        pc.less(length, len(largest)), pc.and_(pc.equal(length, len(largest)), pc.less_equal(digits, largest))
    )
    return pc.or_(fits, pc.equal(whole, str(-_LARGEST - 1)))


def _to_number(column: pa.Array, _: str) -> pa.Array:
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.float64(), safe=False)
    if pa.types.is_floating(kind):
        column = column.cast(pa.float64())
        return _null_unless(pc.is_finite(column), column)
    if pa.types.is_string(kind):
        column = _without_words(column)
        numbers = pc.replace_substring_regex(
            _null_unless(pc.match_substring_regex(column, _NUMBER), column), r"^\+", ""
        ).cast(pa.float64())
        return _null_unless(pc.is_finite(numbers), numbers)
    return pa.nulls(len(column), pa.float64())


def _to_string(column: pa.Array, time_zone: str) -> pa.Array:
    """Convert to text. A whole number has the same text in every type: the digits of the integer.

    Floating-point values that may stand for several integers are unreadable, and so are infinities.
    """
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.string())
    if pa.types.is_decimal(kind):
        # A whole number has only zeros after the decimal point.
        return pc.replace_substring_regex(_decimal_text(column), r"\.0+$", "")
    if pa.types.is_floating(kind):
        wide = column.cast(pa.float64())
        is_fraction = pc.and_(pc.not_equal(pc.floor(wide), wide), pc.is_finite(wide))
        fractions = _null_unless(is_fraction, column).cast(pa.string())
        return pc.coalesce(fractions, _to_integer(column, time_zone).cast(pa.string()))
    return pa.nulls(len(column), pa.string())


def _decimal_text(column: pa.Array) -> pa.Array:
    """Return the digits of decimals, because Arrow prints long ones with an exponent."""
    if column.type.scale >= 0:
        texts = column.cast(pa.string())
        if not pc.any(pc.match_substring(texts, "E")).as_py():
            return texts
    return pa.array([None if value is None else f"{value:f}" for value in column.to_pylist()], pa.string())


def _to_boolean(column: pa.Array, _: str) -> pa.Array:
    kind = column.type
    if pa.types.is_boolean(kind):
        return column
    if pa.types.is_uint64(kind):
        # Arrow can compare with a signed integer only values that fit in one.
        column = pc.min_element_wise(column, pa.scalar(2, kind), skip_nulls=False).cast(pa.int64())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _null_unless(pc.or_(pc.equal(column, 0), pc.equal(column, 1)), pc.equal(column, 1))
    if pa.types.is_string(kind):
        lower = pc.utf8_lower(column)
        true, false = pc.is_in(lower, _TRUE), pc.is_in(lower, _FALSE)
        return _null_unless(pc.or_(true, false), true)
    return pa.nulls(len(column), pa.bool_())


_CONVERTERS = {
    "integer": _to_integer,
    "number": _to_number,
    "string": _to_string,
    "boolean": _to_boolean,
    "timestamp": to_timestamp,
}
