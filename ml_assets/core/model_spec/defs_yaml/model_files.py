"""The models of a folder: their files, their names, and what is wrong with them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ml_assets.core.model_spec.defs_yaml.document import SpecFileError, YamlDocument, parse_documents
from ml_assets.core.model_spec.defs_yaml.reader import ATTRIBUTES, read_document, stated_name
from ml_assets.core.model_spec.model import ModelSpec

# A defs.yaml may name the component by its exported name or by the module that defines it.
TYPES = ("ml_assets.ModelPipeline", "ml_assets.pipeline.component.ModelPipeline")
FILE_NAMES = ("defs.yaml", "defs.yml", "component.yaml")
"""The names under which Dagster looks for the file of a component, in this order."""


@dataclass(frozen=True)
class ModelFile:
    """The file of one model.

    Attributes:
        path: the file.
        name: the model's name; that of its folder if the file states none that is valid.
        spec: the specification; None if the file is broken.
        problem: file, line, field and reason of each problem; None if the model can be loaded.
    """

    path: Path
    name: str
    spec: ModelSpec | None
    problem: str | None = None


def component_file(folder: Path) -> Path | None:
    """Return the file that makes a folder a component; None without one."""
    return next((folder / name for name in FILE_NAMES if (folder / name).exists()), None)


def list_component_files(folder: Path) -> Iterator[Path]:
    """Yield the files of components in a folder and its subfolders by path; not those below a component."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and is_loaded(path):
            file = component_file(path)
            yield from [file] if file else list_component_files(path)


def is_loaded(path: Path) -> bool:
    """Return whether Dagster loads a file or folder of this name: hidden ones and compiled code are ignored."""
    return not path.name.startswith(".") and path.name != "__pycache__"


def find_model_files(folder: Path) -> list[ModelFile]:
    """Read the models of a folder and its subfolders.

    A file that cannot be parsed counts as a model. Components of other types are left out. Of two files with the name
    of one model, the one in the folder of that name keeps it, and the other is broken; without such a folder both are.
    """
    files = [file for path in list_component_files(folder) if (file := _read(path)) is not None]
    return [_refuse_shared_name(file, files) for file in files]


def folder_name(path: Path) -> str:
    """Return the name of the folder of a file in the letters that Dagster allows in names."""
    return re.sub(r"\W", "_", path.parent.name, flags=re.ASCII)


def _read(path: Path) -> ModelFile | None:
    try:
        documents = parse_documents(path)
    except SpecFileError as error:
        return ModelFile(path, folder_name(path), None, str(error))
    if not any(_is_model(document) for document in documents):
        return None
    if len(documents) > 1:
        line = documents[1].root.start_mark.line + 1
        problem = f"{path}:{line}: a second document begins here; each model has a file of its own"
        return ModelFile(path, folder_name(path), None, problem)
    try:
        spec = read_document(documents[0])
    except SpecFileError as error:
        name = stated_name(documents[0]) or ""
        return ModelFile(path, name if re.fullmatch(r"[a-z][a-z0-9_]*", name) else folder_name(path), None, str(error))
    return ModelFile(path, spec.name, spec)


def _is_model(document: YamlDocument) -> bool:
    content = document.content
    return not isinstance(content, dict) or content.get("type") in (*TYPES, None)


def _refuse_shared_name(file: ModelFile, files: Sequence[ModelFile]) -> ModelFile:
    others = [other.path for other in files if other.name == file.name and other.path != file.path]
    if not others:
        return file
    # The asset of a broken model has the name of its folder, so that it is not mixed up with the other one.
    is_owner = file.path.parent.name == file.name
    if file.problem is not None or is_owner:
        return file if is_owner else replace(file, name=folder_name(file.path))
    line = parse_documents(file.path)[0].locate([ATTRIBUTES, "name"])[1]
    problem = (
        f"{file.path}:{line}: name: {file.name} is also the name of the model in {', '.join(map(str, others))}; give "
        "each model a name of its own"
    )
    return replace(file, name=folder_name(file.path), spec=None, problem=problem)
