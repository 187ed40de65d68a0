"""The tables of CONTRIBUTING.md name files, folders and identifiers that exist."""

import re

from ml_assets.definitions import DEFS

REPOSITORY = DEFS.parents[1]
PATHS = [path for folder in ("ml_assets", "ml_assets_tests", "helm") for path in (REPOSITORY / folder).rglob("*")]
ROWS = [line for line in (REPOSITORY / "CONTRIBUTING.md").read_text().splitlines() if line.startswith("| ")]
TERMS = sorted({term for row in ROWS for term in re.findall(r"`([^`]+)`", row)})


def test_files_and_folders_exist():
    named = [term for term in TERMS if re.fullmatch(r"[\w/-]+(/|\.\w+(\.\w+)?)", term)]
    there = "\n".join(f"/{path.relative_to(REPOSITORY).as_posix()}{'/' * path.is_dir()}" for path in PATHS) + "\n"
    assert len(named) > 100
    assert [term for term in named if f"/{term}\n" not in there] == []


def test_identifiers_exist():
    named = [term.removesuffix("()") for term in TERMS if re.fullmatch(r"[A-Za-z_]+(\(\))?", term)]
    content = "\n".join(path.read_text() for path in PATHS if path.suffix == ".py")
    assert len(named) > 20
    assert [term for term in named if not re.search(rf"\b{term}\b", content)] == []
