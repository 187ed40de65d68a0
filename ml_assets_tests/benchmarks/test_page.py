"""The page of the benchmarks, from results that no machine measured."""

import pytest

from benchmarks.harness.results import DAGSTER, FLOOR, OURS, Result
from benchmarks.page.chart import bar_chart, growth_chart, size_of
from benchmarks.page.page import page_text

MACHINE = {"processor": "a processor", "cores": "2"}
DAYS = Result("days", "60 days", {OURS: [31.0], DAGSTER: [21.0]}, DAGSTER, 1.5, peak_mb={OURS: 640.0})
MEMORY = Result("memory", "peak memory", {OURS: [660.0], FLOOR: [600.0]}, FLOOR, 1.2, "MB")
GROWTH = [
    Result("growth", f"{days} days of {rows:,} rows, a model each day", {OURS: [rows / 100], DAGSTER: [5.0]}, DAGSTER)
    for days, rows in ((10, 1_000), (10, 10_000), (20, 1_000))
]


def test_the_page_names_machine_ratio_target_growth_and_memory():
    text = page_text(MACHINE, [DAYS, *GROWTH, MEMORY], ["validation"])
    assert "| processor | a processor |" in text
    assert "| 60 days | 31.0 s | - | 21.0 s | 1.48 x Dagster | at most 1.5 | met | - |" in text
    assert "| 10 days of 10,000 rows, a model each day | 100 s | - | 5.00 s | 20.00 x Dagster |" in text
    assert "| 60 days | 640 MB | - | - |" in text
    assert "peak memory: 660 MB against 600 MB." in text


def test_a_page_without_growth_and_memory_has_no_such_sections():
    text = page_text(MACHINE, [Result("run", "ml-assets run", {OURS: [3.0]}, None, 4.0)], [])
    assert "## Growth" not in text
    assert "## Peak memory" not in text


def test_sizes_come_from_titles():
    assert size_of(GROWTH[1]) == (10, 10_000)
    with pytest.raises(ValueError, match="names no days and rows"):
        size_of(MEMORY)


@pytest.mark.slow
@pytest.mark.plots
def test_pictures_are_the_same_each_time():
    assert bar_chart([DAYS, MEMORY]) == bar_chart([DAYS, MEMORY])
    assert growth_chart(GROWTH).startswith(b"\x89PNG")
