"""Columns of a specification and of its table are compared without regard to upper and lower case."""

import pyarrow as pa
import pytest

from ml_assets.resources.lake.schema_changes import compare_schemas

TABLE = pa.schema([("day", pa.date32()), ("a", pa.int64()), ("B", pa.string())])


@pytest.mark.parametrize(
    ("specified", "missing", "dropped", "replaced"),
    [
        ([("day", pa.date32()), ("a", pa.int64()), ("B", pa.string())], [], [], {}),
        ([("B", pa.string()), ("a", pa.int64()), ("day", pa.date32())], [], [], {}),
        ([("day", pa.date32()), ("a", pa.int64()), ("c", pa.string())], ["c"], ["B"], {}),
        ([("day", pa.date32()), ("a", pa.float64()), ("B", pa.string())], [], [], {"a": "a"}),
        ([("day", pa.date32()), ("a", pa.int64()), ("b", pa.string())], [], [], {"b": "B"}),
        ([("day", pa.date32()), ("A", pa.string())], [], ["B"], {"A": "a"}),
    ],
)
def test_columns_are_missing_dropped_or_replaced(specified, missing, dropped, replaced):
    change = compare_schemas(pa.schema(specified), TABLE)
    assert [field.name for field in change.missing] == missing
    assert [field.name for field in change.dropped] == dropped
    assert {name: field.name for name, field in change.replaced.items()} == replaced
