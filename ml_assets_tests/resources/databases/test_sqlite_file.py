"""A file of SQLite that this user may not use is not damaged."""

import sqlite3

import pytest

from ml_assets.resources.databases import sqlite_file


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        ("attempt to write a readonly database", None),
        ("database is locked", None),
        ("disk I/O error", "disk I/O error"),
    ],
)
def test_a_file_that_this_user_may_not_write_is_not_damaged(tmp_path, monkeypatch, text, damage):
    def refuse(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError(text)

    (tmp_path / "runs.db").write_bytes(b"x")
    monkeypatch.setattr(sqlite_file.sqlite3, "connect", refuse)
    assert sqlite_file.find_damage(tmp_path / "runs.db") == damage


def test_a_file_that_this_user_may_not_read_is_not_damaged(tmp_path, monkeypatch):
    (tmp_path / "runs.db").mkdir()
    assert sqlite_file.find_damage(tmp_path / "runs.db") is not None
    monkeypatch.setattr(sqlite_file.os, "access", lambda *_: False)
    assert sqlite_file.find_damage(tmp_path / "runs.db") is None
