"""Features in the daily report."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.operations.reports.daily_report import Part
from ml_assets.pipeline.steps.report_store import fingerprint_entry

if TYPE_CHECKING:
    from ml_assets.pipeline.features.stage import FeatureEngineering


def features_parts(stage: "FeatureEngineering", days: Sequence[date]) -> Iterator[Part]:
    """Report the number of rows and of features of each day."""
    table = stage.tables[stage.name]
    counts = table.row_counts()
    for day in days:
        facts = {"rows": counts.get(day, 0), "features": len(stage.spec.feature_names())}
        yield Part(stage.name, day, facts=facts, provenance=fingerprint_entry(table, day))
