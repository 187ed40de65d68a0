"""The dialect of CSV files refuses what could not be read exactly."""

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed
from ml_assets.core.model_spec.types.csv_dialect import CsvDialect


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("delimiter", "", "must be one ASCII character"),
        ("delimiter", ";;", "must be one ASCII character"),
        ("delimiter", "\u00a7", "must be one ASCII character"),
        ("delimiter", "\n", "must be one ASCII character"),
        ("delimiter", "\\t", 'write a tab as "\\t", in double quotes'),
        ("quote", ",", "delimiter, quote and escape must be different characters"),
        ("escape", '"', "a doubled quote needs no escape"),
        ("decimal", ";", "Input should be '.' or ','"),
        ("encoding", "latin-17", "'latin-17' is not an encoding of text"),
        ("encoding", "base64", "'base64' is not an encoding of text"),
        ("skip_lines", -1, "greater than or equal to 0"),
        ("null_values", ["a,b"], "'a,b' contains ','; state how it is written"),
        ("seperator", ";", "Extra inputs are not permitted"),
    ],
)
def test_a_dialect_that_cannot_be_read_is_refused(field, value, message):
    with pytest.raises(ValidationError) as refusal:
        CsvDialect.model_validate({field: value})
    assert message in str(refusal.value)


@pytest.mark.parametrize(("dialect", "delimiter"), [(None, ";"), ({"delimiter": "|"}, "|")])
def test_label_files_have_the_dialect_of_the_source_or_one_of_their_own(small, dialect, delimiter):
    small["source"]["csv"] = {"delimiter": ";"}
    small["labels"] = {"files": "labels/{day}/*", "key": ["id"], "csv": dialect}
    feed = labels_feed(ModelSpec.model_validate(small))
    assert feed is not None
    assert feed.source.csv.delimiter == delimiter
