"""Conversion of landed columns to the types of the spec, value by value."""

# pyarrow makes the functions of its compute module at run time, where no type checker sees them.
# pyright: reportAttributeAccessIssue=false

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.core.model_spec.source import ColumnType
from ml_assets.core.tables.schemas import TIMESTAMP

_INTEGER = r"^[+-]?[0-9]+(\.0*)?$"
_LARGEST = 2**63 - 1
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
_ZONE = r"[0-9][Tt ] *[0-9][0-9:.,]* *([Zz]|[+-][0-9]{1,2}(:?[0-9]{2})?)$"
_TRUE, _FALSE = pa.array(["true", "1"]), pa.array(["false", "0"])


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
    column = _normalize(values)
    converted = _CONVERTERS[to](column, time_zone)
    is_unreadable = pc.and_(pc.is_null(converted), pc.is_valid(column))
    if not pc.any(is_unreadable).as_py():
        return converted, None
    return converted, pc.if_else(is_unreadable, _to_text(column), pa.scalar(None, pa.string()))


def _normalize(values: pa.ChunkedArray) -> pa.Array:
    column = values.combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks else pa.array([], column.type)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    if pa.types.is_float16(column.type) or pa.types.is_float32(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if pa.types.is_string(column.type):
        column = pc.utf8_trim_whitespace(column)
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    return column


def _to_text(column: pa.Array) -> pa.Array:
    try:
        return column.cast(pa.string())
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
        # At the greatest precision the largest integer fits, whatever the scale of the column.
        widest = pa.decimal256(76, kind.scale)
        wide = column.cast(widest)
        whole = pc.and_(
            pc.equal(pc.floor(wide), wide), pc.less_equal(pc.abs(wide), pa.scalar(Decimal(_LARGEST), widest))
        )
        return _null_unless(whole, wide).cast(pa.int64())
    if pa.types.is_floating(kind):
        whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), 2.0**53))
        return _null_unless(whole, column).cast(pa.int64())
    if pa.types.is_string(kind):
        # JSON's true and false stand for 1 and 0, as booleans of parquet do.
        lower = pc.utf8_lower(column)
        column = pc.if_else(pc.equal(lower, "true"), "1", pc.if_else(pc.equal(lower, "false"), "0", column))
        whole = pc.replace_substring_regex(
            _null_unless(pc.match_substring_regex(column, _INTEGER), column), r"^\+|\.0*$", ""
        )
        return _null_unless(_fits_int64(whole), whole).cast(pa.int64())
    return pa.nulls(len(column), pa.int64())


def _fits_int64(whole: pa.Array) -> pa.Array:
    """Return whether digits with or without a minus sign fit in 64 bits; digits of equal length compare as text."""
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
        return _null_unless(pc.is_finite(column), column)
    if pa.types.is_string(kind):
        numbers = pc.replace_substring_regex(
            _null_unless(pc.match_substring_regex(column, _NUMBER), column), r"^\+", ""
        ).cast(pa.float64())
        return _null_unless(pc.is_finite(numbers), numbers)
    return pa.nulls(len(column), pa.float64())


def _to_string(column: pa.Array, _: str) -> pa.Array:
    if pa.types.is_string(column.type):
        return column
    kind = column.type
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    ):
        return column.cast(pa.string())
    return pa.nulls(len(column), pa.string())


def _to_boolean(column: pa.Array, _: str) -> pa.Array:
    kind = column.type
    if pa.types.is_boolean(kind):
        return column
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _null_unless(pc.or_(pc.equal(column, 0), pc.equal(column, 1)), pc.equal(column, 1))
    if pa.types.is_string(kind):
        lower = pc.utf8_lower(column)
        true, false = pc.is_in(lower, _TRUE), pc.is_in(lower, _FALSE)
        return _null_unless(pc.or_(true, false), true)
    return pa.nulls(len(column), pa.bool_())


def _to_timestamp(column: pa.Array, time_zone: str) -> pa.Array:
    """Convert to instants in UTC.

    For a time without a zone: the first of the two instants of a repeated hour; a time in a skipped hour is unreadable.
    """
    import pandas as pd

    kind = column.type
    if pa.types.is_date(kind):
        column = column.cast(pa.timestamp("us"))
        kind = column.type
    if pa.types.is_timestamp(kind):
        if kind.tz is not None:
            return _in_microseconds(column, TIMESTAMP)
        return _localize(_in_microseconds(column, pa.timestamp("us")), time_zone)
    if not pa.types.is_string(kind):
        return pa.nulls(len(column), TIMESTAMP)
    has_zone = pc.match_substring_regex(column, _ZONE)
    zoned = pd.to_datetime(_null_unless(has_zone, column).to_pandas(), errors="coerce", format="ISO8601", utc=True)
    naive = pd.to_datetime(_null_unless(pc.invert(has_zone), column).to_pandas(), errors="coerce", format="ISO8601")
    first = pa.Array.from_pandas(zoned.astype("datetime64[us, UTC]"), type=TIMESTAMP)
    second = _localize(pa.Array.from_pandas(naive.astype("datetime64[us]"), type=pa.timestamp("us")), time_zone)
    return pc.coalesce(first, second)


def _in_microseconds(column: pa.Array, to: pa.DataType) -> pa.Array:
    # With other options, either nanoseconds are refused, or seconds that overflow become another time.
    return pc.cast(column, options=pc.CastOptions(target_type=to, allow_time_truncate=True, allow_time_overflow=False))


def _localize(column: pa.Array, time_zone: str) -> pa.Array:
    import numpy as np

    if time_zone == "UTC":
        return column.cast(TIMESTAMP)
    local = column.to_pandas()
    instants = local.dt.tz_localize(
        time_zone, ambiguous=np.ones(len(local), dtype=bool), nonexistent="NaT"
    ).dt.tz_convert("UTC")
    return pa.Array.from_pandas(instants, type=TIMESTAMP)


_CONVERTERS = {
    "integer": _to_integer,
    "number": _to_number,
    "string": _to_string,
    "boolean": _to_boolean,
    "timestamp": _to_timestamp,
}
