"""The project that the tables of a model belong to: a model of the same name in another project on the same lake must
not overwrite them.
"""

import re

from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.directory import Directory

FILE = "project.txt"
_DEFS = re.compile(r"\.defs(?=\.|$)")


class ModelOfAnotherProject(Exception):
    """The tables of a model belong to another project. The message says what to do."""


def claim_model(lake: Lake, model: str, project: str | None) -> None:
    """Record that the tables of a model belong to a project, unless they belong to one already.

    Args:
        lake: the lake with the tables.
        model: name of the model.
        project: name of the project, see `name_project`; None if it is not known, and any is right.

    Raises:
        ModelOfAnotherProject: when they belong to another project.
    """
    # Raises a clear error if the lake cannot be used.
    lake.location(model, FILE)
    if not _belongs_to(lake.files, lake.uri, model, project):
        lake.files.write(f"{model}/{FILE}", f"{project}\n".encode())


def check_project(files: Directory | Bucket, uri: str, model: str, project: str | None) -> None:
    """Check that the tables of a model do not belong to another project.

    Args:
        files: the files of the lake.
        uri: the URI of the lake, for the message.
        model: name of the model.
        project: name of the project, see `name_project`; None if it is not known, and any is right.

    Raises:
        ModelOfAnotherProject: when they do.
    """
    _belongs_to(files, uri, model, project)


def name_project(defs_module: str) -> str:
    """Return the name of a project from the module with its definitions, or with some of them: `shop` for `shop.defs`
    and `shop.defs.churn`.
    """
    return _DEFS.split(defs_module)[0]


def _belongs_to(files: Directory | Bucket, uri: str, model: str, project: str | None) -> bool:
    """Return whether the tables belong to the project; False if they belong to none."""
    if project is None:
        return True
    try:
        owner = files.read(f"{model}/{FILE}").decode(errors="replace").strip()
    except FileNotFoundError:
        return False
    if owner and owner != project:
        file = f"{uri.rstrip('/')}/{model}/{FILE}"
        raise ModelOfAnotherProject(
            f"{model}: the project {owner} has a model of this name, and its tables are in the lake {uri}, which "
            f"{project} also uses. Nothing was changed. Rename the model in one of the two, or set ML_ASSETS_LAKE of "
            f"{project} to another place. If {owner} is the former name of {project}, delete {file}"
        )
    return bool(owner)
