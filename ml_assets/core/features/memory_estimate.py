"""The memory that features take while they are built, estimated from the number of rows."""

from typing import NamedTuple

from ml_assets.core.features.inputs import columns_read, history_columns_read
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.row_size import NUMBER, TEXT, bytes_of

INDEX_COLUMNS = 6
"""Columns of 8 bytes that the windows of a key take for each row: times, codes, groups and places of rows."""
COPIES = 2
"""Copies of a feature at once: computed, and of one day in the table that is written."""


class BytesPerRow(NamedTuple):
    """Bytes for each row of the history, and of the days that are made."""

    history: int
    rows: int


def bytes_per_row(spec: ModelSpec) -> BytesPerRow:
    """Estimate the bytes that a row takes while features are built."""

    def width(columns: list[str]) -> int:
        return bytes_of(spec.columns[name].type for name in columns)

    index = INDEX_COLUMNS * NUMBER
    text = (TEXT - NUMBER) * len(spec.categorical_features())
    features = COPIES * NUMBER * len(spec.feature_names()) + text
    return BytesPerRow(width(history_columns_read(spec)) + index, width(columns_read(spec)) + index + features)
