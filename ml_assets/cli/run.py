"""The main job: everything that the model of the newest landed day needs, made through Dagster, with progress and a summary.

python -m ml_assets.cli.run [model]
"""

import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console

from ml_assets.cli.in_process import RunFailed, run_days
from ml_assets.cli.models import spec_of
from ml_assets.cli.progress import StageProgress
from ml_assets.cli.summary import print_summary
from ml_assets.core.day_ranges import days_between
from ml_assets.core.spec import ModelSpec
from ml_assets.defs.environment import SETTINGS, Settings, build_environment
from ml_assets.pipeline.assets import LIVE_ASSETS, landed_to_features, model_assets
from ml_assets.pipeline.days import is_current
from ml_assets.pipeline.evaluation import EVALUATION
from ml_assets.pipeline.stage import CannotMake, Stage
from ml_assets.pipeline.stages import Stages, open_stages
from ml_assets.pipeline.unfinished_runs import UnfinishedRuns
from ml_assets.resources.lake_errors import LakeError
from ml_assets.resources.landing import Landing

SIMULATED = "fraud_detection"
SIMULATED_DAYS = 90


@dataclass(frozen=True)
class Needed:
    """What the model of `newest` needs: the days of each part of the graph, and whether anything of it is not as it would be made now."""

    newest: date
    landed: list[date]
    featured: list[date]
    to_do: bool


def main(model: str) -> None:
    """Simulate files if there are none, make what is needed, print the summary.

    Raises:
        SystemExit: with a message, when the model does not exist, the lake cannot be used, nothing has landed, or a run fails; with status 1 after
            the summary, when the model failed a gate or a blocking check of the newest day fails.
    """
    begun, console = time.perf_counter(), Console()
    spec = spec_of(model)
    try:
        landing, stages = _open(spec)
    except LakeError as error:
        sys.exit(str(error))
    _simulate_if_empty(spec, landing, SETTINGS, console)
    yesterday = datetime.now(ZoneInfo(spec.source.time_zone)).date() - timedelta(days=1)
    landed = [day for day in landing.days(spec.source) if day <= yesterday]
    if not landed:
        sys.exit(f"{spec.name}: no files of a day up to {yesterday} have landed; looked for {spec.source.files} under {landing.uri}")
    needed = days_needed(spec, landed[-1], stages)
    seconds: dict[str, float] = {}
    if needed.to_do:
        seconds = _materialise(spec, needed, SETTINGS, console)
        _, stages = _open(spec)
    print_summary(console, spec, needed, stages, seconds, time.perf_counter() - begun, SETTINGS)
    if stages.training.blocking.reason(needed.newest) or stages.registration.kept_out(needed.newest):
        sys.exit(1)


def _open(spec: ModelSpec) -> tuple[Landing, Stages]:
    """The landing and the stages as they are now."""
    resources = build_environment(SETTINGS).resources or {}
    return resources["landing"], open_stages(spec, resources["lake"], resources["landing"], resources["registry"])


def days_needed(spec: ModelSpec, newest: date, stages: Stages) -> Needed:
    """The days that the model of `newest` needs.

    Feature days from its training window on, or from that of the search for its parameters, and raw and validated days that these see.

    Raises:
        SystemExit: when the data are too short for a model.
    """
    from ml_assets.core.features import days_read
    from ml_assets.core.splits import HistoryTooShort, first_day_read

    try:
        first = first_day_read(spec, newest)
    except HistoryTooShort as error:
        sys.exit(f"{error}; the newest landed day is {newest}")
    seen = max(spec.source.start, first - timedelta(days=days_read(spec)[-1]))
    landed, featured = days_between(seen, newest), days_between(first, newest)
    work = [(stage, landed) for stage in stages.of_landed()] + [(stages.features, featured)]
    work += [(stage, [newest]) for stage in (*stages.of_model(), *stages.of_live())]
    try:
        to_do = any(_was_left(stages, stage, days) for stage, days in work) or not all(is_current(stage, day) for stage, days in work for day in days)
    except CannotMake:
        to_do = True
    return Needed(newest, landed, featured, to_do)


def _was_left(stages: Stages, stage: Stage, days: Sequence[date]) -> bool:
    """Whether a run was at some days of a stage and did not end: what follows a commit may be missing although the days are there."""
    return not UnfinishedRuns(stages.training.lake, stages.training.spec.name, stage.name).days().isdisjoint(days)


def _materialise(spec: ModelSpec, needed: Needed, settings: Settings, console: Console) -> dict[str, float]:
    import dagster as dg

    from ml_assets.definitions import defs

    job = defs().resolve_job_def(f"{spec.name}_daily")
    seconds: dict[str, float] = {}
    with dg.DagsterInstance.from_config(settings.dagster_home) as instance, StageProgress(console) as progress:
        landed = landed_to_features(spec)
        newest = [needed.newest]
        # In a run of its own: what is live scores the day also where its model fails a gate.
        for names, days in [(landed[:-1], needed.landed), (landed[-1:], needed.featured), (model_assets(spec), newest), (LIVE_ASSETS, newest)]:
            progress.expect(names, len(days))
            try:
                result = run_days(job, instance, spec, names, days)
            except RunFailed as error:
                # The summary tells which gates failed.
                if not error.is_only_of_checks(f"{spec.name}__{EVALUATION}"):
                    progress.stop()
                    sys.exit(str(error))
                result = error.result
            for step in instance.get_run_step_stats(result.run_id):
                if (name := step.step_key.split("__")[-1]) in names:
                    seconds[name] = (step.end_time or 0) - (step.start_time or 0)
    return seconds


def _simulate_if_empty(spec: ModelSpec, landing: Landing, settings: Settings, console: Console) -> None:
    if spec.name != SIMULATED or settings.environment == "production":
        return
    from ml_assets.cli.simulate import was_interrupted, write_landing

    why = f"Nothing has landed under {settings.landing}"
    if landing.days(spec.source):
        if not was_interrupted(settings.landing, settings.s3):
            return
        why = f"A simulation under {settings.landing} was interrupted"
    console.print(f"{why}: simulating {SIMULATED_DAYS} days of card transactions", soft_wrap=True)
    rows = write_landing(settings.landing, spec.source.start, SIMULATED_DAYS, s3=settings.s3)
    console.print(f"{rows:,} transactions have landed")


if __name__ == "__main__":
    logging.getLogger("ml_assets.days").setLevel(logging.INFO)
    main(sys.argv[1] if len(sys.argv) > 1 else SIMULATED)
