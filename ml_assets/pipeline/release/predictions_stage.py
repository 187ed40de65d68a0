"""Stage predictions: the rows of a day, each scored by the model that is live for its entity."""

from collections.abc import Callable
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION, Release, Version, live_on
from ml_assets.core.tables.code_version import code_version
from ml_assets.pipeline.asset_names import FEATURES, PREDICTIONS
from ml_assets.pipeline.engine.stage import DayByDay, KeepDay, StageOutput
from ml_assets.pipeline.engine.upstream import read_fingerprint
from ml_assets.pipeline.features.task_part import task_part
from ml_assets.pipeline.release.scorer_cache import CannotScore, ScorerCache
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.release.ledger import Ledger

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")


class DailyPredictions(DayByDay):
    """Predictions of each row of a day by the model that is live for its entity, with the reasons of the highest
    scores.

    Inputs: the features of the day, and the live versions of the day according to the release ledger. Later releases do
    not change earlier days.
    """

    name = PREDICTIONS

    def __init__(self, spec: ModelSpec, lake: Lake):
        from ml_assets.core.tables.release_schemas import predictions_schema
        from ml_assets.core.tables.schemas import features_schema

        self.spec = spec
        self.lake = lake
        self.ledger = Ledger(lake, spec.name)
        self._models = ScorerCache(spec, lake)
        self.code = code_version(__name__)
        self.spec_part = {
            "explained": [spec.deployment.explained_rows, spec.deployment.reasons],
            "columns": [spec.row_identity_columns(), spec.entity],
            "features": spec.feature_names(),
            **task_part(spec),
        }
        self._features = lake.table(spec.name, FEATURES, features_schema(spec))
        self.tables = {PREDICTIONS: lake.table(spec.name, PREDICTIONS, predictions_schema(spec))}
        self._releases: list[tuple[date, Release]] | None = None

    def refresh(self) -> None:
        """Forget all cached inputs."""
        self._releases = None
        self._features.refresh()

    def live(self, day: date) -> Release:
        """Return the release that is live for the rows of a day."""
        if self._releases is None:
            self._releases = self.ledger.releases()
        return live_on(self._releases, day)

    def inputs(self, day: date) -> list:
        """Return the fingerprint of the features of the day, and the live models with the share of the challenger.

        Raises:
            InputExpired: when the features were removed by retention.
            CannotMake: when they were never made.
            KeepDay: when the ledger has lost the releases that scored the day.
        """
        live = self.live(day)
        if live.champion is None and self.tables[PREDICTIONS].row_counts().get(day):
            raise KeepDay(
                f"the release ledger has no release that was live on {day}: it was lost and begins later, so the "
                "predictions of the day stay"
            )
        return [
            read_fingerprint(self.spec.name, self._features, day, PREDICTIONS, FEATURES),
            _part(live.champion),
            _part(live.challenger),
            live.percent,
        ]

    def make_day(self, day: date, single_partition: bool) -> StageOutput:
        """Score the rows of the day.

        A challenger in shadow scores all rows without effect. If the challenger cannot score, the champion
        scores its rows. If the champion cannot, there are no predictions.
        """
        import numpy as np
        import pyarrow as pa

        from ml_assets.core.release.traffic_split import route_to_challenger
        from ml_assets.core.serving.batch_predictions import predict
        from ml_assets.core.tables.schemas import to_pandas

        live, schema = self.live(day), self.tables[PREDICTIONS].schema.remove(0)
        scorers, problem = self._each_live(live, day, self._models.scorer)
        if not scorers:
            return StageOutput({PREDICTIONS: schema.empty_table()}, problem)
        identity = self.spec.row_identity_columns()
        names = dict.fromkeys([*identity, *(name for _, scorer in scorers.values() for name in scorer.features)])
        rows = to_pandas(self._features.read([day], list(names)))
        challengers = np.zeros(len(rows), dtype=bool)
        is_shadow = CHALLENGER in scorers and not live.percent
        if CHALLENGER in scorers and live.percent and self.spec.entity:
            challengers = route_to_challenger(self.spec.name, rows[self.spec.entity], live.percent)
        settings = self.spec.deployment
        predictions = predict(rows, scorers, challengers, settings.explained_rows, settings.reasons, is_shadow)
        scored = rows[identity].join(predictions)
        table = pa.Table.from_pandas(scored, schema, preserve_index=False)
        return StageOutput({PREDICTIONS: table}, problem or (None if len(rows) else _no_rows(day)))

    def _each_live(
        self, live: Release, day: date, read: Callable[[Version], T]
    ) -> tuple[dict[str, tuple[int, T]], str | None]:
        """Read champion and challenger; return the number and content of each, none if the champion cannot score, and
        the problem.
        """
        if live.champion is None:
            return {}, f"no model is live on {day}"
        try:
            models = {CHAMPION: (live.champion.number, read(live.champion))}
        except CannotScore as error:
            return {}, str(error)
        if live.challenger is not None:
            try:
                models[CHALLENGER] = live.challenger.number, read(live.challenger)
            except CannotScore as error:
                rows = "the champion scored its rows" if live.percent else "it has no scores in shadow"
                return models, f"{error}; {rows}"
        return models, None

    def why_not_scored(self, day: date) -> str | None:
        """Return why the live versions have not scored the rows of a day; None when they have, when no model is live on
        the day, or when it has no rows.
        """
        live, rows = self.live(day), self._features.row_counts().get(day, 0)
        if live.champion is None or not rows:
            return None
        if self.tables[PREDICTIONS].fingerprint(day) is None:
            return "its predictions have not been made"
        if problem := self.problem(day):
            return problem
        if (scored := self.tables[PREDICTIONS].row_counts().get(day, 0)) != rows:
            return f"{scored} of {rows} rows have predictions"
        others = self._versions(day) - {
            version.number for version in (live.champion, live.challenger) if version is not None
        }
        return f"its predictions are of version {', '.join(map(str, sorted(others)))}" if others else None

    def problem(self, day: date) -> str | None:
        """Return why a day has no predictions, or none of the challenger; None if nothing is missing.

        A version that has scored rows of the day is not opened again with XGBoost, which takes seconds to load.
        """
        # Read once for both versions, and only if one of them has not been read already.
        versions = cache(self._versions)

        def check(version: Version) -> None:
            if not self._models.holds(version) and version.number in versions(day):
                self._models.check_files(version)
            else:
                self._models.scorer(version)

        _, problem = self._each_live(self.live(day), day, check)
        return problem or (None if day in self.tables[PREDICTIONS].row_counts() else _no_rows(day))

    def scored(self, day: date) -> "pd.DataFrame":
        """Return the committed predictions for the rows of a day, with side and version."""
        names = [*self.spec.outputs.columns, "side", "model_version"]
        return self.tables[PREDICTIONS].read([day], names).to_pandas()

    def _versions(self, day: date) -> set[int]:
        return set(self.tables[PREDICTIONS].read([day], ["model_version"])["model_version"].to_pylist())


def _no_rows(day: date) -> str:
    return f"there are no rows of {day} to score"


def _part(version: Version | None) -> list:
    return [version.number, version.digest] if version else []
