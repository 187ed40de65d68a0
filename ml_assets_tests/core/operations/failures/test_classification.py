"""A failure is told apart by its chain of exceptions, and the user is told what happened and what to do."""

import sqlite3
import urllib.error

import psycopg2
import pytest
import sqlalchemy.exc
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

from ml_assets.core.operations.failures.classification import Failure, cause_of, classify, explain
from ml_assets.pipeline.engine.stage import CannotMake, InputChanged
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.mlflow.errors import MlflowUnavailable


def raised(*errors: BaseException, implicit: bool = False) -> BaseException:
    """The last of these, each raised for the one before."""
    try:
        for error in errors[:-1]:
            raise error
    except BaseException as first:
        cause = first
        for error in errors[1:]:
            try:
                try:
                    raise cause
                except BaseException as handled:
                    if implicit:
                        raise error  # noqa: B904
                    raise error from handled
            except BaseException as last:
                cause = last
        return cause
    return errors[0]


LOST = ConnectionResetError("reset by peer")
OF_POSTGRESQL = sqlalchemy.exc.OperationalError(
    "select", {}, psycopg2.OperationalError("server closed the connection unexpectedly")
)
NO_TABLE = sqlalchemy.exc.OperationalError("select", {}, sqlite3.OperationalError("no such table"))


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (LOST, Failure.TRANSIENT),
        (raised(LOST, RuntimeError("the day could not be read")), Failure.TRANSIENT),
        (raised(LOST, LakeError("the lake cannot be used")), Failure.TRANSIENT),
        (MlflowUnavailable("MLflow does not answer"), Failure.TRANSIENT),
        (InputChanged("an input never rests"), Failure.TRANSIENT),
        (urllib.error.URLError(TimeoutError("timed out")), Failure.TRANSIENT),
        (raised(OF_POSTGRESQL, MlflowException("gone", TEMPORARILY_UNAVAILABLE)), Failure.TRANSIENT),
        (raised(NO_TABLE, MlflowException("gone", TEMPORARILY_UNAVAILABLE)), Failure.CODE),
        (raised(PermissionError("no"), MlflowException("gone", TEMPORARILY_UNAVAILABLE)), Failure.REFUSED),
        (raised(MemoryError(), ValueError("a batch")), Failure.MEMORY),
        (raised(PermissionError(13, "denied"), LakeError("cannot be written")), Failure.REFUSED),
        (LakeError("a column changed its type"), Failure.STATED),
        (raised(KeyError("x"), CannotMake("materialise it first")), Failure.STATED),
        (KeyError("x"), Failure.CODE),
        # Its own defect, and not what it handled, is why a handler failed.
        (raised(LOST, KeyError("x"), implicit=True), Failure.CODE),
        (raised(KeyError("x"), ConnectionError("gone")), Failure.TRANSIENT),
    ],
)
def test_a_failure_is_a_fault_of(error, fault):
    assert classify(error) is fault


def test_a_chain_without_end_comes_to_one():
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert classify(first) is Failure.CODE


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            Failure.TRANSIENT,
            "a/b: a service outside did not work (4 times), the last time with ValueError: of it. What was committed stays.",
        ),
        (Failure.REFUSED, "Check address, credentials, rights and free space"),
        (Failure.MEMORY, "Raise compute.data.memory in the specification"),
        (Failure.CODE, "mend it, then re-execute the run from failure"),
    ],
)
def test_the_user_is_told_what_happened_and_what_to_do(fault, said):
    assert said in explain(fault, ValueError("of\n  it"), "a/b", "compute.data.memory", 4)


def test_what_says_it_all_is_told_as_it_is():
    assert (
        explain(Failure.STATED, CannotMake("materialise it first"), "small/features", "compute.data.memory", 1)
        == "materialise it first"
    )


def test_long_texts_are_cut():
    assert len(cause_of(ValueError("x" * 10_000))) < 600
    assert cause_of(MemoryError()) == "MemoryError"
    assert cause_of(OSError("Generic S3 error\n\x1b[31m↳\x1b[0m timed out")) == "OSError: Generic S3 error ↳ timed out"
