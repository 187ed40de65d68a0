"""Files with errors are read too, and errors are returned as values."""

import base64
import bz2
import gzip
import io
import json
import lzma
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as encryption
import pytest

from ml_assets.core.ingestion.file_reader import read_landed_file
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed

CSV = b"id,event_time,card,amount,label,comment\n1,2025-01-01 10:00:00,A,1.5,0,hello\n2,2025-01-01 11:00:00,B,x,1,\n"


def parquet(**columns) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


class PlainKeys(encryption.KmsClient):
    """Keys that nothing protects."""

    def wrap_key(self, key: bytes, _: str) -> str:
        return base64.b64encode(key).decode()


def encrypted_parquet(plaintext_footer: bool) -> bytes:
    sink, table = io.BytesIO(), pa.table({"id": [1]})
    properties = encryption.CryptoFactory(lambda _: PlainKeys()).file_encryption_properties(
        encryption.KmsConnectionConfig(),
        encryption.EncryptionConfiguration(
            footer_key="footer", column_keys={"column": ["id"]}, plaintext_footer=plaintext_footer
        ),
    )
    with pq.ParquetWriter(sink, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
    return sink.getvalue()


def test_the_three_formats_give_the_same_rows(make_spec):
    spec = make_spec()
    rows = [{"id": 1, "event_time": "2025-01-01T10:00:00", "card": "A", "amount": 1.5, "label": 0}]
    times = pa.array([datetime(2025, 1, 1, 10)])
    files = {
        "a.csv": b"id,event_time,card,amount,label\n1,2025-01-01 10:00:00,A,1.5,0\n",
        "a.csv.gz": gzip.compress(b"id,event_time,card,amount,label\n1,2025-01-01 10:00:00,A,1.5,0\n"),
        "a.jsonl": "\n".join(json.dumps(row) for row in rows).encode(),
        "a.parquet": parquet(id=[1], event_time=times, card=["A"], amount=[1.5], label=[0]),
    }
    for key, content in files.items():
        file = read_landed_file(spec, key, content)
        assert file.fault is None, key
        assert file.rows is not None
        expected = {
            **rows[0],
            "event_time": datetime(2025, 1, 1, 10, tzinfo=UTC),
            "_source_file": key,
            "_source_row": 0,
            "_unreadable_values": None,
        }
        assert file.rows.to_pylist() == [expected]


def test_columns_are_renamed_and_others_left_out(make_spec, small):
    small["columns"]["amount"]["source"] = "comment"
    file = read_landed_file(make_spec(columns=small["columns"]), "a.csv", CSV)
    assert file.rows is not None
    assert file.rows["amount"].to_pylist() == [None, None]
    assert "comment" not in file.rows.column_names


def test_a_value_that_cannot_be_read_keeps_its_text(make_spec):
    rows = read_landed_file(make_spec(), "a.csv", CSV).rows
    assert rows is not None
    assert rows["amount"].to_pylist() == [1.5, None]
    assert rows["_unreadable_values"].to_pylist() == [None, '{"amount": "x"}']


def test_a_missing_column_is_a_fault_of_the_file_that_names_it(make_spec):
    file = read_landed_file(make_spec(), "a.csv", b"id,event_time,card,label\n1,2025-01-01 10:00:00,A,0\n")
    assert file.fault == "column missing: amount; the file has id, event_time, card, label"
    assert file.rows is not None
    assert file.rows["_unreadable_values"].to_pylist() == ['{"amount": "column missing in file"}']


@pytest.mark.parametrize(
    ("key", "content", "fault"),
    [
        ("a.csv", b"id,event_time,card,label\n1,2025-01-01 10:00:00,A,0\n", "column missing: amount; the file has"),
        ("a.jsonl", b'{"id": 1, "event_time": "2025-01-01 10:00:00", "card": "A", "label": 0}\n', None),
    ],
)
def test_a_missing_column_that_may_be_empty_is_empty_and_may_be_left_out_in_json(make_spec, small, key, content, fault):
    small["columns"]["amount"]["nullable"] = True
    file = read_landed_file(make_spec(columns=small["columns"]), key, content)
    assert file.rows is not None
    assert file.rows["_unreadable_values"].to_pylist() == [None]
    assert (file.fault or "").startswith(fault) if fault else file.fault is None


@pytest.mark.parametrize(
    ("key", "content"), [("a.csv", CSV + b"3,too,few\n"), ("a.jsonl", b'{"id": 1}\n{"id": 2}\n[3, "too"\n')]
)
def test_lines_that_are_not_rows_are_kept(make_spec, key, content):
    file = read_landed_file(make_spec(), key, content)
    assert file.rows is not None
    assert file.rows.num_rows == 3
    assert "too" in file.rows["_unreadable_values"].to_pylist()[2]
    assert "1 line is not a row" in (file.fault or "")


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("a.parquet", parquet(id=list(range(1000)))[:-20]),
        ("a.parquet", b""),
        ("a.csv", "id\n\xe9".encode("latin-1")),
        ("a.csv.gz", b"not gzip"),
        ("a.jsonl", b"\xff\xfe"),
        ("a.xlsx", b"PK"),
        ("a.csv.gz", gzip.compress(CSV, mtime=0)[:10] + b"\xff" * 20),
        ("a.csv.gz", gzip.compress(CSV, mtime=0)[:-12]),
        ("a.jsonl", b"[" * 200_000),
        ("a.jsonl", b'{"id": ' + b"[" * 200_000),
    ],
)
def test_a_file_that_cannot_be_read_has_no_rows_and_a_reason(make_spec, key, content):
    file = read_landed_file(make_spec(), key, content)
    assert file.rows is None
    assert "cannot be read" in (file.fault or "")


@pytest.mark.parametrize(
    ("key", "content", "advice"),
    [
        ("day/rows.csv", gzip.compress(CSV), "it is a gzip file: name it rows.csv.gz"),
        ("rows.parquet", gzip.compress(CSV), "it is a gzip file: name it rows.parquet.gz"),
        ("rows.csv.gz", gzip.compress(gzip.compress(CSV)), "it is packed with gzip twice: pack it once"),
        ("rows.csv.gz", CSV, "it is not a gzip file: name it rows.csv"),
        ("rows.csv", b"PK\x03\x04" + bytes(50), "it is a ZIP archive or an Excel workbook"),
        ("rows.csv.gz", b"PK\x03\x04" + bytes(50), "it is a ZIP archive or an Excel workbook"),
        ("rows.csv", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(50), "it is an Excel workbook: export its table as CSV"),
        ("rows.csv", bytes.fromhex("377abcaf271c") + bytes(50), "it is a 7-Zip archive: unpack it"),
        ("rows.csv", b"<!DOCTYPE html><title>503</title>", "with an error; it begins with '<!DOCTYPE html><title>503"),
        ("rows.parquet", b'<?xml version="1.0"?><Error/>', "it is an HTML page or XML document"),
        ("rows.csv.gz", gzip.compress(CSV, mtime=0)[:-12], "it is a gzip file that is cut off: land it again"),
        ("rows.parquet", parquet(id=[1])[:-8], "it is a Parquet file that is cut off: land it again"),
        ("rows.parquet", CSV, "it is not a Parquet file, and begins with 'id,event_time"),
        ("rows.parquet", b"", "it is a Parquet file that is damaged (Parquet file size is 0 bytes): land it again"),
        ("rows.parquet", b"PAR1" + b"\xff" * 40 + b"PAR1", "it is a Parquet file that is damaged ("),
        ("rows.csv.gz", gzip.compress(CSV) + b"garbage", "it is a gzip file that is damaged: land it again"),
        ("rows.csv.gz", gzip.compress(CSV)[:-8] + bytes(8), "it is a gzip file that is damaged"),
        ("rows.csv", bz2.compress(CSV), "it is a bzip2 file: pack it with gzip instead, or unpack it"),
        ("rows.jsonl", lzma.compress(CSV), "it is an xz file: pack it with gzip instead, or unpack it"),
        ("rows.csv", parquet(id=[1]), "it is a Parquet file: name it rows.parquet"),
        ("rows.parquet.part", parquet(id=[1]), "it is a Parquet file: name it rows.parquet"),
        ("rows.csv", CSV.decode().encode("utf-16"), "set source.csv.encoding to utf-16 or utf-32"),
        ("rows.csv", CSV.decode().encode("utf-16-le"), "set source.csv.encoding to utf-16-le"),
        ("rows.csv", CSV.decode().encode("utf-16-be"), "set source.csv.encoding to utf-16-be"),
        ("rows.jsonl", '{"id": 1}'.encode("utf-16-le"), "JSON lines have to be UTF-8"),
        ("rows.jsonl", b'{"id": 1}'.decode().encode("utf-16"), "JSON lines have to be UTF-8"),
        ("rows.jsonl", b'[\n{"id":\n 1}]', "one JSON array: write one object a line (`jq -c '.[]'`)"),
        ("rows.jsonl", b'{\n"id": 1\n}', "one JSON object: write one object a line (`jq -c .`)"),
        ("rows.parquet", encrypted_parquet(True), "it is an encrypted Parquet file: write it without encryption"),
        ("rows.parquet", encrypted_parquet(False), "it is an encrypted Parquet file: write it without encryption"),
    ],
)
def test_contents_of_another_format_than_the_ending_says_are_named(make_spec, key, content, advice):
    file = read_landed_file(make_spec(), key, content)
    assert file.rows is None
    assert advice in (file.fault or "")


def test_an_array_with_an_object_a_line_is_named(make_spec):
    file = read_landed_file(make_spec(), "a.jsonl", b'[\n {"id": 1},\n {"id": 2}\n]\n')
    assert "3 lines are not rows (the file seems to be one JSON array: write one object a line" in (file.fault or "")


def test_text_that_begins_as_another_format_does_is_read(make_spec):
    assert "its columns are PAR1, BZh9" in (read_landed_file(make_spec(), "a.csv", b"PAR1,BZh9\n1,2\n").fault or "")


@pytest.mark.parametrize("key", ["a.csv", "a.parquet"])
def test_a_column_that_occurs_twice_is_refused_by_name(make_spec, key):
    sink = io.BytesIO()
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["id", "id"]), sink)
    file = read_landed_file(make_spec(), key, b"id,card,id\n1,A,2\n" if key == "a.csv" else sink.getvalue())
    assert file.rows is None
    assert "columns occur more than once: id; land the file" in (file.fault or "")


def test_a_column_that_is_not_read_may_occur_twice(make_spec):
    file = read_landed_file(
        make_spec(), "a.csv", b"id,event_time,card,amount,label,,\n1,2025-01-01 10:00:00,A,1.5,0,,\n"
    )
    assert file.fault is None


def test_a_memory_error_is_raised_and_not_a_fault_of_the_file(make_spec, monkeypatch):
    def no_memory(*_, **__):
        raise pa.ArrowMemoryError("malloc failed")

    monkeypatch.setattr(gzip, "GzipFile", no_memory)
    with pytest.raises(MemoryError):
        read_landed_file(make_spec(), "a.csv.gz", b"")


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\u2029"])
def test_only_line_feeds_end_a_line_of_json(make_spec, mark):
    line = json.dumps(
        {"id": 1, "event_time": "2025-01-01T10:00:00", "card": f"A{mark}B", "amount": 1.5, "label": 0},
        ensure_ascii=False,
    )
    file = read_landed_file(make_spec(), "a.jsonl", f"{line}\r\n{line}\r\n".encode())
    assert file.fault is None
    assert file.rows is not None
    assert file.rows["card"].to_pylist() == [f"A{mark}B"] * 2


def test_a_separator_within_a_broken_line_does_not_split_it(make_spec):
    file = read_landed_file(make_spec(), "a.jsonl", b'{"id": 1}\nno\x1crow\n')
    assert file.rows is not None
    assert json.loads(file.rows["_unreadable_values"].to_pylist()[1]) == {"_line": "no\x1crow"}


def test_rows_without_any_column_are_rows(make_spec):
    file = read_landed_file(make_spec(), "a.jsonl", b"{}\n{}\n")
    assert file.rows is not None
    assert file.rows.num_rows == 2
    assert json.loads(file.rows["_unreadable_values"].to_pylist()[1]) == dict.fromkeys(
        make_spec().columns, "column missing in file"
    )
    assert "the file has none" in (file.fault or "")


def test_true_and_false_of_json_are_read_as_those_of_parquet(make_spec):
    lines = b'{"id": 1, "label": true}\n{"id": 2, "label": false}\n'
    for key, content in [("a.jsonl", lines), ("a.parquet", parquet(id=[1, 2], label=[True, False]))]:
        rows = read_landed_file(make_spec(), key, content).rows
        assert rows is not None
        assert rows["label"].to_pylist() == [1, 0]


NO_ROWS = {
    "header.csv": b"id,event_time,card,amount,label,at",
    "header_and_line_end.csv": b"id,event_time,card,amount,label,at\r\n",
    "nothing.csv": b"",
    "line_end.csv": b"\n",
    "mark.csv": "\ufeff".encode(),
    "nothing.csv.gz": gzip.compress(b""),
    "cut.csv.gz": b"",
    "nothing.jsonl": b"",
    "mark.jsonl": "\ufeff".encode(),
    "line_ends.jsonl.gz": gzip.compress(b"\n\n"),
    "schema.parquet": parquet(
        **dict.fromkeys(["id", "event_time", "card", "amount", "label", "at"], pa.array([], pa.string()))
    ),
}


@pytest.mark.parametrize("key", NO_ROWS)
def test_a_file_without_rows_has_the_same_fault_in_all_formats(make_spec, key):
    file = read_landed_file(make_spec(), key, NO_ROWS[key])
    assert file.fault == "has no rows"
    assert file.rows is not None
    assert file.rows.num_rows == 0


@pytest.mark.parametrize("key", NO_ROWS)
def test_a_label_file_may_have_no_rows(small, key):
    small["labels"] = {"files": "labels/{day}/*", "key": ["id"], "known_at": "at"}
    feed = labels_feed(ModelSpec.model_validate(small))
    assert feed is not None
    file = read_landed_file(feed, key, NO_ROWS[key])
    assert file.fault is None
    assert file.rows is not None
    assert file.rows.num_rows == 0


def test_a_label_file_with_a_header_must_have_its_columns(small):
    small["labels"] = {"files": "labels/{day}/*", "key": ["id"], "known_at": "at"}
    feed = labels_feed(ModelSpec.model_validate(small))
    assert feed is not None
    assert "column missing: known_at (as at)" in (read_landed_file(feed, "a.csv", b"id,label").fault or "")


@pytest.mark.parametrize(
    ("name", "difference"),
    [
        ("amount ", "'amount ' is not amount: it contains U+0020 SPACE"),
        ("amount\u00a0", "'amount\\xa0' is not amount: it contains U+00A0 NO-BREAK SPACE"),
        ("\ufeffamount", "'\\ufeffamount' is not amount: it contains U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("am\u200bount", "'am\\u200bount' is not amount: it contains U+200B ZERO WIDTH SPACE"),
        ("Amount", "'Amount' is not amount: upper and lower case differ"),
        ("\uff41mount", "'\\uff41mount' is not amount: white space, invisible characters or the Unicode form"),
    ],
)
@pytest.mark.parametrize("key", ["a.csv", "a.parquet"])
def test_a_name_that_only_looks_like_a_missing_column_is_described(make_spec, key, name, difference):
    content = parquet(**{name: [1]}) if key == "a.parquet" else f"id,{name}\n1,2\n".encode()
    assert difference in (read_landed_file(make_spec(), key, content).fault or "")


def test_one_byte_order_mark_is_not_part_of_a_name(make_spec):
    header = "id,event_time,card,amount,label"
    assert read_landed_file(make_spec(), "a.csv", f"\ufeff{header}\n".encode()).fault == "has no rows"
    twice = read_landed_file(make_spec(), "a.csv", f"\ufeff\ufeff{header}\n".encode())
    assert "'\\ufeffid' is not id: it contains U+FEFF" in (twice.fault or "")


def test_a_csv_file_is_read_in_the_dialect_of_its_source(make_spec, small):
    small["source"]["csv"] = {"delimiter": ";", "decimal": ",", "encoding": "latin-1", "skip_lines": 1}
    text = (
        "Bank\u00e9\nid;event_time;card;amount;label\n1;2025-01-01 10:00;\u00e9;1,5;0\n2;2025-01-01 10:00;B;1.234,5;0\n"
    )
    file = read_landed_file(make_spec(source=small["source"]), "a.csv", text.encode("latin-1"))
    assert file.fault is None
    assert file.rows is not None
    assert file.rows["card"].to_pylist() == ["\u00e9", "B"]
    assert file.rows["amount"].to_pylist() == [1.5, None]
    assert file.rows["_unreadable_values"].to_pylist() == [None, '{"amount": "1.234,5"}']


def test_the_dialect_of_csv_files_does_not_change_numbers_of_other_formats(make_spec, small):
    small["source"]["csv"] = {"decimal": ","}
    file = read_landed_file(make_spec(source=small["source"]), "a.jsonl", b'{"amount": "1.5"}\n')
    assert file.rows is not None
    assert file.rows["amount"].to_pylist() == [1.5]


def test_a_quote_that_is_never_closed_makes_the_file_unreadable(make_spec):
    file = read_landed_file(make_spec(), "a.csv", CSV.replace(b"hello", b'"5 inch'))
    assert file.rows is None
    assert "the quote that opens in line 2 is never closed" in (file.fault or "")


def test_columns_that_the_contract_does_not_name_are_listed_by_their_names_in_the_file(make_spec, small):
    small["columns"]["amount"]["source"] = "Amount"
    spec = make_spec(columns=small["columns"])
    names = {"id": [1], "zip": [2], "amount": [3.0], "card": ["A"]}
    assert read_landed_file(spec, "a.parquet", parquet(**names)).other_columns == ["amount", "zip"]
    assert read_landed_file(spec, "a.csv", b"id,zip,amount,card\n1,2,3,A\n").other_columns == ["amount", "zip"]
    assert read_landed_file(spec, "a.parquet", b"torn").other_columns is None
