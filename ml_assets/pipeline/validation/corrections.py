"""The files of corrections of a model in the lake: found, read, written and removed by day."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property

from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.core.tables.code_version import code_version
from ml_assets.pipeline.asset_names import CORRECTIONS
from ml_assets.resources.lake.lake import Lake


class Corrections:
    """Corrected rows at `<lake>/<model>/corrections/<day>/<number>-<sha256>.jsonl`; the files are never changed.

    Only rows of a model have any; a label is corrected by delivering it again.
    """

    def __init__(self, lake: Lake, feed: Feed):
        self._lake, self._root, self._may_have = lake, f"{feed.name}/{CORRECTIONS}/", feed.event_time is not None

    @cached_property
    def _keys(self) -> dict[date, list[str]]:
        """The keys of each day that has any, found by one listing."""
        found: dict[date, list[str]] = {}
        for key in self._lake.files.keys(self._root) if self._may_have else ():
            folder, _, name = key.removeprefix(self._root).partition("/")
            # What is just being written to a directory begins with a dot.
            if name.endswith(".jsonl") and not name.startswith("."):
                found.setdefault(date.fromisoformat(folder), []).append(key)
        return found

    def refresh(self) -> None:
        """See what has been written since, when it is asked for next."""
        self.__dict__.pop("_keys", None)

    def days(self) -> list[date]:
        """The days with corrections, ascending."""
        return sorted(self._keys)

    def inputs(self, day: date) -> list:
        """What identifies the corrections of a day in a fingerprint: the code that applies them, and their keys, which
        hold the digests.
        """
        keys = sorted(self._keys.get(day, ()))
        return [[CORRECTIONS, code_version(__name__), keys]] if keys else []

    def read(self, day: date) -> dict[str, bytes]:
        """The content of the files of a day, by key."""
        return {key: self._lake.files.read(key) for key in self._keys.get(day, ())}

    def write(self, files: Mapping[date, tuple[str, bytes]]) -> None:
        """Put a file of a day there, by its name and content."""
        for day, (name, content) in files.items():
            self._lake.files.write(f"{self._root}{day.isoformat()}/{name}", content)

    def remove(self, days: Iterable[date], dry_run: bool) -> list[int]:
        """Remove the files of some days; returns the size of each."""
        files = [file for day in days for file in self._lake.files.sizes(f"{self._root}{day.isoformat()}/")]
        for file in [] if dry_run else files:
            self._lake.files.delete(file.key)
        return [file.size for file in files]
