"""Estimate of the memory that building features takes, from the number of rows."""

from typing import NamedTuple

from ml_assets.core.features.inputs import columns_read, history_columns_read
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.row_size import NUMBER, TEXT, bytes_of

INDEX_COLUMNS = 6
"""Number of 8-byte columns per row for the windows of a key: times, codes, groups and positions of rows."""
COPIES = 2
"""Simultaneous copies of a feature: as computed, and in the table of the day being written."""


class BytesPerRow(NamedTuple):
    """Bytes per row of the history, and per row of the computed days."""

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
