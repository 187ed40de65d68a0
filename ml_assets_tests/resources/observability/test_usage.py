"""The meter counts this process and its children, from its start on."""

import subprocess
import sys

from ml_assets.resources.observability.usage import UsageMeter

BUSY = "import time\nend = time.process_time() + {seconds}\nwhile time.process_time() < end: pass"


def test_time_cores_and_memory_are_counted_from_the_start_of_the_meter():
    exec(BUSY.format(seconds=0.05))
    meter = UsageMeter()
    first = meter.read()
    exec(BUSY.format(seconds=0.05))
    second = meter.read()
    assert first.cpu_seconds < 0.05 <= second.cpu_seconds
    assert second.seconds >= 0.05
    assert second.memory_peak > 2**20


def test_the_children_of_a_step_count():
    meter = UsageMeter()
    subprocess.run([sys.executable, "-c", BUSY.format(seconds=0.1)], check=True)
    assert meter.read().cpu_seconds >= 0.1
