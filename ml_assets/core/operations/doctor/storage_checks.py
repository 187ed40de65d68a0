"""Rules for the stores of state: Dagster's storage, MLflow's store, the local disk, and their clocks."""

from collections.abc import Mapping, Sequence
from shlex import quote

from ml_assets.core.operations.doctor.diagnosis import Diagnosis, error, error_in_production, ok, warning

GIBIBYTE = 2**30
LOW_SPACE, NO_SPACE = 2 * GIBIBYTE, GIBIBYTE // 4
# Seconds; S3 refuses requests when the clocks differ by 15 minutes.
CLOCK_WARNING, CLOCK_ERROR = 5, 60


def damaged_state(damages: Sequence[str]) -> Diagnosis:
    """Check that no state file is damaged or missing: table logs, the log of the release ledger, SQLite files, the
    instance file, markers of runs, and the manifest of the deploy target.

    Args:
        damages: a message for each damaged file: what is lost, then sentences with the remedy.
    """
    if not damages:
        return ok("damaged_state", "no state file is damaged or missing")
    sentences = [damage.partition(". ") for damage in damages]
    message = "; ".join(sentence for sentence, _, _ in sentences)
    return error("damaged_state", message, " Then: ".join(dict.fromkeys(remedy for _, _, remedy in sentences)))


def storage(kind: str, production: bool) -> Diagnosis:
    """Check that Dagster's storage survives the process, and in production the machine.

    Args:
        kind: `sqlite`, `postgresql`, `memory`, or the name of another class.
        production: whether this is the production environment.
    """
    if kind == "memory":
        message = "runs and events are kept in memory and are lost with the process"
        return error("storage", message, "remove dagster.yaml and run `ml-assets instance`")
    if kind == "sqlite" and production:
        message = "in production runs and events are kept in SQLite files, which pods on other machines cannot read"
        remedy = "set ML_ASSETS_DATABASE=postgresql://user@host/database (docs/how-to/postgresql.md)"
        return error("storage", message, remedy)
    return ok("storage", kind)


def dagster_schema(revision: str | None, head: str) -> Diagnosis:
    """Check that the tables of Dagster's storage have the revision of the installed version.

    Args:
        revision: Alembic's revision of the tables; None when there are none.
        head: the revision that the installed version needs.
    """
    return _schema("dagster_schema", revision, head, "`dagster instance migrate`")


def mlflow_schema(revision: str | None, head: str, store: str, is_known: bool) -> Diagnosis:
    """Check that the tables of MLflow's store have the revision of the installed version.

    Args:
        revision: Alembic's revision of the tables; None when there are none.
        head: the revision that the installed version needs.
        store: URI of the store, without password.
        is_known: whether the installed version knows the revision of the tables.
    """
    password = ", with the password in PGPASSWORD," if store.startswith("postgres") else ""
    return _schema("mlflow_schema", revision, head, f"`mlflow db upgrade {quote(store)}`{password}", is_known)


def _schema(check: str, revision: str | None, head: str, command: str, is_known: bool = True) -> Diagnosis:
    if revision is None:
        return ok(check, "no tables yet: the first run creates them")
    if revision == head:
        return ok(check, f"revision {revision}")
    message = f"the tables have revision {revision}, the installed version needs {head}"
    if not is_known:
        return error(check, message, "install the version that created the tables, which is newer")
    remedy = (
        f"stop webserver, daemon and runs, take a backup, then run {command} "
        "(or install the version that created the tables)"
    )
    return error(check, message, remedy)


def mlflow(
    store: str, kind: str, problem: str | None, server: str | None, installed: str, production: bool
) -> Diagnosis:
    """Check that MLflow responds, that its server has the major version of the client, and that in production its store
    is not a file.

    Args:
        store: URI of the store, without credentials.
        kind: `server`, `sqlite`, `postgresql`, or another.
        problem: the reason why it cannot be used; None when it can.
        server: version of the server; None when it is not a server, or does not report its version.
        installed: version of the client.
        production: whether this is the production environment.
    """
    if problem is not None:
        remedy = (
            "start the server, or correct MLFLOW_TRACKING_URI and its credentials "
            "(MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD)"
        )
        return error("mlflow", f"{store}: {problem}", remedy)
    if kind == "sqlite" and production:
        message = f"in production {store} is a file, which pods on other machines cannot read"
        return error("mlflow", message, "set MLFLOW_TRACKING_URI to a server on PostgreSQL (http://mlflow:5000)")
    if server is not None and server.split(".")[0] != installed.split(".")[0]:
        message = f"the server has version {server}, the client {installed}"
        remedy = f"run a server of version {installed.split('.')[0]}, or install mlflow {server.split('.')[0]} here"
        return error("mlflow", message, remedy)
    return ok("mlflow", f"{store}{f', version {server}' if server else ''}")


def releases(problems: Mapping[str, Sequence[str]]) -> Diagnosis:
    """Check that MLflow and the deploy target follow the release ledger, and that nobody deleted an experiment of a
    model.

    Args:
        problems: for each model, the differences and deletions, one sentence with its remedy each.
    """
    broken = {model: sentences for model, sentences in problems.items() if sentences}
    if broken:
        model = min(broken)
        message = "; ".join(sentence for sentences in broken.values() for sentence in sentences)
        remedy = f"`ml-assets restore {model}` restores what was deleted, and corrects aliases and the deploy target"
        return error("releases", message, remedy)
    return ok("releases", f"in line with the release ledger: {', '.join(sorted(problems))}")


def disk_space(path: str, free: int, production: bool) -> Diagnosis:
    """Check that there is space on the disks with local state: a full disk makes SQLite transactions fail.

    Args:
        path: the directory with the least free space.
        free: its free space in bytes.
        production: whether this is the production environment.
    """
    message = f"{free / GIBIBYTE:.1f} GiB free at {path}"
    if free < NO_SPACE:
        remedy = (
            "free disk space: `retention` in the specification removes old files of the lake, "
            "DAGSTER_HOME/storage contains the output of runs"
        )
        return error("disk_space", message, remedy)
    if free < LOW_SPACE:
        remedy = "free disk space: see `retention` in the specification, or move the data to a larger disk"
        return error_in_production(production, "disk_space", message, remedy)
    return ok("disk_space", message)


def clock(skews: Mapping[str, float]) -> Diagnosis:
    """Check that the clock of this machine agrees with those of the stores: S3 refuses requests that are 15 minutes
    off, and schedules tick by this clock.

    Args:
        skews: for each store whose time is known, the seconds by which this machine is ahead.
    """
    if not skews:
        return ok("clock", "no other clock to compare with: all state is on this machine")
    store, worst = max(skews.items(), key=lambda item: abs(item[1]))
    message = f"this machine is {abs(worst):.0f} s {'ahead of' if worst > 0 else 'behind'} {store}"
    remedy = "synchronize the clocks (chrony or systemd-timesyncd on this machine and on the server)"
    if abs(worst) > CLOCK_ERROR:
        return error("clock", message, remedy)
    if abs(worst) > CLOCK_WARNING:
        return warning("clock", message, remedy)
    return ok("clock", f"within {max(abs(worst), 1):.0f} s of {', '.join(sorted(skews))}")
