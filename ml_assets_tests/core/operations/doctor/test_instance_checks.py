"""Each rule for an instance reports settings that lose work, and is OK for those that do not."""

import pytest

from ml_assets.core.operations.doctor.diagnosis import Severity
from ml_assets.core.operations.doctor.instance_checks import (
    dagster_home,
    freed_slots,
    instance,
    pools,
    run_monitoring,
    run_queue,
    run_retries,
)

OK, WARNING, ERROR = Severity.OK, Severity.WARNING, Severity.ERROR
LIMITS = {"start_timeout_seconds": 180, "cancel_timeout_seconds": 180, "max_runtime_seconds": 3600}


@pytest.mark.parametrize(
    ("home", "is_directory", "has_settings", "severity", "text"),
    [
        ("/data/dagster", True, True, OK, "/data/dagster"),
        (None, False, False, ERROR, "DAGSTER_HOME is not set"),
        ("", False, False, ERROR, "DAGSTER_HOME is not set"),
        ("data/dagster", True, True, ERROR, "a relative path"),
        ("/data/dagster", False, False, ERROR, "no such directory"),
        ("/data/dagster", True, False, ERROR, "no dagster.yaml in /data/dagster"),
    ],
)
def test_dagster_home_is_an_absolute_directory_with_settings(home, is_directory, has_settings, severity, text):
    diagnosis = dagster_home(home, is_directory, has_settings)
    assert diagnosis.severity is severity
    assert text in diagnosis.message


@pytest.mark.parametrize(
    ("retries", "production", "severity", "text"),
    [
        (
            {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False},
            True,
            OK,
            "on: 2 retries unless the run sets another; failed steps are not retried",
        ),
        (
            {"enabled": True, "max_retries": 1, "retry_on_asset_or_op_failure": True},
            True,
            OK,
            "on: 1 retry unless the run sets another; failed steps too",
        ),
        ({"enabled": True, "retry_on_asset_or_op_failure": True}, True, WARNING, "max_retries is 0"),
        ({"enabled": True, "max_retries": 2}, True, WARNING, "retry_on_asset_or_op_failure is not set"),
        ({"enabled": False, "retry_on_asset_or_op_failure": False}, True, ERROR, "run retries are off"),
        ({"enabled": False}, False, WARNING, "run retries are off"),
        (None, True, ERROR, "run retries are off"),
    ],
)
def test_run_retries_are_on_and_state_whether_failed_steps_are_retried(retries, production, severity, text):
    diagnosis = run_retries({} if retries is None else {"run_retries": retries}, production)
    assert diagnosis.severity is severity
    assert text in diagnosis.message


@pytest.mark.parametrize(
    ("monitoring", "severity", "text"),
    [
        ({"enabled": True, **LIMITS}, OK, "max_runtime_seconds 3600"),
        ({"enabled": True, **LIMITS, "max_runtime_seconds": 0}, WARNING, "max_runtime_seconds not set"),
        ({"enabled": True}, WARNING, "start_timeout_seconds, cancel_timeout_seconds, max_runtime_seconds not set"),
        ({"enabled": False, **LIMITS}, ERROR, "run monitoring is off"),
        (None, ERROR, "run monitoring is off"),
    ],
)
def test_run_monitoring_is_on_and_has_limits(monitoring, severity, text):
    diagnosis = run_monitoring({} if monitoring is None else {"run_monitoring": monitoring})
    assert diagnosis.severity is severity
    assert text in diagnosis.message


@pytest.mark.parametrize(
    ("monitoring", "severity"),
    [({"free_slots_after_run_end_seconds": 60}, OK), ({"enabled": True}, ERROR), (None, ERROR)],
)
def test_slots_of_killed_runs_are_freed(monitoring, severity):
    assert freed_slots({"run_monitoring": monitoring}).severity is severity


@pytest.mark.parametrize(
    ("problem", "missing", "severity", "text"),
    [
        (None, [], OK, "opens"),
        ("no route to the database", [], ERROR, "check dagster.yaml, whether the database runs"),
        ("ModuleNotFoundError: No module named 'psycopg'", [], ERROR, "pip install 'sqlalchemy<2.1'"),
        (None, ["run_launcher: a.B cannot be imported"], ERROR, "install the package of the class"),
    ],
)
def test_an_instance_opens_and_its_classes_exist(problem, missing, severity, text):
    diagnosis = instance(problem, missing)
    assert diagnosis.severity == severity
    assert text in f"{diagnosis.message} {diagnosis.remedy}"


def test_runs_wait_in_a_queue():
    assert (run_queue(True).severity, run_queue(False).severity) == (OK, ERROR)


@pytest.mark.parametrize(
    ("limits", "default", "severity", "text"),
    [
        ({}, 1, OK, "fraud 1, gpu 1"),
        ({"fraud": 1, "gpu": 4}, None, OK, "fraud 1, gpu 4"),
        ({"fraud": 1}, None, ERROR, "no limit for gpu"),
        ({}, None, ERROR, "no limit for fraud, gpu"),
        ({"gpu": 0}, 1, ERROR, "the limit of gpu is 0: no run of fraud/trained_model ever starts"),
        ({}, 0, ERROR, "the limit of fraud, gpu is 0"),
    ],
)
def test_every_pool_has_a_limit_that_lets_runs_start(limits, default, severity, text):
    diagnosis = pools({"fraud": ["fraud/raw_data"], "gpu": ["fraud/trained_model"]}, limits, default)
    assert diagnosis.severity is severity
    assert text in diagnosis.message


def test_without_pools_nothing_needs_a_limit():
    assert pools({}, {}, None).severity is OK
