"""Rules that hold for every file of the project."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from ml_assets.cli.commands.docs import documents
from ml_assets.definitions import DEFS

PACKAGE = DEFS.parent
REPOSITORY = PACKAGE.parent
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 260
MAX_MODULES = 15
CORE = sorted(path for path in (PACKAGE / "core").rglob("*.py") if path.stem != "__init__")
FOLDERS = sorted(
    {path.parent for root in ("ml_assets", "ml_assets_tests") for path in (REPOSITORY / root).rglob("*.py")}
)


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_opens_with_its_purpose_and_is_small(path):
    source = path.read_text()
    docstring = ast.get_docstring(ast.parse(source))
    assert docstring
    assert len(docstring.split("\n\n")[0]) > 20
    assert source.count("\n") <= MAX_LINES


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_imports_a_pickling_library(path):
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        (node.module or "").split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
    }
    assert not imported & {"pickle", "cloudpickle", "joblib", "dill", "shelve", "marshal"}


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_every_core_module_has_tests(path):
    assert (REPOSITORY / "ml_assets_tests" / path.relative_to(PACKAGE).with_name(f"test_{path.name}")).is_file()


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_no_folder_has_more_than_fifteen_modules(folder):
    modules = [path for path in folder.glob("*.py") if path.stem != "__init__"]
    assert len(modules) <= MAX_MODULES


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder.is_relative_to(PACKAGE)], ids=name_of)
def test_every_folder_says_what_belongs_there(folder):
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
    assert docstring
    assert docstring.endswith(".")


@pytest.mark.parametrize("path", documents(), ids=str)
def test_generated_documents_are_up_to_date(path):
    assert (REPOSITORY / path).read_text() == documents()[path], "run `make docs`"


PAGES = sorted(
    path for folder in ("", "docs", "helm", "examples/*") for path in REPOSITORY.glob(f"{folder}/*.md".strip("/"))
)


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_documents_have_a_target(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        if "://" not in target:
            linked = page.parent / path if path else page
            assert linked.exists(), target
            assert not anchor or anchor in anchors_of(linked), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_modules_that_a_document_names_exist(page):
    for module in re.findall(r"\b(?:core|resources|pipeline|service|cli|defs)/[a-z_/]+\.py", page.read_text()):
        assert any((package / module).is_file() for package in (PACKAGE, REPOSITORY / "ml_assets_tests")), module


def test_only_one_file_reads_the_environment():
    readers = [name_of(path) for path in MODULES if "os.environ" in path.read_text() or "getenv" in path.read_text()]
    assert readers == ["ml_assets/defs/environment.py"]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_can_be_imported(path):
    if path.name != "pyfunc.py":
        importlib.import_module(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))
