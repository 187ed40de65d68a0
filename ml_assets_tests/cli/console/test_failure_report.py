"""The end of a failed run says what to correct, in which file."""

from dataclasses import replace
from pathlib import Path

from ml_assets.cli.console.failure_report import describe_correction, describe_refusal
from ml_assets.core.evaluation.gates import CHAMPION, GateResult
from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.conftest import SMALL

FILE = Path("defs/small/defs.yaml")


def test_files_or_the_specification_are_corrected():
    assert describe_correction(FILE, False) == "correct the files, or defs/small/defs.yaml"
    assert describe_correction(None, False) == "correct the files or the specification"


def test_missing_days_are_landed_or_the_model_needs_fewer():
    assert describe_correction(FILE, True) == (
        "land the missing days, or shorten training.window, evaluation.holdout and label_delay in defs/small/defs.yaml"
    )


def test_a_refused_model_names_its_gates_and_the_command(monkeypatch):
    monkeypatch.setattr("ml_assets.cli.console.failure_report._file_of", lambda spec: FILE)
    assert describe_refusal(ModelSpec.model_validate(SMALL)) == (
        "correct the data, or features, training or gates in defs/small/defs.yaml; then `ml-assets run small` makes "
        "what changed"
    )


def test_a_model_that_may_be_as_good_as_the_champion_needs_no_correction(monkeypatch):
    monkeypatch.setattr("ml_assets.cli.console.failure_report._file_of", lambda spec: FILE)
    spec = ModelSpec.model_validate(SMALL)
    inconclusive = GateResult(CHAMPION, "roc_auc", -0.01, -0.02, None, False, "reaches below -0.02", severity="warn")
    assert describe_refusal(spec, [inconclusive]).startswith("nothing has to be corrected: the champion stays live")
    worse = replace(inconclusive, severity="error")
    assert all(describe_refusal(spec, failed).startswith("correct") for failed in ([worse], [inconclusive, worse]))
