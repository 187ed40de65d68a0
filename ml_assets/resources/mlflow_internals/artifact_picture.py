"""The link to an image among the artifacts of a run, for descriptions in Markdown.

Reason: the page of a version shows its main plots, and MLflow has no field for images. Descriptions may contain links
to images, and MLflow's pages load artifacts from this address. Where no MLflow server answers it, the page shows the
name of the image instead.
Public API that would replace it: a documented address of an artifact.
"""

from pathlib import PurePosixPath
from urllib.parse import urlencode


def picture_of(artifact: str, run_id: str) -> str:
    """Return Markdown that shows an image.

    The link is relative to the page, because a server may lie below any path.

    Args:
        artifact: path of the image under the artifacts of the run.
        run_id: ID of the MLflow run.
    """
    name = PurePosixPath(artifact).stem.replace("_", " ")
    return f"![{name}](get-artifact?{urlencode({'path': artifact, 'run_uuid': run_id})})"
