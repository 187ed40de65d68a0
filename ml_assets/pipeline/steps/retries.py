"""The retry policy of steps: depending on its kind, a failure is retried after a delay, or is final and names the
remedy.
"""

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import dagster as dg

from ml_assets.core.kubernetes.pod_failures import PREEMPTIONS, SECONDS_AFTER_PREEMPTION
from ml_assets.core.operations.failures.classification import Failure, cause_of, classify, explain, is_of_data
from ml_assets.core.operations.failures.damaged_state import DamagedState
from ml_assets.pipeline.engine.run_guard import run_has_ended
from ml_assets.pipeline.steps.redacted_events import redact_failure
from ml_assets.pipeline.steps.step_config import StepSettings
from ml_assets.pipeline.steps.step_metrics import push_failure
from ml_assets.resources.dagster_instance.dead_runs import NOT_RETRIED, mark_alive
from ml_assets.resources.dagster_internals.run_tags import GRPC_INFO_TAG
from ml_assets.resources.databases.sqlite_file import RefusedFile
from ml_assets.resources.databases.uri_secrets import reveal
from ml_assets.resources.observability.redaction import redact_text
from ml_assets.resources.probes.state_probe import explain_database_error

# The tag of runs that a person waits for.
ATTENDED = "ml_assets/attended"
# Metadata key of a final failure: whether landed files or the specification have to be corrected.
OF_DATA = "is_of_data"
# A pod that ends this close to its time limit was not preempted; its clock started before its process.
SECONDS_BEFORE_THE_END = 600
log = logging.getLogger("ml_assets.days")


@contextmanager
def apply_retry_policy(
    context: dg.OpExecutionContext | dg.AssetExecutionContext, settings: StepSettings, step: str
) -> Iterator[None]:
    """Turn failures in the body of a step into retries or final failures.

    Raises:
        dagster.RetryRequested: for a transient external failure, as long as the specification has attempts left.
            Dagster waits and runs the step again.
        dagster.Failure: for every other failure, and after the last attempt. It is not retried; the message names the
            remedy.
    """
    is_new = _is_in_process_of_run(context) and mark_alive(context.instance, context.run_id)
    if is_new and GRPC_INFO_TAG not in context.run.tags:
        context.instance.add_run_tags(context.run_id, NOT_RETRIED)
    began = time.monotonic()
    try:
        yield
    except (dg.Failure, dg.RetryRequested) as error:
        redact_failure(error)
        raise
    except Exception as error:
        redact_failure(error)
        # Name the damaged or refused database as the reason, not the statement that failed on it.
        error = _damaged_database(context, error) or error
        kind, attempt = classify(error), context.retry_number + 1
        is_last = kind is not Failure.TRANSIENT or attempt > settings.retry.times
        push_failure(context, step, kind, not is_last)
        if is_last:
            reason = redact_text(explain(kind, error, step, settings.memory_field, attempt))
            raise dg.Failure(reason, metadata={OF_DATA: is_of_data(error)}, allow_retries=False) from error
        seconds = settings.retry.seconds_before(attempt, random.random(), ATTENDED in context.run.tags)
        _log_retry(
            context,
            f"{step}: {cause_of(error).rstrip('.')}. An external service failed; what was committed stays",
            attempt,
            settings.retry.times,
            seconds,
        )
        raise dg.RetryRequested(settings.retry.times, seconds) from error
    except dg.DagsterExecutionInterruptedError as error:
        longest = settings.longest.total_seconds()
        # Half of a short limit, which would otherwise leave no time in which a pod may be preempted.
        has_time = time.monotonic() - began < max(0.9 * longest - SECONDS_BEFORE_THE_END, longest / 2)
        is_last = not has_time or not _is_preempted(context) or context.retry_number >= PREEMPTIONS
        push_failure(context, step, "interrupted", not is_last)
        if ATTENDED in context.run.tags:
            # Otherwise Dagster treats the run as failed, and people are notified.
            context.instance.report_run_canceling(context.run, f"{step}: the command was interrupted")
        if is_last:
            raise
        what = f"{step}: Kubernetes terminated its pod, and nobody cancelled the run; committed days stay"
        _log_retry(context, what, context.retry_number + 1, PREEMPTIONS, SECONDS_AFTER_PREEMPTION)
        raise dg.RetryRequested(PREEMPTIONS, SECONDS_AFTER_PREEMPTION) from error


def _damaged_database(
    context: dg.OpExecutionContext | dg.AssetExecutionContext, error: Exception
) -> DamagedState | RefusedFile | None:
    store = getattr(context.resources, "tracking", None) or getattr(context.resources, "registry", None)
    damage = explain_database_error(error, None, reveal(store.tracking_uri) if store else None)
    if damage is not None:
        damage.__cause__ = error
    return damage


def _is_preempted(context: dg.OpExecutionContext | dg.AssetExecutionContext) -> bool:
    """Return whether an interrupted step was preempted: the process of the run is still alive, and nobody
    cancelled it.
    """
    return not _is_in_process_of_run(context) and not run_has_ended(context.instance, context.run_id)


def _is_in_process_of_run(context: dg.OpExecutionContext | dg.AssetExecutionContext) -> bool:
    """Return whether the step runs in the process of the run."""
    return not context.get_step_execution_context().retry_mode.deferred


def _log_retry(
    context: dg.OpExecutionContext | dg.AssetExecutionContext, what: str, number: int, times: int, seconds: float
) -> None:
    at = datetime.now().astimezone() + timedelta(seconds=seconds)
    text = f"{what}. Attempt {number + 1} of {times + 1} follows in {_duration(seconds)}, at {at:%H:%M:%S %Z}"
    context.log.warning(text)
    log.warning(text, extra={"notice": text})


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
