"""Medians, ratios, targets, tables and files of results."""

import pytest

from benchmarks.harness.process import Measurement
from benchmarks.harness.results import (
    DAGSTER,
    FLOOR,
    OURS,
    Result,
    format_figure,
    read_results,
    row_of,
    text_table,
    timed,
    write_results,
)

DAYS = Result("days", "60 days", {OURS: [40.0, 30.0, 31.0], FLOOR: [7.0], DAGSTER: [20.0, 22.0]}, DAGSTER, 1.5)


def test_a_ratio_compares_the_medians():
    assert DAYS.figure(OURS) == 31
    assert DAYS.ratio == pytest.approx(31 / 21)
    assert row_of(DAYS) == ("60 days", "31.0 s", "7.00 s", "21.0 s", "1.48 x Dagster", "at most 1.5", "met", "-")


@pytest.mark.parametrize(
    ("ours", "against", "target", "at_least", "is_met"),
    [
        (31.6, DAGSTER, 1.5, False, False),
        (19.0, None, 20.0, False, True),
        (21.0, None, 20.0, False, False),
        (15.0, DAGSTER, 0.7, True, True),
        (14.0, DAGSTER, 0.7, True, False),
        (1.0, DAGSTER, None, False, None),
    ],
)
def test_a_target_bounds_the_ratio_or_our_own_figure(ours, against, target, at_least, is_met):
    samples = {OURS: [ours], DAGSTER: [21.0]}
    assert Result("x", "x", samples, against, target, at_least=at_least).is_met is is_met


def test_a_contender_that_takes_no_part_has_no_figure():
    result = Result("run", "ml-assets run", {OURS: [3.0]}, None, 4.0)
    assert row_of(result) == ("ml-assets run", "3.00 s", "-", "-", "-", "at most 4 s", "met", "-")
    assert Result("x", "x", {OURS: [3.0]}, FLOOR, 2.0).is_met is None


def test_figures_have_as_many_digits_as_matter():
    assert [format_figure(value) for value in (None, 0.123, 9.99, 12.34, 640.2, 23456.7)] == [
        "-",
        "0.12",
        "9.99",
        "12.3",
        "640",
        "23,457",
    ]


def test_measured_processes_become_seconds_and_peaks():
    series = {OURS: [Measurement(3.0, 2.0, 300.0), Measurement(5.0, 4.0, 310.0)], FLOOR: [Measurement(1.0, 0.5, 90.0)]}
    wall, processor = (timed("x", "x", series, FLOOR, 2.5, unit) for unit in ("s", "CPU s"))
    assert (wall.figure(OURS), processor.figure(OURS)) == (4.0, 3.0)
    assert wall.peak_mb == {OURS: 310.0, FLOOR: 90.0}
    assert wall.processor == {OURS: 3.0, FLOOR: 0.5}
    assert (wall.processor_ratio, processor.processor_ratio) == (6.0, None)


def test_columns_of_the_table_are_aligned():
    lines = text_table([DAYS, Result("run", "ml-assets run", {OURS: [3.0]})]).splitlines()
    assert len({line.find(text) for line, text in zip(lines, ("ml_assets", "31.0", "3.00"), strict=True)}) == 1


def test_a_file_keeps_the_results_of_other_benchmarks(tmp_path):
    file = tmp_path / "out.json"
    assert read_results(file) == ({}, [])
    write_results(file, {"cores": "2"}, [DAYS, Result("run", "ml-assets run", {OURS: [3.0]})])
    faster = Result("days", "60 days", {OURS: [20.0]}, DAGSTER, 1.5)
    write_results(file, {"cores": "4"}, [faster])
    machine, results = read_results(file)
    assert machine == {"cores": "4"}
    assert [(result.benchmark, result.figure(OURS)) for result in results] == [("run", 3.0), ("days", 20.0)]
    assert results[1] == faster
