"""The code location loads completely and without heavy imports, and agrees with its settings files."""

import os
import subprocess
import sys
import tomllib
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml

from ml_assets.cli.demo.landing import write_landing
from ml_assets.cli.demo.simulated_days import FIRST_DAY
from ml_assets.core.model_spec.defs_yaml.model_files import find_model_files
from ml_assets.definitions import DEFS, defs
from ml_assets_tests.conftest import ASSETS

REPOSITORY = DEFS.parents[1]
HEAVY = (
    "pandas",
    "numpy",
    "pyarrow",
    "mlflow",
    "xgboost",
    "sklearn",
    "pandera",
    "matplotlib",
    "deltalake",
    "dagster_aws",
    "dagster_k8s",
    "dagster_mlflow",
    "kubernetes",
    "boto3",
    "apprise",
    "sqlalchemy",
    "opentelemetry",
    "pythonjsonlogger",
)


def run_python(code: str, **environment: str) -> str:
    """Run code in a new Python process and return its output."""
    process = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
        cwd=REPOSITORY,
    )
    return process.stdout


def test_every_model_has_its_assets():
    keys = {key.to_user_string() for key in defs().resolve_asset_graph().get_all_asset_keys()}
    models = [file.name for file in find_model_files(DEFS)]
    assert "fraud_detection" in models
    assert keys == {f"{model}/{stage}" for model in models for stage in ASSETS}


def test_loading_definitions_imports_nothing_heavy_and_protects_new_files_which_importing_does_not():
    code = (
        "import os, sys; os.umask(0o022); import ml_assets.definitions as d, ml_assets.cli.command_inputs; "
        "print(os.umask(0o022)); d.defs(); print(os.umask(0)); print(*sys.modules)"
    )
    imported, loaded, *modules = run_python(code).split()
    assert (int(imported), int(loaded)) == (0o022, 0o077)
    assert [name for name in HEAVY if name in modules] == []


def test_the_workspace_names_the_code_location_as_the_project_does():
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    (location,) = yaml.safe_load((REPOSITORY / "workspace.yaml").read_text())["load_from"]
    assert location["python_module"]["location_name"] == settings["tool"]["dg"]["project"]["code_location_name"]


def test_the_local_instance_loads_from_dagster_yaml(tmp_path: Path):
    (tmp_path / "dagster.yaml").symlink_to(REPOSITORY / "ml_assets/resources/dagster_instance/dagster.yaml")
    code = (
        "import dagster as dg; i = dg.DagsterInstance.get(); "
        "print(type(i.event_log_storage).__name__, i.run_monitoring_enabled)"
    )
    assert run_python(code, DAGSTER_HOME=str(tmp_path)).split() == ["PooledSqliteEventLogStorage", "True"]


@pytest.mark.slow
def test_dg_lists_the_definitions_and_accepts_the_project(tmp_path: Path):
    tools = Path(sys.executable).parent
    listed = subprocess.run(
        [tools / "dg", "list", "defs", "--json"], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert "fraud_detection/trained_model" in listed.stdout
    checked = subprocess.run([tools / "dg", "check", "defs"], capture_output=True, text=True, cwd=REPOSITORY)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.slow
def test_dg_launches_a_range_of_days_in_one_run(tmp_path: Path):
    write_landing(tmp_path / "landing", FIRST_DAY, 2)
    places = {"ML_ASSETS_LANDING": "landing", "ML_ASSETS_LAKE": "lake", "DAGSTER_HOME": "dagster"}
    environment = {name: str(tmp_path / folder) for name, folder in places.items()}
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").symlink_to(REPOSITORY / "ml_assets/resources/dagster_instance/dagster.yaml")
    command = [Path(sys.executable).parent / "dg", "launch", "--job", "fraud_detection_features"]
    launched = subprocess.run(
        [*command, "--partition-range", f"{FIRST_DAY}...{FIRST_DAY + timedelta(days=1)}"],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, **environment},
    )
    assert launched.returncode == 0, launched.stderr
    with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS]
    assert len(list(tmp_path.glob("lake/fraud_detection/features/day=*"))) == 2
