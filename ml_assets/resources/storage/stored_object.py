"""What is known of a file before it is read."""

from dataclasses import dataclass
from datetime import datetime

# What S3 gives in one answer.
KEYS_PER_PAGE = 1_000


@dataclass(frozen=True)
class StoredObject:
    """One file: key relative to the root with `/` between levels, digest of its content, size in bytes, when it was
    last written.
    """

    key: str
    digest: str
    size: int
    modified: datetime


@dataclass(frozen=True)
class FileSize:
    """One file without a look at its content: key relative to the root, size in bytes, when it was last written."""

    key: str
    size: int
    modified: datetime
