"""`ml-assets instance` creates the home of Dagster, and names what differs from the shipped settings."""

from pathlib import Path

import pytest

from ml_assets.cli.home import SHIPPED
from ml_assets_tests.cli.command_line import call, read_json


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    return tmp_path / "dagster"


def test_a_new_home_is_created_and_has_no_differences(home, capsys):
    assert read_json(capsys, "instance") == {
        "dagster_home": str(home),
        "settings": str(SHIPPED / "dagster.yaml"),
        "differences": [],
    }


def test_differences_of_an_own_file_are_named(home, capsys):
    home.mkdir()
    shipped = (SHIPPED / "dagster.yaml").read_text()
    (home / "dagster.yaml").write_text(shipped.replace("max_retries: 1", "max_retries: 3"))
    call("instance")
    assert capsys.readouterr().out.splitlines() == [
        f"DAGSTER_HOME  {home}",
        f"Settings      {home / 'dagster.yaml'}",
        "Differences   run_retries.max_retries: 3 (shipped: 1)",
    ]
