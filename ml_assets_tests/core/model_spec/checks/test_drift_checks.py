"""Distances of numbers and of times of day have bounds of their own; without one, every distance passes."""

from ml_assets.core.model_spec.checks.drift_checks import ColumnDriftCheck, DriftCheck


def test_times_of_day_of_columns_have_their_own_bound():
    columns, features = ColumnDriftCheck(ks=0.3, time_of_day=0.1), DriftCheck(ks=0.3)
    assert [columns.distance(of_times) for of_times in (False, True)] == [0.3, 0.1]
    assert [features.distance(of_times) for of_times in (False, True)] == [0.3, 0.3]


def test_a_bound_of_null_lets_every_distance_pass():
    columns = ColumnDriftCheck(ks=None, time_of_day=None)
    assert [columns.distance(of_times) for of_times in (False, True)] == [1.0, 1.0]
