"""The plan of a backfill: the days that its runs will materialize, the reason for each, rows and bytes."""

import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console

from ml_assets.cli.command_inputs import open_model_stages, require_settings, require_spec
from ml_assets.cli.console.plan_report import print_plan
from ml_assets.cli.day_selection import select_days
from ml_assets.cli.json_output.builders import build_plan_report
from ml_assets.cli.verb import publish
from ml_assets.pipeline.asset_names import landed_to_features
from ml_assets.pipeline.planning.backfill_cost import estimate_plan
from ml_assets.pipeline.planning.backfill_plan import plan_days
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.planned_lake import PlannedLake
from ml_assets.resources.mlflow.connection import MlflowUnavailable
from ml_assets.resources.storage.landing_access import LandingUnavailable


def print_backfill_plan(model: str | None = None, days: str | None = None, job: str = "daily") -> None:
    """Plan a backfill and print the plan; nothing is changed.

    Args:
        model: name of the model.
        days: a range or one day, as `select_days` reads it; None for all days.
        job: `daily` for every stage, `features` for raw data to features.

    Raises:
        SystemExit: with a message, when the model or a day does not exist, the lake does not fit the specification, or
            MLflow does not answer.
    """
    spec, settings = require_spec(model), require_settings()
    yesterday = datetime.now(ZoneInfo(spec.source.time_zone)).date() - timedelta(days=1)
    try:
        selected = select_days(spec, days, yesterday)
        lake = PlannedLake(uri=settings.lake, s3=dict(settings.s3))
        stages = [*open_model_stages(spec, settings, lake)]
        if job == "features":
            stages = [stage for stage in stages if stage.name in landed_to_features(spec)]
        plan = plan_days(spec, lake, stages, selected)
        estimate = estimate_plan(spec, lake, plan)
    except (ValueError, LakeError, LandingUnavailable, MlflowUnavailable) as error:
        sys.exit(str(error))
    print_plan(Console(), spec, f"{spec.name}_{job}", plan, estimate)
    publish(build_plan_report(spec, f"{spec.name}_{job}", plan, estimate))
