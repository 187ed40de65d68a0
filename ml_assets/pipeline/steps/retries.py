"""What follows when a step fails, by what it is a fault of: another attempt after a while, or an end that says what to
do.
"""

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.storage.tags import GRPC_INFO_TAG

from ml_assets.core.kubernetes.pod_failures import PREEMPTIONS, SECONDS_AFTER_PREEMPTION
from ml_assets.core.operations.failures.classification import Failure, cause_of, classify, explain
from ml_assets.pipeline.engine.run_guard import run_has_ended
from ml_assets.pipeline.steps.step_config import StepSettings
from ml_assets.pipeline.steps.step_metrics import push_failure
from ml_assets.resources.dagster_instance.dead_runs import NOT_RETRIED, mark_alive

# On runs that somebody sits before and waits for.
ATTENDED = "ml_assets/attended"
# A pod that ends so near the end of its time, or nearer, has not been preempted: its time began before that of its
# process.
SECONDS_BEFORE_THE_END = 600
log = logging.getLogger("ml_assets.days")


@contextmanager
def apply_retry_policy(
    context: dg.OpExecutionContext | dg.AssetExecutionContext, settings: StepSettings, step: str
) -> Iterator[None]:
    """The body of a step, whose failures get their due.

    Raises:
        dagster.RetryRequested: for a fault of the world, as long as the specification has attempts left. Dagster waits
            and runs the step again.
        dagster.Failure: for every other fault, and for the last one of the world. Nothing tries it again; the message
            says what to do.
    """
    if (
        _is_in_process_of_run(context)
        and GRPC_INFO_TAG not in context.run.tags
        and mark_alive(context.instance, context.run_id)
    ):
        context.instance.add_run_tags(context.run_id, NOT_RETRIED)
    began = time.monotonic()
    try:
        yield
    except (dg.Failure, dg.RetryRequested):
        raise
    except Exception as error:
        fault, number = classify(error), context.retry_number + 1
        is_last = fault is not Failure.TRANSIENT or number > settings.retry.times
        push_failure(context, step, fault, not is_last)
        if is_last:
            raise dg.Failure(explain(fault, error, step, settings.memory_field, number), allow_retries=False) from error
        seconds = settings.retry.seconds_before(number, random.random(), ATTENDED in context.run.tags)
        _tell(
            context,
            f"{step}: {cause_of(error).rstrip('.')}. A service outside did not work; what was committed stays",
            number,
            settings.retry.times,
            seconds,
        )
        raise dg.RetryRequested(settings.retry.times, seconds) from error
    except DagsterExecutionInterruptedError as error:
        has_time = time.monotonic() - began < 0.9 * settings.longest.total_seconds() - SECONDS_BEFORE_THE_END
        is_last = not has_time or not _is_preempted(context) or context.retry_number >= PREEMPTIONS
        push_failure(context, step, "interrupted", not is_last)
        if is_last:
            raise
        what = f"{step}: its pod was told to end, and nobody cancelled the run: its node needs the place or goes away; what was committed stays"
        _tell(context, what, context.retry_number + 1, PREEMPTIONS, SECONDS_AFTER_PREEMPTION)
        raise dg.RetryRequested(PREEMPTIONS, SECONDS_AFTER_PREEMPTION) from error


def _is_preempted(context: dg.OpExecutionContext | dg.AssetExecutionContext) -> bool:
    """Whether the process of the run goes on and nobody cancelled it, when a step was interrupted."""
    return not _is_in_process_of_run(context) and not run_has_ended(context.instance, context.run_id)


def _is_in_process_of_run(context: dg.OpExecutionContext | dg.AssetExecutionContext) -> bool:
    """Whether there is no process of the run beside that of the step."""
    return not context.get_step_execution_context().retry_mode.deferred


def _tell(
    context: dg.OpExecutionContext | dg.AssetExecutionContext, what: str, number: int, times: int, seconds: float
) -> None:
    at = datetime.now().astimezone() + timedelta(seconds=seconds)
    text = f"{what}. Attempt {number + 1} of {times + 1} follows in {_shown(seconds)}, at {at:%H:%M:%S %Z}"
    context.log.warning(text)
    log.warning(text, extra={"notice": text})


def _shown(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
