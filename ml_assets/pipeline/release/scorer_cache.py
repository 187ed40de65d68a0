"""A cache of the scorers of live versions."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.release_state import Version
from ml_assets.pipeline.evaluation.model_reader import explain_other_task, read_preprocessing, read_scorer
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import ModelFilesUnusable, artifacts_key

if TYPE_CHECKING:
    from ml_assets.core.model.scorer import Scorer

T = TypeVar("T")
# Champion and challenger, and their predecessors in a backfill.
MOST_KEPT = 6


class CannotScore(Exception):
    """A live model cannot score rows of the current specification; the message names the version and the reason."""


class ScorerCache:
    """Scorers of versions, each read from the lake once."""

    def __init__(self, spec: ModelSpec, lake: Lake):
        self._spec = spec
        self._lake = lake
        self._scorers: OrderedDict[str, Scorer] = OrderedDict()

    def scorer(self, version: Version) -> "Scorer":
        """Return the scorer of a version.

        Raises:
            CannotScore: when its files are not in the lake or cannot be read, it needs features that the specification
                no longer has, or it is of another task.
        """
        if version.digest not in self._scorers:
            self._scorers[version.digest] = self._read(read_scorer, version)
            while len(self._scorers) > MOST_KEPT:
                self._scorers.popitem(last=False)
        scorer = self._scorers[version.digest]
        self._check(version, scorer.preprocessing)
        return scorer

    def holds(self, version: Version) -> bool:
        """Return whether the scorer of a version was read already."""
        return version.digest in self._scorers

    def check_files(self, version: Version) -> None:
        """Check a version as `scorer` does, but without opening its files with XGBoost.

        Raises:
            CannotScore: as `scorer` does.
        """
        self._check(version, self._read(read_preprocessing, version))

    def _check(self, version: Version, preprocessing: Mapping) -> None:
        if problem := explain_other_task(self._spec, preprocessing):
            raise CannotScore(f"{version} cannot score the rows: {problem}")
        names, known = [feature["name"] for feature in preprocessing["features"]], set(self._spec.feature_names())
        if missing := [name for name in names if name not in known]:
            raise CannotScore(
                f"{version} cannot score the rows: the specification no longer has the feature {', '.join(missing)}"
            )

    def _read(self, read: Callable[[Lake, str], T], version: Version) -> T:
        try:
            return read(self._lake, artifacts_key(self._spec.name, version.digest))
        except (ModelFilesUnusable, ValueError) as error:
            raise CannotScore(f"{version} cannot score the rows: {error}") from error
