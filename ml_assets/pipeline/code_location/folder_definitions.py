"""Definitions of everything in a folder of components, loaded file by file."""

import importlib
from collections.abc import Collection, Iterator
from pathlib import Path
from types import ModuleType

import dagster as dg
from dagster.components.component.component_loader import is_component_loader
from dagster.components.core.component_tree import ComponentTreeException
from dagster.components.definitions import LazyDefinitions

from ml_assets.core.model_spec.defs_yaml.model_files import (
    component_file,
    find_model_files,
    folder_name,
    is_loaded,
)


class Folder:
    """A folder of components that becomes one code location.

    Each component has a component tree of its own, because a tree is built from all of its files and fails as a whole.

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
            The definitions that could be loaded, and the problem of each component or file that could not, by its name.

        Raises:
            Exception: the error of a module in `required`.
        """
        loaded: list[dg.Definitions] = []
        models = {file.path: file for file in find_model_files(self.path)}
        problems = {file.name: file.problem for file in models.values() if file.problem is not None}
        for path in self._list_files(self.path):
            if path in models and models[path].problem is not None:
                continue
            is_python = path.suffix == ".py"
            try:
                loaded.append(self._load_python(path) if is_python else self._load_component(path.parent))
            except Exception as error:
                if path.stem in self.required:
                    raise
                name = models[path].name if path in models else path.stem if is_python else folder_name(path)
                problems[name] = f"{path}:1: {describe(error)}"
        return loaded, problems

    def _list_files(self, folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if path.is_dir() and is_loaded(path):
                file = component_file(path)
                yield from [file] if file else self._list_files(path)
            elif path.suffix == ".py" and is_loaded(path):
                yield path

    def _load_component(self, folder: Path) -> dg.Definitions:
        module = ModuleType(self._module_name(folder))
        module.__file__ = None
        module.__path__ = [str(folder)]
        return dg.ComponentTree.from_module(defs_module=module, project_root=self.project).build_defs(folder)

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
    """Describe in one line why a component could not be loaded: the error below those of Dagster's component tree."""
    while isinstance(error, ComponentTreeException) and error.__cause__ is not None:
        error = error.__cause__
    return " ".join(f"{type(error).__name__}: {error}".split())
