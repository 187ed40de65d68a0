"""Stage prediction_quality: the estimated quality of a day's predictions, and the realised quality of an
earlier day.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.deployment import QualityEstimate
from ml_assets.core.model_spec.types.task import DECISION
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION, Version
from ml_assets.core.tables.code_version import code_version
from ml_assets.pipeline.asset_names import EVALUATION, MODEL, PREDICTION_QUALITY, PREDICTIONS
from ml_assets.pipeline.engine.stage import DayByDay, StageOutput
from ml_assets.pipeline.engine.upstream import read_fingerprint
from ml_assets.pipeline.features.label_store import labels_part
from ml_assets.pipeline.features.labelled_features import LabelledFeatures
from ml_assets.pipeline.release.predictions_stage import DailyPredictions
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.evaluation.prediction_quality import ScoredHoldout
    from ml_assets.core.metrics.scored_rows import TaskMetrics
    from ml_assets.core.release.release_state import Move
    from ml_assets.resources.lake.table import Table

SIDES = ["side", "model_version"]


def quality_table(spec: ModelSpec, lake: Lake) -> "Table | None":
    """Open the table prediction_quality; None for a model without it."""
    from ml_assets.core.tables.monitoring_schemas import PREDICTION_QUALITY_SCHEMA

    return lake.table(spec.name, PREDICTION_QUALITY, PREDICTION_QUALITY_SCHEMA) if spec.deployment.quality else None


class PredictionQuality(DayByDay):
    """Metrics of the predictions of a day, estimated from their calibrated scores before any label is known, and the
    realised metrics of the newest day whose labels are known, both with intervals.

    Inputs: the predictions of both days, the labels, and the holdouts of the models that are live on them.
    """

    name = PREDICTION_QUALITY

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing, predictions: DailyPredictions):
        from ml_assets.core.tables.monitoring_schemas import PREDICTION_QUALITY_SCHEMA
        from ml_assets.core.tables.schemas import TRAINED_MODEL_SCHEMA, evaluation_schema

        self.spec = spec
        self.settings = spec.deployment.quality or QualityEstimate()
        self.code = code_version(__name__)
        self.spec_part = {
            "quality": self.settings.model_dump(mode="json"),
            "label_delay": spec.label_delay.days,
            "labels": labels_part(spec),
            "seed": spec.training.seed,
            "columns": [spec.row_key, spec.target],
            "task": [spec.task, spec.positive, list(spec.classes), spec.outputs.quantiles, spec.evaluation.top_classes],
        }
        self.lake = lake
        self._predictions = predictions
        self._labelled = LabelledFeatures(spec, lake, landing)
        self._models = lake.table(spec.name, MODEL, TRAINED_MODEL_SCHEMA)
        self._evaluation = lake.table(spec.name, EVALUATION, evaluation_schema(spec))
        self.tables = {PREDICTION_QUALITY: lake.table(spec.name, PREDICTION_QUALITY, PREDICTION_QUALITY_SCHEMA)}
        self._holdouts: dict[tuple, ScoredHoldout] = {}

    def refresh(self) -> None:
        """Forget all cached inputs."""
        self._predictions.refresh()
        self._predictions.tables[PREDICTIONS].refresh()
        self._labelled.refresh()
        for table in (self._models, self._evaluation):
            table.refresh()
        self._holdouts.clear()

    def labelled_day(self, day: date) -> date | None:
        """Return the newest day whose labels are known on `day`; None if it has no predictions or no rows to join."""
        earlier = day - self.spec.label_delay
        tables = (self._predictions.tables[PREDICTIONS], self._labelled.table)
        return earlier if all(table.is_committed(earlier) for table in tables) else None

    def inputs(self, day: date) -> list:
        """Return the fingerprints of the predictions and labels, and of the holdouts of the live models.

        Raises:
            InputExpired: when the predictions were removed by retention.
            CannotMake: when the predictions, or labels that have landed, were never made.
        """
        table, earlier = self._predictions.tables[PREDICTIONS], self.labelled_day(day)
        own = [read_fingerprint(self.spec.name, table, day, PREDICTION_QUALITY, PREDICTIONS), self._holdouts_part(day)]
        if earlier is None:
            return own
        labels = self._labelled.inputs([earlier], day, f"the {PREDICTION_QUALITY} of {day}")
        return [*own, [earlier.isoformat(), table.fingerprint(earlier), self._holdouts_part(earlier), labels]]

    def make_day(self, day: date, single_partition: bool) -> StageOutput:
        """Estimate the quality of the day's predictions, and measure the quality of the day whose labels are known."""
        import pyarrow as pa

        from ml_assets.core.evaluation.prediction_quality import estimate_quality, measure_quality

        earlier, spec, rows = self.labelled_day(day), self.spec, []
        settings, metrics, seed = self.settings, self._metrics, spec.training.seed
        predictions = self._scored(day, self._columns)
        if len(predictions):
            rows += estimate_quality(day, predictions, self._holdouts_of(day), settings, metrics, seed)
        if earlier is not None:
            rows += measure_quality(
                earlier, self._with_labels(earlier, day), self._holdouts_of(earlier), settings, metrics, seed
            )
        table = pa.Table.from_pylist(rows, schema=self.tables[PREDICTION_QUALITY].schema.remove(0))
        return StageOutput({PREDICTION_QUALITY: table}, self._problem(day, len(predictions)))

    @property
    def _columns(self) -> list[str]:
        return [*self._predicted, *SIDES]

    @property
    def _predicted(self) -> list[str]:
        return [*self._metrics.columns, *([DECISION] if self._metrics.is_binary else [])]

    @cached_property
    def _metrics(self) -> "TaskMetrics":
        from ml_assets.core.metrics.scored_rows import task_metrics

        return replace(task_metrics(self.spec), weight=None)

    def problem(self, day: date) -> str | None:
        """Return why nothing was estimated on a day; None if something was."""
        return self._problem(day, self._predictions.tables[PREDICTIONS].row_counts().get(day, 0))

    def moves(self) -> "Sequence[Move]":
        """Return all releases, in their order."""
        return self._predictions.ledger.moves()

    def rows(self, days: Sequence[date]) -> list[dict]:
        """Return the committed rows of some days, ascending."""
        table = self.tables[PREDICTION_QUALITY]
        return table.read(days, [name for name in table.schema.names if name != "day"]).to_pylist()

    def _problem(self, day: date, predictions: int) -> str | None:
        return None if predictions else f"there are no predictions of {day}"

    def _scored(self, day: date, columns: list[str]) -> "pd.DataFrame":
        from ml_assets.core.tables.schemas import to_pandas

        return to_pandas(self._predictions.tables[PREDICTIONS].read([day], columns))

    def _with_labels(self, day: date, as_of: date) -> "pd.DataFrame":
        from ml_assets.core.model.target import encode_target

        key, target = self.spec.row_key, self.spec.target
        rows = self._labelled.read(day, as_of, [*key, target])
        labels = rows[key].assign(label=encode_target(self.spec, rows[target]))
        return self._scored(day, [*key, *self._columns]).merge(labels, on=key, how="left", validate="one_to_one")

    def _live(self, day: date) -> dict[str, Version]:
        live = self._predictions.live(day)
        versions = {CHAMPION: live.champion, CHALLENGER: live.challenger}
        return {side: version for side, version in versions.items() if version is not None}

    def _holdouts_part(self, day: date) -> list:
        return [
            [side, version.number, version.digest, *(table.fingerprint(version.day) for table in self._of_models())]
            for side, version in self._live(day).items()
        ]

    def _of_models(self) -> list:
        return [self._models, self._evaluation]

    def _holdouts_of(self, day: date) -> "dict[str, ScoredHoldout]":
        return {side: self._holdout(version) for side, version in self._live(day).items()}

    def _holdout(self, version: Version) -> "ScoredHoldout":
        key = version.digest, version.day, self._evaluation.fingerprint(version.day)
        if key not in self._holdouts:
            self._holdouts[key] = self._read_holdout(version)
        return self._holdouts[key]

    def _read_holdout(self, version: Version) -> "ScoredHoldout":
        from ml_assets.core.evaluation.prediction_quality import ScoredHoldout, threshold_of
        from ml_assets.core.metrics.resampled import point_values
        from ml_assets.core.tables.schemas import to_pandas

        digests = self._models.read([version.day], ["model_digest"])["model_digest"].to_pylist()
        if version.digest not in digests:
            return ScoredHoldout(problem=f"the lake no longer has the evaluation of {version}")
        metrics = self._metrics
        scored = metrics.labelled(to_pandas(self._evaluation.read([version.day], [self.spec.target, *self._predicted])))
        rows, threshold = metrics.read_rows(scored), threshold_of(scored) if metrics.is_binary else None
        # Metrics of the evaluation may be weighted; metrics of predictions count each row once.
        measured = point_values(metrics.measure(threshold)(rows.targets, rows.predictions, None))
        return ScoredHoldout(rows.targets, rows.predictions, measured)
