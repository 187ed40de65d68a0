"""Properties of a stored file that are known before it is read."""

from dataclasses import dataclass
from datetime import datetime

# The page size of S3.
KEYS_PER_PAGE = 1_000


@dataclass(frozen=True)
class StoredObject:
    """A file: key relative to the root with `/` between levels, digest of its content, size in bytes, and time of the
    last write.
    """

    key: str
    digest: str
    size: int
    modified: datetime


@dataclass(frozen=True)
class FileSize:
    """A file whose content was not read: key relative to the root, size in bytes, and time of the last write."""

    key: str
    size: int
    modified: datetime
