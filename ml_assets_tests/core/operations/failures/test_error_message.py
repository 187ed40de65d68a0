"""The message of an error is cut to its first line."""

import sqlalchemy.exc

from ml_assets.core.operations.failures.error_message import first_line


def test_the_first_line_with_text_is_kept():
    assert first_line(ValueError("\n  no such column\nHINT: another one\n")) == "no such column"
    assert first_line(ValueError()) == ""


def test_the_statement_and_its_parameters_are_left_out():
    failed = ValueError("no such table: runs\nLINE 1")
    error = sqlalchemy.exc.OperationalError("SELECT * FROM runs WHERE token = ?", {"token": "secret"}, failed)
    assert "secret" in str(error)
    assert first_line(error) == "no such table: runs"
