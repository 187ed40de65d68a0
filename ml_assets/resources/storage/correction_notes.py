"""Notes of correction files: an empty file for each in a separate folder, so that the removal of a correction is
noticed.
"""

from collections.abc import Collection, Iterable

from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.directory import Directory

CORRECTIONS = "corrections"
NOTES = "correction_notes"


def write_notes(files: Directory | Bucket, model: str, paths: Iterable[str]) -> None:
    """Write a note for each file of corrections.

    Args:
        files: the files of the lake.
        model: name of the model.
        paths: the files, relative to the folder of the corrections: `<day>/<name>`.
    """
    for path in paths:
        files.write(f"{model}/{NOTES}/{path}", b"")


def remove_notes(files: Directory | Bucket, model: str, day: str) -> None:
    """Remove the notes of a day whose corrections are removed on purpose."""
    for key in list(files.keys(f"{model}/{NOTES}/{day}/")):
        files.delete(key)


def find_removed(notes: Collection[str], corrections: Collection[str]) -> list[str]:
    """Return the noted files that are not among the corrections, as paths relative to both folders."""
    return sorted(path for path in set(notes) - set(corrections) if not path.rpartition("/")[2].startswith("."))
