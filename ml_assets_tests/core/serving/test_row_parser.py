"""A JSON value is parsed as in a landed file of JSON lines: to the same value, or with the same reason."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ml_assets.core.ingestion.file_reader import read_landed_file
from ml_assets.core.ingestion.json_reader import loads
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import rows_feed
from ml_assets.core.serving.row_parser import InvalidValue, convert_together, may_be_missing, reader_of
from ml_assets.core.tables.schemas import to_pandas
from ml_assets.core.validation.contract import find_violations
from ml_assets_tests.core.features.feature_cases import spec_with

pytestmark = pytest.mark.clock

COLUMNS = {
    "whole": {"type": "integer", "minimum": -3, "maximum": 9e15},
    "plain_whole": {"type": "integer", "nullable": True},
    "part": {"type": "number", "minimum": 0, "severity": {"minimum": "warn"}, "maximum": 1e6},
    "kind": {"type": "integer", "allowed": [0, 1, 2], "severity": {"missing": "warn"}},
    "word": {"type": "string", "pattern": "(?i)[a-z{}ü ]+"},
    "name": {"type": "string", "nullable": True},
    "flag": {"type": "boolean", "allowed": [True], "nullable": True},
    "when": {"type": "timestamp", "nullable": True},
}
TEXTS = (
    st.sampled_from(
        [
            "",
            " ",
            " 7 ",
            "+5",
            "4.0",
            "1e3",
            "-0",
            "1_000",
            "\u0661",
            "true",
            "FALSE",
            "0",
            "nan",
            "inf",
            "a b",
            "Ü",
            " é",
            "\u2028x",
            "x\x1f",
            "{}",
            "[1]",
            "\ud800",
        ]
    )
    | st.text(max_size=6)
    | st.text(st.characters(), max_size=3)
)
TIMES = st.sampled_from(
    [
        "2025-01-10 01:02:03",
        "2025-01-10T01:02:03.5+02:00",
        "2025-01-10T01:02:03.123456789Z",
        "2025-03-30 02:30:00",
        "2025-10-26 02:30:00",
        "2025-10-26T02:30:00+01:00",
        "2025-01-10",
        "20250110",
        "2025-01-10T01:02",
        "2025-01-10T24:00:00",
        "2025-02-30 00:00:00",
        "2025-01-10 01:02:03 +02",
        "1700-01-01 00:00:00",
        "9999-12-31T23:59:59Z",
        "10/01/2025",
        "noon",
        "2060-07-01 12:00:00",
        "0001-01-01 00:00:00",
        "0001-01-01T00:00:00+02:00",
        "9999-12-31 23:59:59",
        "9999-12-31T23:59:59-01:00",
        "0000-01-01",
    ]
) | st.datetimes().map(lambda time: time.isoformat(" "))
NUMBERS = st.integers(-(2**70), 2**70) | st.integers(-5, 5) | st.floats() | st.floats(-10, 2e6)
VALUES = (
    st.none()
    | st.booleans()
    | NUMBERS
    | TEXTS
    | TIMES
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(TEXTS, st.integers(), max_size=1)
)


def spec_of(time_zone: str = "UTC") -> ModelSpec:
    base = spec_with({"kind": "column", "columns": ["part"]}, time_zone=time_zone, columns={**NEEDED, **COLUMNS})
    return base


NEEDED = {
    "id": {"type": "integer"},
    "time": {"type": "timestamp"},
    "label": {"type": "integer", "allowed": [0, 1], "nullable": True},
}
SPECS = {zone: spec_of(zone) for zone in ("UTC", "Europe/Brussels")}
READERS = {(zone, name): reader_of(rows_feed(spec), name) for zone, spec in SPECS.items() for name in COLUMNS}


def in_a_file(spec: ModelSpec, name: str, value: object) -> tuple[Any, set[str]]:
    """The value as the batch has it, and the rules of severity error that it breaks."""
    line = json.dumps({"id": 1, "time": "2025-01-10 00:00:00", name: value}).encode()
    table = read_landed_file(rows_feed(spec), "rows.jsonl", line).rows
    assert table is not None
    rows = to_pandas(table)
    broken = find_violations(spec, rows, rows["id"] == 1)
    of_column = broken[(broken["column"] == name) & (broken["severity"] == "error")]
    return table[name].to_pylist()[0], set(of_column["rule"].astype(str))


@pytest.mark.parametrize("zone", list(SPECS))
@pytest.mark.parametrize("name", list(COLUMNS))
@given(VALUES)
@example(float("nan"))
def test_a_value_is_read_as_in_a_landed_file(zone, name, value):
    expected, rules = in_a_file(SPECS[zone], name, value)
    parsed = loads(json.dumps(value))
    if rules:
        with pytest.raises(InvalidValue) as refused:
            READERS[zone, name](parsed)
        assert any(str(refused.value).startswith(rule) for rule in rules)
    else:
        result = READERS[zone, name](parsed)
        assert (result, type(result)) == (expected, type(expected))


def test_the_reason_names_the_rule_in_the_words_of_quarantine():
    with pytest.raises(InvalidValue, match=r"^less than minimum -3$") as refused:
        READERS["UTC", "whole"](-4)
    assert refused.value.rule == "minimum"
    with pytest.raises(InvalidValue, match=r"^cannot be read as timestamp$"):
        READERS["UTC", "when"]("noon")


def test_a_value_may_be_missing_where_the_batch_publishes_the_row():
    columns = SPECS["UTC"].columns
    assert [name for name in COLUMNS if may_be_missing(columns[name])] == [
        "plain_whole",
        "kind",
        "name",
        "flag",
        "when",
    ]


@pytest.mark.parametrize("name", list(COLUMNS))
@given(st.lists(VALUES, max_size=6))
def test_values_that_are_converted_together_are_read_as_if_alone(name, values):
    parsed = [loads(json.dumps(value)) for value in values]
    kind, zone = SPECS["UTC"].columns[name].type, "Europe/Brussels"
    together = convert_together(parsed, kind, zone)
    assert [outcome(name, zone, value) for value in together] == [outcome(name, zone, value) for value in parsed]


def outcome(name: str, zone: str, value: object) -> object:
    try:
        return READERS[zone, name](value)
    except InvalidValue as error:
        return error.rule, error.reason
