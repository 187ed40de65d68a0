"""Facts about a Dagster instance and the definitions that run on it, as plain values. Nothing is changed."""

from collections.abc import Iterable, Mapping
from time import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagster as dg

DAEMON_TOLERANCE_SECONDS = 300.0


def storage_kind(instance: "dg.DagsterInstance") -> str:
    """`memory`, `sqlite`, `postgresql`, or names of classes: of Dagster's three storages the one that keeps the
    least.
    """
    storages = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    kinds = {_kind(type(storage)) for storage in storages if storage is not None}
    return next((kind for kind in ("memory", "sqlite") if kind in kinds), ", ".join(sorted(kinds)))


def _kind(storage: type) -> str:
    names = {base.__name__.lower() for base in storage.__mro__}
    for kind, sign in {"memory": "inmemory", "sqlite": "sqlite", "postgresql": "postgres"}.items():
        if any(name.startswith(sign) for name in names):
            return kind
    return storage.__name__


def revisions(instance: "dg.DagsterInstance") -> tuple[str | None, str]:
    """Alembic's revision of the tables (of all, when they differ), and the one that the installed Dagster needs."""
    storages = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    told = [version for storage in storages if storage is not None and (version := storage.alembic_version())]
    behind = [revision for revision, head in told if revision != head]
    head = next((str(head) for _, head in told), "")
    return (behind[0] if behind else head), head


def seconds_since_heartbeats(instance: "dg.DagsterInstance") -> dict[str, float | None]:
    """For each daemon that the instance needs, the age of its last sign of life; None when it never gave one."""
    told = instance.get_daemon_heartbeats()
    return {
        name: time() - told[name].timestamp if name in told else None for name in instance.get_required_daemon_types()
    }


def pool_limits(instance: "dg.DagsterInstance") -> tuple[dict[str, int], int | None]:
    """The limits of pools that have one, and that of all others."""
    limits = {found.name: found.limit for found in instance.event_log_storage.get_pool_limits()}
    return limits, instance.get_concurrency_config().pool_config.default_pool_limit


def has_queue(instance: "dg.DagsterInstance") -> bool:
    """Whether runs wait in a queue."""
    from dagster._core.run_coordinator import QueuedRunCoordinator

    return isinstance(instance.run_coordinator, QueuedRunCoordinator)


def used_pools(assets: "Iterable[dg.AssetsDefinition]") -> dict[str, list[str]]:
    """For each pool, the assets in it."""
    found: dict[str, list[str]] = {}
    for definition in assets:
        pool = definition.op.pool if definition.is_executable else None
        if pool:
            found.setdefault(pool, []).extend(sorted(key.to_user_string() for key in definition.keys))
    return found


def automation(instance: "dg.DagsterInstance", declared: Mapping[str, bool]) -> tuple[list[str], list[str]]:
    """The schedules and sensors that are off, and those that are on.

    Args:
        instance: where it is kept what somebody switched on or off.
        declared: for each schedule and sensor, whether the definitions switch it on.
    """
    from dagster._core.scheduler.instigation import InstigatorStatus

    states = [(state.instigator_name, state.status) for state in instance.all_instigator_state()]
    started = {name for name, status in states if status is InstigatorStatus.RUNNING}
    stopped = {name for name, status in states if status is InstigatorStatus.STOPPED} - started
    on = {name for name, is_on in declared.items() if name in started or (is_on and name not in stopped)}
    return sorted(declared.keys() - on), sorted(on)
