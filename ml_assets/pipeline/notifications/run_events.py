"""Notification events from ended runs and from Dagster's freshness policies."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.core.operations.notifications.events import Kind, NotificationEvent, Severity
from ml_assets.core.operations.notifications.message import shorten
from ml_assets.pipeline.asset_names import RAW, VALIDATED, model_and_asset, page_of
from ml_assets.pipeline.automation.failure_sensor import WILL_RETRY
from ml_assets.pipeline.graph.asset_specs import FOLLOW_EACH_DAY
from ml_assets.pipeline.notifications.check_events import events_of_check
from ml_assets.pipeline.steps.partition_tags import partition_of
from ml_assets.resources.dagster_internals.asset_jobs import IMPLICIT_ASSET_JOB_NAME
from ml_assets.resources.dagster_internals.run_tags import HIDDEN_TAG_PREFIX

if TYPE_CHECKING:
    from ml_assets.resources.dagster_internals.freshness import FreshnessStateChange
    from ml_assets.resources.dagster_internals.serialized_errors import SerializableErrorInfo

MODEL_TAG = "model"
ASSETS_TAG = f"{HIDDEN_TAG_PREFIX}ml_assets.assets"
"""The selected assets of a run of `ml-assets`, as Dagster records no selection of a run of a subset of a job."""
# Messages of Dagster: of its run monitoring when it ends a run, of a run that another process ends, of the code server
# when the process of a run has died, of run monitoring in that case, and of its executor before the reason of a step's
# pod.
RUNTIME_EXCEEDED = "Exceeded maximum runtime"
FAILED_OUTSIDE = "This run has been marked as failed from outside the execution context."
PROCESS_DIED = "Run execution process for {}"
WORKER_FAILED = re.compile(
    r"Detected run worker status \w+: '(?P<reason>.*?)'\. Marking run \S+ as failed\.?", re.DOTALL
)
FAILED_HEALTH_CHECK = "Step {} failed health check: "
# For these two assets the freshness check is more exact than the policy.
FOLLOWED_BY_POLICY = tuple(name for name in FOLLOW_EACH_DAY if name not in (RAW, VALIDATED))


def events_of_run(
    instance: dg.DagsterInstance, ended: dg.EventLogEntry, repository: dg.RepositoryDefinition
) -> Iterator[NotificationEvent]:
    """Yield the events of an ended run: its success or failure, and the events of its checks.

    A cancelled run is neither, and a dry run that succeeded repairs nothing. A run that only checks stopped has no
    failure of its own, because each of these checks has one.

    Args:
        instance: the Dagster instance; a deleted run has no events.
        ended: the event of its success, failure or cancellation.
        repository: the definitions, which know the blocking checks and the assets of jobs.
    """
    run = instance.get_run_by_id(ended.run_id)
    if run is None:
        return
    types = {
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
        dg.DagsterEventType.STEP_FAILURE,
        dg.DagsterEventType.ENGINE_EVENT,
    }
    entries = instance.all_logs(run.run_id, of_type=types)
    checks = [
        (entry.step_key, event)
        for entry in entries
        if entry.dagster_event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
        for event in _events_of_evaluation(entry, repository)
    ]
    failed = ended.dagster_event_type is dg.DagsterEventType.RUN_FAILURE
    steps_with_notified_checks = {step for step, event in checks if event.failed}
    has_no_event = (
        ended.dagster_event_type is dg.DagsterEventType.RUN_CANCELED
        or (failed and _only_checks_failed(entries, steps_with_notified_checks))
        or (not failed and _is_dry_run(run))
    )
    selected = _partial_selection(run, repository)
    for model in () if has_no_event else _models(run):
        event = _run_event(run, model, ended, failed, entries, selected)
        yield event
        if not failed and not event.assets:
            yield from (replace(event, detail=job) for job in _jobs_within(run.job_name, model, repository))
    yield from (event for _, event in checks)


def _events_of_evaluation(entry: dg.EventLogEntry, repository: dg.RepositoryDefinition) -> Iterator[NotificationEvent]:
    evaluation = entry.get_dagster_event().asset_check_evaluation_data
    blocks = evaluation.blocking or _is_blocking(evaluation.asset_check_key, repository)
    return events_of_check(evaluation, _time_of(entry), entry.run_id, blocks)


def _only_checks_failed(
    entries: Sequence[dg.EventLogEntry], steps_with_notified_checks: Collection[str | None]
) -> bool:
    """Return whether a blocking check stopped each failed step, and the check has a notification of its own."""
    from ml_assets.resources.dagster_internals.serialized_errors import is_check_failure

    failures = [entry for entry in entries if entry.dagster_event_type is dg.DagsterEventType.STEP_FAILURE]
    return bool(failures) and all(
        entry.step_key in steps_with_notified_checks
        and is_check_failure(entry.get_dagster_event().step_failure_data.error)
        for entry in failures
    )


def events_of_freshness(change: "FreshnessStateChange") -> Iterator[NotificationEvent]:
    """Yield the event of a changed freshness state, for assets that `newest_day_on_time` does not cover."""
    from ml_assets.resources.dagster_internals.freshness import FreshnessState

    names = model_and_asset(change.key)
    if (
        names is None
        or names[1] not in FOLLOWED_BY_POLICY
        or change.new_state not in (FreshnessState.PASS, FreshnessState.FAIL)
    ):
        return
    model, asset = names
    at = datetime.fromtimestamp(change.state_change_timestamp, UTC)
    message = f"{asset} is late: no day of it was made since the last deadline"
    failed = change.new_state is FreshnessState.FAIL
    yield NotificationEvent(
        Kind.FRESHNESS, model, "", asset, failed=failed, at=at, message=message, link=page_of(change.key)
    )


def _run_event(
    run: dg.DagsterRun,
    model: str,
    ended: dg.EventLogEntry,
    failed: bool,
    entries: Sequence[dg.EventLogEntry],
    assets: Sequence[dg.AssetKey],
) -> NotificationEvent:
    partition = partition_of(run.tags)
    retried = failed and run.tags.get(WILL_RETRY) == "true"
    job = f"{run.job_name} of {partition}" if partition else run.job_name
    state = f"{job} failed and will be retried" if retried else f"{job} failed"
    return NotificationEvent(
        Kind.RUN_FAILURE,
        model,
        partition,
        run.job_name,
        failed=failed,
        at=_time_of(ended),
        severity=Severity.WARNING if retried else Severity.ERROR,
        message=shorten(f"{state}: {_reason(ended, entries)}") if failed else "",
        run=run.run_id,
        link=f"/runs/{run.run_id}",
        assets=frozenset(names[1] for key in assets if (names := model_and_asset(key)) and names[0] == model)
        or frozenset(run.tags.get(ASSETS_TAG, "").split()),
        retried=retried,
    )


def _partial_selection(run: dg.DagsterRun, repository: dg.RepositoryDefinition) -> Sequence[dg.AssetKey]:
    """Return the selected assets of a run, or nothing if it ran all assets of its job."""
    selected = run.asset_selection or frozenset()
    return [] if selected == _assets_of_job(run.job_name, repository) else sorted(selected)


def _assets_of_job(job: str, repository: dg.RepositoryDefinition) -> set[dg.AssetKey]:
    """Return the assets of a job; none of a job that is not defined, or that Dagster makes for any assets."""
    if job == IMPLICIT_ASSET_JOB_NAME or not repository.has_job(job):
        return set()
    return set(repository.get_job(job).asset_layer.selected_asset_keys)


def _jobs_within(job: str, model: str, repository: dg.RepositoryDefinition) -> list[str]:
    """List the jobs of a model with some of the assets of this job, which repairs their failures as well."""
    assets = _assets_of_job(job, repository)
    others = [name for name in repository.job_names if name.startswith(f"{model}_")]
    return [name for name in others if (part := _assets_of_job(name, repository)) and part < assets]


def _is_dry_run(run: dg.DagsterRun) -> bool:
    ops: Any = run.run_config.get("ops") or {}
    return any(((op or {}).get("config") or {}).get("dry_run") is True for op in ops.values())


def _is_blocking(key: dg.AssetCheckKey, repository: dg.RepositoryDefinition) -> bool:
    """Return whether a check is declared as blocking; its evaluation does not say so if some days of the run passed."""
    graph = repository.asset_graph
    return key in graph.asset_check_keys and graph.get_check_spec(key).blocking


def _models(run: dg.DagsterRun) -> list[str]:
    """Return the models of a run, by its assets, else by its tag; the name of the job if it belongs to no model."""
    keys = [*(run.asset_selection or ()), *(check.asset_key for check in run.asset_check_selection or ())]
    models = sorted({(model_and_asset(key) or key.path)[0] for key in keys})
    return models or [run.tags.get(MODEL_TAG) or run.job_name]


def _reason(ended: dg.EventLogEntry, entries: Sequence[dg.EventLogEntry]) -> str:
    """Return the first failed step with its reason, or that of the run if no step failed or it was interrupted."""
    from ml_assets.resources.dagster_internals.serialized_errors import is_interruption

    reason = ended.get_dagster_event().message or ended.user_message or "Dagster gives no reason"
    if reason.startswith(RUNTIME_EXCEEDED):
        reason = f"{reason.removesuffix('.')} (compute.run_max_runtime)"
    for entry in entries:
        if entry.dagster_event_type is dg.DagsterEventType.STEP_FAILURE:
            data = entry.get_dagster_event().step_failure_data
            if is_interruption(data.error):
                return f"step {entry.step_key} was interrupted: {reason}"
            description = data.user_failure_data.description if data.user_failure_data else None
            cause = description or _root_cause(data.error)
            return f"step {entry.step_key}: {cause.removeprefix(FAILED_HEALTH_CHECK.format(entry.step_key))}"
    if reason == FAILED_OUTSIDE:
        return _why_failed_outside(ended.run_id, entries)
    return WORKER_FAILED.sub(lambda match: match["reason"], reason)


def _why_failed_outside(run: str, entries: Sequence[dg.EventLogEntry]) -> str:
    """Return why the code server ended a run, which it tells in an event before the failure."""
    events = [event for entry in reversed(entries) if (event := entry.get_dagster_event()).is_engine_event]
    died = PROCESS_DIED.format(run)
    for event in events:
        if (event.message or "").startswith(died):
            return f"its process{(event.message or '').removeprefix(died)}"
    error = next(filter(None, (event.engine_event_data.error for event in events)), None)
    return f"it could not start: {_root_cause(error)}" if error is not None else FAILED_OUTSIDE


def _root_cause(error: "SerializableErrorInfo | None") -> str:
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error is not None else "Dagster gives no reason"


def _time_of(entry: dg.EventLogEntry) -> datetime:
    return datetime.fromtimestamp(entry.timestamp, UTC)
