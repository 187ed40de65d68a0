"""The verbs of the Makefile hand over what was typed, ignore variables of the shell, and notice a moved environment."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ml_assets.cli.command_group import cli
from ml_assets.definitions import DEFS

REPOSITORY = DEFS.parents[1]
SCRIPT = """#!/bin/sh
# Run by {python}, as the scripts of pip are.
exec python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@"
"""
PYTHON = """#!/bin/sh
exit 0
"""
# What a person may type as a value.
VALUES = [
    "it costs $50 a day",
    r"""a "b" 'c' `d` $(HOME) ${HOME} $$ % \n #e""",
    "two\nlines",
    "$(shell touch x)",
    "ä €",
]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a copy of what the verbs need, with an environment whose command prints its arguments."""
    root = tmp_path / "a clone"
    binaries = root / ".venv" / "bin"
    binaries.mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, root)
    (root / "ml_assets").mkdir()
    (root / "ml_assets" / "definitions.py").touch()
    (binaries / "python").write_text(PYTHON)
    (binaries / "ml-assets").write_text(SCRIPT.format(python=binaries / "python"))
    for path in binaries.iterdir():
        path.chmod(0o755)
    (root / ".venv" / ".installed").touch()
    return root


def make(root: Path, *arguments: str, **environment: str) -> tuple[list[str], str]:
    """Run make; return the arguments that the command got, and everything else that was printed."""
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    ran = subprocess.run(
        ["make", *arguments], cwd=root, env={**inherited, **environment}, capture_output=True, text=True, timeout=60
    )
    lines = [*ran.stdout.splitlines(), *ran.stderr.splitlines()]
    received = [json.loads(line) for line in lines if line.startswith('["')]
    return received[0] if received else [], "\n".join(line for line in lines if not line.startswith('["'))


@pytest.mark.parametrize("value", VALUES)
def test_a_value_arrives_as_it_was_typed(clone, value):
    assert make(clone, "run", f"MODEL={value}")[0] == ["run", value]
    assert not (clone / "x").exists()


def test_variables_of_the_shell_change_no_verb_and_are_named_where_they_might_have(clone):
    received, printed = make(clone, "run", MODEL="other", SEED="9")
    assert received == ["run"]
    assert "MODEL in the environment is ignored; write `make run MODEL=...` to set it" in printed
    assert "SEED" not in printed
    assert make(clone, "ui", PORT="3001")[0] == ["ui", "--port", "3001"]


def test_the_verbs_are_set_up_and_those_of_developers():
    makefile = (REPOSITORY / "Makefile").read_text()
    verbs = set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.MULTILINE))
    assert {"run", "test", "ui", "lint", "docs", "bench", "clean", "env"} <= verbs
    # What both have is the same; everything else that users do is in ml-assets alone.
    assert verbs & {*cli.commands} == {"run", "ui", "docs", "bench", "clean", "audit"}


@pytest.mark.parametrize("code", [1, 130])
def test_a_verb_fails_when_its_command_does(clone, code):
    (clone / ".venv" / "bin" / "ml-assets").write_text(f"#!/bin/sh\n# {clone}/.venv/bin/python\nexit {code}\n")
    ran = subprocess.run(["make", "run"], cwd=clone, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 2
    assert f"Error {code}" in ran.stderr


def test_data_is_removed_by_the_command_that_asks_and_stays_without_it(clone):
    assert make(clone, "clean") == ([], "")
    (clone / "data").mkdir()
    assert make(clone, "clean")[0] == ["--project", ".", "clean"]
    assert make(clone, "clean", "YES=1")[0] == ["--project", ".", "clean", "--yes"]
    (clone / ".venv" / "bin" / "ml-assets").unlink()
    assert "data stays" in make(clone, "clean")[1]
    assert (clone / "data").exists()


def test_whoever_only_tests_installs_once(clone):
    (clone / ".venv" / ".installed").unlink()
    assert make(clone, "--dry-run", "test")[1].count(" --editable ") == 1
    assert make(clone, "--dry-run", "run", "test")[1].count(" --editable ") == 2


def test_an_environment_that_was_moved_is_no_longer_taken_for_installed(clone):
    make(clone, "help")
    assert (clone / ".venv" / ".installed").exists()
    moved = clone.rename(clone.with_name("moved"))
    make(moved, "help")
    assert not (moved / ".venv" / ".installed").exists()


def test_an_environment_elsewhere_that_is_linked_is_taken_as_it_is(clone):
    (clone / ".venv").rename(clone.with_name("venv"))
    (clone / ".venv").symlink_to(clone.with_name("venv"))
    make(clone, "help")
    assert (clone / ".venv" / ".installed").exists()
