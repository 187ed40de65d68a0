"""Cron expressions that Dagster does not take are refused, naming the field."""

import re
from datetime import timedelta

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.durations import format_duration, parse_duration
from ml_assets.pipeline.automation.cron import check_cron_fields


@pytest.mark.parametrize(
    "cron", ["0 2 * * *", "*/15 6-22/2 1,15 jan-mar mon-fri", "5 4 * * 7", "0 0 * * fri-mon", "@daily", "0 0 31 * SUN"]
)
def test_cron_expressions_are_accepted(small, cron):
    check_cron_fields(ModelSpec.model_validate({**small, "schedule": {"cron": cron}}))


@pytest.mark.parametrize(
    "cron",
    [
        "daily",
        "0 2 * *",
        "0 2 * * * *",
        "@reboot",
        "60 * * * *",
        "0 24 * * *",
        "0 0 0 * *",
        "0 0 * 13 *",
        "0 0 * mon *",
        "0 0 * * 8",
        "*/0 * * * *",
        "1,,2 * * * *",
        "1-70 * * * *",
        "0 0 30 feb *",
    ],
)
@pytest.mark.parametrize(("part", "field"), [("schedule", "cron"), ("freshness", "deadline")])
def test_wrong_cron_expressions_are_refused_with_field_and_value(small, cron, part, field):
    spec = ModelSpec.model_validate({**small, part: {field: cron}})
    with pytest.raises(ValueError, match=re.escape(f"{part}.{field}: '{cron}' is not a cron expression")):
        check_cron_fields(spec)


@pytest.mark.parametrize(
    ("deadline", "longest"),
    [
        ("0 6 * * *", "24h"),
        ("0 6,9 * * mon", "3h"),
        ("*/20 6-8 * * *", "20m"),
        ("0 22-2 * * *", "1h"),
        ("0 6/12 * * *", "12h"),
    ],
)
def test_the_lower_bound_reaches_no_further_back_than_the_deadline_before(small, deadline, longest):
    length = parse_duration(longest)
    check_cron_fields(ModelSpec.model_validate({**small, "freshness": {"deadline": deadline, "lower_bound": longest}}))
    if length < timedelta(days=1):
        longer = format_duration(length + timedelta(minutes=1))
        spec = ModelSpec.model_validate({**small, "freshness": {"deadline": deadline, "lower_bound": longer}})
        with pytest.raises(ValueError, match=r"freshness.lower_bound: .* two deadlines of '" + re.escape(deadline)):
            check_cron_fields(spec)


@pytest.mark.parametrize("freshness", [{"deadline": None}, {"deadline": "0 6 * * *", "lower_bound": "6h"}])
def test_no_deadline_and_the_usual_one_are_accepted(small, freshness):
    check_cron_fields(ModelSpec.model_validate({**small, "freshness": freshness}))


def test_an_interval_of_training_that_is_no_cron_expression_is_refused(small):
    def spec(every: str) -> ModelSpec:
        return ModelSpec.model_validate({**small, "training": {**small["training"], "every": every}})

    check_cron_fields(spec("0 2 * * mon"))
    check_cron_fields(spec("7d"))
    with pytest.raises(ValueError, match=r"training\.every: '0 2 \* \* 8' is not a cron expression"):
        check_cron_fields(spec("0 2 * * 8"))
