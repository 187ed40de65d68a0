"""Rules for the environment of a code location: storage locations, definitions, daemons, automation, time zones."""

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType

from ml_assets.core.operations.doctor.diagnosis import Diagnosis, error, error_in_production, ok, warning


def environment(problem: str | None) -> Diagnosis:
    """Check that the environment variables are complete and consistent.

    Args:
        problem: the error of reading the settings; None without one.
    """
    if problem is not None:
        return error("environment", problem, "correct the variable; docs/reference/environment.md lists all of them")
    return ok("environment", "complete")


def landing(uri: str, problem: str | None) -> Diagnosis:
    """Check that the landing exists and that this process may list it.

    Args:
        uri: its location.
        problem: a sentence with the problem, followed by sentences with the remedy; None without a problem.
    """
    return _location("landing", uri, problem)


def lake(uri: str, problem: str | None) -> Diagnosis:
    """Check that the lake can be read and written, and that its store supports conditional puts, which keep concurrent
    commits apart.

    Args:
        uri: its location.
        problem: a sentence with the problem, followed by sentences with the remedy; None without a problem.
    """
    return _location("lake", uri, problem)


def deploy_target(uri: str, problem: str | None) -> Diagnosis:
    """Check that the deploy target can be written: a release is incomplete until the champion is published there.

    Args:
        uri: its location.
        problem: a sentence with the problem, followed by sentences with the remedy; None without a problem.
    """
    return _location("deploy_target", uri, problem)


def artifacts(uri: str, problem: str | None) -> Diagnosis:
    """Check that MLflow's artifact root can be written, when its store is in PostgreSQL and this process writes the
    artifacts itself.

    Args:
        uri: its location.
        problem: a sentence with the problem, followed by sentences with the remedy; None without a problem.
    """
    return _location("artifacts", uri, problem)


def _location(check: str, uri: str, problem: str | None) -> Diagnosis:
    if problem is None:
        return ok(check, uri)
    message, _, remedy = problem.partition(". ")
    return error(check, message, remedy)


def code_location(models: Collection[str], problem: str | None, broken: Mapping[str, str]) -> Diagnosis:
    """Check that the definitions load and contain a model, and that no model is broken.

    Args:
        models: names of the models.
        problem: the reason why the definitions do not load; None when they do.
        broken: file, line and reason of each model that does not load, by name.
    """
    if broken:
        named = "; ".join(f"{model} is not loaded: {reason}" for model, reason in sorted(broken.items()))
        return error("code_location", named, "correct the file, and reload the code location")
    if problem is not None:
        return error("code_location", problem, "run `dg check defs --no-check-yaml`, which names file, line and field")
    if not models:
        return error("code_location", "there is no model", "run `dg scaffold defs ml_assets.ModelPipeline <name>`")
    return ok("code_location", ", ".join(sorted(models)))


def time_zones(used: Mapping[str, str], known: Collection[str]) -> Diagnosis:
    """Check that this machine has the data of every model's time zone.

    Args:
        used: time zone of each model.
        known: the time zones that the machine has data for.
    """
    missing = {model: zone for model, zone in used.items() if zone not in known}
    if missing:
        message = (
            f"no data for {', '.join(sorted(set(missing.values())))}, the time zone of {', '.join(sorted(missing))}"
        )
        return error(
            "time_zones", message, "install the package tzdata (of the operating system, or `pip install tzdata`)"
        )
    return ok("time_zones", ", ".join(sorted(set(used.values()))) or "none used")


def daemons(seconds_ago: Mapping[str, float | None], tolerance: float, production: bool) -> Diagnosis:
    """Check that every daemon that the instance needs had a recent heartbeat: without them, no queued run, schedule or
    sensor starts.

    Args:
        seconds_ago: for each daemon, the age of its last heartbeat in seconds; None when it never had one.
        tolerance: the age in seconds above which a daemon counts as stopped.
        production: whether this is the production environment.
    """
    stopped = sorted(daemon for daemon, age in seconds_ago.items() if age is None or age > tolerance)
    if not stopped:
        return ok("daemons", f"{len(seconds_ago)} running")
    message = (
        f"{len(stopped)} of {len(seconds_ago)} do not run ({', '.join(stopped)}): "
        "the queue, schedules, sensors and run monitoring need them"
    )
    remedy = "start `ml-assets ui`, or `dagster-daemon run` as a service; its log says why it ended"
    return error_in_production(production, "daemons", message, remedy)


def automation(
    stopped: Collection[str], running: Collection[str], waiting: Mapping[str, datetime] = MappingProxyType({})
) -> Diagnosis:
    """Check that schedules and sensors are switched on, and that none waits for the time of its newest tick, as after
    the clock was set back.

    Args:
        stopped: names of the schedules and sensors that are off.
        running: names of the schedules and sensors that are on.
        waiting: for those whose newest tick is in the future, its time in UTC.
    """
    if waiting:
        message = (
            f"newest tick in the future ({max(waiting.values()):%Y-%m-%d %H:%M} UTC), before which Dagster does not "
            f"evaluate them: {', '.join(sorted(waiting))}"
        )
        remedy = "correct the clock of this machine; if it was wrong at that tick, they continue at that time"
        return error("automation", message, remedy)
    if not stopped:
        return ok("automation", f"{len(running)} schedules and sensors are on")
    return warning("automation", f"off: {', '.join(sorted(stopped))}", "switch it on in the UI (Automation)")


def notifications(targets: Collection[str], problem: str | None, local: bool, production: bool) -> Diagnosis:
    """Check that failures are reported: the targets of ML_ASSETS_NOTIFY are valid, and the database of notifications
    responds and outlives its pod.

    Args:
        targets: names of the targets.
        problem: the reason why targets or database cannot be used, without credentials; None when they can.
        local: whether the database is a file on this machine.
        production: whether this is the production environment.
    """
    if problem is not None:
        remedy = "correct ML_ASSETS_NOTIFY, its file or ML_ASSETS_DATABASE, then run `ml-assets notifications test`"
        return error("notifications", problem, remedy)
    if local and production:
        message = "in production they are kept in an SQLite file, which is lost with the pod of the code server"
        remedy = "set ML_ASSETS_DATABASE=postgresql://user@host/database for the code server"
        return error("notifications", message, remedy)
    if targets:
        return ok("notifications", ", ".join(sorted(targets)))
    if production:
        message = "nobody is notified of failures: there are no targets"
        remedy = "set ML_ASSETS_NOTIFY to apprise URLs, then run `ml-assets notifications test` (docs/how-to/alerts.md)"
        return warning("notifications", message, remedy)
    return ok("notifications", "no targets: notifications are recorded, and none is sent")
