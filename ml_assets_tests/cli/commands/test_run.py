"""The main job as a user runs it: a process of its own on a new data directory, twice."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from ml_assets.cli import needed_days
from ml_assets.cli.commands import run as main_job
from ml_assets.cli.commands.scrub import scrub
from ml_assets.definitions import DEFS
from ml_assets.defs.settings import read_settings
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, STAGE_COSTS
from ml_assets.pipeline.engine.run_markers import RunMarkers
from ml_assets.resources.lake.lake import Lake
from ml_assets_tests.cli.command_line import call
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store

REPOSITORY = DEFS.parents[1]


def places_in(data: Path) -> dict[str, str]:
    return {
        "ML_ASSETS_LANDING": str(data / "landing"),
        "ML_ASSETS_LAKE": str(data / "lake"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{data / 'mlflow.db'}",
        "DAGSTER_HOME": str(data / "dagster"),
        "ML_ASSETS_DEPLOY": str(data / "production"),
    }


def run(data: Path, *arguments: str, code: Path = REPOSITORY, **others: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ml_assets.cli", "run", *arguments]
    variables = {**os.environ, **places_in(data), **others}
    return subprocess.run(command, capture_output=True, text=True, env=variables, cwd=code, umask=0o022)


@pytest.fixture(scope="module", params=["a short history", pytest.param("the demonstration", marks=pytest.mark.slow)])
def code(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the code is: this repository, or a copy whose model reads fewer days."""
    if request.param == "the demonstration":
        return REPOSITORY
    return changed_copy(tmp_path_factory.mktemp("code"), shorten)


@pytest.fixture(scope="module")
def data(code: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new data directory for each code."""
    data = tmp_path_factory.mktemp("data")
    (data / "dagster").mkdir()
    (data / "dagster" / "dagster.yaml").symlink_to(REPOSITORY / "ml_assets/resources/dagster_instance/dagster.yaml")
    # MLflow takes seconds to create a store, which other tests do.
    new_store(data)
    (data / "mlflow.db").chmod(0o600)
    return data


@pytest.fixture(scope="module")
def first(data: Path, code: Path) -> subprocess.CompletedProcess[str]:
    """The first run on that directory."""
    return run(data, code=code)


def changed_copy(root: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Copy the package to a folder, with the attributes of the model changed."""
    shutil.copytree(REPOSITORY / "ml_assets", root / "ml_assets")
    path = root / "ml_assets" / "defs" / "fraud_detection" / "defs.yaml"
    stated = yaml.safe_load(path.read_text())
    change(stated["attributes"])
    path.write_text(yaml.safe_dump(stated))
    return root


def shorten(attributes: dict[str, Any]) -> None:
    """Let the newest model read fewer days, and be small."""
    for feature in attributes["features"]:
        if "windows" in feature:
            feature["windows"] = ["1d"]
    attributes["features"] = [feature for feature in attributes["features"] if "last_rows" not in feature]
    attributes["training"] = {"window": "8d", "validation": "2d", "rounds": 20}
    attributes["evaluation"] |= {"holdout": "3d", "bootstrap_samples": 100}
    attributes["gates"] = {"roc_auc": {"minimum": 0.6}}


def be_strict(attributes: dict[str, Any]) -> None:
    """Have a gate that no model passes."""
    attributes["gates"]["recall"] = {"minimum": 0.9999}
    attributes["evaluation"]["bootstrap_samples"] = 100


def commits(data: Path) -> dict[str, int]:
    return {str(log): len(list(log.glob("*.json"))) for log in data.glob("lake/*/*/_delta_log")}


def test_the_main_job_trains_evaluates_and_registers_and_does_nothing_the_second_time(data, first, code):
    assert first.returncode == 0, first.stdout + first.stderr
    for printed in (
        "simulating 90 days",
        "features",
        "rejected or missing",
        "quarantined",
        "roc_auc",
        "average_precision",
        "Gates",
        "ml-assets ui",
    ):
        assert printed in first.stdout
    assert "failed" not in first.stdout
    (digest,) = re.findall(r"Model digest +([0-9a-f]{64})", first.stdout)
    assert re.search(r"MLflow +fraud_detection version 1, alias champion is version 1", first.stdout)
    before = commits(data)
    # Python then prints to standard error what it imports.
    second = run(data, "--json", code=code, PYTHONPROFILEIMPORTTIME="1")
    assert second.returncode == 0, second.stdout + second.stderr
    assert re.findall(r"\| +(xgboost|sklearn|pandera|matplotlib)$", second.stderr, re.MULTILINE) == []
    printed = [line for line in second.stderr.splitlines() if not line.startswith("import time:")]
    assert [line.split()[0] for line in printed] == ["Nothing", "Live", "Checks", "Page", "Next:"]
    assert re.search(r"Live +version 1 of ", second.stderr)
    assert commits(data) == before
    report = json.loads(second.stdout)
    # Of the 90 days, those that the windows of the newest model read.
    days = 79 if code == REPOSITORY else 33
    assert (report["model"], report["days"], report["is_up_to_date"]) == ("fraud_detection", days, True)
    assert (report["model_digest"], report["registered_version"]) == (digest, 1)
    assert f"{report['rows_published']:,} published, {report['rows_quarantined']:,} quarantined" in first.stdout
    assert f"{report['metrics']['roc_auc']['value']:.4f}" in first.stdout
    assert {verdict["gate"]: verdict["passed"] for verdict in report["gates"]}["roc_auc"]
    assert report["champion"].startswith("version 1 of ")
    assert f"{report['rows_scored']:,} rows of {report['day']}" in first.stdout
    assert (report["problem"], report["why_not_registered"], report["differences"]) == (None, None, [])
    checks = report["checks_passed"] + report["checks_not_evaluated"]
    assert f"{report['checks_passed']} of {checks} checks" in first.stdout
    assert (report["check_errors"], report["check_warnings"]) == ({}, {})
    assert f"Page          {report['page']}" in first.stdout


def test_nobody_else_can_read_what_the_main_job_wrote(data, first):
    assert first.returncode == 0
    written = [path for path in data.rglob("*") if not path.is_symlink()]
    tops = {path.relative_to(data).parts[0] for path in written}
    assert tops >= {"landing", "lake", "mlflow.db", "mlartifacts", "dagster", "production"}
    assert [path for path in written if path.stat().st_mode & 0o077] == []


def test_a_scrub_reads_everything_that_the_main_job_wrote(data, first):
    assert first.returncode == 0
    read = list(scrub(read_settings(places_in(data))))
    assert {place.partition("/")[2] for place, _ in read} >= {*LANDED_TO_FEATURES, "models", STAGE_COSTS}
    assert [damage for _, damage in read if damage is not None] == []


@pytest.mark.slow
def test_a_model_that_fails_a_gate_ends_with_the_summary_and_status_1_and_so_it_does_again(data, first, tmp_path):
    assert first.returncode == 0
    strict = changed_copy(tmp_path / "strict", be_strict)
    store, made = new_store(tmp_path), {}
    for attempt in range(2):
        ended = run(data, code=strict, MLFLOW_TRACKING_URI=store)
        assert ended.returncode == 1, ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr
        assert (commits(data) == made) == (attempt == 1)
        made = commits(data)
        assert re.search(r"recall +failed +recall 0.\d+ is below", ended.stdout)
        assert "not registered: gates not passed: recall 0." in ended.stdout
        assert "alias champion is not set" in ended.stdout


def test_days_of_a_run_that_did_not_end_are_to_do(tmp_path):
    lake, left = Lake(uri=str(tmp_path)), date(2025, 1, 2)
    stages = SimpleNamespace(training=SimpleNamespace(lake=lake, spec=SimpleNamespace(name="small")))
    RunMarkers(lake, "small", "features").begin("a run that died", [left])
    unfinished = {
        name: needed_days._has_unfinished_run(stages, SimpleNamespace(name=name), [left])
        for name in ("features", "evaluation")
    }
    assert unfinished == {"features": True, "evaluation": False}
    assert not needed_days._has_unfinished_run(stages, SimpleNamespace(name="features"), [date(2025, 1, 3)])


def test_a_lake_that_cannot_be_used_is_reported(bucket, monkeypatch):
    _, s3 = bucket
    settings = replace(read_settings({}), lake="s3://no-such-bucket/lake", s3=s3)
    monkeypatch.setattr(main_job, "require_settings", lambda: settings)
    with pytest.raises(
        SystemExit,
        match=r"the lake s3://no-such-bucket/lake cannot be used: bucket no-such-bucket at http://127\.0\.0\.1",
    ):
        call("run", "fraud_detection")


def test_an_unknown_model_is_refused_with_the_names_of_all_models():
    with pytest.raises(SystemExit, match=r"there is no model 'nothing' in .*; the models are .*fraud_detection"):
        call("run", "nothing")
