"""A hint for projects that have models but bind no resources, in addition to Dagster's own error."""

import logging
import re
from functools import cache
from pathlib import Path

import dagster as dg

log = logging.getLogger("ml_assets")
_ENVIRONMENT = re.compile(r"\b(ml_assets\.environment|project_environment|build_environment)\b")
# The resource as a key of a mapping, or as a named argument.
_LAKE = re.compile(r"[\"']lake[\"']|\blake\s*=")
ADVICE = """\
nothing binds the resources of ml_assets (lake, landing and others). Write the file {file}:

from pathlib import Path
import dagster as dg
import ml_assets

@dg.definitions
def ml_assets_environment() -> dg.Definitions:
    return ml_assets.environment(Path(__file__))
"""


def warn_of_unbound_resources(context: dg.ComponentLoadContext) -> None:
    """Log once how to bind the resources if no Python file of the project does.

    Resources are bound when all definitions are merged, which a component does not see, so the files are searched for
    their names.
    """
    folder = context.defs_module_path
    if folder != context.project_root and not _is_bound(folder.parent):
        log.warning(ADVICE.format(file=folder / "ml_assets_environment.py"))


@cache
def _is_bound(package: Path) -> bool:
    return binds_environment(package) or _occurs(_LAKE, package)


def binds_environment(folder: Path) -> bool:
    """Return whether a Python file in a folder or its subfolders builds the environment of ml_assets."""
    return _occurs(_ENVIRONMENT, folder)


def _occurs(pattern: re.Pattern[str], folder: Path) -> bool:
    return any(pattern.search(path.read_text(errors="replace")) for path in folder.rglob("*.py"))
