"""The description of a version and its run in MLflow: the origin of the model, with links to Dagster."""

import json
import subprocess
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from ml_assets.core.counts import count
from ml_assets.resources.mlflow_internals.artifact_picture import picture_of
from ml_assets.resources.observability.redaction import redact_text

if TYPE_CHECKING:
    from ml_assets.resources.mlflow.model_record import ModelRecord

# MLflow displays the first tag as the description and the second as the version of the code.
NOTE_TAG, COMMIT_TAG = "mlflow.note.content", "mlflow.source.git.commit"
STAGES = ("trained_model", "evaluation", "model_registry_entry")
# The number of plots shown; plots of the main metrics come first.
MAIN_PLOTS = 2
# The maximum length of a description in MLflow's tables. SQLite accepts longer ones, PostgreSQL refuses them.
LONGEST = 5000


def description(
    record: "ModelRecord", dagster_run_id: str, dagster_ui: str, commit: str | None, mlflow_run_id: str | None = None
) -> str:
    """Return the description of a version in Markdown, without the secrets of this process: first training period,
    metrics, gates and the main plots, then the locations of everything else.

    Args:
        record: the model.
        dagster_run_id: ID of the Dagster run that registered it.
        dagster_ui: URL of Dagster's webserver; empty for a description without links.
        commit: commit of the code, if known.
        mlflow_run_id: ID of the MLflow run whose plots the description shows; None for a description without plots.
    """
    provenance = json.loads(record.artifacts["passport.json"])
    landed_objects = provenance.get("landed_objects", [])
    days = {stage: record.tags.get(f"{stage}_fingerprint") for stage in STAGES}
    lines = {
        "digest": f"`{record.digest}`",
        "provenance": "`passport.json` among the artifacts of the model: "
        f"{count(len(landed_objects), 'landed object')} with their digests, and the fingerprints of "
        f"{count(sum(map(len, provenance.get('days', {}).values())), 'day')}",
        "files in the lake": f"`{record.lake}/{record.lake_folder}`",
        **{stage: _day(record, stage, dagster_ui, fingerprint) for stage, fingerprint in days.items()},
        "run of Dagster": f"[{dagster_run_id}]({dagster_ui}/runs/{dagster_run_id})"
        if dagster_ui
        else f"`{dagster_run_id}`",
        "report": "`report.html` among the artifacts of the run; "
        f"`{record.lake}/{record.name}/reports/{record.day}.html`",
        "releases": f"`{record.lake}/{record.name}/release_ledger`",
        **({"code": f"commit `{commit}`"} if commit else {}),
    }
    table = ["| what | where |", "|---|---|", *(f"| {what} | {where} |" for what, where in lines.items())]
    # Leave 500 characters for the title, the period and the plots.
    summary = _summary(record, mlflow_run_id, LONGEST - 500 - sum(len(line) + 1 for line in table))
    return "\n".join([title(record), "", *(redact_text(line) for line in [*summary, *table])])[:LONGEST]


def _summary(record: "ModelRecord", mlflow_run_id: str | None, room: int) -> list[str]:
    """Return the most important facts: training period, gates, metrics and main plots, with as many metrics and gates
    as fit into `room` characters.
    """
    params, metrics, reasons = record.params, record.finite_metrics(), record.gate_reasons()
    lines = []
    if {"fit_first", "validation_last", "rows"} <= params.keys():
        period = f"{params['fit_first']} to {params['validation_last']}"
        positives = f", {params['positives']:,} positive" if "positives" in params else ""
        lines += [f"Trained on {period}: {count(params['rows'], 'row')}{positives}.", ""]
    if metrics:
        shown = [f"| {name} | {value:.4g} | {reasons.get(name, '')} |" for name, value in metrics.items()]
        shown = _fit(shown, room * 2 // 3, "| {} more | | among the metrics of the run |")
        lines += ["| metric on the holdout | value | gate |", "|---|---|---|", *shown, ""]
    if others := {name: reason for name, reason in reasons.items() if name not in metrics}:
        verdicts = [f"Gate {name}: {reason}." for name, reason in others.items()]
        lines += [*_fit(verdicts, room // 3, "{} more gates are in `report.html`."), ""]
    if record.plots:
        if mlflow_run_id:
            lines += [picture_of(f"plots/{name}", mlflow_run_id) for name in list(record.plots)[:MAIN_PLOTS]]
        lines += ["", "All plots are in `plots` among the artifacts of the run.", ""]
    return lines


def _fit(lines: Sequence[str], room: int, rest: str) -> list[str]:
    """Return the first lines that fit into a number of characters, and a line with the number of all others."""
    kept = sum(length <= room for length in accumulate(len(line) + 1 for line in lines))
    return [*lines[:kept], *([rest.format(len(lines) - kept)] if kept < len(lines) else [])]


def title(record: "ModelRecord") -> str:
    """Return the first line of the description; a description that begins otherwise was written by a person."""
    return f"**{record.name}** of {record.day}"


@cache
def code_commit() -> str | None:
    """Return the commit of this code in 40 digits, with `-dirty` if files differ from it; None outside a git
    repository.
    """
    this_file = Path(__file__)
    git = ["git", "-C", str(this_file.parent)]
    try:
        subprocess.run([*git, "ls-files", "--error-unmatch", this_file.name], check=True, capture_output=True)
        describe = [*git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude", "*"]
        return subprocess.run(describe, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _day(record: "ModelRecord", stage: str, dagster_ui: str, fingerprint: str | None) -> str:
    link = (
        f"[{record.day}]({dagster_ui}/assets/{record.name}/{stage}?partition={record.day})"
        if dagster_ui
        else f"day {record.day}"
    )
    return f"{link}, fingerprint `{fingerprint}`" if fingerprint else link
