"""Stage parameter_search: parameters for the models of a day, searched every few days.

Each trial is a separate file in the lake.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from importlib.metadata import version
from typing import TYPE_CHECKING, NoReturn, Protocol

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.code_version import code_version
from ml_assets.core.tables.fingerprint import digest, fingerprint
from ml_assets.core.training.time_split import HistoryTooShort, searched_on, split_days
from ml_assets.pipeline.asset_names import SEARCH
from ml_assets.pipeline.engine.gate import Gate
from ml_assets.pipeline.engine.stage import CannotMake, DayByDay, StageOutput
from ml_assets.pipeline.features.label_store import labels_part
from ml_assets.pipeline.features.labelled_features import LabelledFeatures, TrainingRows
from ml_assets.pipeline.features.task_part import task_part
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    from ml_assets.core.training.trials import SearchResult, Trial
    from ml_assets.pipeline.training.due_days import DueModels


class TrialLog(Protocol):
    """Log of trials outside the lake, such as MLflow."""

    def log_trial(self, trial: "Trial") -> None:
        """Log a trial; a trial that was logged before is not changed."""
        ...


OpenLog = Callable[[str, date], AbstractContextManager[TrialLog]]


@contextmanager
def refuse_to_search(study: str, day: date) -> Iterator[NoReturn]:
    """Refuse to search, for a stage that is opened read-only.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(f"parameters of {day} are only searched when {SEARCH} is materialized")
    yield


def searches_key(model: str) -> str:
    """Return the folder of a model's searches, relative to the lake."""
    return f"{model}/searches/"


def read_studies(table: Table) -> set[str]:
    """Read the studies whose parameters at least one day has, from the table of parameter_search."""
    return {
        study for study in table.read(sorted(table.row_counts()), ["study"])["study"].to_pylist() if study is not None
    }


class ParameterSearch(DayByDay):
    """XGBoost parameters that Optuna found best on time-ordered folds of the training window, searched every few days
    and used for the days in between.

    Inputs: the feature days of the training window of the day as of which the parameters are searched.
    """

    name = SEARCH
    reports_missing_inputs = True

    def __init__(
        self,
        spec: ModelSpec,
        lake: Lake,
        landing: Landing,
        gate: Gate,
        due: "DueModels",
        log: Callable[[str], None],
        open_log: OpenLog,
    ):
        """Open the stage.

        Args:
            spec: the model; its training has a search.
            lake: holds the tables.
            landing: holds the files.
            gate: holds back days while a blocking check of their data fails.
            due: decides whether a model is due on a day; if none is, no parameters are searched for it.
            log: writes a line to the log of the run.
            open_log: opens the log for the trials of a study, given its name and its day.
        """
        from ml_assets.core.training.trials import PARAMETER_SEARCH_SCHEMA

        self.spec = spec
        self.lake = lake
        self.gate = gate
        self._due = due
        self._log = log
        self._open_log = open_log
        libraries = " ".join(f"{name} {version(name)}" for name in ("xgboost", "optuna"))
        self.code = f"{code_version(__name__)} {libraries}"
        # Identifies the trials regardless of the budget: a search with a larger budget continues the existing trials.
        self._trial_spec = {
            "training": {
                **spec.training.settings_of_model(on_gpu=spec.compute.gpu > 0),
                "search": self._settings(exclude={"trials", "minutes", "every"}),
            },
            "features": [spec.feature_names(), spec.categorical_features(), spec.target],
            "compute": [spec.compute.cpu, spec.compute.gpu],
            "labels": labels_part(spec),
            **task_part(spec),
        }
        self.spec_part = {
            "trials": self._trial_spec,
            "search": self._settings(),
            "days": [spec.label_delay.days, spec.evaluation.holdout.days],
        }
        self._rows = LabelledFeatures(spec, lake, landing)
        self.tables = {SEARCH: lake.table(spec.name, SEARCH, PARAMETER_SEARCH_SCHEMA)}
        self._results: dict[str, SearchResult] = {}

    def _settings(self, exclude: "set[str] | None" = None) -> dict:
        assert self.spec.training.search is not None
        return self.spec.training.search.model_dump(mode="json", exclude=exclude)

    def refresh(self) -> None:
        """Forget cached results and reopen the inputs at their newest versions."""
        self.gate.refresh()
        self._rows.refresh()
        self._due.refresh()
        self._results.clear()

    def days_read(self, day: date) -> list[date]:
        """Return the feature days that the search for the parameters of a day reads; none if the data begin too late
        for a model.
        """
        try:
            return split_days(self.spec, searched_on(self.spec, day)).window
        except HistoryTooShort:
            return []

    def inputs(self, day: date) -> list:
        """Return the day as of which the parameters are searched, and the feature days of its training window with
        their labels as of that day; only the reason if the data begin too late for a model, or none is due.

        Raises:
            KeepDay: while a blocking check of the day fails.
        """
        self.gate.hold(day)
        try:
            as_of = searched_on(self.spec, day)
        except HistoryTooShort as error:
            return [str(error)]
        due = self._due.decide(day)
        if due.is_due:
            return self._read_inputs(day, as_of)
        # Parameters of a model that was trained before the interval changed are kept.
        if not self.tables[SEARCH].is_assumed(day) and self.row(day)["parameters"]:
            inputs = self._read_inputs(day, as_of)
            if self.tables[SEARCH].holds(day, fingerprint(self.code, self.spec_part, inputs)):
                return inputs
        return [due.reason]

    def _read_inputs(self, day: date, as_of: date) -> list:
        return [as_of.isoformat(), *self._rows.inputs(self.days_read(day), as_of, f"the {SEARCH} of {day}")]

    def make_day(self, day: date, single_partition: bool) -> StageOutput:
        """Search the parameters, continuing with existing trials, or take the result of an earlier day with the same
        inputs.
        """
        import pyarrow as pa

        from ml_assets.core.training.row_counts import TrainingDataError
        from ml_assets.core.training.trials import PARAMETER_SEARCH_SCHEMA

        try:
            as_of = searched_on(self.spec, day)
            if not self._due.decide(day).is_due:
                return StageOutput({SEARCH: pa.Table.from_pylist([{}], schema=PARAMETER_SEARCH_SCHEMA)})
            study = digest(self.code, self._trial_spec, self.inputs(day))[:16]
            result = self._results.get(study) or self._search(study, as_of)
        except (TrainingDataError, HistoryTooShort) as error:
            if single_partition:
                raise CannotMake(f"no parameters for {day}: {error}") from error
            row = {"problem": str(error)}
            return StageOutput({SEARCH: pa.Table.from_pylist([row], schema=PARAMETER_SEARCH_SCHEMA)}, str(error))
        self._results[study] = result
        row = {
            "searched_on": as_of,
            "study": study,
            "parameters": json.dumps(dict(result.best.parameters), sort_keys=True),
            "metric": self._settings()["metric"],
            **result.figures(),
        }
        return StageOutput({SEARCH: pa.Table.from_pylist([row], schema=PARAMETER_SEARCH_SCHEMA)})

    def _search(self, study: str, as_of: date) -> "SearchResult":
        from ml_assets.core.training.hyperparameter_search import search

        existing = {trial.number: trial for trial in self.trials(study)}
        if existing:
            self._log(f"{self.spec.name}: study {study} continues with its {len(existing)} existing trials")
        with self._open_log(study, as_of) as trial_log:

            def save(trial: "Trial") -> None:
                self.lake.files.write(
                    f"{searches_key(self.spec.name)}{study}/trial-{trial.number:04}.json", trial.to_json()
                )
                trial_log.log_trial(trial)

            # A process that died between writing and logging left a trial that is not in the log.
            for trial in existing.values():
                trial_log.log_trial(trial)
            window = split_days(self.spec, as_of).window
            return search(self.spec, window, TrainingRows(self._rows, as_of, window), existing, save, self._log)

    def trials(self, study: str) -> "Sequence[Trial]":
        """Read the trials of a study from the lake, in order.

        Raises:
            CannotMake: when a trial cannot be read; names the file.
        """
        from ml_assets.core.training.trials import Trial

        trials = []
        for key in sorted(self.lake.files.keys(f"{searches_key(self.spec.name)}{study}/trial-")):
            try:
                trials.append(Trial.from_json(self.lake.files.read(key)))
            except ValueError as error:
                raise CannotMake(
                    f"{self.spec.name}: {key} in the lake: {error}; delete the file so that the trial is run again"
                ) from error
        return trials

    def row(self, day: date) -> dict:
        """Read the committed row of one day; without parameters, and with the reason, if there are none."""
        rows = self.tables[SEARCH].read([day]).to_pylist()
        return rows[0] if rows else {"parameters": None, "problem": self.gate.reason(day) or "it was not made"}
