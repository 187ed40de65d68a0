"""The verbs of the Makefile hand over what was typed, ignore variables of the shell, and notice a moved environment."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ml_assets.definitions import DEFS

REPOSITORY = DEFS.parents[1]
SCRIPT = """#!/bin/sh
# Run by {python}, as the scripts of pip are.
exec python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@"
"""
PYTHON = """#!/bin/sh
exit 0
"""
# What a person may type as a reason.
REASONS = [
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
    for name in ("Makefile", "dagster.yaml", "pyproject.toml", "constraints.txt"):
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


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("verb", ["pause", "rollback"])
def test_a_reason_arrives_as_it_was_typed(clone, verb, reason):
    received, _ = make(clone, verb, f"REASON={reason}", "ACTOR=ann & bob")
    assert received == [verb, "fraud_detection", "--reason", reason, "--actor", "ann & bob"]
    assert not (clone / "x").exists()


def test_other_values_are_not_taken_apart_by_the_shell(clone):
    assert make(clone, "repair", "FILE=my rows; echo.csv")[0] == [
        "repair",
        "fraud_detection",
        "--file",
        "my rows; echo.csv",
    ]
    assert make(clone, "plan", "MODEL=a b")[0] == ["plan", "a b", "--job", "daily"]


def test_variables_of_the_shell_change_no_verb_and_are_named_where_they_might_have(clone):
    shell = {"HOST": "0.0.0.0", "MODEL": "other", "VERSION": "9", "DAYS": "2020-01-01", "JOB": "features", "FILE": "x"}
    received, printed = make(clone, "serve", **shell)
    assert received == ["serve", "fraud_detection", "--host", "127.0.0.1", "--port", "8000"]
    assert "HOST in the environment is ignored; write `make serve HOST=...` to set it" in printed
    assert "VERSION" not in printed
    assert make(clone, "canary", **shell)[0] == ["canary", "fraud_detection"]
    assert make(clone, "plan", **shell)[0] == ["plan", "fraud_detection", "--job", "daily"]
    assert make(clone, "serve", "HOST=0.0.0.0", "PORT=80")[0][-3:] == ["0.0.0.0", "--port", "80"]


def test_a_link_to_the_settings_follows_a_moved_or_copied_clone_and_a_file_of_a_person_stays(clone):
    make(clone, "releases")
    link = clone / "data" / "dagster" / "dagster.yaml"
    assert link.resolve() == clone / "dagster.yaml"
    copy = clone.with_name("copy")
    shutil.copytree(clone, copy, symlinks=True)
    make(copy, "home")
    assert (copy / "data" / "dagster" / "dagster.yaml").resolve() == copy / "dagster.yaml"
    moved = clone.rename(clone.with_name("moved"))
    make(moved, "home")
    assert (moved / "data" / "dagster" / "dagster.yaml").resolve() == moved / "dagster.yaml"
    own = clone.with_name("own.yaml")
    own.touch()
    link = moved / "data" / "dagster" / "dagster.yaml"
    link.unlink()
    link.symlink_to(own)
    make(moved, "home")
    assert link.resolve() == own


@pytest.mark.parametrize(("variables", "mode"), [({}, 0o700), ({"ML_ASSETS_UMASK": "007"}, 0o770)])
def test_the_home_is_private_unless_the_variable_shares_it(clone, variables, mode):
    make(clone, "home", **variables)
    folders = [clone / "data", clone / "data" / "dagster"]
    assert [folder.stat().st_mode & 0o777 for folder in folders] == [mode, mode]


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
