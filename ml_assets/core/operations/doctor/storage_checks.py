"""What the stores of state have to be: Dagster's storage, MLflow's store, the disk that they lie on."""

from ml_assets.core.operations.doctor.diagnosis import Diagnosis, error, error_in_production, ok, warning

GIBIBYTE = 2**30
SCARCE, EXHAUSTED = 2 * GIBIBYTE, GIBIBYTE // 4


def storage(kind: str, production: bool) -> Diagnosis:
    """Dagster's storage survives the process, and in production the machine.

    Args:
        kind: `sqlite`, `postgresql`, `memory`, or the name of another class.
        production: whether this is the production environment.
    """
    if kind == "memory":
        return error(
            "storage",
            "runs and events are kept in memory and are lost with the process",
            "use dagster.yaml of the repository",
        )
    if kind == "sqlite" and production:
        found = "runs and events are in SQLite files, which pods on other machines do not see, in production"
        return error(
            "storage",
            found,
            "set ML_ASSETS_DATABASE=postgresql://user@host/database, and link dagster-postgres.yaml (docs/state.md)",
        )
    return ok("storage", kind)


def dagster_schema(revision: str | None, head: str) -> Diagnosis:
    """The tables of Dagster's storage are those of the installed version.

    Args:
        revision: Alembic's revision of the tables; None when there are none.
        head: the revision that the installed version needs.
    """
    return _schema("dagster_schema", revision, head, "`dagster instance migrate`")


def mlflow_schema(revision: str | None, head: str) -> Diagnosis:
    """The tables of MLflow's store are those of the installed version.

    Args:
        revision: Alembic's revision of the tables; None when there are none.
        head: the revision that the installed version needs.
    """
    return _schema("mlflow_schema", revision, head, '`mlflow db upgrade "$MLFLOW_TRACKING_URI"`')


def _schema(check: str, revision: str | None, head: str, command: str) -> Diagnosis:
    if revision is None:
        return ok(check, "no tables yet: the first run makes them")
    if revision != head:
        found = f"the tables have revision {revision}, the installed version needs {head}"
        return error(
            check,
            found,
            f"stop webserver, daemon and runs, take a backup, then {command} (or install the version that made the tables)",
        )
    return ok(check, f"revision {revision}")


def mlflow(
    store: str, kind: str, problem: str | None, server: str | None, installed: str, production: bool
) -> Diagnosis:
    """MLflow answers, its server has the major version of the client, and in production its store is not a file.

    Args:
        store: its URI, without credentials.
        kind: `server`, `sqlite`, `postgresql`, or another.
        problem: why it cannot be used; None when it can.
        server: version of the server; None when it is not a server, or does not tell.
        installed: version of the client.
        production: whether this is the production environment.
    """
    if problem is not None:
        return error(
            "mlflow",
            f"{store}: {problem}",
            "start the server, or correct MLFLOW_TRACKING_URI and its credentials (MLFLOW_TRACKING_USERNAME, _PASSWORD)",
        )
    if kind == "sqlite" and production:
        found = f"{store} is a file, which pods on other machines do not see, in production"
        return error("mlflow", found, "set MLFLOW_TRACKING_URI to a server on PostgreSQL (http://mlflow:5000)")
    if server is not None and server.split(".")[0] != installed.split(".")[0]:
        found = f"the server has version {server}, the client {installed}"
        return error(
            "mlflow",
            found,
            f"run a server of version {installed.split('.')[0]}, or install mlflow {server.split('.')[0]} here",
        )
    return ok("mlflow", f"{store}{f', version {server}' if server else ''}")


def disk_space(path: str, free: int, production: bool) -> Diagnosis:
    """There is room on the disk that local state lies on: a full disk tears SQLite transactions.

    Args:
        path: a directory on the disk.
        free: free bytes.
        production: whether this is the production environment.
    """
    found = f"{free / GIBIBYTE:.1f} GiB free at {path}"
    if free < EXHAUSTED:
        return error(
            "disk_space",
            found,
            "free some: `retention` in the specification removes old files of the lake, DAGSTER_HOME/storage holds the output of runs",
        )
    if free < SCARCE:
        return error_in_production(
            production,
            "disk_space",
            found,
            "free some: see `retention` in the specification, or move the data to a larger disk",
        )
    return ok("disk_space", found)


def clock(skews: dict[str, float]) -> Diagnosis:
    """The clock of this machine agrees with those of the stores: S3 refuses requests 15 minutes off, and schedules tick
    by this clock.

    Args:
        skews: for each store that told its time, seconds by which this machine is ahead.
    """
    if not skews:
        return ok("clock", "nothing to compare with: all state is on this machine")
    store, worst = max(skews.items(), key=lambda item: abs(item[1]))
    found = f"this machine is {abs(worst):.0f} s {'ahead of' if worst > 0 else 'behind'} {store}"
    remedy = "synchronise the clocks (chrony or systemd-timesyncd on this machine and on the server)"
    if abs(worst) > 60:
        return error("clock", found, remedy)
    if abs(worst) > 5:
        return warning("clock", found, remedy)
    return ok("clock", f"within {max(abs(worst), 1):.0f} s of {', '.join(sorted(skews))}")
