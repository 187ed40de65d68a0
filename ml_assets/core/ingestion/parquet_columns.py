"""The columns of a Parquet file, read in batches of bounded size.

A few bytes of dictionary, run-length or delta encoding can expand to any number of long values. So the size of a file
says nothing about the size of its values, and its metadata only has the size before decoding.
"""

# pyarrow creates the functions of its compute module at run time, so type checkers do not know them.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Iterator, Sequence
from itertools import groupby, islice

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml_assets.core.ingestion.limits import check_limit
from ml_assets.core.model_spec.types.file_limits import FileLimits

_BATCH_ROWS, _BATCH_BYTES = 1 << 16, 1 << 26
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}
_OFFSET = 4
_PREFIXES = "DELTA_BYTE_ARRAY"


def open_parquet(
    content: pa.Buffer, limits: FileLimits, int96_unit: str = "us", dictionaries: Sequence[str] = ()
) -> pq.ParquetFile:
    """Open a Parquet file, and check the numbers of its rows and columns.

    Args:
        content: the bytes of the file.
        limits: the limits of the file.
        int96_unit: the time unit for INT96 columns.
        dictionaries: paths of text columns that are read as dictionaries.

    Raises:
        LimitExceeded: when there are more rows or columns than allowed.
    """
    reader = pa.BufferReader(content)
    file = pq.ParquetFile(reader, read_dictionary=list(dictionaries), coerce_int96_timestamp_unit=int96_unit)
    metadata = file.metadata
    check_limit(limits, "columns", metadata.num_columns)
    rows = sum(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    check_limit(limits, "rows", max(metadata.num_rows, rows))
    return file


def list_columns(file: pq.ParquetFile) -> set[str]:
    """Return the names of the list columns, which hold any number of values per row."""
    columns = [file.schema.column(position) for position in range(len(file.schema))]
    names = {column.path.partition(".")[0] for column in columns if column.max_repetition_level}
    return {name for name in file.schema_arrow.names if name.partition(".")[0] in names}


def read_columns(file: pq.ParquetFile, content: pa.Buffer, names: Sequence[str], limits: FileLimits) -> pa.Table:
    """Read columns of a Parquet file like `file.read`, but stop as soon as their values exceed the limit.

    Args:
        file: the file, from `open_parquet`.
        content: the bytes of the file.
        names: names of the columns; list columns are not allowed.
        limits: the limits of the file.

    Raises:
        LimitExceeded: when the values of the columns have more bytes than the limit.
    """
    paths = [file.schema.column(position).path for position in range(len(file.schema))]
    leaves = [position for position, path in enumerate(paths) if path in names or path.partition(".")[0] in names]
    groups = range(file.metadata.num_row_groups if names else 0)
    _check_stored_size(file, leaves, limits)
    batch_rows = [_rows_of_batch(file, content, group, leaves, limits) for group in groups]
    batches, size = [], 0
    for rows, same in groupby(groups, key=lambda group: batch_rows[group]):
        for batch in file.iter_batches(rows, list(same), list(names)):
            size += sum(map(_decoded_size, batch.columns))
            check_limit(limits, "unpacked_bytes", size, is_exact=False)
            batches.append(batch)
    return pa.Table.from_batches(batches) if batches else file.read(columns=list(names))


def _check_stored_size(file: pq.ParquetFile, leaves: Sequence[int], limits: FileLimits) -> None:
    """Check the size of the encoded file, and the decoded size of its fixed-width columns."""
    groups = [file.metadata.row_group(group) for group in range(file.metadata.num_row_groups)]
    widths = sum(_width(file.schema.column(leaf)) for leaf in leaves)
    rows = sum(group.num_rows for group in groups)
    check_limit(limits, "unpacked_bytes", max(sum(group.total_byte_size for group in groups), rows * widths))


def _width(column: pq.ColumnSchema) -> int:
    return _WIDTHS.get(column.physical_type) or column.length or _OFFSET


def _rows_of_batch(
    file: pq.ParquetFile, content: pa.Buffer, group: int, leaves: Sequence[int], limits: FileLimits
) -> int:
    """Return a number of rows of a row group that is sure to fit in a batch, from the longest values of its columns."""
    metadata = file.metadata.row_group(group)
    texts = {leaf: column.path for leaf in leaves if (column := file.schema.column(leaf)).physical_type == "BYTE_ARRAY"}
    if not texts or min(metadata.num_rows, _BATCH_ROWS) * metadata.total_byte_size <= _BATCH_BYTES:
        return _BATCH_ROWS
    longest = _longest_of_dictionaries(content, group, list(texts.values()), limits)
    # Damaged column metadata would crash the process here, so the reader must have refused it before.
    chunks = [metadata.column(leaf) for leaf in texts]
    # A value that shares a prefix with others may be longer than its bytes in the file.
    lengths = [
        chunk.total_uncompressed_size if longest is None or _PREFIXES in chunk.encodings else longest
        for chunk in chunks
    ]
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(sum(lengths), 1)))


def _longest_of_dictionaries(content: pa.Buffer, group: int, paths: Sequence[str], limits: FileLimits) -> int | None:
    """Return the bytes of the longest value in the dictionaries of a row group; None if a column has no readable
    dictionary."""
    try:
        # The first row comes with the whole dictionary.
        batches = open_parquet(content, limits, dictionaries=paths).iter_batches(1, [group], paths)
        arrays = [array for batch in islice(batches, 1) for column in batch.columns for array in _dictionaries(column)]
        return max(map(_longest_value, arrays), default=0)
    except OSError as error:
        if "Not yet implemented" not in str(error):
            raise
    next(open_parquet(content, limits).iter_batches(1, [group], paths), None)
    return None


def _longest_value(array: pa.DictionaryArray) -> int:
    return pc.max(pc.binary_length(array.dictionary)).as_py() or 0


def _decoded_size(column: pa.Array) -> int:
    """Return the decoded size in bytes of a column, which may be stored as a dictionary."""
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
