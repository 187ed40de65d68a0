"""Connection to an MLflow store, with clear errors if it cannot be used. A new store becomes visible only when it is
complete.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from ml_assets.core.operations.doctor.storage_checks import mlflow_schema
from ml_assets.core.operations.failures.damaged_state import MLFLOW
from ml_assets.resources.databases.creation_lock import creation_lock
from ml_assets.resources.databases.postgresql_uri import is_postgresql
from ml_assets.resources.databases.sqlite_file import find_damage, find_refusal
from ml_assets.resources.databases.uri_secrets import reveal, scrub, without_credentials, without_password
from ml_assets.resources.mlflow.errors import DamagedStore, MlflowUnavailable, NoResponse, OutdatedStore, RefusedStore
from ml_assets.resources.mlflow.postgresql_store import create_postgresql_store
from ml_assets.resources.mlflow_internals.empty_store import store_tables
from ml_assets.resources.mlflow_internals.http_request import get
from ml_assets.resources.mlflow_internals.prompt_check import skip_prompt_check
from ml_assets.resources.mlflow_internals.schema_revision import knows_revision
from ml_assets.resources.mlflow_internals.sqlite_store import is_empty, relocate_artifacts

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from requests import Response

log = logging.getLogger("ml_assets.mlflow")
HTTP = re.compile(r"https?://", re.IGNORECASE)
# The databases that MLflow can use as a store: https://mlflow.org/docs/latest/self-hosting/architecture/backend-store
DATABASE = re.compile(r"(postgres(ql)?|mysql|mssql|sqlite)(\+\w+)?://")
# The words of MLflow.
OUTDATED = re.compile(r"out-of-date database schema \(found version (\w+), but expected (\w+)\)")
SQLITE_FILE = re.compile(r"sqlite:///(?P<path>[^?]+)")
RESPONSE_TIMEOUT_SECONDS = 10


def connect(uri: str) -> "MlflowClient":
    """Return a client of the tracking store and model registry at `uri`, after a check that it responds.

    Tables are created in a database that has none (4 to 8 s, unless it is a SQLite file).

    Args:
        uri: `http://...` or `https://...` of a server, or a database: `sqlite:////data/mlflow.db` or
            `postgresql://...`. A hidden URI is revealed.

    Raises:
        ValueError: when `uri` has another form.
        MlflowUnavailable: when the server does not respond, or the database cannot be created or opened, or belongs to
            another version of MLflow.
    """
    uri = reveal(uri)
    check_store(uri)
    with quiet_mlflow():
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        if HTTP.match(uri):
            request(uri, "/health")
        elif path := sqlite_path(uri):
            use_sqlite_store(uri, path)
        elif is_postgresql(uri):
            create_postgresql_store(uri)
        try:
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        except MlflowException as error:
            if (outdated := OUTDATED.search(str(error))) is None:
                raise
            raise OutdatedStore(explain_outdated(uri, *outdated.groups())) from error
        skip_prompt_check(client)
        return client


def explain_outdated(uri: str, revision: str, head: str) -> str:
    """Explain that the tables of a store have another revision than the installed MLflow needs, and what to do."""
    diagnosis = mlflow_schema(revision, head, without_password(uri), knows_revision(revision))
    return f"the MLflow store {without_credentials(uri)}: {diagnosis.message}; {diagnosis.remedy}"


def check_store(uri: str, name: str = "tracking_uri") -> None:
    """Check that a URI names a server or a database, not a folder.

    Args:
        uri: the URI.
        name: name of the field or environment variable with the URI, for the message.

    Raises:
        ValueError: when it does not; the message omits user and password.
    """
    if "://" not in uri or uri.startswith("file:"):
        raise ValueError(
            f"{name} {without_credentials(uri)!r} is neither a server (http://mlflow:5000) nor a database "
            "(sqlite:////data/mlflow.db); plain folders are not supported, because two processes that write to one at "
            "the same time can break it"
        )


def is_database(uri: str) -> bool:
    """Return whether a URI names a database that MLflow can use as its store."""
    return DATABASE.match(uri) is not None


def sqlite_path(uri: str) -> Path | None:
    """Return the absolute path of the file of a sqlite store; None for every other store."""
    match = SQLITE_FILE.fullmatch(uri.partition("?")[0])
    return Path(match["path"]).absolute() if match else None


def absolute_sqlite_uri(uri: str, root: Path) -> str:
    """Return the URI of a sqlite store with an absolute path, if its path is relative to a folder; others unchanged."""
    match = SQLITE_FILE.fullmatch(uri.partition("?")[0])
    if match is None or Path(match["path"]).is_absolute():
        return uri
    return f"{uri[: match.start('path')]}{root.absolute() / match['path']}{uri[match.end('path') :]}"


@contextmanager
def quiet_mlflow() -> Iterator[None]:
    """Keep MLflow's progress messages and hints about serving out of the log of a run; warnings about faults are still
    logged.
    """
    import dagster as dg

    with warnings.catch_warnings():
        # dagster-mlflow is marked as beta and warns at each import and call. MLflow's hints concern settings that are
        # explicit here.
        warnings.simplefilter("ignore", category=dg.BetaWarning)
        warnings.filterwarnings("ignore", category=UserWarning, module=r"mlflow\..*")
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"mlflow\..*")
        # MLflow sets the level of its logger while it is imported. Progress bars and printed URLs of runs have no other
        # switch than these two.
        from mlflow.environment_variables import (
            MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR,
            MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT,
        )

        logger = logging.getLogger("mlflow")
        level = logger.level
        switches = {MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR: False, MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT: True}
        unset = [switch for switch in switches if not switch.is_set()]
        logger.setLevel(max(level, logging.WARNING))
        for switch in unset:
            switch.set(switches[switch])
        try:
            yield
        finally:
            logger.setLevel(level)
            for switch in unset:
                switch.unset()


def request(uri: str, path: str) -> "Response":
    """Request a path of an MLflow server once, as MLflow's client does, but without its retries, which take minutes.

    Raises:
        NoResponse: when there is no response.
    """
    from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_TIMEOUT
    from mlflow.exceptions import MlflowException

    seconds = MLFLOW_HTTP_REQUEST_TIMEOUT.get() if MLFLOW_HTTP_REQUEST_TIMEOUT.is_set() else RESPONSE_TIMEOUT_SECONDS
    try:
        return get(uri, path, seconds)
    except MlflowException as error:
        reason = scrub(_innermost(error), uri)
    # The exceptions of MLflow and its libraries contain the URI with user and password.
    raise NoResponse(without_credentials(uri), reason)


def _innermost(error: BaseException) -> str:
    """Return the text of the first cause of an exception."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return str(error)


def use_sqlite_store(uri: str, path: Path) -> None:
    """Create the file of a sqlite store unless it exists.

    MLflow creates a store table by table and without a lock: a second process that starts in the meantime fails on
    tables that exist already or on an "out-of-date database schema", and a process that dies leaves a store that nobody
    can open. So one process at a time creates the store under another name, and renames it when it is complete.
    """
    if path.exists() and _is_complete(path):
        return
    try:
        with creation_lock(path.parent):
            if not path.exists() or not _is_complete(path):
                _create(path)
    except OSError as error:
        raise MlflowUnavailable(
            f"the MLflow store {without_credentials(uri)} cannot be created ({error}). Check the path and the "
            "permissions of its folder."
        ) from error


def _is_complete(path: Path) -> bool:
    """Return whether a file is a store and not empty. The artifact paths of a store that was moved with its artifacts
    are updated.

    Raises:
        MlflowUnavailable: when the file cannot become a store.
    """
    import sqlite3

    try:
        if is_empty(path):
            return False
    except sqlite3.OperationalError:
        # MLflow would try for minutes to open it.
        if refusal := find_refusal(path, writing=False):
            raise RefusedStore(f"the MLflow store cannot be opened: {refusal}") from None
        # MLflow reports why it cannot be opened.
        return True
    except sqlite3.DatabaseError:
        log.debug("%s is not an SQLite database", path)
    if problem := find_damage(path, store_tables()):
        raise DamagedStore(MLFLOW.explain(path, problem))
    for old in relocate_artifacts(path):
        log.warning("the MLflow store %s was moved with its artifacts, which are no longer read from %s", path, old)
    return True


def _create(path: Path) -> None:
    from mlflow import MlflowClient

    from ml_assets.resources.mlflow_internals.empty_store import write_empty_store

    unfinished = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        write_empty_store(unfinished)
        client = MlflowClient(tracking_uri=f"sqlite:///{unfinished}", registry_uri=f"sqlite:///{unfinished}")
        client.search_experiments(max_results=1)
        client.search_registered_models(max_results=1)
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
