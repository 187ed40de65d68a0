"""dagster.yaml, dagster-postgres.yaml and the values of the Dagster chart agree where they must."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster_postgres import PostgresEventLogStorage

from ml_assets.core.operations.doctor.diagnosis import Severity
from ml_assets.core.operations.doctor.instance_checks import freed_slots, run_monitoring, run_retries
from ml_assets.definitions import DEFS
from ml_assets.resources.probes import instance_probe
from ml_assets_tests.helm.charts import PLACES
from ml_assets_tests.helm.dagster.dagster_chart import instance_config
from ml_assets_tests.helm.dagster.test_dagster_values import dagster_values
from ml_assets_tests.support.postgresql import PASSWORD, USER, PostgresqlServer

REPOSITORY = DEFS.parents[1]
LOCAL, POSTGRESQL = (
    yaml.safe_load((REPOSITORY / "ml_assets/resources/dagster_instance" / name).read_text())
    for name in ("dagster.yaml", "dagster-postgres.yaml")
)

# Each part of an instance is either the same everywhere or differs for a stated reason.
SAME = {"telemetry", "nux", "run_retries", "retention", "freshness", "python_logs"}
# The pod of a run may wait for a new node, so `start_timeout_seconds` is longer in the cluster.
MONITORING = {"enabled", "cancel_timeout_seconds", "max_runtime_seconds", "poll_interval_seconds"}
SAME_WITHIN = {
    "concurrency": {"pools"},
    "run_monitoring": {*MONITORING, "max_resume_run_attempts", "free_slots_after_run_end_seconds"},
    "scheduler": {"class", "config"},
}
DIFFERENT = {
    "event_log_storage": "SQLite files on the laptop, PostgreSQL in the cluster",
    "run_storage": "a SQLite file on the laptop, PostgreSQL in the cluster",
    "schedule_storage": "a SQLite file on the laptop, PostgreSQL in the cluster",
    "run_launcher": "processes on the laptop, pods in the cluster",
    "run_coordinator": (
        "the laptop's polls more often and sets the limits of pools, which the cluster sets before the daemon starts"
    ),
    "compute_logs": "files on the laptop, a bucket in the cluster",
    "sensors": "threads of the cluster's daemon",
    "schedules": "threads of the cluster's daemon",
    "backfills": "threads of the cluster's daemon",
}


SQLITE_STORAGES = {"run_storage", "schedule_storage", "event_log_storage"}


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """List the parts in which two instances must agree and do not, and the parts that no rule above mentions."""
    unknown = (first.keys() | second.keys()) - SAME - SAME_WITHIN.keys() - DIFFERENT.keys()
    differing = [f"{part}: say whether it must be the same" for part in sorted(unknown)]
    differing += [part for part in sorted(SAME) if first.get(part) != second.get(part)]
    for part, names in SAME_WITHIN.items():
        differing += [
            f"{part}.{name}"
            for name in sorted(names)
            if first.get(part, {}).get(name) != second.get(part, {}).get(name)
        ]
    return differing


@pytest.mark.parametrize("place", PLACES)
def test_the_laptop_and_the_cluster_agree_where_they_must(place):
    assert differences(LOCAL, instance_config(dagster_values(place))) == []


def test_the_instance_on_postgresql_differs_from_the_local_one_only_in_its_storage():
    assert {**LOCAL, "storage": None, **dict.fromkeys(SQLITE_STORAGES)} == {
        **POSTGRESQL,
        "storage": None,
        **dict.fromkeys(SQLITE_STORAGES),
    }
    assert not SQLITE_STORAGES & POSTGRESQL.keys()
    assert "storage" not in LOCAL


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("run_monitoring", "free_slots_after_run_end_seconds"), 0),
        (("run_monitoring", "max_runtime_seconds"), 1),
        (("run_retries", "retry_on_asset_or_op_failure"), True),
        (("run_retries", "max_retries"), 3),
        (("retention", "sensor", "purge_after_days", "skipped"), 8),
        (("concurrency", "pools", "granularity"), "op"),
        (("concurrency", "pools", "default_limit"), 2),
        (("scheduler", "config", "max_catchup_runs"), 5),
        (("freshness", "enabled"), False),
        (("auto_materialize",), {"enabled": True}),
    ],
)
def test_a_setting_that_changes_on_one_side_is_reported(path, value):
    changed = copy.deepcopy(instance_config(dagster_values("production")))
    part = changed
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    (difference,) = differences(LOCAL, changed)
    assert difference.startswith(path[0])


@pytest.mark.parametrize("settings", [LOCAL, POSTGRESQL, *(instance_config(dagster_values(place)) for place in PLACES)])
def test_every_instance_passes_the_checks_of_the_doctor(settings):
    diagnoses = [run_retries(settings, production=True), run_monitoring(settings), freed_slots(settings)]
    assert [diagnosis for diagnosis in diagnoses if diagnosis.severity is not Severity.OK] == []


def test_the_storage_of_the_cluster_opens_on_a_real_server(postgresql: PostgresqlServer, tmp_path: Path, monkeypatch):
    config = instance_config(dagster_values("production"))
    storages = copy.deepcopy({name: config[name] for name in ("run_storage", "event_log_storage", "schedule_storage")})
    database = postgresql.new_database().rpartition("/")[2]
    # The server of the tests has no certificate.
    test_server = {
        "hostname": "127.0.0.1",
        "port": postgresql.port,
        "db_name": database,
        "username": USER,
        "params": {},
    }
    for storage in storages.values():
        storage["config"]["postgres_db"] |= test_server
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(storages))
    monkeypatch.setenv("DAGSTER_PG_PASSWORD", PASSWORD)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert isinstance(instance.event_log_storage, PostgresEventLogStorage)
        assert instance_probe.read_storage_kind(instance) == "postgresql"
        revision, head = instance_probe.read_schema_revisions(instance)
        assert revision == head
