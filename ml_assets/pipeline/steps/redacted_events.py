"""Redaction of descriptions and metadata that a step reports to Dagster, because they may quote errors of libraries."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import dagster as dg

from ml_assets.resources.observability.redaction import has_secrets, redact_error, redact_text, redact_values


def redact_events(events: Iterable[Any]) -> Iterator[Any]:
    """Yield the events of a step without the secrets of this process in their descriptions and metadata.

    Args:
        events: materializations, check results and outputs.
    """
    for event in events:
        yield _redact_event(event) if has_secrets() else event


def redact_failure(error: BaseException) -> None:
    """Remove the secrets of this process from an exception, and from the metadata of a Failure."""
    redact_error(error)
    if isinstance(error, dg.Failure):
        error.metadata = {name: redact_metadata(value) for name, value in error.metadata.items()}


def _redact_event(event: Any) -> Any:
    changes: dict[str, Any] = {}
    if isinstance(metadata := getattr(event, "metadata", None), Mapping):
        redacted = {name: redact_metadata(value) for name, value in metadata.items()}
        changes |= {"metadata": redacted} if redacted != dict(metadata) else {}
    if (description := getattr(event, "description", None)) and redact_text(description) != description:
        changes["description"] = redact_text(description)
    if isinstance(event, dg.MaterializeResult) and event.check_results:
        changes["check_results"] = [_redact_event(result) for result in event.check_results]
    if changes and isinstance(event, dg.AssetCheckEvaluation):
        return _copy(event, changes)
    return event._replace(**changes) if changes and hasattr(event, "_replace") else event


def _copy(event: dg.AssetCheckEvaluation, changes: Mapping[str, Any]) -> dg.AssetCheckEvaluation:
    fields = ("asset_key", "check_name", "passed", "metadata", "severity", "description", "blocking", "partition")
    values = {name: getattr(event, name) for name in (*fields, "target_materialization_data")}
    return dg.AssetCheckEvaluation(**values | dict(changes))


def redact_metadata(value: Any) -> Any:
    """Return a value of Dagster's metadata without the secrets of this process."""
    if not isinstance(value, dg.MetadataValue):
        return redact_values(value)
    if isinstance(value, dg.IntMetadataValue | dg.FloatMetadataValue | dg.BoolMetadataValue):
        return value
    text = dg.serialize_value(cast(Any, value))
    redacted = redact_text(text)
    return value if redacted == text else dg.deserialize_value(redacted)
