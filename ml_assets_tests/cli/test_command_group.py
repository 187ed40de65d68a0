"""The command group: its verbs, their help, and what they load."""

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from ml_assets.cli.command_group import cli
from ml_assets.definitions import DEFS
from ml_assets.defs.settings import Settings

PRODUCTION = Settings("production", "", "", "", "", "", {})
HEAVY = {"dagster", "pandas", "numpy", "mlflow", "pyarrow", "sklearn", "xgboost"}
VERBS = """audit bench canary clean docs doctor instance kserve mlflow notifications pause plan promote quarantine
releases repair restore resume rollback run serve simulate ui"""


def test_the_help_lists_every_verb_with_a_sentence():
    shown = CliRunner().invoke(cli, ["--help"], terminal_width=200)
    assert shown.exit_code == 0
    lines = dict(re.findall(r"^  ([a-z]+)  +(.+)$", shown.output.partition("Commands:")[2], re.MULTILINE))
    assert sorted(lines) == VERBS.split()
    assert all(text.endswith(".") for text in lines.values())


@pytest.mark.parametrize("arguments", [(), ("--help",), *((verb, "--help") for verb in ("run", "doctor", "serve"))])
def test_help_loads_neither_dagster_nor_pandas(arguments):
    code = f"""import sys
from ml_assets.cli.command_group import cli
try:
    cli.main({list(arguments)!r}, prog_name="ml-assets")
except SystemExit:
    print("loaded", sorted({HEAVY!r} & set(sys.modules)))"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=DEFS.parents[1])
    assert "Usage: ml-assets" in shown.stdout + shown.stderr
    assert shown.stdout.endswith("loaded []\n")


@pytest.mark.parametrize("verb", VERBS.split())
def test_every_verb_has_a_help_of_its_own(verb):
    shown = CliRunner().invoke(cli, [verb, "--help"])
    assert shown.exit_code == 0
    assert shown.output.startswith(f"Usage: cli {verb}")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("plan", "fraud_detection", "--job", "weekly"),
        ("plan", "fraud_detection", "--days", "2026-10-32"),
        ("quarantine", "fraud_detection", "--days", "2026-10-02...2026-10-01"),
        ("promote", "x", "--version", "a"),
        ("canary", "x"),
    ],
)
def test_arguments_that_are_not_valid_end_with_status_2(arguments):
    assert CliRunner().invoke(cli, arguments).exit_code == 2


@pytest.mark.parametrize("verb", ["run", "plan", "quarantine", "repair", "releases", "pause", "serve", "kserve"])
def test_an_unknown_model_is_named_beside_those_that_exist(verb):
    ended = CliRunner().invoke(cli, [verb, "nothing"])
    assert ended.exit_code == 1
    assert re.search(r"there is no model 'nothing' in .*/defs; the models are fraud_detection", ended.output)


def test_a_wrong_environment_is_one_sentence(monkeypatch):
    monkeypatch.setenv("ML_ASSETS_ENV", "staging")
    for arguments in (["notifications"], ["run", "fraud_detection"]):
        ended = CliRunner().invoke(cli, arguments)
        assert ended.exit_code == 1
        assert ended.output.strip() == "ML_ASSETS_ENV is 'staging'; it must be one of local, production"


def test_nothing_is_simulated_in_production(monkeypatch):
    monkeypatch.setattr("ml_assets.cli.demo.landing.require_settings", lambda: PRODUCTION)
    ended = CliRunner().invoke(cli, ["simulate", "--days", "1"])
    assert ended.exit_code == 1
    assert "ML_ASSETS_ENV is production" in ended.output
