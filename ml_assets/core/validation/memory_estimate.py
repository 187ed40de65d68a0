"""The memory that days take while they are validated, estimated from the number of rows."""

from ml_assets.core.model_spec.file_feed import Contract

NUMBER, TEXT = 8, 72
"""Bytes of a number or time, and of a short text with what identifies it."""
COPIES = 4
"""Copies of a row at once: as read, as a frame, in order, and as it is written."""


def bytes_per_row(spec: Contract) -> int:
    """Estimate the bytes that a row of the files takes while it is validated, with its file, number and faults."""
    columns = [column.type for column in spec.columns.values()]
    return COPIES * (sum(TEXT if kind == "string" else NUMBER for kind in columns) + TEXT)
