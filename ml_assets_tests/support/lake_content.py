"""Digests of the rows of each table and day, to compare two lakes."""

import hashlib
from datetime import date
from pathlib import Path


def digests(lake: Path, model: str) -> dict[tuple[str, date], str]:
    """Compute SHA-256 of the rows of each (table, day) in stored order, all columns.

    Days without rows are left out, and so are tables that are not partitioned by day. Rows are hashed as text, because
    Arrow's buffers have arbitrary bytes where a value is missing.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as pa_csv
    import pyarrow.dataset as ds
    from deltalake import DeltaTable

    digest_by_day: dict[tuple[str, date], str] = {}
    for table in sorted(path for path in (lake / model).iterdir() if DeltaTable.is_deltatable(str(path))):
        delta = DeltaTable(str(table))
        if delta.metadata().partition_columns != ["day"]:
            continue
        dataset = delta.to_pyarrow_dataset()
        by_day: dict[date, list] = {}
        for fragment in sorted(dataset.get_fragments(), key=lambda fragment: fragment.path):
            by_day.setdefault(ds.get_partition_keys(fragment.partition_expression)["day"], []).append(
                fragment.to_table(dataset.schema)
            )
        for day, parts in by_day.items():
            rows, text = pa.concat_tables(parts), pa.BufferOutputStream()
            for number, field in enumerate(rows.schema):
                if pa.types.is_list(field.type):
                    rows = rows.set_column(
                        number, field.name, pc.binary_join(rows[field.name].cast(pa.list_(pa.string())), "\n")
                    )
            if rows.num_rows:
                pa_csv.write_csv(rows, text)
                digest_by_day[table.name, day] = hashlib.sha256(text.getvalue()).hexdigest()
    return digest_by_day
