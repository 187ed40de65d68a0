"""Conversion of text columns whose decimal separator is a comma."""

import numpy as np
import pyarrow as pa

from ml_assets.core.ingestion.values.type_conversion import convert
from ml_assets.core.model_spec.source import ColumnType

_SWAPPED = np.arange(256, dtype=np.uint8)
_SWAPPED[[ord(","), ord(".")]] = ord("."), ord(",")


def convert_with_comma(values: pa.ChunkedArray, to: ColumnType, time_zone: str) -> tuple[pa.Array, pa.Array | None]:
    """Read every value like `convert`, with a decimal comma in numbers and integers.

    A value with a point is then unreadable, because the point may be a thousands separator, as in 1.234.
    """
    if to not in ("integer", "number"):
        return convert(values, to, time_zone)
    converted, texts = convert(pa.chunked_array([_swap(chunk) for chunk in values.chunks], pa.string()), to, time_zone)
    return converted, None if texts is None else _swap(texts)


def _swap(texts: pa.Array) -> pa.Array:
    """Replace each comma by a point and each point by a comma; no other UTF-8 character contains these bytes."""
    validity, offsets, data = texts.buffers()
    if data is None:
        return texts
    swapped = pa.allocate_buffer(data.size)
    np.frombuffer(swapped, np.uint8)[:] = _SWAPPED[np.frombuffer(data, np.uint8)]
    buffers = [validity, offsets, swapped]
    return pa.Array.from_buffers(pa.string(), len(texts), buffers, texts.null_count, texts.offset)
