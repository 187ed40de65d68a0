"""Values read from a real instance, as plain values."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._daemon.types import DaemonHeartbeat

from ml_assets.core.model_spec import ModelSpec
from ml_assets.definitions import DEFS
from ml_assets.pipeline.graph.assets import build_assets
from ml_assets.resources.probes import instance_probe
from ml_assets_tests.conftest import SMALL

pytestmark = pytest.mark.clock


@pytest.fixture
def instance(tmp_path: Path):
    """A real instance with the repository's dagster.yaml."""
    (tmp_path / "dagster.yaml").symlink_to(DEFS.parent / "resources/dagster_instance/dagster.yaml")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def test_classes_that_cannot_be_imported_are_named_with_their_section(instance, tmp_path: Path):
    assert instance_probe.find_missing_classes(instance) == []
    settings = {
        "run_launcher": {"module": "a_company.launchers", "class": "Launcher"},
        "run_coordinator": {"module": "dagster", "class": "NoSuchCoordinator"},
    }
    other = tmp_path / "other"
    other.mkdir()
    (other / "dagster.yaml").write_text(yaml.safe_dump(settings))
    with dg.DagsterInstance.from_config(str(other)) as opened:
        coordinator, launcher = sorted(instance_probe.find_missing_classes(opened))
    assert launcher == "run_launcher: a_company.launchers.Launcher cannot be imported (No module named 'a_company')"
    assert coordinator.startswith("run_coordinator: dagster.NoSuchCoordinator cannot be imported (")


def test_the_storage_has_the_kind_of_its_least_durable_part(instance):
    assert instance_probe.read_storage_kind(instance) == "sqlite"
    with dg.DagsterInstance.ephemeral() as in_memory:
        assert instance_probe.read_storage_kind(in_memory) == "memory"


def test_tables_of_an_older_version_are_noticed(instance, tmp_path: Path):
    import sqlite3

    revision, head = instance_probe.read_schema_revisions(instance)
    assert revision == head
    with sqlite3.connect(tmp_path / "history" / "runs.db") as runs:
        runs.execute("UPDATE alembic_version SET version_num = '9483999bad92'")
    assert instance_probe.read_schema_revisions(instance) == ("9483999bad92", head)


def test_daemons_have_the_age_of_their_heartbeat_or_none(instance):
    beat = (datetime.now(UTC) - timedelta(seconds=50)).timestamp()
    instance.add_daemon_heartbeat(DaemonHeartbeat(beat, "SENSOR", "id", []))
    ages = instance_probe.read_heartbeat_ages(instance)
    assert {"SENSOR", "SCHEDULER", "QUEUED_RUN_COORDINATOR", "MONITORING"} <= ages.keys()
    assert 49 < (ages.pop("SENSOR") or 0) <= datetime.now(UTC).timestamp() - beat
    assert set(ages.values()) == {None}


def test_limits_of_pools_are_their_own_or_the_default(instance):
    instance.event_log_storage.set_concurrency_slots("gpu", 2)
    assert instance_probe.read_pool_limits(instance) == ({"gpu": 2}, 1)
    assert instance_probe.has_run_queue(instance)
    with dg.DagsterInstance.ephemeral() as bare:
        assert instance_probe.read_pool_limits(bare) == ({}, None)
        assert not instance_probe.has_run_queue(bare)


def test_the_assets_of_a_model_are_in_its_pool():
    (used,) = instance_probe.list_pools(build_assets(ModelSpec.model_validate(SMALL))).items()
    assert used[0] == "small"
    assert {"small/raw_data", "small/model_registry_entry"} <= set(used[1])


def add_sensor(
    instance: dg.DagsterInstance, of: RemoteRepositoryOrigin, name: str, status: InstigatorStatus
) -> InstigatorState:
    """Store the state of a sensor."""
    state = InstigatorState(RemoteInstigatorOrigin(of, name), InstigatorType.SENSOR, status, SensorInstigatorData())
    instance.add_instigator_state(state)
    return state


def add_tick(instance: dg.DagsterInstance, state: InstigatorState, at: datetime) -> None:
    """Store a tick of a sensor."""
    kind = InstigatorType.SENSOR
    instance.create_tick(
        TickData(
            state.instigator_origin_id,
            state.name,
            kind,
            TickStatus.SKIPPED,
            at.timestamp(),
            selector_id=state.selector_id,
        )
    )


def test_a_sensor_whose_newest_tick_is_in_the_future_waits_for_that_time(instance):
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("ml_assets"), "__repository__")
    now = datetime.now(UTC)
    for name, status, at in [
        ("arrivals", InstigatorStatus.RUNNING, now + timedelta(days=1)),
        ("daily", InstigatorStatus.RUNNING, now),
        ("off", InstigatorStatus.STOPPED, now + timedelta(days=1)),
    ]:
        state = add_sensor(instance, repository, name, status)
        add_tick(instance, state, now - timedelta(days=2))
        add_tick(instance, state, at)
    declared = {"arrivals": True, "daily": True, "off": True, "never_ticked": True}
    stopped, running, waiting = instance_probe.read_automation(instance, declared, "ml_assets")
    assert (stopped, running) == (["off"], ["arrivals", "daily", "never_ticked"])
    assert waiting == {"arrivals": now + timedelta(days=1)}


def test_a_switch_by_hand_overrides_the_declaration(instance):
    declared = {"arrivals": True, "daily": True, "retention": False, "other": False}
    assert instance_probe.read_automation(instance, declared, "ml_assets") == (
        ["other", "retention"],
        ["arrivals", "daily"],
        {},
    )
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("ml_assets"), "__repository__")
    another = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("risk"), "__repository__")
    for of, name, status in [
        (repository, "daily", InstigatorStatus.STOPPED),
        (repository, "other", InstigatorStatus.RUNNING),
        (repository, "arrivals", InstigatorStatus.DECLARED_IN_CODE),
        (another, "retention", InstigatorStatus.RUNNING),
    ]:
        add_sensor(instance, of, name, status)
    assert instance_probe.read_automation(instance, declared, "ml_assets") == (
        ["daily", "retention"],
        ["arrivals", "other"],
        {},
    )
    assert instance_probe.read_automation(instance, declared, "unknown")[1] == ["arrivals", "other", "retention"]
