"""Each rule for what a code location needs to be operated says no when it is missing, and yes when it is there."""

import pytest

from ml_assets.core.operations.doctor.diagnosis import Severity
from ml_assets.core.operations.doctor.environment_checks import (
    artifacts,
    automation,
    code_location,
    daemons,
    deploy_target,
    environment,
    instance,
    lake,
    landing,
    notifications,
    time_zones,
)

OK, WARNING, ERROR = Severity.OK, Severity.WARNING, Severity.ERROR


@pytest.mark.parametrize("rule", [landing, lake, deploy_target, artifacts])
def test_a_place_is_there_or_the_message_says_first_what_is_wrong_then_what_to_do(rule):
    assert rule("s3://lake", None).severity is OK
    found = rule(
        "s3://lake", "bucket lake at http://127.0.0.1:9: there is no such bucket. Create it. Or correct the URI."
    )
    assert found.severity is ERROR
    assert (found.found, found.remedy) == (
        "bucket lake at http://127.0.0.1:9: there is no such bucket",
        "Create it. Or correct the URI.",
    )


@pytest.mark.parametrize(
    ("models", "problem", "severity", "said"),
    [
        ({"b": 1, "a": 2}, None, OK, "a, b"),
        ([], None, ERROR, "no model"),
        (["a"], "they do not load: line 3", ERROR, "line 3"),
    ],
)
def test_definitions_load_and_have_a_model(models, problem, severity, said):
    found = code_location(models, problem)
    assert found.severity is severity
    assert said in found.found


def test_daemons_that_gave_no_sign_of_life_lately_are_named():
    assert daemons({"SENSOR": 3.0, "SCHEDULER": 60.0}, 300, production=True).severity is OK
    for age in (None, 301.0):
        found = daemons({"SENSOR": 3.0, "SCHEDULER": age}, 300, production=True)
        assert found.severity is ERROR
        assert "1 of 2 do not run (SCHEDULER)" in found.found
        assert daemons({"SCHEDULER": age}, 300, production=False).severity is WARNING


def test_schedules_and_sensors_that_are_off_are_named():
    assert automation([], ["a", "b"]).found == "2 schedules and sensors are on"
    found = automation(["fraud_daily"], ["fraud_arrivals"])
    assert found.severity is WARNING
    assert found.found == "off: fraud_daily"
    assert "dagster schedule start fraud_daily" in found.remedy


def test_a_time_zone_without_data_is_named_with_its_model():
    assert time_zones({"fraud": "UTC"}, {"UTC"}).severity is OK
    found = time_zones({"fraud": "UTC", "pumps": "Europe/Berlin"}, {"UTC"})
    assert found.severity is ERROR
    assert "no data for Europe/Berlin, the time zone of pumps" in found.found


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
def test_somebody_is_told_of_failures(targets, problem, local, production, severity):
    found = notifications(targets, problem, local, production)
    assert found.severity is severity
    assert bool(found.remedy) is (severity is not OK)


@pytest.mark.parametrize("rule", [environment, instance])
def test_what_others_refused_is_passed_on(rule):
    assert rule(None).severity is OK
    assert (rule("ML_ASSETS_ENV is 'x'").severity, rule("ML_ASSETS_ENV is 'x'").found) == (
        ERROR,
        "ML_ASSETS_ENV is 'x'",
    )
