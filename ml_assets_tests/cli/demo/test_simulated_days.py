"""Tests of the calendar of the simulated days: recent on every day, and fixed for what has landed."""

import socket
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.cli.command_inputs import require_spec
from ml_assets.cli.demo import simulated_days
from ml_assets.cli.demo.landing import write_landing
from ml_assets.cli.demo.simulated_days import (
    DAYS,
    FIRST_DAY,
    MODEL,
    RECORD,
    WEEK,
    find_first_day,
    first_day_as_of,
    last_day_as_of,
    newer_days,
    read_first_day,
    read_simulated_spec,
)
from ml_assets.cli.demo.simulator import simulate_days
from ml_assets.core.features.inputs import columns_read
from ml_assets.core.features.point_in_time import build_features
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.time_split import split_days
from ml_assets.core.training.train import train
from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.landing_access import LandingUnavailable

pytestmark = pytest.mark.clock

SMALL = {"customers": 60, "terminals": 40}


@given(today=st.dates(date(2020, 1, 1), date(2100, 1, 1)))
def test_the_days_end_in_the_seven_days_before_today_on_the_same_weekday(today):
    last = last_day_as_of(today)
    assert timedelta(days=1) <= today - last <= WEEK
    assert (first_day_as_of(today) - FIRST_DAY) % WEEK == timedelta(0)
    assert last - first_day_as_of(today) == timedelta(days=DAYS - 1)


@given(weeks=st.integers(-400, 400), skipped=st.integers(0, DAYS))
def test_moved_rows_differ_in_their_times_only(weeks, skipped):
    day = FIRST_DAY + timedelta(days=skipped)
    [(_, rows)] = simulate_days(day, 1, **SMALL)
    [(moved_day, moved)] = simulate_days(day + weeks * WEEK, 1, **SMALL, moved_by=weeks * WEEK)
    assert moved_day == day + weeks * WEEK
    pd.testing.assert_frame_equal(moved.assign(event_time=moved["event_time"] - weeks * WEEK), rows)


def test_days_that_are_not_moved_by_whole_weeks_are_refused():
    with pytest.raises(ValueError, match="moved_by must be whole weeks"):
        list(simulate_days(FIRST_DAY, 1, moved_by=timedelta(days=8)))


def train_on_moved_days(moved_by: timedelta) -> tuple[pd.DataFrame, str]:
    """Return the features of the days of a small model, apart from their times, and the model's digest."""
    shipped = read_simulated_spec(FIRST_DAY + moved_by).model_dump(mode="json", by_alias=True)
    smaller = {
        "training": {"window": "4d", "validation": "2d", "rounds": 5},
        "evaluation": {"holdout": "2d"},
        "gates": {"roc_auc": {"minimum": 0.5}},
        "compute": {"cpu": 1},
    }
    spec = ModelSpec.model_validate({**shipped, **smaller})
    days = {
        day: rows.dropna(subset="customer_id")[columns_read(spec)]
        for day, rows in simulate_days(FIRST_DAY + moved_by, 24, customers=150, terminals=40, moved_by=moved_by)
    }
    split = split_days(spec, max(days))
    features = {}
    for day in split.window:
        history = pd.concat([rows for earlier, rows in days.items() if earlier < day])
        features[day] = build_features(spec, days[day], history)
    model = train(spec, split, features.__getitem__)
    return pd.concat(features.values())[list(spec.feature_names())], model.digest


def test_features_and_model_of_moved_days_are_the_same():
    features, digest = train_on_moved_days(timedelta(0))
    moved, moved_digest = train_on_moved_days(3 * WEEK)
    pd.testing.assert_frame_equal(moved, features)
    assert moved_digest == digest


def test_what_landed_keeps_its_first_day(tmp_path):
    landing, today = Directory(tmp_path), date(2026, 11, 29)
    assert read_first_day(landing) is None
    assert find_first_day(tmp_path, {}, False, today) == date(2026, 8, 29)
    write_landing(tmp_path, date(2026, 8, 29), 1)
    for later in (today, today + 3 * WEEK):
        assert find_first_day(tmp_path, {}, False, later) == date(2026, 8, 29)
    before = landing.read(f"{MODEL}/2026-08-29/transactions.parquet")
    write_landing(tmp_path, date(2026, 8, 29), 2)
    assert landing.read(f"{MODEL}/2026-08-29/transactions.parquet") == before
    assert landing.read(RECORD) == b"2026-08-29\n"


def test_a_landing_of_before_the_record_keeps_its_days(tmp_path):
    write_landing(tmp_path, FIRST_DAY, 1)
    (tmp_path / RECORD).unlink()
    assert find_first_day(tmp_path, {}, False, date(2027, 5, 1)) == FIRST_DAY
    before = (tmp_path / MODEL / str(FIRST_DAY) / "transactions.parquet").read_bytes()
    write_landing(tmp_path, FIRST_DAY + 2 * WEEK, 1)
    write_landing(tmp_path, FIRST_DAY, 1)
    assert (tmp_path / MODEL / str(FIRST_DAY) / "transactions.parquet").read_bytes() == before


def test_production_does_not_follow_the_calendar(tmp_path):
    assert find_first_day(tmp_path, {}, True, date(2027, 5, 1)) == FIRST_DAY


@pytest.mark.parametrize("text", ["yesterday", "2026-08-16", ""])
def test_a_record_that_is_not_valid_is_refused(tmp_path, text):
    (tmp_path / MODEL).mkdir()
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(ValueError, match=r"_first_day in the landing is .*whole weeks from 2026-08-15"):
        write_landing(tmp_path, FIRST_DAY, 1)


def test_the_template_gives_the_recorded_day(tmp_path, monkeypatch):
    write_landing(tmp_path, FIRST_DAY - 5 * WEEK, 1)
    monkeypatch.setenv("ML_ASSETS_LANDING", str(tmp_path))
    assert require_spec(MODEL).source.start == FIRST_DAY - 5 * WEEK


def test_a_landing_that_never_answers_is_named(bucket, monkeypatch):
    monkeypatch.setattr(simulated_days, "SECONDS_TO_ANSWER", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(LandingUnavailable, match=f"bucket landing at {endpoint}: the store cannot be reached"):
            find_first_day("s3://landing", {"endpoint_url": endpoint}, True, date(2027, 5, 1))


def test_a_bucket_without_a_record_begins_as_a_folder_does(bucket):
    assert find_first_day(*bucket, False, date(2026, 11, 29)) == date(2026, 8, 29)


def test_days_that_became_old_are_said_with_the_command(tmp_path):
    last = FIRST_DAY + timedelta(days=DAYS - 1)
    assert newer_days(tmp_path, last, last + 3 * WEEK) is None
    write_landing(tmp_path, FIRST_DAY, 1)
    assert newer_days(tmp_path, last, last + WEEK) is None
    assert newer_days(tmp_path, last, last + 3 * WEEK) == (
        "The simulated days end on 2026-11-12; `ml-assets simulate` lands those up to 2026-11-26"
    )
