"""Descriptions of columns are whole phrases, and the same column says the same everywhere."""

import pytest

from ml_assets.core.tables import column_descriptions

TABLES = {name: value for name, value in vars(column_descriptions).items() if name.isupper() and name[0] != "_"}


@pytest.mark.parametrize("table", TABLES)
def test_every_description_is_a_phrase_without_a_full_stop(table):
    assert all(len(text.split()) > 1 or text for text in TABLES[table].values())
    assert not [text for text in TABLES[table].values() if text.endswith(".")]
