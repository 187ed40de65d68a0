"""The check that the columns of a validated day are distributed as on the days before."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome, apply_accepted_failures
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks import DriftBounds
from ml_assets.pipeline.steps.check_results import CheckRun, check_spec

if TYPE_CHECKING:
    from ml_assets.core.profiling.drift import ColumnDrift
    from ml_assets.core.profiling.profiles import Profile
    from ml_assets.pipeline.validation.stage import Validation
    from ml_assets.resources.lake.table import Table

COLUMN_DRIFT = "column_drift"
DAY = timedelta(days=1)
OfDays = Mapping[date, Mapping[str, "Profile"]]
References = Mapping[str, Sequence["Profile"]]


def column_drift_check(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The check of the drift of validated columns, unless it is switched off."""
    settings = spec.checks.column_drift
    about = "Fails when a column of a day is distributed otherwise than on the days before; names the worst one with its figures."
    return [check_spec(COLUMN_DRIFT, key, settings, about)] if settings else []


def evaluate_column_drift(
    spec: ModelSpec, stage: "Validation", days: Sequence[date], key: dg.AssetKey
) -> Iterator[CheckRun]:
    """What `column_drift` finds on the days of a run: every column but the target and those of the row key."""
    settings = spec.checks.column_drift
    if settings is None:
        return
    reference = settings.reference // DAY
    known = read_days(stage.profiles, {day - DAY * back for day in days for back in range(reference + 1)})
    names = [name for name in stage.feed.columns if name not in (*spec.row_key, spec.target, *settings.leave_out)]

    def references(day: date) -> References:
        before = [day - DAY * back for back in range(1, reference + 1) if day - DAY * back in known]
        same_weekday = [earlier for earlier in before if earlier.weekday() == day.weekday()]
        is_time = {name: column.type == "timestamp" for name, column in stage.feed.columns.items()}
        return {
            name: [known[used][name] for used in (same_weekday if is_time[name] else before) if name in known[used]]
            for name in names
        }

    found, plot = evaluate_reference_drift(COLUMN_DRIFT, settings, days, known, references)
    yield CheckRun(key, COLUMN_DRIFT, apply_accepted_failures(spec.checks, found), plot)


def read_days(table: "Table", days: set[date]) -> dict[date, dict[str, "Profile"]]:
    """The profiles of some days, in one reading; days without rows have none."""
    from ml_assets.core.profiling.profiles import read_profiles
    from ml_assets.core.tables.schemas import PROFILE_SCHEMA

    return read_profiles(table.read(sorted(days), ["day", *PROFILE_SCHEMA.names]))


def evaluate_reference_drift(
    check: str,
    settings: DriftBounds,
    days: Sequence[date],
    known: OfDays,
    references: Callable[[date], "References | str"],
) -> tuple[list[CheckOutcome], bytes | None]:
    """The finding of each day, and the picture of the newest day that drifted; in a run of one day, of that day in any
    case.

    Args:
        check: name of the check.
        settings: its bounds.
        days: days to be judged, ascending.
        known: profiles by day and column.
        references: gives the profiles that each column of a day is compared with, or why there are none.
    """
    from ml_assets.core.checks.drift import evaluate_drift, measure_drift

    found: list[CheckOutcome] = []
    shown: tuple[date, list[ColumnDrift]] | None = None
    for day in days:
        compared = references(day) if day in known else "the day has no rows"
        if isinstance(compared, str):
            found.append(CheckOutcome(check, day, None, compared, settings.severity))
            continue
        drifts = measure_drift(known[day], compared, settings)
        found.append(evaluate_drift(check, day, drifts, settings))
        if found[-1].failed or (drifts and len(days) == 1):
            shown = day, drifts
    return found, _plot(check, *shown) if shown else None


def _plot(check: str, day: date, drifts: "Sequence[ColumnDrift]") -> bytes:
    from ml_assets.core.plots.drift import drift_plot

    return drift_plot(drifts, f"{check} of {day}")
