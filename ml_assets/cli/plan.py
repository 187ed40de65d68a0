"""The plan of a backfill, printed: which days its runs will make, why each, how many rows and bytes; nothing is changed.

python -m ml_assets.cli.plan model [--days FIRST...LAST] [--job daily|features]
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console

from ml_assets.cli.models import spec_of
from ml_assets.cli.plan_report import print_plan
from ml_assets.core.day_ranges import days_between, parse_days
from ml_assets.core.spec import ModelSpec
from ml_assets.defs.environment import SETTINGS, build_environment
from ml_assets.pipeline.assets import landed_to_features
from ml_assets.pipeline.plan import plan_days
from ml_assets.pipeline.stages import open_stages
from ml_assets.resources.lake_errors import LakeError
from ml_assets.resources.mlflow_store import MlflowUnavailable
from ml_assets.resources.planned_lake import PlannedLake

JOBS = ("daily", "features")


def main(arguments: Sequence[str]) -> None:
    """Plan and print.

    Raises:
        SystemExit: with a message, for an unknown model or job, days that cannot be chosen, a lake that does not fit the spec, an MLflow that does
            not answer.
    """
    asked = _arguments(arguments)
    spec = spec_of(asked.model)
    try:
        days = chosen_days(spec, asked.days, datetime.now(ZoneInfo(spec.source.time_zone)).date() - timedelta(days=1))
        resources = build_environment(SETTINGS).resources or {}
        lake = PlannedLake(uri=SETTINGS.lake, s3=dict(SETTINGS.s3))
        stages = [*open_stages(spec, lake, resources["landing"], resources["registry"])]
        if asked.job == "features":
            stages = [stage for stage in stages if stage.name in landed_to_features(spec)]
        plan = plan_days(spec, lake, stages, days)
    except (ValueError, LakeError, MlflowUnavailable) as error:
        sys.exit(str(error))
    print_plan(Console(), spec, f"{spec.name}_{asked.job}", plan)


def chosen_days(spec: ModelSpec, text: str | None, yesterday: date) -> list[date]:
    """The days of a backfill: those that somebody wrote, or all that there are.

    Args:
        spec: the model's specification.
        text: `2026-08-15...2026-09-01` or `2026-08-20`; None for all days.
        yesterday: the newest day that is complete, in the time zone of the source.

    Raises:
        ValueError: when the text is neither, or the days lie outside of the model's.
    """
    begins, ends = spec.source.start, min(yesterday, spec.source.end or yesterday)
    if ends < begins:
        raise ValueError(f"{spec.name} has no days yet: source.start is {begins}, and the newest complete day is {yesterday}")
    first, last = parse_days(text) if text is not None else (begins, ends)
    if first < begins or last > ends:
        raise ValueError(f"{text} is not within the days of {spec.name}, which are {begins} to {ends} (source.start to source.end or yesterday)")
    return days_between(first, last)


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ml_assets.cli.plan", description="Print what a backfill would make, and why; change nothing.")
    parser.add_argument("model")
    parser.add_argument("--days", metavar="FIRST...LAST", help="a range such as 2026-08-15...2026-09-01, or one day; all days when left out")
    parser.add_argument("--job", choices=JOBS, default=JOBS[0], help="every stage (daily), or raw data to features")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
