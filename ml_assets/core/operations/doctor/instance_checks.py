"""What the settings of a Dagster instance have to say, so that dead runs end, places in pools are freed and nothing
runs twice by surprise.
"""

from collections.abc import Mapping
from typing import Any

from ml_assets.core.operations.doctor.diagnosis import Diagnosis, error, error_in_production, ok, warning

Settings = Mapping[str, Any]
TIME_LIMITS = ("start_timeout_seconds", "cancel_timeout_seconds", "max_runtime_seconds")


def dagster_home(home: str | None, is_directory: bool, has_settings: bool) -> Diagnosis:
    """`DAGSTER_HOME` is an absolute path of a directory that has a dagster.yaml.

    Args:
        home: value of the variable; None or empty when it is not set.
        is_directory: whether there is such a directory.
        has_settings: whether it holds a dagster.yaml.
    """
    name = "dagster_home"
    if not home:
        return error(
            name,
            "DAGSTER_HOME is not set, so each process keeps runs and events for itself and loses them",
            'run `eval "$(make env)"`',
        )
    if not home.startswith("/"):
        return error(
            name, f"DAGSTER_HOME is {home}, a relative path, which Dagster refuses", "set it to the absolute path"
        )
    if not is_directory:
        return error(
            name,
            f"DAGSTER_HOME is {home}, and there is no such directory",
            "create it, or set the variable to the one that is meant",
        )
    if not has_settings:
        remedy = "link dagster.yaml or dagster-postgres.yaml of the repository into it (`make doctor` does)"
        return error(
            name,
            f"there is no dagster.yaml in {home}, so Dagster's own defaults hold: no retries, no monitoring, no limits",
            remedy,
        )
    return ok(name, home)


def run_retries(settings: Settings, production: bool) -> Diagnosis:
    """Run retries are on, so that a run whose worker is lost goes on, and `retry_on_asset_or_op_failure` is stated:
    Dagster's default is to repeat runs whose code failed.

    Args:
        settings: content of dagster.yaml.
        production: whether this is the production environment.
    """
    name, retries = "run_retries", settings.get("run_retries") or {}
    if not retries.get("enabled"):
        found = "run retries are off: a run whose process or pod dies is not tried again, and the tag dagster/max_retries does nothing"
        return error_in_production(
            production, name, found, "set run_retries.enabled: true and max_retries in dagster.yaml"
        )
    if not retries.get("max_retries"):
        found = "run retries are on, but max_retries is 0: a run whose process or pod dies is not tried again unless it has the tag dagster/max_retries"
        return warning(name, found, "set run_retries.max_retries: 1 in dagster.yaml")
    if "retry_on_asset_or_op_failure" not in retries:
        found = "run retries are on and retry_on_asset_or_op_failure is not stated: a fault of data or code is repeated as often"
        return warning(name, found, "set run_retries.retry_on_asset_or_op_failure: false in dagster.yaml")
    again = "and" if retries["retry_on_asset_or_op_failure"] else "not"
    return ok(name, f"on, {retries['max_retries']} unless the run says otherwise, {again} after a failed step")


def run_monitoring(settings: Settings) -> Diagnosis:
    """Run monitoring is on and its time limits are set: without it a run that died stays in progress and holds its
    place for ever.
    """
    name, monitoring = "run_monitoring", settings.get("run_monitoring") or {}
    if not monitoring.get("enabled"):
        found = "run monitoring is off: a run that died stays in progress and keeps all others of its model waiting"
        return error(name, found, "set run_monitoring.enabled: true in dagster.yaml")
    lacking = [limit for limit in TIME_LIMITS if not monitoring.get(limit)]
    if lacking:
        found = f"run monitoring is on, but {', '.join(lacking)} not set: a run that hangs holds its place for long or for ever"
        return warning(name, found, f"set run_monitoring.{lacking[0]} in dagster.yaml")
    return ok(name, "on, " + ", ".join(f"{limit} {monitoring[limit]}" for limit in TIME_LIMITS))


def freed_slots(settings: Settings) -> Diagnosis:
    """Slots of pools are freed after the end of a run: a process that is killed cannot free its own."""
    name, seconds = "freed_slots", (settings.get("run_monitoring") or {}).get("free_slots_after_run_end_seconds")
    if not seconds:
        found = "slots of a pool that a killed run held are never freed, so a pool fills up and its runs wait for ever"
        return error(
            name,
            found,
            "set run_monitoring.free_slots_after_run_end_seconds: 60 in dagster.yaml; free today's with the UI: Deployment, Concurrency",
        )
    return ok(name, f"{seconds} s after the end of a run")


def run_queue(is_queue: bool) -> Diagnosis:
    """Runs wait in a queue: limits of pools and the number of runs at a time hold there only."""
    if not is_queue:
        found = "runs are launched at once, so neither the limits of pools nor max_concurrent_runs hold"
        return error(
            "run_queue", found, "use dagster.yaml of the repository, or QueuedRunCoordinator as run_coordinator"
        )
    return ok("run_queue", "runs wait in a queue")


def pools(used: Mapping[str, list[str]], limits: Mapping[str, int], default_limit: int | None) -> Diagnosis:
    """Every pool that the definitions name has a limit that lets runs start: its own, or the default.

    Args:
        used: for each pool, the assets in it.
        limits: limit of each pool that has one of its own or was used before.
        default_limit: limit of all other pools; None for none.
    """
    name = "pools"
    closed = sorted(pool for pool in used if limits.get(pool, default_limit) == 0)
    if closed:
        found = f"the limit of {', '.join(closed)} is 0: no run of {', '.join(used[closed[0]][:3])} ever starts"
        return error(name, found, f"`dagster instance concurrency set {closed[0]} 1`")
    undefined = sorted(pool for pool in used if limits.get(pool, default_limit) is None)
    if undefined:
        found = f"no limit for {', '.join(undefined)}: two runs may make the same days at the same time"
        return error(
            name,
            found,
            f"set concurrency.pools.default_limit: 1 in dagster.yaml, or `dagster instance concurrency set {undefined[0]} 1`",
        )
    if not used:
        return ok(name, "no asset is in a pool")
    return ok(name, ", ".join(f"{pool} {limits.get(pool, default_limit)}" for pool in sorted(used)))
