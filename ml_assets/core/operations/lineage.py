"""The lineage of a run of a step: the tables that it read and wrote, independent of any lineage client."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

State = Literal["START", "COMPLETE", "FAIL", "ABORT"]
DELTA = "delta"


@dataclass(frozen=True)
class DatasetName:
    """The name of a dataset by OpenLineage's naming rules: namespace `file` and a path, or `s3://bucket` and a key."""

    namespace: str
    name: str


@dataclass(frozen=True)
class Dataset:
    """A dataset that a step read or wrote.

    layer: `delta` for a table of the lake, else None. columns: (name, type, description) of each. lineage: the columns
    of other datasets, as (dataset, column), from which each column is derived. version: version of the Delta table.
    rows, size: rows and bytes that the step wrote; None for a dataset that it read.
    """

    name: DatasetName
    uri: str
    layer: str | None = DELTA
    columns: Sequence[tuple[str, str, str]] = ()
    lineage: Mapping[str, Sequence[tuple[DatasetName, str]]] = field(default_factory=dict)
    version: int | None = None
    rows: int | None = None
    size: int | None = None


@dataclass(frozen=True)
class StepRun:
    """One attempt of a step.

    run_id: Dagster's run. attempt: number of the attempt, from 0. job: Dagster's job. step: name of the model and of
    the stage, as in `fraud_detection.features`. first, last: beginning and end of the days of the step, with a time
    zone. engine: version of Dagster.
    """

    run_id: str
    attempt: int
    job: str
    step: str
    first: datetime
    last: datetime
    engine: str


@dataclass(frozen=True)
class StepEvent:
    """An event of an attempt of a step: it started, completed, failed with an error, or was aborted."""

    state: State
    at: datetime
    run: StepRun
    inputs: Sequence[Dataset] = ()
    outputs: Sequence[Dataset] = ()
    error: str | None = None


def name_dataset(uri: str) -> DatasetName:
    """Return the name of the dataset at a URI or local path."""
    parts = urlsplit(uri)
    if parts.scheme in ("", "file"):
        return DatasetName("file", parts.path or "/")
    return DatasetName(f"{parts.scheme}://{parts.hostname or ''}", parts.path.strip("/") or "/")


def uri_of(place: str) -> str:
    """Return the URI, without credentials, of a location that may be a local path."""
    parts = urlsplit(place)
    if parts.scheme == "":
        return Path(place).absolute().as_uri()
    return f"{parts.scheme}://{parts.hostname or ''}{quote(parts.path)}"
