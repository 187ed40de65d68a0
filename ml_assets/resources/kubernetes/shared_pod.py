"""Steps that run in the pod of their run, each in a process of its own, as the pod of a step would run it."""

import subprocess
import sys
import time
from collections.abc import Iterator

from dagster import DagsterEvent
from dagster._core.events import EngineEventData
from dagster._core.executor.step_delegating import CheckStepHealthResult, StepHandler, StepHandlerContext

SECONDS_TO_END = 30


class SharedPod(StepHandler):
    """Starts, watches and ends the processes of steps; those that another process started have ended with its pod.

    seconds_to_end: how long a process may take to end when it is asked to, before it is killed.
    """

    def __init__(self, seconds_to_end: float = SECONDS_TO_END) -> None:
        self._seconds_to_end = seconds_to_end
        self._processes: dict[str, tuple[subprocess.Popen[bytes], float]] = {}

    @property
    def name(self) -> str:
        """The name under which Dagster's log speaks of it."""
        return "SharedPod"

    def launch_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """Start the process of a step."""
        key = step_key(step_handler_context)
        yield DagsterEvent.step_worker_starting(
            step_handler_context.get_step_context(key),
            message=f'Executing step "{key}" in a process in the pod of the run.',
            metadata={},
        )
        # The command of a step's pod, by the interpreter of the run: `dagster` need not be on the path.
        command = list(step_handler_context.execute_step_args.get_command_args())
        process = subprocess.Popen([sys.executable, "-m", "dagster", *command[command.index("api") :]])
        self._processes[key] = process, time.monotonic()

    def check_step_health(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        """Unhealthy when the process has failed, or is gone. One that runs longer than it may is ended."""
        key = step_key(step_handler_context)
        if key not in self._processes:
            return CheckStepHealthResult.unhealthy("its process is gone with an earlier pod of the run")
        process, began = self._processes[key]
        code = process.poll()
        if code == -9:
            return CheckStepHealthResult.unhealthy(
                "its process was killed, as when a pod runs out of memory; give it more with compute.data.memory"
            )
        if code:
            return CheckStepHealthResult.unhealthy(f"its process ended with exit code {code}")
        longest = seconds_allowed(step_handler_context)
        if code is None and longest is not None and time.monotonic() - began > longest:
            self._end(process)
            return CheckStepHealthResult.unhealthy(
                f"it ran longer than {longest} s; compute.data.max_runtime allows no more"
            )
        return CheckStepHealthResult.healthy()

    def terminate_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """End the process of a step, and kill it when it does not end."""
        key = step_key(step_handler_context)
        if key in self._processes:
            yield DagsterEvent.engine_event(
                step_handler_context.get_step_context(key), f"Ending the process of step {key}", EngineEventData()
            )
            self._end(self._processes[key][0])

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        process.terminate()
        try:
            process.wait(self._seconds_to_end)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def step_key(context: StepHandlerContext) -> str:
    """The key of the step that a handler is asked about; the executor asks for one at a time."""
    (key,) = list(context.execute_step_args.step_keys_to_execute or [])
    return key


def seconds_allowed(context: StepHandlerContext) -> int | None:
    """How long a step may run, as its pod would be told; None without a bound."""
    from dagster_k8s.job import get_user_defined_k8s_config

    return get_user_defined_k8s_config(context.step_tags[step_key(context)]).pod_spec_config.get(
        "active_deadline_seconds"
    )
