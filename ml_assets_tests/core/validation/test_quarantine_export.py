"""The export has the rows that need a correction, with their original text."""

import io
import json
from datetime import date

import pyarrow as pa
import pyarrow.csv as pa_csv
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.ingestion.file_reader import read_landed_file
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.core.validation.correction_file import read_repair_file
from ml_assets.core.validation.corrections import values_of
from ml_assets.core.validation.quarantine_export import export_schema, rows_to_correct
from ml_assets.core.validation.validate_day import validate_day
from ml_assets_tests.conftest import SMALL

DAY = date(2025, 1, 1)
FEED = rows_feed(ModelSpec.model_validate(SMALL))


def exported(lines: list[str]) -> tuple[pa.Table, pa.Table]:
    raw = read_landed_file(FEED, "a.jsonl", "\n".join(lines).encode()).rows
    assert raw is not None
    objects = pa.table({"key": ["a.jsonl"], "rows": [raw.num_rows], "fault": pa.array([None], pa.string())})
    return raw, rows_to_correct(FEED, DAY, raw, validate_day(FEED, DAY, raw, objects).quarantined)


def line(number: int, amount: object = 1, card: str = "c") -> str:
    return json.dumps({"id": number, "event_time": "2025-01-01 10:00", "card": card, "amount": amount, "label": 0})


def test_invalid_rows_are_exported_with_their_reasons_and_original_text():
    _, table = exported([line(1), line(2, "12,5 €"), line(3, -1), "torn {", line(1)])
    assert table.schema == export_schema(FEED)
    records = table.to_pylist()
    assert [(record["_source_row"], record["_reasons"]) for record in records] == [
        ("1", "amount: cannot be read"),
        ("2", "amount: less than minimum 0"),
        ("4", "the line is no row"),
    ]
    assert (records[0]["amount"], records[1]["amount"], records[2]["_line"]) == ("12,5 €", "-1.0", "torn {")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), min_size=1, max_size=4))
def test_text_comes_back_through_csv_as_it_landed(texts):
    lines = [line(number, -1, f'00{number}"{text},') for number, text in enumerate(texts)]
    raw, table = exported(lines)
    out = io.BytesIO()
    pa_csv.write_csv(table, out, pa_csv.WriteOptions(quoting_style="all_valid"))
    read = read_repair_file(FEED, "a.csv", out.getvalue())
    assert [dict(row.values) for row in read] == values_of(FEED, raw)
