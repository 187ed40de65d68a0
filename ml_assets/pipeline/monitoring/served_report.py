"""Metadata, columns and part of the daily report for served requests."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.operations.reports.daily_report import Part
from ml_assets.pipeline.asset_names import SERVED_REQUESTS
from ml_assets.pipeline.steps.report_store import fingerprint_entry

if TYPE_CHECKING:
    from ml_assets.pipeline.monitoring.served_stage import ServedRequests


def served_metadata(stage: "ServedRequests", day: date) -> Mapping[str, Any]:
    """Return the number of requests, in all and by version."""
    versions = stage.read(day, ["model_version"])["model_version"].to_pylist()
    by_version = {f"requests_of_version_{version}": versions.count(version) for version in sorted({*versions})}
    return {"requests": len(versions), **by_version}


def served_parts(stage: "ServedRequests", days: Sequence[date]) -> Iterator[Part]:
    """Report the number of requests of each day."""
    for day in days:
        provenance = fingerprint_entry(stage.tables[SERVED_REQUESTS], day)
        yield Part(SERVED_REQUESTS, day, facts=served_metadata(stage, day), provenance=provenance)


def served_column_schema(spec: ModelSpec) -> list[dg.TableColumn]:
    """Describe the columns of served_requests."""
    from ml_assets.core.tables.columns import SERVED_REQUEST, served_columns
    from ml_assets.core.tables.monitoring_schemas import served_requests_schema

    about = {column.name: column.description for column in (*SERVED_REQUEST, *served_columns(spec.outputs))}
    about |= {name: column.description for name, column in spec.columns.items() if name not in about}
    return [
        dg.TableColumn(field.name, str(field.type), description=about.get(field.name) or None)
        for field in served_requests_schema(spec)
    ]
