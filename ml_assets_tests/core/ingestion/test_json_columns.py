"""Only the needed columns of JSON are kept, and rows of several blocks are the rows of one."""

from ml_assets.core.ingestion.json_columns import JsonColumns
from ml_assets.core.ingestion.json_lines import parse_json_lines
from ml_assets.core.ingestion.json_reader import loads


def test_only_the_needed_columns_of_json_are_kept():
    lines = b"\n".join(
        b'{"id": %d, ' % row + b", ".join(b'"k%d_%d": 1' % (row, key) for key in range(2000)) + b', "id": 9}'
        for row in range(4)
    )
    file = parse_json_lines(lines, {"id"})
    assert file.table.column_names == ["id"]
    assert file.unreadable["id"].to_pylist() == ["0 and 9", "1 and 9", "2 and 9", "3 and 9"]
    assert len(file.columns) == 8001


def test_a_column_is_null_in_the_blocks_that_lack_it():
    columns = JsonColumns({"a", "b"})
    for block in (['{"a": 1, "c": 2}', "{}"], [], ['{"b": 1e2, "a": Infinity}']):
        columns.add([loads(line) for line in block])
    texts, unreadable, integers = columns.collect()
    assert {name: column.to_pylist() for name, column in texts.items()} == {
        "a": ["1", None, None],
        "b": [None, None, "1e2"],
    }
    assert {name: column.to_pylist() for name, column in unreadable.items()} == {"a": [None, None, "Infinity"]}
    assert {name: column.to_pylist() for name, column in integers.items()} == {"b": [None, None, "100"]}
    assert (columns.rows, list(columns.names)) == (3, ["a", "c", "b"])
