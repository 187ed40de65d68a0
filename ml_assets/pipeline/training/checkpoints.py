"""Training checkpoints in the lake, used only by runs with the same code, specification and inputs."""

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import date, datetime

from ml_assets.core.operations.retention import unreferenced
from ml_assets.core.training.boosting import Boosted
from ml_assets.resources.lake.lake import Lake


def _root(model: str) -> str:
    return f"{model}/checkpoints/"


class LakeCheckpoints:
    """Checkpoints of the training of one day's model, in `<model>/checkpoints/<day>/<fingerprint>/`.

    A booster is `<name>-<sha256>.ubj`; `<name>.json` refers to it, with rounds and learning curve. The JSON file is
    written last, so that a checkpoint is complete or does not exist. The fingerprint is that of the day's future model:
    of code, specification and inputs.

    Args:
        lake: the lake.
        model: name of the model.
        day: the day of the model.
        fingerprint: returns the fingerprint; called only to save a checkpoint, or if there may be one to load.
        log: logs a message about a checkpoint that cannot be read.
    """

    def __init__(self, lake: Lake, model: str, day: date, fingerprint: Callable[[], int], log: Callable[[str], None]):
        self._files = lake.files
        self._day_folder = f"{_root(model)}{day}/"
        self._fingerprint = fingerprint
        self._log = log
        self._cached_folder: str | None = None

    def exist(self) -> bool:
        """Return whether an earlier run has left any checkpoint of the day."""
        return next(self._files.keys(self._day_folder), None) is not None

    def load(self, slot: str) -> Boosted | None:
        """Load the newest checkpoint of a slot with the same spec, code and inputs.

        Returns:
            The booster; None if there is no checkpoint, or if it cannot be read, which is logged.
        """
        if not self.exist():
            return None
        try:
            document = json.loads(self._files.read(f"{self._folder()}{slot}.json"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            return self._log_unreadable(slot, error)
        try:
            model = self._files.read(f"{self._folder()}{_booster_name(slot, document['sha256'])}")
            if hashlib.sha256(model).hexdigest() != document["sha256"]:
                raise ValueError("the booster does not have the SHA-256 that the checkpoint names")
            curve = {name: list(values) for name, values in document["curve"].items()}
            return Boosted(int(document["rounds"]), curve, model)
        except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError) as error:
            return self._log_unreadable(slot, error)

    def save(self, slot: str, boosted: Boosted) -> None:
        """Save a checkpoint atomically, replacing the one that the slot had before."""
        assert boosted.model is not None
        digest = hashlib.sha256(boosted.model).hexdigest()
        name = f"{self._folder()}{_booster_name(slot, digest)}"
        self._files.write(name, boosted.model)
        document = {"rounds": boosted.rounds, "curve": boosted.curve or {}, "sha256": digest}
        self._files.write(f"{self._folder()}{slot}.json", json.dumps(document, sort_keys=True).encode())
        for key in list(self._files.keys(f"{self._folder()}{slot}-")):
            if key != name:
                self._files.delete(key)

    def _folder(self) -> str:
        if self._cached_folder is None:
            self._cached_folder = f"{self._day_folder}{self._fingerprint():016x}/"
        return self._cached_folder

    def _log_unreadable(self, slot: str, error: Exception) -> None:
        self._log(
            f"warning: the checkpoint {self._folder()}{slot}.json cannot be read ({error!r}); "
            f"{slot} starts again from the first round"
        )


def _booster_name(slot: str, digest: str) -> str:
    return f"{slot}-{digest}.ubj"


def remove_checkpoints(lake: Lake, model: str, days: Iterable[date]) -> None:
    """Remove the checkpoints of days whose models are committed."""
    committed = {str(day) for day in days}
    for key in list(lake.files.keys(_root(model))):
        if key.removeprefix(_root(model)).partition("/")[0] in committed:
            lake.files.delete(key)


def remove_abandoned_checkpoints(lake: Lake, model: str, now: datetime, dry_run: bool) -> list[int]:
    """Remove checkpoints that no run has resumed from for a long time, see `core.operations.retention.unreferenced`.

    Returns:
        The size of each removed file in bytes; in a dry run, of each file that would be removed.
    """
    files = lake.files.sizes(_root(model))
    folders = {file.key: file.key.removeprefix(_root(model)).rpartition("/")[0] for file in files}
    newest = {
        folder: max(file.modified for file in files if folders[file.key] == folder) for folder in set(folders.values())
    }
    abandoned = set(unreferenced(newest, set(), now))
    removed = [file for file in files if folders[file.key] in abandoned]
    if not dry_run:
        for file in removed:
            lake.files.delete(file.key)
    return [file.size for file in removed]
