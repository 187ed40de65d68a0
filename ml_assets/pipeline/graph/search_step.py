"""The step parameter_search, whose trials MLflow and the daily report show."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.search import Search
from ml_assets.core.model_spec.types.metric_names import LOWER_IS_BETTER
from ml_assets.core.tables import columns
from ml_assets.pipeline.asset_names import FEATURES, LABELS, SEARCH
from ml_assets.pipeline.graph.asset_specs import asset, depends, paragraph, schema
from ml_assets.pipeline.graph.column_schemas import table_columns
from ml_assets.pipeline.graph.stages import builder_of
from ml_assets.pipeline.steps.check_results import table
from ml_assets.pipeline.steps.stage_step import StageStep
from ml_assets.pipeline.training.search_stage import ParameterSearch
from ml_assets.pipeline.training.trial_log import OptionalTrialLog

if TYPE_CHECKING:
    from ml_assets.core.operations.reports.daily_report import Part
    from ml_assets.core.training.trials import Trial
    from ml_assets.resources.mlflow.trial_runs import TrialRuns


class SearchStep(StageStep[ParameterSearch]):
    """parameter_search, for a specification that has a search."""

    resources = frozenset({"tracking"})

    @cached_property
    def asset_specs(self) -> list[dg.AssetSpec]:
        """The parameters of a day."""
        spec, search = self.spec, _settings(self.spec)
        last = 2 * spec.label_delay.days + spec.evaluation.holdout.days
        first = last + spec.training.window.days - 1 + search.every.days - 1
        labels = [depends(spec, LABELS, first)] if spec.labels else []
        deps, kinds = [depends(spec, FEATURES, first, last), *labels], {"optuna", "xgboost"}
        return [
            asset(
                spec,
                SEARCH,
                paragraph(ParameterSearch),
                "training",
                kinds,
                deps,
                **schema(table_columns(columns.PARAMETER_SEARCH)),
            )
        ]

    def build(self, context: dg.AssetExecutionContext) -> ParameterSearch:
        """Build the stage for a run; it logs its trials to MLflow."""

        @contextmanager
        def open_log(study: str, day: date) -> "Iterator[TrialRuns]":
            """Open the run of MLflow under which the trials of a study are nested."""
            from ml_assets.resources.mlflow.trial_runs import TrialRuns

            with context.resources.tracking.run(context, self.spec.name) as run:
                yield TrialRuns(run, self.spec.name, study, day, _settings(self.spec).metric)

        def open_optional_log(study: str, day: date) -> OptionalTrialLog:
            return OptionalTrialLog(lambda: open_log(study, day), context.log.warning, f"{self.spec.name} {day}")

        return builder_of(self.spec, context).search(context.log.info, open_optional_log)

    def problem(self, stage: ParameterSearch, day: date) -> str | None:
        """Say why there are no parameters."""
        return stage.row(day)["problem"]

    def metadata(self, stage: ParameterSearch, day: date) -> dict[str, Any]:
        """Describe the parameters of a day as numbers, which the UI plots over time."""
        return _parameter_metadata(stage, day)

    def newest_metadata(self, stage: ParameterSearch, day: date) -> dict[str, Any]:
        """Show all trials as a table."""
        trials = _trial_rows(stage, day)
        return {"all_trials": table(trials)} if trials else {}

    def report_parts(self, stage: ParameterSearch, days: Sequence[date]) -> "Iterator[Part]":
        """Report the parameters of each day, and the trials of the newest."""
        return _report_parts(stage, days)


def _settings(spec: ModelSpec) -> Search:
    assert spec.training.search is not None
    return spec.training.search


def _parameter_metadata(stage: ParameterSearch, day: date) -> dict[str, Any]:
    """Describe the parameters of a day and the study behind them."""
    import json

    row = stage.row(day)
    if not row["parameters"]:
        return {}
    names = ("study", "trial", "metric", "value", "stated_value", "trials", "pruned", "stopped_by")
    return {
        **{name: row[name] for name in names},
        "searched_on": str(row["searched_on"]),
        **json.loads(row["parameters"]),
    }


def _trial_rows(stage: ParameterSearch, day: date) -> list[dict[str, object]]:
    """List the trials behind the parameters of a day, the best first."""
    row = stage.row(day)
    if not row["parameters"]:
        return []

    def rank(trial: "Trial") -> tuple[bool, float, int]:
        return trial.pruned, trial.value if row["metric"] in LOWER_IS_BETTER else -trial.value, trial.number

    trials = sorted(stage.trials(row["study"])[: row["trials"]], key=rank)
    return [
        {
            "trial": trial.number,
            row["metric"]: round(trial.value, 6),
            "pruned": trial.pruned,
            "seconds": round(trial.seconds, 2),
            **trial.parameters,
        }
        for trial in trials
    ]


def _report_parts(stage: ParameterSearch, days: Sequence[date]) -> "Iterator[Part]":
    """Report the parameters of each day, and the trials of the newest."""
    import json

    from ml_assets.core.operations.reports.daily_report import Part, Table

    for day in days:
        row = stage.row(day)
        provenance: dict[str, object] = {"fingerprint": f"{stage.tables[SEARCH].fingerprint(day) or 0:016x}"}
        if not row["parameters"]:
            yield Part(SEARCH, day, "no model", provenance=provenance)
            continue
        facts = {
            row["metric"]: row["value"],
            "of_stated_parameters": row["stated_value"],
            "trials": row["trials"],
            "stopped_by": row["stopped_by"],
        }
        tables = [Table("Trials", _trial_rows(stage, day))] if day == days[-1] else []
        provenance |= {"searched_on": str(row["searched_on"]), "study": row["study"]}
        yield Part(SEARCH, day, facts={**facts, **json.loads(row["parameters"])}, tables=tables, provenance=provenance)
