"""Definitions of everything in a folder of components, loaded file by file."""

import importlib
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import dagster as dg
from dagster.components.component.component_loader import is_component_loader
from dagster.components.core.component_tree import ComponentTreeException
from dagster.components.definitions import LazyDefinitions

from ml_assets.core.model_spec.defs_yaml.document import YamlDocument
from ml_assets.core.model_spec.defs_yaml.model_files import (
    component_file,
    component_name,
    is_loaded,
    models_of,
    read_component_files,
)
from ml_assets.resources.dagster_internals.component_documents import build_document_defs
from ml_assets.resources.dagster_internals.serialized_errors import MessageOnlyError


class Folder:
    """A folder of components that becomes one code location.

    Each component gets a component tree of its own, even if a file has several, because a tree fails as a whole.

    Args:
        path: the folder.
        module: name of its Python package.
        project: root folder of the project.
        required: names of Python files without which nothing can run.
    """

    def __init__(self, path: Path, module: str, project: Path, required: Collection[str] = ()):
        self.path = path
        self.module = module
        self.project = project
        self.required = required

    def load(self) -> tuple[list[dg.Definitions], dict[str, str]]:
        """Load all components and Python files.

        Returns:
            The definitions that could be loaded, and the problem of each component or file that could not, by its
            name, in the order of files and lines.

        Raises:
            Exception: the error of a module in `required`.
        """
        loaded: list[dg.Definitions] = []
        files = {file.path: file for file in read_component_files(self.path)}
        models = models_of(files.values())
        problems: dict[str, str] = {}
        by_document = {id(model.document): model for model in models if model.document is not None}
        for path in self._list_files(self.path):
            if path not in files:
                self._try(path.stem, f"{path}:1", partial(self._load_python, path), loaded, problems)
                continue
            for model in models:
                if model.path == path and model.problem is not None and model.document is None:
                    _add_problem(problems, model.name, model.problem)
            for document in files[path].documents:
                model = by_document.get(id(document))
                if model is not None and model.problem is not None:
                    _add_problem(problems, model.name, model.problem)
                    continue
                name = model.name if model is not None else component_name(files[path], document.position)
                load = partial(self._load_component, document)
                self._try(name, f"{path}:{document.line}", load, loaded, problems)
        return loaded, problems

    def _try(
        self,
        name: str,
        place: str,
        load: Callable[[], dg.Definitions],
        loaded: list[dg.Definitions],
        problems: dict[str, str],
    ) -> None:
        """Add the definitions of a component or Python file, or its problem."""
        try:
            loaded.append(load())
        except Exception as error:
            if name in self.required:
                raise
            problem = describe(error) if isinstance(error, MessageOnlyError) else f"{place}: {describe(error)}"
            _add_problem(problems, name, problem)

    def _list_files(self, folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if path.is_dir() and is_loaded(path):
                file = component_file(path)
                yield from [file] if file else self._list_files(path)
            elif path.suffix == ".py" and is_loaded(path):
                yield path

    def _load_component(self, document: YamlDocument) -> dg.Definitions:
        folder = document.path.parent
        module = ModuleType(self._module_name(folder))
        module.__file__ = None
        module.__path__ = [str(folder)]
        tree = dg.ComponentTree.from_module(defs_module=module, project_root=self.project)
        return build_document_defs(tree, document)

    def _load_python(self, path: Path) -> dg.Definitions:
        module = importlib.import_module(self._module_name(path))
        values = list(vars(module).values())
        if any(is_component_loader(value) for value in values):
            raise ValueError("component instances need a folder of their own, with a file defs.yaml")
        stated = [value for value in values if isinstance(value, dg.Definitions)]
        stated += [value() for value in values if isinstance(value, LazyDefinitions)]
        return dg.Definitions.merge(*stated) if stated else dg.load_definitions_from_module(module)

    def _module_name(self, path: Path) -> str:
        path = path.parent if path.name == "__init__.py" else path
        parts = path.relative_to(self.path).parts
        return ".".join([self.module, *parts]).removesuffix(".py")


def describe(error: BaseException) -> str:
    """Describe why a component could not be loaded: the error below those of Dagster's component tree, in one line
    unless it lists the problems of a file itself.
    """
    while type(error) is ComponentTreeException and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, MessageOnlyError):
        return str(error)
    return " ".join(f"{type(error).__name__}: {error}".split())


def _add_problem(problems: dict[str, str], name: str, problem: str) -> None:
    """Add a problem; files of the same name in several folders share one entry."""
    problems[name] = f"{problems[name]}\n{problem}" if name in problems else problem
