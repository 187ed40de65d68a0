"""Checks of OpenLineage's events against the classes that its client generates from the published JSON schemas."""

import importlib
import json
import pkgutil
from datetime import datetime
from typing import Any, ClassVar, get_type_hints
from urllib.parse import urlsplit
from uuid import UUID


def check_event(event: dict[str, Any]) -> None:
    """Check an event as it is sent: required fields, formats, and each facet against the class of its schema.

    Raises:
        AssertionError, TypeError, ValueError: when the event does not keep a schema.
    """
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState

    run, job = event["run"], event["job"]
    RunEvent(
        eventType=RunState(event["eventType"]),
        eventTime=event["eventTime"],
        run=Run(runId=run["runId"]),
        job=Job(job["namespace"], job["name"]),
        producer=event["producer"],
    )
    assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
    assert UUID(run["runId"])
    assert urlsplit(event["producer"]).scheme
    assert urlsplit(event["schemaURL"]).fragment == "/$defs/RunEvent"
    for dataset in [*event["inputs"], *event["outputs"]]:
        assert dataset["namespace"]
        assert dataset["name"]
        uri = dataset["facets"]["dataSource"]["uri"]
        assert urlsplit(uri).scheme, uri
        assert not set(uri) & set(' {}<>"'), uri
    for facets in _facets(event):
        for facet in facets.values():
            _check_facet(facet)


def _facets(event: dict[str, Any]) -> list[dict[str, Any]]:
    datasets = [*event["inputs"], *event["outputs"]]
    return [
        event["run"]["facets"],
        event["job"]["facets"],
        *(dataset["facets"] for dataset in datasets),
        *(dataset.get(kind, {}) for dataset in datasets for kind in ("inputFacets", "outputFacets")),
    ]


def _check_facet(facet: dict[str, Any]) -> None:
    """Build the class that the schema of a facet names from its fields, which refuses missing and unknown ones."""
    assert urlsplit(facet["_producer"]).scheme
    name = facet["_schemaURL"].rpartition("/")[2]
    build(_classes()[name], {key: value for key, value in facet.items() if key not in ("_producer", "_schemaURL")})


def build(kind: type, fields: dict[str, Any]) -> Any:
    """Build a class of the client from JSON, with the classes of its parts."""
    # The modules import what only annotations need for type checkers alone.
    names = {"ClassVar": ClassVar, "Any": Any, **vars(importlib.import_module(kind.__module__))}
    hints = get_type_hints(kind, names)
    return kind(**{name: _value(hints[name], value) for name, value in fields.items()})


def _value(hint: Any, value: Any) -> Any:
    parts = [part for part in getattr(hint, "__args__", ()) if part is not type(None)]
    if isinstance(value, list):
        return [_value(parts[0].__args__[0] if hasattr(parts[0], "__args__") else parts[0], part) for part in value]
    if isinstance(value, dict):
        if hasattr(hint, "__attrs_attrs__"):
            return build(hint, value)
        inner = [part for part in parts if hasattr(part, "__attrs_attrs__")]
        mapping = next((part.__args__[1] for part in [hint, *parts] if getattr(part, "__origin__", None) is dict), None)
        if inner and mapping is None:
            return build(inner[0], value)
        return {key: _value(mapping, part) for key, part in value.items()}
    return value


def _classes() -> dict[str, type]:
    from openlineage.client import generated

    modules = [
        importlib.import_module(f"{generated.__name__}.{info.name}")
        for info in pkgutil.iter_modules(generated.__path__)
    ]
    return {name: kind for module in modules for name, kind in vars(module).items() if name.endswith("Facet")}


def as_sent(event: Any) -> dict[str, Any]:
    """Return an event as the client sends it."""
    from openlineage.client.serde import Serde

    return json.loads(Serde.to_json(event))
