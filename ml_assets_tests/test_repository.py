"""Rules that hold for every file of the project."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ml_assets.cli.command_group import cli
from ml_assets.cli.repository.docs import documents
from ml_assets.definitions import DEFS

PACKAGE = DEFS.parent
REPOSITORY = PACKAGE.parent
MODULES = sorted(PACKAGE.rglob("*.py"))
IMPORTED = [
    ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
    for path in MODULES
    # Programs: MLflow runs the first, Python the others.
    if path.name not in ("pyfunc.py", "__main__.py")
]
"""Names of the modules that others import."""
MAX_LINES = 260
MAX_MODULES = 15
CORE = sorted(path for path in (PACKAGE / "core").rglob("*.py") if path.stem != "__init__")
FOLDERS = sorted(
    {path.parent for root in ("ml_assets", "ml_assets_tests") for path in (REPOSITORY / root).rglob("*.py")}
)
PAGES = sorted(
    path
    for folder in ("", "docs", "docs/*", "helm", "examples/*")
    for path in REPOSITORY.glob(f"{folder}/*.md".strip("/"))
)
PICKLING = {"pickle", "cloudpickle", "joblib", "dill", "shelve", "marshal"}


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported_packages(tree: ast.Module) -> Iterator[str]:
    """Yield the top-level package of each import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


def test_every_module_opens_with_its_purpose():
    purposes = {name_of(path): (ast.get_docstring(tree_of(path)) or "").split("\n\n")[0] for path in MODULES}
    assert [name for name, purpose in purposes.items() if len(purpose) <= 20] == []


def test_every_module_is_small():
    lines = {name_of(path): path.read_text().count("\n") for path in MODULES}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def test_no_module_imports_a_pickling_library():
    assert [name_of(path) for path in MODULES if PICKLING.intersection(imported_packages(tree_of(path)))] == []


def test_every_core_module_has_tests():
    tests = {path: path.relative_to(PACKAGE).with_name(f"test_{path.name}") for path in CORE}
    assert [
        name_of(path) for path, test in tests.items() if not (REPOSITORY / "ml_assets_tests" / test).is_file()
    ] == []


def test_no_folder_has_more_than_fifteen_modules():
    modules = {name_of(folder): sum(path.stem != "__init__" for path in folder.glob("*.py")) for folder in FOLDERS}
    assert {name: count for name, count in modules.items() if count > MAX_MODULES} == {}


def test_every_folder_says_what_belongs_there():
    folders = [folder for folder in FOLDERS if folder.is_relative_to(PACKAGE)]
    purposes = {name_of(folder): ast.get_docstring(tree_of(folder / "__init__.py")) or "" for folder in folders}
    assert [name for name, purpose in purposes.items() if not purpose.endswith(".")] == []


def test_generated_documents_are_up_to_date():
    stale = [str(path) for path, text in documents(cli).items() if (REPOSITORY / path).read_text() != text]
    assert stale == [], "run `make docs`"


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
