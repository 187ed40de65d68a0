"""The private names of Dagster that `resources/dagster_internals` relies on. Each test is named after the feature that
breaks when Dagster changes them.
"""

import dataclasses
import inspect
from types import SimpleNamespace

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.events import DagsterEvent
from dagster._core.execution.plan import execute_step
from dagster._core.executor.step_delegating import StepDelegatingExecutor, StepHandler, StepHandlerContext
from dagster._core.instance import MayHaveInstanceWeakref
from dagster._core.launcher import CheckRunHealthResult, RunLauncher, WorkerStatus
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.tags import TagType, get_tag_type
from dagster._daemon import controller
from dagster.components.core.component_tree_state import ComponentTreeStateTracker
from dagster.components.core.decl import YamlFileDecl, build_component_decl_from_yaml_document
from dagster_shared.yaml_utils.source_position import ValueAndSourcePositionTree

from ml_assets.core.kubernetes.pod_failures import OUT_OF_MEMORY
from ml_assets.resources.dagster_internals.asset_jobs import IMPLICIT_ASSET_JOB_NAME, AssetLayer
from ml_assets.resources.dagster_internals.automation_state import InstigatorStatus
from ml_assets.resources.dagster_internals.freshness import FreshnessState, FreshnessStateChange
from ml_assets.resources.dagster_internals.partition_events import (
    DATA_VERSION_TAG,
    PartitionVersions,
    targets_of_checks,
)
from ml_assets.resources.dagster_internals.run_tags import GRPC_INFO_TAG, HIDDEN_TAG_PREFIX
from ml_assets.resources.dagster_internals.serialized_errors import SerializableErrorInfo
from ml_assets.resources.dagster_internals.step_execution import CheckStepHealthResult, EngineEventData, StepRetryData


def parameters(function) -> list[str]:
    return list(inspect.signature(function).parameters)


def fields(record: type) -> set[str]:
    return set(getattr(record, "_fields", ())) or {field.name for field in dataclasses.fields(record)}


@dg.asset
def an_asset() -> None: ...


def test_asset_jobs():
    job = dg.define_asset_job("job", [an_asset])
    assert isinstance(job, UnresolvedAssetJobDefinition)
    layer = dg.Definitions([an_asset], jobs=[job]).resolve_job_def("job").asset_layer
    assert isinstance(layer, AssetLayer)
    assert parameters(AssetLayer.get_assets_def_for_node) == ["self", "node_handle"]
    assert dg.Definitions([an_asset]).resolve_implicit_global_asset_job_def().name == IMPLICIT_ASSET_JOB_NAME


def test_automation_state():
    assert {status.name for status in InstigatorStatus} >= {"RUNNING", "STOPPED", "DECLARED_IN_CODE"}


def test_component_documents():
    assert parameters(build_component_decl_from_yaml_document) == ["context", "source_tree", "path"]
    assert set(YamlFileDecl.__annotations__) == {"context", "loc", "decls", "source_positions"}
    assert parameters(ComponentTreeStateTracker.set_cache_data) == ["self", "loc", "kwargs"]
    assert ValueAndSourcePositionTree._fields == ("value", "source_position_tree")


def test_event_log_columns():
    assert set(SqlEventLogStorageTable.c.keys()) == {
        *("id", "run_id", "event", "dagster_event_type", "timestamp", "step_key", "asset_key", "partition"),
    }


def test_event_log_overridden_methods():
    assert parameters(SqliteEventLogStorage.__init__) == ["self", "base_dir", "inst_data"]
    assert parameters(SqliteEventLogStorage._connect) == ["self", "shard"]
    assert parameters(SqliteEventLogStorage._initdb)[:2] == ["self", "engine"]
    assert parameters(SqliteEventLogStorage.path_for_shard) == ["self", "run_id"]
    assert parameters(SqliteEventLogStorage.conn_string_for_shard) == ["self", "shard_name"]
    assert parameters(SqliteEventLogStorage.store_event_batch) == ["self", "events"]
    assert {"_db_lock", "_initialized_dbs"} <= set(SqliteEventLogStorage.__init__.__code__.co_names)


def test_event_log_used_methods():
    assert parameters(SqlEventLogStorage._event_to_row) == ["self", "event"]
    assert parameters(SqlEventLogStorage._store_asset_event) == ["self", "conn", "event", "event_id"]
    assert parameters(SqlEventLogStorage._store_asset_event_tags) == ["self", "conn", "events", "event_ids"]


def test_freshness():
    assert {state.name for state in FreshnessState} >= {"PASS", "FAIL"}
    assert fields(FreshnessStateChange) >= {"key", "new_state", "previous_state", "state_change_timestamp"}


def test_run_launcher():
    assert parameters(RunLauncher.check_run_worker_health) == ["self", "run"]
    assert fields(CheckRunHealthResult) >= {"status", "msg"}
    assert {status.name for status in WorkerStatus} >= {"RUNNING", "FAILED"}
    assert parameters(dg.DefaultRunLauncher._get_grpc_client_for_termination) == ["self", "run_id"]
    assert isinstance(MayHaveInstanceWeakref._instance, property)


def test_run_queue():
    assert controller.DEFAULT_DAEMON_INTERVAL_SECONDS > 0
    assert "DEFAULT_DAEMON_INTERVAL_SECONDS" in controller.create_daemon_of_type.__code__.co_names
    assert parameters(SqlEventLogStorage.initialize_concurrency_limit_to_default) == ["self", "concurrency_key"]
    assert parameters(SqlEventLogStorage.get_concurrency_keys) == ["self"]
    assert hasattr(dg.DagsterRun, "run_op_concurrency") or "run_op_concurrency" in fields(dg.DagsterRun)


def test_run_tags():
    assert GRPC_INFO_TAG == ".dagster/grpc_info"
    assert get_tag_type(f"{HIDDEN_TAG_PREFIX}ml_assets.assets") is TagType.HIDDEN


def test_serialized_errors():
    assert fields(SerializableErrorInfo) >= {"message", "stack", "cls_name", "cause", "context"}


def test_step_execution():
    assert {"launch_step", "check_step_health", "terminate_step", "name"} == StepHandler.__abstractmethods__
    assert parameters(StepDelegatingExecutor.__init__)[1:] == [
        *("step_handler", "retries", "sleep_seconds", "check_step_health_interval_seconds", "max_concurrent"),
        *("tag_concurrency_limits", "should_verify_step", "step_dependency_config"),
    ]
    assert parameters(StepDelegatingExecutor.log_failure_or_retry_event_after_error) == [
        *("self", "step_context", "err_info", "known_state"),
    ]
    names = StepDelegatingExecutor.execute.__code__.co_names
    assert {"log_failure_or_retry_event_after_error", "check_step_health", "launch_step", "terminate_step"} <= set(
        names
    )
    assert isinstance(StepHandlerContext.step_tags, property)
    assert fields(StepRetryData) >= {"error", "seconds_to_wait"}
    assert fields(CheckStepHealthResult) >= {"is_healthy", "unhealthy_reason"}
    assert parameters(DagsterEvent.step_worker_starting) == ["step_context", "message", "metadata"]
    assert parameters(DagsterEvent.step_retry_event) == ["step_context", "step_retry_data"]
    assert parameters(DagsterEvent.engine_event)[:3] == ["plan_context", "message", "event_specific_data"]
    assert EngineEventData() is not None


def test_kubernetes_jobs():
    from dagster_k8s.client import DagsterKubernetesClient
    from dagster_k8s.executor import K8sStepHandler
    from dagster_k8s.job import UserDefinedDagsterK8sConfig, get_user_defined_k8s_config
    from kubernetes.client import V1ContainerState, V1ContainerStateTerminated

    assert parameters(K8sStepHandler._get_k8s_step_job_name) == ["self", "step_handler_context"]
    assert parameters(K8sStepHandler._get_container_context) == ["self", "step_handler_context"]
    assert "_api_client" in K8sStepHandler.__init__.__code__.co_names
    assert "_step_handler" in StepDelegatingExecutor.__init__.__code__.co_names
    assert parameters(DagsterKubernetesClient.get_pods_in_job) == ["self", "job_name", "namespace"]
    assert parameters(DagsterKubernetesClient.get_job_status)[:3] == ["self", "job_name", "namespace"]
    assert parameters(DagsterKubernetesClient.delete_job) == ["self", "job_name", "namespace"]
    assert parameters(get_user_defined_k8s_config) == ["tags"]
    assert {"pod_spec_config", "container_config"} <= fields(UserDefinedDagsterK8sConfig)
    # The event of a lost run has this text.
    killed = V1ContainerState(terminated=V1ContainerStateTerminated(exit_code=137, reason=OUT_OF_MEMORY))
    assert OUT_OF_MEMORY in DagsterKubernetesClient._get_container_status_str(None, SimpleNamespace(state=killed))


def test_partition_events(capfd):
    names = parameters(execute_step._get_output_asset_events.__globals__["_get_output_asset_events"])
    assert names[:3] == ["asset_key", "asset_partitions", "output"]
    # The function that yields the events looks the replaced one up in its module.
    assert execute_step._get_output_asset_events.__module__ == PartitionVersions.__module__
    days = dg.StaticPartitionsDefinition(["a", "b"])

    @dg.multi_asset(
        specs=[dg.AssetSpec("versioned"), dg.AssetSpec("beside", deps=["versioned"])],
        check_specs=[dg.AssetCheckSpec("checked", asset="versioned")],
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def versioned(context: dg.AssetExecutionContext):
        versions = PartitionVersions({"a": "1", "b": "2"})
        for key in ("versioned", "beside"):
            context.set_data_version(dg.AssetKey(key), versions)
            yield dg.MaterializeResult(asset_key=key, data_version=versions)
        yield dg.AssetCheckResult(asset_key="versioned", check_name="checked", passed=True)

    tags = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "b"}
    instance = dg.DagsterInstance.ephemeral()
    result = dg.materialize([versioned], tags=tags, instance=instance)
    targets = targets_of_checks(instance, dg.AssetKey("versioned"), ["a", "b"])
    assert {name: target.run_id for name, target in targets.items()} == dict.fromkeys(["a", "b"], result.run_id)
    assert "Data version mismatch" not in "".join(capfd.readouterr())
    entries = [event.step_materialization_data.materialization for event in result.get_asset_materialization_events()]
    assert {entry.partition: (entry.tags or {})[DATA_VERSION_TAG] for entry in entries[:2]} == {
        "a": "1",
        "b": "2",
    }
