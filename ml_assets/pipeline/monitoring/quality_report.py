"""Metadata, plot and part of the daily report for the quality of predictions."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.model_spec.types.metric_names import default_metric
from ml_assets.core.operations.reports.daily_report import Part, Table
from ml_assets.core.release.release_state import CHAMPION
from ml_assets.pipeline.asset_names import PREDICTION_QUALITY
from ml_assets.pipeline.steps.check_results import inline_plot, round_for_people, table
from ml_assets.pipeline.steps.report_store import fingerprint_entry

if TYPE_CHECKING:
    from ml_assets.pipeline.monitoring.quality_stage import PredictionQuality

DAYS_SHOWN = 60


def quality_metadata(stage: "PredictionQuality", day: date) -> Mapping[str, Any]:
    """Return the metrics of the champion as numbers, which the UI plots over time."""
    return {
        f"{row['kind']}_{row['metric']}": round_for_people(row["value"])
        for row in stage.rows([day])
        if row["side"] == CHAMPION and row["value"] is not None
    }


def quality_by_day(stage: "PredictionQuality", day: date) -> list[dict[str, Any]]:
    """Return estimated and realised metrics of the last days of predictions up to `day`, joined, ascending."""
    from ml_assets.core.evaluation.prediction_quality import join_estimated_and_realised

    days = [day - timedelta(days=back) for back in range(DAYS_SHOWN - 1, -1, -1)]
    rows = join_estimated_and_realised(stage.rows(days))
    return [row for row in rows if days[0] <= row["predicted_on"] <= day]  # type: ignore[operator]


def quality_plots(stage: "PredictionQuality", day: date) -> dict[str, Any]:
    """Return the plot and the table of the last days."""
    joined = quality_by_day(stage, day)
    plots = _plots(stage, joined)
    return {"plots": inline_plot("quality", plots["quality"]), "by_day": table(joined[::-1])} if plots else {}


def quality_parts(stage: "PredictionQuality", days: Sequence[date]) -> Iterator[Part]:
    """Report the metrics of a day, and for the newest day also a plot and a table of the days before."""
    for day in days:
        joined = quality_by_day(stage, day) if day == days[-1] else []
        shown = [row for row in joined if row["metric"] == _metric(stage)][::-1]
        yield Part(
            PREDICTION_QUALITY,
            day,
            facts=quality_metadata(stage, day),
            tables=[Table(f"{_metric(stage)} by day of the predictions", shown)] if shown else [],
            plots=_plots(stage, joined),
            provenance=fingerprint_entry(stage.tables[PREDICTION_QUALITY], day),
        )


def quality_columns() -> list[dg.TableColumn]:
    """Describe the columns of prediction_quality."""
    from ml_assets.core.tables.columns import PREDICTION_QUALITY as COLUMNS

    return [dg.TableColumn(column.name, column.type, description=column.description) for column in COLUMNS]


def _metric(stage: "PredictionQuality") -> str:
    settings = stage.spec.checks.prediction_quality
    return settings.metric if settings else default_metric(stage.spec.outputs)


def _plots(stage: "PredictionQuality", joined: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    from ml_assets.core.plots.quality import quality_plot

    rows = [row for row in joined if row["side"] == CHAMPION and row["metric"] == _metric(stage)]
    return {"quality": quality_plot(_metric(stage), rows)} if rows else {}
