"""The content of the marker of a run that is working on days of a stage."""

import json
from datetime import date

from ml_assets.core.operations.failures.damaged_state import MARKER, DamagedState
from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.directory import Directory

UNFINISHED_RUNS = "unfinished_runs"


class DamagedMarker(DamagedState):
    """The marker of a run is damaged."""


def read_marker(files: Directory | Bucket, uri: str, key: str) -> list[date]:
    """Return the days in a marker.

    Args:
        files: the files of the lake.
        uri: URI of the lake.
        key: the marker.

    Raises:
        FileNotFoundError: when there is no such marker (any more).
        DamagedMarker: when it is not the JSON that a run writes.
    """
    content = files.read(key)
    try:
        return [date.fromisoformat(day) for day in json.loads(content)["days"]]
    except (ValueError, TypeError, KeyError) as error:
        raise DamagedMarker(MARKER.explain(f"{uri.rstrip('/')}/{key}", "it is not JSON with days")) from error
