"""The main job: materialize everything that the model of the newest landed day needs, with progress and a summary."""

import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape

from ml_assets.cli.command_inputs import (
    open_model_stages,
    refuse_outdated_store,
    refuse_unusable_store,
    release_differences,
    require_settings,
    require_spec,
)
from ml_assets.cli.console.failure_report import describe_missing_files, describe_remedy, print_failure
from ml_assets.cli.console.model_verdict import is_model_in_order
from ml_assets.cli.console.progress import StageProgress
from ml_assets.cli.console.summary import print_summary
from ml_assets.cli.demo.first_files import has_files, is_demo, print_newer_days, simulate_if_empty
from ml_assets.cli.needed_days import Needed, days_needed
from ml_assets.cli.project import load_definitions
from ml_assets.cli.run_in_process import RunFailed, own_failed_checks, run_days
from ml_assets.cli.verb import publish, wants_json
from ml_assets.core.counts import count
from ml_assets.core.model_spec import ModelSpec
from ml_assets.defs.settings import Settings
from ml_assets.pipeline.asset_names import EVALUATION, VALIDATED, landed_to_features, model_assets, release_assets
from ml_assets.pipeline.graph.stages import Stages
from ml_assets.pipeline.training.config import request_models
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing
from ml_assets.resources.storage.landing_access import LandingUnavailable


def run_model(model: str | None = None, day: date | None = None, train: bool = False) -> None:
    """Simulate files if there are none, materialize what is needed, print the summary.

    Args:
        model: name of the model.
        day: the day as of which the model is trained; None for the newest landed day.
        train: whether to train a model of that day even if none is due.

    Raises:
        SystemExit: with a message, when the model does not exist, the lake cannot be used, nothing has landed, or a run
            fails; with status 1 after the summary, when the model failed a gate, a blocking check of the newest day
            fails, or the live versions could not score the newest day.
    """
    started, console = time.perf_counter(), Console()
    logging.getLogger("ml_assets.days").setLevel(logging.INFO)
    spec, settings = require_spec(model), require_settings()
    landing = Landing(uri=settings.landing, s3=dict(settings.s3))
    # Opening the stages creates their tables. Before anything has landed, the specification may be a template whose
    # columns would stay in them.
    stages = _open_stages(spec, settings, train) if _has_tables(spec, settings) else None
    yesterday = datetime.now(ZoneInfo(spec.source.time_zone)).date() - timedelta(days=1)
    refuse_unusable_store(spec, settings)
    try:
        if stages is not None:
            _refuse_lost_landing(spec, stages, landing, settings, yesterday)
        simulate_if_empty(spec, landing, settings, console)
        landed_or_begun = landing.days(spec.source)
    except LandingUnavailable as error:
        sys.exit(f"{spec.name}: {error}")
    landed = [landed_day for landed_day in landed_or_begun if landed_day <= yesterday]
    if not landed:
        sys.exit(describe_missing_files(spec, landing.uri, yesterday))
    if day is not None and day in landed_or_begun and day > yesterday:
        sys.exit(
            f"{spec.name}: {day} is not over in {spec.source.time_zone}, so its files may be incomplete; the newest "
            f"day that can be made is {landed[-1]}"
        )
    if day is not None and day not in landed:
        sys.exit(
            f"{spec.name}: no files of {day} have landed under {landing.uri}; the landed days are {landed[0]} to "
            f"{landed[-1]}"
        )
    landed = [landed_day for landed_day in landed if day is None or landed_day <= day]
    if is_demo(spec, settings):
        print_newer_days(landing, landed[-1], console)
    stages = stages or _open_stages(spec, settings, train)
    options = (f" --day {day}" if day else "") + (" --train" if train else "")
    needed = replace(days_needed(spec, landed[-1], stages), options=options)
    seconds: dict[str, float] = {}
    own_failures: dict[str, str] = {}
    if needed.to_do:
        refuse_outdated_store(settings)
        try:
            seconds, own_failures = _materialize(spec, needed, settings, console, request_models(spec) if train else {})
        except RunFailed as error:
            stages = open_model_stages(spec, settings)
            print_failure(console, spec, needed, stages)
            sys.exit(f"{error}\n{describe_remedy(spec, stages, needed, error.is_of_data())}")
        stages = open_model_stages(spec, settings)
    differences = release_differences(spec, settings)
    took = time.perf_counter() - started
    print_summary(console, spec, needed, stages, seconds, took, settings, differences)
    if own_failures:
        failed = ", ".join(f"{check} ({severity})" for check, severity in own_failures.items())
        console.print(f"[bold red]{count(len(own_failures), 'check')} of your own failed:[/] {escape(failed)}")
    if wants_json():
        from ml_assets.cli.json_output.builders import build_run_report

        publish(build_run_report(spec, needed, stages, seconds, took, differences))
    if unscored := stages.predictions.why_not_scored(needed.newest):
        sys.exit(f"{spec.name}: the live versions have not scored {needed.newest}: {unscored}")
    if not is_model_in_order(stages, needed.model_day(stages)):
        sys.exit(1)


def _materialize(
    spec: ModelSpec, needed: Needed, settings: Settings, console: Console, ops: Mapping[str, Any]
) -> tuple[dict[str, float], dict[str, str]]:
    """Materialize the assets; return the seconds of each, and the severity of the failed checks that the project
    adds.
    """
    from ml_assets.resources.dagster_instance.home import open_instance

    job = load_definitions().resolve_job_def(f"{spec.name}_daily")
    seconds: dict[str, float] = {}
    own_failures: dict[str, str] = {}
    with open_instance(settings.dagster_home) as instance, StageProgress(console) as progress:
        landed = landed_to_features(spec)
        newest = [needed.newest]
        due = [("3 of 4: model", model_assets(spec), [needed.due], {})] if needed.due else []
        # The release assets get a run of their own: the champion scores the day even if the new model fails a gate.
        for part, names, days, config in [
            ("1 of 4: rows", landed[:-1], needed.landed, {}),
            ("2 of 4: features", landed[-1:], needed.featured, {}),
            *due,
            ("3 of 4: model", model_assets(spec), newest, ops),
            ("4 of 4: release", release_assets(spec), newest, {}),
        ]:
            progress.expect(names, len(days))
            try:
                result = run_days(job, instance, spec, names, days, part, config)
            except RunFailed as error:
                # The summary says which gates failed.
                if not error.is_only_of_checks(f"{spec.name}__{EVALUATION}"):
                    raise
                result = error.result
            own_failures |= own_failed_checks(result, spec, names)
            for step in instance.get_run_step_stats(result.run_id):
                if (name := step.step_key.split("__")[-1]) in names:
                    seconds[name] = seconds.get(name, 0) + (step.end_time or 0) - (step.start_time or 0)
    return seconds, own_failures


def _has_tables(spec: ModelSpec, settings: Settings) -> bool:
    lake = Lake(uri=settings.lake, s3=dict(settings.s3))
    try:
        # Checks the store.
        lake.location(spec.name, VALIDATED)
    except LakeError as error:
        sys.exit(str(error))
    return lake.exists(spec.name, VALIDATED)


def _open_stages(spec: ModelSpec, settings: Settings, train: bool) -> Stages:
    try:
        return open_model_stages(spec, settings, train=train)
    except LakeError as error:
        sys.exit(str(error))


def _refuse_lost_landing(
    spec: ModelSpec, stages: Stages, landing: Landing, settings: Settings, yesterday: date
) -> None:
    committed = stages.validation.days_with_rows()
    if not committed or has_files(spec, landing):
        return
    held = f"the lake {settings.lake} holds {count(len(committed), 'day')}, up to {max(committed)}"
    root = Path(landing.uri)
    is_empty = root.is_dir() and not any(path.is_file() for path in root.rglob("*"))
    if landing.missing_root() is None and not is_empty:
        problem, _, next_step = describe_missing_files(spec, landing.uri, yesterday).partition("\n")
        sys.exit(f"{problem}\nKept          {held}\n{next_step}")
    simulate = "; `ml-assets simulate` writes the simulated files again" if is_demo(spec, settings) else ""
    sys.exit(
        f"{spec.name}: there are no files under {settings.landing}, but {held}. Check that the landing is mounted and "
        f"that ML_ASSETS_LANDING is right{simulate}"
    )
