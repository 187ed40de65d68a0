"""Text takes more memory than numbers and times."""

from ml_assets.core.tables.row_size import NUMBER, TEXT, bytes_of


def test_the_size_of_a_row_is_that_of_its_values():
    assert bytes_of([]) == 0
    assert bytes_of(["integer", "string", "timestamp"]) == 2 * NUMBER + TEXT
