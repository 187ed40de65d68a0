"""A run refuses MLflow tables of another version before it computes anything."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ml_assets.cli.command_inputs import refuse_outdated_store
from ml_assets.defs.settings import read_settings
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store


def refuse(uri: str) -> None:
    refuse_outdated_store(replace(read_settings({}), mlflow=uri))


def test_tables_of_another_version_are_refused_with_the_remedy(tmp_path: Path):
    uri = new_store(tmp_path)
    refuse(uri)
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as store:
        store.execute("UPDATE alembic_version SET version_num = '90e64c465722'")
        store.commit()
    with pytest.raises(SystemExit, match=r"have revision 90e64c465722.*then run `mlflow db upgrade sqlite:"):
        refuse(uri)


@pytest.mark.parametrize("uri", ["sqlite:///{}/none.db", "http://127.0.0.1:9", "postgresql://127.0.0.1:9/db"])
def test_a_store_that_does_not_exist_or_answer_is_left_to_the_step_that_needs_it(tmp_path: Path, uri: str):
    refuse(uri.format(tmp_path))
    assert list(tmp_path.iterdir()) == []
