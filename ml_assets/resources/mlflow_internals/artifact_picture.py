"""The link to a picture among the artifacts of a run, for descriptions in Markdown.

Reason: the page of a version is to show its main plots, and MLflow has no field for pictures. Descriptions may hold
links to pictures, and the pages of MLflow get artifacts from this address. A store that is no server of MLflow's shows
the name of the picture instead.
Public API that would replace it: a documented address of an artifact.
"""

from pathlib import PurePosixPath
from urllib.parse import urlencode


def picture_of(artifact: str, run_id: str) -> str:
    """Return Markdown that shows a picture.

    The link is relative to the page, because a server may lie below any path.

    Args:
        artifact: path of the picture below the artifacts of the run.
        run_id: ID of the MLflow run.
    """
    name = PurePosixPath(artifact).stem.replace("_", " ")
    return f"![{name}](get-artifact?{urlencode({'path': artifact, 'run_uuid': run_id})})"
