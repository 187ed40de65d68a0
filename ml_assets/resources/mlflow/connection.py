"""Connection to an MLflow store: clear errors when it cannot be used, and a new store that is only ever seen
complete.
"""

import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from ml_assets.resources.databases.postgresql_uri import is_postgresql
from ml_assets.resources.databases.uri_secrets import reveal, shown
from ml_assets.resources.mlflow.errors import MlflowUnavailable
from ml_assets.resources.mlflow.postgresql_store import make_postgresql_store

if TYPE_CHECKING:
    from mlflow import MlflowClient

HTTP = re.compile(r"https?://")
SQLITE_FILE = re.compile(r"sqlite:///(?P<path>[^?]+)")
SECONDS_TO_ANSWER = 10


def connect(uri: str) -> "MlflowClient":
    """A client of the tracking store and model registry at `uri`, which answers. A database without tables gets them (4
    to 8 s).

    Args:
        uri: `http://...` or `https://...` of a server, or a database: `sqlite:////data/mlflow.db` or
            `postgresql://...`. A hidden one is revealed.

    Raises:
        ValueError: when `uri` is no such URI.
        MlflowUnavailable: when the server does not answer, or the database cannot be made or opened.
    """
    uri = reveal(uri)
    if "://" not in uri or uri.startswith("file:"):
        raise ValueError(
            f"tracking_uri {shown(uri)!r} is neither a server (http://mlflow:5000) nor a database (sqlite:////data/mlflow.db); "
            "plain folders are not supported, because two processes that write to one at the same time can break it"
        )
    if HTTP.match(uri):
        _check_that_it_answers(uri)
    with quiet_mlflow():
        from mlflow import MlflowClient

        if path := sqlite_path(uri):
            _make_sqlite_store(uri, path)
        elif is_postgresql(uri):
            make_postgresql_store(uri)
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


def sqlite_path(uri: str) -> Path | None:
    """The absolute path of the file of a sqlite store; None for every other store."""
    found = SQLITE_FILE.fullmatch(uri.partition("?")[0])
    return Path(found["path"]).absolute() if found else None


@contextmanager
def quiet_mlflow() -> Iterator[None]:
    """Keep MLflow's progress messages and its hints about serving out of the log of a run; its warnings about faults
    still appear.
    """
    import dagster as dg

    with warnings.catch_warnings():
        # dagster-mlflow is marked beta as a whole and says so at each import and call; MLflow's hints concern what is
        # stated here explicitly.
        warnings.simplefilter("ignore", category=dg.BetaWarning)
        warnings.filterwarnings("ignore", category=UserWarning, module=r"mlflow\..*")
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"mlflow\..*")
        # MLflow sets the level of its logger while it is imported. Progress bars and printed addresses of runs have no
        # other switch than these two.
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


def remember_global_state() -> Callable[[], None]:
    """A function that puts MLflow's global tracking URI and experiment back: left behind, they would name this store to
    whatever runs next.
    """
    import mlflow
    from mlflow.environment_variables import MLFLOW_EXPERIMENT_ID
    from mlflow.tracking import fluent

    uri = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    experiment, stated = fluent._active_experiment_id, MLFLOW_EXPERIMENT_ID.get()

    def restore() -> None:
        mlflow.set_tracking_uri(uri)  # type: ignore[arg-type]
        # MLflow can set an experiment but not unset it.
        fluent._active_experiment_id = experiment
        if stated is None:
            MLFLOW_EXPERIMENT_ID.unset()
        else:
            MLFLOW_EXPERIMENT_ID.set(stated)

    return restore


def _check_that_it_answers(uri: str) -> None:
    """MLflow's own client tries for minutes before it says that a server is not there."""
    import ssl
    import urllib.error
    import urllib.request

    try:
        urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=SECONDS_TO_ANSWER).close()
    except urllib.error.HTTPError:
        return
    except OSError as error:
        # Certificates are MLflow's business: it has settings of its own for them.
        if isinstance(getattr(error, "reason", error), ssl.SSLError):
            return
        raise MlflowUnavailable(
            f"MLflow does not answer at {shown(uri)} ({getattr(error, 'reason', error)}). Check that the server runs and that this address is right."
        ) from error


def _make_sqlite_store(uri: str, path: Path) -> None:
    """Make the file of a sqlite store where there is none yet.

    MLflow creates a store table by table over seconds and without a lock: a second process that comes meanwhile fails
    on tables that exist already or on an "out-of-date database schema", and a process that dies leaves a store that
    nobody can open. So the store is made under another name, by one process at a time, and renamed when it is complete.
    """
    import fcntl

    if path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            if not path.exists():
                _create(path)
        finally:
            os.close(directory)
    except OSError as error:
        raise MlflowUnavailable(
            f"the MLflow store {shown(uri)} cannot be made ({error}). Check the path and the rights of its folder."
        ) from error


def _create(path: Path) -> None:
    from mlflow import MlflowClient

    unfinished = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        client = MlflowClient(tracking_uri=f"sqlite:///{unfinished}", registry_uri=f"sqlite:///{unfinished}")
        client.search_experiments(max_results=1)
        client.search_registered_models(max_results=1)
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
