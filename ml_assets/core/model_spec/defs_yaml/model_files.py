"""The models of a folder: their files, names and problems."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ml_assets.core.model_spec.defs_yaml.document import SpecFileError, YamlDocument
from ml_assets.core.model_spec.defs_yaml.parser import parse_documents
from ml_assets.core.model_spec.defs_yaml.reader import ATTRIBUTES, read_document, stated_name
from ml_assets.core.model_spec.defs_yaml.templates import has_template
from ml_assets.core.model_spec.model import ModelSpec

# A defs.yaml may name the component by its exported name or by the module that defines it.
TYPES = ("ml_assets.ModelPipeline", "ml_assets.pipeline.component.ModelPipeline")
FILE_NAMES = ("defs.yaml", "defs.yml", "component.yaml")
"""The names under which Dagster looks for the file of a component, in this order."""


@dataclass(frozen=True, eq=False)
class ComponentFile:
    """A file of one or more components.

    Attributes:
        path: the file.
        documents: its documents, each of which is a component; none if the file cannot be parsed.
        problem: file, line and reason of each problem of the file as a whole; None if it can be parsed.
    """

    path: Path
    documents: Sequence[YamlDocument]
    problem: str | None = None


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A model in a file of components.

    Attributes:
        file: the file.
        name: the model's name; that of its folder if the document has no valid one.
        spec: the specification; None if it is broken, or if only its component can build it.
        problem: file, line, field and reason of each problem; None if the model can be loaded.
        document: the document of the model; None if the file cannot be parsed.
        shares_name: whether the problem is that another model has the same name.
    """

    file: ComponentFile
    name: str
    spec: ModelSpec | None
    problem: str | None = None
    document: YamlDocument | None = None
    shares_name: bool = False

    @property
    def needs_component(self) -> bool:
        """Return whether only the component in Dagster builds the specification: it has templates, or its type is a
        subclass.
        """
        return self.spec is None and self.problem is None

    @property
    def path(self) -> Path:
        """The path of the file."""
        return self.file.path

    @property
    def position(self) -> int:
        """The position of the model's document in the file; 0 if the file cannot be parsed."""
        return self.document.position if self.document is not None else 0

    @property
    def place(self) -> str:
        """The path of the file, with the line of the model where the file has several."""
        is_one = self.document is None or len(self.file.documents) < 2
        return str(self.path) if is_one or self.document is None else f"{self.path}:{self.document.line}"


def component_file(folder: Path) -> Path | None:
    """Return the file that makes a folder a component; None without one."""
    return next((folder / name for name in FILE_NAMES if (folder / name).exists()), None)


def list_component_files(folder: Path) -> Iterator[Path]:
    """Yield the files of components in a folder and its subfolders by path, except those below another component."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and is_loaded(path):
            file = component_file(path)
            yield from [file] if file else list_component_files(path)


def is_loaded(path: Path) -> bool:
    """Return whether Dagster loads a file or folder of this name: hidden ones and compiled code are ignored."""
    return not path.name.startswith(".") and path.name != "__pycache__"


def read_component_files(folder: Path) -> list[ComponentFile]:
    """Parse the files of components in a folder and its subfolders, by path."""
    return [_parse(path) for path in list_component_files(folder)]


def find_model_files(folder: Path) -> list[ModelFile]:
    """Read the models of a folder and its subfolders; see `models_of`."""
    return models_of(read_component_files(folder))


def models_of(files: Iterable[ComponentFile]) -> list[ModelFile]:
    """Read the models in files of components; each document of a file may be one.

    A file that cannot be parsed counts as a model. Components of other types are left out. If models share a name, the
    first valid one in a folder of that name keeps it and the others are broken; without such a folder, all of them are.
    """
    models = [model for file in files for model in _read(file)]
    return [_refuse_shared_name(model, models) for model in models]


def folder_name(path: Path) -> str:
    """Return the name of the folder of a file in the letters that Dagster allows in names."""
    return re.sub(r"\W", "_", path.parent.name, flags=re.ASCII)


def component_name(file: ComponentFile, position: int) -> str:
    """Return a name for a document without one: that of the folder, with a number if the file has several documents."""
    name = folder_name(file.path)
    return name if len(file.documents) < 2 else f"{name}_{position + 1}"


def _parse(path: Path) -> ComponentFile:
    try:
        return ComponentFile(path, parse_documents(path))
    except SpecFileError as error:
        return ComponentFile(path, [], str(error))


def _read(file: ComponentFile) -> Iterator[ModelFile]:
    if file.problem is not None:
        yield ModelFile(file, folder_name(file.path), None, file.problem)
    for document in filter(_is_model, file.documents):
        if _needs_component(document):
            name = stated_name(document) or ""
            yield ModelFile(file, name if _is_name(name) else folder_name(file.path), None, None, document)
            continue
        try:
            spec = read_document(document)
        except SpecFileError as error:
            name = stated_name(document) or ""
            name = name if _is_name(name) else component_name(file, document.position)
            yield ModelFile(file, name, None, str(error), document)
        else:
            yield ModelFile(file, spec.name, spec, None, document)


def _is_name(name: str) -> bool:
    return re.fullmatch(r"[a-z][a-z0-9_]*", name) is not None


def _is_model(document: YamlDocument) -> bool:
    content = document.content
    return not isinstance(content, dict) or content.get("type") in (*TYPES, None) or _is_subclass(content)


def _is_subclass(content: Mapping[str, Any]) -> bool:
    """Return whether a component of another type has all required fields of a model."""
    attributes = content.get(ATTRIBUTES)
    required = {name for name, field in ModelSpec.model_fields.items() if field.is_required()}
    return isinstance(attributes, dict) and content.get("type") not in TYPES and required <= {*attributes}


def _needs_component(document: YamlDocument) -> bool:
    content = document.content
    if not isinstance(content, dict) or not isinstance(content.get(ATTRIBUTES), dict):
        return False
    return content.get("type") not in (*TYPES, None) or has_template(content[ATTRIBUTES])


def _refuse_shared_name(model: ModelFile, models: Sequence[ModelFile]) -> ModelFile:
    sharing = [other for other in models if other.name == model.name]
    if len(sharing) < 2:
        return model
    in_folder = [other for other in sharing if other.path.parent.name == model.name]
    owner = next((other for other in in_folder if other.problem is None), in_folder[0] if in_folder else None)
    if model is owner:
        return model
    # The asset of a broken model is named after its folder, so that it is not confused with the valid model.
    name = component_name(model.file, model.position)
    if model.problem is not None or model.document is None:
        return replace(model, name=name)
    line = model.document.locate([ATTRIBUTES, "name"])[1]
    others = [other for other in sharing if other is not model]
    problem = (
        f"{model.path}:{line}: name: {model.name} is also the name of the model in "
        f"{', '.join(other.place for other in others)}; give each model a name of its own"
    )
    return replace(model, name=name, spec=None, problem=problem, shares_name=True)
