"""The rows of days as one Arrow table, as they are committed."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.resources.lake.table_files import DAY

if TYPE_CHECKING:
    import pyarrow as pa


def combine_days(schema: "pa.Schema", dropped: "Iterable[pa.Field]", rows: "Mapping[date, pa.Table]") -> "pa.Table":
    """Combine the rows of some days to a table with a day column and nulls in dropped columns.

    Args:
        schema: schema of the specification, with the day.
        dropped: columns that only the table in the lake has.
        rows: rows by day, without the day column.
    """
    import pyarrow as pa

    parts = [
        day_rows.add_column(0, DAY, pa.repeat(pa.scalar(day, pa.date32()), day_rows.num_rows))
        for day, day_rows in rows.items()
    ]
    # The writer passes chunks to several threads and keeps the order of rows only within a chunk, so all days must be
    # in one.
    combined = pa.concat_tables(
        [schema.empty_table(), *(part.select(schema.names).cast(schema) for part in parts)]
    ).combine_chunks()
    for field in dropped:
        combined = combined.append_column(field, pa.nulls(combined.num_rows, field.type))
    return combined
