"""The models that are live, read from the lake."""

from collections import OrderedDict
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.release_state import Version
from ml_assets.pipeline.evaluation.model_reader import read_scorer
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import artifacts_key

if TYPE_CHECKING:
    from ml_assets.core.model.scorer import Scorer

# Champion and challenger, and those before them in a backfill.
MOST_KEPT = 6


class CannotScore(Exception):
    """A model that is live cannot score rows of now; the message says which and why."""


class ScorerCache:
    """The scorers of versions, each read once."""

    def __init__(self, spec: ModelSpec, lake: Lake):
        self._spec, self._lake = spec, lake
        self._kept: OrderedDict[str, Scorer] = OrderedDict()

    def scorer(self, version: Version) -> "Scorer":
        """The model of a version.

        Raises:
            CannotScore: when its files are not in the lake or cannot be read, or it needs features that the
                specification no longer has.
        """
        if version.digest not in self._kept:
            self._kept[version.digest] = self._read(version)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        found, features = self._kept[version.digest], set(self._spec.feature_names())
        if gone := [name for name in found.features if name not in features]:
            raise CannotScore(
                f"{version} cannot score the rows: the specification no longer has the feature {', '.join(gone)}"
            )
        return found

    def _read(self, version: Version) -> "Scorer":
        try:
            return read_scorer(self._lake, artifacts_key(self._spec.name, version.digest))
        except FileNotFoundError as error:
            raise CannotScore(f"{version} cannot score the rows: its files are not in the lake ({error})") from error
        except ValueError as error:
            raise CannotScore(f"{version} cannot score the rows: {error}") from error
