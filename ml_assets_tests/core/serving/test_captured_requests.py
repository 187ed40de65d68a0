"""Served requests become rows: typed, hashed where asked for, by the local day of their event."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.serving.captured_requests import NoHashKey, RequestColumns, hash_value, join_segments
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.core.serving.request_cases import MOMENT, request, spec_with


def table_of(columns: RequestColumns, *requests) -> pa.Table:
    return pa.Table.from_batches([columns.batch(requests)])


def test_a_row_has_what_was_asked_used_and_answered():
    (row,) = table_of(RequestColumns(spec_with(), None), request(1)).to_pylist()
    assert row == {
        "request_id": "r1",
        "not_kept": None,
        "segment": None,
        "served_at": MOMENT.replace(second=1),
        "id": 1,
        "event_time": MOMENT,
        "card": "card-1",
        "amount": 6.0,
        "count_by_card_1d": 2.0,
        "amount_mean_by_card_1d": None,
        "score": 0.25,
        "decision": False,
        "model_version": 3,
        "side": "champion",
        "features_through": date(2025, 1, 9),
    }


def test_hashed_columns_have_equal_hashes_for_equal_values_only_under_one_key():
    spec = spec_with(hashed=["card"], leave_out=["amount"])
    rows = table_of(RequestColumns(spec, "key"), request(1), request(2), request(1), request(3, card=None)).to_pydict()
    first, second, third, missing = rows["card"]
    assert first == third == hash_value(b"key", "card-1") != second
    assert len(first) == 32
    assert missing is None
    assert "amount" not in rows
    assert hash_value(b"other", "card-1") != first


def test_columns_cannot_be_hashed_without_a_key():
    with pytest.raises(NoHashKey, match=r"deployment.capture.hashed: card .* set ML_ASSETS_CAPTURE_KEY"):
        RequestColumns(spec_with(hashed=["card"]), None)


def test_a_day_is_that_of_the_event_on_the_clocks_of_the_source():
    zone = {"source": {**SMALL["source"], "time_zone": "Asia/Tokyo"}, "deployment": {"capture": {}}}
    columns = RequestColumns(ModelSpec.model_validate({**SMALL, **zone}), None)
    late = datetime(2025, 1, 10, 15, tzinfo=UTC)
    rows = table_of(columns, request(1), request(2, event_time=late), request(3))
    assert {day: part["id"].to_pylist() for day, part in columns.by_day(rows)} == {
        date(2025, 1, 10): [1, 3],
        date(2025, 1, 11): [2],
    }


def test_segments_of_earlier_specifications_are_fitted_and_ordered_by_their_answers():
    columns = RequestColumns(spec_with(), None)
    rows = table_of(columns, request(2), request(1))
    earlier = rows.drop_columns(["amount"]).set_column(rows.schema.get_field_index("id"), "id", pa.array(["a", "b"]))
    joined = join_segments(columns.schema, [], {"a": rows, "b": earlier})
    assert joined.schema == columns.schema
    assert joined["request_id"].to_pylist() == ["r1", "r1", "r2", "r2"]
    assert sorted(joined["id"].to_pylist(), key=str) == [1, 2, None, None]
    assert joined["amount"].null_count == 2
    assert sorted(joined["not_kept"].to_pylist(), key=str) == [None, None, "id,amount", "id,amount"]
    assert {(row["segment"], row["not_kept"]) for row in joined.to_pylist()} == {("a", None), ("b", "id,amount")}
    assert join_segments(columns.schema, [], {}).num_rows == 0


def test_values_from_before_a_column_was_hashed_do_not_come_into_the_table():
    clear, hashed = RequestColumns(spec_with(), None), RequestColumns(spec_with(hashed=["card"]), "key")
    parts = {"a": table_of(clear, request(1)), "b": table_of(hashed, request(2))}
    joined = join_segments(hashed.schema, ["card"], parts)
    assert joined["card"].to_pylist() == [None, hash_value(b"key", "card-2")]
    assert joined["not_kept"].to_pylist() == ["card", None]
    assert join_segments(clear.schema, [], parts)["card"].to_pylist() == ["card-1", None]


def test_rows_of_removed_segments_stay_without_values_that_are_hashed_now():
    clear, hashed = RequestColumns(spec_with(), None), RequestColumns(spec_with(hashed=["card"]), "key")
    before = join_segments(clear.schema, [], {"a": table_of(clear, request(1))})
    again = join_segments(clear.schema, [], {"b": table_of(clear, request(2))}, before)
    assert {row["segment"]: row["card"] for row in again.to_pylist()} == {"a": "card-1", "b": "card-2"}
    assert join_segments(hashed.schema, ["card"], {}, before)["card"].to_pylist() == [None]
    committed = join_segments(hashed.schema, ["card"], {"c": table_of(hashed, request(3))})
    assert join_segments(hashed.schema, ["card"], {}, committed).equals(committed)
