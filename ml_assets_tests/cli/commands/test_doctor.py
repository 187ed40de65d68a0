"""The doctor as a user calls it: on a fresh machine, on one with many problems, and on PostgreSQL; it never prints a
password.
"""

import logging
import socket
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from ml_assets.cli.commands import doctor
from ml_assets.cli.doctor import code_location as definitions_module
from ml_assets.cli.doctor import context as context_module
from ml_assets.cli.doctor import probes
from ml_assets.cli.doctor.checks import CHECKS, diagnose
from ml_assets.cli.doctor.context import DoctorContext
from ml_assets.core.operations.doctor.diagnosis import Diagnosis, Severity, error, ok, warning
from ml_assets.core.operations.doctor.environment_checks import notifications
from ml_assets.definitions import DEFS
from ml_assets.defs.settings import Settings, read_settings
from ml_assets_tests.cli.command_line import call, read_json
from ml_assets_tests.support.postgresql import PASSWORD, PostgresqlServer

REPOSITORY = DEFS.parents[1]
# No daemon runs in these tests.
NOT_RUNNING = {"daemons"}
LOAD = definitions_module.load_code_location


PLACES = {
    "ML_ASSETS_LANDING": "landing",
    "ML_ASSETS_LAKE": "lake",
    "ML_ASSETS_DEPLOY": "production",
    "DAGSTER_HOME": "dagster",
}


def settings_of(root: Path, instance: str = "dagster.yaml", **variables: str) -> Settings:
    """Settings of a machine on which everything is there, changed by `variables`."""
    for folder in ("dagster", "landing"):
        (root / folder).mkdir(exist_ok=True)
    if not (root / "dagster" / "dagster.yaml").exists():
        (root / "dagster" / "dagster.yaml").symlink_to(REPOSITORY / "ml_assets/resources/dagster_instance" / instance)
    places = {name: f"{root}/{folder}" for name, folder in PLACES.items()}
    return read_settings({"MLFLOW_TRACKING_URI": f"sqlite:///{root}/mlflow.db", **places, **variables})


def diagnose_all(settings: Settings) -> dict[str, Diagnosis]:
    diagnoses = [*diagnose(settings)]
    assert len({diagnosis.check for diagnosis in diagnoses}) == len(diagnoses)
    return {diagnosis.check: diagnosis for diagnosis in diagnoses}


def problems(diagnoses: dict[str, Diagnosis]) -> set[str]:
    return {name for name, diagnosis in diagnoses.items() if diagnosis.severity is not Severity.OK} - NOT_RUNNING


@pytest.fixture(scope="module", autouse=True)
def code_location():
    """The definitions, loaded once for all tests of this file."""
    loaded = LOAD()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(context_module, "load_code_location", lambda: loaded)
        yield


def test_a_new_machine_passes_with_the_repository_s_dagster_yaml(tmp_path: Path):
    diagnoses = diagnose_all(settings_of(tmp_path))
    assert problems(diagnoses) == set()
    assert diagnoses["daemons"].severity is Severity.WARNING
    assert diagnoses["storage"].message == "sqlite"
    assert diagnoses["pools"].message == "fraud_detection 1"
    assert [path.name for path in tmp_path.iterdir() if path.name in ("lake", "mlflow.db")] == []


def test_every_check_of_the_page_is_run(tmp_path: Path):
    diagnoses = diagnose_all(settings_of(tmp_path)).keys()
    # Only where MLflow's store is in PostgreSQL.
    assert diagnoses | {"artifacts"} == {check.name for check in CHECKS}


def test_sqlite_in_production_and_daemons_that_do_not_run_are_errors(tmp_path: Path):
    diagnoses = diagnose_all(settings_of(tmp_path, ML_ASSETS_ENV="production"))
    assert {diagnoses[name].severity for name in ("storage", "mlflow", "daemons", "notifications")} == {Severity.ERROR}


def test_what_is_missing_is_named_with_its_remedy(tmp_path: Path, bucket):
    _, s3 = bucket
    settings = settings_of(
        tmp_path,
        ML_ASSETS_LANDING="s3://gone/landing",
        ML_ASSETS_LAKE="s3://gone/lake",
        ML_ASSETS_DEPLOY="s3://gone/production",
        AWS_ENDPOINT_URL=s3["endpoint_url"],
        AWS_REGION="us-east-1",
        MLFLOW_TRACKING_URI="http://127.0.0.1:1",
    )
    (tmp_path / "dagster" / "dagster.yaml").unlink()
    (tmp_path / "dagster" / "dagster.yaml").write_text(
        "concurrency: {pools: {granularity: run}}\nrun_retries: {enabled: true}\n"
    )
    diagnoses = diagnose_all(settings)
    assert problems(diagnoses) == {
        "run_retries",
        "run_monitoring",
        "freed_slots",
        "pools",
        "mlflow",
        "landing",
        "lake",
        "deploy_target",
    }
    assert "no limit for fraud_detection" in diagnoses["pools"].message
    assert "there is no such bucket" in diagnoses["lake"].message
    assert diagnoses["lake"].remedy.startswith("Create it, or correct the URI (ML_ASSETS_LAKE)")


def test_a_bucket_that_never_answers_is_reported_and_not_waited_for(tmp_path: Path, monkeypatch):
    for module in (context_module, probes):
        monkeypatch.setattr(module, "SECONDS_TO_ANSWER", 0.2)

    # What would read the lake with the client of a run.
    def refuse(*_: object) -> None:
        raise AssertionError("the lake is read")

    monkeypatch.setattr(context_module, "find_damaged_lake", refuse)
    monkeypatch.setattr(probes, "Releases", refuse)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        places = dict.fromkeys(("ML_ASSETS_LANDING", "ML_ASSETS_LAKE", "ML_ASSETS_DEPLOY"), "s3://bucket/x")
        endpoint = f"http://127.0.0.1:{mute.getsockname()[1]}"
        diagnoses = diagnose_all(settings_of(tmp_path, AWS_ENDPOINT_URL=endpoint, AWS_REGION="us-east-1", **places))
    assert problems(diagnoses) == {"landing", "lake", "deploy_target"}
    assert not diagnoses.keys() & {"releases", "clocks"}


def test_without_dagster_home_the_instance_is_not_checked(tmp_path: Path):
    diagnoses = diagnose_all(replace(settings_of(tmp_path), dagster_home_is_stated=False))
    assert problems(diagnoses) == {"dagster_home"}
    assert not diagnoses.keys() & {"instance", "storage", "run_retries"}


@pytest.mark.slow
def test_postgresql_in_production_is_ok_and_the_clocks_are_compared(
    tmp_path: Path, postgresql: PostgresqlServer, monkeypatch
):
    database = postgresql.new_database()
    monkeypatch.setenv("ML_ASSETS_DATABASE", database)
    monkeypatch.setenv("ML_ASSETS_NOTIFY", "json://127.0.0.1/hook-with-a-secret-path")
    settings = settings_of(
        tmp_path,
        "dagster-postgres.yaml",
        ML_ASSETS_DATABASE=database,
        ML_ASSETS_ENV="production",
        MLFLOW_TRACKING_URI=database,
        MLFLOW_DEFAULT_ARTIFACT_ROOT=f"{tmp_path}/mlartifacts",
    )
    diagnoses = diagnose_all(settings)
    # Here MLFLOW_TRACKING_URI names Dagster's tables, which is reported, and MLflow cannot open them.
    assert problems(diagnoses) == {"mlflow_schema", "releases"}
    assert diagnoses["storage"].message == "postgresql"
    assert diagnoses["clock"].message == "within 1 s of the database"
    assert diagnoses["artifacts"].severity is Severity.OK
    assert diagnoses["notifications"].message == "JSON 1"
    assert PASSWORD not in repr(diagnoses)
    assert "secret-path" not in repr(diagnoses)
    monkeypatch.delenv("ML_ASSETS_NOTIFY")
    unset = notifications(*probes.probe_notifications(DoctorContext(settings)))
    assert unset.severity is Severity.WARNING
    assert unset.message == "nobody is notified of failures: there are no targets"
    assert not postgresql.query(database, "SELECT 1 FROM pg_tables WHERE tablename = 'pipeline_notifications'")


@pytest.mark.slow
def test_a_database_that_does_not_answer_is_reported_without_its_password(tmp_path: Path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        database = f"postgresql://me:{PASSWORD}@127.0.0.1:{free.getsockname()[1]}/state"
    monkeypatch.setenv("ML_ASSETS_DATABASE", database)
    diagnoses = diagnose_all(settings_of(tmp_path, "dagster-postgres.yaml", ML_ASSETS_DATABASE=database))
    assert problems(diagnoses) == {"instance", "notifications"}
    assert "Connection refused" in diagnoses["instance"].message
    assert PASSWORD not in repr(diagnoses)


def test_an_unexpected_exception_is_an_error_of_its_check_and_the_others_are_run(tmp_path: Path, monkeypatch):
    def fail(*_):
        raise RuntimeError("surprise")

    monkeypatch.setattr("shutil.disk_usage", fail)
    diagnoses = diagnose_all(settings_of(tmp_path))
    assert problems(diagnoses) == {"disk_space"}
    assert "the check failed: RuntimeError: surprise" in diagnoses["disk_space"].message


def test_a_missing_class_of_dagster_yaml_is_one_error_and_what_needs_it_is_left_out(tmp_path: Path):
    settings = settings_of(tmp_path)
    file = tmp_path / "dagster" / "dagster.yaml"
    content = {**yaml.safe_load(file.read_text()), "run_coordinator": {"module": "a_company", "class": "Coordinator"}}
    del content["concurrency"]
    file.unlink()
    file.write_text(yaml.safe_dump(content))
    diagnoses = diagnose_all(settings)
    assert problems(diagnoses) == {"instance"}
    assert "a_company.Coordinator cannot be imported" in diagnoses["instance"].message
    assert diagnoses.keys() & {"run_queue", "daemons", "pools"} == set()
    assert diagnoses["storage"].message == "sqlite"


def test_definitions_that_do_not_load_are_reported(monkeypatch):
    def broken():
        raise ValueError("defs.yaml: line 3: unknown field\nmore")

    monkeypatch.setattr(definitions_module, "load_definitions", broken)
    assert LOAD().problem == "the definitions do not load: ValueError: defs.yaml: line 3: unknown field"


def test_the_report_has_a_line_for_each_check_with_its_remedy_below(capsys):
    console = Console(width=200)
    diagnoses = [ok("lake", "there [x]"), warning("clock", "late", "set it"), error("pools", "none", "make one")]
    for diagnosis in diagnoses:
        doctor.print_diagnosis(console, diagnosis)
    doctor.print_counts(console, diagnoses)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ok", "lake", "there", "[x]"]
    assert lines[2].strip() == "-> set it"
    assert lines[-1] == "1 error, 1 warning, 3 checks"


def test_an_error_is_in_the_exit_code(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(doctor, "load_settings", lambda: read_settings({"ML_ASSETS_ENV": "staging"}))
    monkeypatch.setattr(logging, "disable", lambda level: None)
    with pytest.raises(SystemExit, match="1"):
        call("doctor")
    assert "ML_ASSETS_ENV is 'staging'" in capsys.readouterr().out


def test_a_warning_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    settings = settings_of(tmp_path)
    monkeypatch.setattr(doctor, "load_settings", lambda: settings)
    monkeypatch.setattr(logging, "disable", lambda level: None)
    report = read_json(capsys, "doctor")
    assert (report["errors"], report["warnings"]) == (0, 1)
    [lake] = [check for check in report["checks"] if check["check"] == "lake"]
    assert (lake["severity"], lake["remedy"]) == ("ok", "")
    call("doctor")
    assert "0 errors, 1 warning, " in capsys.readouterr().out
