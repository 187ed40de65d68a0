"""Arrow schemas follow the specification, and frames keep their types where values are missing."""

import pandas as pd
import pyarrow as pa

from ml_assets.core.tables import schemas


def test_each_table_has_the_columns_of_the_specification(make_spec):
    spec = make_spec()
    assert schemas.row_schema(spec).field("event_time").type == pa.timestamp("us", "UTC")
    assert schemas.raw_schema(spec).names == [
        *schemas.row_schema(spec).names,
        "_source_file",
        "_source_row",
        "_unreadable_values",
    ]
    assert schemas.features_schema(spec).names == [
        "id",
        "event_time",
        "card",
        "label",
        "amount",
        "count_by_card_1d",
        "amount_mean_by_card_1d",
    ]
    assert schemas.evaluation_schema(spec).names == [
        "event_day",
        "id",
        "event_time",
        "card",
        "label",
        "score",
        "decision",
    ]


def test_categories_are_text(make_spec, small):
    small["features"].append({"kind": "categorical", "columns": ["card"]})
    spec = make_spec(features=small["features"], entity=None)
    assert schemas.features_schema(spec).field("card").type == pa.string()


def test_whole_numbers_and_booleans_stay_what_they_are_when_some_are_missing():
    table = pa.table(
        {
            "big": pa.array([2**60 + 1, None]),
            "flag": pa.array([True, None]),
            "whole": pa.array([1, 2]),
            "text": pa.array(["a", None]),
        }
    )
    frame = schemas.to_pandas(table)
    assert frame["big"].tolist()[0] == 2**60 + 1
    assert frame["big"].dtype == pd.Int64Dtype()
    assert frame["flag"].dtype == pd.BooleanDtype()
    assert frame["whole"].dtype == "int64"
    assert frame["text"].tolist() == ["a", None]
