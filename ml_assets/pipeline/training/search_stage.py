"""Stage parameter_search: the parameters that models of a day are trained with, searched every few days; trials lie in
the lake one by one.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from importlib.metadata import version
from typing import TYPE_CHECKING, NoReturn, Protocol

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.code_version import code_version
from ml_assets.core.tables.fingerprint import digest
from ml_assets.core.training.time_split import HistoryTooShort, searched_on, split_days
from ml_assets.pipeline.asset_names import SEARCH
from ml_assets.pipeline.engine.gate import Gate
from ml_assets.pipeline.engine.stage import CannotMake, StageOutput
from ml_assets.pipeline.features.label_store import labels_part
from ml_assets.pipeline.features.labelled_features import LabelledFeatures, TrainingRows
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.table import Table
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    from ml_assets.core.training.trials import SearchResult, Trial


class TrialLog(Protocol):
    """Where trials are told of beside the lake."""

    def tell(self, trial: "Trial") -> None:
        """Tell of a trial; one that was told of before is left as it is."""
        ...


OpenLog = Callable[[str, date], AbstractContextManager[TrialLog]]


@contextmanager
def refuse_to_search(study: str, day: date) -> Iterator[NoReturn]:
    """For a stage that is opened to be asked and read.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(f"parameters of {day} are searched by materialising {SEARCH}")
    yield


def searches_key(model: str) -> str:
    """The folder of a model's searches, relative to the lake."""
    return f"{model}/searches/"


def studies_of(table: Table) -> set[str]:
    """The studies whose parameters some day has, of the table of parameter_search."""
    return {
        study for study in table.read(sorted(table.row_counts()), ["study"])["study"].to_pylist() if study is not None
    }


class ParameterSearch:
    """Parameters of XGBoost that Optuna found best on time-ordered folds of the training window; searched every few
    days, used for the days between.

    Inputs: the feature days of the training window of the day as of which the parameters are searched.
    """

    name = SEARCH

    def __init__(
        self,
        spec: ModelSpec,
        lake: Lake,
        landing: Landing,
        gate: Gate,
        log: Callable[[str], None],
        open_log: OpenLog,
    ):
        """Open the stage.

        Args:
            spec: the model; its training has a search.
            lake: holds the tables.
            landing: holds the files.
            gate: keeps days out.
            log: takes lines for the log of the run.
            open_log: opens the log for the trials of a study, given its name and its day.
        """
        from ml_assets.core.training.trials import PARAMETER_SEARCH

        self.spec = spec
        self.lake = lake
        self.gate = gate
        self._log = log
        self._open_log = open_log
        libraries = " ".join(f"{name} {version(name)}" for name in ("xgboost", "optuna"))
        self.code = f"{code_version(__name__)} {libraries}"
        # What decides the trials, whatever the budget: a larger one goes on with those that there are.
        self._of_trials = {
            "training": {
                **spec.training.settings_of_model(on_gpu=spec.compute.gpu > 0),
                "search": self._settings(exclude={"trials", "minutes", "every"}),
            },
            "features": [spec.feature_names(), spec.categorical_features(), spec.target],
            "compute": [spec.compute.cpu, spec.compute.gpu],
            "labels": labels_part(spec),
        }
        self.spec_part = {
            "trials": self._of_trials,
            "search": self._settings(),
            "days": [spec.label_delay.days, spec.evaluation.holdout.days],
        }
        self._rows = LabelledFeatures(spec, lake, landing)
        self.tables = {SEARCH: lake.table(spec.name, SEARCH, PARAMETER_SEARCH)}
        self._found: dict[str, SearchResult] = {}

    def _settings(self, exclude: "set[str] | None" = None) -> dict:
        assert self.spec.training.search is not None
        return self.spec.training.search.model_dump(mode="json", exclude=exclude)

    def refresh(self) -> None:
        """See what has been made since."""
        self.gate.refresh()
        self._rows.refresh()
        self._found.clear()

    def days_read(self, day: date) -> list[date]:
        """The feature days that the search for the parameters of a day reads; none where the data begin too late for a
        model.
        """
        try:
            return split_days(self.spec, searched_on(self.spec, day)).window
        except HistoryTooShort:
            return []

    def inputs(self, day: date) -> list:
        """The day as of which the parameters are searched, and the feature days of its training window with the labels
        that count on it.

        None of them where the data begin too late for a model.

        Raises:
            KeepDay: while a blocking check of the day fails.
        """
        self.gate.hold(day)
        try:
            as_of = searched_on(self.spec, day)
        except HistoryTooShort as error:
            return [str(error)]
        return [as_of.isoformat(), *self._rows.inputs(self.days_read(day), as_of, f"the {SEARCH} of {day}")]

    def make(self, day: date, single_partition: bool) -> StageOutput:
        """Search, going on with the trials that there are, or take what was found for an earlier day with the same
        inputs.
        """
        import pyarrow as pa

        from ml_assets.core.training.train import TrainingDataError
        from ml_assets.core.training.trials import PARAMETER_SEARCH

        try:
            as_of = searched_on(self.spec, day)
            study = digest(self.code, self._of_trials, self.inputs(day))[:16]
            found = self._found.get(study) or self._search(study, as_of)
        except (TrainingDataError, HistoryTooShort) as error:
            if single_partition:
                raise CannotMake(f"no parameters of {day}: {error}") from error
            none = {"problem": str(error)}
            return StageOutput({SEARCH: pa.Table.from_pylist([none], schema=PARAMETER_SEARCH)}, str(error))
        self._found[study] = found
        row = {
            "searched_on": as_of,
            "study": study,
            "parameters": json.dumps(dict(found.best.parameters), sort_keys=True),
            "metric": self._settings()["metric"],
            **found.figures(),
        }
        return StageOutput({SEARCH: pa.Table.from_pylist([row], schema=PARAMETER_SEARCH)})

    def _search(self, study: str, as_of: date) -> "SearchResult":
        from ml_assets.core.training.hyperparameter_search import search

        held = {trial.number: trial for trial in self.trials(study)}
        if held:
            self._log(f"{self.spec.name}: study {study} goes on with the {len(held)} trials that it has")
        with self._open_log(study, as_of) as told:

            def keep(trial: "Trial") -> None:
                self.lake.files.write(
                    f"{searches_key(self.spec.name)}{study}/trial-{trial.number:04}.json", trial.to_json()
                )
                told.tell(trial)

            # A process that died between the two left a trial that was not told of.
            for trial in held.values():
                told.tell(trial)
            window = split_days(self.spec, as_of).window
            return search(self.spec, window, TrainingRows(self._rows, as_of, window), held, keep, self._log)

    def trials(self, study: str) -> "Sequence[Trial]":
        """The trials that the lake has of a study, in order.

        Raises:
            CannotMake: when one cannot be read; it names the file.
        """
        from ml_assets.core.training.trials import Trial

        found = []
        for key in sorted(self.lake.files.keys(f"{searches_key(self.spec.name)}{study}/trial-")):
            try:
                found.append(Trial.from_json(self.lake.files.read(key)))
            except ValueError as error:
                raise CannotMake(
                    f"{self.spec.name}: {key} in the lake: {error}; delete the file, and the trial is made again"
                ) from error
        return found

    def row(self, day: date) -> dict:
        """The committed row of one day; without parameters, and with the reason, where there are none."""
        rows = self.tables[SEARCH].read([day]).to_pylist()
        return rows[0] if rows else {"parameters": None, "problem": self.gate.reason(day) or "it was not made"}
