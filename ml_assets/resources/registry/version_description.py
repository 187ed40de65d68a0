"""What the page of a version, and of its run, says in MLflow: where everything is that the model was made from, with
links to Dagster.
"""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml_assets.resources.mlflow.model_format import ModelRecord

# MLflow's own names: its pages show the one as a description and the other as the version of the code.
NOTE_TAG, COMMIT_TAG = "mlflow.note.content", "mlflow.source.git.commit"
STAGES = ("trained_model", "evaluation", "model_registry_entry")


def description(record: "ModelRecord", dagster_run_id: str, dagster_ui: str, commit: str | None) -> str:
    """The description of a version in Markdown.

    Args:
        record: the model.
        dagster_run_id: the run of Dagster that registered it.
        dagster_ui: address of Dagster's webserver; without it nothing is linked.
        commit: of the code.
    """
    provenance = json.loads(record.artifacts["passport.json"])
    landed = provenance.get("landed_objects", [])
    days = {stage: record.tags.get(f"{stage}_fingerprint") for stage in STAGES}
    lines = {
        "digest": f"`{record.digest}`",
        "provenance": f"`passport.json` among the artifacts of the model: {len(landed)} landed objects with their digests, and the fingerprints of "
        f"{sum(map(len, provenance.get('days', {}).values()))} days",
        "files in the lake": f"`{record.lake}/{record.lake_folder}`",
        **{stage: _day(record, stage, dagster_ui, fingerprint) for stage, fingerprint in days.items()},
        "run of Dagster": f"[{dagster_run_id}]({dagster_ui}/runs/{dagster_run_id})"
        if dagster_ui
        else f"`{dagster_run_id}`",
        "report": f"`report.html` among the artifacts of the run; `{record.lake}/{record.name}/reports/{record.day}.html`",
        "releases": f"`{record.lake}/{record.name}/release_ledger`",
        **({"code": f"commit `{commit}`"} if commit else {}),
    }
    return "\n".join(
        [
            title(record),
            "",
            "| what | where |",
            "|---|---|",
            *(f"| {what} | {where} |" for what, where in lines.items()),
        ]
    )


def title(record: "ModelRecord") -> str:
    """The first line of the description; one that begins otherwise was written by somebody else."""
    return f"**{record.name}** of {record.day}"


@cache
def code_commit() -> str | None:
    """The commit of this code in 40 digits, with `-dirty` when files differ from it; None where it is not in a git
    repository.
    """
    here = Path(__file__)
    try:
        subprocess.run(
            ["git", "-C", str(here.parent), "ls-files", "--error-unmatch", here.name], check=True, capture_output=True
        )
        asked = ["git", "-C", str(here.parent), "describe", "--always", "--dirty", "--abbrev=40", "--exclude", "*"]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _day(record: "ModelRecord", stage: str, dagster_ui: str, fingerprint: str | None) -> str:
    of_day = (
        f"[{record.day}]({dagster_ui}/assets/{record.name}/{stage}?partition={record.day})"
        if dagster_ui
        else f"day {record.day}"
    )
    return f"{of_day}, fingerprint `{fingerprint}`" if fingerprint else of_day
