"""Exceptions, raised by the libraries themselves, have the error signature of their class, status, code or text."""

import errno
import socket
import ssl
from types import SimpleNamespace

import botocore.exceptions as s3
import distributed
import mlflow.exceptions as mlflow
import numpy as np
import psycopg2
import pytest
import requests
import sqlalchemy.exc
import xgboost
from deltalake.exceptions import CommitFailedError
from kubernetes.client import ApiException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, INVALID_PARAMETER_VALUE, REQUEST_LIMIT_EXCEEDED

from ml_assets.core.operations.failures.error_signatures import (
    by_class,
    by_database,
    by_object_store,
    by_operating_system,
    by_status,
)

OBJECT_STORE = """Kernel error -> Generic S3 error
      \x1b[31m↳\x1b[0m Error performing GET http://127.0.0.1:1/b/_last_checkpoint in 3.1s, after 10 retries,
 max_retries\n       \x1b[31m↳\x1b[0m 10, retry_timeout\n        \x1b[31m↳\x1b[0m 180s  - """
STATUS = OBJECT_STORE + "Server returned non-2xx status code\n         \x1b[31m↳\x1b[0m "


def answer(code: str, status: int) -> s3.ClientError:
    return s3.ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")


@pytest.mark.parametrize(
    ("error", "sign"),
    [
        (s3.EndpointConnectionError(endpoint_url="http://s3"), "transient"),
        (s3.ReadTimeoutError(endpoint_url="http://s3"), "transient"),
        (s3.ConnectionClosedError(endpoint_url="http://s3"), "transient"),
        (s3.NoCredentialsError(), "refused"),
        (s3.ParamValidationError(report="no such field"), None),
        (requests.ConnectionError("refused"), "transient"),
        (requests.exceptions.SSLError("certificate verify failed: CERTIFICATE_VERIFY_FAILED"), "refused"),
        (CommitFailedError("a concurrent transaction"), "transient"),
        (distributed.comm.CommClosedError("in comm"), "transient"),
        (distributed.KilledWorker("task", SimpleNamespace(address="tcp://worker"), 3), "memory"),
        (np._core._exceptions._ArrayMemoryError((10,), np.dtype("float64")), "memory"),
        (xgboost.core.XGBoostError("bad_alloc: cudaErrorMemoryAllocation out of memory"), "memory"),
        (xgboost.core.XGBoostError("Check failed: labels must be in [0, 1]"), None),
        (ValueError("timed out"), None),
    ],
)
def test_exception_classes_have_signatures(error, sign):
    assert by_class(error) == sign


@pytest.mark.parametrize(
    ("error", "sign"),
    [
        (answer("SlowDown", 503), "transient"),
        (answer("RequestTimeout", 400), "transient"),
        (answer("Unknown", 500), "transient"),
        (answer("NotImplemented", 501), None),
        (answer("AccessDenied", 403), "refused"),
        (answer("NoSuchBucket", 404), "refused"),
        (answer("NoSuchKey", 404), None),
        (ApiException(status=429), "transient"),
        (ApiException(status=409), None),
        (mlflow.RestException({"error_code": "TEMPORARILY_UNAVAILABLE", "message": "later"}), "transient"),
        (mlflow.RestException({"error_code": "INTERNAL_ERROR", "message": "a fault"}), "transient"),
        (mlflow.RestException({"error_code": "PERMISSION_DENIED", "message": "no"}), "refused"),
        (mlflow.RestException({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"}), None),
        (
            mlflow.MlflowException("API request to http://mlflow failed with exception: refused", INTERNAL_ERROR),
            "transient",
        ),
        (mlflow.MlflowException("too much", REQUEST_LIMIT_EXCEEDED), "transient"),
        (mlflow.MlflowException("a defect of the client", INTERNAL_ERROR), None),
        (mlflow.MlflowException("not a name", INVALID_PARAMETER_VALUE), None),
        (ConnectionError(), None),
    ],
)
def test_http_statuses_have_signatures(error, sign):
    assert by_status(error) == sign


class Coded(psycopg2.OperationalError):
    def __init__(self, code):
        super().__init__("it failed")
        self.code = code

    @property
    def pgcode(self):
        return self.code


Coded.__module__ = "psycopg2.errors"


@pytest.mark.parametrize(
    ("error", "sign"),
    [
        (psycopg2.OperationalError("server closed the connection unexpectedly"), "transient"),
        (
            psycopg2.OperationalError(
                'connection to server failed: FATAL:  password authentication failed for user "u"'
            ),
            "refused",
        ),
        (psycopg2.InterfaceError("connection already closed"), "transient"),
        (psycopg2.ProgrammingError("syntax error"), None),
        (Coded("57P01"), "transient"),
        (Coded("53300"), "transient"),
        (Coded("40P01"), "transient"),
        (Coded("3D000"), "refused"),
        (Coded("42P01"), None),
        (sqlalchemy.exc.OperationalError("select", {}, psycopg2.OperationalError("could not connect")), "transient"),
        (sqlalchemy.exc.DBAPIError("select", {}, Exception("gone"), connection_invalidated=True), "transient"),
        (sqlalchemy.exc.IntegrityError("insert", {}, psycopg2.IntegrityError("twice")), None),
    ],
)
def test_database_errors_have_signatures(error, sign):
    assert by_database(error) == sign


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("database is locked", "transient"),
        ("unable to open database file", "refused"),
        ("attempt to write a readonly database", "refused"),
        ("no such table", None),
    ],
)
def test_sqlite_file_errors_have_signatures(text, sign):
    import sqlite3

    assert by_database(sqlalchemy.exc.OperationalError("select", {}, sqlite3.OperationalError(text))) == sign


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        (STATUS + "503 Service Unavailable", "transient"),
        (STATUS + "429 Too Many Requests", "transient"),
        (STATUS + "403 Forbidden", "refused"),
        (STATUS + "404 Not Found\n <Error><Code>NoSuchBucket</Code></Error>", "refused"),
        (STATUS + "400 Bad Request", None),
        (
            OBJECT_STORE
            + "HTTP error\n         \x1b[31m↳\x1b[0m error sending request\n \x1b[31m↳\x1b[0m connection refused",
            "transient",
        ),
        (OBJECT_STORE.replace("http://127.0.0.1:1/b", "http://169.254.169.254/latest") + "HTTP error", "refused"),
        ("Generic LocalFileSystem error: Unable to open file", None),
        ("Generic LocalFileSystem error ↳ Unable to open file ↳ Permission denied (os error 13)", "refused"),
        ("Generic LocalFileSystem error ↳ Unable to open file ↳ Input/output error (os error 5)", "transient"),
        ("Generic LocalFileSystem error ↳ No such file or directory (os error 2)", None),
        ("503 rows were read", None),
    ],
)
def test_object_store_texts_have_signatures(text, sign):
    assert by_object_store(OSError(text)) == sign


@pytest.mark.parametrize(
    ("error", "sign"),
    [
        (ConnectionResetError(errno.ECONNRESET, "reset"), "transient"),
        (BrokenPipeError(), "transient"),
        (TimeoutError(), "transient"),
        (socket.gaierror(-3, "Temporary failure in name resolution"), "transient"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "transient"),
        (ssl.SSLEOFError(8, "EOF occurred"), "transient"),
        (OSError(errno.ENOSPC, "No space left on device"), "refused"),
        (PermissionError(errno.EACCES, "denied"), "refused"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory"), "refused"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (FileNotFoundError(errno.ENOENT, "no"), None),
        (KeyError("x"), None),
    ],
)
def test_operating_system_errors_have_signatures(error, sign):
    assert by_operating_system(error) == sign
