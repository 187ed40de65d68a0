"""The result of a pass of retention, and the error that stops a pass."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime

from ml_assets.core.operations.retention import ModelVersion, unreferenced
from ml_assets.resources.storage.stored_object import FileSize


class ProvenanceUnreadable(Exception):
    """The provenance of a registered version cannot be read, so nothing may be removed."""


@dataclass
class Removal:
    """Everything that was removed, or would be in a dry run.

    days: days whose rows were removed, by table; `reports` for days whose reports were removed. files: number of
    deleted files, by table; `models` for model files, `searches` for trials. bytes: their size, likewise. versions:
    deleted versions of the registry. models: digests of models whose files were deleted. logged_models: number of
    deleted models in MLflow without a version. kept: sentences on old data that stays. not_vacuumed: why no files of a
    table were deleted, by table.
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


def folders_to_delete(
    files: Sequence[FileSize], root: str, referenced: Set[str], now: datetime
) -> dict[str, list[FileSize]]:
    """Return the files of each unreferenced folder under `root`, by the name of the folder; see `unreferenced`."""
    folders: dict[str, list[FileSize]] = {}
    for file in files:
        name, is_folder, _ = file.key.removeprefix(root).partition("/")
        if is_folder:
            folders.setdefault(name, []).append(file)
    newest = {name: max(file.modified for file in folder_files) for name, folder_files in folders.items()}
    return {name: folders[name] for name in unreferenced(newest, referenced, now)}
