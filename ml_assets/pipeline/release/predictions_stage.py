"""Stage predictions: the rows of a day, each scored by what is live for its entity."""

from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION, Release, Version, live_on
from ml_assets.core.tables.code_version import code_version
from ml_assets.pipeline.asset_names import FEATURES, PREDICTIONS
from ml_assets.pipeline.engine.stage import StageOutput
from ml_assets.pipeline.engine.upstream import read_fingerprint
from ml_assets.pipeline.release.scorer_cache import CannotScore, ScorerCache
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.release.ledger import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.model.scorer import Scorer


class DailyPredictions:
    """Score and decision of each row of a day by the model that is live for its entity, with the reasons of the highest
    scores.

    Inputs: the features of the day, and what is live on it by the release ledger; later releases make no earlier day
    again.
    """

    name = PREDICTIONS

    def __init__(self, spec: ModelSpec, lake: Lake):
        from ml_assets.core.tables.release_schemas import predictions_schema
        from ml_assets.core.tables.schemas import features_schema

        self.spec, self.lake, self.ledger, self._models = spec, lake, Ledger(lake, spec.name), ScorerCache(spec, lake)
        self.code = code_version(__name__)
        self.spec_part = {
            "explained": [spec.deployment.explained_rows, spec.deployment.reasons],
            "columns": [spec.row_identity_columns(), spec.entity],
            "features": spec.feature_names(),
        }
        self._features = lake.table(spec.name, FEATURES, features_schema(spec))
        self.tables = {PREDICTIONS: lake.table(spec.name, PREDICTIONS, predictions_schema(spec))}
        self._releases: list[tuple[date, Release]] | None = None

    def refresh(self) -> None:
        """See what has been made and released since."""
        self._releases = None
        self._features.refresh()

    def live(self, day: date) -> Release:
        """What is live for the rows of a day."""
        if self._releases is None:
            self._releases = self.ledger.releases()
        return live_on(self._releases, day)

    def inputs(self, day: date) -> list:
        """The fingerprint of the features of the day, and the models that are live, with the challenger's share.

        Raises:
            InputExpired: when the features were removed by retention.
            CannotMake: when they were never made.
        """
        live = self.live(day)
        return [
            read_fingerprint(self.spec.name, self._features, day, PREDICTIONS, FEATURES),
            _part(live.champion),
            _part(live.challenger),
            live.percent,
        ]

    def make(self, day: date, single_partition: bool) -> StageOutput:
        """Score the rows of the day. Where the challenger cannot score, the champion scores its rows; without a
        champion that can, there are none.
        """
        import numpy as np
        import pyarrow as pa

        from ml_assets.core.release.traffic_split import route_to_challenger
        from ml_assets.core.serving.batch_predictions import predict
        from ml_assets.core.tables.schemas import to_pandas

        live, schema = self.live(day), self.tables[PREDICTIONS].schema.remove(0)
        sides, problem = self._sides(live, day)
        if not sides:
            return StageOutput({PREDICTIONS: schema.empty_table()}, problem)
        identity = self.spec.row_identity_columns()
        names = dict.fromkeys([*identity, *(name for _, scorer in sides.values() for name in scorer.features)])
        rows = to_pandas(self._features.read([day], list(names)))
        challengers = np.zeros(len(rows), dtype=bool)
        if CHALLENGER in sides and self.spec.entity:
            challengers = route_to_challenger(self.spec.name, rows[self.spec.entity], live.percent)
        told = self.spec.deployment
        scored = rows[identity].join(predict(rows, sides, challengers, told.explained_rows, told.reasons))
        found = pa.Table.from_pandas(scored, schema, preserve_index=False)
        return StageOutput(
            {PREDICTIONS: found}, problem if len(rows) else problem or f"there are no rows of {day} to score"
        )

    def _sides(self, live: Release, day: date) -> "tuple[dict[str, tuple[int, Scorer]], str | None]":
        """Version and scorer of each side, none without a champion that can score; and what is wrong with a model."""
        if live.champion is None:
            return {}, f"no model is live on {day}"
        try:
            sides = {CHAMPION: (live.champion.number, self._models.scorer(live.champion))}
        except CannotScore as error:
            return {}, str(error)
        if live.challenger is not None:
            try:
                sides[CHALLENGER] = live.challenger.number, self._models.scorer(live.challenger)
            except CannotScore as error:
                return sides, f"{error}; the champion scored its rows"
        return sides, None

    def problem(self, day: date) -> str | None:
        """Why a day has no predictions, or not those of both sides."""
        _, problem = self._sides(self.live(day), day)
        return problem or (
            None if day in self.tables[PREDICTIONS].row_counts() else f"there are no rows of {day} to score"
        )

    def scored(self, day: date) -> "pd.DataFrame":
        """Score, decision, side and version of the committed predictions of a day."""
        return self.tables[PREDICTIONS].read([day], ["score", "decision", "side", "model_version"]).to_pandas()


def _part(version: Version | None) -> list:
    return [version.number, version.digest] if version else []
