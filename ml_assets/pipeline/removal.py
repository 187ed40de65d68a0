"""What a pass of retention removed and kept, and why it may have removed nothing."""

from dataclasses import dataclass, field
from datetime import date

from ml_assets.core.retention import ModelVersion


class PassportUnreadable(Exception):
    """What a registered version needs cannot be known, so nothing may be removed."""


@dataclass
class Removal:
    """What was removed, or would be.

    days: days whose rows were removed, by table, and `reports` for those whose reports were. files: replaced files, by table, and `models` for those
    of models; bytes: their size, likewise. versions: of the registry. models: digests whose files went. logged_models: number of models in MLflow
    that no version is of. kept: sentences on what is old and stays. not_vacuumed: why no files of a table were deleted, by table.
    """

    dry_run: bool
    days: dict[str, list[date]] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    versions: list[ModelVersion] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    logged_models: int = 0
    kept: list[str] = field(default_factory=list)
    not_vacuumed: dict[str, str] = field(default_factory=dict)
