"""Estimate of the memory that validating days takes, from the number of rows."""

from ml_assets.core.model_spec.file_feed import Contract
from ml_assets.core.tables.row_size import TEXT, bytes_of

COPIES = 4
"""Simultaneous copies of a row: as read, as a frame, sorted, and as written."""


def bytes_per_row(spec: Contract) -> int:
    """Estimate the bytes that a row of the files takes during validation, including its file, number and errors."""
    return COPIES * (bytes_of(column.type for column in spec.columns.values()) + TEXT)
