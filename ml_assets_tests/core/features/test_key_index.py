"""Rows are sorted by key and time, so that each window is a contiguous slice."""

import pandas as pd

from ml_assets.core.features.key_index import KeyIndex, Timeline
from ml_assets.core.model_spec.features import WindowAggregate


def frame(*rows: tuple[str, str | None]) -> pd.DataFrame:
    times = pd.to_datetime([time for time, _ in rows], utc=True).as_unit("us")
    return pd.DataFrame(
        {"time": times, "card": pd.array([card for _, card in rows], dtype=object), "id": range(len(rows))}
    )


def windows(rows: pd.DataFrame, history: pd.DataFrame, key: list[str], **window: object) -> dict[int, list[int]]:
    """Map each row of the day to the positions (history first) of the rows in its window."""
    feature = WindowAggregate.model_validate({"kind": "window", "key": key, "aggregates": ["count"], **window})
    index = KeyIndex(Timeline(rows, history, "time", ["id"]), key, [feature])
    visible = {}
    for group in index.groups():
        ((_, first, last),) = group.window_slices(feature)
        for row, low, high in zip(group.queries, first, last, strict=True):
            visible[int(row)] = sorted(group.positions[low:high].tolist())
    return visible


HISTORY = frame(("2025-01-01 10:00", "A"), ("2025-01-01 12:00", "B"), ("2025-01-01 20:00", "A"))
DAY = frame(("2025-01-02 09:00", "A"), ("2025-01-02 10:00", "A"), ("2025-01-02 10:00", "A"), ("2025-01-02 11:00", None))


def test_a_window_excludes_its_beginning_and_includes_rows_of_the_same_time():
    assert windows(DAY, HISTORY, ["card"], windows=["1d"]) == {0: [0, 2, 3], 1: [2, 3, 4, 5], 2: [2, 3, 4, 5]}


def test_without_a_key_all_rows_are_in_the_window():
    assert windows(DAY, HISTORY, [], windows=["1d"])[3] == [1, 2, 3, 4, 5, 6]


def test_a_delay_ends_the_window_earlier():
    assert windows(DAY, HISTORY, ["card"], windows=["1d"], delay="12h")[0] == [0, 2]


def test_the_last_rows_are_the_most_recent_ones_with_ties_in_order_of_the_row_key():
    assert windows(DAY, HISTORY, ["card"], last_rows=[2], within="2d") == {0: [2, 3], 1: [4, 5], 2: [4, 5]}


def test_keys_that_differ_only_after_a_nul_character_have_windows_of_their_own():
    history = frame(("2025-01-02 08:00", "a\0b"), ("2025-01-02 08:30", "\0a"), ("2025-01-02 08:45", ""))
    day = frame(("2025-01-02 09:00", "a\0c"), ("2025-01-02 10:00", "a\0b"), ("2025-01-02 11:00", "\0a"))
    assert windows(day, history, ["card"], windows=["1d"]) == {0: [3], 1: [0, 4], 2: [1, 5]}


def test_groups_have_whole_keys_and_give_the_same_windows(monkeypatch):
    history = frame(*[(f"2025-01-01 {hour:02}:00", "ABCD"[hour % 4]) for hour in range(24)])
    day = frame(*[(f"2025-01-02 {hour:02}:00", ["A", "C", None, "E"][hour % 4]) for hour in range(24)])
    together = windows(day, history, ["card"], windows=["1d"])
    assert len(together) == 18
    monkeypatch.setattr("ml_assets.core.features.key_index.GROUP_ROWS", 2)
    feature = WindowAggregate.model_validate(
        {"kind": "window", "key": ["card"], "aggregates": ["count"], "windows": ["1d"]}
    )
    assert len(list(KeyIndex(Timeline(day, history, "time", ["id"]), ["card"], [feature]).groups())) == 3
    assert windows(day, history, ["card"], windows=["1d"]) == together
