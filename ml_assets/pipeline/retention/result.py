"""What a pass of retention removed and kept, and why it may have removed nothing."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime

from ml_assets.core.operations.retention import ModelVersion, unreferenced
from ml_assets.resources.storage.stored_object import FileSize


class ProvenanceUnreadable(Exception):
    """What a registered version needs cannot be known, so nothing may be removed."""


@dataclass
class Removal:
    """What was removed, or would be.

    days: days whose rows were removed, by table, and `reports` for those whose reports were. files: replaced files, by
    table, `models` for those of models, and `searches` for trials; bytes: their size, likewise. versions: of the
    registry. models: digests whose files went. logged_models: number of models in MLflow that no version is of. kept:
    sentences on what is old and stays. not_vacuumed: why no files of a table were deleted, by table.
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
    """The files of each folder under `root` that nothing refers to and that rested, see `unreferenced`, by the name of
    the folder.
    """
    folders: dict[str, list[FileSize]] = {}
    for file in files:
        name, is_folder, _ = file.key.removeprefix(root).partition("/")
        if is_folder:
            folders.setdefault(name, []).append(file)
    newest = {name: max(file.modified for file in of_folder) for name, of_folder in folders.items()}
    return {name: folders[name] for name in unreferenced(newest, referenced, now)}
