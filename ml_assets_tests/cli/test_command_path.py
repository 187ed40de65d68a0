"""Messages name the command as it was typed, so that it works when it is pasted."""

import io
import sys
from functools import partial
from pathlib import Path

import pytest

from ml_assets.cli.command_path import spell_command, spell_commands, typed_command, typed_project
from ml_assets.resources.observability.changed_stream import ChangedStream


@pytest.fixture
def script(tmp_path) -> Path:
    path = tmp_path / "a folder" / "ml-assets"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_script_on_the_path_is_named_by_its_bare_name(script, monkeypatch):
    monkeypatch.setenv("PATH", str(script.parent))
    assert typed_command(str(script)) is None


def test_a_script_elsewhere_is_named_as_it_was_typed(script, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(script.parent)
    assert typed_command("./ml-assets") == "./ml-assets"
    assert typed_command(str(script)) == f"'{script}'"


def test_another_program_that_calls_the_verbs_changes_nothing(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["pytest"])
    before = sys.stdout
    spell_commands()
    assert sys.stdout is before


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("then: ml-assets repair churn --file bad.csv", "then: x --project 'a shop' repair churn --file bad.csv"),
        ("`ml-assets ui`, or `ml-assets plan`", "`x --project 'a shop' ui`, or `x --project 'a shop' plan`"),
        ("`ml-assets ui --project 'a shop'` starts it again", "`x ui --project 'a shop'` starts it again"),
        ("ml-assets --project risk plan", "x --project risk plan"),
    ],
)
def test_the_project_that_was_typed_is_in_commands(text, written):
    assert spell_command("x", text, typed_project(["plan", "--project", "a shop"])) == written


def test_the_project_is_found_in_the_arguments():
    assert typed_project(["--project=a", "plan"]) == "a"
    assert typed_project(["plan", "churn"]) is None
    assert typed_project(["plan", "--project"]) is None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("look at `ml-assets releases`", "look at `.venv/bin/ml-assets releases`"),
        ("ml-assets repair --file bad.csv", ".venv/bin/ml-assets repair --file bad.csv"),
        ("start ml-assets", "start .venv/bin/ml-assets"),
        ("the label ml-assets/model, s3://ml-assets bucket", "the label ml-assets/model, s3://ml-assets bucket"),
    ],
)
def test_only_the_command_is_rewritten(text, written):
    stream = io.StringIO()
    assert ChangedStream(stream, partial(spell_command, ".venv/bin/ml-assets")).write(text) == len(text)
    assert stream.getvalue() == written
