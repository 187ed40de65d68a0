"""The Dagster project of a process: its root, its defs folder, and the module of its definitions.

It is found without Dagster's own tools, whose import alone takes a second.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = "ML_ASSETS_PROJECT"
REPOSITORY = Path(__file__).resolve().parents[2]
REPOSITORY_MODULE = "ml_assets"


@dataclass(frozen=True)
class Project:
    """A Dagster project.

    root: its folder. defs: the folder of its components, and defs_module: their package. definitions: the module of its
    definitions. location: the name of its code location.
    """

    root: Path
    defs: Path
    defs_module: str
    definitions: str
    location: str

    @property
    def is_own(self) -> bool:
        """Return whether the project is the repository of this package."""
        return self.root == REPOSITORY


def find_project(folder: Path) -> Path | None:
    """Return the folder, or the nearest one above it, that is a Dagster project; None without one."""
    resolved = folder.expanduser().resolve()
    return next((path for path in (resolved, *resolved.parents) if _read_table(path) is not None), None)


def project_root(variables: Mapping[str, str], folder: Path | None = None) -> Path:
    """Return the root of the project that a process works on: ML_ASSETS_PROJECT; else the project of its folder; else
    this repository, if the package is used from a clone and the folder is not a workspace; else the folder.

    Args:
        variables: the environment variables.
        folder: the folder of the process; the current one by default.
    """
    if stated := variables.get(PROJECT):
        return Path(stated).absolute()
    try:
        folder = folder or Path.cwd()
    except FileNotFoundError:
        # Somebody removed the current folder.
        return REPOSITORY
    if (root := find_project(folder)) is None and _read_table(REPOSITORY) is not None and not list_projects(folder):
        return REPOSITORY
    return root or folder


def read_project(root: Path) -> Project:
    """Read the settings of a project, with the defaults of `dg` for missing ones.

    Args:
        root: its folder.

    Raises:
        ValueError: when it is not a Dagster project.
    """
    if root == REPOSITORY:
        return Project(root, Path(__file__).parent, "ml_assets.defs", "ml_assets.definitions", REPOSITORY_MODULE)
    table = _read_table(root)
    if table is None:
        if projects := list_projects(root):
            raise ValueError(
                f"{root} is a workspace of several Dagster projects. Name one with --project: {', '.join(projects)}"
            )
        raise ValueError(
            f"{root} is no Dagster project: it has no pyproject.toml with [tool.dg.project]. Name one with --project"
        )
    module = table.get("root_module", root.name)
    defs_module = table.get("defs_module", f"{module}.defs")
    source = next((path for path in (root / "src", root) if path.joinpath(*module.split(".")).is_dir()), root)
    definitions = table.get("code_location_target_module", f"{module}.definitions")
    location = table.get("code_location_name", root.name)
    return Project(root, source.joinpath(*defs_module.split(".")), defs_module, definitions, location)


def list_projects(folder: Path) -> list[str]:
    """Return the paths of the projects that the `dg.toml` of a workspace names; empty for another folder."""
    try:
        content = tomllib.loads((folder / "dg.toml").read_text())
        return [str(project["path"]) for project in content.get("workspace", {}).get("projects", ())]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []


def _read_table(root: Path) -> Mapping[str, Any] | None:
    """Return the table `project` of the `dg` settings; None if the folder has none."""
    for name in ("pyproject.toml", "dg.toml"):
        try:
            content = tomllib.loads((root / name).read_text())
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            continue
        settings = content.get("tool", {}).get("dg", {}) if name == "pyproject.toml" else content
        if isinstance(table := settings.get("project"), dict) and (root != REPOSITORY or _is_own(table)):
            return table
    return None


def _is_own(table: Mapping[str, Any]) -> bool:
    """Return whether the table beside this package is its own: the wheel of a project that `create-dagster` makes puts
    its pyproject.toml into the folder of all installed packages.
    """
    return table.get("root_module") == REPOSITORY_MODULE
