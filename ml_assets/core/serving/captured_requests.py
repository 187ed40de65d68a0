"""Served requests as rows of a table: the columns that are kept, hashed columns, and the day of each row."""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.local_time import MICROSECONDS_PER_DAY, to_local
from ml_assets.core.tables.monitoring_schemas import captured_names, served_requests_schema

FULL = 2**64
HASHED = b"hashed"
"""Metadata key of a segment: its hashed columns, separated by commas."""
NOT_KEPT, SEGMENT = "not_kept", "segment"
DIGITS = 32
"""Hexadecimal digits of a hash: 128 bits, so that collisions within a table are practically impossible."""
IS_HASH = re.compile(f"[0-9a-f]{{{DIGITS}}}")


class ServedRequest(NamedTuple):
    """A request that was answered.

    row: the columns of the contract that the request has. features: features as the model saw them, NaN or None where
    missing. answer: the predictions, by column. side: champion or challenger. features_through: newest day of history
    that the features saw, in ISO format.
    """

    request_id: str
    served_at: datetime
    row: Mapping[str, object]
    features: Mapping[str, object]
    answer: Mapping[str, object]
    model_version: int
    side: str
    features_through: str


class NoHashKey(ValueError):
    """Columns must be hashed but there is no key."""


def hash_value(key: bytes, value: object) -> str | None:
    """Return the first 128 bits of the HMAC-SHA-256 of a value as text, in hexadecimal digits; None for None.

    Without the key, nobody can recover values by trying candidates, as is possible with a plain hash of few customers.
    """
    return None if value is None else hmac.new(key, str(value).encode(), hashlib.sha256).hexdigest()[:DIGITS]


class RequestColumns:
    """Conversion of served requests to the columns of served_requests.

    Args:
        spec: the model.
        key: key of the hashes.

    Raises:
        NoHashKey: when columns must be hashed but there is no key.
    """

    def __init__(self, spec: ModelSpec, key: str | None) -> None:
        hashed = spec.deployment.capture.hashed if spec.deployment.capture else []
        if hashed and not key:
            raise NoHashKey(
                f"deployment.capture.hashed: {', '.join(hashed)} cannot be hashed without a key; set "
                "ML_ASSETS_CAPTURE_KEY or ML_ASSETS_CAPTURE_KEY_FILE"
            )
        self.schema = served_requests_schema(spec).with_metadata({HASHED: ",".join(hashed)})
        self._row_key = spec.row_key
        self._time, self._zone = spec.event_time, spec.source.time_zone
        columns, features = captured_names(spec)
        change = partial(hash_value, (key or "").encode())
        self._readers: dict[str, Callable[[ServedRequest], object]] = {
            **{name: partial(_column, name, change if name in hashed else None) for name in columns},
            **{name: partial(_feature, name, change if name in hashed else None) for name in features},
            **{name: partial(_answer, name) for name in spec.outputs.columns},
            NOT_KEPT: lambda _: None,
            SEGMENT: lambda _: None,
            "features_through": lambda served: date.fromisoformat(served.features_through),
        }

    def is_in_sample(self, served: ServedRequest, share: float) -> bool:
        """Return whether a request belongs to a sample with the given share of all rows.

        A hash of the row key decides, so every process keeps the same rows, however often they are requested.
        """
        key = "\n".join([str(served.row[name]) for name in self._row_key]).encode()
        return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest()) < share * FULL

    def batch(self, requests: Sequence[ServedRequest]) -> pa.RecordBatch:
        """Convert requests to rows of the table; missing numbers are null."""
        arrays = []
        for field in self.schema:
            read = self._readers.get(field.name)
            values = [getattr(served, field.name) if read is None else read(served) for served in requests]
            arrays.append(pa.array(values, field.type, from_pandas=True))
        return pa.record_batch(arrays, schema=self.schema)

    def by_day(self, rows: pa.Table) -> Iterator[tuple[date, pa.Table]]:
        """Group rows by the day of their event; yield each day, ascending, with its rows."""
        instants = rows[self._time].cast(pa.int64()).to_numpy()
        days = to_local(instants, self._zone) // MICROSECONDS_PER_DAY
        for day in np.unique(days):
            yield date(1970, 1, 1) + timedelta(days=int(day)), rows.filter(pa.array(days == day))


def _column(name: str, change: Callable[[object], object] | None, served: ServedRequest) -> object:
    value = served.row[name]
    return change(value) if change else value


def _answer(name: str, served: ServedRequest) -> object:
    return served.answer[name]


def _feature(name: str, change: Callable[[object], object] | None, served: ServedRequest) -> object:
    value = served.features[name]
    return change(value) if change else value


def join_segments(
    schema: pa.Schema, hashed: Sequence[str], parts: Mapping[str, pa.Table], rows_of_removed: pa.Table | None = None
) -> pa.Table:
    """Join segments, in the order of the answers.

    A column that a segment of an earlier specification lacks, or has with another type or hash setting, is null in its
    rows, and `not_kept` names it.

    Args:
        schema: the columns of the table.
        hashed: names of the hashed columns.
        parts: the segments by name.
        rows_of_removed: rows of the table whose segments have been removed. Columns that are hashed now keep only
            hashes in them.
    """
    fitted = [_fit(schema, hashed, part, name) for name, part in parts.items()]
    kept = [] if rows_of_removed is None else [_keep_hashes(rows_of_removed, hashed)]
    rows = pa.concat_tables([schema.empty_table(), *fitted, *kept])
    return rows.sort_by([("served_at", "ascending"), ("request_id", "ascending")])


def _keep_hashes(rows: pa.Table, hashed: Sequence[str]) -> pa.Table:
    for name in hashed:
        values = [value if value and IS_HASH.fullmatch(value) else None for value in rows[name].to_pylist()]
        field = rows.schema.field(name)
        rows = rows.set_column(rows.schema.get_field_index(name), field, pa.array(values, field.type))
    return rows


def _fit(schema: pa.Schema, hashed: Sequence[str], part: pa.Table, segment: str) -> pa.Table:
    hashed_before = (part.schema.metadata or {}).get(HASHED, b"").decode().split(",")
    columns = {
        field.name: _cast(part, field) if (field.name in hashed) == (field.name in hashed_before) else None
        for field in schema
        if field.name not in (NOT_KEPT, SEGMENT)
    }
    missing = [name for name, values in columns.items() if values is None]
    columns[NOT_KEPT] = pa.repeat(",".join(missing) or None, part.num_rows).cast(pa.string())
    columns[SEGMENT] = pa.repeat(segment, part.num_rows)
    arrays = [columns[field.name] for field in schema]
    nulls = [pa.nulls(part.num_rows, field.type) for field in schema]
    return pa.table([null if array is None else array for array, null in zip(arrays, nulls, strict=True)], schema)


def _cast(part: pa.Table, field: pa.Field) -> pa.ChunkedArray | None:
    if field.name in part.column_names:
        try:
            return part[field.name].cast(field.type)
        except pa.ArrowException:
            pass
    return None
