"""Quarantine and repair as a user runs them: export, correct, take back; the same file twice and an unchanged
specification do nothing.
"""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click
import pandas as pd
import pytest

from ml_assets.cli.command_inputs import require_spec
from ml_assets.cli.commands import quarantine, repair, repair_damaged
from ml_assets.cli.demo.landing import write_landing
from ml_assets.definitions import DEFS
from ml_assets.defs.settings import read_settings
from ml_assets.pipeline.asset_names import landed_to_features
from ml_assets_tests.cli.command_line import call, read_json
from ml_assets_tests.cli.interruptions import call_interrupted, interrupt
from ml_assets_tests.pipeline.world import World
from ml_assets_tests.support.bit_flips import flipped

SPEC = require_spec("fraud_detection")
START = SPEC.source.start


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of simulated transactions from landing to features."""
    data = tmp_path_factory.mktemp("data")
    (data / "dagster").mkdir()
    (data / "dagster" / "dagster.yaml").symlink_to(DEFS.parent / "resources/dagster_instance/dagster.yaml")
    write_landing(data / "landing", START, 2)
    World(data, SPEC).run(landed_to_features(SPEC), START, START + timedelta(days=1))
    return data


@pytest.fixture
def here(data, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, for a command that is called in this process."""
    places = {
        "landing": f"{data}/landing",
        "lake": f"{data}/lake",
        "mlflow": f"sqlite:///{data}/mlflow.db",
        "dagster_home": f"{data}/dagster",
    }
    settings = replace(read_settings({}), **places)
    for command in (repair, repair_damaged, quarantine):
        monkeypatch.setattr(command, "require_settings", lambda: settings)
    return data


def run(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    places = {
        "ML_ASSETS_LANDING": str(data / "landing"),
        "ML_ASSETS_LAKE": str(data / "lake"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{data / 'mlflow.db'}",
        "DAGSTER_HOME": str(data / "dagster"),
        "ML_ASSETS_DEPLOY": str(data / "production"),
    }
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env={**os.environ, **places}, cwd=DEFS.parents[1]
    )


@pytest.mark.clock
@pytest.mark.slow
def test_bad_rows_are_exported_corrected_and_taken_back(data):
    exported, file = data / "quarantine.csv", data / "fixed.csv"
    printed = run(
        data, "-m", "ml_assets.cli", "quarantine", "fraud_detection", "--days", str(START), "--out", str(exported)
    )
    assert printed.returncode == 0, printed.stderr
    rows = pd.read_csv(exported, dtype=str, keep_default_na=False)
    bad = rows[rows["_reasons"] == "amount: less than minimum 0"]
    assert len(bad)
    assert set(bad["_day"]) == {str(START)}
    bad.assign(amount="12.5").to_csv(file, index=False)
    refused = run(data, "-m", "ml_assets.cli", "repair", "fraud_detection", "--file", str(exported))
    assert refused.returncode == 1
    assert "faults, nothing was changed" in refused.stderr
    assert not (data / "lake" / "fraud_detection" / "corrections").exists()
    taken = run(data, "-m", "ml_assets.cli", "repair", "fraud_detection", "--file", str(file))
    assert taken.returncode == 0, taken.stderr
    assert f"New corrected rows: {len(bad)}" in taken.stdout
    assert f"validated_data  computed {START} (1 day)" in taken.stdout
    assert f"features  computed {START} to {START + timedelta(days=1)} (2 days)" in taken.stdout
    again = run(data, "-m", "ml_assets.cli", "repair", "fraud_detection", "--file", str(file))
    assert "Nothing to compute" in again.stdout


@pytest.mark.slow
@pytest.mark.clock
def test_without_a_file_and_without_a_change_there_is_nothing_to_make(here, capsys):
    call("repair", "fraud_detection")
    assert capsys.readouterr().out.strip() == "Nothing to compute: every day is up to date."
    report = read_json(capsys, "repair", "fraud_detection")
    assert report == {
        "model": "fraud_detection",
        "stages": [],
        "models_with_changed_inputs": [],
        "not_repaired": [],
    }


def test_a_file_that_cannot_be_read_or_written_is_reported(here, tmp_path):
    for arguments in (("repair", "--file", str(tmp_path)), ("quarantine", "--out", str(tmp_path))):
        with pytest.raises(click.BadParameter, match="is a directory"):
            call(*arguments)
    with pytest.raises(SystemExit, match=r"nowhere\.csv cannot be read: No such file or directory"):
        call("repair", "fraud_detection", "--file", "nowhere.csv")
    out = str(tmp_path / "nowhere" / "rows.csv")
    with pytest.raises(SystemExit, match=r"rows\.csv cannot be written: No such file or directory"):
        call("quarantine", "fraud_detection", "--out", out)


def test_an_export_names_the_command_that_applies_the_corrected_file():
    told = quarantine._describe_export("churn", 1, 0, Path("bad rows.csv"))
    assert told == "1 row to correct in bad rows.csv; then: ml-assets repair churn --file 'bad rows.csv'"
    assert quarantine._describe_export("churn", 0, 0, None) == "churn: no rows of these days are in quarantine"
    assert quarantine._describe_export("churn", 0, 3, None).startswith(
        "churn: 3 rows of these days in quarantine, none of which can be corrected: they repeat other rows"
    )


def test_a_signal_leaves_no_half_written_export_and_keeps_the_corrected_rows(here, tmp_path, monkeypatch, capsys):
    shutil.copytree(here / "lake", tmp_path / "lake")
    settings = replace(repair.require_settings(), lake=str(tmp_path / "lake"))
    for command in (repair, quarantine):
        monkeypatch.setattr(command, "require_settings", lambda: settings)
    exported, file = tmp_path / "quarantine.csv", tmp_path / "fixed.csv"
    arguments = "quarantine", "fraud_detection", "--days", str(START), "--out", str(exported)
    with monkeypatch.context() as interrupted:
        interrupted.setattr("ml_assets.core.validation.quarantine_export.rows_to_correct", interrupt)
        assert call_interrupted(*arguments) == 128 + signal.SIGTERM
    assert f"nothing was changed; `ml-assets {' '.join(arguments)}` starts again" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["lake"]
    report = read_json(capsys, *arguments)
    rows = pd.read_csv(exported, dtype=str, keep_default_na=False)
    assert (report["rows"], report["days"], report["file"]) == (len(rows), 1, str(exported))
    rows[rows["_reasons"] == "amount: less than minimum 0"].assign(amount="12.5").to_csv(file, index=False)
    arguments = "repair", "fraud_detection", "--file", str(file)
    monkeypatch.setattr(repair, "run_days", interrupt)
    assert call_interrupted(*arguments) == 128 + signal.SIGTERM
    printed = capsys.readouterr()
    assert "New corrected rows: 0" not in printed.out
    assert f"what was committed stays, and nothing is half-written; `ml-assets {' '.join(arguments)}`" in printed.err
    # The corrected rows are kept, and their day is still to be made.
    assert call_interrupted(*arguments) == 128 + signal.SIGTERM
    assert "New corrected rows: 0" in capsys.readouterr().out


def test_damaged_days_are_made_again_and_what_cannot_be_is_said(here, capsys):
    lake = here / "lake" / "fraud_detection"
    second = START + timedelta(days=1)
    stages = World(here, SPEC).stages()
    tables = {name: table for stage in stages for name, table in stage.tables.items()}
    before = {name: tables[name].read([START, second]) for name in ("raw_data", "validated_data", "features")}
    fingerprints = {name: tables[name].fingerprint(START) for name in before}
    for name in ("raw_data", "landed_objects", "column_profiles", "features", "feature_profiles"):
        (file,) = (lake / name / f"day={START}").glob("*.parquet")
        file.write_bytes(flipped(file.read_bytes(), 4567))
    (file,) = (lake / "validated_data" / f"day={START}").glob("*.parquet")
    file.unlink()
    (second_raw,) = (lake / "raw_data" / f"day={second}").glob("*.parquet")
    kept = second_raw.read_bytes()
    second_raw.write_bytes(kept[:-1])
    (landed,) = (here / "landing" / "fraud_detection" / str(second)).iterdir()
    landed.rename(here / "landing" / "elsewhere")
    ended = run(here, "-m", "ml_assets.cli", "repair", "fraud_detection", "--damaged")
    printed = ended.stdout
    assert ended.returncode == 1, ended.stderr
    for name in ("raw_data", "validated_data", "features"):
        assert f"{name}  recomputed {START}: " in printed
    assert f"not repaired  raw_data of {second}" in printed
    assert "restore" in printed
    assert "a backup of the lake" in printed
    stages = World(here, SPEC).stages()
    tables = {name: table for stage in stages for name, table in stage.tables.items()}
    assert {name: tables[name].fingerprint(START) for name in before} == fingerprints
    for name, rows in before.items():
        assert tables[name].read([START]).equals(rows.slice(0, tables[name].row_counts()[START]))
    # The backup of the one, which the message names.
    second_raw.write_bytes(kept)
    call("repair", "fraud_detection", "--damaged")
    assert "Nothing is damaged" in capsys.readouterr().out
    (here / "landing" / "elsewhere").rename(landed)
    call("repair", "fraud_detection")
    assert "Nothing to compute" in capsys.readouterr().out
