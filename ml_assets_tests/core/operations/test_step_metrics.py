"""A step reports each metric once, with few attributes, whatever the number of days."""

import math
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.operations.step_metrics import (
    METRICS,
    DayFigures,
    Sample,
    sample_of_failure,
    samples_of_days,
    samples_of_gates,
    samples_of_model,
)

DAYS = st.lists(
    st.builds(
        DayFigures,
        st.dates(date(2020, 1, 1), date(2026, 1, 1)),
        st.floats(0, 1e4),
        st.integers(0, 10**6),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda day: day.day,
)


@given(DAYS)
def test_outcomes_add_up_to_the_days_and_no_attribute_is_a_day(days):
    samples = samples_of_days("small", "features", days, 1000)
    assert sum(sample.value for sample in samples if sample.name == "ml_assets.stage.days") == len(days)
    series = [(sample.name, *sorted(sample.attributes.items())) for sample in samples]
    assert len(series) == len(set(series)) <= 8
    assert {sample.name for sample in samples} <= METRICS.keys()
    assert all(
        set(sample.attributes) <= {"model", "stage", "outcome"} and math.isfinite(sample.value) for sample in samples
    )


def test_a_step_reports_rows_seconds_bytes_and_its_newest_day_without_a_problem():
    days = [DayFigures(date(2025, 1, 1), 2.0, 60, True, False), DayFigures(date(2025, 1, 2), 3.0, 0, False, False)]
    days.append(DayFigures(date(2025, 1, 3), 1.0, 0, True, True))
    result = {
        (sample.name, sample.attributes.get("outcome")): sample.value
        for sample in samples_of_days("small", "features", days, 512)
    }
    assert result == {
        ("ml_assets.stage.days", "computed"): 1,
        ("ml_assets.stage.days", "unchanged"): 1,
        ("ml_assets.stage.days", "problem"): 1,
        ("ml_assets.stage.rows", None): 60,
        ("ml_assets.stage.bytes", None): 512,
        ("ml_assets.stage.duration", None): 6,
        ("ml_assets.stage.slowest_day", None): 3,
        ("ml_assets.stage.newest_day", None): datetime(2025, 1, 2, tzinfo=UTC).timestamp(),
    }


def test_a_step_without_days_reports_nothing_and_one_with_problems_no_newest_day():
    assert samples_of_days("small", "features", [], 0) == []
    rejected = samples_of_days("small", "features", [DayFigures(date(2025, 1, 1), 1.0, 0, True, True)], 0)
    assert "ml_assets.stage.newest_day" not in {sample.name for sample in rejected}


def test_evaluated_gates_report_a_result_and_measured_ones_a_value():
    gates = [("roc_auc", True, 0.9), ("log_loss", False, 0.7), ("champion", None, None)]
    result = [(sample.name, sample.attributes["gate"], sample.value) for sample in samples_of_gates("small", gates)]
    assert result == [
        ("ml_assets.gate.passed", "roc_auc", 1.0),
        ("ml_assets.gate.value", "roc_auc", 0.9),
        ("ml_assets.gate.passed", "log_loss", 0.0),
        ("ml_assets.gate.value", "log_loss", 0.7),
    ]


def test_only_numbers_are_metrics_of_a_model():
    result = samples_of_model("small", {"roc_auc": 0.9, "rows": 3, "nothing": float("nan"), "text": "x"})
    assert [(sample.attributes["metric"], sample.value) for sample in result] == [("roc_auc", 0.9), ("rows", 3.0)]


def test_a_failure_has_model_stage_cause_and_retry_as_attributes():
    assert sample_of_failure("small/features", "transient", True) == Sample(
        "ml_assets.step.failures",
        1.0,
        {"model": "small", "stage": "features", "cause": "transient", "another_follows": "true"},
    )
