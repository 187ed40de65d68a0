"""Stage evaluation: the holdout scored by the model of the day and by the champion, metrics with intervals, gates."""

from collections.abc import Mapping, Sequence
from datetime import date
from math import nan
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.task import BINARY
from ml_assets.core.tables.code_version import code_version
from ml_assets.core.tables.fingerprint import fingerprint
from ml_assets.core.training.time_split import split_days
from ml_assets.pipeline.asset_names import CHAMPION_COMPARISON, EVALUATION, EVALUATION_METRICS, MODEL, SCORE_PROFILES
from ml_assets.pipeline.engine.day_state import is_committed
from ml_assets.pipeline.engine.gate import Gate
from ml_assets.pipeline.engine.stage import DayByDay, StageOutput
from ml_assets.pipeline.engine.upstream import read_fingerprint
from ml_assets.pipeline.evaluation.champion import Champions
from ml_assets.pipeline.evaluation.holdout import Holdout
from ml_assets.pipeline.evaluation.model_reader import read_scorer
from ml_assets.pipeline.evaluation.score_profiles import predict_days, profile_scores
from ml_assets.pipeline.features.label_store import labels_part
from ml_assets.pipeline.features.task_part import task_part
from ml_assets.pipeline.training.committed_rows import CommittedRows, to_rows
from ml_assets.pipeline.training.due_days import DueModels, not_due, why_no_model
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ml_assets.core.evaluation.gates import GateResult
    from ml_assets.core.metrics.scored_rows import ScoredRows
    from ml_assets.core.model.scorer import Scorer

ESTIMATE = ("value", "low", "high")


class ModelEvaluation(DayByDay):
    """Predictions of a model on its holdout, metrics with bootstrap intervals, and the comparison with the champion;
    its gates are blocking checks.

    Inputs: the model of the day, the feature days of the holdout, and the champion at the time when the day was
    computed. A new champion alone does not cause a day to be computed again.
    """

    name = EVALUATION
    reports_missing_inputs = True

    def __init__(
        self, spec: ModelSpec, lake: Lake, landing: Landing, registry: ModelRegistry, gate: Gate, due: DueModels
    ):
        from ml_assets.core.tables.schemas import (
            EVALUATION_METRICS_SCHEMA,
            SCORE_PROFILE_SCHEMA,
            TRAINED_MODEL_SCHEMA,
            evaluation_schema,
        )

        self.spec = spec
        self.lake = lake
        self.gate = gate
        self._due = due
        self.code = code_version(__name__)
        self.spec_part = {
            "evaluation": spec.evaluation.model_dump(mode="json", exclude={"slice_min_positives", "slice_min_rows"}),
            "outputs": [*spec.outputs.columns, spec.positive, spec.sample_weight],
            "compared_with_champion": spec.champion is not None,
            "columns": [spec.identity_columns(), spec.event_time, spec.target, spec.entity],
            "label_delay": spec.label_delay.days,
            "seed": spec.training.seed,
            **task_part(spec),
        }
        self.holdout = Holdout(spec, lake, landing)
        self._models = lake.table(spec.name, MODEL, TRAINED_MODEL_SCHEMA)
        if spec.labels:
            self.spec_part["labels"] = labels_part(spec)
        self._champions = Champions(spec, lake, registry)
        self.tables = {
            SCORE_PROFILES: lake.table(spec.name, SCORE_PROFILES, SCORE_PROFILE_SCHEMA),
            CHAMPION_COMPARISON: self._champions.table,
            EVALUATION_METRICS: lake.table(spec.name, EVALUATION_METRICS, EVALUATION_METRICS_SCHEMA),
            EVALUATION: lake.table(spec.name, EVALUATION, evaluation_schema(spec)),
        }
        self._metrics = CommittedRows(self.tables[EVALUATION_METRICS], lambda rows: rows.to_pandas())
        self._metric_rows = CommittedRows(self.tables[EVALUATION_METRICS], to_rows)
        self._model_rows = CommittedRows(self._models, to_rows)

    def refresh(self) -> None:
        """Reopen the inputs at their newest versions, and read the champion again."""
        self._champions.refresh()
        self.gate.refresh()
        self._due.refresh()
        self.holdout.rows.refresh()
        self._models.refresh()

    def inputs(self, day: date) -> list:
        """Return the fingerprint of the model, the fingerprints of the feature days that are read and of their labels
        as of `day`, and the champion.

        If no other input changed since the day was computed, the champion is the one that the day recorded, else the
        current one.

        Raises:
            KeepDay: while a blocking check of the day fails.
        """
        self.gate.hold(day)
        if reason := self.not_due(day):
            return [read_fingerprint(self.spec.name, self._models, day, EVALUATION, MODEL), reason]
        model_and_rows = self._model_and_rows(day)
        has_no_model = not self._models.is_assumed(day) and not self.model_row(day)["model_digest"]
        if self.spec.champion is None or has_no_model:
            return model_and_rows
        recorded = [*model_and_rows, *self._champions.recorded_input(day)]
        if self.tables[EVALUATION].holds(day, fingerprint(self.code, self.spec_part, recorded)):
            return recorded
        return [*model_and_rows, *self._champions.current_input()]

    def _model_and_rows(self, day: date) -> list:
        model = read_fingerprint(self.spec.name, self._models, day, EVALUATION, MODEL)
        days = self.holdout.days_read(day)
        return [model, *(self.holdout.rows.inputs(days, day, f"the {EVALUATION} of {day}") if days else [])]

    def make_day(self, day: date, single_partition: bool) -> StageOutput:
        """Score the holdout day by day, measure the metrics and compare with the champion."""
        import pyarrow as pa

        from ml_assets.core.evaluation.holdout_metrics import measure_holdout

        model = self.model_row(day)
        if not model["model_digest"]:
            empty = {name: table.schema.remove(0).empty_table() for name, table in self.tables.items()}
            return StageOutput(empty, None if not_due(model) else why_no_model(model))
        champion = self._champions.open_scorer(model["model_digest"], day)
        scorer = self.scorer(model["artifacts"])
        scores_by_day = self.holdout.score_days(day, scorer, champion)
        scores = self.holdout.select_evaluated_rows(day, scores_by_day)
        metrics = measure_holdout(self.spec, scores, model["threshold"])
        stored = scores.rename(columns={"day": "event_day"})
        return StageOutput(
            {
                SCORE_PROFILES: self._profile_scores(day, scorer, scores_by_day),
                CHAMPION_COMPARISON: self._champions.compare(champion, scores, model["threshold"]),
                EVALUATION_METRICS: pa.Table.from_pandas(
                    metrics, schema=self.tables[EVALUATION_METRICS].schema.remove(0), preserve_index=False, nthreads=1
                ),
                EVALUATION: pa.Table.from_pandas(
                    stored, schema=self.tables[EVALUATION].schema.remove(0), preserve_index=False, nthreads=1
                ),
            }
        )

    def _profile_scores(self, day: date, scorer: "Scorer", scores_by_day: "Mapping[date, pd.DataFrame]") -> "pa.Table":
        main = self.spec.outputs.main
        holdout = {scored_day: rows[main].to_numpy() for scored_day, rows in scores_by_day.items()}
        window = predict_days(scorer, self.holdout.rows, split_days(self.spec, day).window)
        return profile_scores({**window, **holdout}, self.spec.source.time_zone, self.spec.task)

    def model_row(self, day: date) -> dict:
        """Read the row of trained_model of one day; without a digest, and with the reason, if it has no model."""
        rows = self._model_rows.read(day)
        return rows[0] if rows else {"model_digest": None, "problem": self.gate.reason(day) or "it was not made"}

    def evaluated_model(self, day: date) -> dict:
        """Read the row of trained_model of one day, see `model_row`. If the model was not evaluated, because days of
        its holdout have not been computed, the row is that of a day without a model.
        """
        row = self.model_row(day)
        is_evaluated = not row["model_digest"] or is_committed(self, day)
        return row if is_evaluated else {"model_digest": None, "problem": "it was not evaluated"}

    def not_due(self, day: date) -> str | None:
        """Return why no model was due on a day without a model; None if it has one, or one was due."""
        if self._models.is_assumed(day):
            due = self._due.decide(day)
            return None if due.is_due else due.reason
        return not_due(self.model_row(day))

    def scorer(self, artifacts: str) -> "Scorer":
        """Read the model whose files are in the folder `artifacts` of the lake."""
        return read_scorer(self.lake, artifacts)

    def metrics(self, day: date) -> "pd.DataFrame":
        """Read the committed metrics of one day, overall and of slices."""
        return self._metrics.read(day)

    def metric_rows(self, day: date) -> list[dict]:
        """Read the committed metrics of one day as a list, without pandas, which a day with nothing to do need not
        load.
        """
        rows = self._metric_rows.read(day)
        return [{**row, **{name: nan if row[name] is None else row[name] for name in ESTIMATE}} for row in rows]

    def overall(self, day: date) -> "pd.DataFrame":
        """Read the committed metrics of one day on all rows together."""
        metrics = self.metrics(day)
        return metrics[metrics["slice_column"].fillna("") == ""]

    def labelled_rows(self, day: date) -> "ScoredRows":
        """Read targets and predictions of the holdout rows of one day's model, as committed; rows without a label, or
        of weight 0, are left out.
        """
        from ml_assets.core.metrics.scored_rows import task_metrics
        from ml_assets.core.tables.schemas import to_pandas

        task = task_metrics(self.spec)
        weight = [task.weight] if task.weight else []
        names = list(dict.fromkeys([self.spec.target, *weight, *task.columns]))
        return task.read_rows(task.labelled(to_pandas(self.tables[EVALUATION].read([day], names))))

    def late_labels(self, days: Sequence[date], day: date) -> tuple[int, int] | None:
        """Count the labels of the rows of `days` as of `day`: (those that counted only after `label_delay`, all).

        None if labels come with the rows.
        """
        return self.holdout.rows.labels.count_late(days, day) if self.holdout.rows.labels else None

    def champion_differences(self) -> list[str]:
        """Return how MLflow differs from the release ledger, one sentence for each difference."""
        return self._champions.differences()

    def gate_results(self, day: date) -> "list[GateResult]":
        """Evaluate each gate of the spec on the committed metrics of one day: of all rows, of slices, and against the
        champion.
        """
        from ml_assets.core.evaluation.gates import evaluate_champion_gate, evaluate_gates, evaluate_slice_gates

        metrics = self.metric_rows(day)
        overall = {row["metric"]: row["value"] for row in metrics if not row["slice_column"]}
        slices = [row for row in metrics if row["slice_column"]]
        gate_results = evaluate_gates(self.spec.gates, overall)
        evaluation = self.spec.evaluation
        enough = (
            (evaluation.slice_min_positives, "positives")
            if self.spec.task == BINARY
            else (evaluation.slice_min_rows, "rows")
        )
        gate_results += evaluate_slice_gates(self.spec.gates, slices, *enough)
        if self.spec.champion is not None:
            gate_results.append(evaluate_champion_gate(self.spec.champion, self._champions.comparison(day)))
        return gate_results
