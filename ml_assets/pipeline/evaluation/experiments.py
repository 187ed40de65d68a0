"""Experiments: models trained with the overrides of one run, evaluated on their holdout and tracked in MLflow.

The lake does not change.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from math import isfinite
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.counts import count
from ml_assets.core.training.time_split import HistoryTooShort
from ml_assets.pipeline.asset_names import MODEL, asset_key
from ml_assets.pipeline.engine.stage import CannotMake, KeepDay
from ml_assets.pipeline.evaluation.champion import ChampionScorer
from ml_assets.pipeline.evaluation.holdout import Holdout
from ml_assets.pipeline.evaluation.plots import model_plots, sample_features
from ml_assets.pipeline.training.stage import ModelTraining

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.model.scorer import Scorer
    from ml_assets.core.training.train import TrainedModel
    from ml_assets.resources.mlflow.experiment_runs import Experiment


def run_experiments(
    context: dg.AssetExecutionContext, training: ModelTraining, holdout: Holdout, days: Sequence[date]
) -> Iterator[dg.AssetObservation]:
    """Train the model of each day with the overrides of the run, evaluate it on its holdout, and track it in MLflow,
    with one nested run per day.

    Yields an observation of trained_model for each day, with the MLflow run and the metrics. Nothing is materialized,
    so Dagster skips the assets downstream of the model in this run.

    Raises:
        dagster.Failure: when the overrides are not allowed; after all other days, when a day has no model, or one of
            its inputs has to be computed first.
    """
    from ml_assets.core.training.row_counts import TrainingDataError
    from ml_assets.resources.mlflow.experiment_runs import track_experiment

    spec = training.spec
    failures = []
    for table in training.tables.values():
        table.refresh()
    training.refresh()
    holdout.rows.refresh()
    with context.resources.tracking.run(context, spec.name) as run:
        for day in days:
            try:
                experiment = _run_experiment(training, holdout, day)
            except (CannotMake, KeepDay, TrainingDataError, HistoryTooShort) as error:
                failures.append(f"{day}: {error}")
                continue
            run_id = track_experiment(run, experiment)
            context.log.info(
                f"{spec.name}: the experiment for {day} is MLflow run {run_id}; the model of that day is unchanged"
            )
            metrics = {name: round(value, 6) for name, value in experiment.metrics.items() if isfinite(value)}
            description = {
                "experiment": True,
                "overrides": dg.MetadataValue.json(training.overrides),
                "mlflow_run_id": run_id,
            }
            yield dg.AssetObservation(
                asset_key(spec, MODEL), partition=day.isoformat(), metadata={**description, **metrics}
            )
    if failures:
        more = f" (and {count(len(failures) - 1, 'more day')})" if len(failures) > 1 else ""
        raise dg.Failure(f"{spec.name}: no experiment was run for {failures[0]}{more}", allow_retries=False)


def _run_experiment(training: ModelTraining, holdout: Holdout, day: date) -> "Experiment":
    from ml_assets.core.evaluation.holdout_metrics import OVERALL, measure_holdout
    from ml_assets.core.model.scorer import Scorer
    from ml_assets.core.plots.image_format import file_name
    from ml_assets.resources.mlflow.experiment_runs import Experiment

    # Both calls raise when an input has to be computed first.
    training.inputs(day)
    holdout.rows.inputs(holdout.days_read(day), day, f"the experiment of {day}")
    split, model = training.train(day)
    scorer = Scorer.from_bytes(model.model, model.preprocessing)
    spec = holdout.spec
    scores = holdout.select_evaluated_rows(day, holdout.score_days(day, scorer, ChampionScorer(None, None)))
    metrics = measure_holdout(spec, scores, model.threshold)
    overall = metrics[metrics["slice_column"] == OVERALL]
    used = training.resolve_spec(day).training
    return Experiment(
        name=spec.name,
        day=day,
        digest=model.digest,
        params={**used.parameters.model_dump(), **_settings(model), "seed": used.seed, "refit": used.refit},
        metrics={
            **dict(zip(overall["metric"], overall["value"], strict=True)),
            **{f"validation_{name}": value for name, value in model.metrics.items()},
        },
        learning_curve=model.learning_curve,
        plots={
            file_name(name, plot): plot for name, plot in _plots(holdout, day, model, scorer, scores, overall).items()
        },
        artifacts={
            "passport.json": training.provenance(day, split, model),
            "model.ubj": model.model,
            "preprocessing.json": model.preprocessing,
        },
        overrides=json.dumps(training.overrides, sort_keys=True),
    )


def _settings(model: "TrainedModel") -> dict[str, object]:
    settings = {
        "threshold": model.threshold,
        "best_rounds": model.rounds,
        "rows": model.rows,
        "positives": model.positives,
        "device": model.device,
    }
    return {name: value for name, value in settings.items() if value is not None}


def _plots(
    holdout: Holdout,
    day: date,
    model: "TrainedModel",
    scorer: "Scorer",
    scores: "pd.DataFrame",
    overall: "pd.DataFrame",
) -> dict[str, bytes]:
    from ml_assets.core.metrics.scored_rows import task_metrics

    task = task_metrics(holdout.spec)
    rows = task.read_rows(task.labelled(scores))
    return model_plots(scorer, model.threshold, task, rows, overall, *sample_features(holdout, day, scorer.features))
