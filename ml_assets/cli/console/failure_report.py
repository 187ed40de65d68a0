"""Failed runs of the main job: the problems of their days, the page of the newest day, and how to go on."""

from datetime import date
from typing import TYPE_CHECKING

from rich.console import Console

from ml_assets.cli.console.day_problems import print_day_problems
from ml_assets.cli.project import list_model_files
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.steps.report_store import Reports

if TYPE_CHECKING:
    from ml_assets.cli.needed_days import Needed
    from ml_assets.pipeline.graph.stages import Stages


def print_failure(console: Console, spec: ModelSpec, needed: "Needed", stages: "Stages") -> None:
    """Print the problems of the days of a run that failed.

    Args:
        console: printed to.
        spec: the model's specification.
        needed: the days that were needed.
        stages: the stages, opened after the run.
    """
    rejected = stages.validation.report(needed.landed).query("scope == 'day'")["day"].nunique()
    console.print()
    console.print(
        f"Days          {rejected} of {len(needed.landed)} rejected or missing "
        f"({needed.landed[0]} to {needed.landed[-1]})",
        highlight=False,
    )
    print_day_problems(console, spec, stages, needed.landed)


def describe_remedy(spec: ModelSpec, stages: "Stages", day: date) -> str:
    """Return where to read on, and the command to go on with, for the end of the error of a run.

    Args:
        spec: the model's specification.
        stages: the stages of the model.
        day: the newest day of the run.
    """
    file = next((file.path for file in list_model_files() if file.name == spec.name), None)
    reports = Reports(spec.name, stages.training.lake)
    page = [f"Page          {reports.uri(day)}"] if reports.has_page(day) else []
    correct = f"correct the files, or {file}" if file else "correct the files or the specification"
    return "\n".join(
        [*page, f"Next          {correct}; then `ml-assets run {spec.name}` makes what changed, and goes on"]
    )
