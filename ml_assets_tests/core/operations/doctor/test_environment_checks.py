"""Each rule for the environment reports what is missing, and is OK when nothing is."""

from datetime import UTC, datetime

import pytest

from ml_assets.core.operations.doctor.diagnosis import Severity
from ml_assets.core.operations.doctor.environment_checks import (
    artifacts,
    automation,
    code_location,
    daemons,
    deploy_target,
    environment,
    lake,
    landing,
    notifications,
    time_zones,
)

OK, WARNING, ERROR = Severity.OK, Severity.WARNING, Severity.ERROR


@pytest.mark.parametrize("rule", [landing, lake, deploy_target, artifacts])
def test_the_problem_of_a_location_is_divided_into_message_and_remedy(rule):
    assert rule("s3://lake", None).severity is OK
    diagnosis = rule(
        "s3://lake", "bucket lake at http://127.0.0.1:9: there is no such bucket. Create it. Or correct the URI."
    )
    assert diagnosis.severity is ERROR
    assert (diagnosis.message, diagnosis.remedy) == (
        "bucket lake at http://127.0.0.1:9: there is no such bucket",
        "Create it. Or correct the URI.",
    )


@pytest.mark.parametrize(
    ("models", "problem", "broken", "severity", "text"),
    [
        ({"b": 1, "a": 2}, None, {}, OK, "a, b"),
        ([], None, {}, ERROR, "no model"),
        (["a"], "they do not load: line 3", {}, ERROR, "line 3"),
        (["a"], None, {"b": "b/defs.yaml:7: target"}, ERROR, "b is not loaded: b/defs.yaml:7: target"),
        ([], "they do not load", {"b": "b/defs.yaml:7: target"}, ERROR, "b is not loaded: b/defs.yaml:7: target"),
    ],
)
def test_definitions_load_and_have_a_model(models, problem, broken, severity, text):
    diagnosis = code_location(models, problem, broken)
    assert diagnosis.severity is severity
    assert text in diagnosis.message


def test_daemons_without_a_recent_heartbeat_are_named():
    assert daemons({"SENSOR": 3.0, "SCHEDULER": 60.0}, 300, production=True).severity is OK
    for age in (None, 301.0):
        diagnosis = daemons({"SENSOR": 3.0, "SCHEDULER": age}, 300, production=True)
        assert diagnosis.severity is ERROR
        assert "1 of 2 do not run (SCHEDULER)" in diagnosis.message
        assert daemons({"SCHEDULER": age}, 300, production=False).severity is WARNING


def test_schedules_and_sensors_that_are_off_are_named():
    assert automation([], ["a", "b"]).message == "2 schedules and sensors are on"
    diagnosis = automation(["fraud_daily"], ["fraud_arrivals"])
    assert diagnosis.severity is WARNING
    assert diagnosis.message == "off: fraud_daily"
    assert "in the UI" in diagnosis.remedy


def test_schedules_and_sensors_that_wait_for_a_time_in_the_future_are_named_with_it():
    ticks = {"fraud_daily": datetime(2026, 11, 2, tzinfo=UTC), "arrivals": datetime(2026, 11, 1, tzinfo=UTC)}
    diagnosis = automation([], ["arrivals", "fraud_daily"], ticks)
    assert diagnosis.severity is ERROR
    assert diagnosis.message.startswith("newest tick in the future (2026-11-02 00:00 UTC)")
    assert diagnosis.message.endswith(": arrivals, fraud_daily")


def test_a_time_zone_without_data_is_named_with_its_model():
    assert time_zones({"fraud": "UTC"}, {"UTC"}).severity is OK
    diagnosis = time_zones({"fraud": "UTC", "pumps": "Europe/Berlin"}, {"UTC"})
    assert diagnosis.severity is ERROR
    assert "no data for Europe/Berlin, the time zone of pumps" in diagnosis.message


@pytest.mark.parametrize(
    ("targets", "problem", "local", "production", "severity"),
    [
        (["Slack 1"], None, False, True, OK),
        (["Slack 1"], None, True, False, OK),
        ([], None, True, False, OK),
        ([], None, False, True, WARNING),
        (["Slack 1"], None, True, True, ERROR),
        (["Slack 1"], "the database does not answer", False, False, ERROR),
    ],
)
def test_notifications_need_targets_and_a_database_that_lasts(targets, problem, local, production, severity):
    diagnosis = notifications(targets, problem, local, production)
    assert diagnosis.severity is severity
    assert bool(diagnosis.remedy) is (severity is not OK)


def test_a_problem_becomes_the_message_of_an_error():
    assert environment(None).severity is OK
    diagnosis = environment("ML_ASSETS_ENV is 'x'")
    assert (diagnosis.severity, diagnosis.message) == (ERROR, "ML_ASSETS_ENV is 'x'")
