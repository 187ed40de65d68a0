"""Failures are classified from their exception chain, and the explanation says what to do."""

import sqlite3
import urllib.error

import psycopg2
import pytest
import sqlalchemy.exc
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

from ml_assets.core.operations.failures.classification import Failure, cause_of, classify, explain, is_of_data
from ml_assets.core.operations.failures.damaged_state import DamagedState
from ml_assets.pipeline.engine.stage import CannotMake, InputChanged
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.mlflow.errors import MlflowUnavailable
from ml_assets.resources.release.errors import LedgerLost
from ml_assets.resources.storage.landing_access import LandingUnavailable


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
    ("error", "failure"),
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
        (raised(KeyError("x"), CannotMake("materialize it first")), Failure.STATED),
        (KeyError("x"), Failure.CODE),
        # A handler that fails is the cause itself, and not the exception that it handled.
        (raised(LOST, KeyError("x"), implicit=True), Failure.CODE),
        (raised(KeyError("x"), ConnectionError("gone")), Failure.TRANSIENT),
    ],
)
def test_a_failure_is_classified_from_its_exception_chain(error, failure):
    assert classify(error) is failure


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CannotMake("materialize it first"), True),
        (raised(LedgerLost("MLflow has releases"), CannotMake("no release")), False),
        (LedgerLost("MLflow has releases"), False),
        (DamagedState("runs.db is damaged"), False),
        (MlflowUnavailable("MLflow does not answer"), False),
        (PermissionError("denied"), False),
        (KeyError("x"), False),
    ],
)
def test_only_failures_of_files_and_specification_are_of_data(error, expected):
    assert is_of_data(error) is expected


def test_a_cyclic_exception_chain_is_classified():
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert classify(first) is Failure.CODE


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (
            Failure.TRANSIENT,
            "a/b: an external service failed (tried 4 times), most recently with ValueError: of it. Committed days are "
            "kept.",
        ),
        (Failure.REFUSED, "Check address, credentials, permissions and free space"),
        (Failure.MEMORY, "Raise compute.data.memory in the specification"),
        (
            Failure.CODE,
            "Fix the code at the place that the stack trace below names, then re-execute the run from failure",
        ),
    ],
)
def test_the_explanation_says_what_happened_and_what_to_do(failure, message):
    assert message in explain(failure, ValueError("of\n  it"), "a/b", "compute.data.memory", 4)


def test_a_message_that_is_complete_is_not_changed():
    assert (
        explain(Failure.STATED, CannotMake("materialize it first"), "small/features", "compute.data.memory", 1)
        == "materialize it first"
    )


def test_a_cause_that_is_a_sentence_ends_with_one_full_stop():
    message = explain(Failure.TRANSIENT, ValueError("Check the address."), "a/b", "compute.data.memory", 1)
    assert "with ValueError: Check the address. Committed days are kept" in message


def test_a_refusal_that_says_what_to_do_is_not_explained_twice():
    error = raised(PermissionError(13, "denied"), LandingUnavailable("the landing cannot be read. Check its disk"))
    assert classify(error) is Failure.REFUSED
    assert explain(Failure.REFUSED, error, "small/raw_data", "compute.data.memory", 1) == (
        "small/raw_data: the landing cannot be read. Check its disk. A retry does not help; re-execute the run from "
        "failure afterwards"
    )


def test_long_texts_are_truncated():
    assert len(cause_of(ValueError("x" * 10_000))) < 600
    assert cause_of(MemoryError()) == "MemoryError"
    assert cause_of(OSError("Generic S3 error\n\x1b[31m↳\x1b[0m timed out")) == "OSError: Generic S3 error ↳ timed out"
