"""Steps that run in the pod of their run, each in a process of its own with the command of a step pod."""

import multiprocessing
import runpy
import sys
import time
from collections.abc import Iterator, Sequence
from multiprocessing.context import ForkServerProcess

from dagster import DagsterEvent

from ml_assets.core.kubernetes.pod_spec import shared_memory
from ml_assets.resources.dagster_internals.kubernetes_jobs import memory_limit, pod_settings
from ml_assets.resources.dagster_internals.step_execution import (
    CheckStepHealthResult,
    EngineEventData,
    StepHandler,
    StepHandlerContext,
)

# Modules that steps import sooner or later. The fork server of their processes imports them once; separate processes
# would take a minute of CPU time for it in the steps of a day.
LIBRARIES = (
    "dagster",
    "dagster_aws.s3",
    "dagster_postgres",
    "pandas",
    "pyarrow.dataset",
    "deltalake",
    "pandera.pandas",
    "sklearn.metrics",
    "mlflow",
    "xgboost",
)
SECONDS_TO_TERMINATE = 30
# Exit codes of a process that was killed, or whose fork server was: then multiprocessing does not know its exit code.
KILLED = (-9, 255)


class SharedPodStepHandler(StepHandler):
    """Starts, watches and terminates the processes of steps in the pod of the run.

    A process that an earlier pod of the run started has ended with that pod.

    Args:
        seconds_to_terminate: how long a process may take to end after SIGTERM, before it is killed.
    """

    def __init__(self, seconds_to_terminate: float = SECONDS_TO_TERMINATE) -> None:
        self._seconds_to_terminate = seconds_to_terminate
        self._processes: dict[str, tuple[ForkServerProcess, float]] = {}

    @property
    def name(self) -> str:
        """Name of the handler in Dagster's event log."""
        return "SharedPodStepHandler"

    def launch_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """Start the process of a step."""
        key = step_key(step_handler_context)
        yield DagsterEvent.step_worker_starting(
            step_handler_context.get_step_context(key),
            message=f'Executing step "{key}" in a process in the pod of the run.',
            metadata={},
        )
        command = list(step_handler_context.execute_step_args.get_command_args())
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(modules_to_preload())
        process = context.Process(target=run_dagster, args=(command[command.index("api") :],), name=key)
        process.start()
        self._processes[key] = process, time.monotonic()

    def check_step_health(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        """Report a step as unhealthy if its process failed or is gone; terminate one that exceeds its time limit."""
        key = step_key(step_handler_context)
        if key not in self._processes:
            return CheckStepHealthResult.unhealthy("its process is gone with an earlier pod of the run")
        process, start = self._processes[key]
        exit_code = process.exitcode
        if exit_code in KILLED:
            return CheckStepHealthResult.unhealthy(
                f"its process was killed, as when a pod runs out of memory; {memory_remedy(step_handler_context)}"
            )
        if exit_code:
            return CheckStepHealthResult.unhealthy(f"its process ended with exit code {exit_code}")
        limit = time_limit_seconds(step_handler_context)
        if exit_code is None and limit is not None and time.monotonic() - start > limit:
            self._terminate(process)
            return CheckStepHealthResult.unhealthy(
                f"it ran longer than {limit} s; compute.data.max_runtime allows no more"
            )
        return CheckStepHealthResult.healthy()

    def terminate_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """Terminate the process of a step, and kill it if it does not end."""
        key = step_key(step_handler_context)
        if key in self._processes:
            yield DagsterEvent.engine_event(
                step_handler_context.get_step_context(key), f"Ending the process of step {key}", EngineEventData()
            )
            self._terminate(self._processes[key][0])

    def _terminate(self, process: ForkServerProcess) -> None:
        process.terminate()
        process.join(self._seconds_to_terminate)
        if process.exitcode is None:
            process.kill()
            process.join()


def modules_to_preload() -> list[str]:
    """Return the modules that the fork server of step processes imports: the modules of this package that are loaded
    here, and the libraries of steps. The server skips those that are not installed.
    """
    package = __name__.partition(".")[0]
    return [*LIBRARIES, *(name for name in list(sys.modules) if name.partition(".")[0] == package)]


def run_dagster(arguments: Sequence[str]) -> None:
    """Run Dagster's command line in this process, as `python -m dagster` does: `dagster` need not be on the path."""
    sys.argv = ["dagster", *arguments]
    runpy.run_module("dagster", run_name="__main__", alter_sys=True)


def step_key(context: StepHandlerContext) -> str:
    """Return the key of the step that a handler is called for; the executor calls it for one step at a time."""
    (key,) = list(context.execute_step_args.step_keys_to_execute or [])
    return key


def time_limit_seconds(context: StepHandlerContext) -> int | None:
    """Return the time limit that the pod of a step would have; None without a limit."""
    return pod_settings(context.step_tags[step_key(context)]).get("active_deadline_seconds")


def memory_remedy(context: StepHandlerContext) -> str:
    """Return how to give the pod of a run more memory: the specification sets it, unless the tags of the run were
    edited when it was launched.
    """
    limit, of_step = memory_limit(context.dagster_run.tags), memory_limit(context.step_tags[step_key(context)])
    if limit and of_step and limit != shared_memory(of_step):
        return f"this run has {limit} from its tag dagster-k8s/config; raise it there, or leave the tag as it is"
    return "give it more with compute.data.memory"
