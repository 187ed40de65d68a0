"""No files import each other in a circle, not even inside functions, and no stage builds another."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from ml_assets.definitions import DEFS

PACKAGE = DEFS.parent
STAGES = sorted(path for path in (PACKAGE / "pipeline").rglob("*.py") if path.stem.endswith("stage"))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in PACKAGE.rglob("*.py")}


def imported_by(path: Path) -> set[str]:
    """List the modules of the package that a file imports, also inside functions and for type checkers."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in names & MODULES.keys() if MODULES[name].name != "__init__.py"}


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_files_import_each_other_in_a_circle():
    assert circle_in({name: imported_by(path) for name, path in MODULES.items()}) == []


def test_an_import_inside_a_function_counts_towards_a_circle(tmp_path):
    source = tmp_path / "a.py"
    source.write_text("def use():\n    from ml_assets.core.tables import schemas\n")
    assert "ml_assets.core.tables.schemas" in imported_by(source)
    assert circle_in({"a": {"b"}, "b": {"a"}}) == ["a", "b", "a"]


def classes_built_by(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


@pytest.mark.parametrize("path", STAGES, ids=module_of)
def test_a_stage_builds_no_other_stage(path):
    stages = {
        node.name
        for stage in STAGES
        for node in ast.parse(stage.read_text()).body
        if isinstance(node, ast.ClassDef)
        and any(isinstance(item, ast.FunctionDef) and item.name in ("make", "make_day") for item in node.body)
    }
    assert len(stages) >= 8
    assert not stages & set(classes_built_by(path))


def test_only_the_graph_builds_stages():
    builders = {
        module_of(path)
        for path in (PACKAGE / "pipeline").rglob("*.py")
        if {"ModelTraining", "ModelEvaluation", "ModelRegistration", "ParameterSearch"} & set(classes_built_by(path))
    }
    assert builders == {"ml_assets.pipeline.graph.stages"}
