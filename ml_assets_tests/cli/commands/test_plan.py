"""The plan as a user asks for it: printed from a landing and a lake, and refused with a message for what cannot be
planned.
"""

import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import click
import pytest

from ml_assets.cli.command_inputs import require_spec
from ml_assets.cli.commands import plan
from ml_assets.cli.demo.landing import write_landing
from ml_assets.core.model_spec import ModelSpec
from ml_assets.definitions import DEFS
from ml_assets.defs.settings import read_settings
from ml_assets_tests.cli.command_line import call, read_json
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.planning.plan_cases import content

pytestmark = pytest.mark.clock

START = require_spec("fraud_detection").source.start
THIRD, FOURTH = START + timedelta(days=2), START + timedelta(days=3)
SPEC = ModelSpec.model_validate({**SMALL, "source": {**SMALL["source"], "end": "2025-01-20"}})


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty landing, lake and MLflow store to plan on."""
    uris = {
        "landing": str(tmp_path / "landing"),
        "lake": str(tmp_path / "lake"),
        "mlflow": f"sqlite:///{tmp_path}/mlflow.db",
    }
    settings = replace(read_settings({}), **uris)
    monkeypatch.setattr(plan, "require_settings", lambda: settings)
    return tmp_path


def test_the_plan_of_landed_files_has_days_reasons_and_commands(places, capsys):
    write_landing(places / "landing", START, 3)
    before = content(places)
    call("plan", "fraud_detection", "--days", f"{START}...{FOURTH}", "--job", "features")
    printed = capsys.readouterr().out
    assert content(places) == before
    report = read_json(capsys, "plan", "fraud_detection", "--days", f"{START}...{FOURTH}", "--job", "features")
    assert report["job"] == "fraud_detection_features"
    assert report["runs"][0]["first_day"] == str(START)
    [raw] = [stage for stage in report["stages"] if stage["stage"] == "raw_data"]
    assert [day["day"] for day in raw["to_make"]] == [str(START + timedelta(days=number)) for number in range(4)]
    assert raw["to_make"][0]["reasons"] == ["new"]
    assert raw["bytes"] > 0
    assert "raw_data  4 to compute, rows unknown, " in printed
    assert f"{START} to {THIRD}      3 days  new" in printed
    assert re.search(rf"{FOURTH} +1 day  missing: no files have landed", printed)
    assert "To compute  raw_data 4, validated_data 4, features 4 days" in printed
    assert "trained_model" not in printed
    assert f"dg launch --job fraud_detection_features --partition-range {START}...{FOURTH}" in printed


def test_nothing_is_planned_without_a_landing(places):
    with pytest.raises(SystemExit, match="the landing is not there: there is no directory"):
        call("plan", "fraud_detection", "--days", str(START))


def test_a_single_day_of_the_daily_job_reaches_every_stage(places, capsys):
    (places / "landing").mkdir()
    call("plan", "fraud_detection", "--days", str(START))
    printed = capsys.readouterr().out
    assert f"fraud_detection_daily, {START}, 1 day." in printed
    assert "model_registry_entry  1 to compute" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "there is no model 'nothing'.*the models are fraud_detection"),
        (
            ["fraud_detection", "--days", f"{START - timedelta(days=1)}...{FOURTH}"],
            f"is not within the days of fraud_detection, which are {START} to ",
        ),
        (["fraud_detection", "--days", "2999-01-01"], "is not within the days"),
        (["fraud_detection", "--days", f"{FOURTH}...{THIRD}"], "first day lies after the last"),
        (["fraud_detection", "--days", "last week"], "neither a day such as 2026-08-20 nor a range"),
    ],
)
def test_what_cannot_be_planned_is_refused(places, arguments, message):
    with pytest.raises((SystemExit, click.BadParameter), match=f"(?s).*{message}"):
        call("plan", *arguments)
    assert content(places) == {}


def test_a_refusal_is_on_standard_error_and_in_the_exit_code():
    command = [sys.executable, "-m", "ml_assets.cli", "plan", "fraud_detection", "--job", "weekly"]
    refused = subprocess.run(command, capture_output=True, text=True, env=os.environ, cwd=DEFS.parents[1])
    assert refused.returncode != 0
    assert "weekly" in refused.stderr
    assert refused.stdout == ""


def test_all_days_are_selected_when_none_are_named():
    all_days = plan.select_days(SPEC, None, date(2025, 1, 4))
    assert (all_days[0], all_days[-1], len(all_days)) == (date(2025, 1, 1), date(2025, 1, 4), 4)
    assert plan.select_days(SPEC, None, date(2025, 6, 1))[-1] == date(2025, 1, 20)
    with pytest.raises(ValueError, match="has no days yet"):
        plan.select_days(SPEC, None, date(2024, 12, 31))
