"""The processes that copy the output of a step do not get the Ctrl-C of a terminal."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# A run prints its process group and waits, as a step that works does.
RUN = """
import os, sys, time
import dagster as dg
from ml_assets.resources.dagster_instance.log_capture import uninterrupted_log_capture

@dg.op
def work():
    print("working", flush=True)
    time.sleep(60)

@dg.job
def job():
    work()

with dg.DagsterInstance.from_config(sys.argv[1]) as instance, uninterrupted_log_capture(instance):
    try:
        loggers = {"console": {"config": {"log_level": "CRITICAL"}}}
        job.execute_in_process(instance=instance, run_config={"loggers": loggers})
    except BaseException as error:
        print(type(error).__name__, flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="consoles of Windows have no signals")
def test_an_interrupted_run_prints_no_stack_trace_of_the_processes_that_copy_its_output(tmp_path: Path):
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    script = tmp_path / "run.py"
    script.write_text(RUN)
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", script, tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    # By then the watching processes have started and sleep.
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    printed, errors = process.communicate(timeout=60)
    assert (printed, errors) == ("DagsterExecutionInterruptedError\n", "")
