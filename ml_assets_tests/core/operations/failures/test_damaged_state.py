"""Messages about damaged state name the file, the loss and a command for exactly this file."""

import pytest

from ml_assets.core.operations.failures.classification import Failure, classify
from ml_assets.core.operations.failures.damaged_state import GONE, MLFLOW, RUNS, STATE_FILES, TABLE, DamagedState


def test_a_message_names_file_reason_loss_and_remedy():
    message = RUNS.explain("/home/a b/runs.db", "file is not a database")
    assert message.startswith("/home/a b/runs.db is damaged (file is not a database): Dagster does not start")
    assert "(`mv '/home/a b/runs.db' '/home/a b/runs.db.damaged'`)" in message


def test_the_loss_of_a_file_that_is_gone_is_accepted_by_a_command():
    assert "is gone: " in MLFLOW.explain("/m.db", GONE, "small")
    assert "accept the loss (`touch /m.db.damaged`): `ml-assets restore small`" in MLFLOW.explain(
        "/m.db", GONE, "small"
    )


def test_a_table_is_moved_away_as_a_whole_also_in_a_bucket():
    table = "s3://bucket/lake/small/features"
    message = TABLE.explain(f"{table}/_delta_log", GONE, "small", table)
    assert f"`aws s3 mv --recursive {table} {table}.damaged`" in message


@pytest.mark.parametrize("name", STATE_FILES)
def test_every_message_has_no_placeholder_and_few_sentences(name):
    for reason in (GONE, "cut off"):
        message = STATE_FILES[name].explain("/file", reason, "small", "/table")
        assert "{" not in message
        assert 2 <= message.count(". ") + 1 <= 4


def test_damaged_state_is_never_retried_whatever_its_cause():
    error = DamagedState("runs.db is damaged")
    error.__cause__ = ConnectionError("reset")
    assert classify(error) is Failure.STATED
