"""A failure is told apart by its chain of exceptions, and the user is told what happened and what to do."""

import sqlite3
import urllib.error

import psycopg2
import pytest
import sqlalchemy.exc
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

from ml_assets.core.faults import Fault, cause_of, classify, explain
from ml_assets.pipeline.stage import CannotMake, InputChanged
from ml_assets.resources.lake_errors import LakeError
from ml_assets.resources.mlflow_unavailable import MlflowUnavailable


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
OF_POSTGRESQL = sqlalchemy.exc.OperationalError("select", {}, psycopg2.OperationalError("server closed the connection unexpectedly"))
NO_TABLE = sqlalchemy.exc.OperationalError("select", {}, sqlite3.OperationalError("no such table"))


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (LOST, Fault.TRANSIENT),
        (raised(LOST, RuntimeError("the day could not be read")), Fault.TRANSIENT),
        (raised(LOST, LakeError("the lake cannot be used")), Fault.TRANSIENT),
        (MlflowUnavailable("MLflow does not answer"), Fault.TRANSIENT),
        (InputChanged("an input never rests"), Fault.TRANSIENT),
        (urllib.error.URLError(TimeoutError("timed out")), Fault.TRANSIENT),
        (raised(OF_POSTGRESQL, MlflowException("gone", TEMPORARILY_UNAVAILABLE)), Fault.TRANSIENT),
        (raised(NO_TABLE, MlflowException("gone", TEMPORARILY_UNAVAILABLE)), Fault.CODE),
        (raised(PermissionError("no"), MlflowException("gone", TEMPORARILY_UNAVAILABLE)), Fault.REFUSED),
        (raised(MemoryError(), ValueError("a batch")), Fault.MEMORY),
        (raised(PermissionError(13, "denied"), LakeError("cannot be written")), Fault.REFUSED),
        (LakeError("a column changed its type"), Fault.STATED),
        (raised(KeyError("x"), CannotMake("materialise it first")), Fault.STATED),
        (KeyError("x"), Fault.CODE),
        # Its own defect, and not what it handled, is why a handler failed.
        (raised(LOST, KeyError("x"), implicit=True), Fault.CODE),
        (raised(KeyError("x"), ConnectionError("gone")), Fault.TRANSIENT),
    ],
)
def test_a_failure_is_a_fault_of(error, fault):
    assert classify(error) is fault


def test_a_chain_without_end_comes_to_one():
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert classify(first) is Fault.CODE


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            Fault.TRANSIENT,
            "a/b: a service outside did not work (4 times), the last time with ValueError: of it. What was committed stays.",
        ),
        (Fault.REFUSED, "Check address, credentials, rights and free space"),
        (Fault.MEMORY, "Raise compute.data.memory in the specification"),
        (Fault.CODE, "mend it, then re-execute the run from failure"),
    ],
)
def test_the_user_is_told_what_happened_and_what_to_do(fault, said):
    assert said in explain(fault, ValueError("of\n  it"), "a/b", "compute.data.memory", 4)


def test_what_says_it_all_is_told_as_it_is():
    assert explain(Fault.STATED, CannotMake("materialise it first"), "small/features", "compute.data.memory", 1) == "materialise it first"


def test_long_texts_are_cut():
    assert len(cause_of(ValueError("x" * 10_000))) < 600
    assert cause_of(MemoryError()) == "MemoryError"
    assert cause_of(OSError("Generic S3 error\n\x1b[31m↳\x1b[0m timed out")) == "OSError: Generic S3 error ↳ timed out"
