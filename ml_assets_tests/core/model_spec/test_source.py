"""Files, columns and quality limits that make no sense are refused."""

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.support.changed_spec import assert_refused, change


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("source.files", "files/*.csv", "must contain {day}"),
        ("source.files", "../{day}.csv", "stay inside"),
        ("source.files", r"small\{day}\*.csv", "must separate folders by /"),
        ("source.files", "{day:%Y/%m}/x.csv", "%Y, %m and %d"),
        ("source.files", "{day}/x.txt", "no file of a known format .* .parquet, .csv, .jsonl, .csv.gz, .jsonl.gz"),
        ("source.files", "{day}/*.zip", "no file of a known format"),
        ("source.files", "{day}", "no file of a known format"),
        ("source.files", "{day:%Y/%m/%d}", "no file of a known format"),
        ("source.files", "{day}/", "no file of a known format"),
        ("source.time_zone", "Mars/Olympus", "not an IANA time zone"),
        ("source.end", "2024-12-31", "before start"),
        ("columns.amount.maximum", -1, "above maximum"),
        ("columns.card.minimum", 1, "not for string"),
        ("columns.amount.pattern", "x", "pattern is for string"),
        ("columns.card.pattern", "(", "not a regular expression"),
        (
            "columns.card.allowed",
            ["a", True],
            "True is of type boolean, but the column is of type string; YAML reads yes, no",
        ),
        ("columns.card.allowed", [1], "1 is of type integer, but the column is of type string"),
        ("columns.id.allowed", [True], "True is of type boolean, but the column is of type integer"),
        ("columns.id.allowed", [1.5], "1.5 is of type number, but the column is of type integer"),
        ("columns.id.allowed", ["1"], "'1' is of type string, but the column is of type integer"),
        ("columns.amount.allowed", ["1"], "'1' is of type string, but the column is of type number"),
        ("columns.amount.allowed", [True], "True is of type boolean, but the column is of type number"),
        (
            "columns.label",
            {"type": "boolean", "allowed": [0, 1]},
            "0 is of type integer, but the column is of type boolean",
        ),
        ("columns.label.allowed", [False, True], "False is of type boolean, but the column is of type integer"),
        ("columns.event_time.allowed", ["2025-01-01"], "not for timestamp"),
        ("quality.max_bad_share", 2, "less than or equal to 1"),
        ("quality", {"min_rows": 5, "max_rows": 2}, "below min_rows"),
    ],
)
def test_a_source_that_makes_no_sense_is_refused_with_the_reason(small, path, value, reason):
    assert_refused(small, path, value, reason)


@pytest.mark.parametrize(
    ("type_", "allowed"),
    [
        ("integer", [0, 1]),
        ("number", [1, 2.5]),
        ("string", ["a", "1"]),
        ("boolean", [True, False]),
        ("string", ["yes"]),
    ],
)
def test_allowed_values_keep_their_types(small, type_, allowed):
    column = ModelSpec.model_validate(change(small, "columns.extra", {"type": type_, "allowed": allowed})).columns[
        "extra"
    ]
    for read in (column, type(column).model_validate_json(column.model_dump_json())):
        assert [(value, type(value)) for value in read.allowed] == [(value, type(value)) for value in allowed]


@pytest.mark.parametrize(
    "files",
    [
        "{day}/*",
        "{day}.*",
        "{day}/*.csv",
        "x_{day}.CSV",
        "{day}/*.jsonl.gz",
        "{day:%Y/%m/%d}/part-?.parquet",
        "{day}/*.???",
        "{day:%Y%m%d.csv}",
        "{day}.csv*",
    ],
)
def test_file_patterns_that_can_match_a_known_format_are_accepted(small, files):
    assert ModelSpec.model_validate(change(small, "source.files", files)).source.files == files
