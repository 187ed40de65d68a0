"""The columns of a Parquet file, read in batches of bounded size.

A few bytes of dictionary, run length or delta encoding stand for any number of long values. So the size of a file says
nothing about that of its values, and its metadata says only the size before these encodings are undone.
"""

# pyarrow makes the functions of its compute module at run time, where no type checker sees them.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Iterator, Sequence
from itertools import groupby

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml_assets.core.ingestion.limits import check_limit
from ml_assets.core.model_spec.types.file_limits import FileLimits

_BATCH_ROWS, _BATCH_BYTES = 1 << 16, 1 << 26
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}
_OFFSET = 4
# No type of the contract holds lists, so each of their values becomes a Python object and a part of a text.
_NESTED = 64
_DICTIONARIES, _PREFIXES = {"PLAIN_DICTIONARY", "RLE_DICTIONARY"}, "DELTA_BYTE_ARRAY"


def open_parquet(
    content: pa.Buffer, limits: FileLimits, int96_unit: str = "us", dictionaries: Sequence[str] = ()
) -> pq.ParquetFile:
    """Open a Parquet file, and check the numbers of its rows and columns.

    Args:
        content: the bytes of the file.
        limits: the limits of the file.
        int96_unit: the unit of the times of columns of the type INT96.
        dictionaries: paths of columns of text that are read as dictionaries.

    Raises:
        LimitExceeded: when there are more rows or columns than the limits.
    """
    reader = pa.BufferReader(content)
    file = pq.ParquetFile(reader, read_dictionary=list(dictionaries), coerce_int96_timestamp_unit=int96_unit)
    metadata = file.metadata
    check_limit(limits, "columns", metadata.num_columns)
    rows = sum(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    check_limit(limits, "rows", max(metadata.num_rows, rows))
    return file


def read_columns(file: pq.ParquetFile, content: pa.Buffer, names: Sequence[str], limits: FileLimits) -> pa.Table:
    """Read columns of a Parquet file as `file.read` does, and stop as soon as their values exceed the limit.

    Args:
        file: the file, of `open_parquet`.
        content: the bytes of the file.
        names: names of the columns.
        limits: the limits of the file.

    Raises:
        LimitExceeded: when the values of the columns have more bytes than the limit.
    """
    paths = [file.schema.column(position).path for position in range(len(file.schema))]
    leaves = [position for position, path in enumerate(paths) if path in names or path.partition(".")[0] in names]
    groups = range(file.metadata.num_row_groups if names else 0)
    _check_stored_size(file, groups, leaves, limits)
    batch_rows = [_rows_of_batch(file, content, group, leaves, limits) for group in groups]
    batches, size = [], 0
    for rows, same in groupby(groups, key=lambda group: batch_rows[group]):
        for batch in file.iter_batches(rows, list(same), list(names)):
            size += sum(map(_decoded_size, batch.columns))
            check_limit(limits, "unpacked_bytes", size, is_exact=False)
            batches.append(batch)
    return pa.Table.from_batches(batches) if batches else file.read(columns=list(names))


def _check_stored_size(file: pq.ParquetFile, groups: Sequence[int], leaves: Sequence[int], limits: FileLimits) -> None:
    """Check the size of the values of columns as far as the metadata says it."""
    columns = [file.schema.column(leaf) for leaf in leaves]
    widths = [
        _NESTED if column.max_repetition_level else _WIDTHS.get(column.physical_type) or column.length or _OFFSET
        for column in columns
    ]
    size = 0
    for group in map(file.metadata.row_group, groups):
        for width, chunk in zip(widths, map(group.column, leaves), strict=True):
            size += max(chunk.total_uncompressed_size, width * chunk.num_values)
    check_limit(limits, "unpacked_bytes", size)


def _rows_of_batch(
    file: pq.ParquetFile, content: pa.Buffer, group: int, leaves: Sequence[int], limits: FileLimits
) -> int:
    """Return a number of rows of a row group that surely fit in a batch, from the longest values of its columns.

    Raises:
        LimitExceeded: when lists of text may exceed the limit within a row.
    """
    chunks = {leaf: file.metadata.row_group(group).column(leaf) for leaf in leaves}
    texts = {
        leaf: chunk
        for leaf, chunk in chunks.items()
        if chunk.physical_type == "BYTE_ARRAY"
        and min(chunk.num_values, _BATCH_ROWS) * chunk.total_uncompressed_size > _BATCH_BYTES
    }
    # A value that shares a prefix with others, or is in a dictionary, may be longer than its bytes in the file.
    longest = {leaf: chunk.total_uncompressed_size for leaf, chunk in texts.items() if _PREFIXES in chunk.encodings}
    encoded = {
        chunk.path_in_schema: leaf
        for leaf, chunk in texts.items()
        if leaf not in longest and _DICTIONARIES & set(chunk.encodings)
    }
    if encoded:
        paths = list(encoded)
        # The first row comes with the whole dictionary of the row group.
        batch = next(open_parquet(content, limits, dictionaries=paths).iter_batches(1, [group], paths))
        length = max((_longest_value(array) for column in batch.columns for array in _dictionaries(column)), default=0)
        longest |= dict.fromkeys(encoded.values(), length)
    for leaf, length in longest.items():
        if file.schema.column(leaf).max_repetition_level:
            check_limit(limits, "unpacked_bytes", length * chunks[leaf].num_values, is_exact=False)
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(sum(longest.values()), 1)))


def _longest_value(array: pa.DictionaryArray) -> int:
    return pc.max(pc.binary_length(array.dictionary)).as_py() or 0


def _decoded_size(column: pa.Array) -> int:
    """Return the bytes of the values of a column, which may be stored as a dictionary."""
    if not pa.types.is_dictionary(column.type):
        return column.nbytes
    try:
        lengths = pc.binary_length(column.dictionary)
    except pa.ArrowNotImplementedError:
        return column.nbytes
    return pc.sum(pc.take(lengths, column.indices)).as_py() or 0


def _dictionaries(array: pa.Array) -> Iterator[pa.DictionaryArray]:
    if pa.types.is_dictionary(array.type):
        yield array
    elif pa.types.is_struct(array.type):
        for column in array.flatten():
            yield from _dictionaries(column)
    elif pa.types.is_nested(array.type):
        yield from _dictionaries(array.values)
