"""A rejected day names the fault of a file, or the most frequent reason of its rows."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.validation.quarantine_report import REPORT_COLUMNS
from ml_assets.core.validation.validate_day import THE_DAY_IS_REJECTED
from ml_assets.pipeline.validation.acceptance_check import evaluate_acceptance
from ml_assets_tests.conftest import SMALL

DAY = date(2026, 1, 20)
TOO_MANY = ("day", "", "40 of 50 rows (80.0%) are bad", 1)
MISSING = ("row", "a.csv", "amount: column missing in file", 40)


@pytest.mark.parametrize(
    ("faults", "explanation"),
    [
        ([], "the day was accepted"),
        ([("day", "", "no files have landed", 1)], "no files have landed"),
        (
            [TOO_MANY, ("row", "a.csv", THE_DAY_IS_REJECTED, 45), ("row", "a.csv", "kind: missing", 1), MISSING],
            "40 of 50 rows (80.0%) are bad; most often amount: column missing in file (40 rows)",
        ),
        (
            [TOO_MANY, ("file", "a.csv", "column missing: amount; did you mean amounts?", 1), MISSING],
            "40 of 50 rows (80.0%) are bad; a.csv: column missing: amount; did you mean amounts?",
        ),
    ],
)
def test_a_rejected_day_names_its_cause(faults, explanation):
    report = pd.DataFrame([(DAY, *fault) for fault in faults], columns=REPORT_COLUMNS)
    stage: Any = SimpleNamespace(
        quarantined=SimpleNamespace(row_counts=lambda: {DAY: len(faults)}),
        report=lambda days: report,
        count_quarantined_rows=lambda days: 0,
    )
    (run,) = evaluate_acceptance(
        ModelSpec.model_validate(SMALL), stage, [DAY], dg.AssetKey(["small", "validated_data"])
    )
    assert [outcome.explanation for outcome in run.outcomes] == [explanation]
