"""Error signatures: the kind of a failure from an exception's classes, HTTP status, database code or delta-rs text."""

import errno
import re
import socket
from collections.abc import Mapping
from typing import Any, Literal

ErrorSignature = Literal["transient", "refused", "memory"]

# Classes by the first part of their module and their name; a subclass has the signature of its base class.
CLASSES: Mapping[str, ErrorSignature] = {
    **dict.fromkeys(
        (
            "botocore.ConnectionError",
            "botocore.HTTPClientError",
            "botocore.IncompleteReadError",
            "botocore.ResponseStreamingError",
            "botocore.MetadataRetrievalError",
            "requests.ConnectionError",
            "requests.Timeout",
            "requests.ChunkedEncodingError",
            "urllib3.TimeoutError",
            "urllib3.ProtocolError",
            "urllib3.MaxRetryError",
            "urllib3.NewConnectionError",
            "http.IncompleteRead",
            "httpx.TransportError",
            "kr8s.APITimeoutError",
            "distributed.CommClosedError",
            # Other writers commit constantly, so every attempt of delta-rs and of the engine lost the race.
            "_internal.CommitFailedError",
            "ml_assets.InputChanged",
            "ml_assets.LedgerConflict",
        ),
        "transient",
    ),
    **dict.fromkeys(
        ("botocore.NoCredentialsError", "botocore.PartialCredentialsError", "botocore.ProfileNotFound"), "refused"
    ),
    # A Dask worker that dies repeatedly was usually killed for running out of memory.
    "distributed.KilledWorker": "memory",
}
S3_THROTTLED = {
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "BandwidthLimitExceeded",
    "ProvisionedThroughputExceededException",
    "RequestTimeout",
    "RequestTimeoutException",
    "InternalError",
    "ServiceUnavailable",
    "OperationAborted",
}
S3_ACCESS_DENIED = {
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "AllAccessDisabled",
}
OUT_OF_MEMORY = re.compile(r"bad_alloc|cudaErrorMemoryAllocation|out of memory|Memory allocation error", re.IGNORECASE)
READ_ONLY_OR_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
UNREACHABLE = (
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ETIMEDOUT,
    errno.ECONNABORTED,
    errno.ESTALE,
    errno.EIO,
)
WRONG_PLACE = (errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG)
# SQLSTATE, by class or complete code: https://www.postgresql.org/docs/current/errcodes-appendix.html
SQL_REFUSED, SQL_TRANSIENT = ("28", "3D", "42501", "53100"), ("08", "53", "57P", "40001", "40P01", "55P03", "25006")
LOGIN_REFUSED = re.compile(
    r"authentication failed|does not exist|no pg_hba\.conf entry|no password supplied|certificate verify failed"
)
MLFLOW_TRANSIENT_CODES = ("TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED")
OBJECT_STORE = re.compile(r"Generic \w+ error|Error performing (GET|PUT|POST|DELETE|HEAD|list)|Object at location")
UNREACHABLE_STORE = re.compile(
    r"HTTP error|error sending request|timed out|connection|decoding response body|after \d+ retries"
)
COLORS = re.compile(r"\x1b\[[0-9;]*m")


def by_class(error: BaseException) -> ErrorSignature | None:
    """Return the signature of the classes of an exception."""
    if isinstance(error, MemoryError):
        return "memory"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "refused"
    names = [f"{base.__module__.split('.')[0]}.{base.__name__}" for base in type(error).__mro__]
    signature: ErrorSignature | None = next((CLASSES[name] for name in names if name in CLASSES), None)
    if signature is None and "xgboost.XGBoostError" in names and OUT_OF_MEMORY.search(str(error)):
        return "memory"
    return signature


def by_status(error: BaseException) -> ErrorSignature | None:
    """Return the signature of the status of an HTTP response, or of the S3 error code that comes with it."""
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        code = str(response.get("Error", {}).get("Code"))
        if code in S3_THROTTLED:
            return "transient"
        if code == "NoSuchBucket" or code in S3_ACCESS_DENIED:
            return "refused"
        return _of_status(response.get("ResponseMetadata", {}).get("HTTPStatusCode"))
    if type(error).__module__.startswith("mlflow."):
        # MLflow's client also uses status 500 for its own errors.
        is_response = (
            type(error).__name__ == "RestException"
            or str(error).startswith("API request to")
            or getattr(error, "error_code", "") in MLFLOW_TRANSIENT_CODES
        )
        get_status = getattr(error, "get_http_status_code", None)
        return _of_status(get_status()) if is_response and get_status else None
    statuses = (getattr(response, "status_code", None), getattr(error, "status", None), getattr(error, "code", None))
    return next((_of_status(status) for status in statuses if isinstance(status, int)), None)


def _of_status(status: Any) -> ErrorSignature | None:
    if not isinstance(status, int):
        return None
    if status in (408, 425, 429) or (status >= 500 and status != 501):
        return "transient"
    return "refused" if status in (401, 403) else None


def by_database(error: BaseException) -> ErrorSignature | None:
    """Return the signature of a database error: a lost connection, a PostgreSQL error code, a locked SQLite file."""
    original = getattr(error, "orig", None) or error
    module, name = type(original).__module__.split(".")[0], type(original).__name__
    if getattr(error, "connection_invalidated", False):
        return "transient"
    if module == "sqlite3" and name == "OperationalError":
        text = str(original)
        if "locked" in text or "busy" in text:
            return "transient"
        return "refused" if "unable to open" in text or "full" in text or "readonly" in text else None
    if module != "psycopg2":
        return None
    if code := getattr(original, "pgcode", None):
        return "refused" if code.startswith(SQL_REFUSED) else "transient" if code.startswith(SQL_TRANSIENT) else None
    if name in ("OperationalError", "InterfaceError"):
        return "refused" if LOGIN_REFUSED.search(str(original)) else "transient"
    return None


def by_object_store(error: BaseException) -> ErrorSignature | None:
    """Return the signature of an error text of delta-rs's object store. The exception is an OSError or an error of
    delta-rs or Arrow, and its text is coloured and has several lines.
    """
    text = " ".join(without_colors(str(error)).replace("↳", " ").split())
    if not OBJECT_STORE.search(text):
        return None
    # Without credentials, it requests them from the metadata service, which exists only in a cloud.
    if "169.254.169.254" in text or "credential" in text.lower():
        return "refused"
    if status := re.search(r"status code:? (\d{3})", text):
        return _of_status(int(status[1])) or ("refused" if "NoSuchBucket" in text else None)
    if number := re.search(r"\(os error (\d+)\)", text):
        return _of_number(int(number[1]))
    return "transient" if UNREACHABLE_STORE.search(text) else None


def by_operating_system(error: BaseException) -> ErrorSignature | None:
    """Return the signature of an operating system error of a connection or of a file."""
    if isinstance(error, PermissionError):
        return "refused"
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        return "transient"
    number = error.errno if isinstance(error, OSError) else None
    is_cut_off = type(error).__module__ == "ssl" and type(error).__name__ in (
        "SSLEOFError",
        "SSLZeroReturnError",
        "SSLSyscallError",
    )
    return "transient" if is_cut_off else _of_number(number)


def _of_number(number: int | None) -> ErrorSignature | None:
    """Return the signature of an error number of the operating system."""
    if number == errno.ENOMEM:
        return "memory"
    if number in READ_ONLY_OR_FULL or number in WRONG_PLACE:
        return "refused"
    return "transient" if number in UNREACHABLE else None


def without_colors(text: str) -> str:
    """Remove ANSI color codes from a text."""
    return COLORS.sub("", text)


SIGNATURES = (by_class, by_status, by_database, by_object_store, by_operating_system)
"""Functions that return the signature of an exception or None, in the order in which they are tried."""
