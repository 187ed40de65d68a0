"""Failed runs of the main job: the problems of their days, the page of the newest day, and how to go on."""

from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from ml_assets.cli.console.day_problems import print_day_problems
from ml_assets.cli.project import list_model_files
from ml_assets.core.evaluation.gates import GateResult
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.ingestion.stage import NOTHING_LANDED
from ml_assets.pipeline.steps.report_store import Reports

if TYPE_CHECKING:
    from ml_assets.cli.needed_days import Needed
    from ml_assets.pipeline.graph.stages import Stages


def print_failure(console: Console, spec: ModelSpec, needed: "Needed", stages: "Stages") -> None:
    """Print the problems of the days of a run that failed.

    Args:
        console: the console to print to.
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


def describe_missing_files(spec: ModelSpec, landing: str, yesterday: date) -> str:
    """Describe a landing without files of a model, with the nearest folder in it and how to go on.

    Args:
        spec: the model's specification.
        landing: the directory or bucket.
        yesterday: the newest day that could have files.
    """
    source, root = spec.source, Path(landing)
    file = _file_of(spec)
    again = f"then `ml-assets run {spec.name}`"
    in_file = f" in {file}" if file else ""
    if source.start > yesterday:
        return (
            f"{spec.name}: source.start {source.start} is after {yesterday}, the newest complete day\n"
            f"Next          correct source.start{in_file}; {again}"
        )
    first, _, rest = source.files.partition("/")
    folders = [path.name for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    nearest = [] if first in folders else get_close_matches(first, folders, 1)
    hint = f"; did you mean {nearest[0]}/{rest}?" if nearest and "{" not in first else ""
    if first in folders and (other := next((path for path in (root / first).rglob("*") if path.is_file()), None)):
        hint = f"; {first} has other files, such as {other.relative_to(root)}"
    return (
        f"{spec.name}: no files of a day from {source.start} to {yesterday} have landed; looked for {source.files} "
        f"under {landing}{hint}\n"
        f"Next          put files there, or correct source.files{in_file}; {again}"
    )


def describe_remedy(spec: ModelSpec, stages: "Stages", needed: "Needed", is_of_data: bool) -> str:
    """Return the last lines of a run's error: the page to read, and the command to continue with.

    Args:
        spec: the model's specification.
        stages: the stages of the model, opened after the run.
        needed: the days that were needed.
        is_of_data: whether landed files or the specification have to be corrected; otherwise the error says what to do.
    """
    again = f"`ml-assets run {spec.name}{needed.options}`"
    reports = Reports(spec.name, stages.training.lake)
    page = [f"Page          {reports.uri(needed.newest)}"] if reports.has_page(needed.newest) else []
    if not is_of_data:
        return "\n".join([*page, f"Next          {again} goes on, once the problem above is solved"])
    report = stages.validation.report(needed.landed)
    reasons = report.loc[report["scope"] == "day", "reason"]
    correct = describe_correction(_file_of(spec), bool(reasons.str.startswith(NOTHING_LANDED).any()))
    return "\n".join([*page, f"Next          {correct}; then {again} makes what changed, and goes on"])


def describe_correction(file: Path | None, are_missing: bool) -> str:
    """Describe what to correct after a failed run.

    Args:
        file: the file of the specification; None if the project has none.
        are_missing: whether days that the model needs have not landed.
    """
    if are_missing:
        place = f" in {file}" if file else ""
        return f"land the missing days, or shorten training.window, evaluation.holdout and label_delay{place}"
    return f"correct the files, or {file}" if file else "correct the files or the specification"


def describe_refusal(spec: ModelSpec, needed: "Needed", failed: Sequence[GateResult] = ()) -> str:
    """Describe how to continue when a model does not go live, for example because it fails a gate.

    Args:
        spec: the specification of the model.
        needed: the days that were needed.
        failed: the gates that it fails.
    """
    file = _file_of(spec)
    place = f" in {file}" if file else ""
    if failed and all(result.severity == "warn" for result in failed):
        return (
            "nothing has to be corrected: the champion stays live, and the model of the next day is compared with it "
            f"again. Two equal models differ by chance where labels are few: champion.margin{place} sets by how much a "
            "model may be worse, and a longer evaluation.holdout measures it more exactly"
        )
    return (
        f"correct the data, or features, training or gates{place}; then `ml-assets run {spec.name}{needed.options}` "
        "makes what changed"
    )


def _file_of(spec: ModelSpec) -> Path | None:
    return next((file.path for file in list_model_files() if file.name == spec.name), None)
