"""A file of SQLite that this user may not use is not damaged."""

import os
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest

from ml_assets.core.operations.failures.classification import Failure, classify
from ml_assets.resources.databases import sqlite_file
from ml_assets.resources.probes import state_probe


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        ("attempt to write a readonly database", None),
        ("database is locked", None),
        ("unable to open database file", None),
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


def test_a_full_disk_is_not_damage_and_is_named(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    file = tmp_path / "runs.db"
    file.touch()
    monkeypatch.setattr(sqlite_file.sqlite3, "connect", refuse)
    monkeypatch.setattr(sqlite_file.shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))
    assert sqlite_file.find_damage(file) is None
    assert sqlite_file.find_refusal(file, writing=False) is None
    assert sqlite_file.find_refusal(file) == (
        f"{file} cannot be written: its disk is full. Free space on it, and repeat the command"
    )


def deny(monkeypatch, denied: int) -> None:
    """Deny a right to this process, which may be that of root."""
    monkeypatch.setattr(sqlite_file.os, "access", lambda _, need: need != denied)


def test_a_refused_file_is_named_with_its_owner(tmp_path, monkeypatch):
    file = tmp_path / "runs.db"
    file.touch()
    file.chmod(0o640)
    assert sqlite_file.find_refusal(file) is None
    deny(monkeypatch, os.W_OK)
    owned = f"{file} belongs to the user {file.owner()} with mode 640, and this user may not"
    assert (sqlite_file.find_refusal(file) or "").startswith(f"{owned} write it: run this as the user {file.owner()}")
    assert sqlite_file.find_refusal(file, writing=False) is None
    deny(monkeypatch, os.R_OK)
    assert (sqlite_file.find_refusal(file, writing=False) or "").startswith(f"{owned} read it")


def test_a_statement_that_is_refused_names_the_file(tmp_path, monkeypatch):
    file = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE a (b)")
    monkeypatch.setattr(state_probe, "find_damaged_mlflow", lambda _: [])
    deny(monkeypatch, os.W_OK)
    error = sqlite3.OperationalError("attempt to write a readonly database")
    refusal = state_probe.explain_database_error(error, None, f"sqlite:///{file}")
    assert isinstance(refusal, sqlite_file.RefusedFile)
    assert str(file) in str(refusal)
    assert classify(refusal) is Failure.REFUSED
