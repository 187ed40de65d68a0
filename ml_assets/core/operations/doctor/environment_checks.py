"""What has to be there for a code location to be operated: places, definitions, daemons, schedules and sensors, time
zones.
"""

from collections.abc import Collection, Mapping

from ml_assets.core.operations.doctor.diagnosis import Diagnosis, error, error_in_production, ok, warning


def landing(uri: str, problem: str | None) -> Diagnosis:
    """The landing is there and this process may list it.

    Args:
        uri: where it is.
        problem: what is wrong, and then, as further sentences, what to do; None when nothing is.
    """
    return _place("landing", uri, problem)


def lake(uri: str, problem: str | None) -> Diagnosis:
    """The lake can be read and written, and its store keeps commits apart (conditional puts).

    Args:
        uri: where it is.
        problem: what is wrong, and then, as further sentences, what to do; None when nothing is.
    """
    return _place("lake", uri, problem)


def deploy_target(uri: str, problem: str | None) -> Diagnosis:
    """The deploy target can be written: a release that cannot put the champion there is not finished.

    Args:
        uri: where it is.
        problem: what is wrong, and then, as further sentences, what to do; None when nothing is.
    """
    return _place("deploy_target", uri, problem)


def artifacts(uri: str, problem: str | None) -> Diagnosis:
    """The place of MLflow's artifacts can be written, where its store is in PostgreSQL and this process writes them
    itself.

    Args:
        uri: where it is.
        problem: what is wrong, and then, as further sentences, what to do; None when nothing is.
    """
    return _place("artifacts", uri, problem)


def _place(name: str, uri: str, problem: str | None) -> Diagnosis:
    if problem is None:
        return ok(name, uri)
    found, _, remedy = problem.partition(". ")
    return error(name, found, remedy)


def code_location(models: Collection[str], problem: str | None) -> Diagnosis:
    """The definitions load, and there is a model.

    Args:
        models: names of the models.
        problem: why the definitions do not load; None when they do.
    """
    if problem is not None:
        return error("code_location", problem, "`dg check defs` names file, line and field")
    if not models:
        return error("code_location", "there is no model", "`dg scaffold defs ml_assets.ModelPipeline <name>`")
    return ok("code_location", ", ".join(sorted(models)))


def daemons(seconds_ago: Mapping[str, float | None], tolerance: float, production: bool) -> Diagnosis:
    """Every daemon that the instance needs has told lately that it runs: without them nothing in the queue, no schedule
    and no sensor starts.

    Args:
        seconds_ago: for each daemon, the age of its last sign of life; None when it never gave one.
        tolerance: the age from which on it counts as dead, in seconds.
        production: whether this is the production environment.
    """
    dead = sorted(daemon for daemon, age in seconds_ago.items() if age is None or age > tolerance)
    if not dead:
        return ok("daemons", f"{len(seconds_ago)} running")
    found = f"{len(dead)} of {len(seconds_ago)} do not run ({', '.join(dead)}): queue, schedules, sensors and monitoring stand still"
    return error_in_production(
        production, "daemons", found, "start `make ui`, or `dagster-daemon run` as a service; its log says why it ended"
    )


def automation(stopped: Collection[str], running: Collection[str]) -> Diagnosis:
    """Schedules and sensors are switched on.

    Args:
        stopped: names of those that are off.
        running: names of those that are on.
    """
    if stopped:
        found = f"off: {', '.join(sorted(stopped))}"
        remedy = f"switch it on in the UI (Automation), or `dagster schedule start {min(stopped)}` or `dagster sensor start {min(stopped)}`"
        return warning("automation", found, remedy)
    return ok("automation", f"{len(running)} schedules and sensors are on")


def notifications(targets: Collection[str], problem: str | None, local: bool, production: bool) -> Diagnosis:
    """Somebody is told of failures: the targets of ML_ASSETS_NOTIFY are understood, and the database of notifications
    answers and outlives its pod.

    Args:
        targets: names of the targets.
        problem: why targets or database cannot be used, without credentials; None when they can.
        local: whether the database is a file on this machine.
        production: whether this is the production environment.
    """
    if problem is not None:
        return error(
            "notifications",
            problem,
            "correct ML_ASSETS_NOTIFY or ML_ASSETS_DATABASE, then `make notify-test` (docs/notifications.md)",
        )
    if local and production:
        found = "they are kept in an SQLite file, which is lost with the pod of the code server, in production"
        return error(
            "notifications", found, "set ML_ASSETS_DATABASE=postgresql://user@host/database for the code server"
        )
    if not targets:
        found = "nobody is told of failures: there are no targets"
        remedy = "set ML_ASSETS_NOTIFY to URLs as apprise has them, then `make notify-test` (docs/notifications.md)"
        return (
            warning("notifications", found, remedy)
            if production
            else ok("notifications", "no targets: rows are written, nothing is sent")
        )
    return ok("notifications", ", ".join(sorted(targets)))


def time_zones(used: Mapping[str, str], known: Collection[str]) -> Diagnosis:
    """The time zones of the models are known to this machine.

    Args:
        used: time zone of each model.
        known: the names that the machine has data for.
    """
    lacking = {model: zone for model, zone in used.items() if zone not in known}
    if lacking:
        found = f"no data for {', '.join(sorted(set(lacking.values())))}, the time zone of {', '.join(sorted(lacking))}"
        return error(
            "time_zones", found, "install the package tzdata (of the operating system, or `pip install tzdata`)"
        )
    return ok("time_zones", ", ".join(sorted(set(used.values()))) or "none used")


def environment(problem: str | None) -> Diagnosis:
    """The environment variables are complete and do not contradict each other.

    Args:
        problem: what `read_settings` said; None when it accepted them.
    """
    if problem is not None:
        return error("environment", problem, "correct the variable; README.md lists all of them")
    return ok("environment", "complete")


def instance(problem: str | None) -> Diagnosis:
    """The instance opens: its dagster.yaml is valid and its storage can be reached.

    Args:
        problem: why it does not, without credentials; None when it does.
    """
    if problem is not None:
        return error(
            "instance",
            problem,
            "check the settings in dagster.yaml, that the database runs, and ML_ASSETS_DATABASE with user and password",
        )
    return ok("instance", "opens")
