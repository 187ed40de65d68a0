"""The memory that days take while they are validated, estimated from the number of rows."""

from ml_assets.core.model_spec.file_feed import Contract
from ml_assets.core.tables.row_size import TEXT, bytes_of

COPIES = 4
"""Copies of a row at once: as read, as a frame, in order, and as it is written."""


def bytes_per_row(spec: Contract) -> int:
    """Estimate the bytes that a row of the files takes while it is validated, with its file, number and faults."""
    return COPIES * (bytes_of(column.type for column in spec.columns.values()) + TEXT)
