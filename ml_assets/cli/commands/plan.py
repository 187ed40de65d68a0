"""The plan of a backfill, printed: which days its runs will make, why each, how many rows and bytes; nothing is
changed.

python -m ml_assets.cli.commands.plan model [--days FIRST...LAST] [--job daily|features]
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console

from ml_assets.cli.console.plan_report import print_plan
from ml_assets.cli.day_selection import chosen_days
from ml_assets.cli.model_lookup import spec_of
from ml_assets.defs.environment import SETTINGS, build_environment
from ml_assets.pipeline.asset_names import landed_to_features
from ml_assets.pipeline.graph.stages import open_stages
from ml_assets.pipeline.planning.backfill_plan import plan_days
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.planned_lake import PlannedLake
from ml_assets.resources.mlflow.connection import MlflowUnavailable

JOBS = ("daily", "features")


def main(arguments: Sequence[str]) -> None:
    """Plan and print.

    Raises:
        SystemExit: with a message, for an unknown model or job, days that cannot be chosen, a lake that does not fit
            the spec, an MLflow that does not answer.
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


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ml_assets.cli.commands.plan",
        description="Print what a backfill would make, and why; change nothing.",
    )
    parser.add_argument("model")
    parser.add_argument(
        "--days",
        metavar="FIRST...LAST",
        help="a range such as 2026-08-15...2026-09-01, or one day; all days when left out",
    )
    parser.add_argument("--job", choices=JOBS, default=JOBS[0], help="every stage (daily), or raw data to features")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
