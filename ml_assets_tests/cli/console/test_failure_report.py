"""The end of a failed run says what to correct, in which file."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ml_assets.cli.console.failure_report import (
    describe_correction,
    describe_missing_files,
    describe_refusal,
    describe_remedy,
)
from ml_assets.cli.needed_days import Needed
from ml_assets.core.evaluation.gates import CHAMPION, GateResult
from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day

FILE = Path("defs/small/defs.yaml")
NEEDED = Needed(day(1), [day(1)], [day(1)], to_do=True)


def test_files_or_the_specification_are_corrected():
    assert describe_correction(FILE, False) == "correct the files, or defs/small/defs.yaml"
    assert describe_correction(None, False) == "correct the files or the specification"


@pytest.mark.parametrize(
    ("is_of_data", "options", "remedy"),
    [
        (
            True,
            "",
            "correct the files, or defs/small/defs.yaml; then `ml-assets run small` makes what changed, and goes on",
        ),
        (False, "", "`ml-assets run small` goes on, once the problem above is solved"),
        (
            False,
            " --day 2025-01-01",
            "`ml-assets run small --day 2025-01-01` goes on, once the problem above is solved",
        ),
    ],
)
def test_files_are_corrected_only_where_they_are_the_reason(tmp_path, monkeypatch, is_of_data, options, remedy):
    monkeypatch.setattr("ml_assets.cli.console.failure_report._file_of", lambda spec: FILE)
    spec = ModelSpec.model_validate(SMALL)
    stages = World(tmp_path, spec).stages()
    assert describe_remedy(spec, stages, replace(NEEDED, options=options), is_of_data) == f"Next          {remedy}"


def test_missing_days_are_landed_or_the_model_needs_fewer():
    assert describe_correction(FILE, True) == (
        "land the missing days, or shorten training.window, evaluation.holdout and label_delay in defs/small/defs.yaml"
    )


def test_a_refused_model_names_its_gates_and_the_command(monkeypatch):
    monkeypatch.setattr("ml_assets.cli.console.failure_report._file_of", lambda spec: FILE)
    needed = replace(NEEDED, options=" --day 2025-01-01")
    assert describe_refusal(ModelSpec.model_validate(SMALL), needed) == (
        "correct the data, or features, training or gates in defs/small/defs.yaml; then `ml-assets run small --day "
        "2025-01-01` makes what changed"
    )


def test_a_model_that_may_be_as_good_as_the_champion_needs_no_correction(monkeypatch):
    monkeypatch.setattr("ml_assets.cli.console.failure_report._file_of", lambda spec: FILE)
    spec = ModelSpec.model_validate(SMALL)
    inconclusive = GateResult(CHAMPION, "roc_auc", -0.01, -0.02, None, False, "reaches below -0.02", severity="warn")
    assert describe_refusal(spec, NEEDED, [inconclusive]).startswith(
        "nothing has to be corrected: the champion stays live"
    )
    worse = replace(inconclusive, severity="error")
    assert all(
        describe_refusal(spec, NEEDED, failed).startswith("correct") for failed in ([worse], [inconclusive, worse])
    )


def missing_files(landing: Path, files: str, yesterday: date = date(2025, 1, 9)) -> list[str]:
    spec = ModelSpec.model_validate({**SMALL, "source": {**SMALL["source"], "files": files}})
    return describe_missing_files(spec, str(landing), yesterday).splitlines()


def test_a_landing_without_files_of_the_pattern_is_described_with_what_it_has(tmp_path, monkeypatch):
    monkeypatch.setattr("ml_assets.cli.console.failure_report._file_of", lambda spec: FILE)
    (tmp_path / "sales" / "2025-01-02").mkdir(parents=True)
    (tmp_path / "sales" / "2025-01-02" / "a.csv").touch()
    looked = "small: no files of a day from 2025-01-01 to 2025-01-09 have landed; looked for"
    assert missing_files(tmp_path, "salse/{day}/*") == [
        f"{looked} salse/{{day}}/* under {tmp_path}; did you mean sales/{{day}}/*?",
        "Next          put files there, or correct source.files in defs/small/defs.yaml; then `ml-assets run small`",
    ]
    assert missing_files(tmp_path, "sales/{day}/*.parquet")[0] == (
        f"{looked} sales/{{day}}/*.parquet under {tmp_path}; sales has other files, such as sales/2025-01-02/a.csv"
    )


def test_a_source_that_starts_in_the_future_is_described_with_the_newest_complete_day(tmp_path, monkeypatch):
    monkeypatch.setattr("ml_assets.cli.console.failure_report._file_of", lambda spec: FILE)
    assert missing_files(tmp_path, "sales/{day}/*", date(2024, 12, 31)) == [
        "small: source.start 2025-01-01 is after 2024-12-31, the newest complete day",
        "Next          correct source.start in defs/small/defs.yaml; then `ml-assets run small`",
    ]
