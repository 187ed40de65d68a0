"""Rules for a Dagster instance: it opens, dead runs end, pool slots are freed, and no run is repeated unexpectedly."""

from collections.abc import Mapping, Sequence
from typing import Any

from ml_assets.core.operations.doctor.diagnosis import Diagnosis, error, error_in_production, ok, warning

Settings = Mapping[str, Any]
TIME_LIMITS = ("start_timeout_seconds", "cancel_timeout_seconds", "max_runtime_seconds")


def dagster_home(home: str | None, is_directory: bool, has_settings: bool) -> Diagnosis:
    """Check that `DAGSTER_HOME` is the absolute path of a directory with a dagster.yaml.

    Args:
        home: value of the variable; None or empty when it is not set.
        is_directory: whether the directory exists.
        has_settings: whether it contains a dagster.yaml.
    """
    check = "dagster_home"
    if not home:
        message = "DAGSTER_HOME is not set, so each process keeps runs and events to itself and loses them at its end"
        return error(check, message, "set it to the directory that `ml-assets instance` prints")
    if not home.startswith("/"):
        message = f"DAGSTER_HOME is {home}, a relative path, which Dagster refuses"
        return error(check, message, "set it to the absolute path")
    if not is_directory:
        message = f"DAGSTER_HOME is {home}, and there is no such directory"
        return error(check, message, "create it, or correct the variable")
    if not has_settings:
        message = (
            f"there is no dagster.yaml in {home}, so Dagster's defaults apply: no retries, no monitoring, no limits"
        )
        return error(check, message, "run `ml-assets instance`, which links the settings of ml_assets into it")
    return ok(check, home)


def run_retries(settings: Settings, production: bool) -> Diagnosis:
    """Check that run retries are on, so that a run whose worker is lost is retried, and that
    `retry_on_asset_or_op_failure` is set: by default Dagster also retries runs whose code failed.

    Args:
        settings: content of dagster.yaml.
        production: whether this is the production environment.
    """
    check, retries = "run_retries", settings.get("run_retries") or {}
    if not retries.get("enabled"):
        message = (
            "run retries are off: a run whose process or pod dies is not retried, "
            "and the tag dagster/max_retries has no effect"
        )
        remedy = "set run_retries.enabled: true and max_retries in dagster.yaml"
        return error_in_production(production, check, message, remedy)
    if not retries.get("max_retries"):
        message = (
            "run retries are on, but max_retries is 0: a run whose process or pod dies is not retried "
            "unless it has the tag dagster/max_retries"
        )
        return warning(check, message, "set run_retries.max_retries: 1 in dagster.yaml")
    if "retry_on_asset_or_op_failure" not in retries:
        message = (
            "run retries are on, but retry_on_asset_or_op_failure is not set: a run that fails because of its data or "
            "code is retried as well"
        )
        return warning(check, message, "set run_retries.retry_on_asset_or_op_failure: false in dagster.yaml")
    failed = "failed steps too" if retries["retry_on_asset_or_op_failure"] else "failed steps are not retried"
    number = retries["max_retries"]
    return ok(check, f"on: {number} {'retry' if number == 1 else 'retries'} unless the run sets another; {failed}")


def run_monitoring(settings: Settings) -> Diagnosis:
    """Check that run monitoring is on and has time limits: without it, a run that died stays in progress and blocks its
    model forever.
    """
    check, monitoring = "run_monitoring", settings.get("run_monitoring") or {}
    if not monitoring.get("enabled"):
        message = "run monitoring is off: a run that died stays in progress and blocks all other runs of its model"
        return error(check, message, "set run_monitoring.enabled: true in dagster.yaml")
    missing = [limit for limit in TIME_LIMITS if not monitoring.get(limit)]
    if missing:
        message = f"run monitoring is on, but {', '.join(missing)} not set: a run that hangs blocks its model"
        return warning(check, message, f"set run_monitoring.{missing[0]} in dagster.yaml")
    return ok(check, "on, " + ", ".join(f"{limit} {monitoring[limit]}" for limit in TIME_LIMITS))


def freed_slots(settings: Settings) -> Diagnosis:
    """Check that pool slots are freed after the end of a run: a killed process cannot free its own."""
    check, seconds = "freed_slots", (settings.get("run_monitoring") or {}).get("free_slots_after_run_end_seconds")
    if not seconds:
        message = "pool slots of killed runs are never freed, so a pool fills up and its runs wait forever"
        remedy = (
            "set run_monitoring.free_slots_after_run_end_seconds: 60 in dagster.yaml, "
            "and free the occupied slots in the UI (Deployment, Concurrency)"
        )
        return error(check, message, remedy)
    return ok(check, f"{seconds} s after the end of a run")


def shipped_settings(differences: Sequence[str]) -> Diagnosis:
    """Name the settings of dagster.yaml that differ from those that ml_assets ships; the differences may be intended.

    Args:
        differences: one line for each difference, except those of storages.
    """
    check = "shipped_settings"
    if not differences:
        return ok(check, "dagster.yaml has the settings that ml_assets ships")
    names = ", ".join(line.partition(":")[0] for line in differences)
    return ok(check, f"differs from what ml_assets ships in {names}; `ml-assets instance` prints both")


def instance(problem: str | None, missing_classes: Sequence[str]) -> Diagnosis:
    """Check that the instance opens: its dagster.yaml is valid, its classes exist, and its storage can be reached.

    Args:
        problem: the reason why it does not open, without credentials; None when it does.
        missing_classes: one line for each class of dagster.yaml that cannot be imported.
    """
    check = "instance"
    if missing_classes:
        return error(check, "; ".join(missing_classes), "install the package of the class, or correct dagster.yaml")
    if problem is not None and "'psycopg'" in problem:
        remedy = (
            "Dagster does not work with psycopg 3, which SQLAlchemy 2.1 uses for postgresql://: use the storage of "
            "ml_assets (docs/how-to/postgresql.md), or run `pip install 'sqlalchemy<2.1'`"
        )
        return error(check, problem, remedy)
    if problem is not None:
        remedy = "check dagster.yaml, whether the database runs, and ML_ASSETS_DATABASE with user and password"
        return error(check, problem, remedy)
    return ok(check, "opens")


def run_queue(has_queue: bool) -> Diagnosis:
    """Check that runs wait in a queue: pool limits and the limit of concurrent runs apply only there."""
    if not has_queue:
        message = "runs are launched at once, so neither pool limits nor max_concurrent_runs apply"
        remedy = "remove dagster.yaml and run `ml-assets instance`, or use QueuedRunCoordinator as run_coordinator"
        return error("run_queue", message, remedy)
    return ok("run_queue", "runs wait in a queue")


def pools(used: Mapping[str, list[str]], limits: Mapping[str, int], default_limit: int | None) -> Diagnosis:
    """Check that every pool of the definitions has a limit that lets runs start: its own, or the default.

    Args:
        used: for each pool, its assets.
        limits: limit of each pool that has its own or was used before.
        default_limit: limit of all other pools; None for none.
    """
    check = "pools"
    closed = sorted(pool for pool in used if limits.get(pool, default_limit) == 0)
    if closed:
        message = f"the limit of {', '.join(closed)} is 0: no run of {', '.join(used[closed[0]][:3])} ever starts"
        return error(check, message, f"run `dagster instance concurrency set {closed[0]} 1`")
    unlimited = sorted(pool for pool in used if limits.get(pool, default_limit) is None)
    if unlimited:
        message = f"no limit for {', '.join(unlimited)}: two runs may materialize the same days at the same time"
        remedy = (
            "set concurrency.pools.default_limit: 1 in dagster.yaml, "
            f"or run `dagster instance concurrency set {unlimited[0]} 1`"
        )
        return error(check, message, remedy)
    if not used:
        return ok(check, "no asset is in a pool")
    return ok(check, ", ".join(f"{pool} {limits.get(pool, default_limit)}" for pool in sorted(used)))
