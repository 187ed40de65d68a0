"""`ml-assets clean` removes what can be made again, and asks for the rest."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from ml_assets.cli.commands import clean
from ml_assets.cli.demo.landing import write_landing
from ml_assets.cli.demo.simulated_days import FIRST_DAY, RECORD, WEEK
from ml_assets.resources.dagster_instance.dead_runs import mark_alive
from ml_assets_tests.cli.command_line import call


@pytest.fixture
def data(tmp_path, monkeypatch) -> Path:
    data = tmp_path / "data"
    write_landing(data / "landing", FIRST_DAY + 2 * WEEK, 2)
    (data / "lake").mkdir()
    monkeypatch.setattr(clean, "local_data_folder", lambda: data)
    return data


def test_simulated_files_are_removed_without_a_question(data, capsys):
    call("clean")
    assert not data.exists()
    assert capsys.readouterr().out == f"{data} is removed\n"
    call("clean")
    assert "there is nothing to remove" in capsys.readouterr().out


def test_nothing_is_removed_during_a_run(data):
    assert mark_alive(SimpleNamespace(is_ephemeral=False, root_directory=str(data / "dagster")), "a-run")
    with pytest.raises(SystemExit, match=r"nothing was removed: a run of `ml-assets` is in progress"):
        call("clean")
    assert (data / "lake").exists()


def test_a_file_that_cannot_be_removed_is_named(data, monkeypatch):
    def refuse(path: Path) -> None:
        raise OSError(39, "Directory not empty", str(path / "lake"))

    monkeypatch.setattr(clean.shutil, "rmtree", refuse)
    with pytest.raises(SystemExit, match=r"is removed in part: .*lake: Directory not empty. End what uses it"):
        call("clean")


def test_files_of_a_person_stay_where_nobody_can_be_asked(data, capsys):
    (data / "landing" / "churn").mkdir()
    (data / "landing" / "churn" / "rows.csv").write_text("a\n1\n")
    with pytest.raises(SystemExit, match=r"nothing was removed: .* `ml-assets clean --yes`"):
        call("clean")
    assert "1 landed file that was not simulated, and cannot be made again: landing/churn/rows.csv" in (
        capsys.readouterr().out
    )
    assert (data / "lake").exists()
    call("clean", "--yes")
    assert not data.exists()


@pytest.mark.parametrize("answer", ["y", "n"])
def test_the_answer_decides(data, monkeypatch, answer):
    changed = data / "landing" / "fraud_detection" / str(FIRST_DAY + 2 * WEEK) / "transactions.parquet"
    changed.write_bytes(changed.read_bytes() + b"corrected")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.confirm", lambda _: answer == "y")
    if answer == "n":
        with pytest.raises(SystemExit, match="nothing was removed"):
            call("clean")
    else:
        call("clean")
    assert data.exists() == (answer == "n")


def test_a_file_at_another_place_is_not_a_simulated_one(data):
    simulated = data / "landing" / "fraud_detection" / str(FIRST_DAY + 2 * WEEK) / "transactions.parquet"
    (simulated.parent / "more.parquet").write_bytes(simulated.read_bytes())
    assert [path.name for path in clean.list_files_to_keep(data / "landing")] == ["more.parquet"]


def test_files_of_other_dates_than_those_recorded_are_not_simulated_ones(data):
    (data / "landing" / RECORD).write_text(f"{FIRST_DAY}\n")
    assert len(list(clean.list_files_to_keep(data / "landing"))) == 2
    (data / "landing" / RECORD).write_text("yesterday")
    assert len(list(clean.list_files_to_keep(data / "landing"))) == 2
