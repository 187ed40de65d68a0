"""What all verbs share: examples that parse, `--json`, `--project`, exit codes, completion."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import UnionType
from typing import get_args, get_origin

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from ml_assets.cli.command_group import cli
from ml_assets.cli.json_output import reports
from ml_assets.cli.json_output.plan_reports import PlannedRun
from ml_assets.cli.verb import EXIT_CODES, Verb, publish
from ml_assets.cli.verbs.operations import notifications
from ml_assets.definitions import DEFS

VERBS = [*cli.commands.values(), *notifications.commands.values()]
EXAMPLES = [(verb.name, example) for verb in VERBS for example in verb.examples]


@click.command(cls=Verb, examples=["sum"], report="PlannedRun")
@click.option("--fail", default=0)
@click.option("--message")
def total(fail: int, message: str | None) -> None:
    """Add something up."""
    print("for people")
    if message:
        sys.exit(message)
    publish(PlannedRun(first_day="2026-01-01", last_day="2026-01-02", days_to_make=3))
    sys.exit(fail)


@pytest.fixture
def group(monkeypatch) -> click.Group:
    monkeypatch.setitem(cli.commands, "total", total)
    return cli


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_has_examples_in_its_help(verb):
    assert isinstance(verb, Verb)
    assert verb.examples
    shown = CliRunner().invoke(verb, ["--help"]).output.partition("Examples:\n")[2]
    assert shown.splitlines() == [f"  ml-assets {example}" for example in verb.examples]


@pytest.mark.parametrize(("verb", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_every_example_parses(verb, example):
    arguments = shlex.split(example.partition(" > ")[0])
    context = cli.make_context("ml-assets", arguments)
    name, command, rest = cli.resolve_command(context, [*context._protected_args, *context.args])
    inner = command.make_context(name, rest, parent=context)
    assert verb in (name, *inner._protected_args)


def test_json_goes_to_standard_output_and_the_text_to_standard_error(group):
    ran = CliRunner().invoke(group, ["total", "--json"])
    assert json.loads(ran.stdout) == {"first_day": "2026-01-01", "last_day": "2026-01-02", "days_to_make": 3}
    assert ran.stderr == "for people\n"
    assert CliRunner().invoke(group, ["total"]).stdout == "for people\n"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "document"),
    [
        (["--fail", "1"], 1, {"first_day": "2026-01-01", "last_day": "2026-01-02", "days_to_make": 3}),
        (["--message", "no lake"], 1, {"error": "no lake", "exit_code": 1}),
    ],
)
def test_a_failure_prints_its_figures_or_its_message_as_json(group, arguments, exit_code, document):
    ran = CliRunner().invoke(group, ["total", "--json", *arguments])
    assert ran.exit_code == exit_code
    # Click's runner prints the message of an exit to standard output, too.
    assert json.JSONDecoder().raw_decode(ran.stdout)[0] == document


def test_an_option_with_one_value_is_refused_when_it_is_given_twice(group):
    ran = CliRunner().invoke(group, ["total", "--fail", "0", "--fail=1"])
    assert ran.exit_code == 2
    assert "--fail is given more than once" in ran.output
    assert CliRunner().invoke(group, ["total", "--json", "--json"]).exit_code == 0


def test_secrets_are_hidden_in_json(group, monkeypatch):
    monkeypatch.setattr("ml_assets.resources.observability.redaction._spellings", (re.compile("hunter2"),))
    ran = CliRunner().invoke(group, ["total", "--json", "--message", "the password hunter2"])
    assert "hunter2" not in json.JSONDecoder().raw_decode(ran.stdout)[0]["error"]


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb.report], ids=lambda verb: verb.name)
def test_every_report_is_a_documented_class_whose_fields_are_explained_by_name_or_text(verb):
    waiting, known = [getattr(reports, verb.report)], set()
    while waiting:
        report = waiting.pop()
        assert report.__doc__.endswith(".")
        known.add(report)
        for field in report.model_fields.values():
            waiting += [part for part in parts(field.annotation) if issubclass(part, BaseModel) and part not in known]


def parts(annotation) -> list[type]:
    if get_origin(annotation) in (list, dict, UnionType):
        return [part for argument in get_args(annotation) for part in parts(argument)]
    return [annotation] if isinstance(annotation, type) else []


def test_a_folder_without_a_project_is_a_mistake_of_usage(tmp_path):
    for arguments in (["--project", str(tmp_path), "plan"], ["plan", "--project", str(tmp_path)]):
        ran = CliRunner().invoke(cli, arguments)
        assert ran.exit_code == 2
        assert "neither this folder nor one above it is a Dagster project" in " ".join(ran.stderr.split())


def test_the_exit_codes_are_documented():
    page = (DEFS.parents[1] / "docs" / "reference" / "cli.md").read_text()
    assert dict(re.findall(r"^\| (\d+) \| (.+) \|$", page, re.MULTILINE)) == {
        str(code): meaning for code, meaning in EXIT_CODES.items()
    }


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_verbs(shell):
    def complete(instruction: str, **variables: str) -> str:
        code = "from ml_assets.cli.command_group import cli; cli.main(prog_name='ml-assets')"
        environment = {"_ML_ASSETS_COMPLETE": f"{shell}_{instruction}", "PATH": "/usr/bin:/bin", **variables}
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=ROOT)
        return ran.stdout

    if shell != "bash":
        assert "ml-assets" in complete("source")
    assert "releases" in complete("complete", COMP_WORDS="ml-assets re", COMP_CWORD="1" if shell != "fish" else "re")


ROOT = Path(__file__).parents[2]
