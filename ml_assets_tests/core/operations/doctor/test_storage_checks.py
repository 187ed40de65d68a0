"""Each rule for a store of state reports what loses work, and is OK when nothing does."""

import pytest

from ml_assets.core.operations.doctor.diagnosis import Severity
from ml_assets.core.operations.doctor.storage_checks import (
    GIBIBYTE,
    clock,
    dagster_schema,
    disk_space,
    mlflow,
    mlflow_schema,
    releases,
    storage,
)

OK, WARNING, ERROR = Severity.OK, Severity.WARNING, Severity.ERROR


@pytest.mark.parametrize(
    ("kind", "production", "severity"),
    [
        ("sqlite", False, OK),
        ("sqlite", True, ERROR),
        ("postgresql", False, OK),
        ("postgresql", True, OK),
        ("memory", False, ERROR),
        ("memory", True, ERROR),
    ],
)
def test_storage_survives_the_process_and_in_production_the_machine(kind, production, severity):
    assert storage(kind, production).severity is severity


@pytest.mark.parametrize(
    ("rule", "store", "command"),
    [
        (dagster_schema, (), "dagster instance migrate"),
        (mlflow_schema, ("sqlite:////data/mlflow.db", True), "mlflow db upgrade sqlite:////data/mlflow.db"),
        (
            mlflow_schema,
            ("postgresql+psycopg2://me@host/db?options=-csearch_path%3Dx", True),
            "`mlflow db upgrade 'postgresql+psycopg2://me@host/db?options=-csearch_path%3Dx'`, with the password in "
            "PGPASSWORD,",
        ),
        (
            mlflow_schema,
            ("sqlite:////data/mlflow.db", False),
            "install the version that created",
        ),
    ],
)
def test_tables_of_another_version_are_an_error_that_names_the_command(rule, store, command):
    assert rule("b2", "b2", *store).severity is OK
    assert rule(None, "b2", *store).severity is OK
    diagnosis = rule("a1", "b2", *store)
    assert diagnosis.severity is ERROR
    assert "revision a1, the installed version needs b2" in diagnosis.message
    assert command in diagnosis.remedy


@pytest.mark.parametrize(
    ("kind", "problem", "server", "production", "severity", "text"),
    [
        ("server", None, "3.9.1", True, OK, "version 3.9.1"),
        ("server", None, None, True, OK, "http://mlflow"),
        ("server", None, "2.22.0", False, ERROR, "the server has version 2.22.0, the client 3.1.0"),
        ("server", "it does not answer", None, False, ERROR, "it does not answer"),
        ("sqlite", None, None, False, OK, "http://mlflow"),
        ("sqlite", None, None, True, ERROR, "in production"),
        ("postgresql", None, None, True, OK, "http://mlflow"),
    ],
)
def test_mlflow_answers_in_the_version_of_the_client_and_is_no_file_in_production(
    kind, problem, server, production, severity, text
):
    diagnosis = mlflow("http://mlflow", kind, problem, server, "3.1.0", production)
    assert diagnosis.severity is severity
    assert text in diagnosis.message


@pytest.mark.parametrize(
    ("gibibytes", "production", "severity"),
    [(50, True, OK), (1, False, WARNING), (1, True, ERROR), (0.1, False, ERROR), (0, True, ERROR)],
)
def test_little_free_space_is_reported_before_the_disk_is_full(gibibytes, production, severity):
    assert disk_space("/data", int(gibibytes * GIBIBYTE), production).severity is severity


@pytest.mark.parametrize(
    ("skews", "severity", "text"),
    [
        ({}, OK, "no other clock to compare with"),
        ({"the database": 0.4, "the lake": -1.0}, OK, "within 1 s of the database, the lake"),
        ({"the database": 0.4, "the lake": -30.0}, WARNING, "30 s behind the lake"),
        ({"the database": 1000.0}, ERROR, "1000 s ahead of the database"),
    ],
)
def test_clocks_that_disagree_are_reported(skews, severity, text):
    diagnosis = clock(skews)
    assert diagnosis.severity is severity
    assert text in diagnosis.message


def test_a_model_that_is_not_in_line_with_its_ledger_is_an_error_with_a_command():
    assert releases({"fraud": []}).severity is Severity.OK
    diagnosis = releases({"fraud": ["champion is no longer in MLflow"], "pump": []})
    assert (diagnosis.severity, diagnosis.message) == (Severity.ERROR, "champion is no longer in MLflow")
    assert "`ml-assets restore fraud`" in diagnosis.remedy
