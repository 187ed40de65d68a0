"""The released models, loaded from the lake as the registry's aliases say, and swapped all at once."""

import logging
import time
from dataclasses import dataclass

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION
from ml_assets.core.release.traffic_split import is_routed_to_challenger
from ml_assets.core.serving.online_scorer import OnlineScorer
from ml_assets.pipeline.evaluation.model_reader import read_scorer
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import artifacts_key
from ml_assets.resources.registry.live_versions import Released, read_released
from ml_assets.resources.registry.model_registry import ModelRegistry

log = logging.getLogger("ml_assets.service")


class CannotLoad(Exception):
    """A version that an alias points to cannot score; the message says why."""


@dataclass(frozen=True)
class LoadedVersion:
    """One version: its number in the registry, the digest of its files, and the model."""

    version: int
    digest: str
    model: OnlineScorer


@dataclass(frozen=True)
class LoadedModels:
    """The models that score requests.

    percent: share of the entities that the challenger scores; 0 without a challenger.
    """

    champion: LoadedVersion
    challenger: LoadedVersion | None
    percent: int

    def route(self, model: str, entity: object) -> tuple[str, LoadedVersion]:
        """Return the side and the version that score an entity, with the same traffic split as the daily batch."""
        if self.challenger is not None and is_routed_to_challenger(model, entity, self.percent):
            return CHALLENGER, self.challenger
        return CHAMPION, self.champion


class ModelLoader:
    """Keeps the released models loaded; between two refreshes nothing changes.

    models: the models that score requests, None until the first champion is loaded. released: the last answer of the
    registry. problem: why the loaded models differ from what the registry says, None if they do not. answered_at:
    seconds of the monotonic clock at the last answer of the registry, None before the first.
    """

    def __init__(self, spec: ModelSpec, lake: Lake, registry: ModelRegistry) -> None:
        self._spec = spec
        self._lake = lake
        self._registry = registry
        self._cache: dict[tuple[int, int], LoadedVersion] = {}
        self.models: LoadedModels | None = None
        self.released: Released | None = None
        self.problem: str | None = f"the registry has not been asked about {spec.name} yet"
        self.answered_at: float | None = None

    def refresh(self) -> None:
        """Read the aliases from the registry, in one request, and load new versions; the models are swapped once all of
        them are loaded.

        If the champion cannot be loaded, the models stay as they are. If the challenger cannot be loaded, the champion
        scores its entities too. Each refresh tries again.

        Raises:
            Exception: when the registry cannot be reached; the loaded models stay.
        """
        released = read_released(self._registry, self._spec.name)
        self.answered_at = time.monotonic()
        if released == self.released and self.problem is None:
            return
        self.released, problem = released, None
        try:
            if released is None or released.champion is None:
                raise CannotLoad(f"{self._spec.name} has no version with the alias {CHAMPION} in the registry")
            champion = self._load(released.champion, released.created)
            challenger, percent = None, 0
            if released.challenger is not None and released.percent:
                try:
                    challenger = self._load(released.challenger, released.created)
                    percent = released.percent
                except CannotLoad as error:
                    problem = f"{error}; the champion scores the entities of the challenger"
            self._swap(LoadedModels(champion, challenger, percent))
        except CannotLoad as error:
            consequence = "the models loaded before keep scoring" if self.models else "no request can be scored"
            problem = f"{error}; {consequence}"
        if problem is not None and problem != self.problem:
            log.error(problem)
        self.problem = problem

    def _swap(self, models: LoadedModels) -> None:
        challenger = models.challenger
        if models != self.models:
            canary = f", version {challenger.version} for {models.percent} % of the entities" if challenger else ""
            log.info("loaded: version %s%s", models.champion.version, canary)
            self.models = models
        in_use = {models.champion.version, challenger.version if challenger else None}
        self._cache = {key: version for key, version in self._cache.items() if key[1] in in_use}

    def _load(self, version: int, created: int) -> LoadedVersion:
        """Load a version from its files in the lake, once."""
        key = created, version
        if key not in self._cache:
            name = self._spec.name
            try:
                digest = self._registry.client.get_model_version(name, str(version)).tags["model_digest"]
                model = OnlineScorer(read_scorer(self._lake, artifacts_key(name, digest)), self._spec)
                self._cache[key] = LoadedVersion(version, digest, model)
            # Whatever is wrong with a version, the one before it keeps scoring.
            except Exception as error:
                raise CannotLoad(
                    f"version {version} of {name} cannot be loaded: {type(error).__name__}: {error}"
                ) from error
        return self._cache[key]
