"""Row count, gaps and label rate through Dagster: each check names the day that differs from the others."""

from datetime import timedelta

import pandas as pd
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.conftest import CHECKED
from ml_assets_tests.pipeline.world import World, check, day, rows_of

SPEC = ModelSpec.model_validate(CHECKED)
LAST = 16
GAP = 9
DATA = ["raw_data", "validated_data", "quarantined_data"]
CHECKS = ("row_count", "no_gaps", "label_rate")


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory) -> World:
    """A world with 15 days of 200 rows, day 9 without any, which tests copy."""
    world = World(tmp_path_factory.mktemp("volume"), SPEC)
    for number in range(1, LAST):
        if number != GAP:
            world.land(day(number), rows_of(day(number), 200))
    world.run(DATA, day(1), day(LAST - 1))
    return world


@pytest.fixture
def world(shared_world, tmp_path) -> World:
    return shared_world.copy(tmp_path)


def verdicts(result, name: str) -> dict[str, tuple[str, str]]:
    """Return (verdict, reason) of each day of a check."""
    return {
        record.data["day"]: (record.data["verdict"], record.data["reason"])
        for record in check(result, name).metadata["by_day"].records
    }


def test_a_day_like_the_others_passes(world):
    world.land(day(LAST), rows_of(day(LAST), 210))
    result = world.run(DATA, day(LAST))
    assert check(result, "row_count").passed
    assert check(result, "label_rate").passed


def test_a_tenth_of_the_rows_fails_the_row_count_and_the_day_is_published(world):
    world.land(day(LAST), rows_of(day(LAST), 20))
    result = world.run(DATA, day(LAST))
    evaluation = check(result, "row_count")
    assert not evaluation.passed
    assert "20 rows (10% of what is expected)" in (evaluation.description or "")
    assert len(world.stages().validation.validated.read([day(LAST)])) == 20
    assert check(result, "every_day_accepted").passed


def test_rows_that_landed_twice_fail_the_row_count(world):
    rows = rows_of(day(LAST), 400)
    world.land(day(LAST), rows)
    assert not check(world.run(DATA, day(LAST)), "row_count").passed


def test_a_rejected_day_has_no_row_count_but_is_a_gap_for_the_next_day(world):
    world.land(day(LAST), rows_of(day(LAST), 200).assign(amount=-1.0))
    world.land(day(LAST + 1), rows_of(day(LAST + 1), 200))
    result = world.run(DATA, day(LAST), day(LAST + 1))
    assert not check(result, "every_day_accepted").passed
    assert verdicts(result, "row_count")[str(day(LAST))] == ("not evaluated", "the day has no accepted rows")
    gaps = check(result, "no_gaps")
    assert (gaps.passed, gaps.severity.value) == (False, "WARN")
    assert "1 of the 7 days" in verdicts(result, "no_gaps")[str(day(LAST + 1))][1]
    assert {(r.data["day"], r.data["day_without_rows"]) for r in gaps.metadata["details"].records} == {
        (str(day(LAST)), str(day(GAP))),
        (str(day(LAST + 1)), str(day(LAST))),
    }


def test_a_day_without_positives_fails_the_label_rate(world):
    rows = rows_of(day(LAST), 200)
    world.land(day(LAST), rows.assign(label=0))
    evaluation = check(world.run(DATA, day(LAST)), "label_rate")
    assert not evaluation.passed
    assert "0 of 200 labelled rows are positive" in (evaluation.description or "")


def test_disabled_checks_are_not_evaluated(tmp_path):
    world = World(tmp_path, ModelSpec.model_validate({**CHECKED, "checks": dict.fromkeys(CHECKS)}))
    world.land(day(1), rows_of(day(1)))
    names = {evaluation.check_name for evaluation in world.run(DATA, day(1)).get_asset_check_evaluations()}
    assert not names & set(CHECKS)


def test_labels_in_files_of_their_own_are_checked_with_the_model_and_not_with_the_rows(tmp_path):
    world = World(tmp_path, ModelSpec.model_validate({**CHECKED, "labels": {"files": "labels/{day}/*", "key": ["id"]}}))
    world.land(day(1), rows_of(day(1)).drop(columns="label"))
    names = {evaluation.check_name for evaluation in world.run(DATA, day(1)).get_asset_check_evaluations()}
    assert "row_count" in names
    assert "label_rate" not in names


def late_labels(number: int, delay: int) -> pd.DataFrame:
    rows = rows_of(day(number))
    return pd.DataFrame(
        {
            "id": rows["id"],
            "label": rows["label"],
            "known_at": pd.Timestamp(day(number) + timedelta(days=delay), tz="UTC"),
        }
    )


@pytest.mark.parametrize(
    ("delay", "missing", "passed"),
    [
        pytest.param(2, 0, True, marks=pytest.mark.slow),
        (3, 0, False),
        pytest.param(2, 30, False, marks=pytest.mark.slow),
    ],
)
def test_late_and_missing_labels_are_reported_with_the_evaluation(tmp_path, delay, missing, passed):
    spec = ModelSpec.model_validate({**CHECKED, "labels": {"files": "labels/{day}/*", "key": ["id"]}})
    world = World(tmp_path, spec)
    for number in range(1, 15):
        world.land(day(number), rows_of(day(number)).drop(columns="label"))
        if number > delay:
            world.land_at(f"labels/{day(number)}/labels.parquet", late_labels(number - delay, delay).iloc[missing:])
    names = ["raw_labels", "validated_labels", "quarantined_labels", *DATA, "features", "trained_model", "evaluation"]
    world.run(names[:-2], day(1), day(14))
    result = world.run(names[-2:], day(13), day(14))
    evaluation = check(result, "label_timeliness")
    assert evaluation.passed is passed
    assert passed or evaluation.severity.value == "WARN"
    assert check(result, "label_rate").passed
    reason = verdicts(result, "label_timeliness")[str(day(14))][1]
    assert "labels of training window and holdout became known after label_delay" in reason
    assert "of the holdout have no label" in reason
