"""Drift and repetition of validated days through Dagster: a changed day is named and plotted, a repeated one named;
new bounds make no day again.
"""

import numpy as np
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.validation.drift_checks import read_profiles_by_day
from ml_assets_tests.conftest import CHECKED
from ml_assets_tests.pipeline.world import ROWS, World, check, computed, day, rows_of

pytestmark = pytest.mark.plots

VALIDATED = ["raw_data", "validated_data", "quarantined_data"]
SPEC = ModelSpec.model_validate(CHECKED)
LAST = 16


def verdicts(evaluation) -> dict[str, str]:
    return {record.data["day"]: record.data["verdict"] for record in evaluation.metadata["by_day"].records}


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> World:
    """Sixteen days, the fourth of which was rejected."""
    world = World(tmp_path_factory.mktemp("clean"), SPEC)
    for number in range(1, LAST + 1):
        world.land(day(number), rows_of(day(number)))
    world.land(day(4), rows_of(day(4)).assign(amount=-1.0))
    evaluation = check(world.run(VALIDATED, day(1), day(LAST)), "column_drift")
    assert evaluation.passed
    assert "plot" not in evaluation.metadata
    # A reference needs five days, and the rejected fourth day does not count.
    assert [number for number in range(1, LAST + 1) if verdicts(evaluation)[str(day(number))] == "not evaluated"] == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]
    return world


@pytest.fixture
def world(clean, tmp_path) -> World:
    return clean.copy(tmp_path)


def test_profiles_are_committed_with_the_day_and_a_rejected_day_has_none(clean):
    profiles = read_profiles_by_day(clean.stages().validation.profiles, {day(4), day(5)})
    assert list(profiles) == [day(5)]
    target = profiles[day(5)]["label"]
    assert (target.rows, target.present, target.positives) == (ROWS, ROWS, rows_of(day(5))["label"].sum())
    assert set(profiles[day(5)]) == set(SPEC.columns)


@pytest.mark.slow
def test_a_run_of_one_day_has_a_plot_even_without_drift(world):
    world.land(day(LAST + 1), rows_of(day(LAST + 1)))
    evaluation = check(world.run(VALIDATED, day(LAST + 1)), "column_drift")
    assert evaluation.passed
    assert "data:image/svg+xml;base64" in evaluation.metadata["plot"].md_str
    # The outcome is kept, and nothing is drawn again.
    evaluation = check(world.run(VALIDATED, day(LAST + 1)), "column_drift")
    assert evaluation.passed
    assert "plot" not in evaluation.metadata


def test_a_changed_day_is_named_with_the_worst_column_and_a_plot(world):
    world.land(day(12), rows_of(day(12)).assign(amount=lambda rows: rows["amount"] * 100))
    evaluation = check(world.run(VALIDATED, day(10), day(LAST)), "column_drift")
    assert not evaluation.passed
    assert evaluation.description.startswith(f"{day(12)}: amount drifted: psi ")
    assert {name for name, verdict in verdicts(evaluation).items() if verdict == "failed"} == {str(day(12))}
    details = evaluation.metadata["details"].records
    assert (details[0].data["column"], details[0].data["exceeds"]) == ("amount", "psi, ks")
    assert "data:image/svg+xml;base64" in evaluation.metadata["plot"].md_str


def test_rows_of_an_earlier_day_under_a_new_date_are_recognized(world):
    again = rows_of(day(12)).assign(
        id=rows_of(day(LAST + 1))["id"], event_time=lambda rows: rows["event_time"] + (day(LAST + 1) - day(12))
    )
    world.land(day(LAST + 1), again)
    evaluation = check(world.run(VALIDATED, day(LAST), day(LAST + 1)), "no_repeated_day")
    assert not evaluation.passed
    assert evaluation.description.startswith(f"{day(LAST + 1)}: card, amount: count, mean, extremes")
    assert str(day(12)) in evaluation.description
    assert verdicts(evaluation) == {str(day(LAST)): "passed", str(day(LAST + 1)): "failed"}


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (lambda rows: rows.assign(card="card-1"), "card"),
        (
            lambda rows: rows.assign(
                event_time=rows["event_time"].dt.normalize() + np.arange(len(rows)) * np.timedelta64(1, "m")
            ),
            "event_time",
        ),
    ],
    ids=["one card", "all in the first hour"],
)
def test_columns_of_other_types_are_evaluated_too(world, change, column):
    world.land(day(LAST), change(rows_of(day(LAST))))
    assert f"{column} drifted" in check(world.run(VALIDATED, day(LAST)), "column_drift").description


def test_keys_and_the_target_are_not_evaluated(world):
    world.land(day(LAST), rows_of(day(LAST)).assign(label=1))
    evaluation = check(world.run(VALIDATED, day(LAST)), "column_drift")
    assert evaluation.passed
    assert {record.data["column"] for record in evaluation.metadata["details"].records} == {
        "card",
        "amount",
        "event_time",
    }


def test_a_new_bound_evaluates_again_and_makes_no_day_again(world):
    stricter = ModelSpec.model_validate(
        {**CHECKED, "checks": {"column_drift": {"ks": 1e-9, "psi": 1e-9, "cramers_v": 1e-9, "severity": "warn"}}}
    )
    result = World(world.root, stricter).run(VALIDATED, day(1), day(LAST))
    assert computed(result, "validated_data") == []
    assert check(result, "column_drift").metadata["days_evaluated"].value == LAST - 6


def test_a_disabled_check_is_not_evaluated(world):
    off = ModelSpec.model_validate({**CHECKED, "checks": {"column_drift": None}})
    result = World(world.root, off).run(VALIDATED, day(LAST))
    assert "column_drift" not in {evaluation.check_name for evaluation in result.get_asset_check_evaluations()}
