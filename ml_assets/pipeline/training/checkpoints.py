"""Checkpoints of training in the lake, found again only by a run that trains the same from the same."""

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
    """The checkpoints of one day's training, in `<model>/checkpoints/<day>/<fingerprint>/`.

    A booster is `<name>-<sha256>.ubj`; `<name>.json` names it, with rounds and learning curve, and is written after it,
    so it is there whole or not at all. The fingerprint is the one that the day's model will have: of code,
    specification and inputs.

    Args:
        lake: the lake.
        model: name of the model.
        day: the day that the model is of.
        fingerprint: gives the fingerprint; asked only when there is something to find, or to keep.
        log: takes a line about a checkpoint that cannot be read.
    """

    def __init__(self, lake: Lake, model: str, day: date, fingerprint: Callable[[], int], log: Callable[[str], None]):
        self._files, self._of_day, self._fingerprint, self._log = lake.files, f"{_root(model)}{day}/", fingerprint, log
        self._of_fingerprint: str | None = None

    def load(self, slot: str) -> Boosted | None:
        """What was saved last under a name from the same spec, code and inputs; None when there is nothing, or it
        cannot be read, which is logged.
        """
        if next(self._files.keys(self._of_day), None) is None:
            return None
        try:
            found = json.loads(self._files.read(f"{self._folder()}{slot}.json"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            return self._unreadable(slot, error)
        try:
            model = self._files.read(f"{self._folder()}{_name(slot, found['sha256'])}")
            if hashlib.sha256(model).hexdigest() != found["sha256"]:
                raise ValueError("the booster is not the one that it names")
            return Boosted(int(found["rounds"]), {name: list(values) for name, values in found["curve"].items()}, model)
        except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError) as error:
            return self._unreadable(slot, error)

    def save(self, slot: str, boosted: Boosted) -> None:
        """Keep it, whole or not at all, in the place of what was saved before."""
        assert boosted.model is not None
        digest = hashlib.sha256(boosted.model).hexdigest()
        name = f"{self._folder()}{_name(slot, digest)}"
        self._files.write(name, boosted.model)
        named = {"rounds": boosted.rounds, "curve": boosted.curve or {}, "sha256": digest}
        self._files.write(f"{self._folder()}{slot}.json", json.dumps(named, sort_keys=True).encode())
        for key in list(self._files.keys(f"{self._folder()}{slot}-")):
            if key != name:
                self._files.delete(key)

    def _folder(self) -> str:
        if self._of_fingerprint is None:
            self._of_fingerprint = f"{self._of_day}{self._fingerprint():016x}/"
        return self._of_fingerprint

    def _unreadable(self, slot: str, error: Exception) -> None:
        self._log(f"warning: the checkpoint {self._folder()}{slot}.json cannot be read ({error!r}); {slot} begins anew")


def _name(slot: str, digest: str) -> str:
    return f"{slot}-{digest}.ubj"


def remove_checkpoints(lake: Lake, model: str, days: Iterable[date]) -> None:
    """Remove the checkpoints of days whose models are committed."""
    made = {str(day) for day in days}
    for key in list(lake.files.keys(_root(model))):
        if key.removeprefix(_root(model)).partition("/")[0] in made:
            lake.files.delete(key)


def remove_left_checkpoints(lake: Lake, model: str, now: datetime, dry_run: bool) -> list[int]:
    """Remove checkpoints that nobody went on from for long, see `core.retention.unreferenced`; returns the bytes of
    each file.
    """
    files = lake.files.sizes(_root(model))
    folders = {file.key: file.key.removeprefix(_root(model)).rpartition("/")[0] for file in files}
    newest = {
        folder: max(file.modified for file in files if folders[file.key] == folder) for folder in set(folders.values())
    }
    left = set(unreferenced(newest, set(), now))
    going = [file for file in files if folders[file.key] in left]
    if not dry_run:
        for file in going:
            lake.files.delete(file.key)
    return [file.size for file in going]
