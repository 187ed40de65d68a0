"""The released models, loaded from the lake according to the registry's aliases and swapped atomically."""

import logging
import time
from dataclasses import dataclass

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.release_differences import restore_command
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION, describe_share
from ml_assets.core.release.traffic_split import is_routed_to_challenger
from ml_assets.core.serving.online_scorer import OnlineScorer
from ml_assets.pipeline.evaluation.model_reader import read_scorer
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import artifacts_key
from ml_assets.resources.observability.redaction import redact_text
from ml_assets.resources.registry.live_versions import Released, read_released
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.ledger import Ledger

log = logging.getLogger("ml_assets.service")


class CannotLoad(Exception):
    """A version that an alias points to cannot be loaded; the message says why."""


@dataclass(frozen=True)
class LoadedVersion:
    """One version: its number in the registry, the digest of its files, and the model."""

    version: int
    digest: str
    model: OnlineScorer


@dataclass(frozen=True)
class LoadedModels:
    """The models that score requests.

    percent: share of the entities that the challenger scores; 0 without a challenger, and in shadow.
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
    """Keeps the released models loaded; they change only at a refresh.

    models: the models that score requests, None until the first champion is loaded. released: the last answer of the
    registry. problem: the reason why the loaded models differ from those in the registry; None if they do not.
    answered_at: monotonic clock, in seconds, at the last answer of the registry; None before the first.
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
        """Read the aliases from the registry in one request, and load new versions; the models are swapped once all are
        loaded.

        If the champion cannot be loaded, the models do not change. If the challenger cannot be loaded, the champion
        scores its entities too. Each refresh tries again.

        Raises:
            Exception: when the registry cannot be reached; the loaded models stay in use.
        """
        released = read_released(self._registry, self._spec.name)
        if self.answered_at is None:
            self.problem = f"{self._spec.name} is being loaded"
        self.answered_at = time.monotonic()
        if released == self.released and self.problem is None:
            return
        self.released, problem = released, None
        try:
            champion, problem = self._load_champion(released)
            challenger, percent = None, 0
            # A challenger in shadow scores no requests. It is loaded to reveal early any problem that prevents loading
            # it.
            if released is not None and released.challenger is not None:
                try:
                    challenger = self._load(released.challenger, released.created)
                    percent = released.percent
                except CannotLoad as error:
                    instead = "the champion scores the entities of the challenger"
                    missing = f"{error}; {instead if released.percent else 'in shadow it scores no request'}"
                    problem = f"{problem}; {missing}" if problem else missing
            self._swap(LoadedModels(champion, challenger, percent))
        except CannotLoad as error:
            consequence = "the models loaded before keep scoring" if self.models else "no request can be scored"
            problem = f"{error}; {consequence}"
        problem = redact_text(problem) if problem is not None else None
        if problem is not None and problem != self.problem:
            log.error(problem)
        self.problem = problem

    def _load_champion(self, released: Released | None) -> tuple[LoadedVersion, str | None]:
        """Return the champion, and the problem if it had to be taken from the release ledger instead of the registry.

        The ledger decides what is live. Somebody may have deleted the alias, the version or the model in the registry.
        """
        name = self._spec.name
        try:
            if released is None or released.champion is None:
                raise CannotLoad(f"{name} has no version with the alias {CHAMPION} in the registry")
            return self._load(released.champion, released.created), None
        except CannotLoad as error:
            try:
                live = Ledger(self._lake, name).latest().champion
            # Whatever the problem with the lake is, the service reports it and tries again.
            except Exception as lake_error:
                raise CannotLoad(
                    f"{str(error).rstrip('.')}; the release ledger in {self._lake.uri} cannot be read: "
                    f"{type(lake_error).__name__}: {lake_error}"
                ) from lake_error
            if live is None:
                raise
            remedy = f"the champion of the release ledger, {live}, scores; {restore_command(name)} restores the version"
            return self._load_files(live.number, live.digest), f"{error}; {remedy}"

    def _swap(self, models: LoadedModels) -> None:
        challenger = models.challenger
        if models != self.models:
            canary = f", version {challenger.version} {describe_share(models.percent)}" if challenger else ""
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
            # Whatever the problem with a version is, the previous version keeps scoring.
            except Exception as error:
                raise CannotLoad(
                    f"version {version} of {name} cannot be loaded: {type(error).__name__}: {error}"
                ) from error
            self._cache[key] = self._load_files(version, digest)
        return self._cache[key]

    def _load_files(self, version: int, digest: str) -> LoadedVersion:
        """Load a model from its files in the lake; return the same object as long as it is the champion."""
        current = self.models.champion if self.models else None
        if current is not None and (current.version, current.digest) == (version, digest):
            return current
        name = self._spec.name
        try:
            scorer = read_scorer(self._lake, artifacts_key(name, digest))
            return LoadedVersion(version, digest, OnlineScorer(scorer, self._spec))
        except Exception as error:
            raise CannotLoad(
                f"version {version} of {name} cannot be loaded: {type(error).__name__}: {error}"
            ) from error
