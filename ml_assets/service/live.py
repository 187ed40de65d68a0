"""The models that are live, as the registry says, loaded from the lake and swapped whole."""

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
class LiveVersion:
    """One version: its number in the registry, the digest of its files, and the model."""

    version: int
    digest: str
    model: OnlineScorer


@dataclass(frozen=True)
class Live:
    """What scores requests. percent: share of the entities that the challenger is live for; 0 without a challenger."""

    champion: LiveVersion
    challenger: LiveVersion | None
    percent: int

    def of(self, model: str, entity: object) -> tuple[str, LiveVersion]:
        """Side and version for an entity, as the daily batch divides the entities."""
        if self.challenger is not None and is_routed_to_challenger(model, entity, self.percent):
            return CHALLENGER, self.challenger
        return CHAMPION, self.champion


class LiveModels:
    """What is live, looked up again and again; between two looks nothing changes.

    live: None before the first champion was loaded. told: what the registry said last. problem: what is not as the
    registry says, None when all is. looked_at: seconds of the monotonic clock when the registry answered last; None
    before.
    """

    def __init__(self, spec: ModelSpec, lake: Lake, registry: ModelRegistry) -> None:
        self._spec, self._lake, self._registry = spec, lake, registry
        self._loaded: dict[tuple[int, int], LiveVersion] = {}
        self.live: Live | None = None
        self.told: Released | None = None
        self.problem: str | None = f"the registry was not asked yet about {spec.name}"
        self.looked_at: float | None = None

    def look(self) -> None:
        """Ask the registry, in one request, and load what is new in it; what is live is swapped when all of it is
        loaded.

        A champion that cannot be loaded leaves everything as it is; without a challenger that can be loaded the
        champion scores its entities too. Each look tries again.

        Raises:
            Exception: when the registry cannot be asked; what is live stays.
        """
        told = read_released(self._registry, self._spec.name)
        self.looked_at = time.monotonic()
        if told == self.told and self.problem is None:
            return
        self.told, problem = told, None
        try:
            if told is None or told.champion is None:
                raise CannotLoad(f"{self._spec.name} has no version with the alias {CHAMPION} in the registry")
            champion = self._load(told.champion, told.created)
            challenger, percent = None, 0
            if told.challenger is not None and told.percent:
                try:
                    challenger, percent = self._load(told.challenger, told.created), told.percent
                except CannotLoad as error:
                    problem = f"{error}; the champion scores the entities of the challenger"
            self._swap(Live(champion, challenger, percent))
        except CannotLoad as error:
            problem = f"{error}; {'what was live before goes on' if self.live else 'nothing is scored'}"
        if problem is not None and problem != self.problem:
            log.error(problem)
        self.problem = problem

    def _swap(self, live: Live) -> None:
        if live != self.live:
            beside = (
                f", version {live.challenger.version} for {live.percent} % of the entities" if live.challenger else ""
            )
            log.info("live: version %s%s", live.champion.version, beside)
            self.live = live
        kept = {live.champion.version, live.challenger.version if live.challenger else None}
        self._loaded = {key: version for key, version in self._loaded.items() if key[1] in kept}

    def _load(self, version: int, created: int) -> LiveVersion:
        """A version from its files in the lake, once."""
        key = created, version
        if key not in self._loaded:
            name = self._spec.name
            try:
                digest = self._registry.client.get_model_version(name, str(version)).tags["model_digest"]
                model = OnlineScorer(read_scorer(self._lake, artifacts_key(name, digest)), self._spec)
                self._loaded[key] = LiveVersion(version, digest, model)
            # Whatever is wrong with a version, the one before it goes on.
            except Exception as error:
                raise CannotLoad(
                    f"version {version} of {name} cannot be loaded: {type(error).__name__}: {error}"
                ) from error
        return self._loaded[key]
