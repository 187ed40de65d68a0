"""The limits of one landed file."""

from typing import Literal

from pydantic import Field

from ml_assets.core.model_spec.types.base import SpecPart

LimitName = Literal["unpacked_bytes", "rows", "columns", "line_bytes", "depth"]


class FileLimits(SpecPart):
    """The limits of one landed file, of rows, labels or corrections. A file beyond one of them is not read, so that a
    small file that unpacks to gigabytes cannot use up the memory of a run: its fault names the limit and the measured
    value, and its day is rejected.

    Reading takes up to about four times the unpacked bytes of the file, so lower the limit where a step has little
    memory (`compute`), or raise both."""

    unpacked_bytes: int = Field(1 << 30, ge=1, le=1 << 50)
    """Maximum bytes of a file, both as it landed and unpacked. Unpacked means the text of CSV and JSON lines; for
    Parquet, the decompressed data before dictionary and run-length decoding, and the columns of the contract after
    it."""

    rows: int = Field(10_000_000, ge=1, le=1 << 40)
    """Maximum number of rows of a file, including lines that are not rows."""

    columns: int = Field(10_000, ge=1, le=1_000_000)
    """Maximum number of columns of a file, including columns that the contract does not name."""

    line_bytes: int = Field(4 << 20, ge=1, le=1 << 29)
    """Maximum bytes of the header or a record of a CSV file, and of a line of JSON lines."""

    depth: int = Field(100, ge=1, le=500)
    """Maximum depth of nested lists and objects in JSON lines."""


DEFAULT_LIMITS = FileLimits()
