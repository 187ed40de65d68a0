"""Files of corrected rows of a model in the lake, listed, read, written and removed by day."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property

from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.operations.failures.damaged_state import CORRECTIONS as CORRECTIONS_FILE
from ml_assets.core.operations.failures.damaged_state import DamagedState
from ml_assets.core.tables.code_version import code_version
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.correction_notes import CORRECTIONS, remove_notes, write_notes


class DamagedCorrections(DamagedState):
    """A file of corrected rows is damaged."""


class Corrections:
    """Corrected rows at `<lake>/<model>/corrections/<day>/<number>-<sha256>.jsonl`; the files are never changed.

    Only rows of a model have corrections; a label is corrected by delivering it again.
    """

    def __init__(self, lake: Lake, feed: Feed):
        self._lake = lake
        self._model = feed.name
        self._root = f"{feed.name}/{CORRECTIONS}/"
        self._can_have_files = feed.event_time is not None

    @cached_property
    def _keys(self) -> dict[date, list[str]]:
        """Keys of the files by day, from a single listing."""
        keys_by_day: dict[date, list[str]] = {}
        for key in self._lake.files.keys(self._root) if self._can_have_files else ():
            folder, _, name = key.removeprefix(self._root).partition("/")
            # The name of a file that is still being written to a directory begins with a dot.
            if name.endswith(".jsonl") and not name.startswith("."):
                keys_by_day.setdefault(date.fromisoformat(folder), []).append(key)
        return keys_by_day

    def refresh(self) -> None:
        """Forget the listing; the next use lists again."""
        self.__dict__.pop("_keys", None)

    def days(self) -> list[date]:
        """Return the days with corrections, ascending."""
        return sorted(self._keys)

    def inputs(self, day: date) -> list:
        """Return the corrections of a day as inputs of a fingerprint: the version of the code that applies them, and
        their keys, which contain the digests.
        """
        keys = sorted(self._keys.get(day, ()))
        return [[CORRECTIONS, code_version(__name__), keys]] if keys else []

    def read(self, day: date) -> dict[str, bytes]:
        """Read the files of a day, by key.

        Raises:
            DamagedCorrections: when the content of a file does not have the digest in its name.
        """
        return {key: self._read_file(key) for key in self._keys.get(day, ())}

    def _read_file(self, key: str) -> bytes:
        content = self._lake.files.read(key)
        if _digest_in_name(key) not in ("", hashlib.sha256(content).hexdigest()):
            path = f"{self._lake.uri.rstrip('/')}/{key}"
            reason = "its content does not have the SHA-256 in its name"
            raise DamagedCorrections(CORRECTIONS_FILE.explain(path, reason, key.partition("/")[0]))
        return content

    def write(self, files: Mapping[date, tuple[str, bytes]]) -> None:
        """Write one file (name, content) for each day, and a note of each file."""
        for day, (name, content) in files.items():
            self._lake.files.write(f"{self._root}{day.isoformat()}/{name}", content)
            write_notes(self._lake.files, self._model, [f"{day.isoformat()}/{name}"])

    def remove(self, days: Iterable[date], dry_run: bool) -> list[int]:
        """Remove the files of `days`, unless it is a dry run, and return the size of each in bytes."""
        days = list(days)
        files = [file for day in days for file in self._lake.files.sizes(f"{self._root}{day.isoformat()}/")]
        if not dry_run:
            # If a pass dies in between, the next one finds the corrections again and removes both.
            for day in days:
                remove_notes(self._lake.files, self._model, day.isoformat())
            for file in files:
                self._lake.files.delete(file.key)
        return [file.size for file in files]


def _digest_in_name(key: str) -> str:
    """Return the SHA-256 in the name of a file; empty for a name without one."""
    digest = key.rpartition("-")[2].removesuffix(".jsonl")
    return digest if len(digest) == hashlib.sha256().digest_size * 2 else ""
