"""Names of columns, and the columns that have a role."""

import pytest

from ml_assets_tests.support.changed_spec import assert_refused


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("columns.Earlier_Rows", {"type": "number"}, "the pipeline reserves names"),
        ("columns.score", {"type": "number"}, "the pipeline reserves names"),
        (
            "columns.event_day",
            {"type": "number"},
            "side, reasons, earlier_rows; rename",
        ),
        ("columns.Day", {"type": "number"}, "the pipeline reserves names"),
        ("columns.Amount", {"type": "number"}, "columns.Amount: it differs from amount only in upper and lower case"),
        ("columns.day", {"type": "number"}, "columns.day: the pipeline reserves names"),
        ("columns.Score", {"type": "number"}, "columns.Score: the pipeline reserves names"),
        ("columns._source_file", {"type": "string"}, "columns._source_file: the pipeline reserves names"),
        ("columns.__index_level_0__", {"type": "integer"}, "the pipeline reserves names that begin with _"),
        ("columns. amount", {"type": "number"}, "' amount' has white space around it"),
        (
            "columns.a\u200bb",
            {"type": "number"},
            "u200bb' has white space around it, or contains an invisible character",
        ),
        ("columns. ", {"type": "number"}, "is not a valid name"),
        ("columns.AMOUNT_mean_by_card_1d", {"type": "number"}, "which is the name of a column"),
        (
            "columns.again",
            {"type": "number", "source": "amount"},
            "its own source in the files; used more than once: amount",
        ),
        ("columns.id.nullable", True, "nullable"),
        ("row_key", ["id", "id"], "row_key: named more than once: id"),
        ("evaluation.slices", ["card", "card"], "evaluation.slices: named more than once: card"),
        ("row_key", ["nothing"], "there is no column nothing"),
        ("event_time", "amount", "must be a timestamp"),
        ("entity", "nobody", "there is no column nobody"),
        ("evaluation.slices", ["nothing"], "there is no column nothing"),
    ],
)
def test_a_column_that_tables_cannot_have_or_that_does_not_fit_its_role_is_refused(small, path, value, reason):
    assert_refused(small, path, value, reason)


@pytest.mark.parametrize(("first", "second"), [("caf\u00e9", "cafe\u0301"), ("cafe\u0301", "CAF\u00c9")])
def test_two_columns_that_differ_by_unicode_form_only_are_refused(small, first, second):
    small["columns"][first] = {"type": "number"}
    assert_refused(small, f"columns.{second}", {"type": "number"}, "of another column in another Unicode form")
