"""The Parquet file of a day: its name with the digest of its content, writing it, and reading it with a check of the
digest.

The digest is in the name because every part of the log repeats the name: the commit, every checkpoint, and the open
table. No reader needs another request to know it, and other Delta readers ignore it.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ml_assets.core.tables.fingerprint import fingerprint

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake.transaction import AddAction

DAY = "day"
DIGEST_DIGITS = 32
_DIGEST = re.compile(rf"-([0-9a-f]{{{DIGEST_DIGITS}}})\.parquet")
_DAY_FOLDER = re.compile(rf"{DAY}=(\d{{4}}-\d\d-\d\d)/")


class DamagedFile(Exception):
    """A file does not have the content that was written, or cannot be read. The message is the reason."""


def content_digest(content: "bytes | memoryview | pa.Buffer") -> str:
    """Return the first 128 bits of the SHA-256 of the content of a file, 32 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()[:DIGEST_DIGITS]


def named_digest(path: str) -> str | None:
    """Return the digest in the name of a file; None for files of earlier versions of this project."""
    match = _DIGEST.search(path)
    return match[1] if match else None


def day_of_path(path: str) -> date | None:
    """Return the day in the folder of a file; None for a file outside the folders of days."""
    match = _DAY_FOLDER.match(path)
    with suppress(ValueError):
        return date.fromisoformat(match[1]) if match else None
    return None


def files_transaction(day: date) -> str:
    """Return the name of the Delta transaction whose version is the `list_digest` of the files of a day."""
    return f"files:{day.isoformat()}"


def list_digest(files: Mapping[str, int | None]) -> int:
    """Return a number below 2**63 that identifies the paths of some files, and the number of rows of each."""
    return fingerprint("files", None, sorted(files.items()))


def write_file(write: Callable[[str, bytes], None], rows: "pa.Table", day: date | None = None) -> "AddAction":
    """Write rows to a new Parquet file; return the action that adds it to a table.

    Only text is dictionary-encoded. For numbers this took most of the time of a commit and made the files no smaller.

    Args:
        write: writes a file of the table, by its path under it.
        rows: the rows, without the column `day`.
        day: their partition; None for a table without partitions.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    import pyarrow.types as pa_types
    from deltalake.transaction import AddAction

    texts = [field.name for field in rows.schema if pa_types.is_string(field.type) or pa_types.is_nested(field.type)]
    sink = pa.BufferOutputStream()
    # A list of columns is valid here, although the type annotation does not allow it.
    dictionaries: Any = _leaf_columns(rows.schema, texts) or False
    pq.write_table(rows, sink, compression="snappy", use_dictionary=dictionaries)
    content = sink.getvalue().to_pybytes()
    partition: Mapping[str, str | None] = {} if day is None else {DAY: day.isoformat()}
    folder = "" if day is None else f"{DAY}={day.isoformat()}/"
    path = f"{folder}part-{uuid4().hex}-{content_digest(content)}.parquet"
    write(path, content)
    statistics = json.dumps({"numRecords": rows.num_rows})
    return AddAction(path, len(content), partition, time.time_ns() // 1_000_000, True, statistics)


def rows_of(file: "AddAction") -> int:
    """Return the number of rows of a file that `write_file` wrote."""
    return json.loads(file.stats)["numRecords"]


def _leaf_columns(schema: "pa.Schema", names: list[str]) -> list[str]:
    """Return the Parquet paths of some columns; the path of a list column ends with that of its elements."""
    import pyarrow as pa

    paths = []
    for name in names:
        path, kind = name, schema.field(name).type
        while pa.types.is_list(kind):
            path, kind = f"{path}.list.element", kind.value_type
        paths.append(path)
    return paths


def read_rows(content: bytes, path: str, columns: list[str] | None, rows: int | None) -> "pa.Table":
    """Read columns of the content of a file, after a check of its digest.

    Everything happens on this thread: Arrow's own threads must not call Python's file objects, see
    `ml_assets.core.tables.arrow_memory`.

    Args:
        content: the complete file.
        path: its path, which has its digest.
        columns: names of the columns; missing ones are left out. None for all.
        rows: number of rows according to the log; None if it is not known.

    Raises:
        DamagedFile: when the content is not the one that was written. Without a digest in the name this is noticed only
            if the content is not a Parquet file or has a different number of rows.
    """
    import pyarrow.parquet as pq

    from ml_assets.core.tables.arrow_memory import open_content

    expected = named_digest(path)
    check_content(content, path)
    try:
        parquet = pq.ParquetFile(open_content(content), pre_buffer=False)
        names = parquet.schema_arrow.names
        table = parquet.read(names if columns is None else [n for n in columns if n in names], use_threads=False)
    # Without a digest, damaged bytes can make Arrow raise any exception.
    except Exception as error:
        if expected is not None:
            raise
        raise DamagedFile(str(error)) from error
    if rows is not None and table.num_rows != rows:
        raise DamagedFile(f"it has {table.num_rows} rows, the log of the table says {rows}")
    return table


def check_content(content: bytes, path: str) -> None:
    """Compare the content of a file with the digest in its name.

    Raises:
        DamagedFile: when it differs.
    """
    expected = named_digest(path)
    if expected is not None and (actual := content_digest(content)) != expected:
        raise DamagedFile(f"the {len(content)} bytes have the digest {actual}, they were written with {expected}")
