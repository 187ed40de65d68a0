"""The retention job of a model, and the weekly schedule that runs it."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from ml_assets.core.counts import count
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.engine.model_project import claim_model
from ml_assets.pipeline.graph.stages import open_stages
from ml_assets.pipeline.retention.apply import Retention
from ml_assets.pipeline.retention.result import Removal
from ml_assets.pipeline.steps.retries import apply_retry_policy
from ml_assets.pipeline.steps.step_config import run_tags, step_settings
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.storage.landing import Landing

WEEKLY = "0 4 * * 0"
MAX_LINES = 200


class RetentionConfig(dg.Config):
    """Options of the job."""

    dry_run: bool = Field(default=False, description="Report what would be removed, and remove nothing.")


def retention_job(spec: ModelSpec, project: str | None = None) -> dg.JobDefinition:
    """Build the job of one op that applies the `retention` policy of the specification.

    Args:
        spec: the model's specification.
        project: the project that the tables have to belong to; None if it is not known.
    """
    settings = step_settings(spec, "retention")

    @dg.op(
        name=f"{spec.name}_retention",
        out=dg.Out(dg.Nothing),
        description=f"Removes old data of {spec.name}, as its specification says.",
        # The pool keeps it from running at the same time as another run of the model.
        pool=settings.pool,
        tags=settings.op_tags,
    )
    def remove(
        context: dg.OpExecutionContext, config: RetentionConfig, lake: Lake, landing: Landing, registry: ModelRegistry
    ) -> None:
        with apply_retry_policy(context, settings, f"{spec.name}/retention"):
            claim_model(lake, spec.name, project)
            stages = open_stages(spec, lake, landing, registry)
            removal = Retention(spec, stages, lake, registry, datetime.now(UTC), context.run_id, config.dry_run).apply()
        for line in describe(removal):
            context.log.info(line)
        for name, why in removal.not_vacuumed.items():
            context.log.warning(f"no files of {name} were deleted: {why}")
        context.add_output_metadata(metadata_of(removal))

    # Dagster loads no code location in which a graph has the name of an op, and run configuration names the op.
    @dg.graph(name=f"{spec.name}_retention_graph")
    def graph() -> None:
        remove()

    return graph.to_job(
        name=f"{spec.name}_retention",
        description=f"Removes old data of {spec.name}, but nothing that registered models need.",
        tags=run_tags(spec),
    )


def retention_schedule(spec: ModelSpec, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Build the schedule that runs the job on Sundays at 04:00 in the time zone of the source."""
    return dg.ScheduleDefinition(
        name=f"{spec.name}_retention",
        job=job,
        cron_schedule=WEEKLY,
        execution_timezone=spec.source.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Removes old data of {spec.name}.",
    )


def describe(removal: Removal) -> list[str]:
    """Describe removed data, and old data that stays, one line each."""
    verb = "would be removed" if removal.dry_run else "removed"
    lines = [
        f"{name}: {count(len(days), 'day')} {verb}, {days[0]} to {days[-1]}"
        for name, days in removal.days.items()
        if days
    ]
    lines += [
        f"{name}: {count(files, 'file')} {verb}, {removal.bytes[name]:,} bytes"
        for name, files in removal.files.items()
        if files
    ]
    lines += [f"{version} {verb}" for version in removal.versions]
    if removal.models or removal.logged_models:
        lines.append(
            f"files of {count(len(removal.models), 'model')}, "
            f"and {count(removal.logged_models, 'logged model')} in MLflow, {verb}"
        )
    return [*(lines or [f"nothing {verb}"]), *(f"stays: {line}" for line in removal.kept)]


def metadata_of(removal: Removal) -> dict[str, Any]:
    """Return the removal as metadata for the UI."""
    records = [
        dg.TableRecord(
            {
                "table": name,
                "days": len(days := removal.days.get(name, [])),
                "first": str(days[0]) if days else "",
                "last": str(days[-1]) if days else "",
                "files": removal.files.get(name, 0),
                "bytes": removal.bytes.get(name, 0),
            }
        )
        for name in dict.fromkeys([*removal.days, *removal.files])
    ]
    return {
        "dry_run": removal.dry_run,
        "removed": dg.MetadataValue.table(
            records, dg.TableSchema([dg.TableColumn(name) for name in records[0].data]) if records else None
        ),
        "days_removed": sum(len(days) for days in removal.days.values()),
        "files_removed": sum(removal.files.values()),
        "bytes_removed": sum(removal.bytes.values()),
        "versions_removed": _lines(str(version) for version in removal.versions),
        "models_removed": len(removal.models),
        "logged_models_removed": removal.logged_models,
        "kept": _lines(removal.kept),
        "not_vacuumed": _lines(f"{name}: {why}" for name, why in removal.not_vacuumed.items()),
    }


def _lines(lines: Any) -> dg.MarkdownMetadataValue:
    all_lines = list(lines)
    more = [f"and {len(all_lines) - MAX_LINES} more"] if len(all_lines) > MAX_LINES else []
    return dg.MetadataValue.md("\n".join(f"- {line}" for line in [*all_lines[:MAX_LINES], *more]) or "none")
