"""The check column_drift: distributions of the columns of a validated day against those of the days before."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.core.checks.outcome import CheckOutcome, apply_accepted_failures
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks.drift_checks import DriftBounds
from ml_assets.core.model_spec.file_feed import Feed
from ml_assets.pipeline.asset_names import COLUMN_DRIFT
from ml_assets.pipeline.steps.check_results import CheckRun, enabled_check_specs

if TYPE_CHECKING:
    from ml_assets.core.profiling.drift import ColumnDrift
    from ml_assets.core.profiling.profiles import Profile
    from ml_assets.resources.lake.table import Table

DAY = timedelta(days=1)
ProfilesByDay = Mapping[date, Mapping[str, "Profile"]]
References = Mapping[str, Mapping[date, "Profile"]]


def column_drift_check(spec: ModelSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Specify the check of the drift of validated columns, unless it is switched off."""
    about = (
        "Fails when the distribution of a column differs from that of the days before; "
        "names the worst column with its drift metrics."
    )
    return enabled_check_specs(spec.checks, [COLUMN_DRIFT], key, {COLUMN_DRIFT: about})


def evaluate_column_drift(
    spec: ModelSpec, feed: Feed, profiles: ProfilesByDay, days: Sequence[date], key: dg.AssetKey
) -> Iterator[CheckRun]:
    """Evaluate `column_drift` on the days of a run, for all columns but the target and those of the row key.

    Args:
        spec: the model.
        feed: the feed of its rows.
        profiles: profiles of these days and of their reference.
        days: the days.
        key: the asset of the check.
    """
    settings = spec.checks.column_drift
    if settings is None:
        return
    reference = settings.reference // DAY
    names = [name for name in feed.columns if name not in (*spec.row_key, spec.target, *settings.leave_out)]

    def references(day: date) -> References:
        before = [day - DAY * back for back in range(1, reference + 1) if day - DAY * back in profiles]
        same_weekday = [earlier for earlier in before if earlier.weekday() == day.weekday()]
        is_time = {name: column.type == "timestamp" for name, column in feed.columns.items()}
        return {
            name: {
                earlier: profiles[earlier][name]
                for earlier in (same_weekday if is_time[name] else before)
                if name in profiles[earlier]
            }
            for name in names
        }

    outcomes, plot = evaluate_reference_drift(COLUMN_DRIFT, settings, days, profiles, references)
    yield CheckRun(key, COLUMN_DRIFT, apply_accepted_failures(spec.checks, outcomes), plot)


def read_profiles_by_day(table: "Table", days: set[date]) -> dict[date, dict[str, "Profile"]]:
    """Read the profiles of several days at once, by day and column; days without rows have none."""
    from ml_assets.core.profiling.profiles import read_profiles
    from ml_assets.core.tables.schemas import PROFILE_SCHEMA

    return read_profiles(table.read(sorted(days), ["day", *PROFILE_SCHEMA.names]))


def evaluate_reference_drift(
    check: str,
    settings: DriftBounds,
    days: Sequence[date],
    profiles: ProfilesByDay,
    references: Callable[[date], "References | str"],
) -> tuple[list[CheckOutcome], bytes | None]:
    """Evaluate the drift of each day against its reference profiles.

    Args:
        check: name of the check.
        settings: its bounds.
        days: days to evaluate, ascending.
        profiles: profiles by day and column.
        references: returns the reference profiles of each column of a day, or the reason why there are none.

    Returns:
        The outcome of each day, and the plot of the newest day that drifted; in a run of one day, the plot of that day
        whether or not it drifted.
    """
    from ml_assets.core.checks.drift import evaluate_drift, measure_drift

    outcomes: list[CheckOutcome] = []
    plotted: tuple[date, list[ColumnDrift]] | None = None
    for day in days:
        reference = references(day) if day in profiles else "the day has no rows"
        if isinstance(reference, str):
            outcomes.append(CheckOutcome(check, day, None, reference, settings.severity))
            continue
        drifts = measure_drift(profiles[day], reference, settings, day)
        outcomes.append(evaluate_drift(check, day, drifts, settings))
        if outcomes[-1].failed or (drifts and len(days) == 1):
            plotted = day, drifts
    return outcomes, draw_drift(check, *plotted) if plotted else None


def draw_drift(check: str, day: date, drifts: "Sequence[ColumnDrift]") -> bytes:
    """Draw the columns of a day that drifted most, as SVG."""
    from ml_assets.core.plots.drift import drift_plot

    return drift_plot(drifts, f"{check} of {day}")
