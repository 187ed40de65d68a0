"""The Dagster project whose models the verbs work on: its definitions and its models."""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.defs_yaml.model_files import ModelFile, find_model_files
from ml_assets.defs.environment import current_project_root, select_project_root
from ml_assets.defs.project import Project, find_project, read_project

if TYPE_CHECKING:
    import dagster as dg


def select_project(folder: str) -> None:
    """Let this process, and those that it starts, work on a project.

    Args:
        folder: a folder of the project.

    Raises:
        click.UsageError: when neither the folder nor one above it is a Dagster project.
    """
    root = find_project(Path(folder))
    if root is None:
        raise click.UsageError(
            f"--project {folder}: neither this folder nor one above it is a Dagster project, which has a "
            "pyproject.toml with the table [tool.dg.project]; `create-dagster project NAME` makes one"
        )
    select_project_root(root)


def current_project() -> Project:
    """Return the project that this process works on.

    Raises:
        click.UsageError: when there is none.
    """
    try:
        return read_project(current_project_root())
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def load_definitions() -> "dg.Definitions":
    """Load the definitions of the project that this process works on."""
    from dagster.components.definitions import LazyDefinitions

    project = current_project()
    if project.is_own:
        from ml_assets.definitions import defs

        return defs()
    definitions = _import(project, project.definitions).defs
    return definitions() if isinstance(definitions, LazyDefinitions) else definitions


def list_model_files() -> list[ModelFile]:
    """Read the models in the files of the project's defs folder, as typed: templates in them are not resolved."""
    project = current_project()
    return find_model_files(project.defs) if project.defs.is_dir() else []


def load_spec(file: ModelFile) -> ModelSpec | None:
    """Return the specification of a model; None when it is broken.

    Templates in the file (`{{ env.X }}`) are resolved by the component.

    Args:
        file: the model in its file.
    """
    if file.spec is None or "{{" not in file.path.read_text():
        return file.spec
    return next((spec for spec in load_component_specs(current_project()) if spec.name == file.name), None)


def load_component_specs(project: Project) -> list[ModelSpec]:
    """Load the components of a project, and return the specifications of its models, subclasses included."""
    import dagster as dg

    from ml_assets.pipeline.component import ModelPipeline

    _import(project, project.definitions.partition(".")[0])
    tree = dg.ComponentTree.for_project(project.root)
    return [component.spec for component in tree.get_all_components(of_type=ModelPipeline)]


def _import(project: Project, module: str) -> ModuleType:
    """Import a module of the project, whether or not the project is installed."""
    for source in (project.root / "src", project.root):
        if source.is_dir() and str(source) not in sys.path:
            sys.path.insert(0, str(source))
    return importlib.import_module(module)
