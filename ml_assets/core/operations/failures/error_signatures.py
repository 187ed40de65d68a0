"""Signs by which an exception of a library tells what it is a fault of: its classes, an HTTP status, a code of the
database, delta-rs's text.
"""

import errno
import re
import socket
from collections.abc import Mapping
from typing import Any, Literal

ErrorSignature = Literal["transient", "refused", "memory"]

# Classes by the first part of their module and their name; one that is derived from such a class counts as it.
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
            "distributed.CommClosedError",
            # Others commit all the time; every attempt of delta-rs and of the engine has lost.
            "_internal.CommitFailedError",
            "ml_assets.InputChanged",
            "ml_assets.LedgerConflict",
        ),
        "transient",
    ),
    **dict.fromkeys(
        ("botocore.NoCredentialsError", "botocore.PartialCredentialsError", "botocore.ProfileNotFound"), "refused"
    ),
    # A worker of Dask that dies again and again has, as a rule, been killed for its memory.
    "distributed.KilledWorker": "memory",
}
BUSY = {
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
NOT_LET_IN = {
    "NoSuchBucket",
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "AllAccessDisabled",
}
OUT_OF_MEMORY = re.compile(r"bad_alloc|cudaErrorMemoryAllocation|out of memory|Memory allocation error", re.IGNORECASE)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
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
# SQLSTATE, by its class or whole: https://www.postgresql.org/docs/current/errcodes-appendix.html
SQL_REFUSED, SQL_TRANSIENT = ("28", "3D", "42501", "53100"), ("08", "53", "57P", "40001", "40P01", "55P03", "25006")
NO_SUCH_LOGIN = re.compile(
    r"authentication failed|does not exist|no pg_hba\.conf entry|no password supplied|certificate verify failed"
)
OBJECT_STORE = re.compile(r"Generic \w+ error|Error performing (GET|PUT|POST|DELETE|HEAD|list)|Object at location")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def by_class(error: BaseException) -> ErrorSignature | None:
    """By the classes that an exception is of."""
    if isinstance(error, MemoryError):
        return "memory"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "refused"
    names = [f"{base.__module__.split('.')[0]}.{base.__name__}" for base in type(error).__mro__]
    found: ErrorSignature | None = next((CLASSES[name] for name in names if name in CLASSES), None)
    if found is None and "xgboost.XGBoostError" in names and OUT_OF_MEMORY.search(str(error)):
        return "memory"
    return found


def by_status(error: BaseException) -> ErrorSignature | None:
    """By the status of an answer over HTTP, or the code that S3 gives with it."""
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        code = str(response.get("Error", {}).get("Code"))
        if code in BUSY:
            return "transient"
        return (
            "refused" if code in NOT_LET_IN else _of_status(response.get("ResponseMetadata", {}).get("HTTPStatusCode"))
        )
    if type(error).__module__.startswith("mlflow."):
        # MLflow's client says 500 of its own defects, too.
        is_answer = (
            type(error).__name__ == "RestException"
            or str(error).startswith("API request to")
            or getattr(error, "error_code", "") in WAITS
        )
        ask = getattr(error, "get_http_status_code", None)
        return _of_status(ask()) if is_answer and ask else None
    stated = (getattr(response, "status_code", None), getattr(error, "status", None), getattr(error, "code", None))
    return next((_of_status(status) for status in stated if isinstance(status, int)), None)


WAITS = ("TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED")


def _of_status(status: Any) -> ErrorSignature | None:
    if not isinstance(status, int):
        return None
    if status in (408, 425, 429) or (status >= 500 and status != 501):
        return "transient"
    return "refused" if status in (401, 403) else None


def by_database(error: BaseException) -> ErrorSignature | None:
    """By what SQLAlchemy, psycopg2 and sqlite3 say: the connection is gone, a code of PostgreSQL, a locked file."""
    original = getattr(error, "orig", None) or error
    module, name = type(original).__module__.split(".")[0], type(original).__name__
    if getattr(error, "connection_invalidated", False):
        return "transient"
    if module == "sqlite3" and name == "OperationalError":
        text = str(original)
        return (
            "transient"
            if "locked" in text or "busy" in text
            else "refused"
            if "unable to open" in text or "full" in text
            else None
        )
    if module != "psycopg2":
        return None
    if code := getattr(original, "pgcode", None):
        return "refused" if code.startswith(SQL_REFUSED) else "transient" if code.startswith(SQL_TRANSIENT) else None
    if name in ("OperationalError", "InterfaceError"):
        return "refused" if NO_SUCH_LOGIN.search(str(original)) else "transient"
    return None


def by_object_store(error: BaseException) -> ErrorSignature | None:
    """By the text of delta-rs's object store, which comes as OSError or as an error of delta-rs or Arrow, in colours
    and over several lines.
    """
    text = " ".join(COLOURS.sub("", str(error)).replace("↳", " ").split())
    if not OBJECT_STORE.search(text):
        return None
    # Without credentials it asks the machine for some, which only machines of a cloud can give.
    if "169.254.169.254" in text or "credential" in text.lower():
        return "refused"
    if status := re.search(r"status code:? (\d{3})", text):
        found = _of_status(int(status[1]))
        return found or ("refused" if "NoSuchBucket" in text else None)
    return (
        "transient"
        if re.search(
            r"HTTP error|error sending request|timed out|connection|decoding response body|after \d+ retries", text
        )
        else None
    )


def by_operating_system(error: BaseException) -> ErrorSignature | None:
    """By what the operating system says of a connection or of a file."""
    if isinstance(error, PermissionError):
        return "refused"
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        return "transient"
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.ENOMEM:
        return "memory"
    if number in FULL:
        return "refused"
    is_cut_off = type(error).__module__ == "ssl" and type(error).__name__ in (
        "SSLEOFError",
        "SSLZeroReturnError",
        "SSLSyscallError",
    )
    return "transient" if is_cut_off or number in UNREACHABLE else None
