"""Values of a Dagster instance and of the definitions that run on it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from time import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagster as dg

DAEMON_TOLERANCE_SECONDS = 300.0
TICK_TOLERANCE = timedelta(minutes=5)
# The prefix of the class names of each kind of storage, starting with the least durable.
CLASS_PREFIXES = {"memory": "inmemory", "sqlite": "sqlite", "postgresql": "postgres"}


def find_missing_classes(instance: "dg.DagsterInstance") -> list[str]:
    """Describe each class of the instance's dagster.yaml that cannot be imported: Dagster imports it at first use."""
    from ml_assets.resources.dagster_internals.configurable_class import ConfigurableClassData

    missing = []
    for section, data in instance.get_ref()._asdict().items():
        if isinstance(data, ConfigurableClassData):
            try:
                getattr(import_module(data.module_name), data.class_name)
            except (ImportError, AttributeError) as problem:
                name = f"{section.removesuffix('_data')}: {data.module_name}.{data.class_name}"
                missing.append(f"{name} cannot be imported ({problem})")
    return missing


def read_storage_kind(instance: "dg.DagsterInstance") -> str:
    """Return the least durable kind among Dagster's three storages: `memory`, `sqlite`, `postgresql`, or the names of
    other classes.
    """
    storages = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    kinds = {_kind(type(storage)) for storage in storages if storage is not None}
    return next((kind for kind in ("memory", "sqlite") if kind in kinds), ", ".join(sorted(kinds)))


def _kind(storage: type) -> str:
    class_names = {base.__name__.lower() for base in storage.__mro__}
    for kind, prefix in CLASS_PREFIXES.items():
        if any(name.startswith(prefix) for name in class_names):
            return kind
    return storage.__name__


def read_schema_revisions(instance: "dg.DagsterInstance") -> tuple[str | None, str]:
    """Return Alembic's revision of the tables (an outdated one if they differ), and the revision that the installed
    Dagster needs.
    """
    storages = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    versions = [version for storage in storages if storage is not None and (version := storage.alembic_version())]
    outdated = [revision for revision, head in versions if revision != head]
    head = next((str(head) for _, head in versions), "")
    return (outdated[0] if outdated else head), head


def read_heartbeat_ages(instance: "dg.DagsterInstance") -> dict[str, float | None]:
    """Return, for each daemon that the instance needs, the age of its last heartbeat in seconds; None without one."""
    heartbeats = instance.get_daemon_heartbeats()
    return {
        name: time() - heartbeats[name].timestamp if name in heartbeats else None
        for name in instance.get_required_daemon_types()
    }


def read_pool_limits(instance: "dg.DagsterInstance") -> tuple[dict[str, int], int | None]:
    """Return the limits of the pools that have their own, and the limit of all others."""
    limits = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
    return limits, instance.get_concurrency_config().pool_config.default_pool_limit


def has_run_queue(instance: "dg.DagsterInstance") -> bool:
    """Return whether runs wait in a queue."""
    from dagster import QueuedRunCoordinator

    return isinstance(instance.run_coordinator, QueuedRunCoordinator)


def list_pools(assets: "Iterable[dg.AssetsDefinition]") -> dict[str, list[str]]:
    """Return the pools of some definitions, each with its assets."""
    pools: dict[str, list[str]] = {}
    for definition in assets:
        pool = definition.op.pool if definition.is_executable else None
        if pool:
            pools.setdefault(pool, []).extend(sorted(key.to_user_string() for key in definition.keys))
    return pools


def read_automation(
    instance: "dg.DagsterInstance", declared: Mapping[str, bool], location: str
) -> tuple[list[str], list[str], dict[str, datetime]]:
    """Return the schedules and sensors that are off, the ones that are on, and for each of these whose newest tick is
    in the future, its time in UTC.

    Args:
        instance: the instance, which stores what was switched on or off by hand.
        declared: by name of the schedule or sensor, whether the definitions switch it on.
        location: name of the code location. If the instance knows none of this name, the states of all count, because a
            workspace may load it under another one.
    """
    from ml_assets.resources.dagster_internals.automation_state import InstigatorStatus

    stored = [
        (state.origin.repository_origin.code_location_origin.location_name, state)
        for state in instance.all_instigator_state()
    ]
    is_known = any(of == location for of, _ in stored)
    states = [state for of, state in stored if of == location or not is_known]
    started = {state.instigator_name for state in states if state.status is InstigatorStatus.RUNNING}
    stopped = {state.instigator_name for state in states if state.status is InstigatorStatus.STOPPED} - started
    on = {name for name, is_on in declared.items() if name in started or (is_on and name not in stopped)}
    ticks = {
        state.instigator_name: datetime.fromtimestamp(tick.timestamp, UTC)
        for state in states
        if state.instigator_name in on
        for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
    }
    now = datetime.now(UTC)
    waiting = {name: at for name, at in ticks.items() if at - now > TICK_TOLERANCE}
    return sorted(declared.keys() - on), sorted(on), waiting
