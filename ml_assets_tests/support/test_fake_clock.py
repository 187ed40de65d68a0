"""Settings of the clock for the tests that know about time."""

from datetime import UTC, datetime

import pytest

from ml_assets_tests.support.fake_clock import clock_changes, clock_settings, files_with_marker, main

pytestmark = pytest.mark.clock


def test_both_changes_of_the_clock_of_a_zone_are_found():
    assert clock_changes("Europe/Berlin", 2027) == [
        datetime(2027, 3, 28, 1, tzinfo=UTC),
        datetime(2027, 10, 31, 1, tzinfo=UTC),
    ]
    assert clock_changes("UTC", 2027) == []


@pytest.mark.parametrize("now", [datetime(2028, 2, 29, tzinfo=UTC), datetime(2027, 12, 31, 23, 59, tzinfo=UTC)])
def test_settings_can_be_built_on_any_day(now):
    settings = clock_settings(now)
    assert (settings["leap-day"].begins.month, settings["leap-day"].begins.day) == (2, 29)
    assert settings["midnight"].begins.date() == now.date()


def test_an_unknown_setting_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["yesterday"])
    assert "there is no setting yesterday; the settings are year-ahead" in capsys.readouterr().err


def test_files_without_the_marker_are_left_out(tmp_path):
    (tmp_path / "folder").mkdir()
    for name, text in {
        "a.py": "pytestmark = pytest.mark.clock",
        "b.py": "",
        "folder/c.py": "@pytest.mark.clock",
    }.items():
        (tmp_path / name).write_text(text)
    assert files_with_marker([str(tmp_path)]) == [str(tmp_path / "a.py"), str(tmp_path / "folder" / "c.py")]
    assert files_with_marker([str(tmp_path / "b.py"), str(tmp_path / "a.py")]) == [str(tmp_path / "a.py")]
