"""Time, cores and memory that this process and its children use, as the operating system counts them."""

import sys
import time
from contextlib import suppress
from pathlib import Path

from ml_assets.core.operations.stage_costs import Usage

STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# Writing this number to clear_refs resets the peak of resident memory to its current size.
RESET_PEAK = "5"
_is_pod = False


def set_pod(is_pod: bool) -> None:
    """Set whether this process runs in a Kubernetes pod; False by default."""
    global _is_pod
    _is_pod = is_pod


def is_in_pod() -> bool:
    """Return whether this process runs in a pod."""
    return _is_pod


class UsageMeter:
    """Measures the resources that this process uses from now on. Child processes count once they have ended.

    If the operating system cannot reset the memory peak, the peak covers the whole life of the process. began_at: when
    it began, in seconds since 1970. cpu_seconds_before: CPU seconds that this process used before, for its start and
    imports; the meter does not include them.
    """

    def __init__(self) -> None:
        with suppress(OSError):
            CLEAR_REFS.write_text(RESET_PEAK, encoding="utf-8")
        self.began_at = time.time()
        self.cpu_seconds_before = time.process_time()
        self._start = time.perf_counter()
        self._children = _children()[0]

    def read(self) -> Usage:
        """Return the usage since the meter was created."""
        cpu, (children, largest_child) = time.process_time() - self.cpu_seconds_before, _children()
        of_children = children - self._children
        peak = max(_peak(), largest_child if of_children else 0)
        return Usage(time.perf_counter() - self._start, cpu + of_children, peak)


def _children() -> tuple[float, int]:
    """Return the CPU seconds that ended child processes took, and the largest memory of one of them, in bytes."""
    try:
        import resource
    except ImportError:
        return 0.0, 0
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _unit()


def _peak() -> int:
    with suppress(OSError, StopIteration, ValueError):
        lines = STATUS.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _unit()


def _unit() -> int:
    return 1 if sys.platform == "darwin" else 1024
