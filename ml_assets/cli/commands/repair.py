"""Repair: take corrected rows from a file, or validate again after rules changed, and make again exactly what sees a
difference.

python -m ml_assets.cli.commands.repair model [--file FILE]
"""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from ml_assets.cli.day_selection import chosen_days
from ml_assets.cli.model_lookup import spec_of
from ml_assets.cli.run_in_process import RunFailed, run_days
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.day_ranges import neighbours
from ml_assets.core.validation.correction_file import RepairRefused
from ml_assets.defs.environment import SETTINGS, build_environment
from ml_assets.pipeline.asset_names import FEATURES, LABEL_ASSETS, LABELS, QUARANTINED, VALIDATED, landed_to_features
from ml_assets.pipeline.engine.stage import DayOutcome
from ml_assets.pipeline.graph.stages import Stages, open_stages
from ml_assets.pipeline.planning.backfill_plan import plan_days
from ml_assets.pipeline.planning.repair import (
    check_file,
    corrections_of,
    days_of_changed_rules,
    days_to_validate,
    feature_days_to_make,
    keep_corrections,
    models_that_saw,
)
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.planned_lake import PlannedLake

MADE_TOGETHER = {VALIDATED: (VALIDATED, QUARANTINED), LABELS: LABEL_ASSETS[1:]}
Made = Callable[[str, Sequence[date]], None]


class Outcomes(logging.Handler):
    """What became of the days of each stage, from the engine's log; a context manager."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.of_stage: dict[str, list[DayOutcome]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """One day of a stage is done."""
        if (outcome := getattr(record, "outcome", None)) is not None:
            self.of_stage.setdefault(getattr(record, "stage", ""), []).append(outcome)

    def changed(self, stage: str) -> list[date]:
        """The days of a stage that have other rows now."""
        return sorted(outcome.day for outcome in self.of_stage.get(stage, ()) if outcome.computed)

    def __enter__(self) -> "Outcomes":
        logger = logging.getLogger("ml_assets.days")
        logger.setLevel(logging.INFO)
        logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("ml_assets.days").removeHandler(self)


def main(arguments: Sequence[str]) -> None:
    """Repair and print what was made.

    Raises:
        SystemExit: with a message, for an unknown model, a file with faults, a lake that does not fit the spec, a run
            that fails.
    """
    asked = _arguments(arguments)
    spec, console = spec_of(asked.model), Console()
    with Outcomes() as outcomes:
        try:
            if asked.file is None:
                _repair_rules(spec)
            else:
                _repair_rows(spec, asked.file, console)
        except (RepairRefused, RunFailed, LakeError, ValueError, OSError) as error:
            sys.exit(str(error))
    _print_outcomes(console, outcomes, _open(spec))


def _open(spec: ModelSpec) -> Stages:
    resources = build_environment(SETTINGS).resources or {}
    return open_stages(spec, resources["lake"], resources["landing"], resources["registry"])


def _repair_rows(spec: ModelSpec, file: Path, console: Console) -> None:
    """Keep the corrected rows of a file, and make what sees them. A repair that was interrupted is made good by the
    same again.
    """
    stages, lake = _open(spec), (build_environment(SETTINGS).resources or {})["lake"]
    corrections = corrections_of(stages, lake)
    checked = check_file(stages, corrections, file.name, file.read_bytes())
    keep_corrections(corrections, checked)
    console.print(f"New corrected rows: {checked.rows():,}", highlight=False)
    _make(spec, VALIDATED, days_to_validate(_open(spec), checked.days))
    _make(spec, FEATURES, feature_days_to_make(_open(spec), checked.days))


def _repair_rules(spec: ModelSpec) -> None:
    """Make again what changed code or specification make otherwise, stage after stage."""
    resources, lake = build_environment(SETTINGS).resources or {}, PlannedLake(uri=SETTINGS.lake, s3=dict(SETTINGS.s3))
    stages = open_stages(spec, lake, resources["landing"], resources["registry"])
    days = chosen_days(spec, None, datetime.now(ZoneInfo(spec.source.time_zone)).date() - timedelta(days=1))
    plan = plan_days(spec, lake, [stage for stage in stages if stage.name in landed_to_features(spec)], days)
    for stage, changed in days_of_changed_rules(plan).items():
        _make(spec, stage, changed)


def _make(spec: ModelSpec, stage: str, days: Sequence[date]) -> None:
    """Make days of a stage through Dagster, a run for days that follow each other."""
    if not days:
        return
    import dagster as dg

    from ml_assets.definitions import defs

    job, names = defs().resolve_job_def(f"{spec.name}_features"), MADE_TOGETHER.get(stage, (stage,))
    with dg.DagsterInstance.from_config(SETTINGS.dagster_home) as instance:
        for group in neighbours((day, None) for day in days):
            run_days(job, instance, spec, names, group.days)


def _print_outcomes(console: Console, outcomes: Outcomes, stages: Stages) -> None:
    if not outcomes.of_stage:
        console.print("Nothing to make: every day is as it would be made now.")
        return
    for stage, found in outcomes.of_stage.items():
        same = sorted(outcome.day for outcome in found if "made_again" in outcome.metadata)
        changed = outcomes.changed(stage)
        said = [
            f"made {_ranges(changed)}" if changed else "nothing changed",
            *([f"came out the same: {_ranges(same)}"] if same else []),
        ]
        console.print(f"[bold cyan]{stage}[/]  {'; '.join(said)}", highlight=False, soft_wrap=True)
    if seen := models_that_saw(stages, outcomes.changed(FEATURES)):
        console.print(
            f"Models trained on these days, marked inputs_changed: of {_ranges(seen)}", highlight=False, soft_wrap=True
        )


def _ranges(days: Sequence[date]) -> str:
    groups = neighbours((day, None) for day in days)
    named = [f"{one.days[0]}" if len(one.days) == 1 else f"{one.days[0]} to {one.days[-1]}" for one in groups]
    return ", ".join(named) + f" ({len(days)} day{'s' if len(days) > 1 else ''})"


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ml_assets.cli.commands.repair", description="Take corrected rows, or apply changed rules."
    )
    parser.add_argument("model")
    parser.add_argument(
        "--file",
        type=Path,
        help="corrected rows (.csv, .jsonl, .parquet); without it, changed code and specification are applied",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
