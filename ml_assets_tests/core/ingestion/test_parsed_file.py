"""A file with content but no row of the contract cannot be read, whatever its number of lines."""

import gzip
import json

import pytest

from ml_assets.core.ingestion.file_reader import read_landed_file

PAGES = {
    "html": b'<!DOCTYPE html>\n<html>\n<title>502, Bad Gateway</title>\n<p>nginx, "x"</p></body></html>\n',
    "html in one line": b"<html><body>Service Unavailable</body></html>",
    "xml": b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Key>a,b</Key></Error>',
    "json": json.dumps({"error": {"code": 404, "message": "not found"}}).encode(),
    "json over several lines": json.dumps({"error": "not found"}, indent=2).encode(),
    "text": b"Internal Server Error\n",
}


@pytest.mark.parametrize("ending", ["csv", "jsonl", "csv.gz", "jsonl.gz"])
@pytest.mark.parametrize("name", PAGES)
def test_an_error_page_cannot_be_read_and_is_quoted(make_spec, name, ending):
    content = PAGES[name]
    file = read_landed_file(make_spec(), f"a.{ending}", gzip.compress(content) if ending.endswith("gz") else content)
    assert file.rows is None
    assert "cannot be read" in (file.fault or "")
    assert content.decode().splitlines()[0][:40] in (file.fault or "").replace("\\'", "'")


def test_the_quotation_is_short(make_spec):
    fault = read_landed_file(make_spec(), "a.jsonl", b"<" * 5000).fault
    assert fault is not None
    assert len(fault) < 250
    assert "it contains no rows" in fault


def test_the_first_problem_of_a_csv_file_without_rows_is_named(make_spec):
    fault = read_landed_file(make_spec(), "a.csv", b'id,card\n1, "x"\n').fault
    assert "it contains no rows (line 2: a quote within an unquoted field)" in (fault or "")


def test_a_row_without_names_is_still_a_row(make_spec):
    file = read_landed_file(make_spec(), "a.jsonl", b'{"id": 1}\n{"error": "x"}\n')
    assert file.rows is not None
    assert file.rows.num_rows == 2


@pytest.mark.parametrize("rows", [b"1;c;2.5\n", b"1;c;2,50\n", b'1;"c;d";2,5\n'])
def test_another_delimiter_is_named_whatever_the_rows_contain(make_spec, rows):
    fault = read_landed_file(make_spec(), "a.csv", b"id;card;amount\n" + rows).fault
    assert 'source.csv: {delimiter: ";"}' in (fault or "")
