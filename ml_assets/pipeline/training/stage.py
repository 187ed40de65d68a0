"""Stage trained_model: the model of day D, trained on the feature days whose labels are known on D."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.code_version import code_version
from ml_assets.core.tables.fingerprint import fingerprint
from ml_assets.core.training.overrides import with_training
from ml_assets.core.training.time_split import HistoryTooShort, Split, split_days
from ml_assets.pipeline.asset_names import MODEL, SEARCH
from ml_assets.pipeline.engine.day_state import expected_fingerprint
from ml_assets.pipeline.engine.gate import Gate
from ml_assets.pipeline.engine.stage import CannotMake, Stage, StageOutput, StageWithArtifacts
from ml_assets.pipeline.engine.upstream import read_fingerprint
from ml_assets.pipeline.features.label_store import labels_part
from ml_assets.pipeline.features.labelled_features import TrainingRows
from ml_assets.pipeline.features.task_part import task_part
from ml_assets.pipeline.training.checkpoints import LakeCheckpoints
from ml_assets.pipeline.training.committed_rows import CommittedRows, to_rows
from ml_assets.pipeline.training.due_days import DueModels
from ml_assets.pipeline.training.progress import Follow
from ml_assets.pipeline.training.provenance import TrainingProvenance
from ml_assets.pipeline.training.recent_features import RecentFeatures
from ml_assets.pipeline.training.side_by_side import SideBySide, TrainingInput
from ml_assets.pipeline.training.stored_model import store_model, to_table
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import complete_models
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    from ml_assets.core.training.train import TrainedModel
    from ml_assets.pipeline.training.search_stage import ParameterSearch


class ModelTraining(StageWithArtifacts):
    """XGBoost model of a day, trained on the feature days whose labels are known on that day; its files, with its
    provenance, are in the lake under its digest.

    Inputs: the feature days of the training window and, if parameters are searched, those found for the day. A day on
    which no model is due (`training.every`) has none; a model that was trained before stays until its inputs change.
    """

    name = MODEL
    reports_missing_inputs = True

    def __init__(
        self,
        spec: ModelSpec,
        lake: Lake,
        landing: Landing,
        gate: Gate,
        due: DueModels,
        upstream: Sequence[Stage],
        search: "ParameterSearch | None",
        log: Callable[[str], None],
        follow: Follow,
        overrides: Mapping[str, object] | None,
    ):
        """Open the stage.

        Args:
            spec: the model.
            lake: holds the tables and the files of models.
            landing: holds the files.
            gate: holds back days while a blocking check of their data fails.
            due: decides whether a model is due on a day.
            upstream: the stages from landed files to features, in order; the provenance of a model names their results.
            search: the stage that searches parameters, if the model has one.
            log: writes a line to the log of the run.
            follow: opens a callback for the progress of the model of a day, or None to leave it to the log.
            overrides: settings of training that this run overrides, by name.
        """
        from ml_assets.core.tables.schemas import TRAINED_MODEL_SCHEMA

        self.spec = spec
        self.lake = lake
        self.search = search
        self.overrides = dict(overrides or {})
        self.gate = gate
        self.due = due
        self._upstream = upstream
        self._log = log
        self._follow = follow
        self.code = f"{code_version(__name__)} xgboost {version('xgboost')}"
        self.spec_part = {
            "training": spec.training.settings_of_model(on_gpu=spec.compute.gpu > 0),
            "features": [spec.feature_names(), spec.categorical_features(), spec.target],
            "days": [spec.label_delay.days, spec.evaluation.holdout.days],
            "compute": [spec.compute.cpu, spec.compute.gpu],
            **task_part(spec),
            **{name: part for name, part in [("overrides", self.overrides), ("labels", labels_part(spec))] if part},
        }
        self._rows = RecentFeatures(spec, lake, landing)
        self._provenance = TrainingProvenance(spec, self._rows, upstream, search)
        self.tables = {MODEL: lake.table(spec.name, MODEL, TRAINED_MODEL_SCHEMA)}
        self._committed = CommittedRows(self.tables[MODEL], to_rows)
        self._complete_models: set[str] | None = None

    def refresh(self) -> None:
        """Reopen the inputs at their newest versions."""
        self._complete_models = None
        self.gate.refresh()
        self._rows.refresh()
        self.due.refresh()
        if self.search:
            self.search.refresh()
        for stage in (*self._upstream, *([self.search] if self.search else [])):
            for table in stage.tables.values():
                table.refresh()

    def inputs(self, day: date) -> list:
        """Return day and fingerprint of each feature day of the training window and of its labels as of `day`, and the
        parameters found for `day`; only the reason if the data begin too late, or no model is due.

        Raises:
            KeepDay: while a blocking check of the day fails.
        """
        self.gate.hold(day)
        try:
            due = self.due.decide(day)
            if due.is_due or self.overrides:
                return self._read_inputs(day)
            return self._inputs_of_kept_model(day) or [due.reason]
        except HistoryTooShort as error:
            return [str(error)]

    def _inputs_of_kept_model(self, day: date) -> list | None:
        """Return the inputs of a model that is not due but was trained before; None if they have changed."""
        if self.tables[MODEL].is_assumed(day) or not self.row(day)["model_digest"]:
            return None
        inputs = self._read_inputs(day)
        return inputs if self.tables[MODEL].holds(day, fingerprint(self.code, self.spec_part, inputs)) else None

    def _read_inputs(self, day: date) -> list:
        inputs = self._rows.inputs(split_days(self.spec, day).window, day, f"the {MODEL} of {day}")
        if self.search:
            inputs.append([SEARCH, read_fingerprint(self.spec.name, self.search.tables[SEARCH], day, MODEL, SEARCH)])
        return inputs

    def memory(self, days: Sequence[date]) -> int | None:
        """Estimate the bytes of the few models that are trained side by side at a time; None if a model takes all
        threads, or is not due every day.
        """
        from ml_assets.core.training.concurrency import memory_at_once, models_at_once

        if not self.due.is_every_day:
            return None
        counts = self._rows.table.row_counts()
        return memory_at_once(self.spec, days, counts) if models_at_once(self.spec, days, counts) > 1 else None

    def make(self, days: Sequence[date], single_partition: bool) -> Iterator[StageOutput]:
        """Train the models of days and write their files into the lake, under their digests; see `Stage.make`.

        The models of several days are trained side by side, each with as many threads as by itself, so that its bytes
        are the same.
        """
        from ml_assets.core.training.concurrency import models_at_once

        at_once = min(models_at_once(self.spec, days, self._rows.table.row_counts()), len(days))
        if at_once < 2:
            for day in days:
                yield self._make_day(day, single_partition, partial(self.train, day, self._checkpoints(day)))
            return
        with SideBySide(days, at_once, self._prepare, self._checkpoints, self._follow, self._log_of_day) as trainings:
            for day in days:
                yield self._make_day(day, single_partition, partial(trainings.result, day))

    def _checkpoints(self, day: date) -> LakeCheckpoints:
        fingerprint_of_day, log = partial(expected_fingerprint, self, day), partial(self._log_of_day, day)
        return LakeCheckpoints(self.lake, self.spec.name, day, fingerprint_of_day, log)

    def _log_of_day(self, day: date, line: str) -> None:
        self._log(f"{day}: {line}")

    def _prepare(self, day: date) -> TrainingInput:
        split, read = split_days(self.spec, day), self.reader(day)
        return TrainingInput(self.resolve_spec(day), split, {row_day: read(row_day) for row_day in split.window})

    def _make_day(
        self, day: date, single_partition: bool, train: "Callable[[], tuple[Split, TrainedModel]]"
    ) -> StageOutput:
        """Write the files of the model of one day into the lake, unless none is due."""
        from ml_assets.core.training.row_counts import TrainingDataError

        due, row, problem = self.due.decide(day), {}, None
        try:
            if due.is_due or self.overrides or self._inputs_of_kept_model(day):
                split, model = train()
                row = store_model(self.lake, self.spec.name, split, model, self.provenance(day, split, model))
        except (TrainingDataError, HistoryTooShort) as error:
            if single_partition:
                raise CannotMake(f"no model of {day}: {error}") from error
            row, problem = {"problem": str(error)}, str(error)
        table = to_table({**row, "due": due.reason})
        return StageOutput({MODEL: table}, problem, needs_immediate_commit=self.due.depends_on_models)

    def resolve_spec(self, day: date) -> ModelSpec:
        """Return the specification of the model of a day, with the parameters found for it and the run's overrides.

        Raises:
            TrainingDataError: when no parameters were found; the message says why.
            ValueError: when an override is not allowed.
        """
        from ml_assets.core.training.row_counts import TrainingDataError

        row = self.search.row(day) if self.search else {"parameters": "{}"}
        if not row["parameters"]:
            reason = row["problem"] or "no model was due; materialize parameter_search with trained_model"
            raise TrainingDataError(f"no parameters were found for the day: {reason}")
        return with_training(self.spec, {**json.loads(row["parameters"]), **self.overrides})

    def train(self, day: date, checkpoints: LakeCheckpoints | None = None) -> "tuple[Split, TrainedModel]":
        """Train the model of a day without storing it; only checkpoints are stored, if there are any.

        Raises:
            TrainingDataError, HistoryTooShort: when there is no data to train it on.
            ValueError: when an override is not allowed.
        """
        from ml_assets.core.training.train import train

        split = split_days(self.spec, day)
        with self._follow(day) as report_progress:
            log = partial(self._log_of_day, day)
            return split, train(self.resolve_spec(day), split, self.reader(day), log, report_progress, checkpoints)

    def reader(self, day: date) -> TrainingRows:
        """Return a reader of the days of the training window, with the labels as of `day`.

        Raises:
            HistoryTooShort: when the data begin too late for a model.
        """
        return TrainingRows(self._rows, day, split_days(self.spec, day).window)

    def input_fingerprints(self, day: date) -> dict[str, dict[date, int]]:
        """Return the current fingerprints of the days that the model of a day reads; see `TrainingProvenance`."""
        return self._provenance.input_fingerprints(day)

    def provenance(self, day: date, split: Split, model: "TrainedModel") -> bytes:
        """Build the provenance of a model of the day, as JSON."""
        code = {stage.name: stage.code for stage in (*self._upstream, self)}
        return self._provenance.build(day, split, model, code, self.resolve_spec(day), self.overrides)

    def row(self, day: date) -> dict:
        """Read the committed row of one day: its model, or the problem; if there is no row, return the reason as
        the problem.
        """
        rows = self._committed.read(day)
        return rows[0] if rows else {"model_digest": None, "problem": self.gate.reason(day) or "it was not made"}

    def has_artifacts(self, day: date) -> bool:
        """Return whether all files of the model of a day are in the lake; True if the day has no model."""
        digest = self.row(day)["model_digest"]
        if digest and self._complete_models is None:
            self._complete_models = complete_models(self.lake, self.spec.name)
        return not digest or digest in (self._complete_models or ())
