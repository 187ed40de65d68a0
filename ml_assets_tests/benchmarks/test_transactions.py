"""Simulated transfers are the same each time, and the peers compute the same from them."""

from datetime import date

import numpy as np
import pandas as pd

from benchmarks.harness.context import START, Context, Sizes
from benchmarks.harness.process import Measurement, alternate, environment
from benchmarks.peers.one_pass import write_window_features
from benchmarks.peers.steps import build_features, ingest, validate
from benchmarks.peers.transactions import day_of_transfers, write_days

DAY = date(2025, 1, 1)


def test_a_day_is_the_same_each_time_and_differs_from_the_next():
    first, again, other = (day_of_transfers(DAY, position, 600) for position in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not first["amount"].equals(other["amount"])
    assert not set(first["transfer_id"]) & set(other["transfer_id"])


def test_a_day_keeps_the_rules_of_the_model():
    rows = day_of_transfers(DAY, 0, 2_000)
    assert rows["booked_at"].dt.date.eq(DAY).all()
    assert rows["booked_at"].is_monotonic_increasing
    assert rows["amount"].between(0, 100_000).all()
    assert 0.01 < rows["is_fraud"].mean() < 0.05


def test_the_floor_computes_the_features_that_pandas_does(tmp_path):
    write_days(tmp_path / "landing", DAY, 1, 3_000)
    for step in (ingest, validate, build_features):
        step(tmp_path / "landing", tmp_path / "out", str(DAY))
    rows = pd.read_parquet(tmp_path / "out" / str(DAY) / "features.parquet")
    windows = rows.groupby("account")["amount"].rolling(7, min_periods=1)
    np.testing.assert_allclose(rows["mean_before"], windows.mean(), rtol=1e-9)
    np.testing.assert_allclose(rows["std_before"], windows.std().fillna(0), atol=1e-3)


def test_the_one_pass_computes_the_windows_that_pandas_does(tmp_path):
    write_days(tmp_path / "landing", DAY, 2, 3_000)
    write_window_features(tmp_path / "landing", tmp_path / "out", [1])
    rows, features = (
        pd.concat([pd.read_parquet(file) for file in sorted((tmp_path / name).iterdir())], ignore_index=True)
        for name in ("landing", "out")
    )
    for account in rows["account"].unique()[:20]:
        chosen = rows[rows["account"] == account]
        windows = chosen.set_index("booked_at")["amount"].rolling("1D")
        # A window ends with the last row of the same moment.
        expected = windows.mean().groupby(level=0).last().reindex(chosen["booked_at"])
        np.testing.assert_allclose(features.loc[chosen.index, "mean_1d"], expected, rtol=1e-9)


def test_files_of_a_context_are_written_once(tmp_path):
    context = Context(Sizes(), tmp_path)
    folder = context.transactions(2, 500)
    assert sorted(path.stem for path in folder.iterdir()) == [str(START), "2025-01-02"]
    written = (folder / f"{START}.parquet").stat().st_mtime_ns
    assert context.transactions(2, 500) == folder
    assert (folder / f"{START}.parquet").stat().st_mtime_ns == written


def test_contenders_take_turns_and_every_second_round_is_in_reverse():
    calls: list[str] = []

    def contender(name: str):
        return lambda: calls.append(name) or Measurement(len(calls), 0.0, 0.0)

    series = alternate(3, {name: contender(name) for name in "ab"})
    assert "".join(calls) == "abbaab"
    assert [measurement.wall for measurement in series["a"]] == [1, 4, 5]


def test_nothing_that_a_person_has_set_reaches_a_measured_process(monkeypatch, tmp_path):
    for name in ("ML_ASSETS_ENV", "DAGSTER_HOME", "MLFLOW_TRACKING_URI", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.setenv(name, "x")
    variables = environment(tmp_path, DAGSTER_HOME="home")
    assert variables["DAGSTER_HOME"] == "home"
    assert not {"ML_ASSETS_ENV", "MLFLOW_TRACKING_URI", "PYTHONDONTWRITEBYTECODE"} & variables.keys()
    assert variables["PYTHONPATH"].startswith(f"{tmp_path}:")
