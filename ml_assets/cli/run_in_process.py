"""Runs of a job in this process: some assets over consecutive days, and the reason when a run fails."""

import logging
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ml_assets.cli.faults import check_interrupted
from ml_assets.core.model_spec import ModelSpec
from ml_assets.defs.environment import load_settings
from ml_assets.pipeline.asset_names import asset_key, step_name
from ml_assets.pipeline.steps.retries import ATTENDED, OF_DATA
from ml_assets.resources.dagster_instance.dead_runs import NOT_RETRIED, fail_dead_runs, mark_alive
from ml_assets.resources.dagster_instance.log_capture import uninterrupted_log_capture

if TYPE_CHECKING:
    import dagster as dg

PART = "ml_assets/part"
log = logging.getLogger("ml_assets.days")


class RunFailed(Exception):
    """A run failed; the message names the steps and the reasons."""

    def __init__(self, result: "dg.ExecuteInProcessResult"):
        super().__init__(_describe_failure(result))
        self.result = result

    def is_of_data(self) -> bool:
        """Return whether landed files or the specification have to be corrected; for any other failure the message says
        what to do.
        """
        failures = _failures(self.result)
        return bool(failures) and all(_is_check_failure(event) or _is_of_data(event) for event in failures)

    def is_only_of_checks(self, step: str) -> bool:
        """Return whether the only failures are blocking checks of one step. A run may fail before its first step."""
        failures = _failures(self.result)
        return bool(failures) and all(_is_check_failure(event) and event.step_key == step for event in failures)


def run_days(
    job: "dg.JobDefinition",
    instance: "dg.DagsterInstance",
    spec: ModelSpec,
    names: Sequence[str],
    days: Sequence[date],
    part: str = "",
    ops: Mapping[str, Any] | None = None,
) -> "dg.ExecuteInProcessResult":
    """Materialize assets over consecutive days in one run.

    A person waits for this run, so its steps are retried after seconds, not minutes. Earlier runs that died with their
    process are logged and marked failed.

    Args:
        job: the job.
        instance: the instance that stores the run.
        spec: the model's specification.
        names: names of the assets.
        days: the days, ascending, without a gap.
        part: the part of the command that this run does, such as `1 of 4: rows`, for a tag of the run.
        ops: the section `ops` of the run config.

    Raises:
        RunFailed: when the run fails.
        SystemExit: with a message, when a resource or logger of the project lacks its config.
        Interrupted: when the process got a signal that ends it.
    """
    import dagster as dg

    check_interrupted()
    dead_runs = fail_dead_runs(instance)
    for text in dead_runs:
        log.warning(text, extra={"notice": text})
    if dead_runs:
        _end_their_mlflow_runs(instance, spec)
    run_id = str(uuid4())
    mark_alive(instance, run_id)
    assets = frozenset(asset_key(spec, name) for name in names)
    # A selection of assets alone would include checks that the job leaves out.
    checks = frozenset(key for key in job.asset_layer.asset_graph.asset_check_keys if key.asset_key in assets)
    # A project may have other loggers; Dagster's own takes a level.
    has_console = job.loggers.get("console") is dg.colored_console_logger
    loggers = {"console": {"config": {"log_level": "CRITICAL"}}} if has_console else {}
    with uninterrupted_log_capture(instance), _config_errors_in_a_sentence(spec):
        result = job.get_subset(asset_selection=assets, asset_check_selection=checks).execute_in_process(
            instance=instance,
            run_id=run_id,
            tags=_tags(names, days, part),
            run_config={"ops": dict(ops or {}), "loggers": loggers},
            raise_on_error=False,
        )
    check_interrupted()
    if not result.success:
        raise RunFailed(result)
    return result


def own_failed_checks(result: "dg.ExecuteInProcessResult", spec: ModelSpec, names: Sequence[str]) -> dict[str, str]:
    """Return the severity of each failed check that the project adds to a model, by its asset and name.

    Args:
        result: a run.
        spec: the model's specification.
        names: the assets of the run; their steps evaluate the checks of the model itself.
    """
    import dagster as dg

    steps = {step_name(spec, name) for name in names}
    checks = (
        event.asset_check_evaluation_data
        for event in result.all_events
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION and event.step_key not in steps
    )
    return {
        f"{check.asset_key.path[-1]}: {check.check_name}": (
            "error" if check.severity is dg.AssetCheckSeverity.ERROR else "warning"
        )
        for check in checks
        if not check.passed
    }


@contextmanager
def _config_errors_in_a_sentence(spec: ModelSpec) -> Iterator[None]:
    """End with a sentence if a resource or logger of the project lacks its config."""
    import dagster as dg

    try:
        yield
    except dg.DagsterInvalidConfigError as error:
        reasons = [line.strip() for problem in error.errors for line in problem.message.splitlines() if line.strip()]
        # The reason of a variable that is not set stands within a stack trace.
        unset = [line for line in reasons if "environment variable" in line]
        reason = re.sub(r"^[\w.]+Error: ", "", (unset or reasons)[0])
        sys.exit(f"{spec.name}: the run cannot start, because its config is not valid: {reason}")


def _end_their_mlflow_runs(instance: "dg.DagsterInstance", spec: ModelSpec) -> None:
    from ml_assets.resources.mlflow.dead_runs import end_dead_runs_of

    try:
        end_dead_runs_of(load_settings().mlflow, spec.name, instance)
    except ConnectionError as error:
        log.warning("MLflow runs of processes that are gone could not be ended: %s", error)


def _tags(names: Sequence[str], days: Sequence[date], part: str) -> dict[str, str]:
    from ml_assets.pipeline.notifications.run_events import ASSETS_TAG

    tags = {**_partition_tags(days), **NOT_RETRIED, ATTENDED: "true", ASSETS_TAG: " ".join(names)}
    return {**tags, PART: part} if part else tags


def _partition_tags(days: Sequence[date]) -> dict[str, str]:
    from ml_assets.pipeline.steps.partition_tags import PARTITION, range_tags

    return {PARTITION: days[0].isoformat()} if len(days) == 1 else range_tags(days[0], days[-1])


def _describe_failure(result: "dg.ExecuteInProcessResult") -> str:
    reasons = [
        f"{event.step_key}: {_root_cause(event.step_failure_data)}"
        for event in _failures(result)
        if not _is_check_failure(event)
    ]
    reasons += [f"run: {_run_error(event)}" for event in result.all_events if event.is_run_failure and not reasons]
    failed = [check for check in result.get_asset_check_evaluations() if check.blocking and not check.passed]
    reasons += [f"{check.asset_key.to_user_string()}: {check.check_name}: {check.description}" for check in failed]
    return "\n".join([f"run {result.run_id} failed; `ml-assets ui` shows its events", *reasons])


def _failures(result: "dg.ExecuteInProcessResult") -> "list[dg.DagsterEvent]":
    return [event for event in result.all_events if event.is_step_failure]


def _is_check_failure(event: "dg.DagsterEvent") -> bool:
    """Return whether a step failed because of a blocking check."""
    from ml_assets.resources.dagster_internals.serialized_errors import is_check_failure

    return is_check_failure(event.step_failure_data.error)


def _is_of_data(event: "dg.DagsterEvent") -> bool:
    failure = event.step_failure_data.user_failure_data
    value = failure.metadata.get(OF_DATA) if failure else None
    return value is not None and bool(value.value)


def _run_error(event: "dg.DagsterEvent") -> str:
    error = getattr(event.event_specific_data, "error", None)
    return error.message.strip() if error is not None else str(event.message)


def _root_cause(failure: Any) -> str:
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    return error.to_string() if error is not None else "unknown error"
