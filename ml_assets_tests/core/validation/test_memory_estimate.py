"""A row takes more memory the more columns it has, and text more than numbers."""

from ml_assets.core.validation.memory_estimate import bytes_per_row
from ml_assets_tests.conftest import SMALL


def test_text_takes_more_than_numbers(make_spec):
    columns = {**SMALL["columns"], "more": {"type": "number"}}
    number, text = make_spec(columns=columns), make_spec(columns={**columns, "more": {"type": "string"}})
    assert bytes_per_row(text) > bytes_per_row(number) > bytes_per_row(make_spec())
