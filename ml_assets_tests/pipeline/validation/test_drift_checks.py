"""The drift of validated columns through Dagster: a changed day is named with its picture, and bounds re-judge without
making days again.
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


def verdicts(found) -> dict[str, str]:
    return {record.data["day"]: record.data["verdict"] for record in found.metadata["by_day"].records}


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> World:
    """Sixteen days, the fourth of which was rejected."""
    world = World(tmp_path_factory.mktemp("clean"), SPEC)
    for number in range(1, LAST + 1):
        world.land(day(number), rows_of(day(number)))
    world.land(day(4), rows_of(day(4)).assign(amount=-1.0))
    found = check(world.run(VALIDATED, day(1), day(LAST)), "column_drift")
    assert found.passed
    assert "plot" not in found.metadata
    # Five days have to be there, and the fourth does not count.
    assert [number for number in range(1, LAST + 1) if verdicts(found)[str(day(number))] == "not judged"] == [
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


def test_a_day_that_is_judged_alone_has_a_picture_whether_or_not_it_drifted(world):
    found = check(world.run(VALIDATED, day(LAST)), "column_drift")
    assert found.passed
    assert "data:image/png;base64" in found.metadata["plot"].md_str


def test_a_changed_day_is_named_with_the_worst_column_and_a_picture(world):
    world.land(day(12), rows_of(day(12)).assign(amount=lambda rows: rows["amount"] * 100))
    found = check(world.run(VALIDATED, day(10), day(LAST)), "column_drift")
    assert not found.passed
    assert found.description.startswith(f"{day(12)}: amount drifted: psi ")
    assert {one for one, verdict in verdicts(found).items() if verdict == "failed"} == {str(day(12))}
    details = found.metadata["details"].records
    assert (details[0].data["column"], details[0].data["exceeds"]) == ("amount", "psi, ks")
    assert "data:image/png;base64" in found.metadata["plot"].md_str


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
def test_other_columns_are_judged_too(world, change, column):
    world.land(day(LAST), change(rows_of(day(LAST))))
    assert f"{column} drifted" in check(world.run(VALIDATED, day(LAST)), "column_drift").description


def test_keys_and_the_target_are_not_judged(world):
    world.land(day(LAST), rows_of(day(LAST)).assign(label=1))
    found = check(world.run(VALIDATED, day(LAST)), "column_drift")
    assert found.passed
    assert {record.data["column"] for record in found.metadata["details"].records} == {"card", "amount", "event_time"}


def test_another_bound_judges_again_and_makes_nothing_again(world):
    stricter = ModelSpec.model_validate(
        {**CHECKED, "checks": {"column_drift": {"ks": 1e-9, "psi": 1e-9, "cramers_v": 1e-9, "severity": "warn"}}}
    )
    result = World(world.root, stricter).run(VALIDATED, day(1), day(LAST))
    assert computed(result, "validated_data") == []
    assert check(result, "column_drift").metadata["days_judged"].value == LAST - 6


def test_a_check_that_is_switched_off_is_not_there(world):
    off = ModelSpec.model_validate({**CHECKED, "checks": {"column_drift": None}})
    result = World(world.root, off).run(VALIDATED, day(LAST))
    assert "column_drift" not in {found.check_name for found in result.get_asset_check_evaluations()}
