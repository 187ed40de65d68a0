"""The Dagster project whose models the verbs work on: its definitions and its models."""

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.defs_yaml.document import SpecFileError
from ml_assets.core.model_spec.defs_yaml.model_files import ModelFile, find_model_files
from ml_assets.defs.environment import current_project_root, select_project_root
from ml_assets.defs.project import Project, find_project, read_project

if TYPE_CHECKING:
    import dagster as dg

# The words of Dagster when it merges definitions.
COLLISION = re.compile(r"have different \w+ with same key|both have an executor|Duplicate definition found")


def select_project(folder: str) -> None:
    """Set the project that this process and its child processes work on.

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
    """Load the definitions of the project that this process works on.

    Raises:
        click.UsageError: when there is no project, its definitions do not bind the resources of ml_assets, two models
            have one name, or a component cannot be loaded, because Dagster loads all of a project or none.
    """
    from dagster.components.core.component_tree import ComponentTreeException
    from dagster.components.definitions import LazyDefinitions

    from ml_assets.pipeline.code_location.folder_definitions import describe

    project = current_project()
    if project.is_own:
        from ml_assets.definitions import defs

        return defs()
    _refuse_shared_names()
    try:
        definitions = _import(project, project.definitions).defs
        definitions = definitions() if isinstance(definitions, LazyDefinitions) else definitions
    except ComponentTreeException as error:
        problem = describe(error)
        advice = (
            "two files of the project define the same thing, so Dagster loads none. If one of them is "
            "ml_assets_environment.py, leave the thing out there (docs/how-to/projects.md)"
            if COLLISION.search(problem)
            else "one component of the project is broken, so Dagster loads none; correct or remove it"
        )
        raise click.UsageError(f"{advice}. {problem}") from error
    if "lake" not in (definitions.resources or {}):
        from ml_assets.pipeline.code_location.bound_resources import ADVICE

        raise click.UsageError(ADVICE.format(file=project.defs / "ml_assets_environment.py"))
    return definitions


def _refuse_shared_names() -> None:
    """Refuse models of one name, for which Dagster's error names no file."""
    if shared := [file.problem or "" for file in list_model_files() if file.shares_name]:
        raise click.UsageError("\n".join(["two models have one name, so Dagster loads none of the project.", *shared]))


def list_model_files() -> list[ModelFile]:
    """Read the models in the files of the project's defs folder as written, with templates unresolved."""
    project = current_project()
    return find_model_files(project.defs) if project.defs.is_dir() else []


def load_spec(file: ModelFile) -> ModelSpec | None:
    """Return the specification of a model; None when it is broken.

    Templates in the file (`{{ env.X }}`) are resolved by the component, whose class may be one of the project.

    Args:
        file: the model in its file.

    Raises:
        SpecFileError: when the component cannot be loaded; names the file and the reason.
    """
    if not file.needs_component or file.document is None:
        return file.spec
    import dagster as dg

    from ml_assets.pipeline.code_location.folder_definitions import describe
    from ml_assets.pipeline.component import ModelPipeline
    from ml_assets.resources.dagster_internals.component_documents import load_document_component

    project = current_project()
    try:
        if project.is_own:
            # Works even if the package has no pyproject.toml beside it.
            tree = dg.ComponentTree.from_module(importlib.import_module("ml_assets.defs"), project.root)
        else:
            _import(project, project.definitions.partition(".")[0])
            tree = dg.ComponentTree.for_project(project.root)
        component = load_document_component(tree, file.document)
    except Exception as error:
        text = describe(error)
        raise SpecFileError(text if text.startswith(str(file.path)) else f"{file.place}: {text}") from error
    return component.keyed_spec() if isinstance(component, ModelPipeline) else None


def _import(project: Project, module: str) -> ModuleType:
    """Import a module of the project, whether or not the project is installed."""
    for source in (project.root / "src", project.root):
        if source.is_dir() and str(source) not in sys.path:
            sys.path.insert(0, str(source))
    return importlib.import_module(module)
