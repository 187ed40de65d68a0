"""A daily report is stored unchanged, and its verdict names the worst outcome."""

import json
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.checks.outcome import CheckOutcome
from ml_assets.core.operations.reports.daily_report import Bars, Part, Report, Table

DAY = date(2025, 3, 1)
TEXT = st.text(max_size=20)
VALUES = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
ROWS = st.lists(st.dictionaries(TEXT, VALUES, max_size=3), max_size=5)


def outcome(check: str, passed: bool | None, severity: str = "error") -> CheckOutcome:
    return CheckOutcome(check, DAY, passed, f"{check} says so", severity)


def rows(*outcomes: CheckOutcome, state: str = "published", **more: object) -> Part:
    return Part("validated_data", DAY, state, outcomes=outcomes, **more)


@given(
    st.builds(
        Part,
        st.just("features"),
        st.just(DAY),
        problem=st.none() | TEXT,
        facts=st.dictionaries(TEXT, VALUES, max_size=3),
        tables=st.lists(st.builds(Table, TEXT, ROWS), max_size=2),
        bars=st.lists(st.builds(Bars, TEXT, st.dictionaries(TEXT, st.integers(), max_size=3), TEXT), max_size=2),
        outcomes=st.lists(
            st.builds(CheckOutcome, TEXT, st.just(DAY), st.sampled_from([True, False, None]), TEXT, lines=ROWS),
            max_size=2,
        ),
        plots=st.dictionaries(TEXT, st.binary(max_size=20), max_size=2),
        provenance=st.dictionaries(TEXT, VALUES, max_size=2),
    )
)
def test_a_part_is_read_back_as_it_was_written(part):
    again = Part.from_json(part.to_json())
    assert again == part
    assert again.to_json() == part.to_json()


def test_only_the_first_lines_of_a_long_table_are_kept():
    lines = [{"number": number} for number in range(1000)]
    part = rows(CheckOutcome("x", DAY, False, "", lines=lines), tables=[Table("many", lines)])
    again = Part.from_json(part.to_json())
    assert (len(again.outcomes[0].lines), len(again.tables[0].rows)) == (50, 50)


def test_days_are_kept_as_text_and_numbers_of_numpy_as_numbers():
    again = Part.from_json(
        Part("features", DAY, facts={"day": DAY, "rows": np.int64(3), "ratio": float("inf")}).to_json()
    )
    assert again.facts == {"day": "2025-03-01", "rows": 3, "ratio": float("inf")}


def test_a_part_of_an_earlier_version_is_read():
    part = Part("evaluation", DAY, outcomes=[outcome("gate", False)], plots={"roc_curve": b"png"})
    document = json.loads(part.to_json())
    document |= {"findings": document.pop("outcomes"), "pictures": document.pop("plots")}
    for name in ("figures", "remark"):
        del document["findings"][0][name]
    assert Part.from_json(json.dumps(document).encode()) == Part.from_json(part.to_json())


@pytest.mark.parametrize(
    ("part", "verdict"),
    [
        (rows(outcome("a", True), outcome("b", None)), ("published", "every check that was evaluated passed")),
        (rows(outcome("a", False)), ("flagged", "the rows are published; checks found 1 error")),
        (
            rows(outcome("a", False, "warn"), outcome("b", False, "warn")),
            ("flagged", "the rows are published; checks found 2 warnings"),
        ),
        (
            rows(outcome("a", False), outcome("b", False, "warn")),
            ("flagged", "the rows are published; checks found 1 error and 1 warning"),
        ),
        (rows(outcome("a", False), state="rejected", problem="too many bad rows"), ("rejected", "too many bad rows")),
        (rows(state="missing", problem="no files have landed"), ("missing", "no files have landed")),
        (Part("features", DAY), ("unknown", "the rows of the day have no report")),
        (Part("features", DAY, "unreadable", "it is empty"), ("unknown", "some of its reports cannot be read")),
    ],
)
def test_the_verdict_is_that_of_the_rows_and_of_the_checks_of_all_stages(part, verdict):
    assert Report("fraud", DAY, [part]).verdict() == verdict


def test_a_failed_check_of_a_later_stage_flags_the_day():
    assert (
        Report("fraud", DAY, [rows(), Part("evaluation", DAY, outcomes=[outcome("gate", False)])]).verdict()[0]
        == "flagged"
    )


def test_errors_come_before_warnings():
    report = Report(
        "fraud", DAY, [rows(outcome("a", False, "warn")), Part("features", DAY, outcomes=[outcome("b", False)])]
    )
    assert [(part.asset, result.check) for part, result in report.failed()] == [
        ("features", "b"),
        ("validated_data", "a"),
    ]


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        ([], "no model was trained as of this day"),
        ([Part("evaluation", DAY)], "evaluated, not registered"),
        ([Part("evaluation", DAY, "unreadable", "it is empty")], "unknown: its report cannot be read"),
        ([Part("evaluation", DAY, "no model", "no model: no positives")], "no model: no positives"),
        (
            [Part("evaluation", DAY, "no model", facts={"due": "not due"}), Part("registry", DAY, "no model")],
            "not due",
        ),
        ([Part("model_registry_entry", DAY, "registered", facts={"version": "3"})], "registered as version 3"),
        ([Part("model_registry_entry", DAY, "not registered", "gates not passed")], "not registered: gates not passed"),
    ],
)
def test_one_line_has_the_outcome_of_the_model(parts, line):
    assert Report("fraud", DAY, [rows(), *parts]).model_line() == line


def test_failed_checks_come_first_in_their_section():
    part = rows(outcome("a", True), outcome("b", None), outcome("c", False, "warn"), outcome("d", False))
    (displayed,) = Report("fraud", DAY, [part]).sections()["Data quality"]
    assert [result.check for result in displayed.outcomes] == ["d", "c", "a", "b"]


def test_drift_checks_of_all_stages_are_in_one_section():
    parts = [
        rows(outcome("row_count", True), outcome("column_drift", False), plots={"column_drift": b"1"}),
        Part("features", DAY, outcomes=[outcome("feature_drift", True)], plots={"other": b"2"}),
    ]
    sections = Report("fraud", DAY, parts).sections()
    assert list(sections) == ["Data quality", "Drift", "Features"]
    assert [result.check for part in sections["Drift"] for result in part.outcomes] == ["column_drift", "feature_drift"]
    assert [list(part.plots) for part in sections["Drift"]] == [["column_drift"], []]
    assert [result.check for part in sections["Data quality"] for result in part.outcomes] == ["row_count"]
    assert [list(part.plots) for part in [*sections["Data quality"], *sections["Features"]]] == [[], ["other"]]
