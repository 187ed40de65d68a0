"""The reader of Parquet files, including INT96 times and times in Spark's old calendar."""

# pyarrow creates the functions of its compute module at run time, so type checkers do not know them.
# pyright: reportAttributeAccessIssue=false

import base64
from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml_assets.core.ingestion.parquet_columns import list_columns, open_parquet, read_columns
from ml_assets.core.ingestion.parsed_file import ParsedFile
from ml_assets.core.ingestion.values.julian_calendar import to_gregorian
from ml_assets.core.model_spec.types.file_limits import DEFAULT_LIMITS, FileLimits
from ml_assets.core.tables.arrow_memory import open_content

_SPARK, _ARROW_SCHEMA = b"org.apache.spark.version", b"ARROW:schema"
_OLD_CALENDAR, _OLD_INT96_CALENDAR = b"org.apache.spark.legacyDateTime", b"org.apache.spark.legacyINT96"
_WRITER_ZONE = b"writer.time.zone"


def parse_parquet(content: bytes, sources: Collection[str], limits: FileLimits = DEFAULT_LIMITS) -> ParsedFile:
    """Read the columns `sources` of a Parquet file.

    INT96 columns hold instants in UTC, as Spark, Hive and Trino write them, unless Impala wrote the file or Arrow's own
    schema says that they have no time zone. Dates and times before 1582-10-15 that Spark wrote in the Julian calendar
    become the same dates in the Gregorian calendar.

    Raises:
        LimitExceeded: when the file exceeds one of its limits.
    """
    buffer = open_content(content).read_buffer()
    file = open_parquet(buffer, limits, int96_unit="us")
    names = file.schema_arrow.names
    lists = [name for name in names if name in sources and name in list_columns(file)]
    table = read_columns(file, buffer, [name for name in names if name in sources and name not in lists], limits)
    int96 = _int96_columns(file)
    metadata = dict(file.metadata.metadata or {})
    unreadable: dict[str, pa.Array] = {}
    rows = sum(file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups))
    for name in lists:
        column = pa.nulls(rows, pa.string())
        table = table.append_column(name, column) if table.num_columns else pa.table({name: column})
        unreadable[name] = pa.array([f"a value of the type {file.schema_arrow.types[names.index(name)]}"] * rows)
    if needed := [name for name in table.column_names if name in int96]:
        in_seconds = open_parquet(buffer, limits, int96_unit="s").read(columns=needed)
        for position, name in enumerate(table.column_names):
            # A repeated column is reported as a separate error.
            if table.column_names.count(name) == 1 and name in int96:
                column, texts = _without_wrapped_values(table[name], in_seconds[name])
                if texts is not None:
                    unreadable[name] = texts
                zone = "UTC" if _is_instant(file, name, metadata) else None
                table = table.set_column(position, name, column.cast(pa.timestamp("us", zone)))
    for position, field in enumerate(table.schema):
        if _has_old_calendar(metadata, field.name in int96):
            table = table.set_column(position, field.name, to_gregorian(table.column(position)))
    return ParsedFile(table, names, [], unreadable)


def _int96_columns(file: pq.ParquetFile) -> set[str]:
    columns = [file.schema.column(position) for position in range(len(file.schema))]
    return {column.path for column in columns if column.physical_type == "INT96"}


def _without_wrapped_values(
    column: pa.ChunkedArray, in_seconds: pa.ChunkedArray
) -> tuple[pa.ChunkedArray, pa.Array | None]:
    """Replace times that do not fit in 64 bits as microseconds, which Arrow wraps around, by null; also return their
    texts."""
    microseconds, seconds = (pc.fill_null(times.cast(pa.int64()), 0).to_numpy() for times in (column, in_seconds))
    is_wrapped = microseconds // 10**6 != seconds
    if not is_wrapped.any():
        return column, None
    texts = [
        f"{int(number)} s since 1970-01-01" if wrapped else None
        for number, wrapped in zip(seconds, is_wrapped, strict=True)
    ]
    return pc.if_else(pa.array(is_wrapped), pa.scalar(None, column.type), column), pa.array(texts, pa.string())


def _is_instant(file: pq.ParquetFile, name: str, metadata: dict[bytes, bytes]) -> bool:
    if _SPARK in metadata or _WRITER_ZONE in metadata:
        return True
    if _ARROW_SCHEMA in metadata:
        schema = pa.ipc.read_schema(open_content(base64.b64decode(metadata[_ARROW_SCHEMA])))
        kind = schema.field(name).type
        return pa.types.is_timestamp(kind) and kind.tz is not None
    return not (file.metadata.created_by or "").lower().startswith("impala")


def _has_old_calendar(metadata: dict[bytes, bytes], is_int96: bool) -> bool:
    if (_OLD_INT96_CALENDAR if is_int96 else _OLD_CALENDAR) in metadata:
        return True
    version = metadata.get(_SPARK, b"").decode("utf-8", "replace").split(".")[:2]
    if len(version) < 2 or not all(part.isdecimal() for part in version):
        return False
    return tuple(map(int, version)) < ((3, 1) if is_int96 else (3, 0))
