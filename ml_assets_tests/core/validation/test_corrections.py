"""Corrections replace landed rows, the latest one wins, and none ever replaces another row."""

import json
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.ingestion.file_reader import read_landed_file
from ml_assets.core.model_spec.file_feed import Feed, rows_feed
from ml_assets.core.tables.schemas import SOURCE_FILE, SOURCE_ROW, UNREADABLE
from ml_assets.core.validation.corrections import (
    Correction,
    apply_corrections,
    correction_file,
    number_of,
    read_corrections,
    values_of,
)
from ml_assets.core.validation.validate_day import validate_day

DAY = date(2025, 1, 1)
LINES = [
    *(
        {"id": n, "event_time": f"2025-01-01T0{n}:00:00.000001", "card": f"00{n}", "amount": n / 3, "label": 0}
        for n in range(8)
    ),
    {"id": 8, "event_time": "2025-01-01T08:00:00", "card": "c", "amount": "12,5", "label": 1},
    "no row at all",
]


@pytest.fixture
def feed(make_spec) -> Feed:
    return rows_feed(make_spec())


def raw_rows(feed: Feed, lines: list) -> pa.Table:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    rows = read_landed_file(feed, "a.jsonl", text.encode()).rows
    assert rows is not None
    return rows


@pytest.fixture
def raw(feed) -> pa.Table:
    """Ten rows: eight good ones, one with an amount that cannot be read, and a line that is no row."""
    return raw_rows(feed, LINES)


def correction(feed: Feed, raw: pa.Table, row: int, **values: object) -> Correction:
    before = values_of(feed, raw.slice(row, 1))[0]
    return Correction(("a.jsonl", row), {**{name: before[name] for name in feed.columns}, **values}, before, ("", 0))


def files(*groups: list[Correction]) -> dict[str, bytes]:
    return {
        f"small/corrections/2025-01-01/{name}": content
        for name, content in (correction_file(n, g) for n, g in enumerate(groups, start=1))
    }


def test_values_read_back_as_the_same_rows(feed, raw):
    values = values_of(feed, raw)
    assert values[8] == {"id": 8, "event_time": "2025-01-01T08:00:00+00:00", "card": "c", "amount": "12,5", "label": 1}
    assert values[9]["_line"] == "no row at all"
    assert raw_rows(feed, values[:9]).equals(raw.slice(0, 9))


def test_a_corrected_row_replaces_the_landed_one_with_its_own_provenance(feed, raw):
    delivered = files([correction(feed, raw, 8, amount=12.5)])
    day = apply_corrections(feed, raw, read_corrections(delivered).values())
    assert (day.applied, day.outdated, day.rows.num_rows) == (1, 0, 10)
    row = day.rows.slice(9, 1).to_pylist()[0]
    assert (row["amount"], row[UNREADABLE], row[SOURCE_FILE], row[SOURCE_ROW]) == (12.5, None, next(iter(delivered)), 0)
    assert ("a.jsonl", 8) not in list(
        zip(day.rows[SOURCE_FILE].to_pylist(), day.rows[SOURCE_ROW].to_pylist(), strict=True)
    )


def test_a_line_that_is_no_row_can_be_corrected(feed, raw):
    corrected = correction(feed, raw, 9, id=9, event_time="2025-01-01 09:00", card="009", amount=1, label=0)
    rows = apply_corrections(feed, raw, read_corrections(files([corrected])).values()).rows
    assert (
        validate_day(feed, DAY, rows, pa.table({"key": ["a.jsonl"], "rows": [10], "fault": [None]}))
        .accepted["card"]
        .to_pylist()[-1]
        == "009"
    )


def test_a_corrected_row_is_validated_by_the_same_contract(feed, raw):
    rows = apply_corrections(feed, raw, read_corrections(files([correction(feed, raw, 8, amount=-1)])).values()).rows
    entries = validate_day(
        feed, DAY, rows, pa.table({"key": ["a.jsonl"], "rows": [10], "fault": [None]})
    ).quarantined.to_pylist()
    assert ["amount: less than minimum 0"] in [entry["reasons"] for entry in entries]


def test_the_latest_correction_wins_also_if_it_names_the_corrected_row(feed, raw):
    first, second = [correction(feed, raw, 8, amount=1.0)], [correction(feed, raw, 8, amount=2.0)]
    delivered = files(first, second)
    assert [corrected.values["amount"] for corrected in read_corrections(delivered).values()] == [2.0]
    of_corrected = Correction((max(delivered), 0), {**second[0].values, "amount": 3.0}, second[0].replaced, ("", 0))
    delivered = files(first, second, [of_corrected])
    (corrected,) = read_corrections(dict(reversed(delivered.items()))).values()
    assert (corrected.values["amount"], corrected.landed) == (3.0, ("a.jsonl", 8))
    assert [number_of(key) for key in delivered] == [1, 2, 3]


def test_a_correction_never_replaces_another_row_of_a_rewritten_file(feed, raw):
    corrected = correction(feed, raw, 8, amount=12.5)
    shifted = raw_rows(feed, LINES[1:])
    for rows, outdated in [
        (shifted, 1),
        (raw.slice(0, 5), 1),
        (raw_rows(feed, [*LINES[:8], {**LINES[8], "card": "d"}]), 1),
        (raw, 0),
    ]:
        day = apply_corrections(feed, rows, read_corrections(files([corrected])).values())
        assert (day.applied, day.outdated) == (1 - outdated, outdated)
        assert outdated == 0 or day.rows.equals(rows)


def test_a_column_that_was_added_later_has_the_value_of_the_landed_row(make_spec, feed, raw):
    delivered = files([correction(feed, raw, 3, amount=5)])
    columns = {**make_spec().model_dump(mode="json")["columns"], "shop": {"type": "string"}}
    wider = rows_feed(make_spec(columns=columns))
    rows = raw_rows(wider, [{**line, "shop": "s1"} for line in LINES[:8] if isinstance(line, dict)])
    day = apply_corrections(wider, rows, read_corrections(delivered).values())
    assert day.rows.slice(7, 1).select(["amount", "shop"]).to_pylist() == [{"amount": 5.0, "shop": "s1"}]


def test_corrections_do_not_use_the_names_of_the_source(make_spec, raw, feed):
    columns = make_spec().model_dump(mode="json")["columns"]
    renamed = rows_feed(make_spec(columns={**columns, "amount": {"type": "number", "source": "Betrag"}}))
    day = apply_corrections(renamed, raw, read_corrections(files([correction(feed, raw, 8, amount=7)])).values())
    assert day.rows["amount"].to_pylist()[-1] == 7.0


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_any_text_survives_in_a_correction_file(texts):
    built = [Correction((text, n), {"card": text}, {"card": text}, ("", 0)) for n, text in enumerate(texts)]
    result = read_corrections(dict([correction_file(1, built)]))
    assert [(corrected.landed, corrected.values, corrected.replaced) for corrected in result.values()] == [
        (corrected.landed, corrected.values, corrected.replaced) for corrected in built
    ]
